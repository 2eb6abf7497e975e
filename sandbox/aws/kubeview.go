package aws

import (
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-iac/slipway/sandbox/kube/view"
)

// KubeView is the account as the control plane of Kubernetes has to see it: clusters, who may enter, node groups, and target groups.
func KubeView(tx *Tx) *view.View {
	v := &view.View{Clusters: []view.Cluster{}, TargetGroups: tx.viewTargetGroups()}
	for _, c := range tx.Objects {
		if c.Type != clusterToken {
			continue
		}
		in := *tx
		in.Region = c.Region
		v.Clusters = append(v.Clusters, view.Cluster{
			// The time tells a cluster from the one that had its name before.
			ID: c.Str("arn") + "@" + c.Created.Format("20060102T150405.000000000Z"), Name: c.ID, Region: c.Region,
			AccessEntries: in.viewEntries(c), NodeGroups: in.viewNodeGroups(c), Ended: in.viewEnded(c), Addons: in.viewAddons(c),
		})
	}
	return v
}

// WriteKubeView writes the view where the control plane looks for it.
func (tx *Tx) WriteKubeView(path string) error {
	_, err := view.Write(path, KubeView(tx))
	return err
}

func (tx *Tx) viewEntries(c *Object) []view.AccessEntry {
	out := []view.AccessEntry{}
	if authenticationMode(c) != "API" && nested(c.Get("accessConfig"))["bootstrapClusterCreatorAdminPermissions"] != false && tx.entry(c.ID, callerRoleARN) == nil {
		// Without access entries the creator is admin by himself.
		out = append(out, view.AccessEntry{PrincipalArn: callerRoleARN, Policies: []view.AccessPolicy{{Arn: clusterAdminPolicy, ScopeType: view.ScopeCluster}}})
	}
	for _, e := range tx.All(accessEntryToken) {
		if e.Str("clusterName") != c.ID || e.Str("type") != "STANDARD" {
			continue // the others are for nodes
		}
		entry := view.AccessEntry{PrincipalArn: e.Str("principalArn"), Groups: e.List("kubernetesGroups")}
		entry.Username, _ = e.Inputs["userName"].(string)
		for _, a := range tx.All(accessPolicyToken) {
			if a.Str("clusterName") == c.ID && a.Str("principalArn") == entry.PrincipalArn {
				scope := nested(a.Get("accessScope"))
				kind, _ := scope["type"].(string)
				entry.Policies = append(entry.Policies, view.AccessPolicy{Arn: a.Str("policyArn"), ScopeType: kind, Namespaces: Strings(scope["namespaces"])})
			}
		}
		out = append(out, entry)
	}
	return out
}

func (tx *Tx) viewAddons(c *Object) (names []string) {
	for _, a := range tx.All(addonToken) {
		if a.Str("clusterName") == c.ID {
			names = append(names, a.Str("addonName"))
		}
	}
	slices.Sort(names)
	return names
}

func (tx *Tx) viewNodeGroups(c *Object) []view.NodeGroup {
	out := []view.NodeGroup{}
	for _, g := range tx.All(nodeGroupToken) {
		if g.Str("clusterName") != c.ID {
			continue
		}
		lt := tx.launchTemplate(g)
		n := view.NodeGroup{
			ID: g.Str("arn"), Name: g.Str("nodeGroupName"), InstanceTypes: instanceTypesOf(g, lt), Desired: wholeNumber(nested(g.Get("scalingConfig"))["desiredSize"]),
			Labels: labelsOf(g.Get("labels")), DiskSizeGiB: nodeDisk(g, lt), AmiType: g.Str("amiType"), CapacityType: g.Str("capacityType"),
			Version: g.Str("version"), ReleaseVersion: g.Str("releaseVersion"),
		}
		if group := tx.Find(autoScalingGroupToken, "name", autoScalingGroupOf(g)); group != nil {
			n.MaxPods = group.Num("maxPods")
		}
		if s := tx.Find(autoScalingGroupToken, "name", autoScalingGroupOf(g)); s != nil {
			n.EndSeconds = balancing{tx.Objects}.endSeconds(s)
		}
		for _, t := range objects(g.Get("taints")) {
			value, _ := t["value"].(string)
			n.Taints = append(n.Taints, view.Taint{Key: fmt.Sprint(t["key"]), Value: value, Effect: fmt.Sprint(t["effect"])})
		}
		for _, id := range g.List("subnetIds") {
			if s := tx.Find(subnetToken, "id", id); s != nil {
				n.Subnets = append(n.Subnets, view.Subnet{ID: id, Zone: s.Str("availabilityZone"), Cidr: s.Str("cidrBlock")})
			}
		}
		slices.SortFunc(n.Subnets, func(a, b view.Subnet) int { return strings.Compare(a.Zone+a.ID, b.Zone+b.ID) })
		out = append(out, n)
	}
	return out
}

func (tx *Tx) viewEnded(c *Object) map[string]int {
	out := map[string]int{}
	for _, g := range tx.All(endedToken) {
		if g.Str("clusterName") == c.ID {
			out[g.ID] = g.Num("endSeconds")
		}
	}
	return out
}

func (tx *Tx) viewTargetGroups() []view.TargetGroup {
	all := balancing{tx.Objects}
	var out []view.TargetGroup
	for _, o := range all.all(targetGroupToken) {
		g := all.group(o)
		n := view.TargetGroup{
			ARN: g.ARN, Name: g.Name, Type: g.Type, Version: g.Version, Check: g.Check, IPAddressType: o.Str("ipAddressType"), VPC: o.Str("vpcId"), InUse: all.inUse(g.ARN),
		}
		for _, v := range all.all(vpcToken) {
			if v.ID == n.VPC {
				n.VPCCidr = v.Str("cidrBlock")
			}
		}
		out = append(out, n)
	}
	return out
}

// inUse tells whether a listener or a rule forwards to a target group.
func (v balancing) inUse(group string) bool {
	for kind, list := range map[string]string{listenerToken: "defaultActions", listenerRuleToken: "actions"} {
		for _, o := range v.all(kind) {
			for _, a := range actionsOf(o.Inputs[list]) {
				if slices.ContainsFunc(a.Forward, func(s Share) bool { return s.Group == group }) {
					return true
				}
			}
		}
	}
	return false
}
