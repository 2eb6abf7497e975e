package review

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
)

func costOf(t *testing.T, hours NodeHours, steps ...object) cost {
	t.Helper()
	return readPreview(t, printed(t, steps...)).plan().cost(hours)
}

func same(token, name string, inputs object, more ...object) object {
	return step("same", token, name, inputs, inputs, more...)
}

func nodes(kind string, desired int) object {
	return object{"instanceTypes": []any{kind}, "scalingConfig": object{"desiredSize": desired}, "diskSize": 50}
}

func lineOf(c cost, what string) costLine {
	for _, l := range c.lines {
		if strings.ReplaceAll(l.what, quote, "") == what {
			return l
		}
	}
	return costLine{}
}

func near(a, b float64) bool { return math.Abs(a-b) < 0.005 }

// TestCost is by hand: 730 hours a month.
func TestCost(t *testing.T) {
	c := costOf(t, nil,
		same("aws:eks/cluster:Cluster", "c", object{"a": "1"}),
		step("replace", "aws:eks/nodeGroup:NodeGroup", "main", nodes("m5.large", 3), nodes("m5.xlarge", 2)),
		step("delete", "aws:ec2/natGateway:NatGateway", "nat", object{"a": "1"}, nil),
		step("create", "aws:ec2/eip:Eip", "ip", nil, object{"a": "1"}),
		same("aws:lb/loadBalancer:LoadBalancer", "in", object{"internal": true}),
		same("aws:lb/loadBalancer:LoadBalancer", "out", object{"subnets": []any{"a", "b", "c"}}),
		same("aws:kms/key:Key", "k", object{"a": "1"}),
		same("aws:cloudfront/distribution:Distribution", "cdn", object{"a": "1"}),
		same("aws:iam/role:Role", "role", object{"a": "1"}),
		same("aws:s3/bucketV2:BucketV2", "logs", object{"a": "1"}),
	)
	for what, want := range map[string][2]float64{
		"EKS control plane": {73, 73}, "Nodes of main": {3 * .096 * 730, 2 * .192 * 730}, "Disks of main": {3 * 50 * .08, 2 * 50 * .08},
		"NAT gateways": {32.85, 0}, "Load balancers": {2 * 16.425, 2 * 16.425}, "Public IPv4 addresses": {3 * 3.65, 4 * 3.65}, "KMS keys": {1, 1},
	} {
		if l := lineOf(c, what); !near(l.before, want[0]) || !near(l.after, want[1]) || l.assumption() == "" {
			t.Errorf("%s is %+v, want %v", what, l, want)
		}
	}
	if len(c.lines) != 7 {
		t.Errorf("the lines are %+v", c.lines)
	}
	if got := strings.ReplaceAll(strings.Join(c.problems, "; "), quote, ""); got != "aws:cloudfront/distribution (no price here); objects in buckets, and requests for them" {
		t.Errorf("not counted: %s", got)
	}
}

