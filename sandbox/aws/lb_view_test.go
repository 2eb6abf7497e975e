package aws

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"math/big"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/slipway-iac/slipway/sandbox/kube/view"
)

// balancers is what the world's account tells of its load balancers.
func (w *world) balancers() ([]LoadBalancer, []TargetGroup) {
	w.t.Helper()
	b, g, err := w.p.account.LoadBalancers()
	if err != nil {
		w.t.Fatal(err)
	}
	return b, g
}

func TestLoadBalancersOfTheWorld(t *testing.T) {
	w := newWorld(t)
	w.create(loadBalancerToken, "n", object{"loadBalancerType": "network", "subnetMappings": list(object{"subnetId": w.id("publicA")})})
	w.create(targetGroupToken, "unused", object{"port": 80.0, "protocol": "HTTP", "vpcId": w.id("vpc")})
	balancers, groups := w.balancers()
	want := []LoadBalancer{{
		ARN: w.id("balancer"), Name: w.out("balancer", "name"), DNSName: w.out("balancer", "dnsName"), Names: []string{"www.example.com"},
		IdleTimeout: time.Minute, HTTP2: true, DropInvalidHeaders: true, ForwardedFor: "append",
		Listeners: []Listener{
			{ARN: w.id("http"), Protocol: "HTTP", Port: 80, ClientCertificates: "off", Rules: []Rule{{ARN: w.id("http"), Name: "http", Actions: []Action{{
				Kind: "redirect", Redirect: Redirect{"HTTPS", "#{host}", "443", "/#{path}", "#{query}", 301}, Fixed: FixedResponse{Status: 200},
			}}}}},
			{
				ARN: w.id("https"), Protocol: "HTTPS", TLSPolicy: "ELBSecurityPolicy-TLS13-1-2-2021-06", Port: 443, ClientCertificates: "off",
				Certificates: []Certificate{{w.id("certificate"), []string{"example.com", "*.example.com"}}, {w.id("otherCertificate"), []string{"example.com"}}},
				Rules: []Rule{
					{
						ARN: w.id("listenerRule"), Name: "listenerRule", Priority: 10, Conditions: []Condition{{Kind: "hostHeader", Values: []string{"www.example.com"}}},
						Actions: []Action{{Kind: "forward", Forward: []Share{{w.id("targets"), 1}}, Redirect: Redirect{Status: 301}, Fixed: FixedResponse{Status: 200}}},
					},
					{ARN: w.id("https"), Name: "https", Actions: []Action{{
						Kind: "fixed-response", Redirect: Redirect{Status: 301}, Fixed: FixedResponse{Status: 404, ContentType: "text/plain"},
					}}},
				},
			},
		},
	}}
	if !reflect.DeepEqual(balancers, want) {
		t.Errorf("load balancers\n%+v\nwant\n%+v", balancers, want)
	}
	wantGroups := []TargetGroup{{
		ARN: w.id("targets"), Name: w.out("targets", "name"), Type: "instance", Protocol: "HTTP", Version: "HTTP1", Port: 30080, Algorithm: "round_robin", Deregistration: 30 * time.Second,
		Check:      HealthCheck{Enabled: true, Protocol: "HTTP", Port: "traffic-port", Path: "/healthz", Matcher: "200", Interval: 10 * time.Second, Timeout: 5 * time.Second, Healthy: 3, Unhealthy: 3},
		MinHealthy: 1, ScalingGroups: []ScalingGroup{{Name: w.id("scaled"), Desired: 1}},
	}}
	if !reflect.DeepEqual(groups, wantGroups) {
		t.Errorf("target groups\n%+v\nwant\n%+v", groups, wantGroups)
	}
}

