package workload

import (
	"cmp"
	"strings"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
)

// Probe is a question that the node asks the container again and again. Give at most one of HTTP, TCP, GRPC and Exec.
// A number left at 0 takes the default of the probe's place; a change rolls the pods.
type Probe struct {
	// HTTP asks for a page; any status from 200 to 399 is good.
	HTTP *HTTPProbe `pulumi:"http,optional"`
	// TCP opens a connection.
	TCP *TCPProbe `pulumi:"tcp,optional"`
	// GRPC asks the standard health service, grpc.health.v1.Health.
	GRPC *GRPCProbe `pulumi:"grpc,optional"`
	// Exec runs a command in the container, no shell; exit code 0 is good. It costs the container's own CPU each time.
	Exec []string `pulumi:"exec,optional"`
	// InitialDelaySeconds is the pause before the first question, 0 to 3600; default 0, since a startup probe holds the others back.
	InitialDelaySeconds int `pulumi:"initialDelaySeconds,optional"`
	// PeriodSeconds between two questions, 1 to 3600.
	PeriodSeconds int `pulumi:"periodSeconds,optional"`
	// TimeoutSeconds for an answer, 1 to PeriodSeconds.
	TimeoutSeconds int `pulumi:"timeoutSeconds,optional"`
	// FailureThreshold is how many bad answers in a row count as failed, 1 to 1000.
	FailureThreshold int `pulumi:"failureThreshold,optional"`
	// SoonerThanReadiness lets a liveness probe restart a pod before the readiness probe has taken it out of service; default
	// false. Only for LivenessProbe.
	SoonerThanReadiness bool `pulumi:"soonerThanReadiness,optional"`
	// Off leaves the probe out; default false. Not for ReadinessProbe: a rolling update without one sends requests to pods that
	// do not answer yet.
	Off bool `pulumi:"off,optional"`
}

// HTTPProbe is a GET without TLS.
type HTTPProbe struct {
	// Path to ask for, from the slash on; default the HealthPath.
	Path string `pulumi:"path,optional"`
	// Port to ask at, 1 to 65535; default the container's Port.
	Port int `pulumi:"port,optional"`
	// Host to send as the Host header, for servers that refuse others; default the pod's address.
	Host string `pulumi:"host,optional"`
}

// TCPProbe is a connection that is opened and closed.
type TCPProbe struct {
	// Port to connect to, 1 to 65535; default the container's Port.
	Port int `pulumi:"port,optional"`
}

// GRPCProbe is a call of grpc.health.v1.Health/Check; the answer SERVING is good.
type GRPCProbe struct {
	// Port to ask at, 1 to 65535; default the container's Port.
	Port int `pulumi:"port,optional"`
	// Service to ask about; default "", the server as a whole.
	Service string `pulumi:"service,optional"`
}

// probes are the three after the checks; nil where off.
type probes struct {
	readiness, liveness, startup *Probe
}

// detects is how long a container may answer badly before the probe counts as failed.
func (probe *Probe) detects() int { return probe.PeriodSeconds * probe.FailureThreshold }

func (args *AppDeploymentArgs) checkedProbes(p *check.Problems) (c probes) {
	p.Match("healthPath", args.HealthPath, httpPath, `a path that starts with "/"`)
	// Ready again and out again must both happen well within a drain.
	period := min(max(args.DrainSeconds/6, 1), 10)
	page := Probe{HTTP: &HTTPProbe{}, PeriodSeconds: period, TimeoutSeconds: min(3, period), FailureThreshold: 3}
	// Liveness and startup ask the port only: a page may depend on a database, and restarts of all pods do not bring that back.
	alive := Probe{TCP: &TCPProbe{}, PeriodSeconds: 30, TimeoutSeconds: 5, FailureThreshold: 3}
	started := Probe{TCP: &TCPProbe{}, PeriodSeconds: 2, TimeoutSeconds: 2, FailureThreshold: 60}

	c.readiness = args.ReadinessProbe.checked(p.At("readinessProbe"), page, args)
	c.liveness = args.LivenessProbe.checked(p.At("livenessProbe"), alive, args)
	c.startup = args.StartupProbe.checked(p.At("startupProbe"), started, args)

	if args.ReadinessProbe != nil && args.ReadinessProbe.Off {
		p.Addf("readinessProbe.off", "is true, must be false: without a readiness probe a rolling update sends requests to pods that do not answer yet")
	}
	for _, f := range []struct {
		path  string
		probe *Probe
	}{{"readinessProbe", args.ReadinessProbe}, {"startupProbe", args.StartupProbe}} {
		if f.probe != nil && f.probe.SoonerThanReadiness {
			p.Addf(f.path+".soonerThanReadiness", "is true, must be unset: it is for the livenessProbe")
		}
	}
	if l, r := c.liveness, c.readiness; l != nil && r != nil && l.detects() < r.detects() && !l.SoonerThanReadiness {
		p.Addf("livenessProbe", "restarts a pod after %d s (periodSeconds %d × failureThreshold %d), must not be before readiness takes it out of service after %d s (%d × %d): "+
			"under load it would restart pods in a cascade; soonerThanReadiness allows it",
			l.detects(), l.PeriodSeconds, l.FailureThreshold, r.detects(), r.PeriodSeconds, r.FailureThreshold)
	}
	return c
}

