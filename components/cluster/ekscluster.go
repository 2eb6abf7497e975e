// Package cluster holds the Kubernetes control plane, its nodes, and who may use it.
package cluster

import (
	"fmt"
	"slices"
	"time"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// EksClusterType is in every stack's state: to change it takes an alias and a major version.
const EksClusterType = "slipway:index:EksCluster"

// EksClusterArgs says which Kubernetes runs where, on which nodes, and who administers it.
type EksClusterArgs struct {
	// ClusterName is the cluster's name in AWS, unique in its account and region: 1 to 100 letters, digits, "-" and "_"; default
	// PROJECT-STACK-NAME. It stands in every kubeconfig, and in the name of the log group. A change replaces the cluster and all
	// that runs on it, so it is refused unless AllowDeletion is set.
	ClusterName string `pulumi:"clusterName,optional"`
	// Version is the minor version of Kubernetes, of the control plane and of the nodes: "1.32" to "1.36"; default "1.35". A
	// change upgrades in place, first the control plane, then the add-ons below the nodes, then the node groups: each node is
	// drained and replaced. It goes up one minor version at a time and never down: a longer way is refused in preview, with its
	// steps. From 60 days before AWS ends a version's standard support on, each run warns.
	Version string `pulumi:"version,optional"`
	// VpcId is the network that the subnets are of. Required. AWS moves no cluster to another.
	VpcId pulumi.StringInput `pulumi:"vpcId"`
	// PrivateSubnetIds are the subnets of the nodes, of the pods, and of the control plane's interfaces. Required: one a zone, of
	// two zones at least, with a way out to the internet. A change replaces the node groups: new nodes come first.
	PrivateSubnetIds pulumi.StringArrayInput `pulumi:"privateSubnetIds"`
	// PublicSubnetIds are further subnets in which the control plane may place its interfaces; default none. No node and no pod
	// runs there. AWS keeps the control plane in the zones of its first subnets.
	PublicSubnetIds pulumi.StringArrayInput `pulumi:"publicSubnetIds,optional"`
	// Admins are the IAM roles and users that may do everything in the cluster, by ARN. Required, and the role that runs Pulumi
	// must be among them, or nothing can be deployed: whoever happens to create the cluster gets no rights by it. It must not be
	// the only one: with it the cluster would be lost. A role of IAM
	// Identity Center is written with its path, "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/…". A change
	// takes effect within a minute, and moves nothing else.
	Admins []string `pulumi:"admins"`
	// Viewers are the IAM roles and users that may look at what runs in all namespaces, but not into Secrets; none of Admins. Default
	// none. A change takes effect within a minute.
	Viewers []string `pulumi:"viewers,optional"`
	// Auditors are the IAM roles and users that may look at everything, into Secrets too, and change nothing; none of Admins or Viewers.
	// Default none. It is what a refresh takes, and so the role of a pipeline that looks for drift. A change takes effect within a minute.
	Auditors []string `pulumi:"auditors,optional"`
	// Developers may change what runs in namespaces of theirs; default none. Viewers may be Developers too.
	Developers []Developer `pulumi:"developers,optional"`
	// CiRole is the IAM role of a pipeline that releases apps, none of Admins: it may change and delete what runs in CiNamespaces, as
	// Developers do, but not the nodes and nobody's rights. The role that runs Pulumi is one of Admins instead. Default none.
	CiRole string `pulumi:"ciRole,optional"`
	// CiNamespaces are those of CiRole, written like Developer.Namespaces, and like there without custom resources; required with it.
	CiNamespaces []string `pulumi:"ciNamespaces,optional"`
	// AppRoles give pods rights in AWS, by service account; default none.
	AppRoles []AppRole `pulumi:"appRoles,optional"`
	// KubeconfigRole is the role that the kubeconfig assumes, one of Admins; default none: whoever uses the kubeconfig is who they
	// are. Set it where the AWS provider assumes a role too.
	KubeconfigRole string `pulumi:"kubeconfigRole,optional"`
	// PublicAccessCidrs are the public IPv4 networks from which the API server can be reached over the internet, at most 40;
	// default none: then it has no public address, and Pulumi and kubectl have to run where they reach the VPC. From inside the
	// VPC it can always be reached. The whole internet, 0.0.0.0/0, is refused. A change takes minutes and drops nothing inside.
	PublicAccessCidrs []string `pulumi:"publicAccessCidrs,optional"`
	// LogRetentionDays is how long the control plane's audit, API and authenticator logs are kept, in days: 1, 3, 5, 7, 14, 30,
	// 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653; default 90. A shorter one deletes
	// older lines. Deleting the cluster deletes them all.
	LogRetentionDays int `pulumi:"logRetentionDays,optional"`
	// NodeGroups are the nodes. Required: at least one group, with at least one node in all. A group that you make beside them in the
	// same cluster must not be called by the component's name, "-", more and Pulumi's suffix ("prod-gpu-0123456" beside "prod"): it would
	// be taken for one of these that an update has left behind, and drained when one of them goes.
	NodeGroups []NodeGroup `pulumi:"nodeGroups"`
	// PrefixDelegation gives nodes addresses for pods in blocks of 16, so that a node of less than 30 vCPUs runs up to 110 pods and a
	// larger one 250, where an m5.large else has addresses for 29; default no. It takes instance types on Nitro, and subnets with whole
	// blocks left: in one that others have used for long there may be addresses and no block, which nobody can see here. A change
	// replaces all nodes, NodeGroup.MaxUnavailablePercent at a time; AWS recommends new groups for it (docs/node-groups.md).
	PrefixDelegation bool `pulumi:"prefixDelegation,optional"`
	// DrainMinutes is how long nothing may move while the pods of a node group that is replaced or removed move to other nodes, before
	// `pulumi up` gives up and leaves all as it is: 1 to 1440; default 15. A change takes effect at the next replacement.
	DrainMinutes int `pulumi:"drainMinutes,optional"`
	// DrainSeconds is how long a node that leaves, for whatever reason, goes on passing requests to pods on other nodes, while load
	// balancers that send to nodes forget it: 1 to 3600; default 30. Give it the longer of HttpsLoadBalancerArgs.DrainSeconds and
	// SlowestRequestSeconds. AWS ends no instance for that long and 15 seconds more, in which it spreads the word. A change is made in place.
	DrainSeconds int `pulumi:"drainSeconds,optional"`
	// AddonVersions pins add-ons by name (vpc-cni, kube-proxy, coredns, eks-pod-identity-agent, metrics-server), like
	// "v1.12.3-eksbuild.1". An add-on not named has the version that this release of the library has for Version; where it has
	// none (metrics-server of 1.36) it is AWS's default, asked on every run. `aws eks describe-addon-versions` lists what fits. A
	// change rolls the add-on's pods.
	AddonVersions map[string]string `pulumi:"addonVersions,optional"`
	// SessionManager lets IAM principals with rights for AWS Systems Manager open a shell on nodes; default no. There is no SSH.
	SessionManager bool `pulumi:"sessionManager,optional"`
	// AllowDeletion lets Pulumi delete or replace the cluster and the key of its secrets; default no, then Pulumi refuses. To
	// take a cluster down: set it, run `pulumi up`, then `pulumi destroy`.
	AllowDeletion bool `pulumi:"allowDeletion,optional"`
	// Tags for everything in it, nodes and their disks too, on top of a Name. The provider's default tags reach all but nodes,
	// disks and their interfaces, which AWS makes itself. A change replaces all nodes, NodeGroup.MaxUnavailablePercent at a time.
	Tags map[string]string `pulumi:"tags,optional"`
}

// EksCluster is a Kubernetes control plane of AWS with managed nodes. Secrets are encrypted with a key of its own; access is
// by IAM alone. If the API server has no public address (EksClusterArgs.PublicAccessCidrs), Provider, and so Pulumi, has to
// run where it reaches the VPC. ADMIN is an admin's account and path, ADDON one of the add-ons, GROUP a node group's name:
//
//	slipway:index:EksCluster                                 NAME
//	├─ aws:kms/key:Key                                       NAME-secrets      rotated every year
//	├─ aws:kms/alias:Alias                                   NAME-secrets
//	├─ aws:cloudwatch/logGroup:LogGroup                      NAME-logs         before the cluster, which would make one without retention
//	├─ eks:index:Cluster                                     NAME-eks          the control plane and its role, made by the eks plugin
//	├─ aws:iam/openIdConnectProvider:OpenIdConnectProvider   NAME-oidc         lets IAM trust service accounts
//	├─ aws:eks/accessEntry:AccessEntry                       NAME-admin-ADMIN
//	├─ aws:eks/accessPolicyAssociation:AccessPolicyAssociation NAME-admin-ADMIN
//	├─ aws:eks/accessEntry:AccessEntry                       NAME-access-WHO   viewers, auditors, developers and the pipeline
//	├─ aws:eks/accessPolicyAssociation:AccessPolicyAssociation NAME-RIGHT-WHO  RIGHT is view, audit or edit
//	├─ aws:eks/addon:Addon                                   NAME-ADDON        network and identity before the nodes, the others after
//	├─ aws:iam/role:Role                                     NAME-node         of all nodes
//	├─ aws:iam/rolePolicyAttachment:RolePolicyAttachment     NAME-node-POLICY
//	├─ aws:iam/role:Role                                     NAME-app-APP      APP is NAMESPACE.SERVICEACCOUNT of an app role
//	├─ aws:iam/rolePolicyAttachment:RolePolicyAttachment     NAME-app-APP-POLICY
//	├─ aws:iam/rolePolicy:RolePolicy                         NAME-app-APP
//	├─ aws:eks/podIdentityAssociation:PodIdentityAssociation NAME-app-APP
//	├─ aws:ec2/launchTemplate:LaunchTemplate                 NAME-GROUP
//	├─ aws:eks/nodeGroup:NodeGroup                           NAME-GROUP
//	├─ aws:autoscaling/lifecycleHook:LifecycleHook           NAME-GROUP-drain  a node that leaves stays until load balancers have forgotten it
//	├─ pulumi:index:Stash                                    NAME-nodes        which groups carry the pods; before it changes, those that leave are drained
//	├─ pulumi:providers:kubernetes                           NAME-kubernetes
//	├─ kubernetes:core/v1:ServiceAccount                     NAME-autoscaler   the cluster autoscaler, where it owns a group's size
//	├─ kubernetes:rbac.authorization.k8s.io/v1:ClusterRole   NAME-autoscaler
//	├─ kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding NAME-autoscaler
//	├─ kubernetes:rbac.authorization.k8s.io/v1:Role          NAME-autoscaler
//	├─ kubernetes:rbac.authorization.k8s.io/v1:RoleBinding   NAME-autoscaler
//	└─ kubernetes:apps/v1:Deployment                         NAME-autoscaler
type EksCluster struct {
	pulumi.ResourceState
	// ClusterName is the cluster's name in AWS. What takes it waits for the cluster.
	ClusterName pulumi.StringOutput `pulumi:"clusterName"`
	// KubeconfigJson is a kubeconfig that asks `aws eks get-token` for a token; it holds no secret.
	KubeconfigJson pulumi.StringOutput `pulumi:"kubeconfigJson"`
	// NodeSecurityGroupId is the security group of all nodes, pods and the control plane's interfaces: a load balancer's traffic
	// needs a rule in it.
	NodeSecurityGroupId pulumi.StringOutput `pulumi:"nodeSecurityGroupId"`
	// OidcProviderArn is what an IAM role trusts to be assumed by a service account.
	OidcProviderArn pulumi.StringOutput `pulumi:"oidcProviderArn"`
	// OidcProviderUrl is the issuer of the service accounts' tokens, with "https://".
	OidcProviderUrl pulumi.StringOutput `pulumi:"oidcProviderUrl"`
	// NodeGroupNames are the node groups' names in AWS, by NodeGroup.Name.
	NodeGroupNames pulumi.StringMapOutput `pulumi:"nodeGroupNames"`
	// AutoScalingGroupNames are the auto scaling groups behind the node groups, by NodeGroup.Name.
	AutoScalingGroupNames pulumi.StringMapOutput `pulumi:"autoScalingGroupNames"`
	// AppRoleArns are the roles of AppRoles, by "NAMESPACE/SERVICEACCOUNT".
	AppRoleArns pulumi.StringMapOutput `pulumi:"appRoleArns"`
	// Provider is for what runs in the cluster. It waits for those let in, the nodes and the add-ons, and all that is deployed
	// with it is gone before they go.
	Provider *kubernetes.Provider
}

// NewEksCluster reports every problem with args at once, before it registers anything.
func NewEksCluster(ctx *pulumi.Context, name string, args *EksClusterArgs, opts ...pulumi.ResourceOption) (*EksCluster, error) {
	a, err := args.checked(ctx.Project(), ctx.Stack(), name)
	if err != nil {
		return nil, err
	}
	upgrade, err := oneMinorAtATime(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("%s %q: %w", EksClusterType, name, err)
	}
	c := &EksCluster{}
	if err := ctx.RegisterComponentResourceV2(EksClusterType, name, a.recorded(), c, append(slices.Clone(opts), upgrade)...); err != nil {
		return nil, fmt.Errorf("%s %q: %w", EksClusterType, name, err)
	}
	b := &builder{EksClusterArgs: a, ctx: ctx, name: name, below: pulumi.Parent(c), partition: partitionOf(a.Admins[0])}
	if err := a.checkCaller(ctx, name, b.below); err != nil {
		return nil, err
	}
	if err := b.build(c); err != nil {
		return nil, fmt.Errorf("%s %q: %w", EksClusterType, name, err)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"clusterName": c.ClusterName, "kubeconfigJson": c.KubeconfigJson, "nodeSecurityGroupId": c.NodeSecurityGroupId,
		"oidcProviderArn": c.OidcProviderArn, "oidcProviderUrl": c.OidcProviderUrl,
		"nodeGroupNames": c.NodeGroupNames, "autoScalingGroupNames": c.AutoScalingGroupNames, "appRoleArns": c.AppRoleArns,
	})
}

