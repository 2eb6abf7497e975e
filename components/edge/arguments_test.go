package edge_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	perrors "github.com/pulumi/pulumi/sdk/v3/go/pulumi/errors"

	"github.com/slipway-iac/slipway/components/edge"
	"github.com/slipway-iac/slipway/internal/recorder"
)

func TestEveryProblemIsSaidAtOnce(t *testing.T) {
	many := strings.Split(strings.Repeat("/a*?,", 5)+"/b", ",")
	for name, tc := range map[string]struct {
		args *edge.HttpsLoadBalancerArgs
		want string
	}{
		"internal-and-far-too-long": {nil, `slipway:index:HttpsLoadBalancer "internal-and-far-too-long" has 9 invalid argument(s):
  name is "internal-and-far-too-long", must not be or begin with "internal": AWS keeps names of load balancers that begin so for itself
  name is "internal-and-far-too-long", must be at most 20 characters: the load balancer's name is it with "-alb" and 8 more characters, which makes 37, and AWS takes 32
  domain is required, for example "example.com"
  zoneName is required (or zoneId), for example "example.com": the Route 53 zone in which the names are
  vpcId is required, for example "vpc-0123456789abcdef0"
  nodeSecurityGroupId is required, for example "sg-0123456789abcdef0"
  publicSubnetIds is required, for example the public subnets of the VPC
  autoScalingGroupNames is required, for example {"base": cluster.AutoScalingGroupNames["base"]}: without nodes there is nobody to answer
  routes is required, for example one route without hosts and paths, which takes everything`},
		"door": {&edge.HttpsLoadBalancerArgs{
			Domain:                "*.example.org",
			AlternativeNames:      []string{"Example.com", "www.other.net", "a.example.com", "a.example.com"},
			ZoneName:              "example.com",
			ZoneId:                pulumi.String("Z1"),
			VpcId:                 pulumi.String("network"),
			NodeSecurityGroupId:   pulumi.String("sg-"),
			PublicSubnetIds:       pulumi.ToStringArray([]string{"sub"}),
			AutoScalingGroupNames: map[string]pulumi.StringInput{"": pulumi.String("x"), "base": pulumi.String(""), "spot": nil},
			DrainSeconds:          4000, SlowestRequestSeconds: 5000, IdleTimeoutSeconds: -1, TlsPolicy: "ELBSecurityPolicy-2016-08", CertificateTimeoutMinutes: 2,
			Tags: map[string]string{"aws:x": "y"},
		}, `slipway:index:HttpsLoadBalancer "door" has 19 invalid argument(s):
  domain is "*.example.org", must be one name: put the wildcard into alternativeNames
  alternativeNames[0] is "Example.com", must be a DNS name in lower case without a dot at the end, like "www.example.com"
  alternativeNames[1] is "www.other.net", must be "example.com" or end in ".example.com": the zone can prove no other name
  alternativeNames[3] is "a.example.com", the same as alternativeNames[2]
  zoneName is "example.com", must be left out when zoneId is set
  vpcId is "network", must be an id that begins with "vpc-"
  nodeSecurityGroupId is "sg-", must be an id that begins with "sg-"
  publicSubnetIds has 1 entries, must have at least 2, in different zones: AWS puts a load balancer into no less
  publicSubnetIds[0] is "sub", must be an id that begins with "subnet-"
  autoScalingGroupNames[""] has an empty key, must have the name of the node group
  autoScalingGroupNames["base"] is required, for example the name of the node group's auto scaling group
  autoScalingGroupNames["spot"] is required, for example the name of the node group's auto scaling group
  drainSeconds is 4000, must be 1 to 3600
  slowestRequestSeconds is 5000, must be 1 to 3600
  idleTimeoutSeconds is -1, must be 1 to 4000
  tlsPolicy is "ELBSecurityPolicy-2016-08", must be one of ` + `"` + strings.Join(edge.TlsPolicies(), `", "`) + `"` + `
  certificateTimeoutMinutes is 2, must be 5 to 180
  routes is required, for example one route without hosts and paths, which takes everything
  tags["aws:x"] has a key that begins with "aws:", which AWS keeps for itself`},
		"gate": {routedAt([]edge.Route{
			{},
			{Name: "A_b", FormerName: "C", NodePort: pulumi.Int(80), HealthCheckPath: "healthz", HealthCheckCodes: "200,399-201", HealthCheckIntervalSeconds: 2, Priority: 50001},
			{Name: "more-than-twenty-letters", NodePort: pulumi.Int(30001), HealthCheckIntervalSeconds: 30, Hosts: []string{"*", "other.net", "a.b.example.com", "a.example.com", "a.example.com"}},
			{Name: "copy", SameTargetAs: "copy", NodePort: pulumi.Int(30001), HealthCheckPath: "/"},
			{Name: "copy", SameTargetAs: "nobody", FormerName: "copy"},
			{Name: "chain", SameTargetAs: "copy"},
			{Name: "many", Paths: many, NodePort: pulumi.Int(30002)},
			{Name: "odd", Paths: []string{"x", "/a b", "/" + strings.Repeat("x", 128)}, NodePort: pulumi.Int(30003), Priority: -1},
		}), `slipway:index:HttpsLoadBalancer "gate" has 33 invalid argument(s):
  routes[0].name is required, for example "frontend"
  routes[0].nodePort is required, for example 30080, or the NodePort of the app
  routes[1].name is "A_b", must be lower-case letters and digits, with hyphens between them
  routes[1].formerName is "C", must be lower-case letters and digits, with hyphens between them
  routes[1].priority is 50001, must be 1 to 50000
  routes[1].nodePort is 80, must be 30000 to 32767: the port that Kubernetes gave to a Service of type NodePort
  routes[1].healthCheckPath is "healthz", must be a path that begins with "/", without spaces
  routes[1].healthCheckCodes is "200,399-201", must have ranges from the lower code to the higher, like "201-399"
  routes[1].healthCheckIntervalSeconds is 2, must be 5 to 300
  routes[2].name is "more-than-twenty-letters", must be at most 19 characters: the target group's name is "gate-more-than-twenty-letters" with 8 more characters, which makes 37, and AWS takes 32
  routes[2].hosts[0] is "*", must be a name in lower case with at least one dot and letters after the last one, like "app.example.com" or "*.example.com"
  routes[2].hosts[1] is "other.net", must be one of the names of the load balancer (example.com, *.example.com, api.eu.example.com): browsers refuse a certificate for another name; add it to alternativeNames
  routes[2].hosts[2] is "a.b.example.com", must be one of the names of the load balancer (example.com, *.example.com, api.eu.example.com): browsers refuse a certificate for another name; add it to alternativeNames
  routes[2].hosts[4] is "a.example.com", the same as routes[2].hosts[3]
  routes[2].healthCheckIntervalSeconds is 30, must be at most 12: a node that does not answer is noticed after 2 × 30 s and a last wait of 5 s, together 65 s, and drainSeconds is 30
  routes[3].sameTargetAs is "copy", must be the name of another route
  routes[3].nodePort must be left out with sameTargetAs: route "copy" says it
  routes[3].healthCheckPath must be left out with sameTargetAs: route "copy" says it
  routes[4].sameTargetAs is "nobody", must be the name of another route
  routes[5].sameTargetAs is "copy", must be a route with a target of its own: that one has sameTargetAs "copy"
  routes[6].paths[1] is "/a*?", the same as routes[6].paths[0]
  routes[6].paths[2] is "/a*?", the same as routes[6].paths[0]
  routes[6].paths[3] is "/a*?", the same as routes[6].paths[0]
  routes[6].paths[4] is "/a*?", the same as routes[6].paths[0]
  routes[6] (many) has 6 hosts, paths and other values, must have at most 5: AWS's limit for one rule; put the others into a route with sameTargetAs
  routes[6] (many) has 10 wildcards, must have at most 5: AWS's limit for one rule; put the others into a route with sameTargetAs
  routes[7].paths[0] is "x", must be a path that begins with "/" or "*", of letters, digits, * and ? as wildcards, and _-.$/~"'@:+&, like "/api/*"
  routes[7].paths[1] is "/a b", must be a path that begins with "/" or "*", of letters, digits, * and ? as wildcards, and _-.$/~"'@:+&, like "/api/*"
  routes[7].paths[2] is 129 characters long, must be at most 128
  routes[7].priority is -1, must be 1 to 50000
  routes[4].name is "copy", the same as routes[3].name
  routes[4].formerName is "copy", must not be the name of a route that there is
  routes[3].nodePort is 30001, the same as of route "more-than-twenty-letters": set sameTargetAs: "more-than-twenty-letters" instead`},
		"hall": {hall(), `slipway:index:HttpsLoadBalancer "hall" has 44 invalid argument(s):
  idleTimeoutSeconds is 20, must be more than slowestRequestSeconds (20): nothing is sent while an answer is made
  certificateArn is "arn:aws:iam::1:server-certificate/x", must be an ARN like "arn:aws:acm:us-west-2:123456789012:certificate/12345678-1234-1234-1234-123456789012"
  trustStoreArn is "clients", must be an ARN like "arn:aws:elasticloadbalancing:us-west-2:123456789012:truststore/clients/0123456789abcdef"
  webAclArn is "arn:aws:wafv2:us-west-2:1:global/webacl/x/1", must be an ARN like "arn:aws:wafv2:us-west-2:123456789012:regional/webacl/site/12345678-1234-1234-1234-123456789012"
  accessLogs.retentionDays is 4000, must be 1 to 3653
  routes[0] (old) has 7 hosts, paths and other values, must have at most 5: AWS's limit for one rule; put the others into a route with sameTargetAs
  routes[0].headers[0].name is "Host", must be left to hosts
  routes[0].headers[0].values[0] is "é", must be 1 to 128 printable ASCII characters, with * and ? as wildcards
  routes[0].headers[1].name is "X_Beta", must be letters, digits and hyphens, like "X-Beta": the load balancer drops headers of other names
  routes[0].headers[1].values is required, for example ["1"]
  routes[0].headers[2].name is "HOST", must be left to hosts
  routes[0].headers[2].values[1] is "1", the same as routes[0].headers[2].values[0]
  routes[0].headers[2] is "host", the same as routes[0].headers[0]
  routes[0].methods[0] is "get", must be a method in upper case, like "GET"
  routes[0].methods[1] is "get", must be a method in upper case, like "GET"
  routes[0].methods[1] is "get", the same as routes[0].methods[0]
  routes[0].sourceCidrs[0] is "10.0.0.1/8", must be a range of addresses whose host bits are 0, like "198.51.100.0/24"
  routes[0].sourceCidrs[1] is "here", must be a range of addresses whose host bits are 0, like "198.51.100.0/24"
  routes[0].stickySeconds is 700000, must be 1 to 604800
  routes[0].slowStartSeconds is 20, must be 30 to 900
  routes[0].sameZoneOnly must be left out with stickySeconds: AWS keeps no client at a node then
  routes[1].stickyCookie is "AWSALBX", must not begin with AWSALB: AWS keeps such names for the load balancer's own
  routes[1].stickySeconds is required, for example 3600, with stickyCookie
  routes[2].fixedResponse must be left out with redirect: a request gets one answer
  routes[2].redirect changes neither host nor path, must have one of them: AWS takes it for a loop, in which the client would ask again for ever
  routes[2].fixedResponse.status is 302, must be 200 to 299 or 400 to 599
  routes[3].redirect.host is "a/b", must be a name, like "www.example.com"
  routes[3].redirect.path is "x", must be a path that begins with "/", without spaces
  routes[3].nodePort must be left out with redirect and fixedResponse: such a route has no target
  routes[3].sameTargetAs is "old", must be left out with redirect and fixedResponse: such a route has no target
  routes[4].fixedResponse.body is 1025 characters long, must be at most 1024
  routes[4].fixedResponse.contentType is "text/xml", must be one of "text/plain", "text/css", "text/html", "application/javascript", "application/json"
  routes[5].stickySeconds must be left out with sameTargetAs: route "cookie" says it
  routes[5].stickyCookie must be left out with sameTargetAs: route "cookie" says it
  routes[5].slowStartSeconds must be left out with sameTargetAs: route "cookie" says it
  routes[5].sameZoneOnly must be left out with sameTargetAs: route "cookie" says it
  maintenance.page is 1025 characters long, must be at most 1024
  routes[3].priority is 1, must be higher with maintenance, whose page comes before all routes
  routes[0].name is "old", must be another name with a migration: the old system's parts have it
  migration.stage is "slowly", must be "legacy", "canary N" with N from 1 to 50, "split N" with N from 1 to 99, "drain-legacy" or "done"
  migration.routes["page"] is for a route that there is not: the routes are [old cookie copy]
  migration.old.hostHeader is "www.example.com", must be left out: a load balancer passes on the Host that the client asked for, so that both systems must accept it. HAProxy sets it
  migration.old.addresses[0] is "203.0.113.1", must lie in the VPC, or in 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10: AWS takes no public address as a target
  vpcCidrs is required, for example ["10.20.0.0/16"]: a target outside the VPC is registered otherwise`},
	} {
		r := &recorder.Recorder{}
		err := runNamed(r, name, tc.args, nil)
		if err == nil || err.Error() != tc.want {
			t.Errorf("%s: got\n%v\nwant\n%s", name, err, tc.want)
		}
		if strings.Contains(r.Tree(), name) {
			t.Errorf("%s: registered in spite of problems:\n%s", name, r.Tree())
		}
		var each *perrors.InputPropertiesError
		if !errors.As(err, &each) {
			t.Errorf("%s: %T tells a plugin host no paths", name, err)
		}
	}
}

