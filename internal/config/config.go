// Package config reads the stack's configuration into one struct, and says everything that is wrong with it at once.
//
// The values themselves (is that a CIDR, does the schedule make sense) are checked by the components, which say it at once too;
// here it is about keys: missing, unknown, of the wrong kind.
package config

import (
	"cmp"
	"fmt"
	"os"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"

	"github.com/slipway-iac/slipway/cutover"
	"github.com/slipway-iac/slipway/target"
)

// Config is what Pulumi.STACK.yaml says, with the defaults of Pulumi.yaml filled in by the engine.
type Config struct {
	// Domain is the site's name; it and AlternativeNames are served by the load balancer.
	Domain           string   `json:"domain"`
	AlternativeNames []string `json:"alternativeNames,omitempty"`
	// Zone is the name of the Route 53 hosted zone that holds Domain.
	Zone string `json:"zone"`
	// OverwriteRecords leads the names away from where Zone leads them already.
	OverwriteRecords bool `json:"overwriteRecords,omitempty"`

	Registry Registry `json:"registry"`
	Network  Network  `json:"network"`
	Cluster  Cluster  `json:"cluster"`
	// Images are the running releases: the tag or digest by repository.
	Images   Images   `json:"images"`
	Frontend Frontend `json:"frontend"`
	Backends Backends `json:"backends"`
	Database Database `json:"database"`
	// DatabasePassword is secret; it goes to the backends only.
	DatabasePassword pulumi.StringOutput `json:"-"`
	Rollout          Rollout             `json:"rollout"`
	Schedule         Schedule            `json:"schedule"`
	// TargetType is what the load balancer sends requests to; the namespace and the public service have their part in it.
	TargetType target.Type `json:"targetType,omitempty"`
	// AccessLogDays is how long the load balancer's line for each request is kept.
	AccessLogDays int `json:"accessLogDays,omitempty"`
	// Migration is how far the site has moved from an old system; nil where there is none.
	Migration *cutover.Migration `json:"migration,omitempty"`
	// RepositoriesOnly stops before the network: for the first run, before there are images.
	RepositoriesOnly bool `json:"repositoriesOnly,omitempty"`
	// Protect keeps the cluster, the repositories and the load balancer from being deleted; false only on the way to a destroy.
	Protect bool `json:"protect"`
}

// Registry is how long images are kept.
type Registry struct {
	KeepReleases       int `json:"keepReleases,omitempty"`
	ExpireUntaggedDays int `json:"expireUntaggedDays,omitempty"`
	// Environments are what images are promoted to; what runs must be one of those then.
	Environments []string `json:"environments,omitempty"`
}

// Network is the address plan.
type Network struct {
	Cidr        string `json:"cidr,omitempty"`
	Zones       int    `json:"zones,omitempty"`
	NatGateways string `json:"natGateways,omitempty"`
}

// fill gives what is left out of the key the value that it has where the whole key is left out: the engine takes Pulumi.yaml's default as a
// whole or not at all, and the component's own defaults are other ones.
func (n *Network) fill() {
	n.Cidr, n.Zones, n.NatGateways = cmp.Or(n.Cidr, "10.20.0.0/16"), cmp.Or(n.Zones, 3), cmp.Or(n.NatGateways, "perZone")
}

// Cluster is the control plane, who may use it, and its nodes.
type Cluster struct {
	Version string   `json:"version"`
	Admins  []string `json:"admins"`
	// Viewers look at everything but Secrets, Auditors at these too; Developers and the pipeline's role, CiRole, change what runs in the
	// apps' namespace.
	Viewers           []string `json:"viewers,omitempty"`
	Auditors          []string `json:"auditors,omitempty"`
	Developers        []string `json:"developers,omitempty"`
	CiRole            string   `json:"ciRole,omitempty"`
	PublicAccessCidrs []string `json:"publicAccessCidrs,omitempty"`
	LogRetentionDays  int      `json:"logRetentionDays,omitempty"`
	// PrefixDelegation gives nodes addresses for more pods, in blocks.
	PrefixDelegation bool  `json:"prefixDelegation,omitempty"`
	Nodes            Nodes `json:"nodes"`
}

// Nodes is the one node group.
type Nodes struct {
	InstanceTypes []string `json:"instanceTypes"`
	Min           int      `json:"min"`
	Desired       int      `json:"desired"`
	Max           int      `json:"max"`
	DiskGiB       int      `json:"diskGiB,omitempty"`
	// Capacity is on-demand or spot; ReleaseVersion pins the nodes' image.
	Capacity       string `json:"capacity,omitempty"`
	ReleaseVersion string `json:"releaseVersion,omitempty"`
	// MaxPods is the most pods on a node, where fewer are wanted than it takes by itself.
	MaxPods int `json:"maxPods,omitempty"`
	// InstanceSizes are the numbers of those of InstanceTypes that no table has.
	InstanceSizes map[string]InstanceSize `json:"instanceSizes,omitempty"`
}

