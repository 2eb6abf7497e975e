package nodes

import (
	"fmt"
	"strings"

	podfast "sigs.k8s.io/kwok/kustomize/stage/pod/fast"
)

// KWOK's own stage makes every readiness gate of a pod true at once. Whoever owns a gate decides about it here, and the pod is ready
// when all of them are true, as a kubelet has it.
// https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-readiness-gate

// readyStage is KWOK's stage for pods that begin to run, with the gates left to their owners.
func readyStage() (string, error) {
	text := podfast.DefaultPodReady
	for _, change := range []struct{ from, to string }{
		{`        status: "True"
        type: Ready
`, `        {{ if .spec.readinessGates }}
        status: "False"
        reason: ReadinessGatesNotReady
        message: {{ printf "corresponding condition of pod readiness gate %q does not exist." (index .spec.readinessGates 0).conditionType | Quote }}
        {{ else }}
        status: "True"
        {{ end }}
        type: Ready
`},
		{`      {{ range .spec.readinessGates }}
      - lastTransitionTime: {{ $now | Quote }}
        status: "True"
        type: {{ .conditionType | Quote }}
      {{ end }}
`, ""},
	} {
		if strings.Count(text, change.from) != 1 {
			return "", fmt.Errorf("KWOK stage pod-ready has changed: it lacks\n%s", change.from)
		}
		text = strings.Replace(text, change.from, change.to, 1)
	}
	return text, nil
}

// gateStages make a running pod ready when the last of its gates becomes true, and take that back when one does not stay so.
func gateStages() []string {
	stage := func(name, ready, allTrue, to, why string) string {
		return `
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata:
  name: ` + name + `
spec:
  resourceRef: {apiGroup: v1, kind: Pod}
  selector:
    matchExpressions:
    - {key: .metadata.deletionTimestamp, operator: DoesNotExist}
    - {key: .status.phase, operator: In, values: [Running]}
    - {key: .spec.readinessGates, operator: Exists}
    - {key: '.status.conditions.[] | select( .type == "Ready" ) | .status', operator: In, values: ["` + ready + `"]}
    - key: '[.spec.readinessGates[].conditionType] - [.status.conditions[] | select( .status == "True" ) | .type] | length == 0'
      operator: In
      values: ["` + allTrue + `"]
  next:
    statusTemplate: |
      conditions:
      - lastTransitionTime: {{ Now | Quote }}
        status: "` + to + `"
        type: Ready` + why + `
`
	}
	return []string{
		stage("pod-gates-open", "False", "true", "True", "\n        reason: null\n        message: null"),
		stage("pod-gates-closed", "True", "false", "False", "\n        reason: ReadinessGatesNotReady"),
	}
}
