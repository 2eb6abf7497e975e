package test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/slipway-iac/slipway/calendar"
	"github.com/slipway-iac/slipway/capacity"
)

// TestPlanAgreesWithTheScheduler gives generated weeks and apps to the planner, and the nodes of each interval and the pods of each load
// to kube-scheduler: what one says of the pods that wait has to be what the other does. SLIPWAY_SCENES is how many are tried, SLIPWAY_SEED
// which.
func TestPlanAgreesWithTheScheduler(t *testing.T) {
	wanted, seed := 200, 1
	for name, to := range map[string]*int{"SLIPWAY_SCENES": &wanted, "SLIPWAY_SEED": &seed} {
		if s := os.Getenv(name); s != "" {
			n, err := strconv.Atoi(s)
			if err != nil {
				t.Fatalf("%s is %q, must be a number", name, s)
			}
			*to = n
		}
	}
	b := newBox(t)
	b.must("start")
	c := openCluster(t, b)
	c.create(t, "/apis/scheduling.k8s.io/v1/priorityclasses", object{"metadata": object{"name": priorityName(urgent)}, "value": urgent, "preemptionPolicy": "Never"})
	rng := rand.New(rand.NewPCG(uint64(seed), 0))
	tried, waited, exact := 0, 0, 0
	for tried < wanted {
		// From 100 nodes on the scheduler looks at some of them only, so that few scenes are there at a time.
		var scenes []scene
		for nodes := 0; nodes < 60 && tried+len(scenes) < wanted; {
			more := generate(t, rng)
			for _, s := range more {
				nodes += len(s.Nodes)
			}
			scenes = append(scenes, more...)
		}
		var running sync.WaitGroup
		for i := range scenes {
			scenes[i].id = tried + i
			running.Go(func() { c.play(t, &scenes[i]) })
		}
		running.Wait()
		for _, s := range scenes {
			switch wait, known := s.judged(t); {
			case !known:
			case wait > 0:
				waited, exact = waited+1, exact+1
			default:
				exact++
			}
		}
		tried += len(scenes)
		c.clear(t)
		if t.Failed() {
			break
		}
	}
	t.Logf("%d sets of nodes and pods, pods waited in %d of them; in %d every end that the planner allows was known", tried, waited, exact)
	if waited < tried/10 || waited == tried {
		t.Errorf("pods waited in %d of %d sets: that shows little", waited, tried)
	}
}

type object = map[string]any

// urgent is a priority above the usual one, which is 0.
const urgent = 10

func priorityName(priority int) string {
	switch {
	case priority == 0:
		return ""
	case priority > urgent:
		return "system-cluster-critical"
	}
	return "urgent"
}

// scene is one of the planner's, and what became of it.
type scene struct {
	capacity.Scene
	id    int
	load  capacity.Load
	order []int // a batch's index for each pod, in the order in which they come
	waits []int // by batch, how many pods found no node
}

