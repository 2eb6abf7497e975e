package edge

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// untaken refuses, in a preview too, a record of a name that the zone leads elsewhere already, as it does where the site runs on an old
// system: Route 53 would refuse it at the very end of an update, when all else is there.
func (b *builder) untaken() (pulumi.ResourceOption, error) {
	hook, err := b.ctx.RegisterResourceHook(b.name+"-untaken", func(change *pulumi.ResourceHookArgs) error {
		in := change.NewInputs
		if !in["zoneId"].IsString() || !in["name"].IsString() || !in["type"].IsString() {
			return nil // a zone that is made in the same run, and has no records yet
		}
		zone, name, typ := in["zoneId"].StringValue(), in["name"].StringValue(), in["type"].StringValue()
		found, err := route53.GetRecords(b.ctx, &route53.GetRecordsArgs{ZoneId: strings.TrimPrefix(zone, "/hostedzone/"), NameRegex: pulumi.StringRef(named(name))}, b.below)
		if err != nil {
			// It would come out at the end; a look is not worth an update.
			return b.ctx.Log.Warn(fmt.Sprintf("It is not known whether zone %s leads %s elsewhere: %s", zone, name, err), nil)
		}
		for _, r := range found.ResourceRecordSets {
			if says := conflict(r, typ, b.args.OverwriteRecords); says != "" {
				return fmt.Errorf("zone %s has a record %s of %s already, which leads to %s: %s", zone, r.Type, name, leadsTo(r), says)
			}
		}
		return nil
	}, &pulumi.ResourceHookOptions{OnDryRun: true})
	if err != nil {
		return nil, err
	}
	return pulumi.ResourceHooks(&pulumi.ResourceHookBinding{BeforeCreate: []*pulumi.ResourceHook{hook}}), nil
}

// named matches a record's name as Route 53 writes it: with a period at the end, and a star as its octal number.
func named(host string) string {
	name := regexp.QuoteMeta(strings.ToLower(host))
	if rest, star := strings.CutPrefix(name, `\*`); star {
		name = `(\*|\\052)` + rest
	}
	return "^" + name + `\.?$`
}

// conflict is why Route 53 takes no record of that type beside r, and what to do; "" where it does.
func conflict(r route53.GetRecordsResourceRecordSet, typ string, overwrite bool) string {
	switch {
	case r.Type == "CNAME":
		return fmt.Sprintf("Route 53 takes nothing beside a CNAME. Put a record %s in its place by hand, both in one change batch, and set overwriteRecords", typ)
	case r.Type != typ:
		return ""
	case r.SetIdentifier != "":
		return fmt.Sprintf("it is one of several with a routing policy (%q), beside which Route 53 takes none without. Put a simple one in their place by hand, in one change batch, and set overwriteRecords", r.SetIdentifier)
	case overwrite:
		return ""
	}
	return "set overwriteRecords to lead the name to this load balancer instead, as the last step, when it answers; or take the record out"
}

// leadsTo is where a record leads, in words.
func leadsTo(r route53.GetRecordsResourceRecordSet) string {
	if r.AliasTarget.DnsName != "" {
		return strings.TrimSuffix(r.AliasTarget.DnsName, ".")
	}
	var values []string
	for _, v := range r.ResourceRecords {
		values = append(values, v.Value)
	}
	return fmt.Sprintf("%s for %d s", strings.Join(values, ", "), r.Ttl)
}
