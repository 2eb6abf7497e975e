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

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// ResolverVariable in the environment names another DNS server than the machine's, HOST:PORT, by which it is seen whether a zone is
// delegated; "off" does not look. For networks in which the zone has other servers than on the internet, and for the sandbox.
const ResolverVariable = "SLIPWAY_RESOLVER"

// delegationTime is how long the look takes at most.
const delegationTime = 5 * time.Second

// lookupTime is how long AWS may take to tell of a zone.
const lookupTime = time.Minute

// hosted is a zone as Route 53 knows it.
type hosted struct {
	// said is how the arguments name it.
	said, name string
	// servers are its own.
	servers []string
}

func hostedById(found route53.LookupZoneResult) *hosted {
	name := strings.TrimSuffix(found.Name, ".")
	return &hosted{fmt.Sprintf("zoneId is %q, the zone %s", found.ZoneId, name), name, found.NameServers}
}

// delegated refuses to wait for a certificate whose zone the internet asks elsewhere or not at all: AWS would wait in vain, and would
// not say why. It looks, in a preview too, only where a certificate is to be validated, so that the DNS of whoever runs an update stands
// in the way of nothing else.
func (b *builder) delegated() (pulumi.ResourceOption, error) {
	resolver := os.Getenv(ResolverVariable)
	if b.hosted == nil || resolver == "off" {
		return pulumi.ResourceHooks(nil), nil
	}
	hook, err := b.ctx.RegisterResourceHook(b.name+"-delegated", func(*pulumi.ResourceHookArgs) error {
		zone := b.hosted()
		if zone == nil || len(zone.servers) == 0 {
			return nil
		}
		warning, err := zone.delegation(resolver)
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
func (z *hosted) delegation(resolver string) (warning string, err error) {
	asked, err := askedServers(z.name, resolver)
	var failed *net.DNSError
	switch {
	case errors.As(err, &failed) && failed.IsNotFound:
		return "", fmt.Errorf("%s, which is not delegated: nobody on the internet finds it, and AWS would not prove the certificate. %s", z.said, nameServersToSet(z.servers))
	case err != nil:
		return fmt.Sprintf("It is not known whether zone %s is delegated, as DNS does not answer (%s). If the certificate is waited for in vain: %s", z.name, err, nameServersToSet(z.servers)), nil
	case !slices.ContainsFunc(asked, func(s string) bool { return slices.Contains(canonical(z.servers), s) }):
		return "", fmt.Errorf("%s, for which the internet asks %s: not this zone, so that AWS would not prove the certificate. %s", z.said, strings.Join(asked, ", "), nameServersToSet(z.servers))
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