// generate makes an input, and a scene for each size of its week and for each load.
func generate(t *testing.T, rng *rand.Rand) (all []scene) {
	t.Helper()
	pick := func(list ...string) string { return list[rng.IntN(len(list))] }
	number := func(list ...int64) int64 { return list[rng.IntN(len(list))] }
	instance, err := capacity.Lookup(pick("t3.small", "t3.medium", "m5.large", "c5.large"))
	if err != nil {
		t.Fatal(err)
	}
	day := 2 + rng.IntN(4)
	schedule := calendar.Schedule{
		TimeZone: "Europe/Madrid", Base: calendar.Size{Min: 1, Desired: day, Max: 6},
		Nights: &calendar.Nights{DownAt: "20:00", UpAt: "07:00", Size: calendar.Size{Min: 1, Desired: 1 + rng.IntN(day), Max: 6}},
	}
	weeks, err := schedule.Weeks(time.Date(2027, 1, 4, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	in := capacity.Input{
		Weeks:  weeks[:1],
		Groups: []capacity.NodeGroup{{Name: "n", Instances: []capacity.Instance{instance}, Zones: []string{"a", "b", "c"}[:1+rng.IntN(3)], Owner: capacity.OwnerSchedule}},
	}
	if rng.IntN(3) > 0 {
		in.System = &capacity.System{PerNode: capacity.DefaultSystem().PerNode} // the cluster's own apps take most of a small node
	}
	how := func() string {
		return pick(capacity.SpreadOff, capacity.SpreadPreferred, capacity.SpreadPreferred, capacity.SpreadRequired)
	}
	for i := range 1 + rng.IntN(4) {
		a := capacity.App{
			Name:     "app" + strconv.Itoa(i),
			Requests: capacity.Resources{MilliCPU: number(50, 100, 250, 400, 600, 900), Memory: number(64, 128, 256, 512, 1024) << 20},
			Min:      1 + rng.IntN(5), Spread: capacity.Spread{Zones: how(), Nodes: how()}, SurgeAtMin: rng.IntN(3), SurgeAtMax: rng.IntN(3),
		}
		a.Max = a.Min + rng.IntN(5)
		if rng.IntN(4) == 0 {
			a.Priority = urgent
		}
		if i > 0 && rng.IntN(5) == 0 {
			a.AwayFrom = []string{"app" + strconv.Itoa(rng.IntN(i))}
		}
		in.Apps = append(in.Apps, a)
	}
	sizes := map[calendar.Size]bool{}
	for _, interval := range weeks[0].Intervals {
		if sizes[interval.Size] {
			continue
		}
		sizes[interval.Size] = true
		for _, load := range []capacity.Load{capacity.Minimum, capacity.Release, capacity.Maximum, capacity.ZoneLost} {
			scenes, err := in.Scenes(load, interval.Size)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range scenes[:min(1, len(scenes))] {
				if len(s.Nodes) > 0 {
					all = append(all, scene{Scene: s, load: load, order: orderOf(s)})
				}
			}
		}
	}
	return all
}

// orderOf is the pods as they stand, those of a higher priority first: in another order they would displace those that are there.
func orderOf(s capacity.Scene) (order []int) {
	batches := make([]int, len(s.Batches))
	for i := range batches {
		batches[i] = i
	}
	slices.SortStableFunc(batches, func(x, y int) int { return s.Batches[y].App.Priority - s.Batches[x].App.Priority })
	for _, b := range batches {
		for range s.Batches[b].Pods {
			order = append(order, b)
		}
	}
	return order
}

// judged holds what happened against what the planner says. known tells whether it lists every end that it allows.
func (s *scene) judged(t *testing.T) (waiting int, known bool) {
	t.Helper()
	if s.waits == nil {
		return 0, false // it was said why
	}
	for _, n := range s.waits {
		waiting += n
	}
	verdict, _ := s.Judge()
	ends, known := s.Outcomes(s.order)
	switch {
	case waiting > 0 && verdict <= capacity.Expected, waiting == 0 && verdict == capacity.Never:
		t.Errorf("the planner says %s, and %d pods wait:\n%s", verdict, waiting, s)
	case known && !slices.ContainsFunc(ends, func(e []int) bool { return slices.Equal(e, s.waits) }):
		t.Errorf("the planner has the ends %v:\n%s", ends, s)
	}
	return waiting, known
}

// String is the scene in a few lines.
func (s *scene) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "  set %d, %s\n", s.id, s.load)
	for _, n := range s.Nodes {
		fmt.Fprintf(&b, "  node in zone %s: %+v, %d pods\n", n.Zone, n.Allocatable, n.Pods)
	}
	for i, batch := range s.Batches {
		waits := "?"
		if s.waits != nil {
			waits = strconv.Itoa(s.waits[i])
		}
		a := batch.App
		fmt.Fprintf(&b, "  %d × %s (release %t): %+v, spread %+v, priority %d, away from %v: %s wait\n", batch.Pods, a.Name, batch.Release, a.Requests, a.Spread, a.Priority, a.AwayFrom, waits)
	}
	return b.String()
}

// cluster is the control plane by its API.
type cluster struct{ url string }

var proxyAddress = regexp.MustCompile(`Starting to serve on (\S+)`)

func openCluster(t *testing.T, b *box) *cluster {
	t.Helper()
	cmd := b.cmd("..", nil, "kubectl", "proxy", "--port", "0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Signal(syscall.SIGTERM); _ = cmd.Wait() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if m := proxyAddress.FindStringSubmatch(lines.Text()); m != nil {
			return &cluster{"http://" + m[1]}
		}
	}
	t.Fatal("kubectl proxy says no address")
	return nil
}

func (c *cluster) do(method, path string, body, into any) error {
	var content []byte
	if body != nil {
		var err error
		if content, err = json.Marshal(body); err != nil {
			return err
		}
	}
	req, err := http.NewRequest(method, c.url+path, bytes.NewReader(content))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, answer)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}

func (c *cluster) create(t *testing.T, path string, o object) bool {
	t.Helper()
	if err := c.do(http.MethodPost, path, o, nil); err != nil {
		t.Error(err)
		return false
	}
	return true
}

const podsPath = "/api/v1/namespaces/default/pods"

