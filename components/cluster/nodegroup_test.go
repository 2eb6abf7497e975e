package cluster_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/slipway-iac/slipway/components/cluster"
)

func TestBadNodeGroups(t *testing.T) {
	args := typical()
	// Kubernetes takes it, EKS does not.
	longKey := "example.com/" + strings.Repeat("x", 52)
	args.NodeGroups[0] = cluster.NodeGroup{
		Name: "main", InstanceTypes: []string{"m5.large"}, MinSize: 1, MaxSize: 2, Capacity: cluster.Spot, AmiFamily: "windows",
		Labels: map[string]string{"eks.amazonaws.com/x": "a b", "-": "", "team": "a", longKey: "a"},
		Taints: []cluster.Taint{
			{Key: "a", Effect: "NoSchedule"}, {Key: "a", Value: "other", Effect: "NoSchedule"}, {Key: "k8s.io/b", Value: "?", Effect: "NO_EXECUTE"}, {Key: longKey + "y", Effect: "NoExecute"},
		},
		Kubelet:        &cluster.Kubelet{MaxPods: 10, SystemReservedCPU: "0.1", SystemReservedMemory: "200M", KubeReservedMemory: "1"},
		MaxUnavailable: 101, MaxUnavailablePercent: 33,
	}
	args.NodeGroups = append(args.NodeGroups, cluster.NodeGroup{
		Name: "rocket", InstanceTypes: []string{"m5.large"}, MaxSize: 1, AmiFamily: cluster.Bottlerocket, ReleaseVersion: "1.35.6-20260728",
	})
	want := `  nodeGroups[0].instanceTypes has only "m5.large", must have 2 or more with capacity "spot": AWS takes back the instances of one type in one go
  nodeGroups[0].amiFamily is "windows", must be one of "al2023", "bottlerocket"
  nodeGroups[0].labels["-"] is "-", must be a label's key, like "team" or "example.com/team"
  nodeGroups[0].labels["-"] is "", must be 1 to 63 characters, like "true": EKS takes no label without a value
  nodeGroups[0].labels["eks.amazonaws.com/x"] is "eks.amazonaws.com/x", must not contain "eks.amazonaws.com/": Kubernetes and EKS keep it for themselves
  nodeGroups[0].labels["eks.amazonaws.com/x"] is "a b", must be a label's value: at most 63 letters, digits, "-", "_" and ".", from a letter or digit to one
  nodeGroups[0].labels["` + longKey + `"] is "` + longKey + `", 64 characters, must be at most 63 with the prefix: EKS takes no more
  nodeGroups[0].taints[1] has the key and the effect of taints[0]
  nodeGroups[0].taints[2].key is "k8s.io/b", must not contain "k8s.io/": Kubernetes and EKS keep it for themselves
  nodeGroups[0].taints[2].value is "?", must be at most 63 letters, digits, "-", "_" and ".", from a letter or digit to one
  nodeGroups[0].taints[2].effect is "NO_EXECUTE", must be one of "NoSchedule", "PreferNoSchedule", "NoExecute"
  nodeGroups[0].taints[3].key is "` + longKey + `y", 65 characters, must be at most 63 with the prefix: EKS takes no more
  nodeGroups[0].kubelet.maxPods is 10, must be 11 to 29
  nodeGroups[0].kubelet.systemReservedCpu is "0.1", must be an amount of CPU, like "100m"
  nodeGroups[0].kubelet.systemReservedMemory is "200M", must be an amount of memory, like "200Mi"
  nodeGroups[0].kubelet.kubeReservedMemory is "1", must be an amount of memory, like "200Mi"
  nodeGroups[0].maxUnavailable is 101, must be 1 to 100
  nodeGroups[0].maxUnavailablePercent is 33 beside maxUnavailable (101), must be left out: EKS takes one of them
  nodeGroups[1].releaseVersion is "1.35.6-20260728", must be a release of Bottlerocket, like "1.50.0-ed0a1c2b"
  nodeGroups have taints wherever they begin with a node, must have one without: coredns and metrics-server tolerate none`
	if got := problems(args); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	args = typical()
	args.NodeGroups[0].Taints = []cluster.Taint{{Key: "a", Effect: "PreferNoSchedule"}}
	if got := problems(args); got != "" {
		t.Errorf("a taint that only prefers is refused:\n%s", got)
	}
}

// Types on which the nodes' image does not start, or the network add-on does not do what the kubelets are told.
func TestTypesThatDoNotGoWithTheGroup(t *testing.T) {
	for name, c := range map[string]struct {
		prefixes bool
		family   string
		typ      string
		want     string
	}{
		"the first Graviton":            {false, "", "a1.large", `must be of Graviton2 or later, like "m6g.large": the image of Amazon Linux 2023 does not start on the first`},
		"and with Bottlerocket":         {false, cluster.Bottlerocket, "a1.large", ""},
		"no Nitro, no prefixes":         {false, "", "m4.large", ""},
		"no Nitro, with prefixes":       {true, "", "m4.large", nitro},
		"one with an attribute":         {true, "", "x1e.xlarge", nitro},
		"a whole machine":               {true, "", "i3.metal", ""},
		"a younger one of the family":   {true, "", "i3en.large", ""},
		"two digits, or another letter": {true, "", "x2iedn.xlarge", ""},
	} {
		args := typical()
		args.PrefixDelegation = c.prefixes
		args.NodeGroups[0].InstanceTypes, args.NodeGroups[0].AmiFamily = []string{c.typ}, c.family
		want := ""
		if c.want != "" {
			want = `  nodeGroups[0].instanceTypes[0] is "` + c.typ + `", ` + c.want
		}
		if got := problems(args); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
	}
}

