package command

import (
	"cmp"
	"os"
	"strings"

	"github.com/slipway-iac/slipway/sandbox/gobuild"
	"github.com/slipway-iac/slipway/sandbox/home"
)

// set is what every command of the sandbox runs with.
func set(h home.Home) map[string]string {
	return map[string]string{
		home.Variable:              string(h),
		"PATH":                     h.Bin() + string(os.PathListSeparator) + os.Getenv("PATH"),
		"PULUMI_HOME":              h.PulumiHome(),
		"PULUMI_BACKEND_URL":       h.StateURL(),
		"PULUMI_CONFIG_PASSPHRASE": "",
		"PULUMI_SKIP_UPDATE_CHECK": "true",
		"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
		// A provider on PATH would go before the sandbox's; the ones that may are installed by name (toolchain.Plugins).
		"PULUMI_IGNORE_AMBIENT_PLUGINS": "true",
		// Whatever else looks for AWS credentials finds those of the model, and never the user's own.
		"AWS_ACCESS_KEY_ID":           "SANDBOX",
		"AWS_SECRET_ACCESS_KEY":       "sandbox",
		"AWS_EC2_METADATA_DISABLED":   "true",
		"AWS_CONFIG_FILE":             os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
		"KUBECONFIG":                  h.Kubeconfig(),
		"GOFLAGS":                     gobuild.Flags(os.Getenv("GOFLAGS")),
		// The model's DNS zones are its own: what the internet says of their names is another's.
		"SLIPWAY_RESOLVER": cmp.Or(os.Getenv("SLIPWAY_RESOLVER"), "off"),
	}
}

// environment is the caller's without anything that leads to a real account, a real backend or another Pulumi home.
func environment(h home.Home) []string {
	ours := set(h)
	var env []string
	for _, kv := range os.Environ() {
		k, _, _ := strings.Cut(kv, "=")
		if _, replaced := ours[k]; replaced || foreign(k) {
			continue
		}
		env = append(env, kv)
	}
	for k, v := range ours {
		env = append(env, k+"="+v)
	}
	return env
}

// foreign tells which variables of the caller must not reach what the sandbox runs.
func foreign(name string) bool {
	switch name {
	case "PULUMI_CONFIG_PASSPHRASE_FILE", "PULUMI_ACCESS_TOKEN", "PULUMI_STACK":
		return true
	}
	return strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "KUBE")
}
