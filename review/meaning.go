package review

import (
	"fmt"
	"slices"
	"strings"
)

// effect is what it does to users when a resource of a type is replaced, and when it is deleted.
type effect struct{ replaced, deleted string }

// effects are by type token, with * at the end for all that begin so. A type that is not here does nothing to users that is known.
var effects = map[string]effect{
	"aws:eks/cluster:Cluster": {
		"A new, empty cluster is made: everything that runs in the old one has to be deployed again, and its API has a new address.",
		"The cluster goes, with everything that runs in it.",
	},
	"aws:eks/nodeGroup:NodeGroup": {
		"New nodes come, then the old ones go, and their pods move.",
		"Its nodes go, and their pods move to other nodes or stay Pending.",
	},
	"aws:autoscaling/group:Group": {
		"New machines come, then the old ones go.",
		"Its machines go, with what runs on them.",
	},
	"aws:autoscaling/schedule:Schedule": {
		"The action is deleted and made again; one that falls between does not run.",
		"The group's size is not changed at that time any more.",
	},
	"aws:autoscaling/attachment:Attachment": {
		"The nodes are taken out of the target group and put in anew: requests fail where no other node of the group is healthy meanwhile.",
		"The nodes are taken out of the target group and get no requests from it.",
	},
	"aws:ec2/instance:Instance": {
		"A new machine is made, with a new address; what was on the old one's root disk is lost.",
		"The machine goes, with its root disk.",
	},
	"aws:ec2/launchTemplate:LaunchTemplate": {
		"Groups that use it start their machines anew.", "",
	},
	"aws:lb/loadBalancer:LoadBalancer": {
		"The new one has a new DNS name: clients that hold the old one fail until DNS follows and their caches expire.",
		"Clients are not answered any more.",
	},
	"aws:lb/listener:Listener":                          {"Its port refuses connections for a moment.", "Its port refuses connections."},
	"aws:lb/listenerRule:ListenerRule":                  {"For a moment its requests go where the next rule sends them.", "Its requests go where the next rule sends them."},
	"aws:lb/targetGroup:TargetGroup":                    {"The new group is empty until its targets are registered and healthy.", "Its targets get no requests from it."},
	"aws:ecr/repository:Repository":                     {"The new repository is empty: the images of the old one are lost, and pods that start anew cannot pull them.", "Its images are lost, and pods that start anew cannot pull them."},
	"aws:ecr/lifecyclePolicy:*":                         {"", "Images of its repository expire no more, as long as that is there."},
	"aws:acm/certificate:Certificate":                   {"A new certificate is issued and has to be validated by DNS before it serves; where it is not, the deployment waits.", "HTTPS with it ends; a load balancer that uses it keeps it from being deleted."},
	"aws:rds/instance:Instance":                         {"A new, empty database is made: the data of the old one is lost, but for snapshots.", "Its data is lost, but for snapshots."},
	"aws:rds/cluster:Cluster":                           {"A new, empty database is made: the data of the old one is lost, but for snapshots.", "Its data is lost, but for snapshots."},
	"aws:rds/globalCluster:GlobalCluster":               {"A new, empty database is made: the data of the old one is lost, but for snapshots.", "Its data is lost, but for snapshots."},
	"aws:rds/clusterInstance:ClusterInstance":           {"Connections to it break; another instance of the cluster takes over, where there is one.", "Connections to it break; another instance of the cluster takes over, where there is one."},
	"aws:dynamodb/table:Table":                          {"The new table is empty: the data of the old one is lost, but for backups.", "Its data is lost, but for backups."},
	"aws:elasticache/cluster:Cluster":                   {"The new cache is empty, at a new address.", "The cache goes, with what is in it."},
	"aws:elasticache/replicationGroup:ReplicationGroup": {"The new cache is empty, at a new address.", "The cache goes, with what is in it."},
	"aws:efs/fileSystem:FileSystem":                     {"The new file system is empty: the files of the old one are lost, but for backups.", "Its files are lost, but for backups."},
	"aws:ebs/volume:Volume":                             {"The new volume is empty: the data of the old one is lost, but for snapshots.", "Its data is lost, but for snapshots."},
	"aws:s3/bucketV2:BucketV2":                          {"The new bucket is empty; one that holds objects is not deleted unless forced, and then its objects are lost.", "It is refused while it holds objects, unless forced; then they are lost."},
	"aws:s3/bucket:Bucket":                              {"The new bucket is empty; one that holds objects is not deleted unless forced, and then its objects are lost.", "It is refused while it holds objects, unless forced; then they are lost."},
	"aws:kms/key:Key":                                   {"What the old key encrypted cannot be read once its waiting period (7 to 30 days) has ended.", "What it encrypted cannot be read once its waiting period (7 to 30 days) has ended."},
	"aws:secretsmanager/secret:Secret":                  {"The new secret has no value until one is put in; who asks for the old one's ARN fails.", "Who asks for it fails; it can be restored for its recovery window."},
	"aws:ec2/vpc:Vpc":                                   {"A new network is made, and everything in it is made anew.", "The network goes, with everything in it."},
	"aws:ec2/subnet:Subnet":                             {"What has an address in it is made anew: nodes, network interfaces of load balancers and of the cluster.", "What has an address in it has to go first."},
	"aws:ec2/natGateway:NatGateway":                     {"Private subnets have no way out for some minutes, and come from a new address if the Elastic IP changes.", "Private subnets that use it have no way out."},
	"aws:ec2/eip:Eip":                                   {"The public address changes: whoever lets in the old one has to learn the new one.", "The public address is lost: whoever lets it in has to learn another."},
	"aws:ec2/internetGateway:*":                         {"Nothing of the network reaches the internet meanwhile, or is reached from it.", "Nothing of the network reaches the internet, or is reached from it."},
	"aws:ec2/route:Route":                               {"Packets have no way out for a moment.", "Packets that took it have no way out."},
	"aws:ec2/routeTable:RouteTable":                     {"Its subnets have no way out until the new one is associated.", "Its subnets take the main route table."},
	"aws:ec2/securityGroup:*":                           {"What uses it is changed over to the new one first.", ""},
	"aws:route53/record:Record":                         {"The name is not answered for a moment, and caches remember that for the zone's negative TTL.", "The name is not answered any more."},
	"aws:route53/zone:Zone":                             {"The new zone has other name servers: the domain is not answered until its delegation names them.", "No name of the zone is answered any more."},
	"aws:iam/role:Role":                                 {"Who has assumed the old role fails until it takes the new one.", "Who uses it loses its rights."},
	"aws:iam/openIdConnectProvider:*":                   {"Pods that get rights through it have none meanwhile.", "Pods that get rights through it have none."},
	"aws:eks/addon:Addon":                               {"The add-on is taken out and installed anew: what it does stops meanwhile.", "What the add-on does stops."},
	"aws:eks/accessEntry:AccessEntry":                   {"The principal has no access meanwhile.", "The principal has no access any more."},
	"aws:cloudwatch/logGroup:LogGroup":                  {"The logs of the old group are lost.", "Its logs are lost."},
	"aws:wafv2/webAcl:WebAcl":                           {"Requests are not filtered by it meanwhile.", "Requests are not filtered by it any more."},
	"kubernetes:core/v1:Namespace":                      {"Everything in the namespace is deleted, and made again where this stack makes it.", "Everything in the namespace is deleted, what this stack does not know too."},
	"kubernetes:core/v1:Service":                        {"Its address changes (and its node port, where none is given): clients that hold it fail until they ask DNS again.", "Its name is not answered in the cluster any more."},
	"kubernetes:core/v1:PersistentVolumeClaim":          {"The data on the old volume is lost, unless its class retains volumes.", "The data on its volume is lost, unless its class retains volumes."},
	"kubernetes:core/v1:PersistentVolume":               {"Pods lose the old volume; its data is lost, unless it is retained.", "Pods lose it; its data is lost, unless it is retained."},
	"kubernetes:core/v1:Secret":                         {"Pods that name it get the new one when they start anew.", "Pods that name it do not start any more."},
	"kubernetes:core/v1:ConfigMap":                      {"Pods that name it get the new one when they start anew.", "Pods that name it do not start any more."},
	"kubernetes:core/v1:ServiceAccount":                 {"Tokens of the old one are void: pods get new ones when they start anew.", "Pods that name it do not start any more."},
	"kubernetes:apps/v1:Deployment":                     {"Its pods are stopped and started anew: it serves nothing meanwhile, if it is deleted before the new one is there.", "Its pods stop."},
	"kubernetes:apps/v1:StatefulSet":                    {"Its pods are stopped and started anew; their volume claims stay.", "Its pods stop; their volume claims stay."},
	"kubernetes:apps/v1:DaemonSet":                      {"Its pods are stopped and started anew on every node.", "Its pods stop on every node."},
	"kubernetes:autoscaling/v2:*":                       {"The number of pods is not adapted meanwhile.", "The number of pods is not adapted any more."},
	"kubernetes:policy/v1:PodDisruptionBudget":          {"Drains are not held back meanwhile.", "Drains are not held back any more: a drained node may stop all pods at once."},
	"kubernetes:networking.k8s.io/v1:NetworkPolicy":     {"Connections are judged by the other policies meanwhile.", "Connections that it denied are open, where no other policy denies them."},
	"kubernetes:networking.k8s.io/v1:Ingress":           {"Its hosts are not served meanwhile, and may get a new address.", "Its hosts are not served any more."},
	"kubernetes:batch/v1:Job":                           {"The job runs again.", "A run that goes on is stopped."},
	"kubernetes:batch/v1:CronJob":                       {"A run that goes on is stopped.", "It does not run any more."},
	"pulumi:providers:kubernetes":                       {"Everything that is deployed through it is replaced too.", "What is deployed through it has to go first."},
}

