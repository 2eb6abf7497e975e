// Command slipway-kube runs the Kubernetes control plane of the sandbox in one process.
//
//	slipway-kube serve --dir DIR --account FILE
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/slipway-iac/slipway/sandbox/kube/serve"
	"github.com/slipway-iac/slipway/sandbox/kube/version"
)

const usage = `usage: slipway-kube serve --dir DIR --account FILE [--drain-timeout 30s]
       slipway-kube version`

func main() {
	if len(os.Args) < 2 {
		fail(2, usage)
	}
	switch os.Args[1] {
	case "serve":
		runServe(os.Args[2:])
	case "version":
		fmt.Println(version.Kubernetes)
	default:
		fail(2, fmt.Sprintf("unknown command %q\n%s", os.Args[1], usage))
	}
}

func runServe(args []string) {
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	o := serve.Options{Out: os.Stdout}
	flags.StringVar(&o.Dir, "dir", "", "folder for data, certificates and logs")
	flags.StringVar(&o.Account, "account", "", "file with the view of the AWS account; it need not exist yet")
	flags.DurationVar(&o.DrainTimeout, "drain-timeout", 30*time.Second, "how long a disruption budget may hold up a node that has to leave")
	flags.BoolVar(&o.RealNodes, "real-nodes", false, "leave the nodes' kubelets to slipway-node")
	flags.Parse(args) //nolint:errcheck // ExitOnError
	if o.Dir == "" || o.Account == "" || flags.NArg() > 0 {
		fail(2, usage)
	}
	if err := serve.Run(o); err != nil {
		fail(1, err.Error())
	}
}

func fail(code int, message string) {
	fmt.Fprintln(os.Stderr, "slipway-kube:", message)
	os.Exit(code)
}
