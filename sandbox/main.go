// Command sandbox is a laptop cloud for Pulumi stacks. By the name under which it is started it is also each of the
// plugins that the Pulumi CLI starts, and the aws command that Kubernetes clients start.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/slipway-iac/slipway/sandbox/aws"
	"github.com/slipway-iac/slipway/sandbox/awscli"
	"github.com/slipway-iac/slipway/sandbox/command"
	"github.com/slipway-iac/slipway/sandbox/eks"
	"github.com/slipway-iac/slipway/sandbox/home"
	"github.com/slipway-iac/slipway/sandbox/kube/endpoint"
	"github.com/slipway-iac/slipway/sandbox/kubernetes"
	"github.com/slipway-iac/slipway/sandbox/langhost"
	"github.com/slipway-iac/slipway/sandbox/plugin"
)

func main() {
	name, args := filepath.Base(os.Args[0]), os.Args[1:]
	var err error
	switch name {
	case "aws":
		os.Exit(awscli.Main(args))
	case "pulumi-language-go":
		err = serveLanguage(args)
	case "pulumi-resource-aws":
		err = serveAWS()
	case "pulumi-resource-eks":
		err = plugin.ServeProvider(eks.New())
	case "pulumi-resource-kubernetes":
		err = plugin.ServeProvider(kubernetes.New())
	default:
		os.Exit(command.Main(args))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, name+":", err)
		os.Exit(1)
	}
}

func serveLanguage(args []string) error {
	h, err := home.Find(".")
	if err != nil {
		return err
	}
	return plugin.ServeLanguage(langhost.New(filepath.Join(h.Bin(), "programs"), args))
}

func serveAWS() error {
	h, err := home.Find(".")
	if err != nil {
		return err
	}
	account, err := aws.OpenAccount(h.Account())
	if err != nil {
		return err
	}
	account.Kubernetes = func() (string, string, error) {
		info, err := endpoint.Prepare(h.Kube())
		return info.Server, info.CAPEM, err
	}
	account.Changed = func(tx *aws.Tx) error { return tx.WriteKubeView(h.KubeView()) }
	return plugin.ServeProvider(aws.New(account))
}
