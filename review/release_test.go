package review

import (
	"strings"
	"testing"
)

const repositoryURL = "123456789012.dkr.ecr.us-west-2.amazonaws.com/api"

func TestImages(t *testing.T) {
	one, two := "sha256:"+strings.Repeat("1", 64), "sha256:"+strings.Repeat("2", 64)
	component := object{"custom": false}
	for _, c := range []struct{ old, new, says string }{
		{repositoryURL + "@" + one, repositoryURL + "@" + two, "- image of `api`: `" + one + "` → `" + two + "`, in `" + repositoryURL + "`\n"},
		{repositoryURL + ":1.0@" + one, repositoryURL + ":1.1@" + two, "`1.0@" + one + "` → `1.1@" + two + "`, in `" + repositoryURL + "`\n"},
		{repositoryURL + ":1.0", repositoryURL + ":1.1", "`1.0` → `1.1`, in `" + repositoryURL + "` (a tag, not a digest)\n"},
		{"localhost:5000/api", "localhost:5000/api:2", "`localhost:5000/api` → `localhost:5000/api:2` (a tag"},
		{"old/api:1", "new/api:1", "`old/api:1` → `new/api:1` (a tag"},
		{"api:1", "04da6b54-80e4-46f7-96ec-b56ff0331ba9", "`api:1` → known later\n"},
	} {
		has(t, reviewed(t, Options{}, step("update", appType, "api", object{"image": c.old}, object{"image": c.new}, component)).Markdown, c.says)
	}
	parts := func(tag string) object {
		return object{"image": "api:1", "sidecars": []any{object{"name": "proxy", "image": "proxy:" + tag}}, "initContainers": []any{object{"name": "wait", "image": "wait:1"}}}
	}
	has(t, reviewed(t, Options{}, step("update", appType, "api", parts("1"), parts("2"), component)).Markdown,
		"- image of `api proxy`: `1` → `2`, in `proxy`", "2 images stay as they are.")
	// A workload without a component of this library has its images too, one below it has them once.
	workload := func(tag string) object {
		return object{"spec": object{"template": object{"spec": object{"containers": []any{object{"name": "main", "image": "web:" + tag}}}}}}
	}
	has(t, reviewed(t, Options{}, step("update", "kubernetes:apps/v1:StatefulSet", "web", workload("1"), workload("2"))).Markdown, "- image of `web main`: `1` → `2`, in `web`")
	below := step("update", "kubernetes:apps/v1:Deployment", "api-deployment", workload("1"), workload("2"), object{"parent": urnOf(appType, "api")})
	app := step("update", appType, "api", object{"image": "web:1"}, object{"image": "web:2"}, component)
	if n := strings.Count(reviewed(t, Options{}, app, below).Markdown, "- image of"); n != 1 {
		t.Errorf("the image of an app is said %d times", n)
	}
}

func TestMigrationStages(t *testing.T) {
	at := func(stage string) object {
		if stage == "" {
			return object{}
		}
		return object{"migration": object{"stage": stage, "routes": object{"api": "legacy"}}}
	}
	for _, c := range [][3]string{
		{"legacy", "canary 10", "`legacy` → `canary 10` (10 % of the requests go to the new system, 90 % to the old one)"},
		{"canary 10", "split 50", "50 % of the requests go to the new system, 50 % to the old one"},
		{"split 50", "drain-legacy", "(all requests go to the new system; the old one is still there to go back to)"},
		{"drain-legacy", "done", "(the old system is out of the door)"},
		{"done", "", "`done` → nothing (the old system is out of the door)"},
		{"", "legacy", "nothing → `legacy` (all requests go to the old system)"},
	} {
		for _, token := range []string{doorType, fleetType} {
			text := reviewed(t, Options{}, step("update", token, "door", at(c[0]), at(c[1]), object{"custom": false})).Markdown
			has(t, text, "- migration of `door`: ", c[2])
			if c[0] != "" && c[1] != "" {
				has(t, text, "not route api")
			}
		}
	}
}

func TestNodeGroupsAndSchedules(t *testing.T) {
	group := func(kind string, n int) object {
		return object{"nodeGroups": []any{object{"name": "main", "instanceTypes": []any{kind}, "desiredSize": n}}, "version": "1.35"}
	}
	has(t, reviewed(t, Options{}, step("update", clusterType, "cluster", group("m5.large", 3), group("m5.xlarge", 2), object{"custom": false})).Markdown,
		"- `nodeGroups[0].desiredSize` of `cluster`: `3` → `2`", "- `nodeGroups[0].instanceTypes[0]` of `cluster`: `m5.large` → `m5.xlarge`", "not version")
	night := func(n int) object {
		return object{"nights": object{"size": object{"desired": n}}, "autoScalingGroupName": "x"}
	}
	has(t, reviewed(t, Options{}, step("update", scheduleType, "week", night(2), night(1), object{"custom": false})).Markdown, "- `nights.size.desired` of `week`: `2` → `1`")
}

