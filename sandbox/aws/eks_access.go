package aws

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	accessEntryToken  = "aws:eks/accessEntry:AccessEntry"
	accessPolicyToken = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
	podIdentityToken  = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
)

// callerRoleARN is the role behind CallerARN: access entries name roles, not their sessions.
const callerRoleARN = "arn:aws:iam::" + AccountID + ":role/" + callerRole

// clusterAdminPolicy is what the creator of a cluster gets.
const clusterAdminPolicy = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"

// accessPolicies are the policies that EKS has for principals that people use (EKS user guide, "Review access policy
// permissions").
var accessPolicies = []string{
	clusterAdminPolicy,
	"arn:aws:eks::aws:cluster-access-policy/AmazonEKSAdminPolicy",
	"arn:aws:eks::aws:cluster-access-policy/AmazonEKSAdminViewPolicy",
	"arn:aws:eks::aws:cluster-access-policy/AmazonEKSEditPolicy",
	"arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy",
	"arn:aws:eks::aws:cluster-access-policy/AmazonEKSSecretReaderPolicy",
	"arn:aws:eks::aws:cluster-access-policy/AmazonEKSAutoNodePolicy",
	"arn:aws:eks::aws:cluster-access-policy/AmazonEKSHybridPolicy",
}

var (
	principalARN = regexp.MustCompile(`^arn:aws[a-z-]*:iam::\d{12}:(role|user)/[\w+=,.@/-]+$`)
	// reservedPrefixes may not begin user and group names in access entries.
	reservedPrefixes = []string{"system:", "eks:", "aws:", "amazon:", "iam:"}
)

func init() {
	cluster := text.must().fixed().to(clusterRef)
	principal := text.must().fixed()
	register(
		&Type{
			Token: accessEntryToken, Label: "EKS Access Entry", Service: "EKS", Ops: Ops{"CreateAccessEntry", "UpdateAccessEntry", "DeleteAccessEntry"},
			Props: map[string]Prop{
				"clusterName": cluster, "kubernetesGroups": setOf(text.within(1, 255)).filled(), "principalArn": principal, "tags": tagMap,
				"type":     text.or("STANDARD").fixed().in("STANDARD", "EC2_LINUX", "EC2_WINDOWS", "FARGATE_LINUX", "EC2", "HYBRID_LINUX", "HYPERPOD_LINUX"),
				"userName": text.filled(),
			},
			Outputs:  []string{"accessEntryArn", "createdAt", "modifiedAt"},
			Validate: validateAccessEntry, Create: createAccessEntry,
			Update: func(tx *Tx, o, _ *Object) error { describeAccessEntry(tx, o); return nil },
			Delete: func(tx *Tx, o *Object) error {
				tx.removeWhere(accessPolicyToken, func(a *Object) bool {
					return a.Str("clusterName") == o.Str("clusterName") && a.Str("principalArn") == o.Str("principalArn")
				})
				return nil
			},
		},
		&Type{
			Token: accessPolicyToken, Label: "EKS Access Policy Association", Service: "EKS", Ops: Ops{"AssociateAccessPolicy", "AssociateAccessPolicy", "DisassociateAccessPolicy"},
			Props: map[string]Prop{
				"accessScope": fields(map[string]Prop{"namespaces": setOf(text.within(1, 63)).fixed(), "type": text.must().fixed().in("cluster", "namespace")}).must().fixed(),
				"clusterName": cluster, "policyArn": text.must().fixed(), "principalArn": principal,
			},
			Outputs: []string{"associatedAt", "modifiedAt"},
			Check:   checkAssociation, Validate: validateAccessPolicy, Create: createAccessPolicy,
		},
		&Type{
			Token: podIdentityToken, Label: "EKS Pod Identity Association", Service: "EKS", Ops: Ops{"CreatePodIdentityAssociation", "UpdatePodIdentityAssociation", "DeletePodIdentityAssociation"},
			Props: map[string]Prop{
				"clusterName": cluster, "namespace": text.must().fixed().within(1, 63), "roleArn": text.must(), "serviceAccount": text.must().fixed().within(1, 253), "tags": tagMap,
			},
			Outputs:  []string{"associationArn", "associationId"},
			Validate: validatePodIdentity, Create: createPodIdentity,
			Import: func(tx *Tx, id string) *Object {
				_, association, _ := strings.Cut(id, ",")
				return tx.Find(podIdentityToken, "id", association)
			},
		},
	)
}

