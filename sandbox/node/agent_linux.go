// Package node runs the nodes of the sandbox's cluster for real: each is a network namespace of its own with its own containerd,
// kubelet and kube-proxy. Linux and root only.
package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"

	"github.com/slipway-iac/slipway/sandbox/aws"
	"github.com/slipway-iac/slipway/sandbox/kube/endpoint"
	"github.com/slipway-iac/slipway/sandbox/kube/realnode"
	"github.com/slipway-iac/slipway/sandbox/node/needs"
	"github.com/slipway-iac/slipway/sandbox/registry"
)

// Agent keeps the machines of a cluster in step with its Node objects, and runs what they need: the registry from which they pull,
// and the add-ons that EKS would run on them.
type Agent struct {
	// Kube is the folder of the control plane, Dir that of the nodes, Images that of the registry.
	Kube, Dir, Images string
	// Account is the AWS account, whose repositories the registry serves; KubeView tells which add-ons are installed.
	Account  *aws.Account
	KubeView string
	// Pause is the executable of the pause image.
	Pause string

	info     endpoint.Info
	client   kubernetes.Interface
	registry string // its address on loopback
	machines map[string]*machine
	addons   *addons
}

const (
	// runDir holds sockets, which need short paths, and the lock.
	runDir = "/run/slipway"
	// logs is the folder in Agent.Dir for the words of what runs beside the nodes.
	logs = "log"
)

// again is how long until a start that failed is tried again; nothing announces it.
const again = 5 * time.Second

// Run works until ctx ends; then it ends the machines and takes away what there is of them.
func (a *Agent) Run(ctx context.Context) error {
	if err := needs.Missing(); err != nil {
		return err
	}
	if err := os.MkdirAll(a.Dir, 0o700); err != nil {
		return err
	}
	unlock, err := a.alone()
	if err != nil {
		return err
	}
	defer unlock()
	held, err := endpoint.Hold(a.Dir)
	if err != nil {
		return err
	}
	defer unix.Close(held)
	if err := endpoint.ClearRun(a.Dir); err != nil {
		return err
	}
	if a.info, err = endpoint.Prepare(a.Kube); err != nil {
		return err
	}
	config, err := clientcmd.BuildConfigFromFlags("", a.info.Kubeconfig("nodes"))
	if err != nil {
		return err
	}
	if a.client, err = kubernetes.NewForConfig(config); err != nil {
		return err
	}
	objects, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	a.machines = map[string]*machine{}
	a.clean()
	defer a.end()
	restore, err := prepareHost()
	if err != nil {
		return err
	}
	defer restore()
	stopRegistry, err := a.serveRegistry()
	if err != nil {
		return err
	}
	defer stopRegistry()
	a.addons = &addons{agent: a, objects: objects, running: map[string]*running{}}
	defer a.addons.end()
	if err := endpoint.WriteReady(a.Dir, endpoint.Ready{Pid: os.Getpid(), Server: "http://" + a.registry, Started: time.Now()}); err != nil {
		return err
	}
	defer os.Remove(endpoint.ReadyFile(a.Dir))
	return a.follow(ctx)
}

// follow keeps everything in step until ctx ends.
func (a *Agent) follow(ctx context.Context) error {
	changed := make(chan struct{}, 1)
	factory := informers.NewSharedInformerFactory(a.client, 0)
	list := factory.Core().V1().Nodes().Lister()
	tell := func(any) {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	if _, err := factory.Core().V1().Nodes().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: tell, DeleteFunc: tell}); err != nil {
		return err
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	for {
		all, err := list.List(labels.Everything())
		if err != nil {
			return err
		}
		if err := errors.Join(a.sync(ctx, all), a.addons.sync(ctx)); err != nil && ctx.Err() == nil {
			klog.ErrorS(err, "Nodes are not as they should be")
			_ = os.WriteFile(endpoint.FailureFile(a.Dir), []byte(err.Error()), 0o600) // for `sandbox status`; the log has it too
		} else {
			os.Remove(endpoint.FailureFile(a.Dir))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-time.After(again):
		}
	}
}