func TestEveryKindOfRule(t *testing.T) {
	w := newWorld(t)
	rule := func(name string, priority float64, condition, action object) {
		t.Helper()
		w.create(listenerRuleToken, name, object{"listenerArn": w.id("https"), "priority": priority, "conditions": list(condition), "actions": list(action)})
	}
	shares := list(object{"arn": w.id("targets"), "weight": 0.0}, object{"arn": w.id("addresses"), "weight": 999.0})
	rule("last", 900, object{"httpHeader": object{"httpHeaderName": "X-A", "values": list("b*")}}, object{
		"type": "forward", "forward": object{"targetGroups": shares, "stickiness": object{"enabled": true, "duration": 60.0}},
	})
	rule("first", 1, object{"queryStrings": list(object{"key": "a", "value": "b"}, object{"value": "c"})}, object{"type": "redirect", "redirect": object{"statusCode": "HTTP_302", "path": "/new", "query": ""}})
	rule("middle", 500, object{"sourceIp": object{"values": list("192.0.2.0/24")}}, object{
		"type": "fixed-response", "fixedResponse": object{"contentType": "text/plain", "messageBody": "no", "statusCode": "503"},
	})
	balancers, groups := w.balancers()
	rules := balancers[0].Listeners[1].Rules
	var names []string
	for _, r := range rules {
		names = append(names, r.Name)
	}
	if want := []string{"first", "listenerRule", "middle", "last", "https"}; !reflect.DeepEqual(names, want) {
		t.Fatalf("the order is %q, want %q", names, want)
	}
	if c := rules[0].Conditions[0]; c.Kind != "queryStrings" || !reflect.DeepEqual(c.Queries, []Query{{"a", "b"}, {"", "c"}}) {
		t.Errorf("query condition %+v", c)
	}
	if r := rules[0].Actions[0].Redirect; r != (Redirect{"#{protocol}", "#{host}", "#{port}", "/new", "", 302}) {
		t.Errorf("redirect %+v", r)
	}
	if f := rules[2].Actions[0].Fixed; f != (FixedResponse{503, "text/plain", "no"}) {
		t.Errorf("fixed response %+v", f)
	}
	if c := rules[3].Conditions[0]; c.Kind != "httpHeader" || c.Header != "X-A" || !reflect.DeepEqual(c.Values, []string{"b*"}) {
		t.Errorf("header condition %+v", c)
	}
	for on, want := range map[bool]time.Duration{true: time.Minute, false: 0} {
		forward := object{"type": "forward", "forward": object{"targetGroups": shares, "stickiness": object{"enabled": on, "duration": 60.0}}}
		if a := actionsOf(list(forward))[0]; a.StickyFor != want {
			t.Errorf("with stickiness %t clients stick for %s, want %s", on, a.StickyFor, want)
		}
	}
	if a := rules[3].Actions[0]; a.StickyFor != time.Minute || !reflect.DeepEqual(a.Forward, []Share{{w.id("targets"), 0}, {w.id("addresses"), 999}}) {
		t.Errorf("forward %+v", a)
	}
	i := 0
	if groups[1].ARN == w.id("addresses") {
		i = 1
	}
	if g := groups[i]; g.Type != "ip" || !reflect.DeepEqual(g.Targets, []Target{{"10.0.2.7", 8000}}) {
		t.Errorf("target group of addresses %+v", g)
	}
}

func TestTargetGroupSettings(t *testing.T) {
	w := newWorld(t)
	w.revises([]revision{{"targets", object{
		"stickiness":        object{"type": "app_cookie", "cookieName": "session", "cookieDuration": 60.0},
		"targetGroupHealth": object{"unhealthyStateRouting": object{"minimumHealthyTargetsCount": 2.0, "minimumHealthyTargetsPercentage": "50"}},
	}, nil}})
	_, groups := w.balancers()
	if g := groups[0]; g.Sticky != (Stickiness{"app_cookie", "session", time.Minute}) || g.MinHealthy != 2 || g.MinHealthyPercent != 50 {
		t.Errorf("%+v", g)
	}
	w.revises([]revision{{"targets", object{"stickiness": object{"type": "lb_cookie", "enabled": false}}, nil}})
	if _, groups = w.balancers(); groups[0].Sticky.Cookie != "" {
		t.Errorf("stickiness that is off: %+v", groups[0].Sticky)
	}
}

// The instances of a node group are known by its name, whichever way its auto scaling group is attached.
func TestScalingGroupOfANodeGroup(t *testing.T) {
	w := newClusterWorld(t)
	group := autoScalingGroupOf(&Object{Outputs: w.by["nodes"].Out})
	balancer := w.create(loadBalancerToken, "door", object{"subnets": list(w.id("publicA"), w.id("publicB"))})
	targets := w.create(targetGroupToken, "web", object{"port": 30080.0, "protocol": "HTTP", "vpcId": w.id("vpc")})
	w.create(groupAttachmentToken, "a", object{"autoscalingGroupName": group, "lbTargetGroupArn": targets.ID})
	w.create(listenerToken, "l", object{"loadBalancerArn": balancer.ID, "port": 80.0, "protocol": "HTTP", "defaultActions": forward(targets.ID)})
	w.create(autoScalingGroupToken, "own", object{
		"minSize": 3.0, "maxSize": 4.0, "vpcZoneIdentifiers": list(w.id("privateA")), "launchTemplate": object{"id": w.id("template")}, "targetGroupArns": list(targets.ID), "name": "own",
	})
	w.create(autoScalingGroupToken, "traffic", object{
		"minSize": 1.0, "maxSize": 4.0, "vpcZoneIdentifiers": list(w.id("privateA")), "launchTemplate": object{"id": w.id("template")}, "name": "traffic",
		"trafficSources": list(object{"identifier": targets.ID, "type": "elbv2"}),
	})
	w.create(autoScalingGroupToken, "stranger", object{
		"minSize": 1.0, "maxSize": 4.0, "vpcZoneIdentifiers": list(w.id("privateA")), "launchTemplate": object{"id": w.id("template")},
	})
	_, groups := w.balancers()
	node, _ := w.by["nodes"].Out["nodeGroupName"].(string)
	want := []ScalingGroup{{Name: group, NodeGroup: node, Desired: 2}, {Name: "own", Desired: 3}, {Name: "traffic", Desired: 1}}
	if node == "" || !reflect.DeepEqual(groups[0].ScalingGroups, want) {
		t.Errorf("%+v, want %+v", groups[0].ScalingGroups, want)
	}
}

