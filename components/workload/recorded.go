package workload

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// recorded is what the stack's state and policy packs see of the arguments, with the defaults. The image is the checked one:
// a bad one that shows only when an output is known stops the component, and all that would be below it.
func (a *app) recorded() pulumi.Map {
	m := pulumi.Map{
		"namespace": a.Namespace, "image": a.image, "port": pulumi.Int(a.Port), "runAsUser": pulumi.Int(a.RunAsUser),
		"environment": variables(a.Environment),
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
		m["secrets"] = pulumi.ToSecret(variables(a.Secrets))
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
	if s := a.Service; s != nil {
		m["service"] = pulumi.Map{"name": pulumi.String(s.Name), "port": pulumi.Int(s.Port), "type": pulumi.String(s.Type), "nodePort": pulumi.Int(s.NodePort)}
	}
	return m
}

func variables(values map[string]pulumi.StringInput) pulumi.StringMap {
	m := pulumi.StringMap{}
	for k, v := range values {
		m[k] = v
	}
	return m
}
