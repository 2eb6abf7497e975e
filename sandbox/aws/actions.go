package aws

import (
	"maps"
	"slices"
	"strings"
)

// Actions are what the AWS provider asks IAM for in the operations on a resource type, or in a function. Sources: what the code of
// https://github.com/hashicorp/terraform-provider-aws calls, and what https://docs.aws.amazon.com/service-authorization names as the
// action of such a call, with the actions that it depends on. Each is a list of words: "CreateVpc" is of Service, "iam:PassRole" names its own.
type Actions struct {
	// Service is what stands before the colon of a word that names none.
	Service string
	// Read is asked for by a refresh, and again at the end of every create and update.
	Read string
	// Create, Update and Delete are asked for beside it, whatever the inputs are.
	Create, Update, Delete string
	// Given are asked for by a create whose input of that name is given; Changed, by an update that changes it.
	Given, Changed map[string]string
	// Invoke is what a function asks for.
	Invoke string
	// On is the resource that the actions are checked against, with "{…}" for attributes: "arn:aws:s3:::{bucket}". Default the object's arn.
	On string
	// Also are actions on other resources than the object.
	Also []Also
}

// Also is an action of a create, or of an update that changes the input, on what an input names.
type Also struct {
	Actions string
	// Of is the input; the action is not asked for where it is not given. Default always.
	Of string
	// On is the resource, with "{…}" for attributes. Default the value of the input, which is an ARN.
	On string
	// With are the condition keys of the request, whose values may have "{…}", too.
	With map[string]string
	// Ops are the operations; default create, and update where the input changes.
	Ops []string
}

// Asked is one action that was, or would be, asked for.
type Asked struct {
	Action string `json:"action"`
	// Resource is an ARN, or "*" where the action is checked against no resource.
	Resource string `json:"resource"`
	// With are condition keys of the request.
	With map[string]string `json:"with,omitempty"`
	// Type and Op are for whom.
	Type string `json:"type"`
	Op   string `json:"op"`
}

// asked is what an operation asks for. old is nil but in an update.
func (a Actions) asked(token, op string, o, old *Object) []Asked {
	given := func(name string) bool {
		v := input(o, name)
		m, isMap := v.(map[string]any)
		return v != nil && v != false && !(isMap && len(m) == 0)
	}
	changed := func(name string) bool {
		return old != nil && !same(types[token].Props[name], input(old, name), input(o, name))
	}
	var words []string
	add := func(s string) { words = append(words, strings.Fields(s)...) }
	switch op {
	case "create":
		add(a.Create)
		for _, name := range slices.Sorted(maps.Keys(a.Given)) {
			if given(name) {
				add(a.Given[name])
			}
		}
		add(a.Read)
	case "read":
		add(a.Read)
	case "update":
		add(a.Update)
		for _, name := range slices.Sorted(maps.Keys(a.Changed)) {
			if changed(name) {
				add(a.Changed[name])
			}
		}
		add(a.Read)
	case "delete":
		add(a.Delete)
	case "invoke":
		add(a.Invoke)
	}
	var out []Asked
	for _, word := range words {
		out = append(out, Asked{Action: a.full(word), Resource: resourceOf(a.full(word), a.resource(o)), Type: token, Op: op})
	}
	for _, also := range a.Also {
		if also.Of != "" && !given(also.Of) || !also.in(op, changed(also.Of)) {
			continue
		}
		with := map[string]string{}
		for k, v := range also.With {
			if v := fill(v, o); v != "" {
				with[k] = v
			}
		}
		on := []string{fill(also.On, o)}
		if also.On == "" {
			on = arnsIn(o.Get(also.Of))
		}
		for _, word := range strings.Fields(also.Actions) {
			for _, arn := range on {
				out = append(out, Asked{Action: a.full(word), Resource: resourceOf(a.full(word), arn), With: with, Type: token, Op: op})
			}
		}
	}
	return out
}

func (a Also) in(op string, changed bool) bool {
	if len(a.Ops) > 0 {
		return slices.Contains(a.Ops, op)
	}
	return op == "create" || op == "update" && changed
}

func (a Actions) full(word string) string {
	if strings.Contains(word, ":") {
		return word
	}
	return a.Service + ":" + word
}

