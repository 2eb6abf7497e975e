package aws

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// What an operator changes in the account by hand, past every stack: a refresh finds it.

// amend changes inputs of an object, by the rules of its type. What AWS had chosen in their place goes.
func (tx *Tx) amend(o *Object, to map[string]any) error {
	t := types[o.Type]
	old, next := *o, *o
	old.Outputs, next.Outputs, next.Inputs = maps.Clone(o.Outputs), maps.Clone(o.Outputs), maps.Clone(o.Inputs)
	for name, v := range to {
		next.Inputs[name] = v
		delete(next.Outputs, name)
		if v == nil {
			delete(next.Inputs, name)
		}
	}
	if err := tx.references(t.Props, next.Inputs); err != nil {
		return err
	}
	if t.Validate != nil {
		if err := t.Validate(tx, &next, &old); err != nil {
			return err
		}
	}
	if t.Update != nil {
		if err := t.Update(tx, &next, &old); err != nil {
			return err
		}
	}
	*o = next
	tx.Touch()
	return nil
}

// makeOwn makes an object of no stack.
func (tx *Tx) makeOwn(token string, in map[string]any) (*Object, error) {
	t, o := types[token], &Object{Type: token, Region: tx.Region, Inputs: in}
	if t.Check != nil {
		if p := t.Check(inputs(in)); len(p) > 0 {
			return nil, Errorf("ValidationError", "%s %s", p[0].Path, p[0].Reason)
		}
	}
	if err := tx.references(t.Props, in); err != nil {
		return nil, err
	}
	if t.Validate != nil {
		if err := t.Validate(tx, o, nil); err != nil {
			return nil, err
		}
	}
	if err := t.Create(tx, o); err != nil {
		return nil, err
	}
	tx.Add(o)
	return o, nil
}

// Permission is one rule of a security group, as the EC2 API takes it: a protocol, ports, and a network or another group.
type Permission struct {
	Protocol         string
	FromPort, ToPort int
	Cidr, Group      string
}

func (p Permission) inputs(group string) map[string]any {
	in := map[string]any{"securityGroupId": group, "ipProtocol": p.Protocol}
	if protocolOf(p.Protocol) != "-1" {
		in["fromPort"], in["toPort"] = float64(p.FromPort), float64(p.ToPort)
	}
	switch {
	case p.Group != "":
		in["referencedSecurityGroupId"] = p.Group
	case strings.Contains(p.Cidr, ":"):
		in["cidrIpv6"] = p.Cidr
	default:
		in["cidrIpv4"] = p.Cidr
	}
	return in
}

// inline is the rule as a security group has it that lists its rules itself.
func (p Permission) inline() map[string]any {
	in := map[string]any{"protocol": p.Protocol, "fromPort": float64(p.FromPort), "toPort": float64(p.ToPort)}
	switch {
	case p.Group != "":
		in["securityGroups"] = []any{p.Group}
	case strings.Contains(p.Cidr, ":"):
		in["ipv6CidrBlocks"] = []any{p.Cidr}
	default:
		in["cidrBlocks"] = []any{p.Cidr}
	}
	return in
}

// inline is what lists all rules of a group for a stack, so that a rule more or less is a change of it; nil where the rules of stacks are
// resources of their own, and one that is nobody's is seen by no refresh.
func (tx *Tx) inline(group string) *Object {
	if d := tx.Find(defaultSecurityGroupToken, "id", group); d != nil {
		return d
	}
	if g := tx.Find(securityGroupToken, "id", group); g != nil && g.hasInput("ingress") {
		return g
	}
	return nil
}

func anyList(v any) []any { l, _ := v.([]any); return l }

func (tx *Tx) securityGroup(id string) error {
	if tx.Find(securityGroupToken, "id", id) == nil {
		return Errorf("InvalidGroup.NotFound", "The security group '%s' does not exist", id)
	}
	return nil
}

