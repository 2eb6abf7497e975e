package aws

import (
	"strings"
	"testing"
)

func TestParameters(t *testing.T) {
	w := newWorld(t)
	w.refuses([]refusal{
		{"parameter", nil, "ParameterAlreadyExists"},
		{"parameter", object{"name": "proxy/config"}, "must begin with / as it contains one"},
		{"parameter", object{"name": "/aws/config"}, "ValidationException: Parameter name: can't be prefixed"},
		{"parameter", object{"name": "ssm-config"}, "ValidationException: Parameter name: can't be prefixed"},
		{"parameter", object{"name": "/proxy config"}, "must be letters, digits and"},
		{"parameter", object{"type": "Text"}, "must be one of"},
		{"parameter", object{"insecureValue": nil}, "value is required, or insecureValue"},
		{"parameter", object{"type": "SecureString"}, "insecureValue is not taken"},
		{"parameter", object{"name": "/other", "insecureValue": strings.Repeat("x", 4097)}, "Standard tier parameters support a maximum parameter value of 4096 characters"},
		{"parameter", object{"name": "/other", "tier": "Intelligent-Tiering", "insecureValue": strings.Repeat("x", 8193)}, "less than or equal to 8192"},
	})
	w.revises([]revision{
		{"parameter", object{"insecureValue": "two"}, nil},
		{"parameter", object{"tier": "Intelligent-Tiering", "insecureValue": strings.Repeat("x", 5000)}, nil},
		{"parameter", object{"name": "/proxy/other"}, []string{"name"}},
	})
	if got := w.by["parameter"].Out["version"]; got != 3.0 {
		t.Errorf("after two changes it is version %v", got)
	}
	if got := w.delete(w.by["parameter"]); got != "" {
		t.Error(got)
	}
}
