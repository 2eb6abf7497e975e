// Package targets registers and deregisters what is in a target group, as Elastic Load Balancing's RegisterTargets and
// DeregisterTargets do. It works on the account's file without the account's model: the control plane, which plays the AWS Load
// Balancer Controller, does not carry that.
//
// A target so registered is an object of the account that its target group owns: no stack knows it, and it goes with the group.
package targets

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/slipway-iac/slipway/sandbox/aws/accountfile"
)

// Types of the account's objects that matter here.
const (
	GroupType  = "aws:lb/targetGroup:TargetGroup"
	TargetType = "aws:lb/targetGroupAttachment:TargetGroupAttachment"
	vpcType    = "aws:ec2/vpc:Vpc"
)

// AllZones is the availability zone of a target outside of the VPC.
const AllZones = "all"

// Target is one of a target group.
type Target struct {
	// ID is an address, or the id of an instance or of a function.
	ID   string
	Port int
	// Zone is AllZones where the address is outside of the VPC.
	Zone string
	// By is who registered the target; "" for one of a stack.
	By string
}

// Same tells whether both are one target to AWS: a target is an id and a port.
func (t Target) Same(o Target) bool { return t.ID == o.ID && t.Port == o.Port }

// NotFound says that a target group does not exist.
type NotFound struct{ Group string }

// Error implements error; the words are those of the API.
func (e *NotFound) Error() string {
	return fmt.Sprintf("TargetGroupNotFound: One or more target groups not found: '%s'", e.Group)
}

// outside are ranges whose addresses may be registered though they are not in the VPC.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html#target-type
var outside = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
}

// CheckAddress says why an address cannot be registered with a target group of type ip in a VPC; nil where it can. Its text is that of
// a ValidationError of the API.
func CheckAddress(id, zone, vpcCidr string) error {
	a, err := netip.ParseAddr(id)
	if err != nil {
		return fmt.Errorf("The IP address '%s' is not a valid IPv4 address", id)
	}
	if vpc, err := netip.ParsePrefix(vpcCidr); err == nil && vpc.Contains(a) {
		return nil
	}
	if zone == AllZones && slices.ContainsFunc(outside, func(p netip.Prefix) bool { return p.Contains(a) }) {
		return nil
	}
	return fmt.Errorf("The IP address '%s' is not within the VPC's CIDR; outside of it set availabilityZone to \"all\"", id)
}

// Account is the folder of an AWS account.
type Account string

type object struct {
	Type    string         `json:"type"`
	ID      string         `json:"id"`
	Region  string         `json:"region,omitempty"`
	Inputs  map[string]any `json:"inputs"`
	Outputs map[string]any `json:"outputs,omitempty"`
	Created time.Time      `json:"created"`
	Owner   string         `json:"owner,omitempty"`
}

func (o object) text(name string) string {
	if s, ok := o.Outputs[name].(string); ok {
		return s
	}
	s, _ := o.Inputs[name].(string)
	return s
}

func (o object) number(name string) int {
	f, _ := o.Inputs[name].(float64)
	return int(f)
}

// content keeps what it does not change as it stands there.
type content struct {
	Version int               `json:"version"`
	Number  string            `json:"account"`
	Objects []json.RawMessage `json:"objects"`

	objects []object // read from Objects, one for one
}

func (a Account) read() (*content, error) {
	c := &content{}
	b, err := os.ReadFile(accountfile.Path(string(a)))
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the account's file: %w", err)
	}
	if err := json.Unmarshal(b, c); err != nil {
		return nil, fmt.Errorf("the account's file %s cannot be read: %w", accountfile.Path(string(a)), err)
	}
	if c.Version != accountfile.FormatVersion {
		return nil, fmt.Errorf("the account's file %s has format %d, must be %d", accountfile.Path(string(a)), c.Version, accountfile.FormatVersion)
	}
	c.objects = make([]object, len(c.Objects))
	for i, raw := range c.Objects {
		if err := json.Unmarshal(raw, &c.objects[i]); err != nil {
			return nil, fmt.Errorf("the account's file %s: object %d: %w", accountfile.Path(string(a)), i, err)
		}
	}
	return c, nil
}