// AuthorizeSecurityGroupIngress lets connections into a group, by a rule of its own that no stack knows.
func (tx *Tx) AuthorizeSecurityGroupIngress(group string, p Permission) (map[string]any, error) {
	if err := tx.securityGroup(group); err != nil {
		return nil, err
	}
	if protocolOf(p.Protocol) == "" {
		return nil, Errorf("InvalidParameterValue", "Invalid value '%s' for IP protocol. Unknown protocol.", p.Protocol)
	}
	if p.Group == "" {
		if why := cidrProblem(p.Cidr, strings.Contains(p.Cidr, ":")); why != "" {
			return nil, Errorf("InvalidParameterValue", "CIDR block %s is malformed", p.Cidr)
		}
	}
	r := &Object{Inputs: p.inputs(group)}
	if whole := tx.inline(group); whole != nil {
		r.ID = tx.NewID("sgr")
		if err := tx.amend(whole, map[string]any{"ingress": append(slices.Clone(anyList(whole.Get("ingress"))), p.inline())}); err != nil {
			return nil, err
		}
	} else {
		var err error
		if r, err = tx.makeOwn(ingressRuleToken, r.Inputs); err != nil {
			return nil, err
		}
	}
	said := map[string]any{
		"SecurityGroupRuleId": r.ID, "GroupId": group, "GroupOwnerId": AccountID, "IsEgress": false, "IpProtocol": r.Str("ipProtocol"),
		"FromPort": p.FromPort, "ToPort": p.ToPort,
	}
	for name, prop := range map[string]string{"CidrIpv4": "cidrIpv4", "CidrIpv6": "cidrIpv6"} {
		if s := r.Str(prop); s != "" {
			said[name] = s
		}
	}
	if p.Group != "" {
		said["ReferencedGroupInfo"] = map[string]any{"GroupId": p.Group, "UserId": AccountID}
	}
	return map[string]any{"Return": true, "SecurityGroupRules": []any{said}}, nil
}