// What two routes do to each other is said together with what is wrong elsewhere, and before the network and the apps are there.
func TestRoutesContestBesideOtherProblems(t *testing.T) {
	args := routedAt([]edge.Route{{Name: "a"}, {Name: "b"}})
	args.DrainSeconds, args.VpcId = 4000, nil
	want := `slipway:index:HttpsLoadBalancer "door" has 2 invalid argument(s):
  drainSeconds is 4000, must be 1 to 3600
  routes[1] (b) matches the same as routes[0] (a): any host, any path`
	if err := args.Check(nil, "door"); text(err) != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestNumbersOfRulesAndTargets(t *testing.T) {
	full := func() *edge.HttpsLoadBalancerArgs {
		args := typical()
		args.Routes = nil
		for i := range 100 {
			args.Routes = append(args.Routes, edge.Route{Name: fmt.Sprintf("r%d", i), Paths: []string{fmt.Sprintf("/%d", i)}, Priority: i + 2, NodePort: pulumi.Int(30000 + i)})
		}
		return args
	}
	for want, change := range map[string]func(*edge.HttpsLoadBalancerArgs){
		"": func(*edge.HttpsLoadBalancerArgs) {},
		"routes has 101 entries, must have at most 100: AWS's limit of rules for a load balancer": func(a *edge.HttpsLoadBalancerArgs) {
			a.Routes = append(a.Routes, edge.Route{Name: "more", Priority: 200, SameTargetAs: "r0"})
		},
		"routes has 100 entries, must have at most 99: AWS's limit of rules for a load balancer, and maintenance is one": func(a *edge.HttpsLoadBalancerArgs) {
			a.Maintenance = &edge.Maintenance{}
		},
		"routes has 100 with a target of their own, must have at most 99 with a migration: AWS's limit of target groups for a load balancer is 100, and the old system is one": func(a *edge.HttpsLoadBalancerArgs) {
			a.Migration, a.VpcCidrs = migration("legacy"), []string{"10.20.0.0/16"}
		},
	} {
		args := full()
		change(args)
		if err := args.Check(nil, "door"); (err == nil) != (want == "") || !strings.HasSuffix(text(err), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// The page's rule has that name, and a stack holds each name once.
func TestARouteCalledAsThePage(t *testing.T) {
	args := typical()
	args.Routes[2].Name = "maintenance"
	if err := run(account(), args); err != nil {
		t.Error(err)
	}
	args.Maintenance = &edge.Maintenance{}
	want := "\n  routes[2].name is \"maintenance\", must be another name with maintenance: the rule of the page has it"
	if err := run(account(), args); err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %v", err)
	}
}

func TestCodesOfHealthChecks(t *testing.T) {
	for codes, ok := range map[string]bool{"200": true, "200,204": true, "200-399": true, "200-299,301": true, "200-300-400": false, "200,": false, "199": false} {
		args := typical()
		args.Routes[0].HealthCheckCodes = codes
		if err := args.Check(nil, "door"); (err == nil) != ok {
			t.Errorf("%s: %v", codes, err)
		}
	}
}

func routedAt(routes []edge.Route) *edge.HttpsLoadBalancerArgs {
	args := typical()
	args.Routes = routes
	return args
}

func TestZoneIdIsChecked(t *testing.T) {
	args := typical()
	args.ZoneName, args.ZoneId = "", pulumi.String("example.com")
	want := `zoneId is "example.com", must be the id of a Route 53 zone, like "Z0123456789ABCDEFGHIJ"`
	if err := run(&recorder.Recorder{}, args); err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %v", err)
	}
}

func TestNamesOfLoadBalancers(t *testing.T) {
	for name, ok := range map[string]bool{"door": true, "internals": true, "internal": false, "internal-door": false, "a_b": false, "-a": false, "twenty-characters-12": true, "twenty-1-characters-1": false} {
		args := typical()
		args.Routes = []edge.Route{{Name: "x", NodePort: pulumi.Int(30000)}}
		if err := runNamed(account(), name, args, nil); (err == nil) != ok {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// The first name of a certificate may be 64 characters long, the others longer.
func TestLengthsOfNames(t *testing.T) {
	long := strings.Repeat("a", 53) + ".example.com"
	args := typical()
	args.AlternativeNames = append(args.AlternativeNames, long)
	if err := run(account(), args); err != nil {
		t.Error(err)
	}
	args = typical()
	args.Domain, args.Routes[0].Hosts = long, nil
	args.Routes = args.Routes[:1]
	if err := run(account(), args); err == nil || !strings.HasSuffix(err.Error(), "\n  domain is 65 characters long, must be at most 64") {
		t.Errorf("got %v", err)
	}
}

// hall is a door at which everything that a typical one does not have is wrong.
func hall() *edge.HttpsLoadBalancerArgs {
	args := routedAt([]edge.Route{
		{
			Name: "old", NodePort: pulumi.Int(30001), Headers: []edge.Header{{Name: "Host", Values: []string{"é"}}, {Name: "X_Beta"}, {Name: "HOST", Values: []string{"1", "1"}}},
			Methods: []string{"get", "get"}, SourceCidrs: []string{"10.0.0.1/8", "here"},
			StickySeconds: 700000, SlowStartSeconds: 20, SameZoneOnly: true,
		},
		{Name: "cookie", Paths: []string{"/c"}, NodePort: pulumi.Int(30002), StickyCookie: "AWSALBX"},
		{Name: "loop", Paths: []string{"/l"}, Redirect: &edge.Redirect{Path: "/#{path}", Query: "moved=1", Permanent: true}, FixedResponse: &edge.FixedResponse{Status: 302}},
		{Name: "there", Paths: []string{"/t"}, Priority: 1, Redirect: &edge.Redirect{Host: "a/b", Path: "x"}, NodePort: pulumi.Int(30003), SameTargetAs: "old"},
		{Name: "page", Paths: []string{"/p"}, FixedResponse: &edge.FixedResponse{Status: 200, Body: strings.Repeat("x", 1025), ContentType: "text/xml"}},
		{Name: "copy", Paths: []string{"/q"}, SameTargetAs: "cookie", StickySeconds: 1, SlowStartSeconds: 30, SameZoneOnly: true, StickyCookie: "c"},
	})
	args.CertificateArn, args.TrustStoreArn, args.WebAclArn = pulumi.String("arn:aws:iam::1:server-certificate/x"), pulumi.String("clients"), pulumi.String("arn:aws:wafv2:us-west-2:1:global/webacl/x/1")
	args.AccessLogs = &edge.AccessLogs{RetentionDays: 4000}
	args.Maintenance = &edge.Maintenance{Page: strings.Repeat("x", 1025)}
	args.Migration = migration("slowly")
	args.Migration.Old.Addresses = []string{"203.0.113.1"}
	args.Migration.Old.HostHeader = "www.example.com"
	args.Migration.Routes = map[string]string{"page": "legacy"}
	args.IdleTimeoutSeconds = 20
	return args
}
