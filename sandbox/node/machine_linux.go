package node

import (
	"context"
	"embed"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"text/template"
	"time"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/slipway-iac/slipway/sandbox/kube/endpoint"
	"github.com/slipway-iac/slipway/sandbox/node/needs"
)

//go:embed config
var configs embed.FS

// machine is one node.
type machine struct {
	agent   *Agent
	name    string
	network network
	cgroup  cgroup
	// dir holds everything of it but its sockets, which need short paths and lie in run.
	dir, run string

	stop context.CancelFunc
	ends sync.WaitGroup
}

// kubelet is the kubelet's folder under a short path: it makes sockets in it, whose paths may have 107 characters.
func (m *machine) kubelet() string { return filepath.Join(m.run, "kubelet") }

// settings fill the templates of the configuration files.
type settings struct {
	Name, Dir, Run, Socket, CNIBin, Pods, Pause, RegistryPort string
	Address, CA, CgroupRoot, DNS, ProviderID, Kubeconfig      string
	ReservedCPU, ReservedMemory, ReservedDisk                 string
	MaxPods                                                   int64
}

// up starts the node for its object in the cluster.
func (m *machine) up(ctx context.Context, object *corev1.Node) error {
	m.clean()
	if err := m.network.up(); err != nil {
		return err
	}
	if err := m.cgroup.make(); err != nil {
		return fmt.Errorf("control group: %w", err)
	}
	s, err := m.settings(object)
	if err != nil {
		return err
	}
	if err := m.configure(s); err != nil {
		return err
	}
	ctx, m.stop = context.WithCancel(ctx)
	_, port, _ := strings.Cut(strings.TrimPrefix(m.agent.info.Server, "https://"), ":")
	for _, p := range []string{port, s.RegistryPort} {
		if err := door(ctx, m.network, p, &m.ends); err != nil {
			return fmt.Errorf("door to port %s: %w", p, err)
		}
	}
	logs := filepath.Join(m.dir, "log")
	start := func(name string, args ...string) {
		process{name: name, args: args}.run(ctx, m.network, m.cgroup, logs, &m.ends)
	}
	start("containerd", "containerd", "--config", filepath.Join(m.dir, "containerd.toml"))
	if err := m.importPause(ctx, s); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	start("kubelet", self, "kubelet", "--config="+filepath.Join(m.dir, "kubelet.yaml"), "--kubeconfig="+s.Kubeconfig, "--hostname-override="+m.name,
		"--node-ip="+s.Address, "--root-dir="+m.kubelet(), "--cert-dir="+filepath.Join(m.dir, "pki"), "--v=1")
	start("kube-proxy", self, "kube-proxy", "--config="+filepath.Join(m.dir, "kube-proxy.yaml"), "--v=1")
	return nil
}

func (m *machine) settings(object *corev1.Node) (settings, error) {
	s := settings{
		Name: m.name, Dir: m.dir, Run: m.run, Socket: filepath.Join(m.run, "containerd.sock"), CNIBin: needs.CNIBin, Pods: m.network.pods.String(),
		Pause: pauseImage, Address: m.network.address.String(), CA: m.agent.info.PKI("ca.crt"),
		CgroupRoot: "/" + string(m.cgroup), DNS: endpoint.ClusterDNS, ProviderID: object.Spec.ProviderID, Kubeconfig: m.agent.info.Kubeconfig("nodes"),
	}
	_, s.RegistryPort, _ = net.SplitHostPort(m.agent.registry)
	memory, disk, err := size(m.agent.Dir)
	if err != nil {
		return s, err
	}
	want := object.Status.Allocatable
	s.MaxPods = want.Pods().Value()
	left := func(have *resource.Quantity, name corev1.ResourceName) string {
		have.Sub(want[name])
		if have.Sign() < 0 {
			return "0" // the machine is smaller than the instance type: the scheduler sees what there is
		}
		return have.String()
	}
	s.ReservedCPU = left(resource.NewQuantity(int64(runtime.NumCPU()), resource.DecimalSI), corev1.ResourceCPU)
	s.ReservedMemory = left(resource.NewQuantity(memory-50<<20, resource.BinarySI), corev1.ResourceMemory)
	s.ReservedDisk = left(resource.NewQuantity(disk*99/100, resource.BinarySI), corev1.ResourceEphemeralStorage)
	return s, nil
}

