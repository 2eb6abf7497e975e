package aws

import (
	"fmt"
	"strings"
)

const parameterToken = "aws:ssm/parameter:Parameter"

// The sizes that Parameter Store takes, in bytes.
const (
	standardParameter = 4096
	advancedParameter = 8192
)

func init() {
	register(&Type{
		Token: parameterToken, Label: "SSM Parameter", Service: "SSM", Ops: Ops{"PutParameter", "PutParameter", "DeleteParameter"},
		AutoName: &AutoName{Prop: "name", Max: 1011},
		Props: map[string]Prop{
			"allowedPattern": text.within(0, 1024), "arn": text.filled(), "dataType": text.filled().in("text", "aws:ec2:image", "aws:ssm:integration"), "description": text.within(0, 1024),
			"insecureValue": text.not("value"), "keyId": text.filled(), "name": text.filled().fixed().within(1, 1011).like(`^[a-zA-Z0-9_.\-/]+$`, "letters, digits and _.-/"),
			"overwrite": flag, "tags": tagMap, "tier": text.filled().in("Standard", "Advanced", "Intelligent-Tiering"),
			"type": text.must().in("String", "StringList", "SecureString"), "value": text.filled().secret().not("insecureValue"),
		},
		Outputs: []string{"version"},
		Check: func(in Inputs) []Problem {
			o := in.Object()
			var out []Problem
			if !in.Has("value") && !in.Has("insecureValue") {
				out = append(out, Problem{"value", "is required, or insecureValue"})
			}
			if o.Str("type") == "SecureString" && in.Has("insecureValue") {
				out = append(out, Problem{"insecureValue", `is not taken where type is "SecureString"`})
			}
			if n := o.Str("name"); strings.Contains(n, "/") && !strings.HasPrefix(n, "/") {
				out = append(out, Problem{"name", fmt.Sprintf("is %q, must begin with / as it contains one", n)})
			}
			return out
		},
		Validate: func(tx *Tx, o, old *Object) error {
			name := o.Str("name")
			for _, reserved := range []string{"aws", "ssm"} {
				if strings.HasPrefix(strings.ToLower(strings.TrimPrefix(name, "/")), reserved) {
					return Errorf("ValidationException", "Parameter name: can't be prefixed with \"ssm\" (case-insensitive), or with \"aws\" in a path: %s", name)
				}
			}
			if old == nil && !o.Bool("overwrite") && tx.Find(parameterToken, "name", name) != nil {
				return Errorf("ParameterAlreadyExists", "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.")
			}
			switch n := len(o.Str("value") + o.Str("insecureValue")); {
			case n > advancedParameter:
				return Errorf("ValidationException", "Member must have length less than or equal to %d: the value has %d", advancedParameter, n)
			case n > standardParameter && o.Str("tier") != "Advanced" && o.Str("tier") != "Intelligent-Tiering":
				return Errorf("ValidationException", "Standard tier parameters support a maximum parameter value of %d characters. To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier.", standardParameter)
			}
			return nil
		},
		Create: func(tx *Tx, o *Object) error {
			o.ID = o.Str("name")
			o.Set("arn", tx.ARN("ssm", "parameter/"+strings.TrimPrefix(o.ID, "/")))
			return describeParameter(o, 1)
		},
		Update: func(_ *Tx, o, old *Object) error { return describeParameter(o, old.Num("version")+1) },
	})
}

func describeParameter(o *Object, version int) error {
	tier := o.Str("tier")
	if tier == "" || tier == "Intelligent-Tiering" {
		tier = "Standard"
		if len(o.Str("value")+o.Str("insecureValue")) > standardParameter {
			tier = "Advanced"
		}
	}
	o.fill("tier", tier)
	o.fill("dataType", "text")
	key := ""
	if o.Str("type") == "SecureString" {
		key = "alias/aws/ssm"
	}
	o.fill("keyId", key)
	o.fill("value", o.Str("insecureValue"))
	o.Set("version", float64(version))
	return nil
}