func (a Actions) resource(o *Object) string {
	switch arn := o.Str("arn"); {
	case a.On != "":
		return fill(a.On, o)
	case arn != "":
		return arn
	case strings.HasPrefix(o.ID, "arn:"):
		return o.ID
	}
	return "arn:aws:" + a.Service + ":" + o.Region + ":" + AccountID + ":" + kindOf(o.Type) + "/" + o.ID
}

// kindOf is the kind of resource as EC2's ARNs name it, which for what has an ARN of its own is not asked: "nat-gateway".
func kindOf(token string) string {
	name := token[strings.LastIndex(token, ":")+1:]
	var b strings.Builder
	for i, r := range name {
		if r >= 'A' && r <= 'Z' {
			if i > 0 {
				b.WriteByte('-')
			}
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// fill puts an object's attributes into a text; {region} is its region, {account} the account, {a.b} what an attribute holds.
func fill(text string, o *Object) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, after, _ := strings.Cut(rest, "}")
		switch name {
		case "region":
			b.WriteString(o.Region)
		case "account":
			b.WriteString(AccountID)
		default:
			if v, isText := valueAt(o, name).(string); isText {
				b.WriteString(v)
			}
		}
		text = after
	}
}

// valueAt is an attribute, or what it holds: "encryptionConfig.provider.keyArn".
func valueAt(o *Object, path string) any {
	first, rest, _ := strings.Cut(path, ".")
	v := o.Get(first)
	for rest != "" {
		first, rest, _ = strings.Cut(rest, ".")
		v = nested(v)[first]
	}
	return v
}

// input is what an operation is given: of tags, all of them, those that the provider adds to every resource too.
func input(o *Object, name string) any {
	if name == "tags" {
		return o.Outputs["tagsAll"]
	}
	return o.Inputs[name]
}

// arnsIn is the texts of a value that may hold one, or many.
func arnsIn(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		return Strings(v)
	}
	return nil
}

// unscoped are actions that no policy can narrow down to a resource, after their service: a policy that names one never allows them.
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
var unscoped = map[string][]string{
	"ec2":                  {"Describe"},
	"elasticloadbalancing": {"Describe"},
	"autoscaling":          {"Describe"},
	"acm":                  {"RequestCertificate"},
	"cloudwatch":           {"DescribeAlarmsForMetric"},
	"ecr":                  {"DescribeRegistry", "GetAuthorizationToken", "GetRegistryScanningConfiguration", "PutRegistryScanningConfiguration", "PutReplicationConfiguration", "CreatePullThroughCacheRule", "DescribePullThroughCacheRules", "DeletePullThroughCacheRule"},
	"eks":                  {"DescribeAddonVersions", "ListClusters"},
	"kms":                  {"CreateKey", "ListAliases"},
	"logs":                 {"DescribeLogGroups"},
	"route53":              {"ListHostedZones", "CreateHostedZone"},
	"ssm":                  {"DescribeParameters"},
	"sts":                  {"GetCallerIdentity"},
}

// resourceOf is the resource that an action is checked against where its object is arn.
func resourceOf(action, arn string) string {
	service, name, _ := strings.Cut(action, ":")
	if action == "route53:GetChange" {
		return "arn:aws:route53:::change/ID"
	}
	if slices.ContainsFunc(unscoped[service], func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
		return "*"
	}
	return arn
}

var asks = map[string]Actions{}

// declare says what types and functions ask for; each service's file calls it from init.
func declare(all map[string]Actions) {
	for token, a := range all {
		if _, twice := asks[token]; twice {
			panic("declared twice: " + token)
		}
		asks[token] = a
	}
}

// Declared is every action that a type or function may ask for, in whatever operation.
func Declared() []Asked {
	var out []Asked
	for _, token := range slices.Sorted(maps.Keys(asks)) {
		a := asks[token]
		add := func(op, words string) {
			for _, w := range strings.Fields(words) {
				out = append(out, Asked{Action: a.full(w), Resource: "*", Type: token, Op: op})
			}
		}
		add("read", a.Read)
		add("create", a.Create)
		for _, name := range slices.Sorted(maps.Keys(a.Given)) {
			add("create", a.Given[name])
		}
		add("update", a.Update)
		for _, name := range slices.Sorted(maps.Keys(a.Changed)) {
			add("update", a.Changed[name])
		}
		add("delete", a.Delete)
		add("invoke", a.Invoke)
		for _, also := range a.Also {
			add("create", also.Actions)
		}
	}
	return out
}
