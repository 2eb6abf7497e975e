package instancetypes

// The table: EC2's instance type pages (aws.amazon.com/ec2/instance-types) for CPU and memory, "Maximum IP addresses per
// network interface" of the EC2 user guide for interfaces, both as of August 2026. Sizes that nobody runs a node group on
// (metal, nano, 32xlarge and up) are left out.

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
	{name: "m5", arch: AMD64, mibPerVcpu: 4096, sizes: common},
	{name: "m5a", arch: AMD64, mibPerVcpu: 4096, sizes: common},
	{name: "m6a", arch: AMD64, mibPerVcpu: 4096, sizes: common},
	{name: "m6i", arch: AMD64, mibPerVcpu: 4096, sizes: common},
	{name: "m7a", arch: AMD64, mibPerVcpu: 4096, sizes: common},
	{name: "m7i", arch: AMD64, mibPerVcpu: 4096, sizes: common},
	{name: "m6g", arch: ARM64, mibPerVcpu: 4096, sizes: graviton},
	{name: "m7g", arch: ARM64, mibPerVcpu: 4096, sizes: graviton},
	{name: "m8g", arch: ARM64, mibPerVcpu: 4096, sizes: graviton},
	{name: "c5", arch: AMD64, mibPerVcpu: 2048, sizes: c5},
	{name: "c6a", arch: AMD64, mibPerVcpu: 2048, sizes: common},
	{name: "c6i", arch: AMD64, mibPerVcpu: 2048, sizes: common},
	{name: "c7i", arch: AMD64, mibPerVcpu: 2048, sizes: common},
	{name: "c6g", arch: ARM64, mibPerVcpu: 2048, sizes: graviton},
	{name: "c7g", arch: ARM64, mibPerVcpu: 2048, sizes: graviton},
	{name: "c8g", arch: ARM64, mibPerVcpu: 2048, sizes: withMedium},
	{name: "r5", arch: AMD64, mibPerVcpu: 8192, sizes: common},
	{name: "r6a", arch: AMD64, mibPerVcpu: 8192, sizes: common},
	{name: "r6i", arch: AMD64, mibPerVcpu: 8192, sizes: common},
	{name: "r7a", arch: AMD64, mibPerVcpu: 8192, sizes: withMedium},
	{name: "r7i", arch: AMD64, mibPerVcpu: 8192, sizes: common},
	{name: "r6g", arch: ARM64, mibPerVcpu: 8192, sizes: graviton},
	{name: "r7g", arch: ARM64, mibPerVcpu: 8192, sizes: graviton},
	{name: "r8g", arch: ARM64, mibPerVcpu: 8192, sizes: withMedium},
	{name: "i4i", arch: AMD64, mibPerVcpu: 8192, sizes: i4i},
}

// burstable types, whose memory does not follow their CPU. t3a.small has one interface less than the others.
var burstable = []Type{
	{"t3.micro", AMD64, 2, 1024, 2, 2},
	{"t3.small", AMD64, 2, 2048, 3, 4},
	{"t3.medium", AMD64, 2, 4096, 3, 6},
	{"t3.large", AMD64, 2, 8192, 3, 12},
	{"t3.xlarge", AMD64, 4, 16384, 4, 15},
	{"t3.2xlarge", AMD64, 8, 32768, 4, 15},
	{"t3a.micro", AMD64, 2, 1024, 2, 2},
	{"t3a.small", AMD64, 2, 2048, 2, 4},
	{"t3a.medium", AMD64, 2, 4096, 3, 6},
	{"t3a.large", AMD64, 2, 8192, 3, 12},
	{"t3a.xlarge", AMD64, 4, 16384, 4, 15},
	{"t3a.2xlarge", AMD64, 8, 32768, 4, 15},
	{"t4g.micro", ARM64, 2, 1024, 2, 2},
	{"t4g.small", ARM64, 2, 2048, 3, 4},
	{"t4g.medium", ARM64, 2, 4096, 3, 6},
	{"t4g.large", ARM64, 2, 8192, 3, 12},
	{"t4g.xlarge", ARM64, 4, 16384, 4, 15},
	{"t4g.2xlarge", ARM64, 8, 32768, 4, 15},
}
