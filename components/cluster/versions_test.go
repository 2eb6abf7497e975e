package cluster

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestStep(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"1.33", "1.34", ""},
		{"1.34", "1.34", ""},
		{"", "1.36", ""},
		{"1.32", "1.35", `version goes from "1.32" to "1.35", must go up one minor version at a time: EKS takes no more at once. Set it to "1.33", then "1.34", then "1.35", with a ` + "`pulumi up` after each"},
		{"1.34", "1.33", `version goes from "1.34" to "1.33", must not go down: EKS takes no control plane back, so leave it at "1.34"`},
		{"1.9", "1.10", ""},
	} {
		got := ""
		if err := step(c.from, c.to); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s to %s: got %q, want %q", c.from, c.to, got, c.want)
		}
	}
}

// Whoever follows the steps that an error gives gets there, and no step is refused.
func TestStepsLeadThere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from, to := rapid.SampledFrom(versions).Draw(t, "from"), rapid.SampledFrom(versions).Draw(t, "to")
		err := step(from, to)
		if err == nil || minor(to) < minor(from) {
			return
		}
		at := from
		for _, s := range strings.Split(err.Error(), `"`)[5:] {
			if minor(s) < 0 {
				continue
			}
			if err := step(at, s); err != nil {
				t.Fatalf("%s to %s leads over %s: %v", from, to, s, err)
			}
			at = s
		}
		if at != to {
			t.Fatalf("%s to %s ends at %s", from, to, at)
		}
	})
}

func TestSupport(t *testing.T) {
	for _, c := range []struct{ version, day, want string }{
		{"1.34", "2026-10-02", ""},
		{"1.34", "2026-10-03", "standard support of Kubernetes 1.34 ends on 2026-12-02: from then on AWS bills extended support, several times the price of a cluster, until it ends on 2027-12-02; set version to \"1.35\" (" + supportPage + ")"},
		{"1.34", "2026-12-01", "standard support of Kubernetes 1.34 ends on 2026-12-02"},
		{"1.34", "2026-12-02", "standard support of Kubernetes 1.34 ended on 2026-12-02: AWS bills extended support, several times the price of a cluster, until 2027-12-02"},
		{"1.35", "2026-11-25", ""},
		{"1.34", "2027-12-02", "support of Kubernetes 1.34 ended on 2027-12-02: AWS makes no new cluster of it"},
		{"1.36", "2027-08-01", "upgrade it one minor version at a time"},
	} {
		now, err := time.Parse(time.DateOnly, c.day)
		if err != nil {
			t.Fatal(err)
		}
		if got := releaseOf(c.version).support(now); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s on %s: got %q, want %q", c.version, c.day, got, c.want)
		}
	}
}

// What the table says must hold together: a mistake in it would show in a cluster only.
func TestReleases(t *testing.T) {
	last := map[string]string{}
	for i, r := range releases {
		if i > 0 && (minor(r.version) != minor(releases[i-1].version)+1 || r.standardEnds <= releases[i-1].standardEnds) {
			t.Errorf("%s does not follow %s", r.version, releases[i-1].version)
		}
		standard, err := time.Parse(time.DateOnly, r.standardEnds)
		if err != nil || standard.AddDate(1, 0, 0).Format(time.DateOnly) != r.extendedEnds {
			t.Errorf("%s: extended support does not end a year after standard support (%v)", r.version, err)
		}
		for name, v := range r.addons {
			if m := addonVersion.FindStringSubmatch(v); v != "" && (m == nil || name == kubeProxy && !runsWith(m[1], r.version)) {
				t.Errorf("%s: %s of %s", r.version, v, name)
			}
			if v == "" {
				continue // AWS's default
			}
			if slices.Compare(numbers(v), numbers(last[name])) < 0 {
				t.Errorf("%s goes down from %s to %s with Kubernetes %s", name, last[name], v, r.version)
			}
			last[name] = v
		}
		if !strings.HasPrefix(r.autoscaler, "v"+r.version+".") {
			t.Errorf("%s: autoscaler %s", r.version, r.autoscaler)
		}
	}
}

// numbers of a version, in order: 1, 22, 4 and 3 of "v1.22.4-eksbuild.3".
func numbers(version string) (all []int) {
	for _, text := range regexp.MustCompile("[0-9]+").FindAllString(version, -1) {
		n, _ := strconv.Atoi(text)
		all = append(all, n)
	}
	return all
}

// What nobody can tell is said, and nothing where there is nothing to tell.
func TestUnsure(t *testing.T) {
	const says = `instance type "i7i.large" is in no table, which has the families `
	size := map[string]InstanceSize{"i7i.large": {2, 16384, 3, 10}}
	for name, c := range map[string]struct {
		prefixes bool
		group    NodeGroup
		want     string
	}{
		"a known type":              {true, NodeGroup{InstanceTypes: []string{"m5.large"}, Kubelet: &Kubelet{MaxPods: 20}}, ""},
		"an unknown one":            {false, NodeGroup{InstanceTypes: []string{"i7i.large"}}, ""},
		"and pods":                  {false, NodeGroup{InstanceTypes: []string{"m5.large", "i7i.large"}, Kubelet: &Kubelet{MaxPods: 20}}, "nodeGroups[0].instanceTypes[1]: whether it has addresses for nodeGroups[0].kubelet.maxPods (20) is not known: " + says},
		"and prefixes":              {true, NodeGroup{InstanceTypes: []string{"i7i.large"}}, "nodeGroups[0].instanceTypes[0]: nodes are told to take 110 pods, of which it is not known whether the type has addresses for them: " + says},
		"and its numbers":           {true, NodeGroup{InstanceTypes: []string{"i7i.large"}, InstanceSizes: size, Kubelet: &Kubelet{MaxPods: 20}}, ""},
		"an unknown one, two lines": {true, NodeGroup{InstanceTypes: []string{"i7i.large", "i7i.xlarge"}}, "nodeGroups[0].instanceTypes[0]: "},
	} {
		lines := EksClusterArgs{PrefixDelegation: c.prefixes, NodeGroups: []NodeGroup{c.group}}.unsure()
		got := strings.Join(lines, "\n")
		if !strings.HasPrefix(got, c.want) || c.want == "" && got != "" || strings.Count(c.want, says) > 0 && !strings.HasSuffix(got, "give its numbers in instanceSizes") {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
