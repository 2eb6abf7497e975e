package edge

import (
	"maps"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/slipway-iac/slipway/sandbox/aws"
)

type object = map[string]any

func list(v ...any) []any { return v }

// account is made and changed as a stack does it: through the provider.
type account struct {
	*testing.T
	*aws.Account
	provider *aws.Provider
	made     map[string]*resource
	zone     string
}

type resource struct {
	urn, id       string
	in            object
	checked, outs *structpb.Struct
}

func (r *resource) out(name string) string { return r.outs.GetFields()[name].GetStringValue() }

func newAccount(t *testing.T) *account {
	t.Helper()
	opened, err := aws.OpenAccount(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	a := &account{T: t, Account: opened, provider: aws.New(opened), made: map[string]*resource{}}
	if _, err := a.provider.Configure(t.Context(), &pulumirpc.ConfigureRequest{Args: a.properties(object{"region": "us-west-2"})}); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *account) properties(in object) *structpb.Struct {
	a.Helper()
	s, err := structpb.NewStruct(in)
	if err != nil {
		a.Fatal(err)
	}
	return s
}

func (a *account) checked(urn string, olds *structpb.Struct, in object) *structpb.Struct {
	a.Helper()
	r, err := a.provider.Check(a.Context(), &pulumirpc.CheckRequest{Urn: urn, Olds: olds, News: a.properties(in), RandomSeed: []byte(urn)})
	if err != nil || len(r.GetFailures()) > 0 {
		a.Fatalf("%s: %v %v", urn, err, r.GetFailures())
	}
	return r.GetInputs()
}

func (a *account) create(token, name string, in object) *resource {
	a.Helper()
	r := &resource{urn: "urn:pulumi:stack::proj::" + token + "::" + name, in: in}
	r.checked = a.checked(r.urn, nil, in)
	c, err := a.provider.Create(a.Context(), &pulumirpc.CreateRequest{Urn: r.urn, Properties: r.checked})
	if err != nil {
		a.Fatalf("%s: %v", r.urn, err)
	}
	r.id, r.outs = c.GetId(), c.GetProperties()
	a.made[name] = r
	return r
}

// change updates a resource that was made.
func (a *account) change(name string, change object) {
	a.Helper()
	r := a.made[name]
	in := maps.Clone(r.in)
	maps.Copy(in, change)
	checked := a.checked(r.urn, r.checked, in)
	u, err := a.provider.Update(a.Context(), &pulumirpc.UpdateRequest{Urn: r.urn, Id: r.id, Olds: r.outs, OldInputs: r.checked, News: checked})
	if err != nil {
		a.Fatalf("%s: %v", r.urn, err)
	}
	r.in, r.checked, r.outs = in, checked, u.GetProperties()
}

func (a *account) delete(name string) {
	a.Helper()
	r := a.made[name]
	if _, err := a.provider.Delete(a.Context(), &pulumirpc.DeleteRequest{Urn: r.urn, Id: r.id, Properties: r.outs, OldInputs: r.checked}); err != nil {
		a.Fatalf("%s: %v", r.urn, err)
	}
}

func (a *account) id(name string) string { return a.made[name].id }

// network is what a load balancer stands on.
func (a *account) network() {
	a.Helper()
	a.create("aws:ec2/vpc:Vpc", "vpc", object{"cidrBlock": "10.0.0.0/16"})
	a.create("aws:ec2/internetGateway:InternetGateway", "gateway", object{"vpcId": a.id("vpc")})
	a.create("aws:ec2/subnet:Subnet", "a", object{"vpcId": a.id("vpc"), "cidrBlock": "10.0.0.0/24", "availabilityZone": "us-west-2a"})
	a.create("aws:ec2/subnet:Subnet", "b", object{"vpcId": a.id("vpc"), "cidrBlock": "10.0.1.0/24", "availabilityZone": "us-west-2b"})
	r, err := a.provider.Invoke(a.Context(), &pulumirpc.InvokeRequest{Tok: "aws:route53/getZone:getZone", Args: a.properties(object{"name": "example.com"})})
	if err != nil {
		a.Fatal(err)
	}
	a.zone = r.GetReturn().GetFields()["zoneId"].GetStringValue()
}

// certificate is an issued one for example.com and names below it.
func (a *account) certificate(name string, others ...any) {
	a.Helper()
	c := a.create("aws:acm/certificate:Certificate", name, object{"domainName": "example.com", "subjectAlternativeNames": others, "validationMethod": "DNS"})
	for _, o := range c.outs.GetFields()["domainValidationOptions"].GetListValue().GetValues() {
		f := o.GetStructValue().GetFields()
		a.create("aws:route53/record:Record", name+"-"+f["domainName"].GetStringValue(), object{
			"zoneId": a.zone, "name": f["resourceRecordName"].GetStringValue(), "type": "CNAME", "ttl": 60.0, "records": list(f["resourceRecordValue"].GetStringValue()), "allowOverwrite": true,
		})
	}
	a.create("aws:acm/certificateValidation:CertificateValidation", name+"-validation", object{"certificateArn": c.id})
}

// balancer is one with a listener at 443 that answers 404, one at 80 that redirects, and a name.
func (a *account) balancer(name, certificate, domain string) {
	a.Helper()
	b := a.create("aws:lb/loadBalancer:LoadBalancer", name, object{"name": name, "subnets": list(a.id("a"), a.id("b"))})
	a.create("aws:lb/listener:Listener", name+"-https", object{
		"loadBalancerArn": b.id, "port": 443.0, "protocol": "HTTPS", "certificateArn": a.id(certificate), "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
		"defaultActions": list(object{"type": "fixed-response", "fixedResponse": object{"contentType": "text/plain", "statusCode": "404", "messageBody": "nothing at " + name}}),
	})
	a.create("aws:lb/listener:Listener", name+"-http", object{
		"loadBalancerArn": b.id, "port": 80.0, "protocol": "HTTP",
		"defaultActions": list(object{"type": "redirect", "redirect": object{"protocol": "HTTPS", "port": "443", "statusCode": "HTTP_301"}}),
	})
	a.create("aws:route53/record:Record", domain, object{
		"zoneId": a.zone, "name": domain, "type": "A", "aliases": list(object{"name": b.out("dnsName"), "zoneId": b.out("zoneId"), "evaluateTargetHealth": true}),
	})
}

func (a *account) group(name string, port int, more object) {
	a.Helper()
	in := object{"name": name, "port": float64(port), "protocol": "HTTP", "vpcId": a.id("vpc")}
	maps.Copy(in, more)
	a.create("aws:lb/targetGroup:TargetGroup", name, in)
}

func (a *account) rule(name, listener string, priority int, condition object, action object) {
	a.Helper()
	a.create("aws:lb/listenerRule:ListenerRule", name, object{
		"listenerArn": a.id(listener), "priority": float64(priority), "conditions": list(condition), "actions": list(action),
	})
}

// forward is an action with a weight for each group.
func (a *account) forward(stickiness object, shares ...any) object {
	a.Helper()
	var groups []any
	for i := 0; i < len(shares); i += 2 {
		groups = append(groups, object{"arn": a.id(shares[i].(string)), "weight": float64(shares[i+1].(int))})
	}
	f := object{"targetGroups": groups}
	if stickiness != nil {
		f["stickiness"] = stickiness
	}
	return object{"type": "forward", "forward": f}
}

// nodeGroup is an auto scaling group of a node group. Both are put into the account directly: what EKS asks for beside them has
// nothing to do with load balancers.
func (a *account) nodeGroup(name string) {
	a.Helper()
	err := a.Do("us-west-2", func(tx *aws.Tx) error {
		group := &aws.Object{Type: "aws:eks/nodeGroup:NodeGroup", ID: "demo:" + name, Region: "us-west-2", Inputs: object{"nodeGroupName": name, "clusterName": "demo"}}
		tx.Add(group)
		tx.Add(&aws.Object{
			Type: "aws:autoscaling/group:Group", ID: "eks-" + name, Region: "us-west-2", Owner: group.Key(), Inputs: object{"name": "eks-" + name, "desiredCapacity": 2.0},
		})
		return nil
	})
	if err != nil {
		a.Fatal(err)
	}
}

func (a *account) attach(name, group string) {
	a.Helper()
	a.create("aws:autoscaling/attachment:Attachment", name+"."+group, object{"autoscalingGroupName": "eks-" + name, "lbTargetGroupArn": a.id(group)})
}