// TestWhatAReplacementMeans, with what is in the preview.
func TestWhatAReplacementMeans(t *testing.T) {
	alb := step("replace", "aws:lb/loadBalancer:LoadBalancer", "alb", object{"internal": false}, object{"internal": true}, object{"outputs": object{"dnsName": "alb-1.example.com"}})
	alb["replaceReasons"], alb["detailedDiff"] = []any{"internal"}, object{"internal": object{"kind": "update-replace"}}
	has(t, reviewed(t, Options{}, alb).Markdown, "`internal`: `false` → `true`", "The new one has a new DNS name: clients that hold the old one fail until DNS follows", "The old name is `alb-1.example.com`")

	// A name that is made up anew for the new one causes nothing, unless nothing else does.
	named := func(name, subnet string) object {
		return object{"nodeGroupName": name, "subnet": subnet, "__defaults": []any{"nodeGroupName"}}
	}
	for _, c := range []struct{ subnet, want string }{{"b", "`subnet`: `a` → `b`"}, {"a", "`nodeGroupName`: `n-1` → `n-2`"}} {
		s := step("replace", "aws:eks/nodeGroup:NodeGroup", "n", named("n-1", "a"), named("n-2", c.subnet))
		s["detailedDiff"] = object{"nodeGroupName": object{"kind": "update-replace"}, "subnet": object{"kind": "update-replace"}}
		if c.subnet == "a" {
			s["detailedDiff"] = object{"nodeGroupName": object{"kind": "update-replace"}}
		}
		text := reviewed(t, Options{}, s).Markdown
		has(t, text, c.want)
		if c.subnet == "b" {
			has(t, text, "not `nodeGroupName`")
		}
	}

	workload := func(name string, selector object) object {
		return same("kubernetes:apps/v1:Deployment", name, object{
			"metadata": object{"name": name, "namespace": "shop"},
			"spec":     object{"replicas": 3, "template": object{"spec": object{"nodeSelector": selector}}},
		})
	}
	scaler := same("kubernetes:autoscaling/v2:HorizontalPodAutoscaler", "web", object{
		"metadata": object{"namespace": "shop"}, "spec": object{"minReplicas": 2, "maxReplicas": 9, "scaleTargetRef": object{"name": "web"}},
	})
	group := func(kind string) object {
		return object{"instanceTypes": []any{kind}, "labels": object{"pool": "fast"}}
	}
	r := reviewed(t, Options{}, step("replace", "aws:eks/nodeGroup:NodeGroup", "fast", group("m5.large"), group("m5.xlarge")),
		workload("web", object{"pool": "fast"}), workload("any", object{"kubernetes.io/arch": "amd64"}), workload("slow", object{"pool": "slow"}), scaler)
	has(t, r.Markdown, "Pods that may run there: `shop/any (3 pods)`, `shop/web (2 to 9 pods)`.", "not shop/slow")
	for _, token := range []string{
		"aws:eks/nodeGroup:NodeGroup", "aws:lb/loadBalancer:LoadBalancer", "aws:ecr/repository:Repository", "aws:acm/certificate:Certificate", "aws:eks/cluster:Cluster", "aws:rds/cluster:Cluster",
		"kubernetes:core/v1:Namespace", "kubernetes:core/v1:Service", "kubernetes:core/v1:PersistentVolumeClaim", "aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet", "aws:kms/key:Key",
	} {
		if e, ok := find(effects, token); !ok || e.replaced == "" || e.deleted == "" {
			t.Errorf("it is not said what %s does", token)
		}
	}
}

// TestComponentsAreNoChangesOfTheirOwn: what the program says stands below what it causes, and is listed only where it causes nothing.
func TestComponentsAreNoChangesOfTheirOwn(t *testing.T) {
	app := step("update", appType, "api", object{"image": "a:1", "port": 1}, object{"image": "a:2", "port": 2}, object{"custom": false})
	child := step("update", "kubernetes:apps/v1:Deployment", "api-deployment", object{"image": "a:1"}, object{"image": "a:2"}, object{"parent": urnOf(appType, "api")})
	r := reviewed(t, Options{}, app, child)
	has(t, r.Markdown, "| 0 | 1 | 0 | 0 | 0 |", "  - `image`: `a:1` → `a:2`, from `image` of `api`\n", "not with other arguments", "not `port`")
	week := step("update", scheduleType, "week", object{"night": object{"desired": 2, "min": 2}}, object{"night": object{"desired": 1, "min": 1}}, object{"custom": false})
	action := step("update", "aws:autoscaling/schedule:Schedule", "down", object{"desiredCapacity": 2, "minSize": 2}, object{"desiredCapacity": 1, "minSize": 1}, object{"parent": urnOf(scheduleType, "week")})
	has(t, reviewed(t, Options{}, week, action).Markdown, "`desiredCapacity`: `2` → `1`, from `night.desired` of `week`", "`minSize`: `2` → `1`, from `night.min` of `week`")
	has(t, reviewed(t, Options{}, app).Markdown, "1 component with other arguments, without a change below", "  - `port`: `1` → `2`", "**Nothing changes.**")
}

// TestWeek: the caller's part stands where it belongs, and nothing stands there without one.
func TestWeek(t *testing.T) {
	s := step("same", "aws:a/b:B", "x", object{}, object{})
	has(t, reviewed(t, Options{Week: func(p *Preview) string { return "\nAll pods of " + p.Stack + " fit.\n\n" }}, s).Markdown, "\n### The week\n\nAll pods of prod fit.\n")
	for _, o := range []Options{{}, {Week: func(*Preview) string { return " \n" }}} {
		has(t, reviewed(t, o, s).Markdown, "not The week")
	}
}
