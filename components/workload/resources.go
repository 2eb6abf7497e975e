package workload

import (
	"errors"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
	"github.com/slipway-iac/slipway/internal/quantity"
)

// Resources is what one pod is promised and what it may not exceed. A change rolls the pods.
type Resources struct {
	// Requests is what the scheduler sets aside on a node, and what Autoscaling's percentages refer to.
	// Default 100m CPU, 128Mi memory, 128Mi ephemeral storage, but never more than a limit that is given.
	Requests Amounts `pulumi:"requests,optional"`
	// Limits is where the pod is stopped: CPU is throttled, memory is killed, ephemeral storage is evicted.
	// Default: no limit of CPU, since throttling slows requests while the node idles; memory as requested, so that a node never
	// runs out of what it has promised; 1Gi of ephemeral storage.
	Limits Amounts `pulumi:"limits,optional"`
}

// Amounts are Kubernetes quantities.
type Amounts struct {
	// CPU in cores, no finer than 1m (a thousandth): "250m", "0.25", "2".
	CPU string `pulumi:"cpu,optional"`
	// Memory in bytes, at least 6Mi: "128Mi", "1Gi", "512M".
	Memory string `pulumi:"memory,optional"`
	// EphemeralStorage in bytes: logs and Scratch directories on the node's disk. "1Gi".
	EphemeralStorage string `pulumi:"ephemeralStorage,optional"`
}

const (
	defaultCPURequest       = "100m"
	defaultMemoryRequest    = "128Mi"
	defaultEphemeralRequest = "128Mi"
	defaultEphemeralLimit   = "1Gi"
	// smallestMemory is Docker's own floor: below it the runtime itself does not fit.
	smallestMemory = 6 << 20
)

// resources is Resources after the checks.
type resources struct {
	cpuRequest, cpuLimit             kept // in thousandths of a core
	memoryRequest, memoryLimit       kept // in bytes
	ephemeralRequest, ephemeralLimit kept // in bytes
}

// kept is a quantity that was checked: its text for the API server, and its number for arithmetic.
type kept struct {
	text   string
	number int64
}

func (k kept) given() bool { return k.text != "" }

func (args *Resources) checked(p *check.Problems) (r resources) {
	if args == nil {
		args = &Resources{}
	}
	requests, limits := p.At("requests"), p.At("limits")
	r.cpuRequest, r.cpuLimit = cpu(requests, args.Requests.CPU), cpu(limits, args.Limits.CPU)
	r.memoryRequest = bytes(requests, "memory", args.Requests.Memory, smallestMemory)
	r.memoryLimit = bytes(limits, "memory", args.Limits.Memory, smallestMemory)
	r.ephemeralRequest = bytes(requests, "ephemeralStorage", args.Requests.EphemeralStorage, 1)
	r.ephemeralLimit = bytes(limits, "ephemeralStorage", args.Limits.EphemeralStorage, 1)

	if args.Requests.CPU == "" {
		r.cpuRequest = atMost(cpu(p, defaultCPURequest), r.cpuLimit)
	}
	if args.Requests.Memory == "" {
		r.memoryRequest = atMost(bytes(p, "", defaultMemoryRequest, 0), r.memoryLimit)
	}
	if args.Limits.Memory == "" {
		r.memoryLimit = r.memoryRequest
	}
	if args.Limits.EphemeralStorage == "" {
		r.ephemeralLimit = atLeast(bytes(p, "", defaultEphemeralLimit, 0), r.ephemeralRequest)
	}
	if args.Requests.EphemeralStorage == "" {
		r.ephemeralRequest = atMost(bytes(p, "", defaultEphemeralRequest, 0), r.ephemeralLimit)
	}
	ordered(requests, "cpu", "resources.limits.cpu", r.cpuRequest, r.cpuLimit)
	ordered(requests, "memory", "resources.limits.memory", r.memoryRequest, r.memoryLimit)
	ordered(requests, "ephemeralStorage", "resources.limits.ephemeralStorage", r.ephemeralRequest, r.ephemeralLimit)
	return r
}

func ordered(p *check.Problems, path, limitPath string, request, limit kept) {
	if request.given() && limit.given() && request.number > limit.number {
		p.Addf(path, "is %q, must be at most %s (%q)", request.text, limitPath, limit.text)
	}
}

func atMost(k, limit kept) kept {
	if limit.given() && limit.number < k.number {
		return limit
	}
	return k
}

func atLeast(k, floor kept) kept {
	if floor.given() && floor.number > k.number {
		return floor
	}
	return k
}

// cpu is zero where s is empty or wrong.
func cpu(p *check.Problems, s string) kept {
	if s == "" {
		return kept{}
	}
	q, err := quantity.Parse(s)
	if err != nil {
		p.Addf("cpu", `is %q, %s`, s, wrong(err, `a quantity of cores such as "250m" or "2"`))
		return kept{}
	}
	n, whole := q.Times(1000)
	switch {
	case !whole:
		p.Addf("cpu", "is %q, must be no finer than 1m, a thousandth of a core", s)
		return kept{}
	case n <= 0:
		p.Addf("cpu", "is %q, must be more than 0", s)
		return kept{}
	}
	return kept{text: q.String(), number: n}
}

// bytes is zero where s is empty or wrong.
func bytes(p *check.Problems, path, s string, least int64) kept {
	if s == "" {
		return kept{}
	}
	q, err := quantity.Parse(s)
	if err != nil {
		p.Addf(path, `is %q, %s`, s, wrong(err, `a quantity of bytes such as "128Mi" or "1Gi"`))
		return kept{}
	}
	n, whole := q.Times(1)
	switch {
	case !whole:
		p.Addf(path, `is %q, must be whole bytes such as "128Mi": the suffix "m" is a thousandth, "Mi" is 1024 × 1024`, s)
		return kept{}
	case n < least:
		p.Addf(path, `is %q, which is %d bytes, must be at least %s`, s, n, quantity.Bytes(least))
		return kept{}
	}
	return kept{text: q.String(), number: n}
}

func wrong(err error, allowed string) string {
	if errors.Is(err, quantity.ErrRange) {
		return "which is too large or too small, must be " + allowed
	}
	return "must be " + allowed
}

func (r resources) requirements() *corev1.ResourceRequirementsArgs {
	requests := pulumi.StringMap{
		"cpu":               pulumi.String(r.cpuRequest.text),
		"memory":            pulumi.String(r.memoryRequest.text),
		"ephemeral-storage": pulumi.String(r.ephemeralRequest.text),
	}
	limits := pulumi.StringMap{"memory": pulumi.String(r.memoryLimit.text), "ephemeral-storage": pulumi.String(r.ephemeralLimit.text)}
	if r.cpuLimit.given() {
		limits["cpu"] = pulumi.String(r.cpuLimit.text)
	}
	return &corev1.ResourceRequirementsArgs{Requests: requests, Limits: limits}
}
