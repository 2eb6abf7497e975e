// Package workload runs containers in a Kubernetes cluster: a namespace with Pod Security labels, and apps that roll out
// without dropping a request. It knows Kubernetes only, nothing of the cloud below.
package workload

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/target"
)

// AppDeploymentType is in every stack's state: to change it takes an alias and a major version.
const AppDeploymentType = "slipway:index:AppDeployment"

// AppDeploymentArgs says what to run, how many of it, and how others reach it. Where nothing else is said, a change rolls the
// pods, and drops no request.
type AppDeploymentArgs struct {
	// Namespace to run in; it must exist. Required. A change replaces everything.
	Namespace pulumi.StringInput `pulumi:"namespace"`
	// Image to run, by fixed tag or digest, never "latest". Required.
	Image pulumi.StringInput `pulumi:"image"`
	// Port that the container listens on, 1024 to 65535. Required. A process that is not root cannot listen below 1024.
	Port int `pulumi:"port"`
	// Command replaces the image's entry point; no shell. Default the image's own.
	Command []string `pulumi:"command,optional"`
	// Arguments replace the image's; default its own.
	Arguments []string `pulumi:"arguments,optional"`
	// Environment are the container's variables, name to value; a name is of printable ASCII characters but "=". In a value Kubernetes
	// replaces $$ by $, and $(NAME) by the variable of that name if it is one of Environment that sorts before. Default none.
	Environment map[string]pulumi.StringInput `pulumi:"environment,optional"`
	// Secrets are variables whose values are kept in a Secret; they are encrypted in the state and never shown. A name is of letters,
	// digits, underscores, periods and hyphens, at most 253, no digit or ".." first. Default none.
	Secrets map[string]pulumi.StringInput `pulumi:"secrets,optional"`
	// Files are mounted in the container, absolute path to content, 1 MiB together. Default none. A change rolls the pods.
	Files map[string]pulumi.StringInput `pulumi:"files,optional"`
	// SecretFiles are as Files, kept in a Secret. Default none.
	SecretFiles map[string]pulumi.StringInput `pulumi:"secretFiles,optional"`
	// Database adds the variables, the secret and the network route of a Database: its Binding. Default none. With one the pods may
	// connect only to it, and to what Network.To lists.
	Database *DatabaseBinding `pulumi:"database,optional"`
	// BeforeRelease runs to its end before the pods change, such as a database migration; default nothing.
	BeforeRelease *BeforeRelease `pulumi:"beforeRelease,optional"`
	// InitContainers run one after the other, each to its end, before the container of every pod starts. Default none.
	InitContainers []Container `pulumi:"initContainers,optional"`
	// Sidecars start before the container and end after it. Default none.
	Sidecars []Container `pulumi:"sidecars,optional"`
	// Volumes that exist, mounted in all containers. Default none.
	Volumes []Volume `pulumi:"volumes,optional"`
	// Resources of the container; default 100m CPU and 128Mi memory requested, 128Mi memory at most.
	Resources *Resources `pulumi:"resources,optional"`
	// RunAsUser is the numeric user, and group, of the process, 1 to 2147483647; default 10001, which is no user of the node's.
	// Files of the image that only another user may read need that user here.
	RunAsUser int `pulumi:"runAsUser,optional"`
	// Scratch are the directories that may be written to; the root file system is read-only. Default /tmp with 64Mi; an empty list
	// is none.
	Scratch []Scratch `pulumi:"scratch,optional"`

	// HealthPath is the page that HTTP probes ask for; default "/".
	HealthPath string `pulumi:"healthPath,optional"`
	// ReadinessProbe decides whether a pod gets requests. Default GET HealthPath at Port every DrainSeconds/6 (1 to 10 s), 3 s to
	// answer, out after 3 failures.
	ReadinessProbe *Probe `pulumi:"readinessProbe,optional"`
	// LivenessProbe decides whether a container is restarted; it may not be quicker than ReadinessProbe. Default a TCP connection
	// to Port every 30 s, 5 s to answer, restart after 3 failures.
	LivenessProbe *Probe `pulumi:"livenessProbe,optional"`
	// StartupProbe holds the others back until it succeeds once. Default a TCP connection to Port every 2 s, restart after 60 failures.
	StartupProbe *Probe `pulumi:"startupProbe,optional"`

	// Replicas is the number of pods, 1 to 500; default 2. Leave unset with Autoscaling. A change starts or drains pods, it rolls none.
	Replicas int `pulumi:"replicas,optional"`
	// Autoscaling gives the number of pods to an autoscaler; default none. Taken away again, the pods fall to Replicas; where
	// the autoscaler has set another number, that update ends with a conflict of fields until it is run once with
	// PULUMI_K8S_ENABLE_PATCH_FORCE=true, which takes the number back.
	Autoscaling *Autoscaling `pulumi:"autoscaling,optional"`
	// Rollout is how a new version replaces the old; default a rolling update that never serves with fewer pods than wanted.
	Rollout *Rollout `pulumi:"rollout,optional"`
	// DisruptionBudget is how many pods a drain of nodes may take away at once: a number ("1") or a percentage ("25%"), which
	// rounds up. Default "1". "0" is refused: it blocks every update of the nodes. A change moves no pod.
	DisruptionBudget string `pulumi:"disruptionBudget,optional"`
	// Spread over zones and nodes; default preferred for both.
	Spread *Spread `pulumi:"spread,optional"`
	// Near are apps whose zone or node the pods go to; default none.
	Near []Neighbour `pulumi:"near,optional"`
	// AwayFrom are apps whose zone or node the pods keep away from; default none.
	AwayFrom []Neighbour `pulumi:"awayFrom,optional"`
	// PriorityClass is the name of one that exists: where nodes are full, pods of a higher one displace others. Default the cluster's.
	PriorityClass string `pulumi:"priorityClass,optional"`

	// TargetType is what a load balancer outside the cluster sends this app's requests to: target.Instance, a node port of Service;
	// target.IP or target.AutoModeIP, its pods. Give the load balancer and the namespace the same. Default "": there is none. A change
	// between nodes and pods rolls the pods.
	TargetType target.Type `pulumi:"targetType,optional"`
	// DrainSeconds is how long a pod that is told to end goes on serving, until nobody sends to it any more, 1 to 900; default 30.
	// Give the load balancer in front the same number. Where it sends to the pods themselves, they serve for 10 seconds more, which is
	// what it takes to tell it.
	DrainSeconds int `pulumi:"drainSeconds,optional"`
	// SlowestRequestSeconds is how long a request may take, 1 to 900; default 20.
	SlowestRequestSeconds int `pulumi:"slowestRequestSeconds,optional"`
	// TerminationGraceSeconds is when a pod that is told to end is killed: more than DrainSeconds (with the 10 more of TargetType) +
	// SlowestRequestSeconds, at most 900. Default their sum and 10 more.
	TerminationGraceSeconds int `pulumi:"terminationGraceSeconds,optional"`
	// MinReadySeconds is how long a new pod must stay ready before it counts, 1 to 3600; default the readiness probe's period.
	MinReadySeconds int `pulumi:"minReadySeconds,optional"`
	// ProgressDeadlineSeconds is how long a rollout may stand still before it has failed: more than a pod may take to start, at
	// most 7200. Default 600, or what a slow StartupProbe needs and 300 more.
	ProgressDeadlineSeconds int `pulumi:"progressDeadlineSeconds,optional"`

	// Service under which others reach the pods; default none.
	Service *Service `pulumi:"service,optional"`
	// Network is who may connect to the pods and where they may connect to; default every pod of the namespace to Port.
	Network *Network `pulumi:"network,optional"`
	// ServiceAccount is who the pods are; default the namespace's own, which has no rights, and no token of it.
	ServiceAccount *ServiceAccount `pulumi:"serviceAccount,optional"`
}

