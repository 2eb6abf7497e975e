package workload

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// recorded is what the stack's state and policy packs see of the arguments, with the defaults. The image is the checked one:
// a bad one that shows only when an output is known stops the component, and all that would be below it.
func (a *app) recorded() pulumi.Map {
	m := pulumi.Map{
		"namespace": a.Namespace, "image": a.image, "port": pulumi.Int(a.Port), "runAsUser": pulumi.Int(a.RunAsUser),
		"environment": recordedVariables(a.Environment),
		"resources": pulumi.Map{
			"requests": pulumi.StringMap{
				"cpu": pulumi.String(a.resources.cpuRequest.text), "memory": pulumi.String(a.resources.memoryRequest.text),
				"ephemeralStorage": pulumi.String(a.resources.ephemeralRequest.text),
			},
			"limits": pulumi.StringMap{
				"cpu": pulumi.String(a.resources.cpuLimit.text), "memory": pulumi.String(a.resources.memoryLimit.text),
				"ephemeralStorage": pulumi.String(a.resources.ephemeralLimit.text),
			},
		},
		"disruptionBudget": pulumi.String(a.budget.String()),
		"spread":           pulumi.StringMap{"zones": pulumi.String(a.spread.Zones), "nodes": pulumi.String(a.spread.Nodes)},
		"drainSeconds":     pulumi.Int(a.DrainSeconds), "slowestRequestSeconds": pulumi.Int(a.SlowestRequestSeconds),
		"terminationGraceSeconds": pulumi.Int(a.timing.grace), "minReadySeconds": pulumi.Int(a.timing.minReady),
		"progressDeadlineSeconds": pulumi.Int(a.timing.progress),
	}
	if len(a.Secrets) > 0 {
		m["secrets"] = pulumi.ToSecret(recordedVariables(a.Secrets))
	}
	if as := a.Autoscaling; as != nil {
		m["autoscaling"] = pulumi.IntMap{
			"min": pulumi.Int(as.Min), "max": pulumi.Int(as.Max), "cpuPercent": pulumi.Int(as.CPUPercent), "memoryPercent": pulumi.Int(as.MemoryPercent),
			"scaleUpWindowSeconds": pulumi.Int(as.ScaleUpWindowSeconds), "scaleDownWindowSeconds": pulumi.Int(as.ScaleDownWindowSeconds),
		}
	} else {
		m["replicas"] = pulumi.Int(a.Replicas)
	}
	if a.rollout.recreate {
		m["rollout"] = pulumi.StringMap{"strategy": pulumi.String(Recreate)}
	} else {
		m["rollout"] = pulumi.StringMap{
			"strategy": pulumi.String(RollingUpdate), "maxSurge": pulumi.String(a.rollout.surge.String()), "maxUnavailable": pulumi.String(a.rollout.unavailable.String()),
		}
	}
	a.recordedRest(m)
	if a.TargetType != "" {
		m["targetType"] = pulumi.String(a.TargetType)
	}
	if s := a.Service; s != nil {
		m["service"] = pulumi.Map{"name": pulumi.String(s.Name), "port": pulumi.Int(s.Port), "type": pulumi.String(s.Type), "nodePort": pulumi.Int(s.NodePort)}
	}
	return m
}

// recordedRest is what most apps do not have.
func (a *app) recordedRest(m pulumi.Map) {
	if len(a.Command) > 0 {
		m["command"] = pulumi.ToStringArray(a.Command)
	}
	if len(a.Arguments) > 0 {
		m["arguments"] = pulumi.ToStringArray(a.Arguments)
	}
	if len(a.Files) > 0 {
		m["files"] = recordedVariables(a.Files)
	}
	if len(a.SecretFiles) > 0 {
		m["secretFiles"] = pulumi.ToSecret(recordedVariables(a.SecretFiles))
	}
	if j := a.BeforeRelease; j != nil {
		m["beforeRelease"] = pulumi.Map{"command": pulumi.ToStringArray(j.Command), "timeoutSeconds": pulumi.Int(j.TimeoutSeconds), "retries": pulumi.Int(j.Retries)}
	}
	for path, list := range map[string][]companion{"initContainers": a.initContainers, "sidecars": a.sidecars} {
		var all pulumi.Array
		for _, c := range list {
			all = append(all, pulumi.Map{"name": pulumi.String(c.Name), "image": c.image})
		}
		if all != nil {
			m[path] = all
		}
	}
	if s := a.ServiceAccount; s != nil {
		m["serviceAccount"] = pulumi.Map{"name": pulumi.String(s.Name), "mountToken": pulumi.Bool(s.MountToken)}
	}
	if to, declared := a.destinations(); declared {
		all := pulumi.Array{}
		for _, d := range to {
			all = append(all, pulumi.Map{"app": pulumi.String(d.App), "namespace": pulumi.String(d.Namespace), "cidr": pulumi.String(d.Cidr), "port": pulumi.Int(d.Port)})
		}
		m["to"] = all
	}
}

func recordedVariables(values map[string]pulumi.StringInput) pulumi.StringMap {
	m := pulumi.StringMap{}
	for k, v := range values {
		m[k] = v
	}
	return m
}
