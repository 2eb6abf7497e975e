package workload

import (
	"regexp"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// label is a DNS label, and with that a label value too.
var label = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

const labelSays = "1 to 63 lower-case letters, digits and hyphens, no hyphen first or last"

// longestLabel is how many characters a label's value may have.
// https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
const longestLabel = 63

const nameLabel = "app.kubernetes.io/name"

// selector finds an app's pods. A Deployment's cannot change: nothing that differs between two releases may stand in it.
func selector(name string) pulumi.StringMap {
	return pulumi.StringMap{nameLabel: pulumi.String(name)}
}

// labels are on every object.
func labels(name string) pulumi.StringMap {
	l := selector(name)
	l["app.kubernetes.io/managed-by"] = pulumi.String("pulumi")
	return l
}
