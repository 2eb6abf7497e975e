package serve_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/slipway-iac/slipway/sandbox/kube/endpoint"
	"github.com/slipway-iac/slipway/sandbox/kube/serve"
	"github.com/slipway-iac/slipway/sandbox/kube/token"
	"github.com/slipway-iac/slipway/sandbox/kube/view"
)

// The control plane takes the whole process, so the test binary plays slipway-kube when it is told to.
const (
	playDir     = "SLIPWAY_KUBE_TEST_DIR"
	playAccount = "SLIPWAY_KUBE_TEST_ACCOUNT"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(playDir); dir != "" {
		err := serve.Run(serve.Options{Dir: dir, Account: os.Getenv(playAccount), DrainTimeout: 3 * time.Second, Out: os.Stdout})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// patience is for a loaded machine; nothing waits that long on an idle one.
const patience = 3 * time.Minute

type sandbox struct {
	// t is the test that owns the processes; one started in a subtest outlives it.
	t            *testing.T
	dir, account string
	info         endpoint.Info
	key          token.Key
	view         view.View
}

func newSandbox(t *testing.T) *sandbox {
	t.Helper()
	root := t.TempDir()
	s := &sandbox{t: t, dir: filepath.Join(root, "kube"), account: filepath.Join(root, "account", view.FileName)}
	var err error
	if s.info, err = endpoint.Prepare(s.dir); err != nil {
		t.Fatal(err)
	}
	if s.key, err = token.LoadKey(filepath.Dir(s.account)); err != nil {
		t.Fatal(err)
	}
	return s
}

// process is a running slipway-kube.
type process struct {
	cmd    *exec.Cmd
	output *bytes.Buffer
	ended  chan struct{}
}

func (s *sandbox) launch(t *testing.T) *process {
	t.Helper()
	p := &process{cmd: exec.Command(os.Args[0]), output: &bytes.Buffer{}, ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), playDir+"="+s.dir, playAccount+"="+s.account)
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.cmd.Wait(); close(p.ended) }() // the code is in ProcessState
	s.t.Cleanup(func() { p.kill() })
	return p
}

func (p *process) kill() {
	p.cmd.Process.Kill() // it may have ended
	<-p.ended
}

// exit waits for the end and returns the exit code.
func (p *process) exit(t *testing.T) int {
	t.Helper()
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		t.Fatalf("the process did not end:\n%s", p.output)
		return 0
	}
}

func (s *sandbox) start(t *testing.T) *process {
	t.Helper()
	p := s.launch(t)
	eventually(t, "ready", func() error {
		select {
		case <-p.ended:
			log, _ := os.ReadFile(endpoint.LogFile(s.dir))
			t.Fatalf("the process ended: %s\n%s", p.output, log[max(0, len(log)-4000):])
		default:
		}
		if r, ok := endpoint.Running(s.dir); !ok || r.Pid != p.cmd.Process.Pid {
			return errors.New("not ready")
		}
		return nil
	})
	return p
}

// write puts the view and waits until the control plane satisfies done about it.
func (s *sandbox) write(t *testing.T, done func(*view.Status) bool) {
	t.Helper()
	digest, err := view.Write(s.account, &s.view)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := view.Await(ctx, s.dir, func(st *view.Status) bool { return st.View == digest && done(st) }); err != nil {
		t.Fatal(err)
	}
}

func nodesReady(n int) func(*view.Status) bool {
	return func(st *view.Status) bool {
		g, ok := st.Group("group-1")
		return ok && g.Ready == n && g.Leaving == 0 && g.Problem == ""
	}
}

func (s *sandbox) admin(t *testing.T) kubernetes.Interface {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", s.info.AdminKubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1
	return kubernetes.NewForConfigOrDie(config)
}

func (s *sandbox) withToken(bearer string) kubernetes.Interface {
	return kubernetes.NewForConfigOrDie(&rest.Config{
		Host: s.info.Server, BearerToken: bearer, TLSClientConfig: rest.TLSClientConfig{CAData: []byte(s.info.CAPEM)}, QPS: -1,
	})
}

func eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v", what, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

const (
	adminRole  = "arn:aws:iam::123456789012:role/Admin"
	viewerRole = "arn:aws:iam::123456789012:role/teams/Viewer"
	policies   = "arn:aws:eks::aws:cluster-access-policy/"
)

func production() view.Cluster {
	return view.Cluster{
		ID: "prod-1", Name: "prod", Region: "us-west-2",
		AccessEntries: []view.AccessEntry{
			{PrincipalArn: adminRole, Policies: []view.AccessPolicy{{Arn: policies + "AmazonEKSClusterAdminPolicy", ScopeType: view.ScopeCluster}}},
			{PrincipalArn: viewerRole, Groups: []string{"viewers"}, Policies: []view.AccessPolicy{
				{Arn: policies + "AmazonEKSViewPolicy", ScopeType: view.ScopeNamespace, Namespaces: []string{"sh*"}},
			}},
		},
		NodeGroups: []view.NodeGroup{{
			ID: "group-1", Name: "general", InstanceTypes: []string{"m5.large"}, Desired: 3, Labels: map[string]string{"tier": "web"},
			Subnets: []view.Subnet{
				{ID: "subnet-a", Zone: "us-west-2a", Cidr: "10.0.0.0/20"},
				{ID: "subnet-b", Zone: "us-west-2b", Cidr: "10.0.16.0/20"},
				{ID: "subnet-c", Zone: "us-west-2c", Cidr: "10.0.32.0/20"},
			},
		}},
	}
}

