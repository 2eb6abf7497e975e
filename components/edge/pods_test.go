package edge_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/components/edge"
	"github.com/slipway-iac/slipway/internal/recorder"
	"github.com/slipway-iac/slipway/target"
)

// toPods makes the typical door with pods as targets, of which two apps listen on the same port.
func toPods(r *recorder.Recorder, kind target.Type, change func(*edge.HttpsLoadBalancerArgs)) (*recorder.Recorder, error) {
	args := typical()
	args.TargetType, args.Namespace, args.ClusterName, args.AutoScalingGroupNames = kind, pulumi.String("example"), pulumi.String("prod"), nil
	for i, port := range []int{8000, 8000, 9000} {
		r := &args.Routes[i]
		r.NodePort, r.Service = nil, &edge.Service{Name: pulumi.String(r.Name + "-service"), PodPort: port}
	}
	if change != nil {
		change(args)
	}
	var refused error
	err := r.Run(func(ctx *pulumi.Context) error {
		var cluster pulumi.ProviderResourceState
		if err := ctx.RegisterResource("pulumi:providers:kubernetes", "cluster", nil, &cluster); err != nil {
			return err
		}
		_, refused = edge.NewHttpsLoadBalancer(ctx, "door", args, pulumi.Providers(&cluster))
		return refused
	})
	return r, cmp.Or(refused, err)
}

func TestPodsAreReachedAtTheirOwnPort(t *testing.T) {
	for kind, api := range map[target.Type]string{target.IP: "elbv2.k8s.aws/v1beta1", target.AutoModeIP: "eks.amazonaws.com/v1"} {
		r, err := toPods(account(), kind, nil)
		if err != nil {
			t.Fatal(kind, err)
		}
		var ways, bindings []string
		for _, a := range r.Seen() {
			switch a.TypeToken {
			case attachmentType:
				t.Errorf("%s: %s registers nodes", kind, a.Name)
			case groupType:
				tag := a.Inputs["tags"].ObjectValue()["eks:eks-cluster-name"]
				if a.Inputs["targetType"].StringValue() != "ip" || tag.IsString() != (kind == target.AutoModeIP) {
					t.Errorf("%s: %s is %v", kind, a.Name, a.Inputs)
				}
			case egressType, ingressType:
				if strings.HasPrefix(a.Name, "door-pods.") {
					ways = append(ways, a.Name)
				}
			case "kubernetes:" + api + ":TargetGroupBinding":
				spec := a.Inputs["spec"].ObjectValue()
				ref := spec["serviceRef"].ObjectValue()
				bindings = append(bindings, a.Name+" "+ref["name"].StringValue()+" "+spec["targetGroupARN"].StringValue())
				if !strings.Contains(a.Provider, "::cluster::") {
					t.Errorf("%s: %s has the provider %q", kind, a.Name, a.Provider)
				}
			}
		}
		slices.Sort(ways)
		slices.Sort(bindings)
		if got, want := strings.Join(ways, " "), "door-pods.8000-in door-pods.8000-out door-pods.9000-in door-pods.9000-out"; got != want {
			t.Errorf("%s: ways %s", kind, got)
		}
		if got, want := strings.Join(bindings, ", "), "door-frontend frontend-service arn:door-frontend, door-thoughts thoughts-service arn:door-thoughts, door-users users-service arn:door-users"; got != want {
			t.Errorf("%s: bindings %s", kind, got)
		}
	}
}

// A rule waits for the binding and for the ways to all pods; a binding never waits for a rule, nor for pods.
func TestTheRuleWaitsForTheBinding(t *testing.T) {
	r, err := toPods(account(), target.IP, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range r.Seen() {
		if a.TypeToken != ruleType || a.Name == "door-rest" {
			continue
		}
		deps := strings.Join(a.RegisterRPC.GetDependencies(), " ")
		for _, want := range []string{"TargetGroupBinding::" + a.Name, "-in", "-out"} {
			if !strings.Contains(deps+" ", want) {
				t.Errorf("%s does not wait for %s: %s", a.Name, want, deps)
			}
		}
	}
}

func TestPodsThatCannotBeReached(t *testing.T) {
	_, err := toPods(account(), target.AutoModeIP, func(args *edge.HttpsLoadBalancerArgs) {
		args.Namespace, args.ClusterName = nil, nil
		args.Routes[0].Service = nil
		args.Routes[1].Service = &edge.Service{Port: 70000}
		args.Routes[3].Service = &edge.Service{Name: pulumi.String("x"), PodPort: 1}
	})
	if want := `slipway:index:HttpsLoadBalancer "door" has 7 invalid argument(s):
  namespace is required, for example namespace.Name, where targetType is auto-mode-ip
  clusterName is required, for example cluster.ClusterName, where targetType is auto-mode-ip
  routes[0].service is required, for example &edge.Service{Name: app.ServiceName, PodPort: 8000}: requests go to pods
  routes[1].service.name is required, for example the ServiceName of the app
  routes[1].service.port is 70000, must be 1 to 65535
  routes[1].service.podPort is required, for example 8000
  routes[3].service must be left out with sameTargetAs: route "frontend" says it`; err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
	args := typical()
	args.TargetType, args.Namespace = target.IP, pulumi.String("example")
	if err := run(account(), args); err == nil || !strings.Contains(err.Error(), "provider is required: a Kubernetes provider") {
		t.Errorf("without a provider: %v", err)
	}
	args.TargetType = "pods"
	if err := run(account(), args); err == nil || !strings.Contains(err.Error(), `targetType is "pods", must be one of "instance", "ip", "auto-mode-ip"`) {
		t.Errorf("an unknown type: %v", err)
	}
}

// Before anything exists a preview shows the same.
func TestPodsInAPreview(t *testing.T) {
	made, err := toPods(account(), target.IP, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := account()
	r.Preview = true
	_, err = toPods(r, target.IP, func(args *edge.HttpsLoadBalancerArgs) {
		for i := range 3 {
			args.Routes[i].Service.Name = pulumi.UnsafeUnknownOutput(nil).ApplyT(func(any) string { return "" }).(pulumi.StringOutput)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.Tree() != made.Tree() {
		t.Errorf("previewed\n%s\nmade\n%s", r.Tree(), made.Tree())
	}
}
