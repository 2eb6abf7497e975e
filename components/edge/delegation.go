package edge

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// ResolverVariable in the environment names another DNS server than the machine's, HOST:PORT, by which it is seen whether a zone is
// delegated; "off" does not look. For networks in which the zone has other servers than on the internet, and for the sandbox.
const ResolverVariable = "SLIPWAY_RESOLVER"

// delegationTime is how long the look takes at most.
const delegationTime = 5 * time.Second

// delegated refuses to wait for a certificate whose zone, with these name servers of its own, the internet asks elsewhere or not at
// all: AWS would wait in vain, and would not say why. It looks, in a preview too, only where a certificate is to be validated, so
// that the DNS of whoever runs an update stands in the way of nothing else.
func (b *builder) delegated(servers []string) (pulumi.ResourceOption, error) {
	resolver := os.Getenv(ResolverVariable)
	if len(servers) == 0 || resolver == "off" {
		return pulumi.ResourceHooks(nil), nil
	}
	hook, err := b.ctx.RegisterResourceHook(b.name+"-delegated", func(*pulumi.ResourceHookArgs) error {
		warning, err := delegation(b.args.ZoneName, servers, resolver)
		if warning != "" {
			return b.ctx.Log.Warn(warning, nil)
		}
		return err
	}, &pulumi.ResourceHookOptions{OnDryRun: true})
	if err != nil {
		return nil, err
	}
	return pulumi.ResourceHooks(&pulumi.ResourceHookBinding{BeforeCreate: []*pulumi.ResourceHook{hook}}), nil
}

// delegation is what is wrong with how a zone is found; only a warning where DNS does not answer.
func delegation(zone string, servers []string, resolver string) (warning string, err error) {
	asked, err := askedServers(zone, resolver)
	var failed *net.DNSError
	switch {
	case errors.As(err, &failed) && failed.IsNotFound:
		return "", fmt.Errorf("zoneName is %q, which is not delegated: nobody on the internet finds it, and AWS would not prove the certificate. %s", zone, nameServersToSet(servers))
	case err != nil:
		return fmt.Sprintf("It is not known whether zone %s is delegated, as DNS does not answer (%s). If the certificate is waited for in vain: %s", zone, err, nameServersToSet(servers)), nil
	case !slices.ContainsFunc(asked, func(s string) bool { return slices.Contains(canonical(servers), s) }):
		return "", fmt.Errorf("zoneName is %q, for which the internet asks %s: not this zone, so that AWS would not prove the certificate. %s", zone, strings.Join(asked, ", "), nameServersToSet(servers))
	}
	return "", nil
}

func nameServersToSet(servers []string) string {
	return fmt.Sprintf("At the registrar, or as NS record in the zone above, set its name servers to %s; in a network that sees other servers than the internet set %s to a public DNS server, or to \"off\"",
		strings.Join(canonical(servers), ", "), ResolverVariable)
}

// askedServers are the servers that are asked for a zone, as one DNS server tells: "" is the machine's.
func askedServers(zone, resolver string) ([]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), delegationTime)
	defer cancel()
	r := net.DefaultResolver
	if resolver != "" {
		r = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, resolver)
		}}
	}
	found, err := r.LookupNS(ctx, zone+".")
	var names []string
	for _, ns := range found {
		names = append(names, ns.Host)
	}
	return canonical(names), err
}

func canonical(servers []string) []string {
	out := make([]string, len(servers))
	for i, s := range servers {
		out[i] = strings.ToLower(strings.TrimSuffix(s, "."))
	}
	slices.Sort(out)
	return out
}