// RevokeSecurityGroupIngress takes rules away from a group, by their ids, or where there are none the one that is as given.
func (tx *Tx) RevokeSecurityGroupIngress(group string, ids []string, p Permission) error {
	if err := tx.securityGroup(group); err != nil {
		return err
	}
	of := func(r *Object) bool { return r.Str("securityGroupId") == group }
	var gone []*Object
	for _, id := range ids {
		r := tx.Find(ingressRuleToken, "id", id)
		if r == nil || !of(r) {
			return Errorf("InvalidSecurityGroupRuleId.NotFound", "The security group rule ID '%s' does not exist", id)
		}
		gone = append(gone, r)
	}
	if len(ids) == 0 {
		want := peersOf(&Object{Inputs: p.inputs(group)})
		for _, r := range tx.All(ingressRuleToken) {
			if of(r) && slices.Equal(peersOf(r), want) {
				gone = append(gone, r)
			}
		}
		if whole := tx.inline(group); whole != nil {
			want = peersOf(&Object{Inputs: p.inline()})
			rules := slices.Clone(anyList(whole.Get("ingress")))
			rest := slices.DeleteFunc(slices.Clone(rules), func(r any) bool { return slices.Equal(peersOf(&Object{Inputs: nested(r)}), want) })
			if len(rest) < len(rules) {
				return tx.amend(whole, map[string]any{"ingress": rest})
			}
		}
		if len(gone) == 0 {
			return Errorf("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
		}
	}
	for _, r := range gone {
		tx.Remove(r)
	}
	return nil
}

// UpdateNodegroupConfig changes the labels and the size of a node group; what is nil stays as it is.
func (tx *Tx) UpdateNodegroupConfig(cluster, name string, labels map[string]string, gone []string, size map[string]int) (map[string]any, error) {
	if tx.Find(clusterToken, "id", cluster) == nil {
		return nil, &Error{"ResourceNotFoundException", "No cluster found for name: " + cluster + ".", 404}
	}
	g := tx.Find(nodeGroupToken, "id", cluster+":"+name)
	if g == nil {
		return nil, &Error{"ResourceNotFoundException", "No node group found for name: " + name + ".", 404}
	}
	to, params := map[string]any{}, []any{}
	if len(labels)+len(gone) > 0 {
		all := maps.Clone(nested(g.Get("labels")))
		if all == nil {
			all = map[string]any{}
		}
		for k, v := range labels {
			all[k] = v
		}
		for _, k := range gone {
			delete(all, k)
		}
		to["labels"] = all
		params = append(params, map[string]any{"type": "LabelsToAdd", "value": describe(labels)}, map[string]any{"type": "LabelsToRemove", "value": describe(gone)})
	}
	if len(size) > 0 {
		all := maps.Clone(nested(g.Get("scalingConfig")))
		for k, n := range size {
			all[k] = float64(n)
		}
		to["scalingConfig"] = all
		for _, p := range [][2]string{{"minSize", "MinSize"}, {"maxSize", "MaxSize"}, {"desiredSize", "DesiredSize"}} {
			params = append(params, map[string]any{"type": p[1], "value": describe(all[p[0]])})
		}
	}
	if err := tx.amend(g, to); err != nil {
		return nil, err
	}
	return map[string]any{"update": map[string]any{"id": uuid(), "status": "InProgress", "type": "ConfigUpdate", "params": params, "errors": []any{}}}, nil
}

// ModifyListener changes the security policy of a listener.
func (tx *Tx) ModifyListener(arn, policy string) (map[string]any, error) {
	l := tx.Find(listenerToken, "arn", arn)
	if l == nil {
		return nil, Errorf("ListenerNotFound", "One or more listeners not found")
	}
	if err := tx.amend(l, map[string]any{"sslPolicy": policy}); err != nil {
		return nil, err
	}
	said := map[string]any{
		"ListenerArn": l.ID, "LoadBalancerArn": l.Str("loadBalancerArn"), "Port": l.Num("port"), "Protocol": l.Str("protocol"), "SslPolicy": l.Str("sslPolicy"),
	}
	if c := l.Str("certificateArn"); c != "" {
		said["Certificates"] = []any{map[string]any{"CertificateArn": c}}
	}
	return map[string]any{"Listeners": []any{said}}, nil
}

// PutScheduledUpdateGroupAction makes a scheduled action of a group, or changes the one of that name; what is not given stays as it is.
func (tx *Tx) PutScheduledUpdateGroupAction(group, action string, given map[string]any) error {
	if tx.Find(autoScalingGroupToken, "name", group) == nil {
		return Errorf("ValidationError", "AutoScalingGroup name not found - no such group: %s", group)
	}
	if s := tx.scheduledAction(group, action); s != nil {
		to := maps.Clone(given)
		_, start := given["startTime"]
		if _, rhythm := given["recurrence"]; rhythm && !start {
			to["startTime"] = nil // the next time of its recurrence
		}
		return tx.amend(s, to)
	}
	in := maps.Clone(given)
	in["autoscalingGroupName"], in["scheduledActionName"] = group, action
	for _, size := range scheduleSizes {
		if in[size] == nil {
			in[size] = -1.0
		}
	}
	_, err := tx.makeOwn(scheduleToken, in)
	return err
}

// DeleteScheduledAction deletes a scheduled action of a group.
func (tx *Tx) DeleteScheduledAction(group, action string) error {
	s := tx.scheduledAction(group, action)
	if s == nil {
		return Errorf("ValidationError", "Scheduled action name not found")
	}
	tx.Remove(s)
	return nil
}

// DescribeLifecycleHooks is what the API says of the hooks of a group.
func (tx *Tx) DescribeLifecycleHooks(group string) ([]map[string]any, error) {
	if tx.Find(autoScalingGroupToken, "name", group) == nil {
		return nil, Errorf("ValidationError", "AutoScalingGroup name not found - AutoScalingGroup %s not found", group)
	}
	out := []map[string]any{}
	for _, h := range tx.All(lifecycleHookToken) {
		if h.Str("autoscalingGroupName") == group {
			seconds := cmp.Or(h.Num("heartbeatTimeout"), usualHook)
			out = append(out, map[string]any{
				"LifecycleHookName": h.ID, "AutoScalingGroupName": group, "LifecycleTransition": h.Str("lifecycleTransition"),
				"HeartbeatTimeout": seconds, "GlobalTimeout": 100 * seconds, "DefaultResult": h.Str("defaultResult"),
			})
		}
	}
	return out, nil
}

// DeleteLifecycleHook takes a hook off a group.
func (tx *Tx) DeleteLifecycleHook(group, hook string) error {
	for _, h := range tx.All(lifecycleHookToken) {
		if h.ID == hook && h.Str("autoscalingGroupName") == group {
			tx.Remove(h)
			return nil
		}
	}
	return Errorf("ValidationError", "No Lifecycle Hook found with name: %s", hook)
}

func (tx *Tx) scheduledAction(group, action string) *Object {
	for _, s := range tx.All(scheduleToken) {
		if s.ID == action && s.Str("autoscalingGroupName") == group {
			return s
		}
	}
	return nil
}

// PutImageTagMutability lets the tags of a repository be moved, or not.
func (tx *Tx) PutImageTagMutability(repository, mutability string) (map[string]any, error) {
	r := tx.Find(repositoryToken, "name", repository)
	if r == nil {
		return nil, Errorf("RepositoryNotFoundException", "The repository with name '%s' does not exist in the registry with id '%s'", repository, AccountID)
	}
	if err := tx.amend(r, map[string]any{"imageTagMutability": mutability}); err != nil {
		return nil, err
	}
	return map[string]any{"registryId": AccountID, "repositoryName": repository, "imageTagMutability": mutability}, nil
}
