package aws

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/structpb"
)

// configured is a provider with that configuration on the harness's account, and what it says to a first question.
func configured(t *testing.T, a *Account, config object) (*harness, string) {
	t.Helper()
	h := &harness{t: t, p: New(a)}
	if _, err := h.p.Configure(context.Background(), &pulumirpc.ConfigureRequest{Args: mustMarshal(t, config)}); err != nil {
		t.Fatal(err)
	}
	_, refused := h.invoke("aws:index/getRegion:getRegion", nil)
	return h, refused
}

func TestConfiguration(t *testing.T) {
	for _, c := range []struct {
		config object
		want   string
	}{
		{object{}, `invalid AWS Region: "". Set it with`},
		{object{"region": "us-west-9"}, `invalid AWS Region: "us-west-9"`},
		{object{"region": "us-west-2", "allowedAccountIds": `["111122223333"]`}, "AWS account ID not allowed: 123456789012"},
		{object{"region": "us-west-2", "allowedAccountIds": `["123456789012"]`}, ""},
	} {
		h, refused := configured(t, openAccount(t), c.config)
		if (c.want == "") != (refused == "") || !strings.Contains(refused, c.want) {
			t.Errorf("%v: a function says %q, want %q", c.config, refused, c.want)
		}
		if c.want == "" {
			continue
		}
		if _, got := h.try(vpcToken, "v", object{"cidrBlock": "10.0.0.0/16"}); !strings.Contains(got, c.want) {
			t.Errorf("%v: a resource says %q", c.config, got)
		}
	}
}

func TestDefaultTags(t *testing.T) {
	h, refused := configured(t, openAccount(t), object{"region": "us-west-2", "defaultTags": `{"tags":{"stack":"prod","team":"web"}}`})
	if refused != "" {
		t.Fatal(refused)
	}
	vpc := h.create(vpcToken, "v", object{"cidrBlock": "10.0.0.0/16", "tags": object{"team": "net"}})
	if all := nested(vpc.Out["tagsAll"]); all["stack"] != "prod" || all["team"] != "net" || len(all) != 2 {
		t.Errorf("tagsAll %v", all)
	}
	if tags := nested(vpc.Out["tags"]); len(tags) != 1 {
		t.Errorf("tags %v", tags)
	}
	out, refused := h.invoke("aws:index/getDefaultTags:getDefaultTags", nil)
	if refused != "" || nested(out["tags"])["stack"] != "prod" {
		t.Errorf("%v %s", out, refused)
	}
	if got := h.refused(vpcToken, "w", object{"cidrBlock": "10.0.0.0/16", "tags": object{"aws:mine": "x"}}); !strings.Contains(got, "reserved for internal use") {
		t.Error(got)
	}
}

func TestUnknownTypeAndFunctionAreNamed(t *testing.T) {
	h := newHarness(t)
	const token = "aws:sqs/queue:Queue"
	if got := h.refused(token, "q", object{}); !strings.Contains(got, "does not know the resource type "+token) {
		t.Error(got)
	}
	if _, got := h.invoke("aws:sqs/getQueue:getQueue", nil); !strings.Contains(got, "does not know the function aws:sqs/getQueue:getQueue") {
		t.Error(got)
	}
}

