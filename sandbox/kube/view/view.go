// Package view is what the control plane has to know of the AWS account: the EKS clusters, who may enter them, and their
// node groups. Whoever keeps the account writes it as one JSON file at every change; the control plane watches that file.
package view

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"

	"github.com/slipway-iac/slipway/sandbox/healthcheck"
	"github.com/slipway-iac/slipway/sandbox/kube/internal/atomicfile"
)

// FileName is the usual name of the file, beside the account.
const FileName = "kubeview.json"

// FormatVersion is raised when an older file could be misread.
const FormatVersion = 1

// View is the account as the control plane sees it.
type View struct {
	// Version of the format: FormatVersion. Write fills it in.
	Version int `json:"version"`
	// Clusters that exist. The control plane belongs to one cluster at a time: the first it meets keeps it until it is
	// gone from the list; see Status.Cluster.
	Clusters []Cluster `json:"clusters"`
	// TargetGroups of load balancers, in all regions.
	TargetGroups []TargetGroup `json:"targetGroups,omitempty"`
}

// Cluster is an EKS cluster.
type Cluster struct {
	// ID is unique for ever: a cluster that was deleted and made again under its old name has another one, and begins
	// with an empty Kubernetes. The ARN followed by the time of creation will do.
	ID string `json:"id"`
	// Name as tokens carry it.
	Name string `json:"name"`
	// Region, for example us-west-2; it becomes a label and part of the names of nodes.
	Region string `json:"region"`
	// AccessEntries say who may enter. A principal without one is refused with 401, as on EKS.
	AccessEntries []AccessEntry `json:"accessEntries"`
	// NodeGroups of the cluster.
	NodeGroups []NodeGroup `json:"nodeGroups"`
	// Ended are the node groups that are gone, by ID, each with the EndSeconds that it had when it went.
	Ended map[string]int `json:"ended,omitempty"`
	// Addons are the names of those that EKS has installed, such as coredns. On real nodes the sandbox runs some of them.
	Addons []string `json:"addons,omitempty"`
}

// AccessEntry admits one IAM principal.
type AccessEntry struct {
	// PrincipalArn of an IAM role or user, as it was given to EKS.
	PrincipalArn string `json:"principalArn"`
	// Username in Kubernetes; may hold {{SessionName}}, {{AccountID}}. Default as on EKS: the ARN of a user, and
	// arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION for a role.
	Username string `json:"username,omitempty"`
	// Groups are the entry's Kubernetes groups.
	Groups []string `json:"groups,omitempty"`
	// Policies are the access policies associated with the entry.
	Policies []AccessPolicy `json:"policies,omitempty"`
}

// Scopes of an access policy.
const (
	ScopeCluster   = "cluster"
	ScopeNamespace = "namespace"
)

// AccessPolicy is an associated EKS access policy.
type AccessPolicy struct {
	// Arn, for example arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy.
	Arn string `json:"arn"`
	// ScopeType is ScopeCluster or ScopeNamespace.
	ScopeType string `json:"scopeType"`
	// Namespaces of a ScopeNamespace; a name may end in * as on EKS.
	Namespaces []string `json:"namespaces,omitempty"`
}

// NodeGroup is a managed node group.
type NodeGroup struct {
	// ID is unique for ever, like Cluster.ID: a group made again under its old name gets new nodes.
	ID string `json:"id"`
	// Name of the group; the value of the label eks.amazonaws.com/nodegroup.
	Name string `json:"name"`
	// InstanceTypes, in order of preference; the sandbox launches the first.
	InstanceTypes []string `json:"instanceTypes"`
	// Subnets over which the nodes are spread as evenly as an auto scaling group does.
	Subnets []Subnet `json:"subnets"`
	// Desired number of nodes.
	Desired int `json:"desired"`
	// Labels of the nodes. A change is applied to the nodes in place.
	Labels map[string]string `json:"labels,omitempty"`
	// Taints of the nodes. A change is applied to the nodes in place.
	Taints []Taint `json:"taints,omitempty"`
	// DiskSizeGiB of a node, default 20 as on EKS. A change replaces the nodes.
	DiskSizeGiB int `json:"diskSizeGiB,omitempty"`
	// AmiType, for example AL2023_x86_64_STANDARD; decides the architecture. A change replaces the nodes.
	AmiType string `json:"amiType,omitempty"`
	// CapacityType is ON_DEMAND (default) or SPOT; a label. A change replaces the nodes.
	CapacityType string `json:"capacityType,omitempty"`
	// Version of Kubernetes on the nodes, for example 1.34. A change replaces the nodes, one after the other.
	Version string `json:"version,omitempty"`
	// ReleaseVersion of the AMI. A change replaces the nodes, one after the other.
	ReleaseVersion string `json:"releaseVersion,omitempty"`
	// EndSeconds is how long a node that leaves goes on, whether pods are on it or not: load balancers forget it meanwhile. Nodes that
	// are simulated pass no requests on, and do not wait.
	EndSeconds int `json:"endSeconds,omitempty"`
	// MaxPods is what the kubelet is told to take; default what EKS tells it: that of the type that takes fewest. A change replaces the
	// nodes, one after the other.
	MaxPods int `json:"maxPods,omitempty"`
}