// AppDeployment runs one image in the cluster of the Kubernetes provider it is given:
//
//	slipway:index:AppDeployment                            NAME
//	├─ kubernetes:core/v1:Secret                           NAME-secret          only with secrets, secret files or a database
//	├─ kubernetes:core/v1:ConfigMap                        NAME-files           only with files
//	├─ kubernetes:core/v1:ServiceAccount                   NAME-account         only with a service account
//	├─ kubernetes:networking.k8s.io/v1:NetworkPolicy       NAME-network
//	├─ kubernetes:batch/v1:Job                             NAME-before-release  only with something to run before a release
//	├─ kubernetes:apps/v1:Deployment                       NAME-deployment
//	├─ kubernetes:core/v1:Service                          NAME-service         only with a service
//	├─ kubernetes:autoscaling/v2:HorizontalPodAutoscaler   NAME-autoscaler      only with autoscaling
//	└─ kubernetes:policy/v1:PodDisruptionBudget            NAME-budget
//
// What has no argument here is reached by the option pulumi.Transforms, which sees each of these before it is registered.
type AppDeployment struct {
	pulumi.ResourceState
	// DeploymentName is the Deployment's name in the cluster.
	DeploymentName pulumi.StringOutput `pulumi:"deploymentName"`
	// ServiceName is the Service's name, a host name within the namespace; empty without a Service.
	ServiceName pulumi.StringOutput `pulumi:"serviceName"`
	// NodePort is the Service's port on every node; 0 unless the Service is of type NodePort.
	NodePort pulumi.IntOutput `pulumi:"nodePort"`
	// RolloutSummary says what a release does to the pods, with its rounding, for the fewest of them.
	RolloutSummary pulumi.StringOutput `pulumi:"rolloutSummary"`
}