// play makes the nodes and the pods of a scene, and waits until the scheduler has decided about each pod.
func (c *cluster) play(t *testing.T, s *scene) {
	t.Helper()
	mark := fmt.Sprintf("scene-%d", s.id)
	for _, n := range s.Nodes {
		if !c.create(t, "/api/v1/nodes", nodeOf(n, mark)) {
			return
		}
		for _, p := range s.PerNode {
			pod := podOf(mark, p.Name+"-"+n.Name, p.Requests)
			pod["spec"].(object)["nodeName"] = mark + "-" + n.Name
			if !c.create(t, podsPath, pod) {
				return
			}
		}
	}
	// A node is kept free until its kubelet says that it is ready.
	if !within(func() bool {
		var list struct {
			Items []struct{ Spec struct{ Taints []object } }
		}
		err := c.do(http.MethodGet, "/api/v1/nodes?labelSelector=scene%3D"+mark, nil, &list)
		return err == nil && len(list.Items) == len(s.Nodes) && !slices.ContainsFunc(list.Items, func(n struct{ Spec struct{ Taints []object } }) bool { return len(n.Spec.Taints) > 0 })
	}) {
		t.Errorf("the nodes of set %d are not ready", s.id)
		return
	}
	for i, batch := range s.order {
		if !c.create(t, podsPath, s.pod(mark, i, batch)) {
			return
		}
	}
	waits := make([]int, len(s.Batches))
	if !within(func() bool {
		var list struct {
			Items []struct {
				Metadata struct{ Labels map[string]string }
				Status   struct {
					Conditions []struct{ Type, Status, Reason string }
				}
			}
		}
		if err := c.do(http.MethodGet, podsPath+"?labelSelector=scene%3D"+mark+"%2Cpod-template-hash", nil, &list); err != nil {
			return false
		}
		clear(waits)
		decided := 0
		for _, p := range list.Items {
			for _, condition := range p.Status.Conditions {
				if condition.Type != "PodScheduled" {
					continue
				}
				decided++
				if batch, err := strconv.Atoi(p.Metadata.Labels["pod-template-hash"]); err == nil && condition.Reason == "Unschedulable" {
					waits[batch]++
				}
			}
		}
		return decided == len(s.order)
	}) {
		t.Errorf("the scheduler has not decided about all pods:\n%s", s)
		return
	}
	s.waits = waits
}

// clear takes away all nodes and pods, at once.
func (c *cluster) clear(t *testing.T) {
	t.Helper()
	now := object{"gracePeriodSeconds": 0}
	for _, path := range []string{podsPath, "/api/v1/nodes"} {
		if err := c.do(http.MethodDelete, path, now, nil); err != nil {
			t.Fatal(err)
		}
	}
	if !within(func() bool {
		var list struct{ Items []object }
		return c.do(http.MethodGet, podsPath, nil, &list) == nil && len(list.Items) == 0
	}) {
		t.Fatal("pods do not go")
	}
}

func quantities(r capacity.Resources, pods int) object {
	q := object{"cpu": fmt.Sprintf("%dm", r.MilliCPU), "memory": strconv.FormatInt(r.Memory, 10), "ephemeral-storage": strconv.FormatInt(r.Ephemeral, 10)}
	if pods > 0 {
		q["pods"] = strconv.Itoa(pods)
	}
	return q
}

func nodeOf(n capacity.Node, mark string) object {
	labels := object{"scene": mark}
	for k, v := range n.Labels {
		labels[k] = v
	}
	name := mark + "-" + n.Name
	labels["kubernetes.io/hostname"] = name
	return object{
		"metadata": object{"name": name, "labels": labels, "annotations": object{"kwok.x-k8s.io/node": "fake"}},
		"status":   object{"allocatable": quantities(n.Allocatable, n.Pods), "capacity": quantities(n.Allocatable, n.Pods)},
	}
}

// podOf is a pod without anything that decides where it goes.
func podOf(mark, name string, r capacity.Resources) object {
	requests := object{}
	for k, v := range quantities(r, 0) {
		if v != "0" && v != "0m" {
			requests[k] = v
		}
	}
	return object{
		"metadata": object{"name": mark + "-" + name, "labels": object{"scene": mark}},
		"spec": object{
			"automountServiceAccountToken": false,
			"containers":                   []any{object{"name": "app", "image": "example.com/app:1", "resources": object{"requests": requests}}},
		},
	}
}

// pod is as components/workload makes it, as far as the scheduler looks. The scene's own nodes are its whole world.
func (s *scene) pod(mark string, i, batch int) object {
	a := s.Batches[batch].App
	pod := podOf(mark, fmt.Sprintf("%s-%d", a.Name, i), a.Requests)
	labels := pod["metadata"].(object)["labels"].(object)
	labels["app"], labels["pod-template-hash"] = mark+"-"+a.Name, strconv.Itoa(batch)
	spec := pod["spec"].(object)
	selector := object{"scene": mark}
	for k, v := range a.NodeSelector {
		selector[k] = v
	}
	spec["nodeSelector"] = selector
	if name := priorityName(a.Priority); name != "" {
		spec["priorityClassName"] = name
	}
	var spread, away []any
	for _, c := range []struct{ key, how string }{{"topology.kubernetes.io/zone", a.Spread.Zones}, {"kubernetes.io/hostname", a.Spread.Nodes}} {
		if c.how != "" && c.how != capacity.SpreadOff {
			spread = append(spread, object{
				"maxSkew": 1, "topologyKey": c.key, "whenUnsatisfiable": c.how, "labelSelector": object{"matchLabels": object{"app": labels["app"]}},
				"matchLabelKeys": []string{"pod-template-hash"}, "nodeTaintsPolicy": "Honor",
			})
		}
	}
	spec["topologySpreadConstraints"] = spread
	for _, other := range a.AwayFrom {
		away = append(away, object{"labelSelector": object{"matchLabels": object{"app": mark + "-" + other}}, "topologyKey": "kubernetes.io/hostname"})
	}
	if away != nil {
		spec["affinity"] = object{"podAntiAffinity": object{"requiredDuringSchedulingIgnoredDuringExecution": away}}
	}
	return pod
}