// size is what the machine has of memory and, where dir is, of disk, in bytes.
func size(dir string) (memory, disk int64, err error) {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return 0, 0, err
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return 0, 0, err
	}
	return int64(info.Totalram) * int64(info.Unit), int64(fs.Blocks) * fs.Bsize, nil
}

func (m *machine) configure(s settings) error {
	for _, d := range []string{"cni", "registries/_default", "log", "pod-logs", "pki"} {
		if err := os.MkdirAll(filepath.Join(m.dir, d), 0o700); err != nil {
			return err
		}
	}
	for _, d := range []string{filepath.Join(m.dir, "kubelet"), m.kubelet()} {
		if err := os.MkdirAll(d, 0o750); err != nil {
			return err
		}
	}
	if err := unix.Mount(filepath.Join(m.dir, "kubelet"), m.kubelet(), "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("the kubelet's folder: %w", err)
	}
	for file, to := range map[string]string{
		"containerd.toml": "containerd.toml", "cni.json": "cni/10-slipway.conflist", "hosts.toml": "registries/_default/hosts.toml",
		"kubelet.yaml": "kubelet.yaml", "kube-proxy.yaml": "kube-proxy.yaml",
	} {
		t, err := template.ParseFS(configs, "config/"+file)
		if err != nil {
			return err
		}
		out, err := os.Create(filepath.Join(m.dir, to))
		if err != nil {
			return err
		}
		if err := t.Execute(out, s); err != nil {
			out.Close()
			return err
		}
		if err := out.Close(); err != nil {
			return err
		}
	}
	return nil
}

// importPause gives containerd the image that holds a pod's namespaces open, once it answers.
func (m *machine) importPause(ctx context.Context, s settings) error {
	tar := filepath.Join(m.dir, "pause.tar")
	if err := writePause(m.agent.Pause, tar); err != nil {
		return fmt.Errorf("the pause image: %w", err)
	}
	var said []byte
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline) && ctx.Err() == nil; time.Sleep(100 * time.Millisecond) {
		var err error
		if said, err = exec.CommandContext(ctx, "ctr", "--address", s.Socket, "--namespace", "k8s.io", "images", "import", tar).CombinedOutput(); err == nil {
			return nil
		}
	}
	return fmt.Errorf("containerd does not take the pause image: %s; its log is %s", strings.TrimSpace(string(said)), filepath.Join(m.dir, "log", "containerd.log"))
}

// down ends the node and leaves nothing of it.
func (m *machine) down() {
	if m.stop != nil {
		m.stop()
		m.ends.Wait()
	}
	m.clean()
}

// clean ends what of the node runs, whoever started it, and takes away its mounts, files and network.
func (m *machine) clean() {
	m.cgroup.end()
	for _, at := range mountsBelow(m.dir, m.run) {
		_ = unix.Unmount(at, unix.MNT_DETACH)
	}
	m.network.down()
	_ = os.RemoveAll(m.run)
	_ = os.RemoveAll(m.dir)
}

// mountsBelow are the mount points in those folders, the innermost first.
func mountsBelow(folders ...string) (found []string) {
	b, _ := os.ReadFile("/proc/self/mounts")
	for _, line := range strings.Split(string(b), "\n") {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		at := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\134`, `\`).Replace(fields[1])
		for _, d := range folders {
			if strings.HasPrefix(at, d+"/") {
				found = append([]string{at}, found...)
			}
		}
	}
	return found
}

// podsOf is the range of the nth node's pods.
func podsOf(n int) netip.Prefix {
	return netip.MustParsePrefix("100.64." + strconv.Itoa(n) + ".0/24")
}
