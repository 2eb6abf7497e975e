package kubernetes

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

func parse(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	raw, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	obj := &unstructured.Unstructured{}
	if err := obj.UnmarshalJSON(raw); err != nil {
		t.Fatal(err)
	}
	return obj
}

const rollout = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: a, uid: d, generation: 2, annotations: {deployment.kubernetes.io/revision: "2"}}
spec: {replicas: 4, selector: {matchLabels: {app: a}}}
status:
  observedGeneration: 2
  replicas: 4
  updatedReplicas: 4
  availableReplicas: 4
  conditions:
  - {type: Available, status: "True"}
  - {type: Progressing, status: "True", reason: NewReplicaSetAvailable}
`

const replicaSet = `
apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: a-2
  uid: r
  annotations: {deployment.kubernetes.io/revision: "2"}
  ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: a, uid: d, controller: true}]
spec: {replicas: 4}
status: {replicas: 4, readyReplicas: 4}
`

func TestJudgeDeployment(t *testing.T) {
	for name, c := range map[string]struct {
		from, to string
		ready    bool
		status   string
		problem  string
	}{
		"complete":                         {ready: true},
		"not seen by the controller":       {from: "observedGeneration: 2", to: "observedGeneration: 1", status: "begin the rollout"},
		"conditions of the last rollout":   {from: "readyReplicas: 4", to: "readyReplicas: 1", status: "(1/4 Pods available)", problem: "did not become live"},
		"old pods still there":             {from: "  replicas: 4\n  updated", to: "  replicas: 5\n  updated", status: "(4/4 Pods available)"},
		"not all pods are new":             {from: "updatedReplicas: 4", to: "updatedReplicas: 3", status: "(4/4 Pods available)"},
		"below the minimum":                {from: `Available, status: "True"`, to: `Available, status: "False", reason: R, message: M`, status: "(4/4", problem: "[R] M"},
		"new pods do not become available": {from: "reason: NewReplicaSetAvailable", to: "reason: ReplicaSetUpdated", status: "(4/4", problem: "not attained"},
		"the ReplicaSet is another's":      {from: "uid: d, controller", to: "uid: x, controller", status: "begin the rollout"},
	} {
		t.Run(name, func(t *testing.T) {
			change := func(s string) string {
				if c.from == "" {
					return s
				}
				return strings.ReplaceAll(s, c.from, c.to)
			}
			if c.from != "" && change(rollout)+change(replicaSet) == rollout+replicaSet {
				t.Fatal("the case changes nothing")
			}
			got := judgeDeployment(view{
				object: parse(t, change(rollout)),
				others: map[string][]*unstructured.Unstructured{"ReplicaSet": {parse(t, change(replicaSet))}},
			})
			if got.ready != c.ready || !strings.Contains(got.status, c.status) {
				t.Errorf("%+v", got)
			}
			if c.problem != "" && !contains(got.problems, c.problem) {
				t.Errorf("problems: %q", got.problems)
			}
		})
	}
}

// A deadline that passed before the change must not fail it: the change may be the very cure.
func TestJudgeDeploymentAtItsDeadline(t *testing.T) {
	exceeded := func(since string) *unstructured.Unstructured {
		return parse(t, strings.Replace(rollout, `status: "True", reason: NewReplicaSetAvailable`,
			`status: "False", reason: ProgressDeadlineExceeded, message: M, lastTransitionTime: "`+since+`"`, 1))
	}
	then, later := "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"
	for name, c := range map[string]struct {
		before *unstructured.Unstructured
		failed bool
	}{
		"of a new Deployment": {nil, true},
		"passed before":       {exceeded(then), false},
		"healthy before":      {parse(t, rollout), true},
		"passed anew":         {exceeded("2025-12-31T00:00:00Z"), true},
	} {
		got := judgeDeployment(view{
			object: exceeded(then), before: c.before,
			others: map[string][]*unstructured.Unstructured{"ReplicaSet": {parse(t, replicaSet)}},
		})
		if got.ready || got.failed != c.failed || !contains(got.problems, "[ProgressDeadlineExceeded] M") {
			t.Errorf("%s: %+v", name, got)
		}
	}
	unseen := exceeded(later)
	unseen.SetGeneration(3)
	if got := judgeDeployment(view{object: unseen, others: map[string][]*unstructured.Unstructured{"ReplicaSet": {parse(t, replicaSet)}}}); got.failed {
		t.Errorf("failed by a status of the generation before: %+v", got)
	}
}

func TestJudgeService(t *testing.T) {
	const slice = "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: s}, addressType: IPv4, endpoints: [%s]}"
	service := func(kind, more string) *unstructured.Unstructured {
		return parse(t, "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {type: "+kind+", selector: {app: a}}"+more+"}")
	}
	ready, unready := "{addresses: [10.0.0.1], conditions: {ready: true}}", "{addresses: [10.0.0.2], conditions: {ready: false}}"
	leaving := "{addresses: [10.0.0.3], conditions: {ready: false, terminating: true}}"
	pod := parse(t, "{apiVersion: v1, kind: Pod, metadata: {name: p}, status: {phase: Pending}}")
	for name, c := range map[string]struct {
		service   *unstructured.Unstructured
		endpoints string
		pods      []*unstructured.Unstructured
		want      verdict
	}{
		"ready":                      {service("ClusterIP", ""), ready, nil, verdict{ready: true}},
		"one of two":                 {service("ClusterIP", ""), ready + "," + unready, nil, verdict{}},
		"an old pod leaves":          {service("ClusterIP", ""), ready + "," + leaving, nil, verdict{ready: true}},
		"no pods":                    {service("ClusterIP", ""), "", nil, verdict{ready: true}},
		"a pod without an address":   {service("ClusterIP", ""), "", []*unstructured.Unstructured{pod}, verdict{settling: true}},
		"load balancer, no address":  {service("LoadBalancer", ""), ready, nil, verdict{}},
		"load balancer with address": {service("LoadBalancer", ", status: {loadBalancer: {ingress: [{ip: 1.2.3.4}]}}"), ready, nil, verdict{ready: true}},
	} {
		t.Run(name, func(t *testing.T) {
			got := judgeService(view{object: c.service, others: map[string][]*unstructured.Unstructured{
				"EndpointSlice": {parse(t, strings.ReplaceAll(slice, "%s", c.endpoints))}, "Pod": c.pods,
			}})
			if got.ready != c.want.ready || got.settling != c.want.settling {
				t.Errorf("%+v", got)
			}
			if !got.ready && !got.settling && len(got.problems) == 0 {
				t.Error("no reason given")
			}
		})
	}
	if got := judgeService(view{object: service("ClusterIP", "")}); got.ready || got.settling {
		t.Errorf("ready before the endpoints' controller has seen it: %+v", got)
	}
}

func TestJudgeOthers(t *testing.T) {
	for text, want := range map[string]verdict{
		"{apiVersion: batch/v1, kind: Job, metadata: {name: j}, status: {conditions: [{type: Complete, status: 'True'}]}}":                                {ready: true},
		"{apiVersion: batch/v1, kind: Job, metadata: {name: j}, status: {active: 1}}":                                                                     {},
		"{apiVersion: batch/v1, kind: Job, metadata: {name: j}, status: {conditions: [{type: Failed, status: 'True', reason: BackoffLimitExceeded}]}}":    {failed: true},
		"{apiVersion: v1, kind: Pod, metadata: {name: p}, status: {phase: Succeeded}}":                                                                    {ready: true},
		"{apiVersion: v1, kind: Pod, metadata: {name: p}, status: {phase: Failed, message: evicted}}":                                                     {failed: true},
		"{apiVersion: v1, kind: Pod, metadata: {name: p}, status: {phase: Pending}}":                                                                      {},
		"{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: c}, spec: {storageClassName: slow}, status: {phase: Pending}}":                    {},
		"{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: c}, spec: {storageClassName: late}, status: {phase: Pending}}":                    {ready: true},
		"{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: c}, spec: {storageClassName: slow}, status: {phase: Bound}}":                      {ready: true},
		"{apiVersion: v1, kind: Secret, metadata: {name: s}, type: Opaque}":                                                                               {ready: true},
		"{apiVersion: v1, kind: Secret, metadata: {name: s}, type: kubernetes.io/service-account-token}":                                                  {},
		"{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {pods: '1'}}, status: {hard: {pods: '1'}}}":                              {ready: true},
		"{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {pods: '2'}}, status: {hard: {pods: '1'}}}":                              {},
		"{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: d}, status: {desiredNumberScheduled: 2, numberAvailable: 2, updatedNumberScheduled: 1}}": {},
		"{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: d}, status: {desiredNumberScheduled: 2, numberAvailable: 2, updatedNumberScheduled: 2}}": {ready: true},
		"{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: s}, spec: {replicas: 2}, status: {replicas: 2, readyReplicas: 1}}":                     {},
		"{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: s}, spec: {replicas: 1}, status: {replicas: 1, readyReplicas: 1, updateRevision: x}}":  {},
		"{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i}}":                                                                          {},
		"{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i}, status: {loadBalancer: {ingress: [{hostname: h}]}}}":                      {ready: true},
		"{apiVersion: v1, kind: PersistentVolume, metadata: {name: v}, status: {phase: Available}}":                                                       {ready: true},
		"{apiVersion: v1, kind: ReplicationController, metadata: {name: r}, spec: {replicas: 2}, status: {availableReplicas: 1}}":                         {},
	} {
		obj := parse(t, text)
		class := parse(t, "{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: late}, provisioner: p, volumeBindingMode: WaitForFirstConsumer}")
		got := readinessOf[obj.GroupVersionKind().GroupKind()].judge(view{object: obj, others: map[string][]*unstructured.Unstructured{"StorageClass": {class}}})
		if got.ready != want.ready || got.failed != want.failed {
			t.Errorf("%s: %+v", text, got)
		}
		if !got.ready && len(slices.DeleteFunc(got.problems, func(s string) bool { return s == "" })) == 0 {
			t.Errorf("%s: no reason given", text)
		}
	}
}
