package edge_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/components/edge"
	"github.com/slipway-iac/slipway/internal/recorder"
)

func migrating(stage string) *edge.HttpsLoadBalancerArgs {
	args := typical()
	args.Migration, args.VpcCidrs = migration(stage), []string{"10.20.0.0/16"}
	return args
}

// shares are the weights of a route's rule, its target's first.
func shares(t *testing.T, r *recorder.Recorder, route string) string {
	t.Helper()
	action := r.Find(t, ruleType, "door-"+route).Inputs["actions"].ArrayValue()[0].ObjectValue()
	if action["targetGroupArn"].HasValue() {
		return action["targetGroupArn"].StringValue()
	}
	var out []string
	for _, g := range action["forward"].ObjectValue()["targetGroups"].ArrayValue() {
		out = append(out, fmt.Sprintf("%s %v", g.ObjectValue()["arn"].StringValue(), g.ObjectValue()["weight"].NumberValue()))
	}
	return strings.Join(out, ", ")
}

func TestAStageChangesWeightsAndNothingElse(t *testing.T) {
	but := func(r *recorder.Recorder) string {
		var all strings.Builder
		for _, a := range r.Seen() {
			if a.TypeToken != ruleType && a.TypeToken != edge.HttpsLoadBalancerType {
				fmt.Fprintf(&all, "%s %s %v\n", a.TypeToken, a.Name, a.Inputs)
			}
		}
		return all.String()
	}
	first := but(mustRun(t, account(), migrating("legacy")))
	for stage, want := range map[string][2]int{"legacy": {0, 100}, "canary 10": {10, 90}, "split 50": {50, 50}, "drain-legacy": {100, 0}} {
		r := mustRun(t, account(), migrating(stage))
		if got := but(r); got != first {
			t.Errorf("%s changes more than rules:\n%s\nwas\n%s", stage, got, first)
		}
		for route, group := range map[string]string{"frontend": "frontend", "thoughts": "thoughts", "rest": "frontend"} {
			if got, want := shares(t, r, route), fmt.Sprintf("arn:door-%s %d, arn:door-old %d", group, want[0], want[1]); got != want {
				t.Errorf("%s, %s: %s, want %s", stage, route, got, want)
			}
		}
	}
}

// Done is a door that never heard of an old system.
func TestDoneLeavesNothingOfTheOldSystem(t *testing.T) {
	without := mustRun(t, account(), typical())
	done := mustRun(t, account(), migrating("done"))
	if a, b := without.Tree(), done.Tree(); a != b {
		t.Errorf("done:\n%s\nwant\n%s", b, a)
	}
	if got := shares(t, done, "frontend"); got != "arn:door-frontend" {
		t.Errorf("the rule forwards to %s", got)
	}
	// While one route is not there yet, the old system stays.
	args := migrating("done")
	args.Migration.Routes = map[string]string{"thoughts": "split 30"}
	r := mustRun(t, account(), args)
	if a, b := shares(t, r, "frontend"), shares(t, r, "thoughts"); a != "arn:door-frontend" || b != "arn:door-thoughts 30, arn:door-old 70" {
		t.Errorf("frontend: %s; thoughts: %s", a, b)
	}
}

// AWS refuses weights over a target that keeps its clients.
func TestClientsThatStickDuringAMigration(t *testing.T) {
	args := migrating("canary 10")
	args.Routes[0].StickySeconds = 600
	args.Migration.Routes = map[string]string{"frontend": "done"}
	says := ", must be left out before route %q is at stage \"done\": AWS takes weights only with the clients kept at the system where they are, which no stage would move. HAProxy keeps them by a cookie of its own"
	// The route itself is done, the one that shares its target is not.
	want := "\n  routes[0].stickySeconds is 600" + fmt.Sprintf(says, "rest")
	if err := run(account(), args); err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	args.Migration.Routes["rest"] = "done"
	r := mustRun(t, account(), args)
	if got := shares(t, r, "rest"); got != "arn:door-frontend" {
		t.Errorf("the rule forwards to %s", got)
	}
}

func TestTheOldSystemIsReachedAndNothingBesideIt(t *testing.T) {
	r := mustRun(t, account(), migrating("legacy"))
	var got []string
	for _, a := range r.Seen() {
		if a.TypeToken == egressType && a.Inputs["cidrIpv4"].HasValue() {
			got = append(got, fmt.Sprint("out to ", a.Inputs["cidrIpv4"].StringValue(), " ", a.Inputs["fromPort"].NumberValue(), "-", a.Inputs["toPort"].NumberValue()))
		}
		if a.TypeToken == targetType {
			got = append(got, fmt.Sprint("target ", a.Inputs["targetId"].StringValue(), " ", a.Inputs["port"].NumberValue(), " ", a.Inputs["availabilityZone"].V))
		}
	}
	want := []string{"out to 10.20.4.4/32 8080-8080", "out to 192.168.1.10/32 8080-8080", "target 10.20.4.4 8080 <nil>", "target 192.168.1.10 8080 all"}
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	rule := strings.Join(r.Find(t, ruleType, "door-frontend").RegisterRPC.GetDependencies(), "\n")
	for _, before := range []string{"door-old.10.20.4.4", "door-old.192.168.1.10", "door-frontend.base"} {
		if !strings.Contains(rule, "::"+before) {
			t.Errorf("requests are sent before %s is there:\n%s", before, rule)
		}
	}
	check := r.Find(t, groupType, "door-old").Inputs["healthCheck"].ObjectValue()
	if check["path"] != resource.NewStringProperty("/up") || check["matcher"] != resource.NewStringProperty("200-399") {
		t.Errorf("health check %v", check)
	}
}