// builder makes the parts of one cluster.
type builder struct {
	EksClusterArgs
	ctx       *pulumi.Context
	name      string
	below     pulumi.ResourceOrInvokeOption
	partition string
	// cluster is the cluster's name; what takes it waits for the cluster.
	cluster pulumi.StringOutput
}

// build makes everything in the order in which it can exist, so that the reverse is the order in which it can go: nodes need
// the network add-on until their last interface is released, objects in Kubernetes need nodes and rights until they are deleted.
func (b *builder) build(c *EksCluster) error {
	if err := b.warnOfSupport(c, time.Now()); err != nil {
		return err
	}
	for _, line := range b.unsure() {
		if err := b.ctx.Log.Warn(line, &pulumi.LogArgs{Resource: c}); err != nil {
			return err
		}
	}
	control, err := b.controlPlane()
	if err != nil {
		return fmt.Errorf("control plane: %w", err)
	}
	// The name is known from the start, so that no preview takes it for changed, and yet nothing uses it before the cluster exists.
	b.cluster = pulumi.OutputWithDependencies(b.ctx.Context(), pulumi.String(b.ClusterName).ToStringOutput(), control).(pulumi.StringOutput)
	oidc, err := b.identityProvider(control)
	if err != nil {
		return fmt.Errorf("OIDC provider: %w", err)
	}
	admitted, err := b.access()
	if err != nil {
		return fmt.Errorf("access: %w", err)
	}
	early, err := b.addons(addonsBeforeNodes, nil)
	if err != nil {
		return err
	}
	identities, roles, err := b.appRoles(early)
	if err != nil {
		return err
	}
	groups, err := b.nodeGroups(early)
	if err != nil {
		return err
	}
	if err := b.handOver(c, control, groups, admitted); err != nil {
		return fmt.Errorf("hand-over between node groups: %w", err)
	}
	late, err := b.addons(addonsOnNodes, groups.resources)
	if err != nil {
		return err
	}
	c.Provider, err = kubernetes.NewProvider(b.ctx, b.name+"-kubernetes", &kubernetes.ProviderArgs{
		Kubeconfig: control.KubeconfigJson,
		// Without it any edit of the cluster makes the kubeconfig unknown, and every object previews as replaced
		// (github.com/pulumi/pulumi-eks/issues/352).
		ClusterIdentifier:     pulumi.String(b.ClusterName),
		EnableServerSideApply: pulumi.Bool(true),
	}, b.below, pulumi.DependsOn(slices.Concat(admitted, identities, groups.resources, late)))
	if err != nil {
		return fmt.Errorf("kubernetes provider: %w", err)
	}
	if len(b.scaled()) > 0 {
		association, err := b.autoscalerRole(groups, early)
		if err != nil {
			return fmt.Errorf("cluster autoscaler's role: %w", err)
		}
		if err := b.autoscaler(c, groups, association); err != nil {
			return fmt.Errorf("cluster autoscaler: %w", err)
		}
	}
	c.ClusterName, c.KubeconfigJson, c.NodeSecurityGroupId = b.cluster, control.KubeconfigJson, control.NodeSecurityGroupId
	c.OidcProviderArn, c.OidcProviderUrl = oidc.Arn, control.OidcProviderUrl
	c.NodeGroupNames, c.AutoScalingGroupNames = groups.names.ToStringMapOutput(), groups.autoScalingGroups.ToStringMapOutput()
	c.AppRoleArns = roles.ToStringMapOutput()
	return nil
}

// tags are a resource's tags: its Name, and on top what the caller gave.
func (b *builder) tags(name string) pulumi.StringMap {
	tags := pulumi.StringMap{"Name": pulumi.String(name)}
	for k, v := range b.Tags {
		tags[k] = pulumi.String(v)
	}
	return tags
}
