//go:build linux

// Command slipway-node runs the nodes of the sandbox for real, and is each of the programs that they run.
//
//	slipway-node agent --kube DIR --dir DIR --images DIR --account DIR --view FILE --pause FILE
//	slipway-node kubelet|kube-proxy|coredns|metrics-server ARGS…
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/bind" // as each of these, a word of config/coredns.conf
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/hosts"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/loadbalance"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/component-base/cli"
	kubeproxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
	metrics "sigs.k8s.io/metrics-server/cmd/metrics-server/app"

	"github.com/slipway-iac/slipway/sandbox/aws"
	"github.com/slipway-iac/slipway/sandbox/node"
)

func main() {
	if len(os.Args) < 2 {
		fail("usage: slipway-node agent|kubelet|kube-proxy|coredns|metrics-server ARGS…")
	}
	verb := os.Args[1]
	os.Args = append([]string{verb}, os.Args[2:]...)
	switch verb {
	case "agent":
		if err := agent(os.Args[1:]); err != nil {
			fail(err.Error())
		}
	case "kubelet":
		os.Exit(cli.Run(kubelet.NewKubeletCommand(context.Background())))
	case "kube-proxy":
		os.Exit(cli.Run(kubeproxy.NewProxyCommand()))
	case "coredns":
		coremain.Run()
	case "metrics-server":
		os.Exit(cli.Run(metrics.NewMetricsServerCommand(genericapiserver.SetupSignalHandler())))
	default:
		fail(fmt.Sprintf("unknown command %q", verb))
	}
}

func agent(args []string) error {
	flags := flag.NewFlagSet("agent", flag.ExitOnError)
	var a node.Agent
	flags.StringVar(&a.Kube, "kube", "", "folder of the control plane")
	flags.StringVar(&a.Dir, "dir", "", "folder of the nodes")
	flags.StringVar(&a.Images, "images", "", "folder of the registry")
	account := flags.String("account", "", "folder of the AWS account")
	flags.StringVar(&a.KubeView, "view", "", "file with the view of the AWS account")
	flags.StringVar(&a.Pause, "pause", "", "executable of the pause image")
	flags.Parse(args) //nolint:errcheck // ExitOnError
	var err error
	if a.Account, err = aws.OpenAccount(*account); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return a.Run(ctx)
}

func fail(message string) {
	fmt.Fprintln(os.Stderr, "slipway-node:", message)
	os.Exit(1)
}