func (c *content) find(kind, id string) (object, bool) {
	i := slices.IndexFunc(c.objects, func(o object) bool { return o.Type == kind && o.ID == id })
	if i < 0 {
		return object{}, false
	}
	return c.objects[i], true
}

// targetOf is an object of TargetType as a target; AWS takes the group's port where none is given.
func targetOf(o, group object) Target {
	return Target{ID: o.text("targetId"), Port: cmp.Or(o.number("port"), group.number("port")), Zone: o.text("availabilityZone"), By: o.text("registeredBy")}
}

// All are the targets of each target group, by its ARN, in the order in which they were registered. A group without targets is there,
// too.
func (a Account) All() (map[string][]Target, error) {
	c, err := a.read()
	if err != nil {
		return nil, err
	}
	groups, out := map[string]object{}, map[string][]Target{}
	for _, o := range c.objects {
		if o.Type == GroupType {
			groups[o.ID], out[o.ID] = o, nil
		}
	}
	for _, o := range c.objects {
		if group, ok := groups[o.text("targetGroupArn")]; ok && o.Type == TargetType {
			out[group.ID] = append(out[group.ID], targetOf(o, group))
		}
	}
	return out, nil
}

// Change registers some targets with a group of type ip and deregisters others, at once. What is registered already stays as it is,
// what is not needs no deregistering. A target of a stack is deregistered like any other: AWS does not know who registered it.
func (a Account) Change(group string, register, deregister []Target) error {
	unlock, err := accountfile.Lock(string(a))
	if err != nil {
		return err
	}
	defer unlock()
	c, err := a.read()
	if err != nil {
		return err
	}
	g, ok := c.find(GroupType, group)
	if !ok {
		return &NotFound{group}
	}
	if err := c.check(g, register); err != nil {
		return err
	}
	gone := func(t Target) bool { return slices.ContainsFunc(deregister, t.Same) }
	var kept []json.RawMessage
	var present []Target
	for i, o := range c.objects {
		if o.Type == TargetType && o.text("targetGroupArn") == group {
			t := targetOf(o, g)
			if gone(t) {
				continue
			}
			present = append(present, t)
		}
		kept = append(kept, c.Objects[i])
	}
	changed := len(kept) != len(c.Objects)
	for _, t := range register {
		if slices.ContainsFunc(present, t.Same) {
			continue
		}
		raw, err := json.Marshal(t.object(g))
		if err != nil {
			return err
		}
		kept, present, changed = append(kept, raw), append(present, t), true
	}
	if !changed {
		return nil
	}
	c.Objects = kept
	b, err := json.MarshalIndent(c, "", " ")
	if err != nil {
		return err
	}
	return accountfile.Replace(string(a), append(b, '\n'))
}

// check says why not all of these can be registered.
func (c *content) check(group object, register []Target) error {
	if kind := group.text("targetType"); len(register) > 0 && kind != "ip" {
		return fmt.Errorf("ValidationError: the target type of '%s' is %s, and addresses are targets of type ip", group.ID, kind)
	}
	vpc, _ := c.find(vpcType, group.text("vpcId"))
	var bad []string
	for _, t := range register {
		if err := CheckAddress(t.ID, t.Zone, vpc.text("cidrBlock")); err != nil {
			bad = append(bad, err.Error())
		}
	}
	if len(bad) > 0 {
		return errors.New("ValidationError: " + strings.Join(bad, "; "))
	}
	return nil
}

func (t Target) object(group object) object {
	id := make([]byte, 13)
	_, _ = rand.Read(id) // never fails: crypto/rand aborts the program instead
	o := object{
		Type: TargetType, ID: group.ID + "-" + hex.EncodeToString(id), Region: group.Region, Created: time.Now().UTC(), Owner: GroupType + " " + group.ID,
		Inputs:  map[string]any{"targetGroupArn": group.ID, "targetId": t.ID, "port": t.Port},
		Outputs: map[string]any{"registeredBy": t.By},
	}
	if t.Zone != "" {
		o.Inputs["availabilityZone"] = t.Zone
	}
	return o
}
