package review

import (
	"cmp"
	"slices"
	"strings"
)

// What sets things back. A plain `pulumi up` compares the program with the state, and does not look at the cloud.
const (
	setsBack = "pulumi up --refresh"
	takeBack = "PULUMI_K8S_ENABLE_PATCH_FORCE=true pulumi up --refresh"
)

// strayed says what it means that a property of a type is not as the stack says. A * at the end of a type stands for any rest, a path for
// all below it; the first that fits counts.
var strayed = []struct{ token, path, means string }{
	{"kubernetes:apps/v1:*", "spec.replicas", "It runs another number of pods than the stack asks for."},
	{"kubernetes:apps/v1:*", "spec.template.spec.containers[*].image", "Its pods run another image than the one that was released."},
	{"kubernetes:apps/v1:*", "spec.template", "Its pods run with other settings than those that were released."},
	{"kubernetes:apps/v1:*", "spec.strategy", "A release rolls out otherwise than the stack says: it may lose requests."},
	{"kubernetes:core/v1:Service", "spec.ports", "Who asks it at the stack's port may get no answer, or another's."},
	{"kubernetes:core/v1:Service", "spec.selector", "Requests to it go to other pods, or to none."},
	{"kubernetes:core/v1:Service", "spec.type", "It is reachable from elsewhere than the stack says."},
	{"kubernetes:core/v1:Service", "spec.externalName", "Its name leads to another host."},
	{"kubernetes:core/v1:ConfigMap", "data", "Pods that start from now on read other values than those that were released."},
	{"kubernetes:core/v1:Secret", "data", "Pods that start from now on read other values than those that were released."},
	{"kubernetes:core/v1:Namespace", "metadata.labels", "Other rules may hold for its pods: Pod Security and network policies go by these labels."},
	{"kubernetes:networking.k8s.io/v1:NetworkPolicy", "spec", "Other connections are open or denied than the stack says."},
	{"kubernetes:networking.k8s.io/v1:Ingress", "spec", "Requests go elsewhere than the stack says."},
	{"kubernetes:autoscaling/v2:*", "spec", "The number of pods follows other bounds or targets."},
	{"kubernetes:policy/v1:PodDisruptionBudget", "spec", "Drains may stop more pods at once than the stack allows, or none at all."},
	{"kubernetes:rbac.authorization.k8s.io/*", "", "Others may do in the cluster what the stack does not allow, or may not what it does."},
	{"aws:autoscaling/group:Group", "", "The group starts nodes otherwise than the stack says."},
	{"aws:autoscaling/schedule:Schedule", "", "The number of nodes follows another calendar."},
	{"aws:eks/nodeGroup:NodeGroup", "scalingConfig", "The number of nodes has other bounds."},
	{"aws:eks/nodeGroup:NodeGroup", "labels", "Pods that choose their nodes by these labels may find none, or find others."},
	{"aws:eks/nodeGroup:NodeGroup", "taints", "Pods are kept off its nodes that the stack lets on, or the other way round."},
	{"aws:eks/nodeGroup:NodeGroup", "updateConfig", "An update takes away more or fewer nodes at once than the stack says."},
	{"aws:eks/cluster:Cluster", "vpcConfig", "The API server is reachable from elsewhere than the stack says."},
	{"aws:eks/cluster:Cluster", "version", "The control plane was upgraded by another; it never goes back: put the version into the program."},
	{"aws:eks/accessEntry:AccessEntry", "", "Others may do in the cluster what the stack does not allow."},
	{"aws:lb/listener:Listener", "sslPolicy", "Clients are offered other TLS versions and ciphers than the stack allows."},
	{"aws:lb/listener:Listener", "certificateArn", "Clients are shown another certificate."},
	{"aws:lb/listener:Listener", "", "Requests are answered otherwise than the stack says."},
	{"aws:lb/listenerRule:ListenerRule", "", "Requests go elsewhere than the stack says."},
	{"aws:lb/targetGroup:TargetGroup", "healthCheck", "Targets are found healthy or not by another measure."},
	{"aws:lb/targetGroup:TargetGroup", "deregistrationDelay", "A release or a drain gives running requests another time to end: it may lose some."},
	{"aws:lb/loadBalancer:LoadBalancer", "accessLogs", "Requests may not be logged where the stack says."},
	{"aws:lb/loadBalancer:LoadBalancer", "enableDeletionProtection", "It can be deleted, or cannot, other than the stack says."},
	{"aws:ec2/securityGroup:*", "", "Connections are let in or out that the stack does not allow, or the other way round."},
	{"aws:vpc/securityGroup*", "", "Connections are let in or out that the stack does not allow, or the other way round."},
	{"aws:ecr/repository:Repository", "imageTagMutability", "A tag can be moved: it no longer stands for one image."},
	{"aws:ecr/lifecyclePolicy:*", "", "Other images expire than the stack says: one that runs may be among them."},
	{"aws:iam/*", "", "Who uses it has other rights than the stack says."},
	{"aws:s3/bucketPublicAccessBlock:*", "", "Objects may be open to the public."},
	{"aws:route53/record:Record", "", "The name leads elsewhere."},
	{"*", "tags", "Who goes by its tags (costs, rights, automation) takes it for another."},
}

// lost is what it means that something is gone of which the table of effects says nothing.
func lost(token string) string {
	switch {
	case strings.HasPrefix(token, "aws:vpc/securityGroup"):
		return "Connections that it let through are refused, where no other rule lets them through."
	case strings.HasPrefix(token, "aws:iam/"):
		return "Who uses it has lost rights."
	}
	return ""
}

// means says in a line what a stray does to users.
func (f *stray) means() string {
	token := oneToken(f.URN.Type())
	if f.gone {
		e, _ := find(effects, token)
		return cmp.Or(e.deleted, lost(token))
	}
	var all []string
	for _, d := range f.values {
		for _, s := range strayed {
			begins, star := strings.CutSuffix(s.token, "*")
			if (s.token == token || star && strings.HasPrefix(token, begins)) && (s.path == "" || under(anyIndex(d.Path), s.path)) {
				if !slices.Contains(all, s.means) {
					all = append(all, s.means)
				}
				break
			}
		}
	}
	return strings.Join(all[:min(len(all), 3)], " ")
}