func TestFurtherConditionsDecide(t *testing.T) {
	beta := []edge.Header{{Name: "X-Beta", Values: []string{"1"}}}
	for _, tc := range []struct {
		name string
		a, b edge.Route
		want string
	}{
		{"one asks for more", edge.Route{Headers: beta}, edge.Route{}, ``},
		{
			"the same in other words",
			edge.Route{Headers: beta},
			edge.Route{Headers: []edge.Header{{Name: "x-beta", Values: []string{"1"}}}},
			`routes[1] (b) matches the same as routes[0] (a): any host, any path, header x-beta 1`,
		},
		{
			"both ask for more",
			edge.Route{Headers: beta},
			edge.Route{Methods: []string{"GET", "HEAD"}},
			`routes[1] (b) and routes[0] (a) match some requests both (any host, any path, header x-beta 1; any host, any path, method GET or HEAD), and neither is more specific: set priority on one of them`,
		},
		{"other methods", edge.Route{Methods: []string{"GET"}}, edge.Route{Methods: []string{"POST"}}, ``},
		{"other values of a header", edge.Route{Headers: beta}, edge.Route{Headers: []edge.Header{{Name: "X-Beta", Values: []string{"2"}}}}, ``},
		{"other sources", edge.Route{SourceCidrs: []string{"10.0.0.0/8"}}, edge.Route{SourceCidrs: []string{"192.168.0.0/16", "2001:db8::/32"}}, ``},
		{
			"sources in each other",
			edge.Route{SourceCidrs: []string{"10.0.0.0/8"}},
			edge.Route{SourceCidrs: []string{"10.1.0.0/16"}},
			`routes[1] (b) and routes[0] (a) match some requests both (any host, any path, from 10.0.0.0/8; any host, any path, from 10.1.0.0/16), and neither is more specific: set priority on one of them`,
		},
		{"the path decides first", edge.Route{Headers: beta}, edge.Route{Paths: []string{"/api/*"}}, ``},
	} {
		tc.a.Name, tc.b.Name = "a", "b"
		want := ""
		if tc.want != "" {
			want = "slipway:index:HttpsLoadBalancer \"door\" has 1 invalid argument(s):\n  " + tc.want
		}
		if got := text(run(account(), routed(tc.a, tc.b))); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", tc.name, got, want)
		}
	}
	r := mustRun(t, account(), routed(
		edge.Route{Name: "api", Paths: []string{"/api/*"}}, edge.Route{Name: "beta", Headers: beta}, edge.Route{Name: "rest"},
		edge.Route{Name: "beta-api", Paths: []string{"/api/*"}, Headers: beta},
	))
	if order := []int{priority(t, r, "beta-api"), priority(t, r, "api"), priority(t, r, "beta"), priority(t, r, "rest")}; !slices.IsSorted(order) {
		t.Errorf("asked in the order %v", order)
	}
	// Whatever the names are: one that asks for more comes first.
	for i := range 40 {
		more, less := fmt.Sprintf("more-%d", i), fmt.Sprintf("less-%d", i)
		pair := mustRun(t, account(), routed(edge.Route{Name: less, Paths: []string{"/api/*"}}, edge.Route{Name: more, Paths: []string{"/api/*"}, Headers: beta}))
		if a, b := priority(t, pair, more), priority(t, pair, less); a >= b {
			t.Errorf("%s has priority %d, %s %d", more, a, less, b)
		}
	}
	if conditions := r.Find(t, ruleType, "door-beta").Inputs["conditions"].ArrayValue(); len(conditions) != 1 {
		t.Errorf("a header alone became %v", conditions)
	}
}

func TestABroughtCertificateNeedsNoZone(t *testing.T) {
	args := typical()
	args.ZoneName, args.CertificateArn = "", pulumi.String("arn:aws:acm:us-west-2:123456789012:certificate/1")
	r := mustRun(t, account(), args)
	for _, a := range r.Seen() {
		if a.TypeToken == certType || a.TypeToken == validationType || a.TypeToken == recordType {
			t.Errorf("%s %s", a.TypeToken, a.Name)
		}
	}
	if got := r.Find(t, listenerType, "door-https").Inputs["certificateArn"]; got.StringValue() != "arn:aws:acm:us-west-2:123456789012:certificate/1" {
		t.Errorf("the listener has %v", got)
	}
	args.ZoneName = "example.com"
	r = mustRun(t, account(), args)
	if r.Find(t, recordType, "door-example.com-a").Inputs["zoneId"].StringValue() != "Z0FOUND" {
		t.Error("with a zone there is no record in it")
	}
}
