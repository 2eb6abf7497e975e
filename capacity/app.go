package capacity

// Resources is what a pod requests, or a node has for pods.
type Resources struct {
	// MilliCPU in thousandths of a core.
	MilliCPU int64
	// Memory in bytes.
	Memory int64
	// Ephemeral storage in bytes: logs and scratch space on the node's disk.
	Ephemeral int64
}

// How pods of one app are kept apart: the values of Spread, as Kubernetes spells them.
const (
	// SpreadOff does not look at where the other pods are.
	SpreadOff = "Off"
	// SpreadPreferred places pods apart as well as the free room allows.
	SpreadPreferred = "ScheduleAnyway"
	// SpreadRequired leaves a pod pending rather than place it unevenly.
	SpreadRequired = "DoNotSchedule"
)

// Spread is an app's topology spread constraints, each of a skew of one at most. A node that takes no pods, since it is drained or
// gone, is no place that stays empty (nodeTaintsPolicy Honor), and a release's pods are spread by themselves (matchLabelKeys
// pod-template-hash).
type Spread struct {
	// Zones is SpreadOff (the default), SpreadPreferred or SpreadRequired.
	Zones string
	// Nodes is SpreadOff (the default), SpreadPreferred or SpreadRequired.
	Nodes string
}

// App is a number of like pods.
type App struct {
	// Name, unique among the apps. Required.
	Name string
	// Requests of one pod: of all its containers together, or of an init container that asks for more.
	Requests Resources
	// Min is the fewest pods: an autoscaler's minimum, or the replicas. 0 or more.
	Min int
	// Current is how many pods there are now; default 0, which looks at Min and Max only.
	Current int
	// Max is the most pods, Min or more; default Min.
	Max int
	// SurgeAtMin and SurgeAtMax are how many pods more there are during a release with Min and with Max pods; default 0.
	SurgeAtMin, SurgeAtMax int
	// Spread over zones and nodes; default off.
	Spread Spread
	// Priority of the pods: those of a higher one are placed first. Default 0.
	Priority int
	// NodeSelector is labels that a node must have; default none.
	NodeSelector map[string]string
	// AwayFrom names apps beside whose pods on a node those of this app must not run (required anti-affinity); default none.
	AwayFrom []string
	// AwayFromInZone is as AwayFrom, for a whole zone.
	AwayFromInZone []string
	// Loose says that more than the above draws pods to some nodes, such as a preferred affinity. Then any node with room counts as
	// one that the scheduler may choose.
	Loose bool
	// Unmodelled is what else decides whether a pod finds a place, in words, and is not looked at here, such as a required affinity
	// or a volume. It becomes a warning. Default none.
	Unmodelled []string
}

// Pod is one that runs on every node.
type Pod struct {
	Name     string
	Requests Resources
}

// System is what runs beside the apps.
type System struct {
	// PerNode are the pods of DaemonSets.
	PerNode []Pod
	// Cluster are the apps of the cluster itself. They have a high priority and are placed first.
	Cluster []App
}

// clusterCritical is the priority of system-cluster-critical.
const clusterCritical = 2000000000

// autoscaler is the cluster autoscaler that components/cluster runs where it owns a group's size.
var autoscaler = App{Name: "cluster-autoscaler", Requests: Resources{MilliCPU: 100, Memory: 600 * mib}, Min: 1, Priority: clusterCritical}

// DefaultSystem is what the add-ons of components/cluster come to: vpc-cni with its network policy agent, kube-proxy,
// eks-pod-identity-agent, coredns and metrics-server, with the requests that these have on EKS by default, as of August 2026. A
// cluster with more of its own (a log shipper, a monitoring agent) adds it. The cluster autoscaler is not among them: Plan adds it
// to them where a group has OwnerAutoscaler.
func DefaultSystem() System {
	return System{
		PerNode: []Pod{
			// https://github.com/aws/amazon-vpc-cni-k8s/blob/master/charts/aws-vpc-cni/values.yaml: 25m for each of two containers.
			{"aws-node", Resources{MilliCPU: 50}},
			// https://github.com/aws/containers-roadmap/issues/1509: CPU alone.
			{"kube-proxy", Resources{MilliCPU: 100}},
			// https://github.com/aws/eks-pod-identity-agent/blob/main/charts/eks-pod-identity-agent/values.yaml: nothing.
			{"eks-pod-identity-agent", Resources{}},
		},
		Cluster: []App{
			// It has a preferred anti-affinity of its own, hence Loose.
			{Name: "coredns", Requests: Resources{MilliCPU: 100, Memory: 70 * mib}, Min: 2, Priority: clusterCritical, Loose: true},
			// https://github.com/kubernetes-sigs/metrics-server/blob/master/charts/metrics-server/values.yaml; EKS runs two.
			{Name: "metrics-server", Requests: Resources{MilliCPU: 100, Memory: 200 * mib}, Min: 2, Priority: clusterCritical, Loose: true},
		},
	}
}
