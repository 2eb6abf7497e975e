package cluster

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// defaultVersion is the version of a cluster that names none.
const defaultVersion = "1.35"

// release is a minor version of Kubernetes as EKS supports it.
type release struct {
	version string
	// standardEnds and extendedEnds are the days, UTC, on which the two kinds of support end.
	standardEnds, extendedEnds string
	// addons are the versions that go with it. One that is not here is AWS's default, asked on every run.
	addons map[string]string
	// autoscaler is the cluster autoscaler's: its minor version is that of the cluster.
	autoscaler string
}

// supportPage has the calendar; `aws eks describe-cluster-versions` prints it.
const supportPage = "https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html"

// releases as of November 2026, oldest first: the calendar is supportPage's, the autoscalers are those of
// https://github.com/kubernetes/autoscaler/releases. The add-ons are versions that `aws eks describe-addon-versions` lists for each: of
// 1.34 and older what was the default in November 2025, of 1.35 what several who run it report as the default of October 2026 (of
// metrics-server a build that several run), of 1.36 what some who run it report as of August 2026, and of vpc-cni, whose builds are
// published for all versions alike, that of 1.35. So nothing goes down with an upgrade. There may be newer ones.
var releases = []release{
	{"1.32", "2026-03-23", "2027-03-23", pinned("v1.11.3-eksbuild.1", "v1.32.0-eksbuild.2", "v1.20.4-eksbuild.1", "v1.3.8-eksbuild.2", "v0.8.0-eksbuild.2"), "v1.32.5"},
	{"1.33", "2026-07-29", "2027-07-29", pinned("v1.12.1-eksbuild.2", "v1.33.0-eksbuild.2", "v1.20.4-eksbuild.1", "v1.3.8-eksbuild.2", "v0.8.0-eksbuild.2"), "v1.33.5"},
	{"1.34", "2026-12-02", "2027-12-02", pinned("v1.12.3-eksbuild.1", "v1.34.0-eksbuild.2", "v1.20.4-eksbuild.1", "v1.3.8-eksbuild.2", "v0.8.0-eksbuild.2"), "v1.34.4"},
	{"1.35", "2027-03-27", "2028-03-27", pinned("v1.13.2-eksbuild.31", "v1.35.3-eksbuild.29", "v1.22.4-eksbuild.3", "v1.3.10-eksbuild.3", "v0.8.1-eksbuild.6"), "v1.35.1"},
	{"1.36", "2027-08-02", "2028-08-02", pinned("v1.14.3-eksbuild.3", "v1.36.0-eksbuild.9", "v1.22.4-eksbuild.3", "v1.3.10-eksbuild.3", ""), "v1.36.1"},
}

func pinned(coredns, proxy, cni, podIdentity, metrics string) map[string]string {
	return map[string]string{"coredns": coredns, kubeProxy: proxy, "vpc-cni": cni, "eks-pod-identity-agent": podIdentity, "metrics-server": metrics}
}

// versions are what Version may be.
var versions = func() (all []string) {
	for _, r := range releases {
		all = append(all, r.version)
	}
	return all
}()

// releaseOf is the release of a version that was checked.
func releaseOf(version string) release {
	for _, r := range releases {
		if r.version == version {
			return r
		}
	}
	return release{version: version}
}

// notice is how long before the end of standard support it is said; AWS announces the day as long before.
const notice = 60 * 24 * time.Hour

// support says what there is to know of the support of a version; nothing while its standard support lasts.
func (r release) support(now time.Time) string {
	standard, err := time.Parse(time.DateOnly, r.standardEnds)
	extended, err2 := time.Parse(time.DateOnly, r.extendedEnds)
	if err != nil || err2 != nil || now.Before(standard.Add(-notice)) {
		return ""
	}
	next := "upgrade it one minor version at a time"
	if i := indexOf(r.version); i >= 0 && i+1 < len(releases) {
		next = fmt.Sprintf("set version to %q", releases[i+1].version)
	}
	switch {
	case now.Before(standard):
		return fmt.Sprintf("standard support of Kubernetes %s ends on %s: from then on AWS bills extended support, several times the price of a cluster, until it ends on %s; %s (%s)",
			r.version, r.standardEnds, r.extendedEnds, next, supportPage)
	case now.Before(extended):
		return fmt.Sprintf("standard support of Kubernetes %s ended on %s: AWS bills extended support, several times the price of a cluster, until %s, and then upgrades the control plane by itself; %s (%s)",
			r.version, r.standardEnds, r.extendedEnds, next, supportPage)
	}
	return fmt.Sprintf("support of Kubernetes %s ended on %s: AWS makes no new cluster of it, and upgrades the control plane of an old one by itself, at any time; %s (%s)",
		r.version, r.extendedEnds, next, supportPage)
}

func indexOf(version string) int {
	for i, r := range releases {
		if r.version == version {
			return i
		}
	}
	return -1
}

// warnOfSupport says it in previews too: whoever reviews is who can act.
func (b *builder) warnOfSupport(c *EksCluster, now time.Time) error {
	if says := releaseOf(b.Version).support(now); says != "" {
		return b.ctx.Log.Warn(says, &pulumi.LogArgs{Resource: c})
	}
	return nil
}

// step tells whether AWS can go from one version to the other, and how else to get there.
func step(from, to string) error {
	old, wanted := minor(from), minor(to)
	switch {
	case from == "" || old < 0 || wanted < 0 || wanted == old || wanted == old+1:
		return nil
	case wanted < old:
		return fmt.Errorf("version goes from %q to %q, must not go down: EKS takes no control plane back, so leave it at %q", from, to, from)
	}
	path := make([]string, 0, wanted-old)
	for m := old + 1; m <= wanted; m++ {
		path = append(path, strconv.Quote("1."+strconv.Itoa(m)))
	}
	return fmt.Errorf("version goes from %q to %q, must go up one minor version at a time: EKS takes no more at once. Set it to %s, with a `pulumi up` after each", from, to, strings.Join(path, ", then "))
}

// minor is 34 of "1.34", -1 of what is no version.
func minor(version string) int {
	rest, ok := strings.CutPrefix(version, "1.")
	if n, err := strconv.Atoi(rest); ok && err == nil {
		return n
	}
	return -1
}

// oneMinorAtATime refuses, in a preview too, a step that AWS would refuse in the middle of an update. Only the state knows the
// version before: it is among the component's recorded arguments.
func oneMinorAtATime(ctx *pulumi.Context, name string) (pulumi.ResourceOption, error) {
	hook, err := ctx.RegisterResourceHook(name+"-one-minor-at-a-time", func(change *pulumi.ResourceHookArgs) error {
		from, to := change.OldInputs["version"], change.NewInputs["version"]
		if !from.IsString() || !to.IsString() {
			return nil
		}
		return step(from.StringValue(), to.StringValue())
	}, &pulumi.ResourceHookOptions{OnDryRun: true})
	if err != nil {
		return nil, err
	}
	return pulumi.ResourceHooks(&pulumi.ResourceHookBinding{BeforeUpdate: []*pulumi.ResourceHook{hook}}), nil
}
