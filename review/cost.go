package review

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// NodeHours tells for how many node-hours a week a node group runs under a schedule, and what that assumes. It is given the inputs of a
// slipway:index:NodeScalingSchedule as Pulumi records them, with numbers as json.Number. ok is false where it cannot say.
type NodeHours func(schedule map[string]any) (perWeek float64, assumption string, ok bool)

const (
	hoursPerWeek  = 168.0
	hoursPerMonth = 730.0
)

//go:embed prices.json
var pricesJSON []byte

type prices struct {
	Date, Note string
	Sources    []string
	Regions    map[string]regionPrices
}

// regionPrices are US dollars.
type regionPrices struct {
	ClusterHour, ClusterExtendedSupportHour, NatGatewayHour, LoadBalancerHour, PublicIpv4Hour, KmsKeyMonth, WebAclMonth float64
	DiskGibMonth, InstanceHour                                                                                          map[string]float64
}

func priceTable() prices {
	var p prices
	if err := json.Unmarshal(pricesJSON, &p); err != nil {
		panic(err) // it is compiled in, and a test reads it
	}
	return p
}

// cost is what a stack costs a month, before and after.
type cost struct {
	region string
	table  prices
	lines  []costLine
	// problems are what has no price here, and so is in no line.
	problems []string
	whole    bool
}

type costLine struct {
	what             string
	assumed, assumes string
	before, after    float64
}

// assumption is what the amounts rest on, of both where they differ.
func (l costLine) assumption() string {
	switch {
	case l.assumes == "" || l.assumes == l.assumed:
		return l.assumed
	case l.assumed == "":
		return l.assumes
	}
	return l.assumed + " → " + l.assumes
}

func (c cost) total() (before, after float64) {
	for _, l := range c.lines {
		before, after = before+l.before, after+l.after
	}
	return before, after
}

// cost adds up what the states before and after have prices for.
func (p *plan) cost(hours NodeHours) cost {
	c := cost{table: priceTable(), region: p.region(), whole: p.Whole}
	regional, known := c.table.Regions[c.region]
	if !known {
		what := "the region " + quoted(c.region)
		if c.region == "" {
			what = "a stack whose configuration has no aws:region"
		}
		c.problems = []string{"everything: the price table has nothing for " + what}
		return c
	}
	before, after := p.side(false), p.side(true)
	sums := map[string]*costLine{}
	var order []string
	problems := map[string]bool{}
	for i, items := range [][]resource{before, after} {
		for _, l := range price(items, regional, hours, problems) {
			line := sums[l.what]
			if line == nil {
				line = &costLine{what: l.what}
				sums[l.what] = line
				order = append(order, l.what)
			}
			if i == 0 {
				line.before, line.assumed = l.amount, l.assumption
			} else {
				line.after, line.assumes = l.amount, l.assumption
			}
		}
	}
	for _, what := range order {
		c.lines = append(c.lines, *sums[what])
	}
	c.problems = slices.Sorted(maps.Keys(problems))
	return c
}

func (p *plan) region() string {
	if r := p.Config["aws:region"]; r != "" && r != hiddenText {
		return r
	}
	for _, s := range p.Steps {
		if st := s.state(); st != nil && s.URN.Type() == "pulumi:providers:aws" {
			if r := text(st.Inputs, "region"); r != "" {
				return r
			}
		}
	}
	return ""
}

// resource is one on one side of a preview.
type resource struct {
	urn URN
	*State
	// made has the outputs of the resource as it is, for one that stays.
	made map[string]any
}

func (p *plan) side(after bool) []resource {
	var all []resource
	for _, s := range p.Steps {
		st, k := s.Old, kindOf(s)
		if after {
			if st = s.New; st == nil && k == unchanged {
				st = s.Old
			}
		}
		if st == nil || k == read || s.URN.Type() == stackType {
			continue
		}
		r := resource{urn: s.URN, State: st, made: st.Outputs}
		if after && r.made == nil && s.Old != nil && k != replaced {
			r.made = s.Old.Outputs
		}
		all = append(all, r)
	}
	return all
}

type priced struct {
	what, assumption string
	amount           float64
}