// entry is the access entry of a principal; nil where it has none.
func (tx *Tx) entry(cluster, principal string) *Object {
	return tx.Find(accessEntryToken, "id", cluster+":"+principal)
}

func validateAccessEntry(tx *Tx, o, old *Object) error {
	c, err := tx.clusterOf(o)
	if err != nil {
		return err
	}
	if authenticationMode(c) == "CONFIG_MAP" {
		return Errorf("InvalidRequestException", "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this operation.")
	}
	p := o.Str("principalArn")
	if strings.Contains(p, ":sts:") && strings.Contains(p, ":assumed-role/") {
		return Errorf("InvalidParameterException", "The principalArn parameter format is not valid (%s is a session: name its role)", p)
	}
	if !principalARN.MatchString(p) {
		return Errorf("InvalidParameterException", "The principalArn parameter format is not valid (%s)", p)
	}
	if strings.Contains(p, ":role/aws-service-role/") {
		return Errorf("InvalidParameterException", "The caller is not allowed to modify access entries with a principalArn value of a Service Linked Role.")
	}
	if old == nil && tx.entry(c.ID, p) != nil {
		return &Error{"ResourceInUseException", "The specified access entry resource is already in use on this cluster.", 409}
	}
	groups, _ := o.Inputs["kubernetesGroups"].([]any)
	user, _ := o.Inputs["userName"].(string)
	if kind := o.Str("type"); kind != "STANDARD" && (len(groups) > 0 || user != "") {
		return Errorf("InvalidParameterException", "The kubernetesGroups and username cannot be specified for access entries of type %s.", kind)
	}
	for _, g := range Strings(groups) {
		for _, r := range reservedPrefixes {
			if strings.HasPrefix(g, r) {
				return Errorf("InvalidParameterException", "The kubernetes group name %s is invalid, it cannot start with %s", g, r)
			}
		}
	}
	for _, r := range reservedPrefixes {
		if strings.HasPrefix(user, r) {
			return Errorf("InvalidParameterException", "The username %s is invalid, it cannot start with %s", user, r)
		}
	}
	return nil
}

func createAccessEntry(tx *Tx, o *Object) error {
	p := strings.Split(o.Str("principalArn"), ":")
	kind, name, _ := strings.Cut(p[len(p)-1], "/")
	name = name[strings.LastIndex(name, "/")+1:]
	o.ID = o.Str("clusterName") + ":" + o.Str("principalArn")
	o.Set("accessEntryArn", tx.ARN("eks", fmt.Sprintf("access-entry/%s/%s/%s/%s/%s", o.Str("clusterName"), kind, p[4], name, uuid())))
	o.Set("createdAt", time.Now().UTC().Format(time.RFC3339))
	describeAccessEntry(tx, o)
	return nil
}

func describeAccessEntry(_ *Tx, o *Object) {
	o.Set("modifiedAt", time.Now().UTC().Format(time.RFC3339))
	p := o.Str("principalArn")
	user := p
	if account, role, ok := strings.Cut(strings.TrimPrefix(p, "arn:aws:iam::"), ":role/"); ok {
		user = "arn:aws:sts::" + account + ":assumed-role/" + role[strings.LastIndex(role, "/")+1:] + "/{{SessionName}}"
	}
	groups := []any{}
	if strings.HasPrefix(o.Str("type"), "EC2_") {
		user, groups = "system:node:{{EC2PrivateDNSName}}", []any{"system:nodes"}
	}
	o.fill("userName", user)
	o.fill("kubernetesGroups", groups)
}

// addEntry makes the entry that EKS makes by itself for a principal, unless there is one.
func (tx *Tx) addEntry(cluster *Object, principal, kind string) {
	if authenticationMode(cluster) == "CONFIG_MAP" || tx.entry(cluster.ID, principal) != nil {
		return
	}
	e := &Object{
		Type: accessEntryToken, Region: tx.Region, Owner: cluster.Key(),
		Inputs: map[string]any{"clusterName": cluster.ID, "principalArn": principal, "type": kind},
	}
	_ = createAccessEntry(tx, e) // cannot fail: all values are right
	tx.Add(e)
}

