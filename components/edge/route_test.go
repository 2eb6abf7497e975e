package edge_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"pgregory.net/rapid"

	"github.com/slipway-iac/slipway/components/edge"
	"github.com/slipway-iac/slipway/internal/recorder"
)

func resourceKey(k string) resource.PropertyKey { return resource.PropertyKey(k) }

func priority(t testing.TB, r *recorder.Recorder, route string) int {
	t.Helper()
	return int(r.Find(t, ruleType, "door-"+route).Inputs["priority"].NumberValue())
}

func routed(routes ...edge.Route) *edge.HttpsLoadBalancerArgs {
	args := typical()
	for i := range routes {
		if routes[i].FixedResponse == nil {
			routes[i].NodePort = pulumi.Int(30000 + i)
		}
	}
	args.AlternativeNames = []string{"*.example.com", "*.eu.example.com", "a.example.com"}
	args.Routes = routes
	return args
}

func TestTheMoreSpecificRouteIsAskedFirst(t *testing.T) {
	inOrder := []edge.Route{
		{Name: "first", Hosts: []string{"a.example.com"}, Paths: []string{"/"}, Priority: 1000},
		{Name: "r1", Hosts: []string{"a.example.com"}, Paths: []string{"/api/v2"}},
		{Name: "r2", Hosts: []string{"a.example.com"}, Paths: []string{"/api/v2/*"}},
		{Name: "r3", Hosts: []string{"a.example.com"}, Paths: []string{"/api/*"}},
		{Name: "r4", Hosts: []string{"a.example.com"}},
		{Name: "r5", Hosts: []string{"*.eu.example.com"}},
		{Name: "r6", Hosts: []string{"*.example.com"}, Paths: []string{"/api/*"}},
		{Name: "r7", Hosts: []string{"*.example.com"}},
		{Name: "r8", Paths: []string{"/exact"}},
		{Name: "r9", Paths: []string{"/" + strings.Repeat("x", 100) + "/*"}},
		{Name: "r10", Paths: []string{"/x*"}},
		{Name: "r11"},
	}
	r := mustRun(t, account(), routed(slices.Clone(inOrder)...))
	before := 0
	for _, route := range inOrder {
		p := priority(t, r, route.Name)
		if p <= before || p > 49000 {
			t.Errorf("%s has priority %d, after %d", route.Name, p, before)
		}
		before = p
	}
}

// Numbers once given stay: they are in users' stacks.
func TestPrioritiesAreContract(t *testing.T) {
	r := mustRun(t, account(), typical())
	got := fmt.Sprint(priority(t, r, "frontend"), priority(t, r, "thoughts"), priority(t, r, "users"), priority(t, r, "rest"))
	if want := "14286 11116 7 48616"; got != want {
		t.Errorf("priorities %s, want %s", got, want)
	}
}

func TestAnyOrderOfRoutesAndAnyNewOneChangesNoOther(t *testing.T) {
	routes := rapid.Custom(func(t *rapid.T) edge.Route {
		route := edge.Route{Name: rapid.StringMatching(`[a-z]([a-z0-9]{0,10}[a-z0-9])?`).Draw(t, "name")}
		route.Hosts = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"example.com", "a.example.com", "*.example.com", "b.eu.example.com", "*.eu.example.com"}), 0, 1, rapid.ID).Draw(t, "hosts")
		route.Paths = rapid.SliceOfNDistinct(rapid.StringMatching(`/[a-c]{1,3}(/\*)?`), 0, 2, rapid.ID).Draw(t, "paths")
		route.HealthCheckPath = rapid.SampledFrom([]string{"", "/healthz"}).Draw(t, "health")
		return route
	})
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfNDistinct(routes, 2, 8, func(r edge.Route) string { return r.Name }).Draw(t, "routes")
		args := routed(all...)
		after := account()
		if err := run(after, args); err != nil {
			// Two that match the same, or the rare two with the same number: refused, with nothing registered.
			if strings.Contains(after.Tree(), "slipway") {
				t.Fatalf("registered in spite of %v", err)
			}
			return
		}
		args.Routes = rapid.Permutation(all).Draw(t, "order")[1:]
		before := account()
		if err := run(before, args); err != nil {
			t.Fatal(err)
		}
		now := map[string]resource.PropertyMap{}
		for _, a := range after.Seen() {
			now[a.TypeToken+a.Name] = a.Inputs
		}
		seen := map[float64]string{}
		for _, a := range before.Seen() {
			switch a.TypeToken {
			case groupType, ruleType, attachmentType, ingressType, egressType:
				if b := now[a.TypeToken+a.Name]; !a.Inputs.DeepEquals(b) {
					t.Fatalf("%s %s: %v became %v", a.TypeToken, a.Name, a.Inputs, b)
				}
			}
			if a.TypeToken == ruleType {
				n := a.Inputs["priority"].NumberValue()
				if other := seen[n]; other != "" || n < 1001 || n > 49000 {
					t.Fatalf("%s has priority %v, as has %q", a.Name, n, other)
				}
				seen[n] = a.Name
			}
		}
	})
}