func TestWhatHasNoPriceIsSaid(t *testing.T) {
	spot := nodes("m5.large", 3)
	spot["capacityType"] = "SPOT"
	for name, c := range map[string]struct {
		steps []object
		want  string
	}{
		"an instance type": {[]object{same("aws:eks/nodeGroup:NodeGroup", "gpu", nodes("p5.48xlarge", 1))}, "node group gpu, with instances of type p5.48xlarge (no price here)"},
		"spot":             {[]object{same("aws:eks/nodeGroup:NodeGroup", "s", spot)}, "node group s, which runs on spot capacity"},
		"an unknown size":  {[]object{same("aws:eks/nodeGroup:NodeGroup", "n", object{"instanceTypes": []any{"m5.large"}})}, "node group n, whose size is not known"},
		"a database":       {[]object{same("aws:rds/instance:Instance", "db", object{"a": "1"})}, "aws:rds/instance (no price here)"},
	} {
		got := costOf(t, nil, c.steps...)
		if len(got.lines) != 0 || !strings.Contains(strings.ReplaceAll(strings.Join(got.problems, ";"), quote, ""), c.want) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for region, want := range map[string]string{`"eu-central-1"`: "the price table has nothing for the region `eu-central-1`", `"[secret]"`: "whose configuration has no aws:region"} {
		text := strings.Replace(printed(t, step("create", "aws:ec2/eip:Eip", "ip", nil, object{"a": "1"})), `"us-west-2"`, region, 1)
		has(t, strings.ReplaceAll(Review(readPreview(t, text), Options{}).Markdown, "&#58;", ":"), want, "not 3.65")
	}
}

// TestNodeHoursOfASchedule: a function that counts them is asked for the group's own schedule.
func TestNodeHoursOfASchedule(t *testing.T) {
	group := func(name, asg string) object {
		return same("aws:eks/nodeGroup:NodeGroup", name, nodes("m5.large", 4), object{"outputs": object{"resources": []any{object{"autoscalingGroups": []any{object{"name": asg}}}}}})
	}
	week := step("update", scheduleType, "week", object{"autoScalingGroupName": "asg-a", "base": object{"desired": 4}},
		object{"autoScalingGroupName": "asg-a", "base": object{"desired": 2}}, object{"custom": false})
	hours := func(s map[string]any) (float64, string, bool) {
		n, err := at(s, "base", "desired").(json.Number).Float64()
		return n * 100, "100 hours of each", err == nil
	}
	c := costOf(t, hours, group("a", "asg-a"), group("b", "asg-b"), week)
	if a := lineOf(c, "Nodes of a"); !near(a.before, 400/168.*.096*730) || !near(a.after, 200/168.*.096*730) || !strings.Contains(a.assumption(), "100 hours of each") {
		t.Errorf("a costs %+v", a)
	}
	if b := lineOf(c, "Nodes of b"); !near(b.before, 4*.096*730) || !near(b.after, b.before) || !strings.Contains(b.assumption(), "4 nodes all week") {
		t.Errorf("b costs %+v", b)
	}
	if a := lineOf(costOf(t, nil, group("a", "asg-a"), week), "Nodes of a"); !near(a.after, 4*.096*730) || !strings.Contains(a.assumption(), "is not counted") {
		t.Errorf("without a function a costs %+v", a)
	}
}

// TestTheDiskOfALaunchTemplate is found by its id, or by what depends on what where that is not known yet.
func TestTheDiskOfALaunchTemplate(t *testing.T) {
	template := func(name, id string, size int) object {
		return same("aws:ec2/launchTemplate:LaunchTemplate", name, object{"blockDeviceMappings": []any{object{"ebs": object{"volumeSize": size, "volumeType": "gp2"}}}}, object{"id": id})
	}
	by := func(id string, more object) object {
		n := nodes("m5.large", 1)
		delete(n, "diskSize")
		n["launchTemplate"] = object{"id": id}
		return same("aws:eks/nodeGroup:NodeGroup", "n", n, more)
	}
	depends := object{"propertyDependencies": object{"launchTemplate": []any{urnOf("aws:ec2/launchTemplate:LaunchTemplate", "t2")}}}
	for name, group := range map[string]object{"by id": by("lt-2", object{}), "by dependency": by("04da6b54-80e4-46f7-96ec-b56ff0331ba9", depends)} {
		if l := lineOf(costOf(t, nil, template("t1", "lt-1", 10), template("t2", "lt-2", 100), group), "Disks of n"); !near(l.after, 10) {
			t.Errorf("%s: %+v", name, l)
		}
	}
	if l := lineOf(costOf(t, nil, by("lt-9", object{})), "Disks of n"); !near(l.after, 20*.08) {
		t.Errorf("without a template: %+v", l)
	}
}

// TestAPreviewOfChangesOnly has no sum of the stack.
func TestAPreviewOfChangesOnly(t *testing.T) {
	text := strings.Replace(printed(t, step("create", "aws:ec2/eip:Eip", "ip", nil, object{"a": "1"})), `"create": 1`, `"create": 1, "same": 7`, 1)
	has(t, Review(readPreview(t, text), Options{}).Markdown, "### Monthly cost of what changes: 0.00 → 3.65 USD", "`--show-sames`", "| not shown |")
}

// TestPriceTable: it is dated, says where its prices are from, and no price is missing or off by a factor.
func TestPriceTable(t *testing.T) {
	table := priceTable()
	if _, err := time.Parse("2006-01-02", table.Date); err != nil || len(table.Sources) == 0 || !strings.Contains(table.Note, "check before relying") {
		t.Errorf("%v, %+v", err, table)
	}
	for name, r := range table.Regions {
		for what, p := range map[string]float64{
			"cluster": r.ClusterHour, "extended": r.ClusterExtendedSupportHour, "nat": r.NatGatewayHour, "balancer": r.LoadBalancerHour, "address": r.PublicIpv4Hour,
			"key": r.KmsKeyMonth, "acl": r.WebAclMonth, "gp3": r.DiskGibMonth["gp3"], "gp2": r.DiskGibMonth["gp2"],
		} {
			if p <= 0 || p > 10 {
				t.Errorf("%s: %s costs %g", name, what, p)
			}
		}
		// On demand, a size up of the same family costs twice as much.
		for kind, p := range r.InstanceHour {
			family, size, _ := strings.Cut(kind, ".")
			up := map[string]string{"large": "xlarge", "xlarge": "2xlarge", "2xlarge": "4xlarge"}[size]
			if q, ok := r.InstanceHour[family+"."+up]; ok && math.Abs(q-2*p) > 0.001 {
				t.Errorf("%s costs %g, and %s.%s %g", kind, p, family, up, q)
			}
		}
	}
}

func TestDollars(t *testing.T) {
	for f, want := range map[float64]string{0: "0.00", 999.999: "1,000.00", 1234567.5: "1,234,567.50", -1234.5: "-1,234.50", -0.5: "-0.50", 12: "12.00"} {
		if got := dollars(f); got != want {
			t.Errorf("%g is %s, want %s", f, got, want)
		}
	}
}
