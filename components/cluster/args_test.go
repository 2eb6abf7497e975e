package cluster_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/components/cluster"
	"github.com/slipway-iac/slipway/internal/recorder"
)

func TestBadInput(t *testing.T) {
	for name, c := range map[string]struct {
		args *cluster.EksClusterArgs
		want string
	}{
		"nothing": {nil, `slipway:index:EksCluster "cluster" has 4 invalid argument(s):
  vpcId is required, for example the vpcId of a Vpc
  privateSubnetIds is required, for example the privateSubnetIds of a Vpc
  admins is required, for example ["arn:aws:iam::123456789012:role/deploy"], with the role that runs Pulumi among them
  nodeGroups is required, for example one named "main" of two "m5.large"`},
		"everything": {&cluster.EksClusterArgs{
			ClusterName: "-c", Version: "1.29", VpcId: pulumi.String("vpc-1"), PrivateSubnetIds: pulumi.ToStringArray([]string{"subnet-a"}),
			Admins: []string{
				deploy, "arn:aws:sts::123456789012:assumed-role/deploy/me", "arn:aws:iam::123456789012:root", deploy, "arn:aws-cn:iam::123456789012:user/x",
				"arn:aws:iam::123456789012:role/aws-service-role/eks.amazonaws.com/X",
			},
			KubeconfigRole:    "arn:aws:iam::123456789012:role/other",
			PublicAccessCidrs: []string{"0.0.0.0/0", "10.1.0.0/16", "198.51.100.7/24", "2001:db8::/32", "office", "198.51.100.8/32", "198.51.100.8/32", "128.0.0.0/1"},
			LogRetentionDays:  42, DrainSeconds: 3601,
			AddonVersions: map[string]string{"calico": "v1.0.0-eksbuild.1", "coredns": "1.12.3"},
			NodeGroups: []cluster.NodeGroup{
				{Name: "Main", InstanceTypes: []string{"m5"}, MaxSize: 0},
				{Name: "a", InstanceTypes: []string{"m5.large", "m7g.large", "g5.xlarge", "t3.micro", "m5.large"}, MinSize: 5, MaxSize: 4},
				{Name: "a", MinSize: 1, MaxSize: 4, DesiredSize: 5, DesiredSizeOwner: "me", DiskSizeGiB: 8, MaxUnavailablePercent: 101, ReleaseVersion: "1.33.1-20260101"},
			},
			Tags: map[string]string{"aws:x": ""},
		}, `slipway:index:EksCluster "cluster" has 35 invalid argument(s):
  clusterName is "-c", must be 1 to 100 letters, digits, "-" and "_", from a letter or digit on (it is PROJECT-STACK-NAME where it is not given)
  version is "1.29", must be one of "1.32", "1.33", "1.34", "1.35", "1.36"
  admins[1] is "arn:aws:sts::123456789012:assumed-role/deploy/me", must be the role of that session, "arn:aws:iam::123456789012:role/deploy", with the role's path if it has one
  admins[2] is "arn:aws:iam::123456789012:root", must be the ARN of an IAM role or user, like "arn:aws:iam::123456789012:role/deploy"
  admins[4] is "arn:aws-cn:iam::123456789012:user/x", must be of the same partition as admins[0] (aws)
  admins[5] is "arn:aws:iam::123456789012:role/aws-service-role/eks.amazonaws.com/X", must not be a service-linked role: EKS takes none
  admins[3] is "arn:aws:iam::123456789012:role/deploy", the same as admins[0]
  kubeconfigRole is "arn:aws:iam::123456789012:role/other", must be a role of admins, or the kubeconfig could do nothing
  publicAccessCidrs[0] is "0.0.0.0/0", the whole internet, must be the networks that need the API server
  publicAccessCidrs[1] is "10.1.0.0/16", must lie outside 10.0.0.0/8: no request from the internet comes from there, and from inside the VPC the API server can be reached anyway
  publicAccessCidrs[2] is "198.51.100.7/24", must be "198.51.100.0/24": the bits after the first 24 belong to hosts
  publicAccessCidrs[3] is "2001:db8::/32", must be an IPv4 network, like "198.51.100.0/24"
  publicAccessCidrs[4] is "office", must be an IPv4 network, like "198.51.100.0/24"
  publicAccessCidrs[7] is "128.0.0.0/1", must lie outside 169.254.0.0/16: no request from the internet comes from there, and from inside the VPC the API server can be reached anyway
  publicAccessCidrs[6] is "198.51.100.8/32", the same as publicAccessCidrs[5]
  logRetentionDays is 42, must be one of 1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 1096 1827 2192 2557 2922 3288 3653
  nodeGroups[0].name is "Main", must be 1 to 30 lower-case letters, digits and "-", from a letter to a letter or digit
  nodeGroups[0].instanceTypes[0] is "m5", must be an EC2 instance type, like "m5.large"
  nodeGroups[0].maxSize is 0, must be 1 or more
  nodeGroups[1].instanceTypes[1] is "m7g.large" of ARM_64, must be of the same architecture as instanceTypes[0] (x86_64): they share an image
  nodeGroups[1].instanceTypes[2] is "g5.xlarge", must be a type without accelerators: the nodes' image has no drivers for them
  nodeGroups[1].instanceTypes[3] is "t3.micro", must be a small one at least: system pods take all the addresses that it has for pods
  nodeGroups[1].minSize is 5, must be 0 to maxSize (4)
  nodeGroups[1].instanceTypes[4] is "m5.large", the same as nodeGroups[1].instanceTypes[0]
  nodeGroups[2].instanceTypes has 0 entries, must have 1 to 20, for example ["m5.large"]
  nodeGroups[2].desiredSize is 5, must be minSize (1) to maxSize (4)
  nodeGroups[2].desiredSizeOwner is "me", must be one of "fixed", "schedule", "autoscaler"
  nodeGroups[2].diskSizeGiB is 8, must be 20 to 16384
  nodeGroups[2].maxUnavailablePercent is 101, must be 1 to 100
  nodeGroups[2].releaseVersion is "1.33.1-20260101", must be of version (1.29)
  nodeGroups[2].name is "a", the same as nodeGroups[1].name
  drainSeconds is 3601, must be 1 to 3600
  addonVersions["calico"] is not an add-on of this component, must be one of vpc-cni, kube-proxy, eks-pod-identity-agent, coredns, metrics-server
  addonVersions["coredns"] is "1.12.3", must be a version of the add-on for EKS, like "v1.12.3-eksbuild.1"
  tags["aws:x"] has a key that begins with "aws:", which AWS keeps for itself`},
		"no node": {func() *cluster.EksClusterArgs {
			a := typical()
			a.NodeGroups[0].MinSize = 0
			return a
		}(), `slipway:index:EksCluster "cluster" has 1 invalid argument(s):
  nodeGroups begin with no node, must begin with one at least (desiredSize): coredns and metrics-server wait for it`},
		"kube-proxy ahead": {func() *cluster.EksClusterArgs {
			a := typical()
			a.AddonVersions = map[string]string{"kube-proxy": "v1.36.0-eksbuild.9"}
			return a
		}(), `slipway:index:EksCluster "cluster" has 1 invalid argument(s):
  addonVersions["kube-proxy"] is "v1.36.0-eksbuild.9", must be of the minor version of version (1.35), or up to three older`},
	} {
		t.Run(name, func(t *testing.T) {
			r := &recorder.Recorder{}
			err := run(r, "cluster", c.args, nil)
			if err == nil || err.Error() != c.want {
				t.Errorf("got\n%v\nwant\n%s", err, c.want)
			}
			for _, a := range r.Seen() {
				if a.TypeToken != "pulumi:pulumi:Stack" {
					t.Errorf("%s %s was registered all the same", a.TypeToken, a.Name)
				}
			}
		})
	}
}

// Names that AWS would refuse only when most of the stack exists.
func TestLongNames(t *testing.T) {
	for _, c := range []struct{ component, group, want string }{
		{strings.Repeat("c", 39), "main", ""},
		{strings.Repeat("c", 40), "main", `name of the component is "` + strings.Repeat("c", 40) + `", must be at most 39 letters, digits and "-", from a letter on: it goes into the names of IAM roles`},
		{strings.Repeat("c", 30), strings.Repeat("g", 24), ""},
		{strings.Repeat("c", 30), strings.Repeat("g", 25), `nodeGroups[0].name is "` + strings.Repeat("g", 25) + `", must have 1 characters less: AWS allows 63, of which the component's name takes 31 and a unique suffix 8`},
	} {
		args := typical()
		args.NodeGroups[0].Name = c.group
		err := run(&recorder.Recorder{}, c.component, args, nil)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasSuffix(err.Error(), "\n  "+c.want)) {
			t.Errorf("%s, %s: got %v, want %q", c.component, c.group, err, c.want)
		}
	}
}