func TestRoutesThatContestARequest(t *testing.T) {
	host, wild := []string{"a.example.com"}, []string{"*.example.com"}
	for _, tc := range []struct {
		name string
		a, b edge.Route
		want string
	}{
		{
			"the same",
			edge.Route{Hosts: host, Paths: []string{"/x", "/y"}},
			edge.Route{Hosts: []string{"example.com", "a.example.com"}, Paths: []string{"/y"}},
			`routes[1] (b) matches the same as routes[0] (a): host a.example.com, path /y`,
		},
		{
			"the same in other words",
			edge.Route{Paths: []string{"/*"}},
			edge.Route{},
			`routes[1] (b) matches the same as routes[0] (a): any host, any path`,
		},
		{
			"the same, with priorities",
			edge.Route{Hosts: host, Priority: 1},
			edge.Route{Hosts: host, Priority: 2},
			`routes[1] (b) matches the same as routes[0] (a): host a.example.com, any path`,
		},
		{
			"neither more specific",
			edge.Route{Paths: []string{"/x*"}},
			edge.Route{Paths: []string{"*/y"}},
			`routes[1] (b) and routes[0] (a) match some requests both (any host, path /x*; any host, path */y), and neither is more specific: set priority on one of them`,
		},
		{"decided by priority", edge.Route{Paths: []string{"/x*"}}, edge.Route{Paths: []string{"*/y"}, Priority: 3}, ``},
		{
			"more specific in one entry only",
			edge.Route{Hosts: host, Paths: []string{"/x/longer/*", "/z*"}},
			edge.Route{Hosts: host, Paths: []string{"/x/*"}},
			`routes[1] (b) and routes[0] (a) match some requests both (host a.example.com, path /x/longer/*; host a.example.com, path /x/*), and would be asked in the wrong order: set priority on one of them, or split its lists into two routes`,
		},
		{
			"hidden by the path",
			edge.Route{Hosts: host, Paths: []string{"/api/*"}, Priority: 1},
			edge.Route{Hosts: host, Paths: []string{"/api/v2/*", "/api/x?z"}},
			`routes[1] (b) never gets a request: routes[0] (a) has priority 1 and takes all of them first`,
		},
		{
			"hidden by the host, and the number is the other's",
			edge.Route{Hosts: host, Paths: []string{"/x"}},
			edge.Route{Hosts: wild, Priority: 1000},
			`routes[1] (b) has priority 1000 and takes every request of routes[0] (a) first, which never gets one`,
		},
		{
			"hidden with its conditions",
			edge.Route{Paths: []string{"/x*"}, Methods: []string{"GET", "HEAD"}, Priority: 1},
			edge.Route{Paths: []string{"/x"}, Methods: []string{"HEAD", "GET"}, Priority: 2},
			`routes[1] (b) never gets a request: routes[0] (a) has priority 1 and takes all of them first`,
		},
		{
			"put last",
			edge.Route{Paths: []string{"/*"}},
			edge.Route{Paths: []string{"/x"}, Priority: 50000},
			`routes[1] (b) never gets a request: routes[0] (a) has priority %d and takes all of them first`,
		},
		{
			"hidden by an answer of one's own",
			edge.Route{Priority: 1, FixedResponse: &edge.FixedResponse{Status: 503}},
			edge.Route{Paths: []string{"/x"}},
			`routes[1] (b) never gets a request: routes[0] (a) has priority 1 and takes all of them first; for an answer instead of all routes there is maintenance`,
		},
		{"broader, and asked last", edge.Route{Hosts: wild, Priority: 2}, edge.Route{Hosts: host, Priority: 1}, ``},
		{"hidden in part", edge.Route{Paths: []string{"/x*"}, Priority: 1}, edge.Route{Paths: []string{"/x/y", "/z"}}, ``},
		{"hidden for one method", edge.Route{Methods: []string{"GET"}, Priority: 1}, edge.Route{Paths: []string{"/x"}}, ``},
		{"a wildcard for one character", edge.Route{Paths: []string{"/x?"}, Priority: 1}, edge.Route{Paths: []string{"/x*"}}, ``},
		{"another host", edge.Route{Hosts: host, Priority: 1}, edge.Route{Hosts: wild}, ``},
		{"nothing in common", edge.Route{Hosts: host, Paths: []string{"/x*"}}, edge.Route{Hosts: []string{"example.com"}, Paths: []string{"*/y"}}, ``},
		{
			"the same addresses in other words",
			edge.Route{Paths: []string{"/x"}, SourceCidrs: []string{"2001:DB8:0::/32", "10.0.0.0/8"}, Priority: 1},
			edge.Route{Paths: []string{"/x"}, SourceCidrs: []string{"10.0.0.0/8", "10.1.0.0/16", "2001:db8::/32"}, Priority: 2},
			`routes[1] (b) matches the same as routes[0] (a): any host, path /x, from 10.0.0.0/8 or 2001:db8::/32`,
		},
		{
			"the same addresses in halves",
			edge.Route{Paths: []string{"/x"}, SourceCidrs: []string{"10.128.0.0/10", "10.192.0.0/10", "10.0.0.0/9"}},
			edge.Route{Paths: []string{"/x"}, SourceCidrs: []string{"10.0.0.0/8"}, Priority: 2},
			`routes[1] (b) matches the same as routes[0] (a): any host, path /x, from 10.0.0.0/8`,
		},
		{
			"other addresses",
			edge.Route{Paths: []string{"/x"}, SourceCidrs: []string{"10.0.0.0/8"}, Priority: 2},
			edge.Route{Paths: []string{"/x"}, SourceCidrs: []string{"10.0.0.0/9"}, Priority: 1},
			``,
		},
		{
			"the same values in other words",
			edge.Route{Paths: []string{"/x"}, Headers: []edge.Header{{Name: "X-Beta", Values: []string{"Yes**", "1"}}}, Priority: 1},
			edge.Route{Paths: []string{"/x"}, Headers: []edge.Header{{Name: "x-beta", Values: []string{"1", "yes*"}}}, Priority: 2},
			`routes[1] (b) matches the same as routes[0] (a): any host, path /x, header x-beta 1 or yes*`,
		},
		{
			"values that differ as paths would not",
			edge.Route{Headers: []edge.Header{{Name: "X-Path", Values: []string{"/*"}}}, Priority: 1},
			edge.Route{Headers: []edge.Header{{Name: "X-Path", Values: []string{"*"}}}, Priority: 2},
			``,
		},
		{"hosts decide before paths", edge.Route{Hosts: wild}, edge.Route{Paths: []string{"/x"}}, ``},
		{
			"the same number",
			edge.Route{Hosts: host, Paths: []string{"/x"}, Priority: 9},
			edge.Route{Hosts: wild, Priority: 9},
			`routes[1] (b) has priority 9, the same as routes[0] (a)`,
		},
	} {
		tc.a.Name, tc.b.Name = "a", "b"
		if strings.Contains(tc.want, "%d") {
			r := mustRun(t, account(), routed(tc.a))
			tc.want = fmt.Sprintf(tc.want, priority(t, r, "a"))
		}
		r := account()
		err := run(r, routed(tc.a, tc.b))
		want := ""
		if tc.want != "" {
			want = "slipway:index:HttpsLoadBalancer \"door\" has 1 invalid argument(s):\n  " + tc.want
		}
		if got := text(err); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", tc.name, got, want)
		}
	}
}

