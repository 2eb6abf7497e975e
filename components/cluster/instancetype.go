package cluster

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/slipway-iac/slipway/internal/check"
)

var (
	// Family, generation, attributes, size: https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html.
	instanceType = regexp.MustCompile(`^([a-z]+)([0-9]+)([a-z]*)(?:-[a-z0-9]+)?\.((?:[0-9]+x|x)?large|nano|micro|small|medium|metal(?:-[0-9]+xl)?)$`)
	// They need other images, with their drivers; vt and f need none that EKS has.
	accelerated = regexp.MustCompile(`^(p|g|gr|inf|trn|dl|vt|f)$`)
	// Family and generation of the types that are not on Nitro; whole machines are (https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-nitro-instances.html).
	xen = regexp.MustCompile(`^(t[12]|m[1-4]|c[134]|r[34]|x1e?|i[23]|d2|h1)$`)
)

// a1 is the family of the first Graviton, which lacks instructions that Amazon Linux 2023 is built of
// (https://github.com/amazonlinux/amazon-linux-2023/issues/50).
const a1 = "a1"

func (g NodeGroup) checkInstanceTypes(p *check.Problems, prefixes bool) {
	if n := len(g.InstanceTypes); n < 1 || n > 20 {
		p.Addf("instanceTypes", `has %d entries, must have 1 to 20, for example ["m5.large"]`, n)
	}
	for i, t := range g.InstanceTypes {
		path, m := fmt.Sprintf("instanceTypes[%d]", i), instanceType.FindStringSubmatch(t)
		switch {
		case m == nil:
			p.Addf(path, `is %q, must be an EC2 instance type, like "m5.large"`, t)
		case accelerated.MatchString(m[1]):
			p.Addf(path, "is %q, must be a type without accelerators: the nodes' image has no drivers for them", t)
		case m[4] == "nano" || m[4] == "micro":
			p.Addf(path, "is %q, must be a small one at least: system pods take all the addresses that it has for pods", t)
		case m[1]+m[2] == a1 && g.AmiFamily != Bottlerocket:
			p.Addf(path, "is %q, must be of Graviton2 or later, like \"m6g.large\": the image of Amazon Linux 2023 does not start on the first", t)
		case prefixes && xen.MatchString(m[1]+m[2]+m[3]) && !strings.HasPrefix(m[4], "metal"):
			p.Addf(path, "is %q, must be a type on Nitro with prefixDelegation, like \"m5.large\": on others the network add-on hands out single addresses, and the pods beyond them never start", t)
		case instanceType.MatchString(g.InstanceTypes[0]) && processor(t) != processor(g.InstanceTypes[0]):
			p.Addf(path, "is %q of %s, must be of the same architecture as instanceTypes[0] (%s): they share an image", t, processor(t), processor(g.InstanceTypes[0]))
		}
	}
}

const arm64 = "ARM_64"

// processor is the architecture of an instance type, as AWS's image types spell it: Graviton has a g right after the
// generation, but for the first.
func processor(t string) string {
	m := instanceType.FindStringSubmatch(t)
	if strings.HasPrefix(m[3], "g") || m[1]+m[2] == a1 {
		return arm64
	}
	return "x86_64"
}

// amiType is EKS's name of the image for these instances.
func (g NodeGroup) amiType() string {
	if g.AmiFamily == Bottlerocket {
		return "BOTTLEROCKET_" + processor(g.InstanceTypes[0])
	}
	return "AL2023_" + processor(g.InstanceTypes[0]) + "_STANDARD"
}

// vcpus is what the size of an instance type says, and 96 of a whole machine.
func vcpus(t string) int {
	size := instanceType.FindStringSubmatch(t)[4]
	switch {
	case strings.HasPrefix(size, "metal"):
		return 96
	case size == "xlarge":
		return 4
	case strings.HasSuffix(size, "xlarge"):
		if n, err := strconv.Atoi(strings.TrimSuffix(size, "xlarge")); err == nil {
			return 4 * n
		}
	}
	return 2
}