const nitro = `must be a type on Nitro with prefixDelegation, like "m5.large": on others the network add-on hands out single addresses, and the pods beyond them never start`

// What the nodes read when they start; EKS puts the rest before or behind it.
func TestUserData(t *testing.T) {
	group := func(family string, k *cluster.Kubelet, types ...string) cluster.NodeGroup {
		return cluster.NodeGroup{Name: "main", InstanceTypes: types, AmiFamily: family, Kubelet: k, MinSize: 1, MaxSize: 2}
	}
	for name, c := range map[string]struct {
		prefixes bool
		group    cluster.NodeGroup
		want     []string
	}{
		"nothing said":                    {false, group("", nil, "m5.large"), nil},
		"prefixes, small":                 {true, group("", nil, "m5.large"), []string{`"maxPods": 110`, `"--max-pods=110"`, "Content-Type: application/node.eks.aws", `"kind": "NodeConfig"`}},
		"prefixes, large":                 {true, group("", nil, "m5.8xlarge", "m5.metal"), []string{`"--max-pods=250"`}},
		"prefixes, the smallest counts":   {true, group("", nil, "m5.8xlarge", "m5.4xlarge"), []string{`"--max-pods=110"`}},
		"prefixes, said otherwise":        {true, group("", &cluster.Kubelet{MaxPods: 70}, "m5.large"), []string{`"--max-pods=70"`}},
		"prefixes, few interfaces":        {true, group("", nil, "m7g.large", "m7g.medium"), []string{`"--max-pods=98"`}},
		"prefixes, only its name known":   {true, group("", nil, "i7i.8xlarge"), []string{`"--max-pods=250"`}},
		"reserved":                        {false, group("", &cluster.Kubelet{SystemReservedCPU: "100m", KubeReservedMemory: "1Gi"}, "m5.large"), []string{`"systemReserved": {`, `"cpu": "100m"`, `"kubeReserved": {`}},
		"bottlerocket":                    {true, group(cluster.Bottlerocket, &cluster.Kubelet{SystemReservedCPU: "100m", SystemReservedMemory: "1Gi"}, "m7g.large"), []string{"[settings.kubernetes]\nmax-pods = 110\n[settings.kubernetes.system-reserved]\ncpu = \"100m\"\nmemory = \"1Gi\"\n"}},
		"a kubelet of which nothing said": {false, group("", &cluster.Kubelet{}, "m5.large"), nil},
	} {
		args := typical()
		args.PrefixDelegation, args.NodeGroups = c.prefixes, []cluster.NodeGroup{c.group}
		r := mustRun(t, args)
		data, has := r.Find(t, templateType, "cluster-main").Inputs["userData"]
		if has != (c.want != nil) {
			t.Errorf("%s: user data is %v", name, data)
			continue
		}
		if !has {
			continue
		}
		text, err := base64.StdEncoding.DecodeString(data.StringValue())
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range c.want {
			if !strings.Contains(string(text), w) {
				t.Errorf("%s: it lacks %q:\n%s", name, w, text)
			}
		}
		values := r.Find(t, addonType, "cluster-vpc-cni").Inputs["configurationValues"].StringValue()
		if strings.Contains(values, `"ENABLE_PREFIX_DELEGATION":"true"`) != c.prefixes || !strings.Contains(values, `"enableNetworkPolicy":"true"`) {
			t.Errorf("%s: vpc-cni is configured with %s", name, values)
		}
	}
}