// TargetGroup is one of a load balancer's, as its controller in Kubernetes sees it. Its targets are not in the view: see package
// targets.
type TargetGroup struct {
	// ARN and name of the group.
	ARN  string `json:"arn"`
	Name string `json:"name"`
	// Type of its targets: instance, ip, lambda or alb.
	Type string `json:"type"`
	// IPAddressType is ipv4 or ipv6.
	IPAddressType string `json:"ipAddressType,omitempty"`
	// VPC is the id of the network in which its targets are; VPCCidr that network's range.
	VPC     string `json:"vpc,omitempty"`
	VPCCidr string `json:"vpcCidr,omitempty"`
	// Protocol version of requests and checks: HTTP1, HTTP2 or GRPC; "" where it speaks no HTTP.
	Version string `json:"version,omitempty"`
	// InUse tells that some listener or rule forwards to the group, even if by a weight of 0. The targets of one that is not in use are
	// never checked.
	InUse bool `json:"inUse,omitempty"`
	// Check is how a target is found to be healthy.
	Check healthcheck.Settings `json:"check"`
}

// Subnet is where nodes are launched.
type Subnet struct {
	// ID, for example subnet-0abc.
	ID string `json:"id"`
	// Zone, for example us-west-2a; the label topology.kubernetes.io/zone.
	Zone string `json:"zone"`
	// Cidr, for example 10.0.48.0/20: nodes and pods have their addresses in it.
	Cidr string `json:"cidr"`
}

// Taint of the nodes of a group.
type Taint struct {
	Key   string `json:"key"`
	Value string `json:"value,omitempty"`
	// Effect as EKS (NO_SCHEDULE, NO_EXECUTE, PREFER_NO_SCHEDULE) or Kubernetes spells it.
	Effect string `json:"effect"`
}

// Cluster is the cluster with that name; nil if there is none.
func (v *View) Cluster(name string) *Cluster {
	if i := slices.IndexFunc(v.Clusters, func(c Cluster) bool { return c.Name == name }); i >= 0 {
		return &v.Clusters[i]
	}
	return nil
}

// ClusterByID is the cluster with that id; nil if there is none.
func (v *View) ClusterByID(id string) *Cluster {
	if i := slices.IndexFunc(v.Clusters, func(c Cluster) bool { return c.ID == id }); i >= 0 {
		return &v.Clusters[i]
	}
	return nil
}

// TargetGroup is the group with that ARN; nil if there is none.
func (v *View) TargetGroup(arn string) *TargetGroup {
	if i := slices.IndexFunc(v.TargetGroups, func(g TargetGroup) bool { return g.ARN == arn }); i >= 0 {
		return &v.TargetGroups[i]
	}
	return nil
}

// Check finds what the control plane could not work with; all problems in one error.
func (v *View) Check() error {
	var all []error
	bad := func(format string, a ...any) { all = append(all, fmt.Errorf(format, a...)) }
	if v.Version != FormatVersion {
		bad("version is %d, must be %d: written by another release of the sandbox", v.Version, FormatVersion)
	}
	for i, c := range v.Clusters {
		at := fmt.Sprintf("clusters[%d]", i)
		if c.ID == "" || c.Name == "" || c.Region == "" {
			bad("%s has id %q, name %q, region %q: none may be empty", at, c.ID, c.Name, c.Region)
		}
		for j, g := range c.NodeGroups {
			at := fmt.Sprintf("%s.nodeGroups[%d]", at, j)
			if g.ID == "" || g.Name == "" {
				bad("%s has id %q, name %q: none may be empty", at, g.ID, g.Name)
			}
			if g.Desired < 0 {
				bad("%s.desired is %d, must be at least 0", at, g.Desired)
			}
			if len(g.InstanceTypes) == 0 {
				bad("%s.instanceTypes is empty", at)
			}
			if len(g.Subnets) == 0 {
				bad("%s.subnets is empty", at)
			}
			for k, s := range g.Subnets {
				if _, err := netip.ParsePrefix(s.Cidr); err != nil || s.Zone == "" {
					bad("%s.subnets[%d] has zone %q and cidr %q, must be a zone and a range such as 10.0.48.0/20", at, k, s.Zone, s.Cidr)
				}
			}
		}
	}
	return errors.Join(all...)
}

// Write puts the view into file, atomically and durably, and returns the digest by which Status.View tells that the
// control plane has taken it in.
func Write(file string, v *View) (digest string, err error) {
	w := *v
	w.Version = FormatVersion
	if err := w.Check(); err != nil {
		return "", fmt.Errorf("view of the account: %w", err)
	}
	b, err := json.MarshalIndent(&w, "", "  ")
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return "", err
	}
	if err := atomicfile.Write(file, b, 0o600); err != nil {
		return "", err
	}
	return digestOf(b), nil
}

// Read is the view in file and its digest. A file that does not exist is an error that is fs.ErrNotExist.
func Read(file string) (v *View, digest string, err error) {
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", err
	}
	if err != nil {
		return nil, "", fmt.Errorf("view of the account: %w", err)
	}
	v = &View{}
	if err := json.Unmarshal(b, v); err != nil {
		return nil, "", fmt.Errorf("view of the account %s is not readable (%w): any change to the account writes it anew", file, err)
	}
	if err := v.Check(); err != nil {
		return nil, "", fmt.Errorf("view of the account %s: %w", file, err)
	}
	return v, digestOf(b), nil
}

func digestOf(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:8])
}
