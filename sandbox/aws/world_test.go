package aws

import (
	"context"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
)

// world is an account that holds at least one of each type of network, load balancing, scaling, registry, certificates and
// DNS, as a stack would make them.
type world struct {
	*harness
	by    map[string]*made
	in    map[string]object
	order []string
}

func (w *world) add(key, token string, in object) *made {
	w.t.Helper()
	w.by[key], w.in[key] = w.create(token, key, clone(in)), in
	w.order = append(w.order, key)
	return w.by[key]
}

// out is an output as text.
func (w *world) out(key, name string) string { s, _ := w.by[key].Out[name].(string); return s }

func (w *world) id(key string) string { return w.by[key].ID }

// clone is a deep copy: the checks fill defaults into what they are given.
func clone(v object) object {
	return copied(v).(object)
}

func copied(v any) any {
	switch v := v.(type) {
	case object:
		out := object{}
		for k, e := range v {
			out[k] = copied(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = copied(e)
		}
		return out
	}
	return v
}

// changed is the inputs of a resource with some changed; nil takes one out.
func (w *world) changed(key string, change object) object {
	w.t.Helper()
	if w.in[key] == nil {
		w.t.Fatalf("no %q in the world", key)
	}
	out := clone(w.in[key])
	for k, v := range change {
		if out[k] = v; v == nil {
			delete(out, k)
		}
	}
	return out
}

// snapshot is a world that is built once, and opened by each test that begins with it: making it takes a hundred writes
// to disk.
type snapshot struct {
	once  sync.Once
	build func(w *world)
	file  []byte
	made  *world
}

var (
	networkSnapshot  = &snapshot{build: (*world).addNetwork}
	registrySnapshot = &snapshot{build: (*world).addRegistry}
	worldSnapshot    = &snapshot{build: (*world).addAll}
)

func newNetwork(t *testing.T) *world  { t.Helper(); return networkSnapshot.open(t) }
func newRegistry(t *testing.T) *world { t.Helper(); return registrySnapshot.open(t) }
func newWorld(t *testing.T) *world    { t.Helper(); return worldSnapshot.open(t) }

func (s *snapshot) open(t *testing.T) *world {
	t.Helper()
	s.once.Do(func() {
		w := &world{harness: newHarness(t), by: map[string]*made{}, in: map[string]object{}}
		s.build(w)
		file, err := os.ReadFile(w.p.account.File())
		if err != nil {
			t.Fatal(err)
		}
		s.file, s.made = file, w
	})
	if s.made == nil {
		t.Fatal("the world of these tests could not be made: see the first test that failed")
	}
	w := &world{harness: newHarness(t), by: map[string]*made{}, in: map[string]object{}, order: slices.Clone(s.made.order)}
	for key, m := range s.made.by {
		w.by[key] = &made{Token: m.Token, Name: m.Name, ID: m.ID, in: proto.Clone(m.in).(*structpb.Struct), Out: clone(m.Out)}
		w.in[key] = clone(s.made.in[key])
	}
	if err := os.WriteFile(w.p.account.File(), s.file, 0o600); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) addNetwork() {
	w.add("vpc", vpcToken, object{"cidrBlock": "10.0.0.0/16", "enableDnsHostnames": true, "tags": object{"Name": "main"}})
	w.add("igw", internetGatewayToken, object{"vpcId": w.id("vpc")})
	w.add("publicA", subnetToken, object{"vpcId": w.id("vpc"), "cidrBlock": "10.0.0.0/24", "availabilityZone": "us-west-2a", "mapPublicIpOnLaunch": true})
	w.add("publicB", subnetToken, object{"vpcId": w.id("vpc"), "cidrBlock": "10.0.1.0/24", "availabilityZone": "us-west-2b"})
	w.add("privateA", subnetToken, object{"vpcId": w.id("vpc"), "cidrBlock": "10.0.2.0/24", "availabilityZone": "us-west-2a"})
	w.add("eip", eipToken, object{"domain": "vpc"})
	w.add("nat", natGatewayToken, object{"allocationId": w.id("eip"), "subnetId": w.id("publicA")})
	w.add("table", routeTableToken, object{"vpcId": w.id("vpc")})
	w.add("inline", routeTableToken, object{"vpcId": w.id("vpc"), "routes": list(object{"cidrBlock": "0.0.0.0/0", "natGatewayId": w.id("nat")})})
	w.add("route", routeToken, object{"routeTableId": w.id("table"), "destinationCidrBlock": "0.0.0.0/0", "gatewayId": w.id("igw")})
	w.add("association", routeTableAssociationToken, object{"routeTableId": w.id("table"), "subnetId": w.id("publicA")})
	w.add("main", mainAssociationToken, object{"routeTableId": w.id("inline"), "vpcId": w.id("vpc")})
	w.add("group", securityGroupToken, object{"vpcId": w.id("vpc"), "description": "nodes"})
	w.add("balancerGroup", securityGroupToken, object{"vpcId": w.id("vpc"), "ingress": list(object{"fromPort": 443.0, "toPort": 443.0, "protocol": "tcp", "cidrBlocks": list("0.0.0.0/0")})})
	w.add("rule", securityGroupRuleToken, object{
		"securityGroupId": w.id("group"), "type": "ingress", "protocol": "tcp", "fromPort": 30000.0, "toPort": 32767.0, "sourceSecurityGroupId": w.id("balancerGroup"),
	})
	w.add("ingress", ingressRuleToken, object{"securityGroupId": w.id("group"), "ipProtocol": "tcp", "fromPort": 443.0, "toPort": 443.0, "cidrIpv4": "10.0.0.0/16"})
	w.add("egress", egressRuleToken, object{"securityGroupId": w.id("group"), "ipProtocol": "-1", "cidrIpv4": "0.0.0.0/0"})
	w.add("default", defaultSecurityGroupToken, object{"vpcId": w.id("vpc")})
	w.add("endpoint", vpcEndpointToken, object{"vpcId": w.id("vpc"), "serviceName": "com.amazonaws.us-west-2.s3", "routeTableIds": list(w.id("inline"))})
	w.add("template", launchTemplateToken, object{
		"instanceType": "m5.large", "imageId": "ami-0123456789abcdef0", "metadataOptions": object{"httpTokens": "required", "httpPutResponseHopLimit": 1.0},
		"blockDeviceMappings": list(object{"deviceName": "/dev/xvda", "ebs": object{"volumeType": "gp3", "volumeSize": 80.0, "encrypted": "true"}}),
	})
}

func (w *world) addRegistry() {
	w.add("repository", repositoryToken, object{"imageTagMutability": "IMMUTABLE", "imageScanningConfiguration": object{"scanOnPush": true}, "encryptionConfigurations": list(object{"encryptionType": "AES256"})})
	w.add("lifecycle", lifecyclePolicyToken, object{"repository": w.id("repository"), "policy": expireUntagged(1, "untagged", 7)})
	w.add("repositoryPolicy", repositoryPolicyToken, object{"repository": w.id("repository"), "policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"ecr:GetDownloadUrlForLayer"}]}`})
	w.add("scanning", scanningToken, object{"scanType": "ENHANCED", "rules": list(object{
		"scanFrequency": "CONTINUOUS_SCAN", "repositoryFilters": list(object{"filter": "*", "filterType": "WILDCARD"}),
	})})
	w.add("replication", replicationToken, object{"replicationConfiguration": object{"rules": list(object{
		"destinations": list(object{"region": "eu-west-1", "registryId": "210987654321"}), "repositoryFilters": list(object{"filter": "frontend", "filterType": "PREFIX_MATCH"}),
	})}})
	w.add("pullThrough", pullThroughToken, object{"ecrRepositoryPrefix": "k8s", "upstreamRegistryUrl": "registry.k8s.io"})
}

func (w *world) addAll() {
	w.addNetwork()
	w.addRegistry()
	zone, refused := w.invoke("aws:route53/getZone:getZone", object{"name": "example.com"})
	if refused != "" {
		w.t.Fatal(refused)
	}
	w.add("zone", zoneToken, object{"name": "inside.example.net"})
	w.add("certificate", certificateToken, object{"domainName": "example.com", "subjectAlternativeNames": list("*.example.com"), "validationMethod": "DNS"})
	option := objects(w.by["certificate"].Out["domainValidationOptions"])[0]
	w.add("proof", recordToken, object{
		"zoneId": zone["zoneId"], "name": option["resourceRecordName"], "type": option["resourceRecordType"], "records": list(option["resourceRecordValue"]), "ttl": 60.0,
	})
	w.add("validation", certificateValidationToken, object{"certificateArn": w.id("certificate"), "validationRecordFqdns": list(w.out("proof", "fqdn"))})
	w.add("balancer", loadBalancerToken, object{"subnets": list(w.id("publicA"), w.id("publicB")), "securityGroups": list(w.id("balancerGroup")), "dropInvalidHeaderFields": true})
	w.add("bucket", bucketToken, object{"bucket": "logs"})
	w.add("bucketPolicy", bucketPolicyToken, object{"bucket": "logs", "policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"logdelivery.elasticloadbalancing.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::logs/*"}]}`})
	w.add("bucketBlock", bucketBlockToken, object{"bucket": "logs", "blockPublicAcls": true, "blockPublicPolicy": true, "ignorePublicAcls": true, "restrictPublicBuckets": true})
	w.add("bucketEncryption", bucketEncryptionToken, object{"bucket": "logs", "rules": list(object{"applyServerSideEncryptionByDefault": object{"sseAlgorithm": "AES256"}})})
	w.add("bucketOwnership", bucketOwnershipToken, object{"bucket": "logs", "rule": object{"objectOwnership": "BucketOwnerEnforced"}})
	w.add("bucketLifecycle", bucketLifecycleToken, object{"bucket": "logs", "rules": list(object{"id": "old", "status": "Enabled", "expiration": object{"days": 90.0}})})
	w.add("parameter", parameterToken, object{"name": "/proxy/config", "type": "String", "insecureValue": "one"})
	w.add("waf", webAclAssociationToken, object{"resourceArn": w.id("balancer"), "webAclArn": "arn:aws:wafv2:us-west-2:123456789012:regional/webacl/site/0a1b"})
	w.add("targets", targetGroupToken, object{"port": 30080.0, "protocol": "HTTP", "vpcId": w.id("vpc"), "deregistrationDelay": 30.0, "healthCheck": object{"path": "/healthz", "interval": 10.0}})
	w.add("addresses", targetGroupToken, object{"port": 8000.0, "protocol": "HTTP", "vpcId": w.id("vpc"), "targetType": "ip"})
	w.add("target", targetGroupAttachmentToken, object{"targetGroupArn": w.id("addresses"), "targetId": "10.0.2.7"})
	w.add("https", listenerToken, object{
		"loadBalancerArn": w.id("balancer"), "port": 443.0, "protocol": "HTTPS", "certificateArn": w.id("certificate"), "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
		"defaultActions": list(object{"type": "fixed-response", "fixedResponse": object{"contentType": "text/plain", "statusCode": "404"}}),
	})
	w.add("http", listenerToken, object{
		"loadBalancerArn": w.id("balancer"), "port": 80.0, "protocol": "HTTP",
		"defaultActions": list(object{"type": "redirect", "redirect": object{"protocol": "HTTPS", "port": "443", "statusCode": "HTTP_301"}}),
	})
	w.add("listenerRule", listenerRuleToken, object{
		"listenerArn": w.id("https"), "priority": 10.0, "conditions": list(object{"hostHeader": object{"values": list("www.example.com")}}),
		"actions": list(object{"type": "forward", "forward": object{"targetGroups": list(object{"arn": w.id("targets"), "weight": 1.0})}}),
	})
	w.add("otherCertificate", certificateToken, object{"domainName": "example.com", "validationMethod": "DNS"})
	w.add("otherValidation", certificateValidationToken, object{"certificateArn": w.id("otherCertificate")})
	w.add("listenerCertificate", listenerCertificateToken, object{"listenerArn": w.id("https"), "certificateArn": w.id("otherCertificate")})
	w.add("alias", recordToken, object{
		"zoneId": zone["zoneId"], "name": "www.example.com", "type": "A",
		"aliases": list(object{"name": w.out("balancer", "dnsName"), "zoneId": w.out("balancer", "zoneId"), "evaluateTargetHealth": true}),
	})
	w.add("scaled", autoScalingGroupToken, object{
		"minSize": 1.0, "maxSize": 4.0, "vpcZoneIdentifiers": list(w.id("privateA")), "launchTemplate": object{"id": w.id("template"), "version": "$Latest"},
	})
	w.add("attachment", groupAttachmentToken, object{"autoscalingGroupName": w.id("scaled"), "lbTargetGroupArn": w.id("targets")})
	w.add("schedule", scheduleToken, object{
		"autoscalingGroupName": w.id("scaled"), "scheduledActionName": "night", "recurrence": "0 20 * * MON-FRI", "timeZone": "Europe/Berlin",
		"minSize": 0.0, "maxSize": 4.0, "desiredCapacity": 0.0,
	})
	w.add("tag", tagToken, object{"resourceId": w.id("publicA"), "key": "kubernetes.io/role/elb", "value": "1"})
	w.add("scaledTag", autoScalingTagToken, object{"autoscalingGroupName": w.id("scaled"), "tag": object{"key": "team", "value": "web", "propagateAtLaunch": true}})
	w.add("alarm", metricAlarmToken, object{
		"comparisonOperator": "GreaterThanThreshold", "evaluationPeriods": 3.0, "metricName": "CPUUtilization", "namespace": "AWS/EC2", "period": 60.0, "statistic": "Average", "threshold": 80.0,
	})
	w.add("hook", lifecycleHookToken, object{
		"autoscalingGroupName": w.id("scaled"), "lifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING", "heartbeatTimeout": 45.0, "defaultResult": "CONTINUE",
	})
	w.add("policy", scalingPolicyToken, object{
		"autoscalingGroupName": w.id("scaled"), "policyType": "TargetTrackingScaling",
		"targetTrackingConfiguration": object{"targetValue": 60.0, "predefinedMetricSpecification": object{"predefinedMetricType": "ASGAverageCPUUtilization"}},
	})
}

// refusal is a resource like the one named key, but for a change, that the account must not take.
type refusal struct {
	key    string
	change object
	want   string
}

func (w *world) refuses(cases []refusal) {
	w.t.Helper()
	for _, c := range cases {
		if _, got := w.try(w.by[c.key].Token, c.key+"-again", w.changed(c.key, c.change)); !strings.Contains(got, c.want) || got == "" {
			w.t.Errorf("%s changed by %v: refused with\n%q\nwant %s", c.key, c.change, got, c.want)
		}
	}
}

// revision is a change of the resource named key, and the properties because of which that replaces it. Where there are
// none, the update must be taken.
type revision struct {
	key      string
	change   object
	replaces []string
}

func (w *world) revises(cases []revision) {
	w.t.Helper()
	for _, c := range cases {
		m := w.by[c.key]
		in := w.changed(c.key, c.change)
		_, replaces := w.diff(m, clone(in))
		if !slices.Equal(slices.Compact(slices.Sorted(slices.Values(replaces))), slices.Sorted(slices.Values(c.replaces))) {
			w.t.Errorf("%s changed by %v: replaced for %q, want %q", c.key, c.change, replaces, c.replaces)
		}
		if len(c.replaces) == 0 {
			if refused := w.update(m, in); refused != "" {
				w.t.Errorf("%s changed by %v: refused: %s", c.key, c.change, refused)
			}
			w.in[c.key] = in
		}
	}
}

// previewUpdate is what a preview of that change tells.
func (w *world) previewUpdate(key string, change object) object {
	w.t.Helper()
	m := w.by[key]
	checked, wrong := w.check(m.Token, m.Name, m.in, w.changed(key, change))
	if wrong != "" {
		w.t.Fatal(wrong)
	}
	r, err := w.p.Update(context.Background(), &pulumirpc.UpdateRequest{
		Urn: urnOf(m.Token, m.Name), Id: m.ID, Olds: mustMarshal(w.t, m.Out), OldInputs: m.in, News: checked, Preview: true,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return mustUnmarshal(w.t, r.GetProperties())
}

// keeps tries to delete what the account must not let go.
func (w *world) keeps(key, want string) {
	w.t.Helper()
	if got := w.delete(w.by[key]); !strings.Contains(got, want) {
		w.t.Errorf("delete of %s: %q, want %s", key, got, want)
	}
}

func TestEverythingIsMadeAsPreviewedAndTakenDown(t *testing.T) {
	newWorld(t).madeAsPreviewedAndTakenDown()
	newClusterWorld(t).madeAsPreviewedAndTakenDown()
}

func (w *world) madeAsPreviewedAndTakenDown() {
	t := w.t
	t.Helper()
	for _, key := range w.order {
		m := w.by[key]
		checked, _ := w.check(m.Token, m.Name, nil, clone(w.in[key]))
		r, err := w.p.Create(context.Background(), &pulumirpc.CreateRequest{Urn: urnOf(m.Token, m.Name), Properties: checked, Preview: true})
		if err != nil {
			t.Fatal(err)
		}
		expected, err := unmarshal(r.GetProperties())
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range slices.Sorted(maps.Keys(expected)) {
			if _, ok := m.Out[name]; !ok {
				t.Errorf("%s: the preview announces %s, and it is not there", m.Token, name)
			}
		}
		for name := range m.Out {
			if _, ok := expected[name]; !ok {
				t.Errorf("%s: %s is there, and the preview does not announce it", m.Token, name)
			}
		}
		read, err := w.p.Read(context.Background(), &pulumirpc.ReadRequest{Urn: urnOf(m.Token, m.Name), Id: m.ID, Inputs: m.in, Properties: mustMarshal(t, m.Out)})
		if err != nil || read.GetId() != m.ID {
			t.Fatalf("%s: read: %v, id %q", m.Token, err, read.GetId())
		}
		if in, _ := unmarshal(read.GetInputs()); !reflect.DeepEqual(in, mustUnmarshal(t, m.in)) {
			t.Errorf("%s: a refresh changes the inputs to %v", m.Token, in)
		}
	}
	for _, key := range slices.Backward(w.order) {
		if refused := w.delete(w.by[key]); refused != "" {
			t.Errorf("delete of %s: %s", key, refused)
		}
	}
	left, err := w.p.account.Resources()
	if err != nil || len(left) > 0 {
		t.Errorf("left in the account: %v %v", left, err)
	}
}
