package edge_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/components/edge"
	"github.com/slipway-iac/slipway/internal/recorder"
	"github.com/slipway-iac/slipway/target"
)

func TestRegistered(t *testing.T) {
	r := account()
	var mu sync.Mutex
	var all sync.WaitGroup
	got := map[string]string{}
	keep := func(key string, out pulumi.StringOutput) {
		all.Add(1)
		out.ApplyT(func(s string) string {
			defer all.Done()
			mu.Lock()
			defer mu.Unlock()
			got[key] = s
			return s
		})
	}
	err := runNamed(r, "door", typical(), func(c *edge.HttpsLoadBalancer) {
		keep("url", c.Url)
		keep("dns", c.LoadBalancerDnsName)
		keep("arn", c.LoadBalancerArn)
		keep("name", c.LoadBalancerName)
		keep("zone", c.LoadBalancerZoneId)
		keep("group", c.SecurityGroupId)
		keep("certificate", c.CertificateArn)
		keep("users", c.TargetGroupArns.MapIndex(pulumi.String("users")))
		keep("rest", c.TargetGroupArns.MapIndex(pulumi.String("rest")))
	})
	if err != nil {
		t.Fatal(err)
	}
	// A run does not wait for what hangs at plain values alone.
	all.Wait()
	want := "map[arn:arn:door-alb certificate:arn:issued dns:door-alb.elb.example.net group:door-alb_id name:door-alb-1234567" +
		" rest:arn:door-frontend url:https://example.com/ users:arn:door-users zone:Z35SXDOTRQ7X7K]"
	if fmt.Sprint(got) != want {
		t.Errorf("outputs\n%v\nwant\n%s", got, want)
	}
	r.Golden(t, "door")
	six := account()
	args := typical()
	args.DualStack = true
	mustRun(t, six, args)
	full := mustRun(t, account(), everything())
	full.Golden(t, "everything")
	pods, err := toPods(account(), target.IP, nil)
	if err != nil {
		t.Fatal(err)
	}
	pods.Golden(t, "pods")
	recorder.CheckDocTree(t, "httpsloadbalancer.go", "HttpsLoadBalancer", r, six, full, pods)
}

// A name that leads elsewhere is looked for before its record is made, and overwritten only where that was asked for.
func TestRecordsOverwriteWhenToldTo(t *testing.T) {
	for _, overwrite := range []bool{false, true} {
		args := typical()
		args.OverwriteRecords = overwrite
		record := mustRun(t, account(), args).Find(t, "aws:route53/record:Record", "door-"+args.Domain+"-a")
		if got := record.Inputs["allowOverwrite"]; got.IsBool() != overwrite || overwrite && !got.BoolValue() {
			t.Errorf("with overwriteRecords %v the record has %v", overwrite, got)
		}
		if hooks := record.RegisterRPC.GetHooks(); !slices.Equal(hooks.GetBeforeCreate(), []string{"door-untaken"}) || len(hooks.GetBeforeUpdate())+len(hooks.GetBeforeDelete()) > 0 {
			t.Errorf("the hooks are %v", hooks)
		}
	}
}

