package aws

import (
	"maps"
	"strings"
)

const (
	tagToken             = "aws:ec2/tag:Tag"
	autoScalingTagToken  = "aws:autoscaling/tag:Tag"
	reservedTagKeyPrefix = "aws:"
)

func init() {
	register(
		&Type{
			Token: tagToken, Label: "EC2 Tag", Service: "EC2", Ops: Ops{"CreateTags", "CreateTags", "DeleteTags"},
			Props: map[string]Prop{"key": text.must().fixed().within(1, 128), "resourceId": text.must().fixed(), "value": text.must().within(0, 256)},
			Check: func(in Inputs) []Problem { return tagKeyProblems("key", in.Object().Str("key")) },
			Validate: func(tx *Tx, o, old *Object) error {
				r := tx.tagged(o.Str("resourceId"))
				if r == nil {
					return Errorf("InvalidID", "The ID '%s' is not valid", o.Str("resourceId"))
				}
				if _, taken := tx.tagsOf(r)[o.Str("key")]; old == nil && taken {
					return Errorf("AlreadyExists", "%s has a tag %s already: this one would replace it", r.ID, o.Str("key"))
				}
				return nil
			},
			Create: func(_ *Tx, o *Object) error {
				o.ID = o.Str("resourceId") + "," + o.Str("key")
				return nil
			},
		},
		&Type{
			Token: autoScalingTagToken, Label: "Auto Scaling Tag", Service: "Auto Scaling", Ops: Ops{"CreateOrUpdateTags", "CreateOrUpdateTags", "DeleteTags"},
			Props: map[string]Prop{
				"autoscalingGroupName": text.must().fixed().to(scalingGroupRef),
				"tag": fields(map[string]Prop{
					"key": text.must().fixed().within(1, 128), "propagateAtLaunch": flag.must(), "value": text.must().within(0, 256),
				}).must(),
			},
			Check: func(in Inputs) []Problem {
				key, _ := nested(in.Values["tag"])["key"].(string)
				return tagKeyProblems("tag.key", key)
			},
			Create: func(_ *Tx, o *Object) error {
				key, _ := nested(o.Inputs["tag"])["key"].(string)
				o.ID = o.Str("autoscalingGroupName") + "," + key
				return nil
			},
		},
	)
}

func tagKeyProblems(path, key string) []Problem {
	if strings.HasPrefix(strings.ToLower(key), reservedTagKeyPrefix) {
		return []Problem{{path, "begins with \"aws:\": Tag keys starting with 'aws:' are reserved for internal use (InvalidParameterValue)"}}
	}
	return nil
}

// tagged is the EC2 resource with that id.
func (tx *Tx) tagged(id string) *Object {
	for _, o := range tx.Objects {
		if o.ID == id && (o.Region == "" || o.Region == tx.Region) && strings.HasPrefix(o.Type, "aws:ec2/") && strings.Contains(id, "-") {
			return o
		}
	}
	return nil
}

// tagsOf is all tags of an object: its own, the provider's default ones, and those that were put onto it.
func (tx *Tx) tagsOf(o *Object) map[string]any {
	out := maps.Clone(nested(o.Get("tagsAll")))
	if out == nil {
		out = map[string]any{}
	}
	for _, t := range tx.All(tagToken) {
		if t.Str("resourceId") == o.ID {
			out[t.Str("key")] = t.Str("value")
		}
	}
	return out
}
