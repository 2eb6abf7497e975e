package workload_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"testing"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/components/workload"
	"github.com/slipway-iac/slipway/internal/recorder"
)

// exceptions are the judge's critical findings that stay, each with its reason.
var exceptions = map[string]string{
	"container-image-pull-policy": "tags are fixed, so that a node which has an image needs no registry to restart a pod",
	"container-resources":         "no limit of CPU by default: throttling slows requests while the node idles; a caller may set one",
}

// TestIndependentJudge: kube-score, which knows nothing of this library, has no critical finding but the exceptions.
func TestIndependentJudge(t *testing.T) {
	r := cluster()
	err := r.Run(func(ctx *pulumi.Context) error {
		provider, err := kubernetes.NewProvider(ctx, "cluster", nil)
		if err != nil {
			return err
		}
		in := pulumi.Provider(provider)
		ns, err := workload.NewAppNamespace(ctx, "example", nil, in)
		if err != nil {
			return err
		}
		d := database()
		d.Namespace = ns.Name
		db, err := workload.NewDatabase(ctx, "database", d, in)
		if err != nil {
			return err
		}
		for name, args := range map[string]*workload.AppDeploymentArgs{"frontend": frontend(), "backend": backend(), "worker": minimal()} {
			args.Namespace = ns.Name
			if name == "backend" {
				args.Database = db.Binding
			}
			if _, err := workload.NewAppDeployment(ctx, name, args, in); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	judge := exec.Command("go", "tool", "kube-score", "score", "--kubernetes-version", "v1.35", "--enable-optional-test", "container-seccomp-profile", "-o", "json", "-")
	judge.Dir, judge.Stdin = "../../tools", bytes.NewReader(manifests(t, r))
	var complaints bytes.Buffer
	judge.Stderr = &complaints
	out, _ := judge.Output() // it ends with 1 where there is a critical finding
	var objects []struct {
		Name   string `json:"object_name"`
		Checks []struct {
			Check    struct{ ID string }
			Grade    int
			Skipped  bool
			Comments []struct{ Path, Summary string }
		}
	}
	if err := json.Unmarshal(out, &objects); err != nil || len(objects) < 10 {
		t.Fatalf("kube-score answers for %d objects, %v\n%s%s", len(objects), err, out, complaints.String())
	}
	const critical = 1
	excused := map[string]bool{}
	for _, o := range objects {
		for _, c := range o.Checks {
			if c.Grade != critical || c.Skipped {
				continue
			}
			if excused[c.Check.ID] = exceptions[c.Check.ID] != ""; !excused[c.Check.ID] {
				t.Errorf("%s: %s: %v", o.Name, c.Check.ID, c.Comments)
			}
		}
	}
	for id := range exceptions {
		if !excused[id] {
			t.Errorf("%s is no finding any more: its exception can go", id)
		}
	}
}

// manifests are the objects that were registered, as an API server would hold them.
func manifests(t *testing.T, r *recorder.Recorder) []byte {
	t.Helper()
	var all bytes.Buffer
	for _, a := range r.Seen() {
		if !a.Inputs.HasValue("apiVersion") {
			continue
		}
		object := recorder.Plain(resource.NewObjectProperty(a.Inputs)).(map[string]any)
		metadata := object["metadata"].(map[string]any)
		if metadata["name"] == nil {
			metadata["name"] = a.Name + "-1a2b3c4d"
		}
		text, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString("---\n")
		all.Write(append(text, '\n'))
	}
	return all.Bytes()
}