// One range in two spellings is written twice.
func TestOneRangeInTwoSpellings(t *testing.T) {
	err := run(account(), routed(edge.Route{Name: "a", SourceCidrs: []string{"2001:db8::/32", "2001:DB8::/32"}}))
	if want := `routes[0].sourceCidrs[1] is "2001:db8::/32", the same as routes[0].sourceCidrs[0]`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

// Two names of which both come to one number are refused, and a number for one of them helps.
func TestNamesThatCollide(t *testing.T) {
	one, two := edge.Route{Name: "r0", Paths: []string{"/aaa/*"}}, edge.Route{}
	for i := 1; ; i++ {
		if i == 2000 {
			t.Fatal("2000 names, and none of them meets another")
		}
		two = edge.Route{Name: fmt.Sprintf("r%d", i), Paths: []string{"/bbb/*"}}
		err := run(account(), routed(one, two))
		if err == nil {
			continue
		}
		if !strings.Contains(err.Error(), fmt.Sprintf("routes[1] (%s) and routes[0] (r0) both come to priority ", two.Name)) {
			t.Fatal(err)
		}
		break
	}
	two.Priority = 5
	if err := run(account(), routed(one, two)); err != nil {
		t.Error(err)
	}
}

func TestPortsThatAreKnownLate(t *testing.T) {
	for _, tc := range []struct {
		ports [2]int
		want  string
	}{
		{[2]int{30001, 30002}, ""},
		{[2]int{30001, 0}, "routes[1].nodePort is 0, must be 30000 to 32767: the port that Kubernetes gave to a Service of type NodePort"},
		{[2]int{30001, 30001}, `nodePort of route "b" is 30001, the same as of route "a": set sameTargetAs: "a" instead`},
	} {
		args := routed(edge.Route{Name: "a"}, edge.Route{Name: "b", Paths: []string{"/b"}})
		for i, p := range tc.ports {
			args.Routes[i].NodePort = pulumi.Int(p).ToIntOutput()
		}
		if err := run(account(), args); (err == nil) != (tc.want == "") || !strings.Contains(text(err), tc.want) {
			t.Errorf("%v: got %v, want %q", tc.ports, err, tc.want)
		}
	}
}

func TestSubnetsThatAreKnownLate(t *testing.T) {
	args := typical()
	args.PublicSubnetIds = pulumi.ToStringArray([]string{"subnet-1"}).ToStringArrayOutput()
	if err := run(account(), args); err == nil || !strings.Contains(err.Error(), "publicSubnetIds has 1 entries, must have at least 2") {
		t.Errorf("got %v", err)
	}
}

func TestARenamedRouteKeepsWhatItHas(t *testing.T) {
	args := typical()
	args.Routes[0].Name, args.Routes[0].FormerName, args.Routes[3].SameTargetAs = "web", "frontend", "web"
	r := mustRun(t, account(), args)
	for name, former := range map[string]string{
		groupType + " door-web": "door-frontend", ruleType + " door-web": "door-frontend", attachmentType + " door-web.base": "door-frontend.base",
		ingressType + " door-web-in": "door-frontend-in", egressType + " door-web-out": "door-frontend-out",
	} {
		typ, name, _ := strings.Cut(name, " ")
		aliases := r.Find(t, typ, name).RegisterRPC.GetAliases()
		if len(aliases) == 0 || aliases[0].GetSpec().GetName() != former {
			t.Errorf("%s %s is known as %v, want %s", typ, name, aliases, former)
		}
	}
}

// The drain contract: a node that answers no more must be noticed while the pods that leave still serve.
func TestFailuresAreNoticedWithinTheDrain(t *testing.T) {
	for drain := 14; drain <= 3600; drain += 1 + drain/8 {
		r, args := account(), routed(edge.Route{Name: "a"})
		args.DrainSeconds = drain
		mustRun(t, r, args)
		in := r.Find(t, groupType, "door-a").Inputs
		h := in["healthCheck"].ObjectValue()
		num := func(k resource.PropertyKey) float64 { return h[k].NumberValue() }
		if took := num("interval")*num("unhealthyThreshold") + num("timeout"); took > float64(drain) || num("timeout") >= num("interval") || num("interval") > 10 {
			t.Errorf("drain %d: noticed after %v s: %v", drain, took, h)
		}
	}
}

// A target that leaves keeps the requests that it has, whichever of the two is longer.
func TestRequestsAreFinishedWhereTheyBegan(t *testing.T) {
	for _, c := range []struct{ drain, slowest, idle, want, wantIdle int }{
		{0, 0, 0, 30, 60}, {14, 0, 0, 20, 60}, {14, 45, 0, 45, 60}, {60, 45, 50, 60, 50}, {30, 120, 0, 120, 130},
	} {
		r, args := account(), routed(edge.Route{Name: "a"})
		args.DrainSeconds, args.SlowestRequestSeconds, args.IdleTimeoutSeconds = c.drain, c.slowest, c.idle
		mustRun(t, r, args)
		if got := r.Find(t, groupType, "door-a").Inputs["deregistrationDelay"].NumberValue(); got != float64(c.want) {
			t.Errorf("%+v: targets leave after %v s", c, got)
		}
		if got := r.Find(t, "aws:lb/loadBalancer:LoadBalancer", "door-alb").Inputs["idleTimeout"].NumberValue(); got != float64(c.wantIdle) {
			t.Errorf("%+v: the idle time-out is %v s", c, got)
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// A site that only sends on needs no nodes.
func TestADoorWithNobodyBehindIt(t *testing.T) {
	args := typical()
	args.NodeSecurityGroupId, args.AutoScalingGroupNames = nil, nil
	args.Routes = []edge.Route{{Name: "moved", Redirect: &edge.Redirect{Host: "www.example.org"}}}
	r := mustRun(t, account(), args)
	for _, a := range r.Seen() {
		if a.TypeToken == groupType || a.TypeToken == egressType || a.TypeToken == attachmentType {
			t.Errorf("makes %s %s", a.TypeToken, a.Name)
		}
	}
	args.Routes = append(args.Routes, edge.Route{Name: "kept", Paths: []string{"/kept"}, NodePort: pulumi.Int(30080)})
	if err := run(account(), args); err == nil || !strings.Contains(err.Error(), "nodeSecurityGroupId is required") || !strings.Contains(err.Error(), "autoScalingGroupNames is required") {
		t.Errorf("with a target: %v", err)
	}
}