func TestNamesThatLeadToALoadBalancer(t *testing.T) {
	w := newWorld(t)
	zone, refused := w.invoke("aws:route53/getZone:getZone", object{"name": "example.com"})
	if refused != "" {
		t.Fatal(refused)
	}
	record := func(name, kind string, more object) {
		t.Helper()
		more["zoneId"], more["name"], more["type"] = zone["zoneId"], name, kind
		w.create(recordToken, name+kind, more)
	}
	record("*.example.com", "A", object{"aliases": list(object{"name": "dualstack." + w.out("balancer", "dnsName"), "zoneId": w.out("balancer", "zoneId"), "evaluateTargetHealth": false})})
	record("shop.example.com", "CNAME", object{"records": list("WWW.example.com."), "ttl": 60.0})
	record("store.example.com", "CNAME", object{"records": list("shop.example.com"), "ttl": 60.0})
	record("other.example.com", "A", object{"records": list("192.0.2.1"), "ttl": 60.0})
	balancers, _ := w.balancers()
	if want := []string{"*.example.com", "shop.example.com", "store.example.com", "www.example.com"}; !reflect.DeepEqual(balancers[0].Names, want) {
		t.Errorf("%q, want %q", balancers[0].Names, want)
	}
}

func TestNamesOfAnImportedCertificate(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"a.example", "*.b.example"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	body := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	for text, want := range map[string][]string{body: template.DNSNames, body[:100]: nil, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n": nil} {
		o := &Object{Inputs: object{"certificateBody": text}, Outputs: object{"domainName": ""}}
		if got := certificateNames(o); !reflect.DeepEqual(got, want) {
			t.Errorf("%d bytes name %q, want %q", len(text), got, want)
		}
	}
}

// Whoever looks waits for nobody, and leaves nothing behind.
func TestLoadBalancersOnlyReads(t *testing.T) {
	w := newWorld(t)
	before, err := os.ReadFile(w.p.account.File())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.p.account.Do("us-west-2", func(*Tx) error {
		_, _, err := w.p.account.LoadBalancers() // while another holds the lock
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(w.p.account.File()); err != nil || string(after) != string(before) {
		t.Errorf("the account has changed (%v)", err)
	}
}

// The controller in Kubernetes has to know of every target group, and whether anything forwards to it: a weight of 0 is enough.
func TestKubernetesSeesTargetGroups(t *testing.T) {
	w := newWorld(t)
	group := func(name string, more object) {
		in := object{"name": name, "port": 80.0, "protocol": "HTTP", "vpcId": w.id("vpc"), "targetType": "ip"}
		maps.Copy(in, more)
		w.add(name, targetGroupToken, in)
	}
	group("heavy", object{"healthCheck": object{"path": "/ready", "interval": 7.0, "timeout": 3.0, "matcher": "200-299"}})
	group("light", nil)
	group("unused", nil)
	w.add("weights", listenerRuleToken, object{
		"listenerArn": w.id("https"), "priority": 77.0, "conditions": list(object{"pathPattern": object{"values": list("/w")}}),
		"actions": list(object{"type": "forward", "forward": object{"targetGroups": list(object{"arn": w.id("heavy"), "weight": 1.0}, object{"arn": w.id("light"), "weight": 0.0})}}),
	})
	if err := w.p.account.Do("us-west-2", func(tx *Tx) error {
		v := KubeView(tx)
		cidr := tx.Find(vpcToken, "id", w.id("vpc")).Str("cidrBlock")
		got := v.TargetGroup(w.id("heavy"))
		want := view.TargetGroup{
			ARN: w.id("heavy"), Name: "heavy", Type: "ip", IPAddressType: "ipv4", VPC: w.id("vpc"), VPCCidr: cidr, Version: "HTTP1", InUse: true,
			Check: HealthCheck{Enabled: true, Protocol: "HTTP", Port: "traffic-port", Path: "/ready", Matcher: "200-299", Interval: 7 * time.Second, Timeout: 3 * time.Second, Healthy: 3, Unhealthy: 3},
		}
		if got == nil || *got != want || cidr == "" {
			t.Errorf("got %+v, want %+v", got, want)
		}
		for name, used := range map[string]bool{"light": true, "unused": false} {
			if g := v.TargetGroup(w.id(name)); g == nil || g.InUse != used {
				t.Errorf("%s is %+v, in use: want %t", name, g, used)
			}
		}
		if g := v.TargetGroup(w.id("targets")); g == nil || g.Type != "instance" || !g.InUse {
			t.Errorf("the group of a listener's rules is %+v", g)
		}
		if v.TargetGroup("other") != nil {
			t.Error("a group out of nothing")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
