package capacity

// The table. Network interfaces and their addresses are those of nodeadm/internal/kubelet/instance-info.jsonl in
// https://github.com/awslabs/amazon-eks-ami, which AWS makes from ec2:DescribeInstanceTypes, as of August 2026; CPU and memory
// those of https://aws.amazon.com/ec2/instance-types, where memory follows the number of CPUs in all but the burstable types.
// Sizes that nobody runs a node group on (metal, nano, 32xlarge and up) are left out.
var table = func() map[string]Instance {
	m := map[string]Instance{}
	for _, t := range burstable {
		m[t.Name] = t
	}
	for _, f := range families {
		for _, s := range f.sizes {
			name := f.name + "." + s.name
			m[name] = Instance{name, f.arch, s.vcpu, s.vcpu * f.mibPerVcpu, s.enis, s.ips}
		}
	}
	return m
}()

const (
	amd64 = "amd64"
	arm64 = "arm64"
)

// size is what the types of a family have in common.
type size struct {
	name string
	vcpu int
	enis int
	ips  int
}

var (
	common = []size{
		{"large", 2, 3, 10},
		{"xlarge", 4, 4, 15},
		{"2xlarge", 8, 4, 15},
		{"4xlarge", 16, 8, 30},
		{"8xlarge", 32, 8, 30},
		{"12xlarge", 48, 8, 30},
		{"16xlarge", 64, 15, 50},
		{"24xlarge", 96, 15, 50},
	}
	withMedium = append([]size{{"medium", 1, 2, 4}}, common...)
	graviton   = withMedium[:8]
	flex       = common[:7]
	// i4i has fewer addresses than others on its 24xlarge.
	i4i = append(common[:7:7], size{"24xlarge", 96, 15, 30})
	// c5 was cut differently above 4xlarge.
	c5 = []size{
		{"large", 2, 3, 10},
		{"xlarge", 4, 4, 15},
		{"2xlarge", 8, 4, 15},
		{"4xlarge", 16, 8, 30},
		{"9xlarge", 36, 8, 30},
		{"12xlarge", 48, 8, 30},
		{"18xlarge", 72, 15, 50},
		{"24xlarge", 96, 15, 50},
	}
)

// families with a fixed ratio of memory to CPU.
var families = []struct {
	name       string
	arch       string
	mibPerVcpu int
	sizes      []size
}{
	{"m5", amd64, 4096, common},
	{"m5a", amd64, 4096, common},
	{"m6a", amd64, 4096, common},
	{"m6i", amd64, 4096, common},
	{"m7a", amd64, 4096, withMedium},
	{"m7i", amd64, 4096, common},
	{"m7i-flex", amd64, 4096, flex},
	{"m6g", arm64, 4096, graviton},
	{"m7g", arm64, 4096, graviton},
	{"m8g", arm64, 4096, withMedium},
	{"c5", amd64, 2048, c5},
	{"c6a", amd64, 2048, common},
	{"c6i", amd64, 2048, common},
	{"c7a", amd64, 2048, withMedium},
	{"c7i", amd64, 2048, common},
	{"c7i-flex", amd64, 2048, flex},
	{"c6g", arm64, 2048, graviton},
	{"c7g", arm64, 2048, graviton},
	{"c8g", arm64, 2048, withMedium},
	{"r5", amd64, 8192, common},
	{"r6a", amd64, 8192, common},
	{"r6i", amd64, 8192, common},
	{"r7a", amd64, 8192, withMedium},
	{"r7i", amd64, 8192, common},
	{"r6g", arm64, 8192, graviton},
	{"r7g", arm64, 8192, graviton},
	{"r8g", arm64, 8192, withMedium},
	{"i4i", amd64, 8192, i4i},
}

// burstable types, whose memory does not follow their CPU. t3a.small has one interface less than the others.
var burstable = []Instance{
	{"t3.micro", amd64, 2, 1024, 2, 2},
	{"t3.small", amd64, 2, 2048, 3, 4},
	{"t3.medium", amd64, 2, 4096, 3, 6},
	{"t3.large", amd64, 2, 8192, 3, 12},
	{"t3.xlarge", amd64, 4, 16384, 4, 15},
	{"t3.2xlarge", amd64, 8, 32768, 4, 15},
	{"t3a.micro", amd64, 2, 1024, 2, 2},
	{"t3a.small", amd64, 2, 2048, 2, 4},
	{"t3a.medium", amd64, 2, 4096, 3, 6},
	{"t3a.large", amd64, 2, 8192, 3, 12},
	{"t3a.xlarge", amd64, 4, 16384, 4, 15},
	{"t3a.2xlarge", amd64, 8, 32768, 4, 15},
	{"t4g.micro", arm64, 2, 1024, 2, 2},
	{"t4g.small", arm64, 2, 2048, 3, 4},
	{"t4g.medium", arm64, 2, 4096, 3, 6},
	{"t4g.large", arm64, 2, 8192, 3, 12},
	{"t4g.xlarge", arm64, 4, 16384, 4, 15},
	{"t4g.2xlarge", arm64, 8, 32768, 4, 15},
}