// InstanceSize is an instance type in numbers.
type InstanceSize struct {
	VCPU                  int `json:"vcpu"`
	MemoryMiB             int `json:"memoryMiB"`
	NetworkInterfaces     int `json:"networkInterfaces"`
	AddressesPerInterface int `json:"addressesPerInterface"`
}

// Images by service.
type Images struct {
	Frontend string `json:"frontend"`
	Thoughts string `json:"thoughts_server"`
	Users    string `json:"users_server"`
}

// Frontend is how the public service scales.
type Frontend struct {
	MinReplicas int `json:"minReplicas"`
	MaxReplicas int `json:"maxReplicas"`
	CPUPercent  int `json:"cpuPercent"`
}

// Backends is how the two services behind the public one run.
type Backends struct {
	// Replicas is the number of pods of each.
	Replicas int `json:"replicas"`
}

// Rollout is what a release takes.
type Rollout struct {
	// DrainSeconds is how long a pod that leaves goes on serving, given to the pods and to the load balancer alike.
	DrainSeconds int `json:"drainSeconds"`
	// SlowestRequestSeconds is what a pod then gets to finish the requests that it has.
	SlowestRequestSeconds int `json:"slowestRequestSeconds"`
	// ProgressDeadlineSeconds is how long a release may stand still before it has failed.
	ProgressDeadlineSeconds int `json:"progressDeadlineSeconds,omitempty"`
}

// Database is the existing PostgreSQL server that the backends use.
type Database struct {
	Host string `json:"host"`
	Port int    `json:"port"`
	Name string `json:"name"`
	User string `json:"user"`
	// Cidrs are the ranges of addresses that Host is in; nothing else is open to the backends.
	Cidrs []string `json:"cidrs,omitempty"`
}

// Schedule is when there are fewer nodes.
type Schedule struct {
	TimeZone string `json:"timeZone"`
	// NightsFrom and NightsTo are the hours HH:MM between which NightNodes are enough on working days.
	NightsFrom string `json:"nightsFrom"`
	NightsTo   string `json:"nightsTo"`
	NightNodes int    `json:"nightNodes"`
	// WeekendNodes are enough from Friday night to Monday morning.
	WeekendNodes int `json:"weekendNodes"`
}

// Namespace of the project's keys.
const namespace = "slipway"

// databasePasswordKey is read as a secret, unlike the struct's own keys.
const databasePasswordKey = "databasePassword"

// Load reads the configuration of the running stack.
func Load(ctx *pulumi.Context) (*Config, error) {
	var cfg Config
	p := problems{stack: ctx.Stack(), secret: func(key string) bool { return ctx.IsConfigSecret(namespace + ":" + key) }}
	get := func(key string) (string, bool) { return ctx.GetConfig(namespace + ":" + key) }
	p.read(get, &cfg)
	cfg.Network.fill()
	remedy := "set it with `pulumi config set --secret " + namespace + ":" + databasePasswordKey + " --stack " + ctx.Stack() + "`, which asks for the value"
	if password, _ := get(databasePasswordKey); password == "" {
		p.missing(databasePasswordKey, remedy)
	} else if !ctx.IsConfigSecret(namespace + ":" + databasePasswordKey) {
		p.addf("%s:%s stands in plain text, must be secret: %s", namespace, databasePasswordKey, remedy)
	}
	p.unknown(os.Getenv(pulumi.EnvConfig), &cfg, databasePasswordKey)
	if err := p.err(); err != nil {
		return nil, err
	}
	cfg.DatabasePassword = config.New(ctx, namespace).RequireSecret(databasePasswordKey)
	return &cfg, nil
}

// problems is what is wrong with the configuration.
type problems struct {
	stack string
	found []string
	// secret tells whether a key, or a value within it, was set as a secret.
	secret func(key string) bool
	// hidden is set while the values of a secret key are read.
	hidden bool
}

func (p *problems) addf(format string, a ...any) {
	p.found = append(p.found, fmt.Sprintf(format, a...))
}

func (p *problems) missing(key, remedy string) {
	p.addf("%s:%s is missing: %s", namespace, key, remedy)
}

func (p *problems) err() error {
	if len(p.found) == 0 {
		return nil
	}
	return fmt.Errorf("the configuration of stack %q (Pulumi.%s.yaml) has %d problem(s):\n  %s", p.stack, p.stack, len(p.found), strings.Join(p.found, "\n  "))
}