// Pods without an address never start, so that they must not get onto a node.
func TestMorePodsThanAddresses(t *testing.T) {
	size := map[string]cluster.InstanceSize{"i7i.large": {VCPU: 2, MemoryMiB: 16384, NetworkInterfaces: 3, AddressesPerInterface: 10}}
	for name, c := range map[string]struct {
		prefixes bool
		pods     int
		sizes    map[string]cluster.InstanceSize
		types    []string
		want     string
	}{
		"as many as there are": {false, 29, nil, []string{"m5.large"}, ""},
		"one more":             {false, 30, nil, []string{"m5.large"}, `is 30, must be 11 to 29: m5.large up to 29 (3 network interfaces × 9 addresses for pods, and 2 pods that need none). With prefixDelegation it may be 110`},
		"the fewest count": {false, 100, nil, []string{"m5.xlarge", "m5.large", "m6i.xlarge"}, `is 100, must be 11 to 29: m5.xlarge, m6i.xlarge up to 58 (4 network interfaces × 14 addresses for pods, and 2 pods that need none); ` +
			`m5.large up to 29 (3 network interfaces × 9 addresses for pods, and 2 pods that need none). With prefixDelegation it may be 110`},
		"more than EKS says by itself":            {false, 234, nil, []string{"m5.4xlarge"}, ""},
		"and with prefixes as many":               {true, 234, nil, []string{"m5.4xlarge"}, ""},
		"fewer than the system has, on few":       {false, 9, nil, []string{"m7g.medium"}, `is 9, must be 8 to 8: m7g.medium up to 8 (2 network interfaces × 3 addresses for pods, and 2 pods that need none). With prefixDelegation it may be 98`},
		"more addresses than EKS runs pods":       {false, 251, nil, []string{"m5.16xlarge"}, `is 251, must be 11 to 250: m5.16xlarge up to 250 (EKS runs no node with more)`},
		"more than AWS recommends":                {true, 111, nil, []string{"m5.large"}, `is 111, must be 11 to 110: m5.large up to 110 (AWS recommends no more on 2 vCPUs)`},
		"more than there are blocks":              {true, 99, nil, []string{"m7g.medium"}, `is 99, must be 11 to 98: m7g.medium up to 98 (2 network interfaces × 3 blocks of 16 addresses, and 2 pods that need none)`},
		"a type that only the user knows":         {false, 30, size, []string{"i7i.large"}, `is 30, must be 11 to 29: i7i.large up to 29 (3 network interfaces × 9 addresses for pods, and 2 pods that need none). With prefixDelegation it may be 110`},
		"one that nobody knows":                   {false, 250, nil, []string{"i7i.large"}, ""},
		"one that nobody knows, and EKS runs not": {false, 251, nil, []string{"i7i.large"}, `is 251, must be 11 to 250`},
	} {
		args := typical()
		args.PrefixDelegation = c.prefixes
		args.NodeGroups[0].InstanceTypes, args.NodeGroups[0].InstanceSizes, args.NodeGroups[0].Kubelet = c.types, c.sizes, &cluster.Kubelet{MaxPods: c.pods}
		want := c.want
		if want != "" {
			want = "  nodeGroups[0].kubelet.maxPods " + want
		}
		if got := problems(args); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
	}
}

func TestBadInstanceSizes(t *testing.T) {
	args := typical()
	args.NodeGroups[0].InstanceTypes = []string{"m5.large", "i7i.large"}
	args.NodeGroups[0].InstanceSizes = map[string]cluster.InstanceSize{
		"m5.large": {VCPU: 2, MemoryMiB: 8000, NetworkInterfaces: 3, AddressesPerInterface: 10}, "i7i.large": {MemoryMiB: 16}, "i7i.larger": {2, 16384, 3, 10},
	}
	want := `  nodeGroups[0].instanceSizes["i7i.large"].vcpu is 0, must be 1 to 1000
  nodeGroups[0].instanceSizes["i7i.large"].memoryMiB is 16, must be 512 to 104857600
  nodeGroups[0].instanceSizes["i7i.large"].networkInterfaces is 0, must be 1 to 100
  nodeGroups[0].instanceSizes["i7i.large"].addressesPerInterface is 0, must be 2 to 100
  nodeGroups[0].instanceSizes["i7i.larger"] is the size of none of instanceTypes, must be of one of m5.large, i7i.large
  nodeGroups[0].instanceSizes["m5.large"] is of vcpu 2, memoryMiB 8000, networkInterfaces 3, addressesPerInterface 10, must be left out: this release knows the type, with 2, 8192, 3 and 10`
	if got := problems(args); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	args.NodeGroups[0].InstanceSizes = map[string]cluster.InstanceSize{"m5.large": {2, 8192, 3, 10}}
	if got := problems(args); got != "" {
		t.Errorf("a size that is the table's is refused:\n%s", got)
	}
}

func TestImageFitsTheInstances(t *testing.T) {
	for family, types := range map[string]map[string]string{
		"":                   {"m5.large": "AL2023_x86_64_STANDARD", "m7g.large": "AL2023_ARM_64_STANDARD"},
		cluster.Bottlerocket: {"m5.large": "BOTTLEROCKET_x86_64", "m7g.large": "BOTTLEROCKET_ARM_64"},
	} {
		for instance, want := range types {
			args := typical()
			args.NodeGroups[0].InstanceTypes, args.NodeGroups[0].AmiFamily = []string{instance}, family
			r := mustRun(t, args)
			if got := r.Find(t, groupType, "cluster-main").Inputs["amiType"].StringValue(); got != want {
				t.Errorf("%s of %q: %s, want %s", instance, family, got, want)
			}
			disk := r.Find(t, templateType, "cluster-main").Inputs["blockDeviceMappings"].ArrayValue()[0].ObjectValue()["deviceName"].StringValue()
			if want := map[string]string{"": "/dev/xvda", cluster.Bottlerocket: "/dev/xvdb"}[family]; disk != want {
				t.Errorf("%q: the disk for images is %s, want %s", family, disk, want)
			}
		}
	}
}
