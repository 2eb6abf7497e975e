package awscli

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-iac/slipway/sandbox/aws"
)

// byHand are changes past the stack. The options are those of https://docs.aws.amazon.com/cli/latest/reference/, as far as they go here.
var byHand = map[string]operation{
	"autoscaling put-scheduled-update-group-action": {
		"PutScheduledUpdateGroupAction",
		[]string{"auto-scaling-group-name!", "scheduled-action-name!", "start-time", "end-time", "recurrence", "min-size", "max-size", "desired-capacity", "time-zone"},
		func(c call, tx *aws.Tx) (any, error) {
			given := map[string]any{}
			for flag, prop := range map[string]string{"start-time": "startTime", "end-time": "endTime", "recurrence": "recurrence", "time-zone": "timeZone"} {
				if v, ok := c.flags[flag]; ok {
					given[prop] = v
				}
			}
			for flag, prop := range map[string]string{"min-size": "minSize", "max-size": "maxSize", "desired-capacity": "desiredCapacity"} {
				if n := c.number(flag); n >= 0 {
					given[prop] = float64(n)
				}
			}
			return nil, tx.PutScheduledUpdateGroupAction(c.flags["auto-scaling-group-name"], c.flags["scheduled-action-name"], given)
		},
	},
	"autoscaling delete-scheduled-action": {
		"DeleteScheduledAction",
		[]string{"auto-scaling-group-name!", "scheduled-action-name!"},
		func(c call, tx *aws.Tx) (any, error) {
			return nil, tx.DeleteScheduledAction(c.flags["auto-scaling-group-name"], c.flags["scheduled-action-name"])
		},
	},
	"autoscaling describe-lifecycle-hooks": {
		"DescribeLifecycleHooks",
		[]string{"auto-scaling-group-name!"},
		func(c call, tx *aws.Tx) (any, error) {
			hooks, err := tx.DescribeLifecycleHooks(c.flags["auto-scaling-group-name"])
			return map[string]any{"LifecycleHooks": hooks}, err
		},
	},
	"autoscaling delete-lifecycle-hook": {
		"DeleteLifecycleHook",
		[]string{"lifecycle-hook-name!", "auto-scaling-group-name!"},
		func(c call, tx *aws.Tx) (any, error) {
			return nil, tx.DeleteLifecycleHook(c.flags["auto-scaling-group-name"], c.flags["lifecycle-hook-name"])
		},
	},
	"ec2 authorize-security-group-ingress": {
		"AuthorizeSecurityGroupIngress",
		[]string{"group-id!", "protocol!", "port", "cidr", "source-group"},
		func(c call, tx *aws.Tx) (any, error) {
			p, err := c.permission()
			if err != nil {
				return nil, err
			}
			return tx.AuthorizeSecurityGroupIngress(c.flags["group-id"], p)
		},
	},
	"ec2 revoke-security-group-ingress": {
		"RevokeSecurityGroupIngress",
		[]string{"group-id!", "protocol", "port", "cidr", "source-group", "security-group-rule-ids"},
		func(c call, tx *aws.Tx) (any, error) {
			ids := strings.Fields(c.flags["security-group-rule-ids"])
			var p aws.Permission
			if len(ids) == 0 {
				var err error
				if p, err = c.permission(); err != nil {
					return nil, err
				}
			}
			return map[string]any{"Return": true}, tx.RevokeSecurityGroupIngress(c.flags["group-id"], ids, p)
		},
	},
	"ecr put-image-tag-mutability": {
		"PutImageTagMutability",
		[]string{"repository-name!", "image-tag-mutability!"},
		func(c call, tx *aws.Tx) (any, error) {
			m := c.flags["image-tag-mutability"]
			if !slices.Contains([]string{"MUTABLE", "IMMUTABLE"}, m) {
				return nil, aws.Errorf("InvalidParameterException", "Invalid parameter at 'imageTagMutability' failed to satisfy constraint: 'Member must satisfy enum value set: [MUTABLE, IMMUTABLE]'")
			}
			return tx.PutImageTagMutability(c.flags["repository-name"], m)
		},
	},
	"eks update-nodegroup-config": {
		"UpdateNodegroupConfig",
		[]string{"cluster-name!", "nodegroup-name!", "labels", "scaling-config"},
		func(c call, tx *aws.Tx) (any, error) {
			labels := struct {
				AddOrUpdateLabels map[string]string `json:"addOrUpdateLabels"`
				RemoveLabels      oneOrMore         `json:"removeLabels"`
			}{}
			if v := c.flags["labels"]; v != "" {
				if err := structure("labels", v, &labels); err != nil {
					return nil, err
				}
			}
			var given map[string]json.Number
			if v := c.flags["scaling-config"]; v != "" {
				if err := structure("scaling-config", v, &given); err != nil {
					return nil, err
				}
			}
			size := map[string]int{}
			for k, v := range given {
				n, err := strconv.Atoi(v.String())
				if err != nil || !slices.Contains([]string{"minSize", "maxSize", "desiredSize"}, k) {
					return nil, usageError(fmt.Sprintf("Parameter validation failed: --scaling-config takes whole numbers for minSize, maxSize, desiredSize, not %s=%s", k, v))
				}
				size[k] = n
			}
			return tx.UpdateNodegroupConfig(c.flags["cluster-name"], c.flags["nodegroup-name"], labels.AddOrUpdateLabels, labels.RemoveLabels, size)
		},
	},
	"elbv2 modify-listener": {
		"ModifyListener",
		[]string{"listener-arn!", "ssl-policy!"},
		func(c call, tx *aws.Tx) (any, error) {
			return tx.ModifyListener(c.flags["listener-arn"], c.flags["ssl-policy"])
		},
	},
}

