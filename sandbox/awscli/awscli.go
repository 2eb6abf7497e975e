// Package awscli is an `aws` command that answers the two calls that Kubernetes clients make, eks get-token and
// sts get-caller-identity, and some with which an operator looks at the account and changes it by hand, past the stack. It answers
// for the sandbox's account and asks nothing on the network.
package awscli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/slipway-iac/slipway/sandbox/aws"
	"github.com/slipway-iac/slipway/sandbox/home"
	"github.com/slipway-iac/slipway/sandbox/kube/token"
)

// Main runs `aws ARGS…` and returns its exit code, 255 and 254 as the real one uses them.
func Main(args []string) int {
	return answer(args, func() (home.Home, error) { return home.Find(".") })
}

// In is Main for the account of that sandbox.
func In(h home.Home, args []string) int {
	return answer(args, func() (home.Home, error) { return h, nil })
}

func answer(args []string, find func() (home.Home, error)) int {
	c := parse(args)
	c.home = find
	if o, ok := operations()[c.words]; ok {
		return c.operate(o)
	}
	switch c.words {
	case "sts get-caller-identity":
		return print(map[string]string{"UserId": aws.CallerUserID, "Account": aws.AccountID, "Arn": aws.CallerARN})
	case "eks get-token":
		return c.token()
	case "":
		if c.flags["version"] != "" {
			fmt.Println("aws-cli/2.0.0 slipway-sandbox")
			return 0
		}
	}
	fmt.Fprintf(os.Stderr, "aws: the sandbox's aws knows %s, not %q: it stands for an account in a file and reaches no real one\n", known(), c.words)
	return 252
}

// known is the calls, for people.
func known() string {
	all := []string{"eks get-token", "sts get-caller-identity"}
	return "`" + strings.Join(append(all, slices.Sorted(maps.Keys(operations()))...), "`, `") + "`"
}

type call struct {
	words string
	flags map[string]string
	home  func() (home.Home, error)
}

// lists are the flags that take several values, up to the next flag.
var lists = []string{"auto-scaling-group-names", "scheduled-action-names", "security-group-rule-ids"}

// parse takes flags as the real aws does, in any place: --name value, --name=value.
func parse(args []string) call {
	c := call{flags: map[string]string{}}
	var words []string
	for i := 0; i < len(args); i++ {
		name, isFlag := strings.CutPrefix(args[i], "--")
		if !isFlag {
			words = append(words, args[i])
			continue
		}
		if n, v, ok := strings.Cut(name, "="); ok {
			c.flags[n] = v
		} else if i+1 < len(args) && !strings.HasPrefix(args[i+1], "--") {
			c.flags[name] = args[i+1]
			i++
			for ; slices.Contains(lists, name) && i+1 < len(args) && !strings.HasPrefix(args[i+1], "--"); i++ {
				c.flags[name] += " " + args[i+1]
			}
		} else {
			c.flags[name] = "true"
		}
	}
	c.words = strings.Join(words, " ")
	return c
}

// token prints an ExecCredential, as `aws eks get-token` does.
func (c call) token() int {
	cluster := c.flags["cluster-name"]
	if cluster == "" {
		cluster = c.flags["cluster-id"]
	}
	if cluster == "" {
		fmt.Fprintln(os.Stderr, "aws: error: the following arguments are required: --cluster-name")
		return 252
	}
	h, err := c.home()
	if err != nil {
		fmt.Fprintln(os.Stderr, "aws:", err)
		return 255
	}
	key, err := token.LoadKey(h.Account())
	if err != nil {
		fmt.Fprintln(os.Stderr, "aws:", err)
		return 255
	}
	caller := aws.CallerARN
	role := c.flags["role-arn"]
	if role == "" {
		role = c.flags["role"] // the real one takes any unambiguous beginning, and pulumi-eks writes this one
	}
	if role != "" {
		caller = assumed(role)
	}
	region := c.region()
	now := time.Now()
	type m = map[string]any
	return print(m{
		"kind": "ExecCredential", "apiVersion": apiVersion(), "spec": m{},
		"status": m{
			// A minute less than it lives, as the real one says, so that no client uses it at the very end.
			"expirationTimestamp": now.Add(token.Lifetime - time.Minute).UTC().Format(time.RFC3339),
			"token":               key.Make(cluster, region, caller, now),
		},
	})
}

func (c call) region() string {
	return cmp.Or(c.flags["region"], os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION"), "us-west-2")
}

// assumed is the session that sts:AssumeRole would make of a role.
func assumed(role string) string {
	arn := strings.Replace(strings.Replace(role, ":iam:", ":sts:", 1), ":role/", ":assumed-role/", 1)
	return arn + "/EKSGetTokenAuth"
}

// apiVersion is the one that the client asks for: it refuses another.
func apiVersion() string {
	var info struct {
		APIVersion string `json:"apiVersion"`
	}
	if json.Unmarshal([]byte(os.Getenv("KUBERNETES_EXEC_INFO")), &info) == nil && info.APIVersion != "" {
		return info.APIVersion
	}
	return "client.authentication.k8s.io/v1beta1"
}

func print(v any) int {
	b, err := json.MarshalIndent(v, "", "    ")
	if err != nil {
		fmt.Fprintln(os.Stderr, "aws:", err)
		return 255
	}
	fmt.Println(string(b))
	return 0
}
