package controlplane

import (
	"context"

	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	cmoptions "k8s.io/kubernetes/cmd/kube-controller-manager/app/options"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	schedoptions "k8s.io/kubernetes/cmd/kube-scheduler/app/options"

	"github.com/slipway-iac/slipway/sandbox/kube/endpoint"
)

// clientRate is what controllers and scheduler may ask of an API server that is in the same process.
var clientRate = []string{"--kube-api-qps=300", "--kube-api-burst=600"}

// RunControllerManager runs the controllers until ctx ends.
func RunControllerManager(ctx context.Context, info endpoint.Info) error {
	o, err := cmoptions.NewKubeControllerManagerOptions()
	if err != nil {
		return err
	}
	known, off, aliases := controllermanager.KnownControllers(), controllermanager.ControllersDisabledByDefault(), controllermanager.ControllerAliases()
	sets := o.Flags(known, off, aliases)
	o.ParsedFlags = &sets
	if err := parse(sets, append([]string{
		"--kubeconfig=" + info.Kubeconfig("controller-manager"),
		"--secure-port=0", // nobody asks: whether it works is seen by what it does
		"--leader-elect=false",
		"--use-service-account-credentials=false",
		"--service-account-private-key-file=" + info.PKI("service-account.key"),
		"--root-ca-file=" + info.PKI("ca.crt"),
		"--cluster-signing-cert-file=" + info.PKI("ca.pem"),
		"--cluster-signing-key-file=" + info.PKI("ca.pem"),
		"--allocate-node-cidrs=false", // pods have addresses of the VPC
		"--profiling=false",
	}, clientRate...)); err != nil {
		return err
	}
	c, err := o.Config(ctx, known, off, aliases)
	if err != nil {
		return err
	}
	return controllermanager.Run(ctx, c.Complete())
}

// RunScheduler runs the scheduler until ctx ends.
func RunScheduler(ctx context.Context, info endpoint.Info) error {
	o := schedoptions.NewOptions()
	if err := parse(*o.Flags, append([]string{
		"--kubeconfig=" + info.Kubeconfig("scheduler"),
		"--secure-port=0",
		"--leader-elect=false",
		"--profiling=false",
	}, clientRate...)); err != nil {
		return err
	}
	c, s, err := scheduler.Setup(ctx, o)
	if err != nil {
		return err
	}
	return scheduler.Run(ctx, c, s)
}