// TestLife is the life of one cluster, from nothing to deleted and made again: what each step leaves is what the next needs.
func TestLife(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a control plane")
	}
	s := newSandbox(t)
	ctx := t.Context()
	p := s.start(t)

	s.view.Clusters = []view.Cluster{production()}
	s.write(t, nodesReady(3))
	c := s.admin(t)

	t.Run("nodes follow the group in number, zone and size", func(t *testing.T) { checkNodes(t, c) })
	t.Run("tokens", func(t *testing.T) { checkTokens(t, s) })
	t.Run("restricted workload runs, spread over the zones", func(t *testing.T) { checkWorkload(t, c) })
	t.Run("a second process is refused", func(t *testing.T) {
		second := s.launch(t)
		if code := second.exit(t); code != 1 || !strings.Contains(second.output.String(), "`sandbox stop` ends it") {
			t.Errorf("exit code %d, output %q", code, second.output)
		}
		if _, ok := endpoint.Running(s.dir); !ok {
			t.Error("the first is no longer shown as running")
		}
	})

	t.Run("kill -9 loses nothing", func(t *testing.T) {
		last := ""
		for i := range 20 {
			last = "m" + strconv.Itoa(i)
			if _, err := c.CoreV1().ConfigMaps("shop").Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: last}}, metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		p.kill()
		if _, ok := endpoint.Running(s.dir); ok {
			t.Error("a killed control plane is shown as running")
		}
		p = s.start(t)
		c = s.admin(t)
		if _, err := c.CoreV1().ConfigMaps("shop").Get(ctx, last, metav1.GetOptions{}); err != nil {
			t.Error(err)
		}
		eventually(t, "nodes and Deployment as before", func() error {
			nodes, err := c.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
			if err != nil || len(nodes.Items) != 3 {
				return fmt.Errorf("%d nodes, %w", len(nodes.Items), err)
			}
			return available(ctx, c, 3)
		})
	})

	t.Run("the group shrinks to one and to none", func(t *testing.T) { checkScaleIn(t, s, c) })
	t.Run("a deleted cluster leaves nothing", func(t *testing.T) {
		s.view.Clusters = nil
		s.write(t, func(st *view.Status) bool { return st.Cluster == "" })
		again := production()
		again.ID = "prod-2"
		s.view.Clusters = []view.Cluster{again}
		s.write(t, nodesReady(3))
		_, err := s.admin(t).CoreV1().Namespaces().Get(ctx, "shop", metav1.GetOptions{})
		if !apierrors.IsNotFound(err) {
			t.Errorf("namespace of the deleted cluster: %v, want not found", err)
		}
	})

	t.Run("SIGTERM ends it in order", func(t *testing.T) {
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if code := p.exit(t); code != 0 {
			t.Errorf("exit code %d: %s", code, p.output)
		}
		if _, err := os.Stat(endpoint.ReadyFile(s.dir)); !os.IsNotExist(err) {
			t.Error("readiness was left behind")
		}
	})

	t.Run("a cluster deleted while it was stopped leaves nothing either", func(t *testing.T) {
		again := production()
		again.ID = "prod-3"
		again.NodeGroups[0].Desired = 1
		s.view.Clusters = []view.Cluster{again}
		if _, err := view.Write(s.account, &s.view); err != nil {
			t.Fatal(err)
		}
		p = s.start(t)
		s.write(t, nodesReady(1))
		p.kill()
	})

	t.Run("a taken port is named", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(s.info.Port))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		s.refused(t, fmt.Sprintf("port %d on 127.0.0.1 is taken", s.info.Port), "`sandbox reset`")
	})

	t.Run("damaged data is kept and named", func(t *testing.T) {
		wals, err := filepath.Glob(filepath.Join(s.dir, "etcd", "member", "wal", "*.wal"))
		if err != nil || len(wals) == 0 {
			t.Fatalf("no write-ahead log: %v", err)
		}
		for _, w := range wals {
			if err := os.WriteFile(w, bytes.Repeat([]byte("damaged "), 1000), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 { // a second try must not take what the first left for a new folder
			s.refused(t, "etcd cannot use its data in "+s.dir, "Nothing was deleted", "log: "+endpoint.LogFile(s.dir))
		}
		for _, w := range wals { // etcd cuts off what it cannot read, and keeps a copy
			if b, err := os.ReadFile(w + ".broken"); err != nil || !bytes.HasPrefix(b, []byte("damaged ")) {
				t.Errorf("no copy of %s: %v", w, err)
			}
		}
	})
}

// refused starts a control plane that must not come up and must say these words, on the terminal and in the file for
// `sandbox status`.
func (s *sandbox) refused(t *testing.T, words ...string) {
	t.Helper()
	p := s.launch(t)
	if code := p.exit(t); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	kept, err := os.ReadFile(endpoint.FailureFile(s.dir))
	if err != nil {
		t.Error(err)
	}
	for _, w := range words {
		if !strings.Contains(p.output.String(), w) || !strings.Contains(string(kept), w) {
			t.Errorf("lacks %q\nterminal: %s\nfile: %s", w, p.output, kept)
		}
	}
}