func TestOnlyTheseWaysInAndOut(t *testing.T) {
	for _, dual := range []bool{false, true} {
		r, args := account(), typical()
		args.DualStack = dual
		mustRun(t, r, args)
		var got []string
		for _, a := range r.Seen() {
			if a.TypeToken != ingressType && a.TypeToken != egressType {
				continue
			}
			in := a.Inputs
			peer := in["cidrIpv4"]
			for _, k := range []string{"cidrIpv6", "referencedSecurityGroupId"} {
				if v := in[resourceKey(k)]; v.IsString() {
					peer = v
				}
			}
			direction := "from"
			if a.TypeToken == egressType {
				direction = "to"
			}
			if in["fromPort"] != in["toPort"] {
				t.Errorf("%s opens more than one port", a.Name)
			}
			got = append(got, fmt.Sprintf("%s: %s %s %v", in["securityGroupId"].StringValue(), direction, peer.StringValue(), in["fromPort"].NumberValue()))
		}
		want := []string{
			"door-alb_id: from 0.0.0.0/0 443", "door-alb_id: from 0.0.0.0/0 80",
			"door-alb_id: to sg-nodes 30080", "door-alb_id: to sg-nodes 30081", "door-alb_id: to sg-nodes 30082",
			"sg-nodes: from door-alb_id 30080", "sg-nodes: from door-alb_id 30081", "sg-nodes: from door-alb_id 30082",
		}
		if dual {
			want = append(want, "door-alb_id: from ::/0 443", "door-alb_id: from ::/0 80")
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("dual stack %v:\n%s\nwant\n%s", dual, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		group := r.Find(t, "aws:ec2/securityGroup:SecurityGroup", "door-alb").Inputs
		if group["egress"].HasValue() || group["ingress"].HasValue() {
			t.Error("rules in the group itself and rules beside it undo each other")
		}
	}
}

func TestOrderOfTraffic(t *testing.T) {
	r := mustRun(t, account(), typical())
	waits := func(typ, name string) string {
		return strings.Join(r.Find(t, typ, name).RegisterRPC.GetDependencies(), "\n") + "\n"
	}
	for _, c := range []struct{ typ, name, needs string }{
		{ruleType, "door-thoughts", attachmentType + "::door-thoughts.base"},
		{ruleType, "door-thoughts", attachmentType + "::door-thoughts.spot"},
		{ruleType, "door-thoughts", ingressType + "::door-thoughts-in"},
		{ruleType, "door-thoughts", egressType + "::door-thoughts-out"},
		{ruleType, "door-thoughts", groupType + "::door-thoughts"},
		{ruleType, "door-rest", attachmentType + "::door-frontend.base"},
		{listenerType, "door-https", validationType + "::door-certificate"},
		{validationType, "door-certificate", recordType + "::door-example.com-proof"},
		{recordType, "door-example.com-a", ruleType + "::door-rest"},
		{recordType, "door-example.com-a", listenerType + "::door-http"},
		{ingressType, "door-users-in", "aws:ec2/securityGroup:SecurityGroup::door-alb"},
	} {
		if got := waits(c.typ, c.name); !strings.Contains(got, c.needs+"\n") {
			t.Errorf("%s %s waits for\n%snot for %s", c.typ, c.name, got, c.needs)
		}
	}
	if arn := r.Find(t, listenerType, "door-https").Inputs["certificateArn"].StringValue(); arn != "arn:issued" {
		t.Errorf("the listener takes %q, which may not be issued yet", arn)
	}
}

// A replacement creates first only if AWS sees another name than before.
func TestPhysicalNamesAreLeftToTheProvider(t *testing.T) {
	for _, a := range mustRun(t, account(), typical()).Seen() {
		if a.TypeToken == recordType {
			continue
		}
		if a.Inputs["name"].HasValue() || a.Inputs["namePrefix"].HasValue() || a.RegisterRPC.GetDeleteBeforeReplace() {
			t.Errorf("%s %s has a name of its own", a.TypeToken, a.Name)
		}
	}
}

func TestOneProofForAWildcardAndItsName(t *testing.T) {
	for _, tc := range []struct {
		domain string
		more   []string
		want   string
	}{
		{"example.com", nil, "[example.com]"},
		{"example.com", []string{"*.example.com"}, "[example.com]"},
		{"www.example.com", []string{"*.example.com", "example.com", "*.eu.example.com"}, "[eu.example.com example.com www.example.com]"},
	} {
		r, args := account(), typical()
		args.Domain, args.AlternativeNames, args.Routes = tc.domain, tc.more, []edge.Route{{Name: "all", NodePort: pulumi.Int(30000)}}
		mustRun(t, r, args)
		var got, names []string
		for _, a := range r.Seen() {
			host, proof := strings.CutSuffix(strings.TrimPrefix(a.Name, "door-"), "-proof")
			switch {
			case a.TypeToken == recordType && proof:
				got = append(got, host)
				if name := a.Inputs["name"].StringValue(); name != "_1."+host+"." {
					t.Errorf("the proof for %s is %s", host, name)
				}
			case a.TypeToken == recordType:
				names = append(names, a.Inputs["name"].StringValue())
			}
		}
		if fmt.Sprint(got) != tc.want {
			t.Errorf("%s %v: proofs %v, want %s", tc.domain, tc.more, got, tc.want)
		}
		all := append([]string{tc.domain}, tc.more...)
		slices.Sort(all)
		slices.Sort(names)
		if !slices.Equal(all, names) {
			t.Errorf("DNS leads %v here, want %v", names, all)
		}
	}
}

func TestZone(t *testing.T) {
	r := account()
	args := typical()
	args.ZoneName, args.ZoneId = "", pulumi.String("Z0123456789")
	mustRun(t, r, args)
	if z := r.Find(t, recordType, "door-example.com-a").Inputs["zoneId"].StringValue(); z != "Z0123456789" {
		t.Errorf("the record is in %s", z)
	}
	missing := account()
	missing.Calls = nil
	if err := run(missing, args); err == nil || !strings.Contains(err.Error(), `slipway:index:HttpsLoadBalancer "door": zoneId is "Z0123456789", must be a public Route 53 zone of the account: `) {
		t.Errorf("got %v", err)
	}
	if err := run(missing, typical()); err == nil || !strings.Contains(err.Error(), `slipway:index:HttpsLoadBalancer "door": zoneName is "example.com", must be a public Route 53 zone of the account: `) {
		t.Errorf("got %v", err)
	}
}

func TestPreviewBeforeAnythingExists(t *testing.T) {
	r := account()
	r.Preview = true
	args := typical()
	args.Routes = args.Routes[1:3]
	ran := false
	err := r.Run(func(ctx *pulumi.Context) error {
		before, err := edge.NewHttpsLoadBalancer(ctx, "before", typical())
		if err != nil {
			return err
		}
		unknown := before.LoadBalancerArn
		args.VpcId, args.NodeSecurityGroupId = unknown, unknown
		args.PublicSubnetIds = pulumi.StringArray{unknown, unknown}.ToStringArrayOutput()
		args.ZoneName, args.ZoneId = "", unknown
		args.AutoScalingGroupNames = map[string]pulumi.StringInput{"base": unknown}
		args.Routes[0].NodePort = unknown.ApplyT(func(s string) int { ran = true; return len(s) }).(pulumi.IntOutput)
		_, err = edge.NewHttpsLoadBalancer(ctx, "door", args)
		return err
	})
	if err != nil || ran {
		t.Fatal(err, ran)
	}
	if p := r.Find(t, groupType, "door-thoughts").Inputs["port"]; p.HasValue() && p.IsNumber() {
		t.Errorf("port is %v", p)
	}
	// A port that is not known yet stays the route's own affair: the others' target groups would preview as replaced.
	if p := r.Find(t, groupType, "door-users").Inputs["port"]; !p.IsNumber() || p.NumberValue() != 30082 {
		t.Errorf("port is %v", p)
	}
}

func TestDeletion(t *testing.T) {
	for _, allow := range []bool{false, true} {
		r, args := account(), typical()
		args.AllowDeletion = allow
		mustRun(t, r, args)
		if got := r.Find(t, albType, "door-alb").Inputs["enableDeletionProtection"].BoolValue(); got == allow {
			t.Errorf("allowDeletion %v: protected is %v", allow, got)
		}
	}
}
