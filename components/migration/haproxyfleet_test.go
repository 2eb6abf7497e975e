package migration_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/components/migration"
	"github.com/slipway-iac/slipway/cutover"
	"github.com/slipway-iac/slipway/internal/recorder"
)

func TestRegistered(t *testing.T) {
	r := mustRun(t, typical("canary 10"))
	r.Golden(t, "fleet")
	recorder.CheckDocTree(t, "haproxyfleet.go", "HaproxyFleet", r)
}

func configuration(t *testing.T, r *recorder.Recorder) string {
	t.Helper()
	return r.Find(t, parameterType, "proxy-config").Inputs["insecureValue"].StringValue()
}

// A stage must not replace a proxy: it changes the configuration that the proxies follow, and in it the shares.
func TestAStageChangesTheConfigurationAndNothingElse(t *testing.T) {
	but := func(r *recorder.Recorder) string {
		var all strings.Builder
		for _, a := range r.Seen() {
			if a.TypeToken != migration.HaproxyFleetType && a.Name != "proxy-config" {
				fmt.Fprintf(&all, "%s %s %v\n", a.TypeToken, a.Name, a.Inputs)
			}
		}
		return all.String()
	}
	first := mustRun(t, typical("legacy"))
	before, stage := configuration(t, first), "legacy"
	var story strings.Builder
	for _, next := range []string{"canary 10", "split 50", "drain-legacy", "done"} {
		r := mustRun(t, typical(next))
		if got, want := but(r), but(first); got != want {
			t.Errorf("%s changes more than the configuration:\n%s\nwas\n%s", next, got, want)
		}
		now := configuration(t, r)
		fmt.Fprintf(&story, "%s → %s\n%s%s\n", stage, next, missing("-", before, now), missing("+", now, before))
		before, stage = now, next
	}
	const file = "testdata/stages.golden"
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(file, []byte(story.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || string(want) != story.String() {
		t.Errorf("%v, the stages change\n%s\nwant\n%s", err, story.String(), want)
	}
}

// missing are the lines of a that b has not.
func missing(mark, a, b string) string {
	var out strings.Builder
	has := map[string]int{}
	for line := range strings.Lines(b) {
		has[line]++
	}
	for line := range strings.Lines(a) {
		if has[line]--; has[line] < 0 {
			out.WriteString(mark + " " + line)
		}
	}
	return out.String()
}

// A system that is down must not make the auto scaling group replace the proxies, all of them and again and again.
func TestASystemThatIsDownReplacesNoProxy(t *testing.T) {
	r := mustRun(t, typical("legacy"))
	if by := r.Find(t, groupType, "proxy").Inputs["healthCheckType"].StringValue(); by != "ELB" {
		t.Errorf("a proxy whose HAProxy is dead is replaced by %s", by)
	}
	_, health, _ := strings.Cut(configuration(t, r), "\nfrontend health\n")
	health, _, _ = strings.Cut(health, "\n\n")
	if !strings.Contains(health, "monitor-uri") || strings.Contains(health, ".old)") || strings.Contains(health, ".new)") {
		t.Errorf("a proxy's health hangs on the systems:\n%s", health)
	}
}

// A change of the configuration lets requests end that HAProxy's time-outs let go on.
func TestAReloadCutsNoRequest(t *testing.T) {
	for drain, want := range map[int]string{0: "hard-stop-after 300s", 1200: "hard-stop-after 1200s"} {
		args := typical("legacy")
		args.DrainSeconds = drain
		if got := configuration(t, mustRun(t, args)); !strings.Contains(got, want) {
			t.Errorf("with drainSeconds %d the configuration lacks %q:\n%s", drain, want, got)
		}
	}
}

// Behind the proxies' TLS the new system cannot tell that a client came by plain HTTP.
func TestPlainHTTPIsRedirectedOnceTheOldSystemIsOut(t *testing.T) {
	for stage, want := range map[string]string{"legacy": "", "canary 10": "", "split 99": "", "drain-legacy": " code 302 if plain route.all ", "done": " code 301 if plain route.all "} {
		got := configuration(t, mustRun(t, typical(stage)))
		if n := strings.Count(got, " redirect "); want == "" && n != 0 || want != "" && (n != 1 || !strings.Contains(got, want) || !strings.Contains(got, "acl plain so_id 2\n")) {
			t.Errorf("at %s, want %q in\n%s", stage, want, got)
		}
	}
}

func TestEachRouteHasItsStage(t *testing.T) {
	args := typical("legacy")
	args.Routes = []migration.Route{{Name: "api", Paths: []string{"/api"}}, {Name: "rest"}}
	args.Migration.Routes = map[string]string{"api": "done"}
	ahead := configuration(t, mustRun(t, args))
	_, api, _ := strings.Cut(ahead, "backend api.old\n")
	if api, _, _ = strings.Cut(api, "\n\n"); !strings.Contains(api, "old system: in maintenance") || !strings.Contains(ahead, "old system: takes 100 of 100 new sessions") {
		t.Errorf("with one route done and the other not, the configuration is\n%s", ahead)
	}
	args.Migration.Routes = map[string]string{"api": "split 30"}
	got := configuration(t, mustRun(t, args))
	for _, want := range []string{"backend api.old", "takes 70 of 100 new sessions", "backend rest.old", "takes 100 of 100 new sessions", "Host legacy.example.com", "sni str(www.example.com)"} {
		if !strings.Contains(got, want) {
			t.Errorf("the configuration lacks %q:\n%s", want, got)
		}
	}
}

func TestOnlyTheseWaysInAndOut(t *testing.T) {
	r := mustRun(t, typical("legacy"))
	var got []string
	for _, a := range r.Seen() {
		if a.TypeToken != ingressType && a.TypeToken != egressType {
			continue
		}
		peer := a.Inputs["cidrIpv4"]
		if v := a.Inputs["referencedSecurityGroupId"]; v.IsString() {
			peer = v
		}
		way := "from"
		if a.TypeToken == egressType {
			way = "to"
		}
		got = append(got, fmt.Sprint(a.Inputs["securityGroupId"].StringValue(), " ", way, " ", peer.StringValue(), " ", a.Inputs["fromPort"].NumberValue(), "-", a.Inputs["toPort"].NumberValue()))
	}
	want := []string{
		"proxy-nlb_id from 0.0.0.0/0 443-443", "proxy-nlb_id from 0.0.0.0/0 80-80",
		"proxy-nlb_id to proxy-proxy_id 8000-8000", "proxy-nlb_id to proxy-proxy_id 8002-8002", "proxy-nlb_id to proxy-proxy_id 8443-8443",
		"proxy-proxy_id from 10.20.0.0/16 8001-8001",
		"proxy-proxy_id from proxy-nlb_id 8000-8000", "proxy-proxy_id from proxy-nlb_id 8002-8002", "proxy-proxy_id from proxy-nlb_id 8443-8443",
		"proxy-proxy_id to 0.0.0.0/0 443-443", "proxy-proxy_id to 0.0.0.0/0 80-80", "proxy-proxy_id to 192.168.1.10/32 8080-8080", "proxy-proxy_id to 192.168.1.11/32 8080-8080",
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// The password is in its parameter, encrypted, and nowhere else.
func TestThePasswordIsSecret(t *testing.T) {
	plain := typical("legacy")
	plain.Statistics.Password = pulumi.String(password) // also where the caller has not marked it
	r := mustRun(t, plain)
	for _, a := range r.Seen() {
		encoded := base64.StdEncoding.EncodeToString([]byte(password))
		if s := fmt.Sprint(a.Inputs); a.Name != "proxy-password" && a.TypeToken != migration.HaproxyFleetType && (strings.Contains(s, password) || strings.Contains(s, encoded)) {
			t.Errorf("%s %s shows it: %s", a.TypeToken, a.Name, s)
		}
	}
	for typ, name := range map[string]string{parameterType: "proxy-password", migration.HaproxyFleetType: "proxy"} {
		if !strings.Contains(fmt.Sprint(r.Find(t, typ, name).RegisterRPC.GetObject()), resource.SecretSig) {
			t.Errorf("%s %s does not mark it as secret", typ, name)
		}
	}
	args := typical("legacy")
	args.Statistics.Password = pulumi.String("short")
	err := run(account(), "proxy", args)
	if err == nil || !strings.Contains(err.Error(), "statistics.password has 5 characters, must have 12 to 128") || strings.Contains(err.Error(), "short") {
		t.Errorf("got %v", err)
	}
}

func TestEveryProblemIsSaidAtOnce(t *testing.T) {
	for name, tc := range map[string]struct {
		args *migration.HaproxyFleetArgs
		want string
	}{
		"a_name-that-is-long": {nil, `slipway:index:HaproxyFleet "a_name-that-is-long" has 8 invalid argument(s):
  name is "a_name-that-is-long", must be letters and digits, with hyphens between them: the load balancer's name begins with it
  name is "a_name-that-is-long", must be at most 18 characters: a target group's name is it with "-https" and 8 more characters, which makes 33, and AWS takes 32
  new.name is required, for example the DNS name of the new system's load balancer
  vpcId is required, for example "vpc-0123456789abcdef0"
  publicSubnetIds is required, for example two subnets of the VPC, in different zones
  privateSubnetIds is required, for example two subnets of the VPC, in different zones
  certificateArn is required, for example the ARN of an issued certificate for the site's names
  migration is required, for example {stage: "legacy", old: {addresses: ["10.0.0.10"]}}`},
		"proxy": {&migration.HaproxyFleetArgs{
			Migration: &cutover.Migration{Stage: "almost", Old: cutover.Old{DnsName: "legacy.example.com", HealthCheckCodes: "200"}},
			VpcId:     pulumi.String("vpc-1"), PublicSubnetIds: pulumi.ToStringArray([]string{"subnet-1"}), PrivateSubnetIds: pulumi.ToStringArray(nil),
			New: migration.New{Name: pulumi.String("x"), Host: "x"}, CertificateArn: pulumi.String("arn:x"),
			Instances: 1, InstanceType: "small", ImageId: "debian", DrainSeconds: 4000, Statistics: &migration.Statistics{}, Tags: map[string]string{"aws:x": "y"},
		}, `slipway:index:HaproxyFleet "proxy" has 10 invalid argument(s):
  publicSubnetIds has 1 entries, must have at least 2, in different zones: a zone can be lost
  privateSubnetIds has 0 entries, must have at least 2, in different zones: a zone can be lost
  instances is 1, must be 2 to 20
  instanceType is "small", must be a type like "t3.small"
  imageId is "debian", must be an image like "ami-0123456789abcdef0"
  drainSeconds is 4000, must be 1 to 3600
  statistics.password is required, for example a secret of the configuration
  migration.stage is "almost", must be "legacy", "canary N" with N from 1 to 50, "split N" with N from 1 to 99, "drain-legacy" or "done"
  migration.old.healthCheckCodes is "200", must be left out: HAProxy takes 200 to 399 for healthy here
  tags["aws:x"] has a key that begins with "aws:", which AWS keeps for itself`},
		"gate": {func() *migration.HaproxyFleetArgs {
			args := typical("legacy")
			args.New.Host, args.New.HealthPath, args.Cookie = "www example", "up\nserver x", "a b"
			args.Routes = []migration.Route{{Name: "A", Hosts: []string{"x\ny"}, Paths: []string{"api"}}}
			args.Statistics.Sources = []string{"0.0.0.0/0", "2001:db8::/32"}
			args.Instances = 30
			return args
		}(), `slipway:index:HaproxyFleet "gate" has 9 invalid argument(s):
  instances is 30, must be 2 to 20
  statistics.sources[1] is "2001:db8::/32", must be a network of IPv4: the proxies have no other addresses
  statistics.sources[0] is "0.0.0.0/0", must not be the whole internet: whoever has the password can take servers out
  new.host is "www example", must be a name or an IPv4 address, with a port if need be, like "www.example.com" or "www.example.com:8080"
  new.healthPath is "up\nserver x", must be a path that begins with "/", of letters, digits and ._~!$&()*+,;=:@%-/?
  routes[0].name is "A", must be at most 32 lower-case letters, digits and hyphens, the first one a letter, the last one no hyphen
  routes[0].hosts[0] is "x\ny", must be a name in lower case, like "www.example.com" or "*.example.com"
  routes[0].paths[0] is "api", must be a path that begins with "/", of letters, digits and ._~!$&()*+,;=:@%- between slashes, like "/api"; it takes everything below it too
  cookie is "a b", must be at most 32 letters, digits, _ and -`},
	} {
		r := account()
		err := run(r, name, tc.args)
		if err == nil || err.Error() != tc.want {
			t.Errorf("%s: got\n%v\nwant\n%s", name, err, tc.want)
		}
		if strings.Contains(r.Tree(), name) {
			t.Errorf("%s: registered in spite of problems:\n%s", name, r.Tree())
		}
	}
}

// The configuration is judged before the network and the new system are there.
func TestTheConfigurationIsCheckedBeforehand(t *testing.T) {
	args := typical("legacy")
	args.VpcId, args.PublicSubnetIds, args.PrivateSubnetIds, args.New.Name, args.Cookie = nil, nil, nil, nil, "a b"
	want := `slipway:index:HaproxyFleet "proxy" has 1 invalid argument(s):
  cookie is "a b", must be at most 32 letters, digits, _ and -`
	if err := args.Check(nil, "proxy"); err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

// What HAProxy refuses of the old system is said of the argument that the user wrote.
func TestProblemsOfTheOldSystem(t *testing.T) {
	args := typical("legacy")
	args.Migration.Old.HealthCheckPath = "/up?of=[a]"
	args.Migration.Old.Addresses = nil
	for i := range 65 {
		args.Migration.Old.Addresses = append(args.Migration.Old.Addresses, fmt.Sprintf("10.0.0.%d", i+1))
	}
	want := `slipway:index:HaproxyFleet "proxy" has 2 invalid argument(s):
  migration.old.addresses has 65 entries, must have at most 64
  migration.old.healthCheckPath is "/up?of=[a]", must be a path that begins with "/", of letters, digits and ._~!$&()*+,;=:@%-/?`
	if err := run(account(), "proxy", args); err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestAConfigurationThatIsTooLong(t *testing.T) {
	args := typical("legacy")
	for i := range 40 {
		args.Routes = append(args.Routes, migration.Route{Name: fmt.Sprintf("route-%d", i), Paths: []string{fmt.Sprintf("/a/rather/long/path/%d", i)}})
	}
	if err := run(account(), "proxy", args); err == nil || !strings.Contains(err.Error(), "must make at most 8192, which is AWS's limit for a parameter") {
		t.Errorf("got %v", err)
	}
}

// Before anything exists nothing of it is known, and a preview still shows every part.
func TestNothingIsKnownYet(t *testing.T) {
	made := mustRun(t, typical("canary 10"))
	preview := account()
	preview.Preview = true
	if err := run(preview, "proxy", typical("canary 10")); err != nil {
		t.Fatal(err)
	}
	if a, b := made.Tree(), preview.Tree(); a != b {
		t.Errorf("a preview shows\n%s\nand the update makes\n%s", b, a)
	}
	if data := preview.Find(t, templateType, "proxy").Inputs["userData"]; data.IsString() {
		t.Errorf("the user data is known before the password's version is: %v", data)
	}
}