func TestChecksTellEverythingAtOnce(t *testing.T) {
	h := newHarness(t)
	got := h.refused(loadBalancerToken, "l", object{"name": "a_b", "idleTimeout": "long", "subnets": "s", "zone": true, "internal": 1.0, "accessLogs": object{}})
	want := []string{
		"accessLogs.bucket is required", "idleTimeout is \"long\", must be a number", "internal is 1, must be true or false",
		"name is \"a_b\", must be letters", "subnets is \"s\", must be a list", "zone is no property that the sandbox knows here",
	}
	for _, w := range want {
		if !strings.Contains(got, w) {
			t.Errorf("not said: %s\n%s", w, got)
		}
	}
	if n := len(strings.Split(got, "\n")); n != len(want) {
		t.Errorf("%d problems, want %d:\n%s", n, len(want), got)
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	p := Prop{Kind: String, Secret: true, OneOf: []string{"a"}}
	var c checker
	c.value("key", p, "hunter2")
	if len(c.problems) != 1 || strings.Contains(fmt.Sprint(c.problems), "hunter2") {
		t.Errorf("%v", c.problems)
	}
}

func TestPreviewLeavesUnknownWhatAwsComputes(t *testing.T) {
	h := newHarness(t)
	ctx := context.Background()
	checked, wrong := h.check(subnetToken, "s", nil, object{"vpcId": unknown{}, "cidrBlock": "10.0.0.0/24"})
	if wrong != "" {
		t.Fatal(wrong)
	}
	r, err := h.p.Create(ctx, &pulumirpc.CreateRequest{Urn: urnOf(subnetToken, "s"), Properties: checked, Preview: true})
	if err != nil {
		t.Fatal(err)
	}
	out := mustUnmarshal(t, r.GetProperties())
	for _, name := range []string{"arn", "vpcId", "availabilityZone"} {
		if _, ok := out[name].(unknown); !ok {
			t.Errorf("%s is %v in a preview, want unknown", name, out[name])
		}
	}
	if out["cidrBlock"] != "10.0.0.0/24" || out["mapPublicIpOnLaunch"] != false {
		t.Errorf("what is known is lost: %v", out)
	}
	if left, _ := h.p.account.Resources(); len(left) > 0 {
		t.Errorf("a preview made %v", left)
	}
}

func TestPreviewChecksWhatIsKnownBesideWhatIsNot(t *testing.T) {
	h := newHarness(t)
	for token, in := range map[string]object{
		natGatewayToken:            {"subnetId": unknown{}, "allocationId": unknown{}},
		routeToken:                 {"routeTableId": unknown{}, "destinationCidrBlock": "0.0.0.0/0", "gatewayId": unknown{}},
		securityGroupRuleToken:     {"securityGroupId": unknown{}, "type": "ingress", "protocol": "tcp", "fromPort": unknown{}, "toPort": unknown{}, "sourceSecurityGroupId": unknown{}},
		ingressRuleToken:           {"securityGroupId": unknown{}, "ipProtocol": "tcp", "fromPort": unknown{}, "toPort": unknown{}, "referencedSecurityGroupId": unknown{}},
		certificateValidationToken: {"certificateArn": unknown{}, "validationRecordFqdns": list(unknown{})},
		recordToken:                {"zoneId": unknown{}, "name": unknown{}, "type": unknown{}, "records": list(unknown{}), "ttl": 60.0},
		loadBalancerToken:          {"subnets": unknown{}, "securityGroups": list(unknown{})},
		targetGroupToken:           {"vpcId": unknown{}, "port": unknown{}, "protocol": "HTTP", "healthCheck": object{"path": unknown{}}},
		listenerToken:              {"loadBalancerArn": unknown{}, "port": 443.0, "protocol": "HTTPS", "certificateArn": unknown{}, "defaultActions": list(object{"type": "forward", "targetGroupArn": unknown{}})},
		listenerRuleToken: {
			"listenerArn": unknown{}, "actions": list(object{"type": "forward", "forward": object{"targetGroups": list(object{"arn": unknown{}})}}),
			"conditions": list(object{"hostHeader": object{"values": list(unknown{})}}),
		},
		groupAttachmentToken: {"autoscalingGroupName": unknown{}, "lbTargetGroupArn": unknown{}},
		scheduleToken:        {"autoscalingGroupName": unknown{}, "scheduledActionName": "a", "recurrence": unknown{}},
		scalingPolicyToken:   {"autoscalingGroupName": unknown{}, "policyType": "TargetTrackingScaling", "targetTrackingConfiguration": unknown{}},
		lifecyclePolicyToken: {"repository": unknown{}, "policy": unknown{}},
		metricAlarmToken:     {"comparisonOperator": "GreaterThanThreshold", "evaluationPeriods": 1.0, "metricName": unknown{}, "namespace": "a", "period": unknown{}, "statistic": "Sum", "threshold": unknown{}},
		vpcToken:             {"cidrBlock": unknown{}},
		certificateToken:     {"domainName": unknown{}, "validationMethod": "DNS"},
	} {
		if _, wrong := h.check(token, "x", nil, in); wrong != "" {
			t.Errorf("%s with unknown values: %s", token, wrong)
		}
	}
}

func TestNameIsMadeUpOnceAndKept(t *testing.T) {
	h := newHarness(t)
	vpc := h.create(vpcToken, "v", object{"cidrBlock": "10.0.0.0/16"})
	g := h.create(securityGroupToken, "web", object{"vpcId": vpc.ID})
	name, _ := g.Out["name"].(string)
	if !strings.HasPrefix(name, "web-") || len(name) != len("web-")+7 {
		t.Errorf("name %q", name)
	}
	if diffs, _ := h.diff(g, object{"vpcId": vpc.ID, "tags": object{"a": "b"}}); !slices.Equal(diffs, []string{"tags"}) {
		t.Errorf("a tag changes %q", diffs)
	}
	if refused := h.update(g, object{"vpcId": vpc.ID, "tags": object{"a": "b"}}); refused != "" || g.Out["name"] != name {
		t.Errorf("%v %s", g.Out["name"], refused)
	}
	again, err := h.p.Check(context.Background(), &pulumirpc.CheckRequest{
		Urn: urnOf(securityGroupToken, "web"), Olds: g.in, News: mustMarshal(t, object{"vpcId": vpc.ID}), RandomSeed: []byte("another run has another seed"),
	})
	if err != nil || again.GetInputs().GetFields()["name"].GetStringValue() != name {
		t.Errorf("the next run names it %v (%v)", again.GetInputs().GetFields()["name"], err)
	}
	long := h.refused(targetGroupToken, "a-logical-name-that-is-much-too-long", object{"vpcId": vpc.ID, "port": 80.0, "protocol": "HTTP"})
	if !strings.Contains(long, "plus 7 random chars is longer than maximum length 32") {
		t.Error(long)
	}
	prefixed := h.create(securityGroupToken, "p", object{"vpcId": vpc.ID, "namePrefix": "pre-"})
	if n, _ := prefixed.Out["name"].(string); !strings.HasPrefix(n, "pre-") || len(n) != 30 {
		t.Errorf("name %q", n)
	}
}

func TestReplacementDeletesFirstOnlyUnderANameOfTheProgramsChoice(t *testing.T) {
	h := newHarness(t)
	vpc := h.create(vpcToken, "v", object{"cidrBlock": "10.0.0.0/16"})
	for _, c := range []struct {
		name  object
		first bool
	}{{object{}, false}, {object{"name": "web"}, true}, {object{"namePrefix": "web"}, false}} {
		in, next := object{"vpcId": vpc.ID}, object{"vpcId": vpc.ID, "description": "other"}
		for k, v := range c.name {
			in[k], next[k] = v, v
		}
		g := h.create(securityGroupToken, "g", in)
		checked, _ := h.check(securityGroupToken, "g", g.in, next)
		r, err := h.p.Diff(context.Background(), &pulumirpc.DiffRequest{Urn: urnOf(securityGroupToken, "g"), Id: g.ID, OldInputs: g.in, News: checked})
		if err != nil {
			t.Fatal(err)
		}
		if len(r.GetReplaces()) == 0 || r.GetDeleteBeforeReplace() != c.first {
			t.Errorf("with %v: replaces %q, delete first %v", c.name, r.GetReplaces(), r.GetDeleteBeforeReplace())
		}
	}
}

func TestListsCompareByOrderAndSetsDoNot(t *testing.T) {
	w := newWorld(t)
	if diffs, _ := w.diff(w.by["balancer"], w.changed("balancer", object{"subnets": list(w.id("publicB"), w.id("publicA"))})); len(diffs) > 0 {
		t.Errorf("another order of subnets changes %q", diffs)
	}
	before := map[string]any{"l": list("a", "b")}
	now := map[string]any{"l": list("b", "a")}
	if got := changes("", map[string]Prop{"l": listOf(text)}, before, now, false); len(got) != 2 {
		t.Errorf("another order of a list: %v", got)
	}
}

func TestWhatIsGoneIsReadAsGoneAndDeletedTwice(t *testing.T) {
	h := newHarness(t)
	vpc := h.create(vpcToken, "v", object{"cidrBlock": "10.0.0.0/16"})
	for range 2 {
		if refused := h.delete(vpc); refused != "" {
			t.Error(refused)
		}
	}
	r, err := h.p.Read(context.Background(), &pulumirpc.ReadRequest{Urn: urnOf(vpcToken, "v"), Id: vpc.ID, Properties: &structpb.Struct{}})
	if err != nil || r.GetId() != "" {
		t.Errorf("read what is gone: %v %v", r, err)
	}
	if got := h.update(vpc, object{"cidrBlock": "10.0.0.0/16", "tags": object{"a": "b"}}); !strings.Contains(got, "is gone from the account") {
		t.Error(got)
	}
}

func TestDeleteWaitsForWhatIsJustBeingDeleted(t *testing.T) {
	w := newNetwork(t)
	w.p.patience = time.Minute
	done := make(chan string)
	go func() { done <- w.delete(w.by["igw"]) }()
	if refused := w.delete(w.by["nat"]); refused != "" {
		t.Error(refused)
	}
	if refused := <-done; refused != "" {
		t.Error(refused)
	}
}

func TestImport(t *testing.T) {
	w := newWorld(t)
	for key, id := range map[string]string{
		"vpc":         w.id("vpc"),
		"route":       w.id("table") + "_0.0.0.0/0",
		"association": w.id("publicA") + "/" + w.id("table"),
		"rule":        w.id("group") + "_ingress_tcp_30000_32767_" + w.id("balancerGroup"),
		"schedule":    w.id("scaled") + "/night",
		"policy":      w.id("scaled") + "/" + w.id("policy"),
		"balancer":    w.id("balancer"),
		"repository":  w.id("repository"),
		"alias":       w.id("alias"),
	} {
		m := w.by[key]
		r, err := w.p.Read(context.Background(), &pulumirpc.ReadRequest{Urn: urnOf(m.Token, m.Name), Id: id})
		if err != nil || r.GetId() != m.ID {
			t.Errorf("%s: import %s: %q, %v; want %s", m.Token, id, r.GetId(), err, m.ID)
		}
	}
}