// checked is the probe with its defaults; nil if it is off.
func (probe *Probe) checked(p *check.Problems, byDefault Probe, args *AppDeploymentArgs) *Probe {
	c := byDefault
	if probe != nil {
		if probe.Off {
			return nil
		}
		probe.kindInto(p, &c)
		c.SoonerThanReadiness = probe.SoonerThanReadiness
		c.InitialDelaySeconds = probe.InitialDelaySeconds
		p.Between("initialDelaySeconds", c.InitialDelaySeconds, 0, 3600)
		c.FailureThreshold = cmp.Or(probe.FailureThreshold, c.FailureThreshold)
		p.Between("failureThreshold", c.FailureThreshold, 1, 1000)
		c.PeriodSeconds = cmp.Or(probe.PeriodSeconds, c.PeriodSeconds)
		p.Between("periodSeconds", c.PeriodSeconds, 1, 3600)
		c.TimeoutSeconds = cmp.Or(probe.TimeoutSeconds, min(c.TimeoutSeconds, max(c.PeriodSeconds, 1)))
		if c.TimeoutSeconds < 1 || c.TimeoutSeconds > max(c.PeriodSeconds, 1) {
			p.Addf("timeoutSeconds", "is %d, must be 1 to periodSeconds (%d): the next question waits for the answer", c.TimeoutSeconds, c.PeriodSeconds)
		}
	}
	if c.HTTP != nil {
		http := *c.HTTP
		if http.Path == "" {
			http.Path = args.HealthPath
		} else {
			p.Match("http.path", http.Path, httpPath, `a path that starts with "/"`)
		}
		if http.Port == 0 {
			http.Port = args.Port
		} else {
			p.Between("http.port", http.Port, 1, 65535)
		}
		c.HTTP = &http
	}
	if c.TCP != nil {
		tcp := *c.TCP
		if tcp.Port == 0 {
			tcp.Port = args.Port
		} else {
			p.Between("tcp.port", tcp.Port, 1, 65535)
		}
		c.TCP = &tcp
	}
	if c.GRPC != nil {
		grpc := *c.GRPC
		if grpc.Port == 0 {
			grpc.Port = args.Port
		} else {
			p.Between("grpc.port", grpc.Port, 1, 65535)
		}
		c.GRPC = &grpc
	}
	return &c
}

// kindInto lets the kind that the user gave replace the default's.
func (probe *Probe) kindInto(p *check.Problems, c *Probe) {
	var kinds []string
	if probe.HTTP != nil {
		kinds = append(kinds, "http")
	}
	if probe.TCP != nil {
		kinds = append(kinds, "tcp")
	}
	if probe.GRPC != nil {
		kinds = append(kinds, "grpc")
	}
	if probe.Exec != nil {
		kinds = append(kinds, "exec")
	}
	if len(kinds) > 1 {
		p.Addf("", "has %s, must have one of them: a probe asks one question", strings.Join(kinds, " and "))
	}
	if probe.Exec != nil && (len(probe.Exec) == 0 || probe.Exec[0] == "") {
		p.Addf("exec", `is empty, must be a command and its arguments, for example ["curl", "-f", "http://localhost:8000/"]`)
	}
	if len(kinds) > 0 {
		c.HTTP, c.TCP, c.GRPC, c.Exec = probe.HTTP, probe.TCP, probe.GRPC, probe.Exec
	}
}

func (probe *Probe) input() corev1.ProbePtrInput {
	if probe == nil {
		return nil
	}
	in := &corev1.ProbeArgs{
		PeriodSeconds: pulumi.Int(probe.PeriodSeconds), TimeoutSeconds: pulumi.Int(probe.TimeoutSeconds), FailureThreshold: pulumi.Int(probe.FailureThreshold),
	}
	if probe.InitialDelaySeconds > 0 {
		in.InitialDelaySeconds = pulumi.Int(probe.InitialDelaySeconds)
	}
	switch {
	case probe.HTTP != nil:
		get := &corev1.HTTPGetActionArgs{Path: pulumi.String(probe.HTTP.Path), Port: pulumi.Int(probe.HTTP.Port), Scheme: pulumi.String("HTTP")}
		if probe.HTTP.Host != "" {
			// The header, not the field "host": that one would send the probe elsewhere, and Pod Security refuses it.
			get.HttpHeaders = corev1.HTTPHeaderArray{&corev1.HTTPHeaderArgs{Name: pulumi.String("Host"), Value: pulumi.String(probe.HTTP.Host)}}
		}
		in.HttpGet = get
	case probe.TCP != nil:
		in.TcpSocket = &corev1.TCPSocketActionArgs{Port: pulumi.Int(probe.TCP.Port)}
	case probe.GRPC != nil:
		in.Grpc = &corev1.GRPCActionArgs{Port: pulumi.Int(probe.GRPC.Port)}
		if probe.GRPC.Service != "" {
			in.Grpc.(*corev1.GRPCActionArgs).Service = pulumi.String(probe.GRPC.Service)
		}
	default:
		in.Exec = &corev1.ExecActionArgs{Command: pulumi.ToStringArray(probe.Exec)}
	}
	return in
}