// oneOrMore is a list that the short form writes without anything around it where it has one element.
type oneOrMore []string

func (l *oneOrMore) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*l = oneOrMore{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(l))
}

// usageError is what the command itself refuses, before it asks the API.
type usageError string

func (e usageError) Error() string { return string(e) }

// permission is the one rule that the options for a single rule say.
func (c call) permission() (aws.Permission, error) {
	p := aws.Permission{Protocol: c.flags["protocol"], Cidr: c.flags["cidr"], Group: c.flags["source-group"]}
	if p.Cidr == "" && p.Group == "" {
		return p, aws.Errorf("MissingParameter", "Either 'ipPermissions' or 'securityGroupRuleIds' should be provided.")
	}
	if p.Protocol == "all" {
		p.Protocol = "-1"
	}
	port := c.flags["port"]
	if port == "" {
		if p.Protocol != "-1" {
			return p, aws.Errorf("MissingParameter", "Invalid value '-1' for portRange. Must specify both from and to ports with TCP/UDP.")
		}
		return p, nil
	}
	from, to, isRange := strings.Cut(port, "-")
	if !isRange {
		to = from
	}
	var err, err2 error
	p.FromPort, err = strconv.Atoi(from)
	p.ToPort, err2 = strconv.Atoi(to)
	if err != nil || err2 != nil {
		return p, usageError("argument --port: port range must be of the form <from[-to]>, not " + strconv.Quote(port))
	}
	return p, nil
}

// structure reads an option that holds a structure: as JSON, or in the short form a=b,c={d=e,f=g},h=i,j.
// https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-shorthand.html
func structure(option, s string, into any) error {
	wrong := usageError(fmt.Sprintf("Error parsing parameter '--%s': expected JSON or the short form key=value,key={key=value}, received: %q", option, s))
	v := s
	if !strings.HasPrefix(strings.TrimSpace(s), "{") {
		parsed, rest, ok := short(s)
		if !ok || rest != "" {
			return wrong
		}
		b, err := json.Marshal(parsed)
		if err != nil {
			return wrong
		}
		v = string(b)
	}
	d := json.NewDecoder(strings.NewReader(v))
	d.DisallowUnknownFields()
	if d.Decode(into) != nil {
		return wrong
	}
	return nil
}

// short reads key=value pairs between commas; what is left over is rest. A value without a key goes on with the list before it.
func short(s string) (all map[string]any, rest string, ok bool) {
	all = map[string]any{}
	last := ""
	for {
		i := strings.IndexAny(s, "=,}")
		if i < 0 {
			i = len(s)
		}
		word := s[:i]
		if i < len(s) && s[i] == '=' {
			last, s = word, s[i+1:]
			if strings.HasPrefix(s, "{") {
				inner, after, ok := short(s[1:])
				if !ok || !strings.HasPrefix(after, "}") {
					return nil, s, false
				}
				all[last], s = inner, after[1:]
			} else {
				end := strings.IndexAny(s, ",}")
				if end < 0 {
					end = len(s)
				}
				all[last], s = s[:end], s[end:]
			}
		} else {
			if last == "" {
				return nil, s, false
			}
			list, isList := all[last].([]any)
			if !isList {
				list = []any{all[last]}
			}
			all[last], s = append(list, word), s[i:]
		}
		if !strings.HasPrefix(s, ",") {
			return all, s, true
		}
		s = s[1:]
	}
}
