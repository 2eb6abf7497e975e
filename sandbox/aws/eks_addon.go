package aws

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

const addonToken = "aws:eks/addon:Addon"

// onNodes are the add-ons that run as Deployments: they become ACTIVE only where there is a node for their pods. The others
// run one pod a node, and none is fine.
var onNodes = []string{"coredns", "metrics-server", "aws-ebs-csi-driver"}

func init() {
	onCreate := text.in("NONE", "OVERWRITE")
	register(&Type{
		Token: addonToken, Label: "EKS Add-On", Service: "EKS", Ops: Ops{"CreateAddon", "UpdateAddon", "DeleteAddon"},
		Props: map[string]Prop{
			"addonName": text.must().fixed(), "addonVersion": text.filled(), "clusterName": text.must().fixed().to(clusterRef),
			"configurationValues": text.filled(), "preserve": flag, "resolveConflicts": text.in("NONE", "OVERWRITE", "PRESERVE").not("resolveConflictsOnCreate", "resolveConflictsOnUpdate"),
			"podIdentityAssociations":  setOf(fields(map[string]Prop{"roleArn": text.must(), "serviceAccount": text.must()})),
			"resolveConflictsOnCreate": onCreate.not("resolveConflicts"), "resolveConflictsOnUpdate": text.in("NONE", "OVERWRITE", "PRESERVE").not("resolveConflicts"),
			"serviceAccountRoleArn": text, "tags": tagMap,
		},
		Outputs:  []string{"arn", "createdAt", "modifiedAt"},
		Validate: validateAddon, Create: createAddon,
		Update: func(tx *Tx, o, _ *Object) error { return describeAddon(tx, o) },
	})
}

func validateAddon(tx *Tx, o, old *Object) error {
	c, err := tx.clusterOf(o)
	if err != nil {
		return err
	}
	name := o.Str("addonName")
	if old == nil && tx.Find(addonToken, "id", c.ID+":"+name) != nil {
		return &Error{"ResourceInUseException", "Addon already exists.", 409}
	}
	known, _, err := addonVersions(name, c.Str("version"))
	if err != nil {
		return err
	}
	if v := o.Str("addonVersion"); v != "" && !slices.Contains(known, v) && (old == nil || v != old.Str("addonVersion")) {
		return Errorf("InvalidParameterException", "Addon version specified is not supported: %s %s on Kubernetes %s (the sandbox knows %s)", name, v, c.Str("version"), strings.Join(known, ", "))
	}
	if values, ok := o.Inputs["configurationValues"].(string); ok && strings.HasPrefix(strings.TrimSpace(values), "{") && !json.Valid([]byte(values)) {
		return Errorf("InvalidParameterException", "ConfigurationValue provided in request is not supported: it is no JSON")
	}
	for _, arn := range append(podRoles(o), o.Str("serviceAccountRoleArn")) {
		if arn != "" && tx.roleOf(arn) == nil {
			return Errorf("InvalidParameterException", "Role provided in the request does not exist: %s", arn)
		}
	}
	if old == nil && slices.Contains(onNodes, name) && !tx.hasNodes(c.ID) {
		// EKS would try for 20 minutes; there is no use in waiting here.
		return fmt.Errorf("waiting for EKS Add-On (%s:%s) create: timeout while waiting for state to become 'ACTIVE' (last state: 'DEGRADED', timeout: 20m0s): "+
			"InsufficientNumberOfReplicas: The add-on is unhealthy because it doesn't have the desired number of replicas. "+
			"Cluster %s has no node group with nodes that take its pods: let the add-on depend on one", c.ID, name, c.ID)
	}
	return nil
}

func podRoles(o *Object) []string {
	var out []string
	for _, a := range objects(o.Get("podIdentityAssociations")) {
		arn, _ := a["roleArn"].(string)
		out = append(out, arn)
	}
	return out
}

// hasNodes tells whether the cluster has nodes that take pods without tolerations.
func (tx *Tx) hasNodes(cluster string) bool {
	return slices.ContainsFunc(tx.All(nodeGroupToken), func(g *Object) bool {
		keepsOff := func(t map[string]any) bool { return t["effect"] != "PREFER_NO_SCHEDULE" }
		return g.Str("clusterName") == cluster && wholeNumber(nested(g.Get("scalingConfig"))["desiredSize"]) > 0 && !slices.ContainsFunc(objects(g.Get("taints")), keepsOff)
	})
}

func createAddon(tx *Tx, o *Object) error {
	o.ID = o.Str("clusterName") + ":" + o.Str("addonName")
	o.Set("arn", tx.ARN("eks", "addon/"+o.Str("clusterName")+"/"+o.Str("addonName")+"/"+uuid()))
	o.Set("createdAt", time.Now().UTC().Format(time.RFC3339))
	o.fill("configurationValues", "")
	return describeAddon(tx, o)
}

func describeAddon(tx *Tx, o *Object) error {
	o.Set("modifiedAt", time.Now().UTC().Format(time.RFC3339))
	c, err := tx.clusterOf(o)
	if err != nil {
		return err
	}
	_, byDefault, err := addonVersions(o.Str("addonName"), c.Str("version"))
	if err != nil {
		return err
	}
	if o.Str("addonVersion") == "" {
		o.Set("addonVersion", byDefault)
	}
	return nil
}
