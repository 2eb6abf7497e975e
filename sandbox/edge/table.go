package edge

import (
	"cmp"
	"crypto/tls"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-iac/slipway/sandbox/aws"
)

// table is the account at one moment, ready to be asked. It is never changed: a change of the account makes another one.
type table struct {
	balancers []*balancer
	// problems are what a person has to know, in words.
	problems []string
}

type balancer struct {
	aws.LoadBalancer
	listeners map[int]*listener
	groups    map[string]*group
}

type listener struct {
	aws.Listener
	rules []*rule
	// secure has the TLS settings for each certificate, the default one first.
	secure []secure
}

// secure is TLS with one certificate.
type secure struct {
	names  []string
	config *tls.Config
}

type rule struct {
	aws.Rule
	action    aws.Action
	split     *split
	stickyFor time.Duration
}

// label names a rule for people: "default", or its priority and its name in the stack.
func (r *rule) label() string {
	switch {
	case r.Priority == 0:
		return "default"
	case r.Name == "":
		return strconv.Itoa(r.Priority)
	}
	return strconv.Itoa(r.Priority) + " " + r.Name
}

// matching is the rule for a request. The last one has no conditions.
func (l *listener) matching(q question) *rule {
	return l.rules[slices.IndexFunc(l.rules, func(r *rule) bool { return q.meetsAll(r.Conditions) })]
}

// find is the load balancer to which DNS leads a name; nil where it leads to none. The only one there is takes every name.
func (t *table) find(name string) *balancer {
	if len(t.balancers) == 1 {
		return t.balancers[0]
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	// A record for the name itself goes before a wildcard, and a longer wildcard before a shorter one.
	for asked, parent, more := name, name, true; more; asked = "*." + parent {
		for _, b := range t.balancers {
			if asked == b.DNSName || slices.Contains(b.Names, asked) {
				return b
			}
		}
		_, parent, more = strings.Cut(parent, ".")
	}
	return nil
}

// settings are the TLS settings for a name: those of a certificate for it, else those of the default one; nil where the listener
// has none.
func (l *listener) settings(name string) *tls.Config {
	name = strings.ToLower(name)
	_, parent, _ := strings.Cut(name, ".")
	for _, s := range l.secure {
		if slices.ContainsFunc(s.names, func(n string) bool { n = strings.ToLower(n); return n == name || n == "*."+parent }) {
			return s.config
		}
	}
	if len(l.secure) == 0 {
		return nil
	}
	return l.secure[0].config
}

// versions are the oldest and the newest version of TLS that a policy takes. Which ciphers it takes is left to Go.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
func versions(policy string) (oldest, newest uint16) {
	newest = tls.VersionTLS12
	if strings.Contains(policy, "TLS13") {
		newest = tls.VersionTLS13
	}
	switch {
	case strings.Contains(policy, "TLS13-1-3"):
		return tls.VersionTLS13, newest
	case strings.Contains(policy, "-1-2-"):
		return tls.VersionTLS12, newest
	case strings.Contains(policy, "-1-1-"):
		return tls.VersionTLS11, newest
	}
	return tls.VersionTLS10, newest
}

// Node is one of the cluster.
type Node struct {
	// Name in Kubernetes, Group the EKS node group, Instance the id in EC2, Address inside the network.
	Name, Group, Instance, Address string
	// Real tells that a kubelet runs there, and pods with it.
	Real bool
	// Leaving tells that its instance was told to end: its auto scaling group has taken it out of the target groups.
	Leaving bool
}

// Pod is one of the cluster that has an address of its own.
type Pod struct {
	// Name with its namespace, as namespace/name.
	Name string
	// Address inside the network, and the name of the node that it runs on.
	Address, Node string
}

// here tells which addresses can be reached on this machine: its own, and those of nodes and pods that run for real. Others may
// belong to anybody.
type here struct {
	own   []netip.Addr
	nodes []Node
	pods  []Pod
}

// podNetwork is where package node puts the pods of real nodes.
var podNetwork = netip.MustParsePrefix("100.64.0.0/16")

func (h here) reaches(address string) bool {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	if a.IsLoopback() || slices.Contains(h.own, a) {
		return true
	}
	return slices.ContainsFunc(h.nodes, func(n Node) bool { return n.Real && (n.Address == address || podNetwork.Contains(a)) })
}

const (
	noCode    = "No container has answered: pods are simulated here and run no code, so `sandbox edge` answers for this pod."
	noPods    = "No pod has answered: pods are simulated here and run no code, so `sandbox edge` answers for this node."
	noMachine = "No machine has answered: the account is a model, so `sandbox edge` answers in its place."
	notHere   = "No server has answered: the address is not on this machine, so `sandbox edge` answers in its place."
)

// members are the targets of a group, in a fixed order.
func (h here) members(g aws.TargetGroup) []member {
	var out []member
	for _, s := range g.ScalingGroups {
		if s.NodeGroup == "" {
			for i := range s.Desired {
				n := s.Name + " instance " + strconv.Itoa(i+1)
				out = append(out, member{id: n, port: g.Port, noun: "target", name: n, why: noMachine})
			}
			continue
		}
		for _, n := range h.nodes {
			if n.Group == s.NodeGroup && !n.Leaving {
				out = append(out, n.member(g.Port))
			}
		}
	}
	for _, t := range g.Targets {
		i := slices.IndexFunc(h.nodes, func(n Node) bool { return n.Instance == t.ID })
		switch {
		case g.Type == "instance" && i >= 0:
			out = append(out, h.nodes[i].member(t.Port))
		case g.Type == "ip":
			out = append(out, h.address(t))
		default:
			out = append(out, member{id: t.ID, port: t.Port, noun: "target", name: t.ID, why: noMachine})
		}
	}
	slices.SortFunc(out, func(a, b member) int { return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.port, b.port)) })
	return slices.CompactFunc(out, func(a, b member) bool { return a.key() == b.key() })
}

// address is a target that was registered by its address: mostly a pod, by the load balancer's controller.
func (h here) address(t aws.Target) member {
	m := member{id: t.ID, port: t.Port, noun: "target", name: t.ID, why: notHere}
	if h.reaches(t.ID) {
		m.address, m.why = t.ID, ""
	}
	i := slices.IndexFunc(h.pods, func(p Pod) bool { return p.Address == t.ID })
	if i < 0 {
		return m
	}
	m.noun, m.name = "pod", h.pods[i].Name
	if !m.real() {
		m.why = noCode
	}
	return m
}

func (n Node) member(port int) member {
	m := member{id: n.Name, port: port, noun: "node", name: n.Name, why: noPods}
	if n.Real && n.Address != "" {
		m.address, m.why = n.Address, ""
	}
	return m
}