// addCreator lets the caller into the cluster, as EKS does unless it is told not to.
func (tx *Tx) addCreator(cluster *Object) {
	if nested(cluster.Get("accessConfig"))["bootstrapClusterCreatorAdminPermissions"] != true || authenticationMode(cluster) == "CONFIG_MAP" {
		return
	}
	tx.addEntry(cluster, callerRoleARN, "STANDARD")
	a := &Object{Type: accessPolicyToken, Region: tx.Region, Owner: cluster.Key(), Inputs: map[string]any{
		"clusterName": cluster.ID, "principalArn": callerRoleARN, "policyArn": clusterAdminPolicy, "accessScope": map[string]any{"type": "cluster"},
	}}
	_ = createAccessPolicy(tx, a) // cannot fail: all values are right
	tx.Add(a)
}

func checkAssociation(in Inputs) []Problem {
	scope := nested(in.Object().Get("accessScope"))
	n := len(Strings(scope["namespaces"]))
	switch {
	case scope["type"] == "namespace" && n == 0:
		return []Problem{{"accessScope.namespaces", "is required where type is namespace"}}
	case scope["type"] == "cluster" && n > 0:
		return []Problem{{"accessScope.namespaces", "must not be given where type is cluster"}}
	}
	return nil
}

func validateAccessPolicy(tx *Tx, o, _ *Object) error {
	c, err := tx.clusterOf(o)
	if err != nil {
		return err
	}
	if authenticationMode(c) == "CONFIG_MAP" {
		return Errorf("InvalidRequestException", "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this operation.")
	}
	if p := o.Str("policyArn"); !slices.Contains(accessPolicies, p) {
		return &Error{"ResourceNotFoundException", fmt.Sprintf("The specified policyArn could not be found: %s (the sandbox knows %s)", p, strings.Join(accessPolicies, ", ")), 404}
	}
	entry := tx.entry(c.ID, o.Str("principalArn"))
	if entry == nil {
		return &Error{"ResourceNotFoundException", "The specified principalArn could not be found. You can view your available access entries with 'list-access-entries'. (" + o.Str("principalArn") + ")", 404}
	}
	if kind := entry.Str("type"); kind != "STANDARD" && kind != "EC2" {
		return Errorf("InvalidRequestException", "Access policies cannot be associated with access entries of type %s.", kind)
	}
	return nil
}

func createAccessPolicy(_ *Tx, o *Object) error {
	o.ID = o.Str("clusterName") + "#" + o.Str("principalArn") + "#" + o.Str("policyArn")
	now := time.Now().UTC().Format(time.RFC3339)
	o.Set("associatedAt", now)
	o.Set("modifiedAt", now)
	return nil
}

func validatePodIdentity(tx *Tx, o, old *Object) error {
	if _, err := tx.clusterOf(o); err != nil {
		return err
	}
	arn := o.Str("roleArn")
	role := tx.roleOf(arn)
	if role == nil {
		return Errorf("InvalidParameterException", "Role provided in the request does not exist: %s", arn)
	}
	if !trusts(role, "pods.eks.amazonaws.com", "sts:AssumeRole") || !trusts(role, "pods.eks.amazonaws.com", "sts:TagSession") {
		return Errorf("InvalidParameterException", "Trust policy of role %s must let pods.eks.amazonaws.com do sts:AssumeRole and sts:TagSession", arn)
	}
	if old != nil {
		return nil
	}
	for _, e := range tx.All(podIdentityToken) {
		if e.Str("clusterName") == o.Str("clusterName") && e.Str("namespace") == o.Str("namespace") && e.Str("serviceAccount") == o.Str("serviceAccount") {
			return &Error{"ResourceInUseException", "Association already exists: " + e.ID, 409}
		}
	}
	return nil
}

func createPodIdentity(tx *Tx, o *Object) error {
	o.ID = "a-" + Hex(17)
	o.Set("associationId", o.ID)
	o.Set("associationArn", tx.ARN("eks", "podidentityassociation/"+o.Str("clusterName")+"/"+o.ID))
	return nil
}

// uuid is a random one.
func uuid() string { return Hex(8) + "-" + Hex(4) + "-4" + Hex(3) + "-a" + Hex(3) + "-" + Hex(12) }