// find is the entry of a table for a type: its own, or the longest with * that fits.
func find[T any](table map[string]T, token string) (found T, ok bool) {
	if found, ok = table[token]; ok {
		return found, true
	}
	longest := -1
	for pattern, v := range table {
		if begins, star := strings.CutSuffix(pattern, "*"); star && strings.HasPrefix(token, begins) && len(begins) > longest {
			found, ok, longest = v, true, len(begins)
		}
	}
	return found, ok
}

// mean fills in what each change does to users.
func (p *plan) mean() {
	for _, c := range p.changes {
		if c.kind != replaced && c.kind != deleted {
			continue
		}
		e, _ := find(effects, oneToken(c.URN.Type()))
		c.means = e.replaced
		if c.kind == deleted {
			c.means = e.deleted
			if c.Old != nil && c.Old.Pending {
				c.means = "It was replaced earlier, and is what was left of that. " + c.means
			}
		}
	}
}

// podsOn are the workloads in the cluster that may run on a node group, as lines of "namespace/name (how many)". Whether they do is
// known where they select the group's labels, or it is the only group.
func (p *plan) podsOn(group *State) (pods []string, whole bool) {
	labels, _ := at(group.Inputs, "labels").(map[string]any)
	scaled := map[string]string{}
	for _, s := range p.Steps {
		if st := s.Old; st != nil && s.URN.Type() == "kubernetes:autoscaling/v2:HorizontalPodAutoscaler" {
			target := text(st.Inputs, "metadata", "namespace") + "/" + text(st.Inputs, "spec", "scaleTargetRef", "name")
			scaled[target] = fmt.Sprintf("%s to %s pods", shown(at(st.Inputs, "spec", "minReplicas")), shown(at(st.Inputs, "spec", "maxReplicas")))
		}
	}
	for _, s := range p.Steps {
		t, st := s.URN.Type(), s.Old
		if st == nil || t != "kubernetes:apps/v1:Deployment" && t != "kubernetes:apps/v1:StatefulSet" && t != "kubernetes:apps/v1:DaemonSet" {
			continue
		}
		selector, _ := at(st.Inputs, "spec", "template", "spec", "nodeSelector").(map[string]any)
		elsewhere := false
		for k, v := range selector {
			if strings.Contains(k, "kubernetes.io/") && labels[k] == nil {
				continue // labels that AWS and Kubernetes give to nodes
			}
			elsewhere = elsewhere || shown(labels[k]) != shown(v)
		}
		if elsewhere {
			continue
		}
		name := text(st.Inputs, "metadata", "namespace") + "/" + text(st.Inputs, "metadata", "name")
		many := scaled[name]
		if n, ok := number(st.Inputs, "spec", "replicas"); ok && many == "" {
			many = plural(int(n), "pod")
		}
		if t == "kubernetes:apps/v1:DaemonSet" {
			many = "one pod a node"
		}
		if many == "" {
			many = "1 pod"
		}
		if app := text(st.Inputs, "spec", "template", "metadata", "labels", "app.kubernetes.io/name"); app != "" {
			name = text(st.Inputs, "metadata", "namespace") + "/" + app
		}
		pods = append(pods, name+" ("+many+")")
	}
	slices.Sort(pods)
	return pods, p.Whole
}