// price is a line for each kind of thing that has a price.
func price(all []resource, r regionPrices, hours NodeHours, problems map[string]bool) []priced {
	count := map[string]int{}
	addresses := 0
	var lines []priced
	var schedules []resource
	groups := 0
	for _, x := range all {
		switch x.urn.Type() {
		case scheduleType:
			schedules = append(schedules, x)
		case "aws:eks/nodeGroup:NodeGroup":
			groups++
		}
	}
	unpriced := map[string]int{}
	for _, x := range all {
		t := x.urn.Type()
		switch {
		case !x.Custom:
		case t == "aws:eks/cluster:Cluster", t == "aws:ec2/natGateway:NatGateway", t == "aws:kms/key:Key", t == "aws:wafv2/webAcl:WebAcl":
			count[t]++
		case t == "aws:lb/loadBalancer:LoadBalancer", t == "aws:alb/loadBalancer:LoadBalancer":
			count["load balancer"]++
			if internal, _ := at(x.Inputs, "internal").(bool); !internal {
				addresses += subnetsOf(x)
			}
		case t == "aws:ec2/eip:Eip":
			addresses++
		case t == "aws:eks/nodeGroup:NodeGroup":
			lines = append(lines, nodeLines(x, all, schedules, groups == 1, r, hours, problems)...)
		default:
			if why, listed := find(notPriced, t); !listed {
				unpriced[typeName(t)]++
			} else if why != "" {
				problems[why] = true
			}
		}
	}
	for _, t := range slices.Sorted(maps.Keys(unpriced)) {
		problems[quoted(t)+" (no price here)"] = true
	}
	add := func(n int, what string, month float64, assumption string) {
		if n > 0 {
			lines = append(lines, priced{what, fmt.Sprintf("%d × %s", n, assumption), float64(n) * month})
		}
	}
	perHour := func(price float64) string { return fmt.Sprintf("%g h at %g USD", hoursPerMonth, price) }
	add(count["aws:eks/cluster:Cluster"], "EKS control plane", r.ClusterHour*hoursPerMonth, perHour(r.ClusterHour)+fmt.Sprintf(", in standard support (%g USD in extended support)", r.ClusterExtendedSupportHour))
	add(count["aws:ec2/natGateway:NatGateway"], "NAT gateways", r.NatGatewayHour*hoursPerMonth, perHour(r.NatGatewayHour)+"; traffic is not counted")
	add(count["load balancer"], "Load balancers", r.LoadBalancerHour*hoursPerMonth, perHour(r.LoadBalancerHour)+"; capacity units (LCU) are not counted")
	add(addresses, "Public IPv4 addresses", r.PublicIpv4Hour*hoursPerMonth, perHour(r.PublicIpv4Hour)+"; Elastic IPs, and one a subnet of a public load balancer")
	add(count["aws:kms/key:Key"], "KMS keys", r.KmsKeyMonth, fmt.Sprintf("%g USD a month; requests are not counted", r.KmsKeyMonth))
	add(count["aws:wafv2/webAcl:WebAcl"], "Web ACLs", r.WebAclMonth, fmt.Sprintf("%g USD a month; rules and requests are not counted", r.WebAclMonth))
	return lines
}

// subnetsOf is in how many subnets a load balancer is, two at least.
func subnetsOf(x resource) int {
	subnets, known := at(x.Inputs, "subnets").([]any)
	n := len(subnets)
	if !known {
		for _, u := range x.PropertyDependencies["subnets"] {
			if u.Type() == "aws:ec2/subnet:Subnet" {
				n++
			}
		}
	}
	return max(2, n)
}

// notPriced are the types that cost nothing by themselves, or only by what goes through them: then it says what.
var notPriced = map[string]string{
	"kubernetes:core/v1:PersistentVolumeClaim": "volumes of claims",
	"kubernetes:*":                        "",
	"pulumi:*":                            "",
	"aws:iam/*":                           "",
	"aws:acm/*":                           "",
	"aws:ec2/vpc:*":                       "",
	"aws:ec2/subnet:*":                    "",
	"aws:ec2/route*":                      "",
	"aws:ec2/internetGateway:*":           "",
	"aws:ec2/egressOnlyInternetGateway:*": "",
	"aws:ec2/securityGroup*":              "",
	"aws:ec2/defaultSecurityGroup:*":      "",
	"aws:ec2/launchTemplate:*":            "",
	"aws:ec2/mainRouteTableAssociation:*": "",
	"aws:ec2/tag:*":                       "",
	"aws:vpc/securityGroup*":              "",
	"aws:autoscaling/schedule:*":          "",
	"aws:autoscaling/attachment:*":        "",
	"aws:autoscaling/policy:*":            "",
	"aws:autoscaling/lifecycleHook:*":     "",
	"aws:eks/addon:*":                     "",
	"aws:eks/access*":                     "",
	"aws:eks/podIdentityAssociation:*":    "",
	"aws:ecr/repository:*":                "stored images",
	"aws:ecr/*":                           "",
	"aws:kms/alias:*":                     "",
	"aws:lb/listener*":                    "",
	"aws:lb/targetGroup*":                 "",
	"aws:lb/trustStore*":                  "",
	"aws:route53/record:*":                "DNS queries",
	"aws:cloudwatch/logGroup:*":           "logs",
	"aws:s3/bucket:*":                     "objects in buckets, and requests for them",
	"aws:s3/bucketV2:*":                   "objects in buckets, and requests for them",
	"aws:s3/bucket*":                      "",
	"aws:wafv2/webAclAssociation:*":       "",
	"aws:ssm/*":                           "",
}

// dollars is an amount a month.
func dollars(f float64) string {
	s := fmt.Sprintf("%.2f", f)
	whole, rest, _ := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0 && whole[i-1] != '-'; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return whole + "." + rest
}

// InstancePrice is what an hour of a machine costs on demand in a region, in US dollars, and where that is from; ok is false for one that
// the table does not have.
func InstancePrice(region, instanceType string) (usd float64, source string, ok bool) {
	t := priceTable()
	usd, ok = t.Regions[region].InstanceHour[instanceType]
	return usd, "table of " + t.Date, ok
}
