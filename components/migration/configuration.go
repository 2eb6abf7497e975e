package migration

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ssm"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/cutover"
	"github.com/slipway-iac/slipway/haproxy"
)

// The ports of a proxy.
const (
	httpsPort      = 8443 // plain HTTP too: TLS ends in front of it
	httpPort       = 8000
	statisticsPort = 8001
	healthPort     = 8002
)

// reloadSeconds is how long requests may go on that began before a change of the configuration: longer than the time-outs let them be
// silent.
const reloadSeconds = 300

// config is haproxy.cfg for a new system whose load balancer has this name.
func (args *HaproxyFleetArgs) config(newName string) haproxy.Config {
	old := args.Migration.Old
	c := haproxy.Config{
		Listeners: []haproxy.Listener{{Port: httpsPort, HTTPS: true, PublicPort: 443}, {Port: httpPort, PublicPort: 80, RedirectToHTTPS: true}},
		New:       &haproxy.System{Name: newName, Port: 443, TLS: true, Host: args.New.Host, HealthMethod: "GET", HealthPath: args.New.HealthPath},
		Cookie:    args.Cookie,
		Health:    haproxy.Health{Port: healthPort, Alone: true}, // the auto scaling group replaces what fails
		Process:   haproxy.Process{HardStopSeconds: max(args.DrainSeconds, reloadSeconds)},
	}
	names := make([]string, len(args.Routes))
	for i, r := range args.Routes {
		names[i] = r.Name
		c.Routes = append(c.Routes, args.route(r))
	}
	if !args.Migration.Ended(names) {
		c.Old = &haproxy.System{Addresses: old.Addresses, Name: old.DnsName, Port: old.Port, Host: old.HostHeader, HealthMethod: "GET", HealthPath: old.HealthCheckPath}
	}
	if s := args.Statistics; s != nil {
		c.Statistics = &haproxy.Statistics{Port: statisticsPort, Sources: s.Sources}
	}
	return c
}

func (args *HaproxyFleetArgs) route(r Route) haproxy.Route {
	stage := args.Migration.At(r.Name)
	out := haproxy.Route{Name: r.Name, Hosts: r.Hosts, Paths: r.Paths}
	out.OldWeight, out.NewWeight = stage.Weights()
	switch {
	case stage.Ended():
		out.OldState = haproxy.Maint
	case out.OldWeight == 0:
		out.OldState = haproxy.Drain
	}
	return out
}

// configuration is haproxy.cfg once the new system's name is known.
func (b *builder) configuration() pulumi.StringOutput {
	return b.args.New.Name.ToStringOutput().ApplyT(func(name string) (string, error) {
		return b.args.config(name).Render()
	}).(pulumi.StringOutput)
}

// parameters are what the proxies read: the configuration, and the password of the statistics page where there is one.
type parameters struct {
	configuration, password *ssm.Parameter
}

func (b *builder) parameters(configuration pulumi.StringOutput) (p parameters, err error) {
	drainFirst, err := b.drainFirst()
	if err != nil {
		return p, err
	}
	p.configuration, err = ssm.NewParameter(b.ctx, b.name+"-config", &ssm.ParameterArgs{
		Name:        pulumi.String(b.parameterPath("haproxy.cfg")),
		Description: pulumi.String("haproxy.cfg of " + b.name + ", which its proxies follow"),
		Type:        pulumi.String("String"),
		// Not Value, which a preview hides: the lines that change are what is reviewed.
		InsecureValue: configuration,
		Tier:          pulumi.String("Intelligent-Tiering"),
		Tags:          b.tags(""),
	}, b.below, drainFirst)
	if err != nil {
		return p, fmt.Errorf("configuration: %w", err)
	}
	if b.args.Statistics == nil {
		return p, nil
	}
	p.password, err = ssm.NewParameter(b.ctx, b.name+"-password", &ssm.ParameterArgs{
		Name:        pulumi.String(b.parameterPath("statistics-password")),
		Description: pulumi.String("Password of the statistics page of " + b.name),
		Type:        pulumi.String("SecureString"),
		Value:       password(b.args.Statistics.Password),
		Tags:        b.tags(""),
	}, b.below)
	if err != nil {
		return p, fmt.Errorf("password of the statistics page: %w", err)
	}
	return p, nil
}

var printable = regexp.MustCompile(`^[\x21-\x7e]{12,128}$`)

// password is the password, or an error that does not show it. The parameter's resource makes it a secret.
func password(given pulumi.StringInput) pulumi.StringOutput {
	return given.ToStringOutput().ApplyT(func(s string) (string, error) {
		if !printable.MatchString(s) {
			return "", fmt.Errorf("statistics.password has %d characters, must have 12 to 128, printable ASCII without spaces", len(s))
		}
		return s, nil
	}).(pulumi.StringOutput)
}

// drainFirst refuses, in a preview too, a configuration that takes the old system away while it gets requests. Only the state knows
// that: the stage says where to go, not from where.
func (b *builder) drainFirst() (pulumi.ResourceOption, error) {
	if b.args.Migration.Force == cutover.SkipDrain {
		return pulumi.ResourceHooks(nil), nil
	}
	hook, err := b.ctx.RegisterResourceHook(b.name+"-drain-first", func(change *pulumi.ResourceHookArgs) error {
		return skipsDrain(text(change.OldInputs), text(change.NewInputs))
	}, &pulumi.ResourceHookOptions{OnDryRun: true})
	if err != nil {
		return nil, err
	}
	return pulumi.ResourceHooks(&pulumi.ResourceHookBinding{BeforeUpdate: []*pulumi.ResourceHook{hook}}), nil
}

func text(parameter resource.PropertyMap) string {
	if v := parameter["insecureValue"]; v.IsString() {
		return v.StringValue()
	}
	return ""
}

var (
	newBackend = regexp.MustCompile(`(?m)^backend (\S+)\.new$`)
	oldBackend = regexp.MustCompile(`(?m)^backend (\S+)\.old\n(?:.*\n)*?  description 'old system: (.*)'$`)
	takes      = regexp.MustCompile(`^takes (\d+) of \d+ new sessions$`)
)

// skipsDrain is the error of a configuration that comes too early after another. One that is not known yet is not looked at. A route
// that is there no more takes nothing away from the old system, as long as other routes still lead there.
func skipsDrain(before, after string) error {
	if after == "" {
		return nil
	}
	done, err := cutover.ParseStage(cutover.Done)
	if err != nil {
		return err
	}
	now, there := oldShares(after), map[string]bool{}
	for _, m := range newBackend.FindAllStringSubmatch(after, -1) {
		there[m[1]] = true
	}
	had := oldShares(before)
	for _, route := range slices.Sorted(maps.Keys(had)) {
		if _, still := now[route]; still || !there[route] && len(now) > 0 {
			continue
		}
		if err := done.Step(had[route]); err != nil {
			return fmt.Errorf("route %s: %w. Or set migration.force to %q", route, err, cutover.SkipDrain)
		}
	}
	return nil
}

// oldShares are the shares of the old system by route, without the routes that it is out of.
func oldShares(configuration string) map[string]int {
	out := map[string]int{}
	for _, m := range oldBackend.FindAllStringSubmatch(configuration, -1) {
		if m[2] == "in maintenance" {
			continue
		}
		out[m[1]] = 0
		if t := takes.FindStringSubmatch(m[2]); t != nil {
			n, err := strconv.Atoi(t[1])
			if err == nil {
				out[m[1]] = n
			}
		}
	}
	return out
}
