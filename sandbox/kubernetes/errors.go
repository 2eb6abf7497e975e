package kubernetes

import (
	"errors"
	"fmt"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil/rpcerror"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/structpb"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// unfinished is an object that exists, but not in the way that was asked for: it did not become ready, or did not go away.
type unfinished struct {
	message string
	object  *unstructured.Unstructured
	reasons []string
}

func (u *unfinished) Error() string { return u.message }

func timedOut(obj *unstructured.Unstructured, reasons []string) error {
	return &unfinished{fmt.Sprintf("'%s' timed out waiting to be Ready", obj.GetName()), obj, reasons}
}

func cancelled(obj *unstructured.Unstructured, reasons []string) error {
	return &unfinished{fmt.Sprintf("Resource operation was cancelled for %q", obj.GetName()), obj, reasons}
}

func notInitialized(obj *unstructured.Unstructured, reasons []string) error {
	return &unfinished{fmt.Sprintf("Resource '%s' was created but failed to initialize", obj.GetName()), obj, reasons}
}

// initFailed makes the engine keep the object in its state, as one whose creation or update is to be tried again.
func initFailed(id string, err error, state, inputs *structpb.Struct) error {
	reasons := []string{err.Error()}
	var u *unfinished
	if errors.As(err, &u) {
		reasons = append(reasons, u.reasons...)
	}
	return rpcerror.WithDetails(rpcerror.New(codes.Unknown, err.Error()), &pulumirpc.ErrorResourceInitFailed{
		Id: id, Properties: state, Reasons: reasons, Inputs: inputs,
	})
}

// namespaceMissing tells the error of an object whose namespace does not exist (yet).
func namespaceMissing(err error) bool {
	var status *apierrors.StatusError
	return errors.As(err, &status) && apierrors.IsNotFound(err) &&
		status.Status().Details != nil && status.Status().Details.Kind == "namespaces"
}

// conflictHelp adds to a server-side apply conflict where to read on.
func conflictHelp(err error, manager string) error {
	if !apierrors.IsConflict(err) {
		return err
	}
	return errors.Join(
		errors.New("Server-Side Apply field conflict detected. See https://www.pulumi.com/registry/packages/kubernetes/"+ // the wording of the real provider
			"how-to-guides/managing-resources-with-server-side-apply/#handle-field-conflicts-on-existing-resources for troubleshooting help."),
		fmt.Errorf("The resource managed by field manager %q had an apply conflict: %w", manager, err),
	)
}
