package controlplane

import (
	"context"
	"net"

	"github.com/spf13/pflag"
	apiextensionsapiserver "k8s.io/apiextensions-apiserver/pkg/apiserver"
	"k8s.io/apimachinery/pkg/runtime"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/apiserver/pkg/util/webhook"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/rest"
	cliflag "k8s.io/component-base/cli/flag"
	aggregatorscheme "k8s.io/kube-aggregator/pkg/apiserver/scheme"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/controlplane"
	controlplaneapiserver "k8s.io/kubernetes/pkg/controlplane/apiserver"
	generatedopenapi "k8s.io/kubernetes/pkg/generated/openapi"

	"github.com/slipway-iac/slipway/sandbox/kube/endpoint"
)

// Access adds to who may do what; see package access.
type Access interface {
	Authenticator(next authenticator.Request) authenticator.Request
	Authorizer(next authorizer.Authorizer) authorizer.Authorizer
}

// Admission makes a part of admission that comes after the API server's own; see package balancing. It gets a way to ask the API server
// itself, and what that keeps at hand anyway.
type Admission func(own *rest.Config, shared informers.SharedInformerFactory) (admission.Interface, error)

// RunAPIServer serves on listener until ctx ends.
func RunAPIServer(ctx context.Context, info endpoint.Info, listener net.Listener, access Access, more Admission) error {
	o := options.NewServerRunOptions()
	o.SecureServing.Listener = listener
	if err := parse(o.Flags(), []string{
		"--etcd-servers=" + etcdClients.String(),
		"--bind-address=127.0.0.1",
		"--client-ca-file=" + info.PKI("ca.crt"),
		"--tls-cert-file=" + info.PKI("apiserver.pem"),
		"--tls-private-key-file=" + info.PKI("apiserver.pem"),
		"--service-account-key-file=" + info.PKI("service-account.key"),
		"--service-account-signing-key-file=" + info.PKI("service-account.key"),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-cluster-ip-range=" + endpoint.ServiceCIDR,
		// Loopback is refused as the address of the Service "kubernetes", so it gets no endpoint; no simulated pod calls it.
		"--advertise-address=192.0.2.1",
		"--endpoint-reconciler-type=none",
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--allow-privileged=true", // as on EKS; Pod Security decides
		"--requestheader-client-ca-file=" + info.PKI("ca.crt"),
		"--requestheader-allowed-names=front-proxy-client",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-username-headers=X-Remote-User",
		"--proxy-client-cert-file=" + info.PKI("front-proxy.pem"),
		"--proxy-client-key-file=" + info.PKI("front-proxy.pem"),
		// For the logs of real nodes; their own certificates are signed by themselves.
		"--kubelet-client-certificate=" + info.PKI("nodes.pem"),
		"--kubelet-client-key=" + info.PKI("nodes.pem"),
		"--kubelet-preferred-address-types=InternalIP",
		"--profiling=false",
		"--shutdown-delay-duration=0s",
	}); err != nil {
		return err
	}
	if err := o.GenericServerRunOptions.ComponentGlobalsRegistry.Set(); err != nil {
		return err
	}
	rest.SetDefaultWarningHandler(rest.NoWarnings{})
	completed, err := o.Complete(ctx)
	if err != nil {
		return err
	}
	if errs := completed.Validate(); len(errs) != 0 {
		return utilerrors.NewAggregate(errs)
	}
	config, err := apiServerConfig(completed, access, more)
	if err != nil {
		return err
	}
	ready, err := config.Complete()
	if err != nil {
		return err
	}
	server, err := app.CreateServerChain(ready)
	if err != nil {
		return err
	}
	prepared, err := server.PrepareRun()
	if err != nil {
		return err
	}
	return prepared.Run(ctx)
}

// apiServerConfig is upstream's app.NewConfig with access put in before admission and the API's own reviews take the
// authorizer from the generic part, and with more put in before the servers of built-in and of custom resources copy admission from it.
func apiServerConfig(o options.CompletedOptions, access Access, more Admission) (*app.Config, error) {
	generic, shared, storage, err := controlplaneapiserver.BuildGenericConfig(o.CompletedOptions,
		[]*runtime.Scheme{legacyscheme.Scheme, apiextensionsapiserver.Scheme, aggregatorscheme.Scheme},
		controlplane.DefaultAPIResourceConfigSource(), generatedopenapi.GetOpenAPIDefinitions)
	if err != nil {
		return nil, err
	}
	admit(generic, access)
	apis, resolver, initializers, err := app.CreateKubeAPIServerConfig(o, generic, shared, storage)
	if err != nil {
		return nil, err
	}
	g := apis.ControlPlane.Generic
	last, err := more(g.LoopbackClientConfig, shared)
	if err != nil {
		return nil, err
	}
	g.AdmissionControl = admission.NewChainHandler(g.AdmissionControl, last)
	extensions, err := controlplaneapiserver.CreateAPIExtensionsConfig(*g, apis.ControlPlane.VersionedInformers, initializers,
		o.CompletedOptions, o.MasterCount, resolver, webhook.NewDefaultAuthenticationInfoResolverWrapper(
			apis.ControlPlane.ProxyTransport, g.EgressSelector, g.LoopbackClientConfig, g.TracerProvider))
	if err != nil {
		return nil, err
	}
	aggregator, err := controlplaneapiserver.CreateAggregatorConfig(*g, o.CompletedOptions, apis.ControlPlane.VersionedInformers,
		resolver, apis.ControlPlane.ProxyTransport, apis.ControlPlane.Extra.PeerProxy, initializers)
	if err != nil {
		return nil, err
	}
	return &app.Config{Options: o, Aggregator: aggregator, KubeAPIs: apis, ApiExtensions: extensions}, nil
}

func admit(c *genericapiserver.Config, access Access) {
	c.Authentication.Authenticator = access.Authenticator(c.Authentication.Authenticator)
	c.Authorization.Authorizer = access.Authorizer(c.Authorization.Authorizer)
}

// parse gives args to the flags of a component.
func parse(sets cliflag.NamedFlagSets, args []string) error {
	all := pflag.NewFlagSet("", pflag.ContinueOnError)
	all.SetNormalizeFunc(cliflag.WordSepNormalizeFunc)
	for _, s := range sets.FlagSets {
		all.AddFlagSet(s)
	}
	return all.Parse(args)
}