// NewAppDeployment reports every problem with args at once, before it registers anything. A Kubernetes provider must be among
// opts, or be a parent's. By its name an app's pods are found: under another one, also with an alias, a Service of the same name
// has nobody to send to until the new pods are ready.
func NewAppDeployment(ctx *pulumi.Context, name string, args *AppDeploymentArgs, opts ...pulumi.ResourceOption) (*AppDeployment, error) {
	a, err := args.checked(name, opts)
	if err != nil {
		return nil, err
	}
	c := &AppDeployment{}
	if err := ctx.RegisterComponentResourceV2(AppDeploymentType, name, a.recorded(), c, opts...); err != nil {
		return nil, fmt.Errorf("%s %q: %w", AppDeploymentType, name, err)
	}
	c.ServiceName, c.NodePort = pulumi.String("").ToStringOutput(), pulumi.Int(0).ToIntOutput()
	c.RolloutSummary = pulumi.String(a.rollout.summary(a.fewestPods())).ToStringOutput()

	var to refers
	var before []pulumi.Resource
	for _, part := range []struct {
		name   string
		wanted bool
		make   func() error
	}{
		{"secret", len(a.secretValues()) > 0, func() (err error) { to.secret, err = c.secret(ctx, a); return err }},
		{"files", len(a.Files) > 0, func() (err error) { to.files, err = c.configFiles(ctx, a); return err }},
		{"account", a.ServiceAccount != nil, func() (err error) { to.account, err = c.account(ctx, a); return err }},
		{"network", true, func() (err error) { before, err = c.network(ctx, a); return err }},
		{"before-release", a.BeforeRelease != nil, func() (err error) { before, err = c.job(ctx, a, to, before); return err }},
		{"deployment", true, func() error { return c.deployment(ctx, a, to, before) }},
		{"service", a.Service != nil, func() error { return c.service(ctx, a, before) }},
		{"autoscaler", a.Autoscaling != nil, func() error { return c.autoscaler(ctx, a) }},
		{"budget", true, func() error { return c.budget(ctx, a) }},
	} {
		if !part.wanted {
			continue
		}
		if err := part.make(); err != nil {
			return nil, fmt.Errorf("%s %q: %s: %w", AppDeploymentType, name, part.name, err)
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"deploymentName": c.DeploymentName, "serviceName": c.ServiceName, "nodePort": c.NodePort, "rolloutSummary": c.RolloutSummary,
	})
}