// sync ends machines whose node is gone, and starts those of new ones.
func (a *Agent) sync(ctx context.Context, all []*corev1.Node) error {
	wanted := map[string]*corev1.Node{}
	for _, n := range all {
		if n.Annotations[realnode.Annotation] != "" && n.DeletionTimestamp == nil {
			wanted[n.Name] = n
		}
	}
	gone := map[string]*machine{}
	for name, m := range a.machines {
		if wanted[name] == nil {
			gone[name] = m
			m.network.down() // an instance that ends is cut off at once, however long its programs take to end
		}
	}
	for name, m := range gone {
		m.down()
		delete(a.machines, name)
		klog.InfoS("Node is gone", "node", name)
	}
	var errs []error
	for name, n := range wanted {
		if a.machines[name] != nil {
			continue
		}
		started := time.Now()
		m, err := a.machine(n)
		if err == nil {
			err = m.up(ctx, n)
		}
		if err != nil {
			if m != nil {
				m.down()
			}
			errs = append(errs, fmt.Errorf("node %s: %w", name, err))
			continue
		}
		a.machines[name] = m
		klog.InfoS("Node is up", "node", name, "seconds", time.Since(started).Seconds())
	}
	return errors.Join(errs...)
}

// alone makes this the only agent on the machine: the addresses of the nodes' pods, and the machine's own towards them, are the
// same for all.
func (a *Agent) alone() (unlock func(), err error) {
	if err := os.MkdirAll(runDir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(runDir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		by, _ := os.ReadFile(f.Name())
		f.Close()
		return nil, fmt.Errorf("another sandbox runs real pods on this machine, one at a time can: %s", by)
	}
	if err := f.Truncate(0); err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(f, "process %d, nodes in %s", os.Getpid(), a.Dir); err != nil {
		return nil, err
	}
	return func() { f.Close() }, nil
}

// serveRegistry serves the images of the account's repositories on a free port of loopback.
func (a *Agent) serveRegistry() (stop func(), err error) {
	r, err := registry.Open(a.Account, a.Images)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	a.registry = l.Addr().String()
	server := &http.Server{Handler: r, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(l) }()
	return func() { _ = server.Close() }, nil
}

// machine finds a free number for a node; what belongs to it on the host is named by that.
func (a *Agent) machine(n *corev1.Node) (*machine, error) {
	taken := map[string]bool{}
	for _, m := range a.machines {
		taken[m.network.name] = true
	}
	var address netip.Addr
	for _, at := range n.Status.Addresses {
		if at.Type == corev1.NodeInternalIP {
			address, _ = netip.ParseAddr(at.Address)
		}
	}
	if !address.Is4() {
		return nil, errors.New("has no address of IPv4")
	}
	for i := range 200 {
		name := a.id() + "-" + strconv.Itoa(i)
		if !taken[name] {
			return &machine{
				agent: a, name: n.Name, cgroup: cgroup(filepath.Join(a.id(), strconv.Itoa(i))),
				network: network{name: name, address: address, pods: podsOf(i)},
				dir:     filepath.Join(a.Dir, n.Name), run: filepath.Join(a.run(), strconv.Itoa(i)),
			}, nil
		}
	}
	return nil, errors.New("there are 200 nodes already")
}

// id is short, since it begins the names of interfaces, and this sandbox's own.
func (a *Agent) id() string {
	sum := sha256.Sum256([]byte(a.Dir))
	return "slw" + hex.EncodeToString(sum[:4])
}

func (a *Agent) run() string { return filepath.Join(runDir, a.id()) }

func (a *Agent) end() {
	for _, m := range a.machines {
		m.down()
	}
	a.clean()
}

// clean takes away what an agent left behind that was killed.
func (a *Agent) clean() {
	cgroup(a.id()).end()
	for _, at := range mountsBelow(a.Dir, a.run()) {
		_ = unix.Unmount(at, unix.MNT_DETACH)
	}
	if links, err := netlink.LinkList(); err == nil {
		for _, l := range links {
			if strings.HasPrefix(l.Attrs().Name, a.id()+"-") {
				_ = netlink.LinkDel(l)
			}
		}
	}
	spaces, _ := filepath.Glob("/run/netns/" + a.id() + "-*")
	for _, s := range spaces {
		network{name: filepath.Base(s)}.down()
	}
	_ = os.RemoveAll(a.run())
	entries, _ := os.ReadDir(a.Dir)
	for _, e := range entries {
		if e.IsDir() && e.Name() != logs {
			_ = os.RemoveAll(filepath.Join(a.Dir, e.Name()))
		}
	}
}
