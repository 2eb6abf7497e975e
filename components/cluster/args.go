package cluster

import (
	"cmp"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

var (
	// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
	retentions = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
	// https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html
	clusterName   = regexp.MustCompile(`^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$`)
	componentName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*$`)
)

// longestName is what an IAM role's name may have, 64, without what the eks plugin and AWS's provider add to the control
// plane's: "-eks-eksRole-role-0123456".
const longestName = 64 - 25

// checked is args with the defaults filled in; it accepts nil.
func (args *EksClusterArgs) checked(project, stack, name string) (a EksClusterArgs, err error) {
	if args != nil {
		a = *args
	}
	var p check.Problems
	if !componentName.MatchString(name) || len(name) > longestName {
		p.Addf("name", `of the component is %q, must be at most %d letters, digits and "-", from a letter on: it goes into the names of IAM roles`, name, longestName)
	}
	a.ClusterName = cmp.Or(a.ClusterName, strings.Join([]string{project, stack, name}, "-"))
	p.Match("clusterName", a.ClusterName, clusterName, `1 to 100 letters, digits, "-" and "_", from a letter or digit on (it is PROJECT-STACK-NAME where it is not given)`)
	a.Version = cmp.Or(a.Version, defaultVersion)
	p.OneOf("version", a.Version, versions...)
	p.Required("vpcId", a.VpcId != nil, "the vpcId of a Vpc")
	p.Required("privateSubnetIds", a.PrivateSubnetIds != nil, "the privateSubnetIds of a Vpc")
	a.checkAccess(&p)
	a.checkPublicAccess(&p)
	a.LogRetentionDays = cmp.Or(a.LogRetentionDays, 90)
	if !slices.Contains(retentions, a.LogRetentionDays) {
		p.Addf("logRetentionDays", "is %d, must be one of %s", a.LogRetentionDays, strings.Trim(fmt.Sprint(retentions), "[]"))
	}
	a.checkNodeGroups(&p, name)
	a.DrainMinutes = cmp.Or(a.DrainMinutes, 15)
	p.Between("drainMinutes", a.DrainMinutes, 1, 1440)
	a.DrainSeconds = cmp.Or(a.DrainSeconds, 30)
	p.Between("drainSeconds", a.DrainSeconds, 1, 3600)
	a.checkAddons(&p)
	a.checkAppRoles(&p)
	p.Tags("tags", a.Tags)
	return a, p.Err(EksClusterType, name)
}

// EKS refuses these as sources: what comes over the internet comes from no private or reserved address.
var neverPublic = func() (all []netip.Prefix) {
	for _, s := range []string{"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/3"} {
		all = append(all, netip.MustParsePrefix(s))
	}
	return all
}()

func (a *EksClusterArgs) checkPublicAccess(p *check.Problems) {
	if n := len(a.PublicAccessCidrs); n > 40 {
		p.Addf("publicAccessCidrs", "has %d entries, must have at most 40: AWS takes no more", n)
	}
	for i, s := range a.PublicAccessCidrs {
		path := fmt.Sprintf("publicAccessCidrs[%d]", i)
		cidr, err := netip.ParsePrefix(s)
		switch {
		case err != nil || !cidr.Addr().Is4():
			p.Addf(path, `is %q, must be an IPv4 network, like "198.51.100.0/24"`, s)
		case cidr.Bits() == 0:
			p.Addf(path, "is %q, the whole internet, must be the networks that need the API server", s)
		case cidr.Masked() != cidr:
			p.Addf(path, "is %q, must be %q: the bits after the first %d belong to hosts", s, cidr.Masked(), cidr.Bits())
		default:
			if i := slices.IndexFunc(neverPublic, cidr.Overlaps); i >= 0 {
				p.Addf(path, "is %q, must lie outside %s: no request from the internet comes from there, and from inside the VPC the API server can be reached anyway", s, neverPublic[i])
			}
		}
	}
	p.Unique("publicAccessCidrs", a.PublicAccessCidrs)
}

func (a *EksClusterArgs) checkNodeGroups(p *check.Problems, component string) {
	p.Required("nodeGroups", len(a.NodeGroups) > 0, `one named "main" of two "m5.large"`)
	groups, names, nodes := make([]NodeGroup, len(a.NodeGroups)), make([]string, len(a.NodeGroups)), 0
	for i, g := range a.NodeGroups {
		groups[i] = g.checked(p.At("nodeGroups[%d]", i), component, a.Version, a.PrefixDelegation)
		p.Unique(fmt.Sprintf("nodeGroups[%d].instanceTypes", i), g.InstanceTypes)
		names[i] = g.Name
		nodes += max(groups[i].DesiredSize, 0)
	}
	for i, n := range names {
		if first := slices.Index(names, n); first < i {
			p.Addf(fmt.Sprintf("nodeGroups[%d].name", i), "is %q, the same as nodeGroups[%d].name", n, first)
		}
	}
	if len(groups) > 0 && nodes > 0 && !slices.ContainsFunc(groups, func(g NodeGroup) bool { return !g.keepsOff() && g.DesiredSize > 0 }) {
		p.Addf("nodeGroups", "have taints wherever they begin with a node, must have one without: coredns and metrics-server tolerate none")
	}
	if len(groups) > 0 && nodes == 0 {
		p.Addf("nodeGroups", "begin with no node, must begin with one at least (desiredSize): coredns and metrics-server wait for it")
	}
	a.NodeGroups = groups
}

// recorded is what the stack's state and policy packs see of the arguments.
func (a EksClusterArgs) recorded() pulumi.Map {
	m := pulumi.Map{
		"clusterName": pulumi.String(a.ClusterName), "version": pulumi.String(a.Version), "vpcId": a.VpcId, "privateSubnetIds": a.PrivateSubnetIds,
		"admins": pulumi.ToStringArray(a.Admins), "publicAccessCidrs": pulumi.ToStringArray(a.PublicAccessCidrs),
		"logRetentionDays": pulumi.Int(a.LogRetentionDays), "addonVersions": pulumi.ToStringMap(a.AddonVersions),
		"sessionManager": pulumi.Bool(a.SessionManager), "allowDeletion": pulumi.Bool(a.AllowDeletion), "tags": pulumi.ToStringMap(a.Tags),
	}
	if a.PublicSubnetIds != nil {
		m["publicSubnetIds"] = a.PublicSubnetIds
	}
	if len(a.Viewers) > 0 {
		m["viewers"] = pulumi.ToStringArray(a.Viewers)
	}
	if len(a.Auditors) > 0 {
		m["auditors"] = pulumi.ToStringArray(a.Auditors)
	}
	var developers, roles pulumi.Array
	for _, d := range a.Developers {
		developers = append(developers, pulumi.Map{"principal": pulumi.String(d.Principal), "namespaces": pulumi.ToStringArray(d.Namespaces)})
	}
	if len(developers) > 0 {
		m["developers"] = developers
	}
	if a.CiRole != "" {
		m["ciRole"], m["ciNamespaces"] = pulumi.String(a.CiRole), pulumi.ToStringArray(a.CiNamespaces)
	}
	for _, r := range a.AppRoles {
		role := pulumi.Map{
			"namespace": pulumi.String(r.Namespace), "serviceAccount": pulumi.String(r.ServiceAccount), "managedPolicyArns": pulumi.ToStringArray(r.ManagedPolicyArns),
		}
		if r.Policy != nil {
			role["policy"] = r.Policy
		}
		roles = append(roles, role)
	}
	if len(roles) > 0 {
		m["appRoles"] = roles
	}
	if a.DrainMinutes != 15 {
		m["drainMinutes"] = pulumi.Int(a.DrainMinutes)
	}
	if a.DrainSeconds != 30 {
		m["drainSeconds"] = pulumi.Int(a.DrainSeconds)
	}
	if a.PrefixDelegation {
		m["prefixDelegation"] = pulumi.Bool(true)
	}
	if a.KubeconfigRole != "" {
		m["kubeconfigRole"] = pulumi.String(a.KubeconfigRole)
	}
	var groups pulumi.Array
	for _, g := range a.NodeGroups {
		groups = append(groups, g.recorded())
	}
	m["nodeGroups"] = groups
	return m
}

// recorded leaves out what was not said, so that a new argument shows in no stack that does without it.
func (g NodeGroup) recorded() pulumi.Map {
	m := pulumi.Map{
		"name": pulumi.String(g.Name), "instanceTypes": pulumi.ToStringArray(g.InstanceTypes),
		"minSize": pulumi.Int(g.MinSize), "maxSize": pulumi.Int(g.MaxSize), "desiredSize": pulumi.Int(g.DesiredSize),
		"desiredSizeOwner": pulumi.String(g.DesiredSizeOwner), "diskSizeGiB": pulumi.Int(g.DiskSizeGiB),
	}
	if g.MaxUnavailable != 0 {
		m["maxUnavailable"] = pulumi.Int(g.MaxUnavailable)
	} else {
		m["maxUnavailablePercent"] = pulumi.Int(g.MaxUnavailablePercent)
	}
	if g.Capacity != OnDemand {
		m["capacity"] = pulumi.String(g.Capacity)
	}
	if g.AmiFamily != AmazonLinux {
		m["amiFamily"] = pulumi.String(g.AmiFamily)
	}
	if g.SubnetIds != nil {
		m["subnetIds"] = g.SubnetIds
	}
	if len(g.Labels) > 0 {
		m["labels"] = pulumi.ToStringMap(g.Labels)
	}
	var taints pulumi.Array
	for _, t := range g.Taints {
		taints = append(taints, pulumi.Map{"key": pulumi.String(t.Key), "value": pulumi.String(t.Value), "effect": pulumi.String(t.Effect)})
	}
	if len(taints) > 0 {
		m["taints"] = taints
	}
	sizes := pulumi.Map{}
	for name, s := range g.InstanceSizes {
		sizes[name] = pulumi.Map{
			"vcpu": pulumi.Int(s.VCPU), "memoryMiB": pulumi.Int(s.MemoryMiB),
			"networkInterfaces": pulumi.Int(s.NetworkInterfaces), "addressesPerInterface": pulumi.Int(s.AddressesPerInterface),
		}
	}
	if len(sizes) > 0 {
		m["instanceSizes"] = sizes
	}
	if k := g.Kubelet; k != nil && *k != (Kubelet{}) {
		m["kubelet"] = pulumi.Map{
			"maxPods": pulumi.Int(k.MaxPods), "systemReservedCpu": pulumi.String(k.SystemReservedCPU),
			"systemReservedMemory": pulumi.String(k.SystemReservedMemory), "kubeReservedMemory": pulumi.String(k.KubeReservedMemory),
		}
	}
	if g.ForceUpdate {
		m["forceUpdate"] = pulumi.Bool(true)
	}
	if g.ReleaseVersion != "" {
		m["releaseVersion"] = pulumi.String(g.ReleaseVersion)
	}
	return m
}
