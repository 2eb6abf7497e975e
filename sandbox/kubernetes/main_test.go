package kubernetes

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// kubeconfigVariable names the kubeconfig of a cluster to test against. Without it the sandbox's own control plane is
// built and started.
const kubeconfigVariable = "SLIPWAY_TEST_KUBECONFIG"

// stopCluster ends what kubeconfig started.
var stopCluster = func() {}

func TestMain(m *testing.M) {
	code := m.Run()
	stopCluster()
	os.Exit(code)
}

// kubeconfig is the path of an administrator's kubeconfig, of a cluster that the tests of this process share.
var kubeconfig = sync.OnceValues(func() (string, error) {
	if path := os.Getenv(kubeconfigVariable); path != "" {
		return path, nil
	}
	dir, err := os.MkdirTemp("", "kubernetes-test-")
	if err != nil {
		return "", err
	}
	stopCluster = func() { os.RemoveAll(dir) }
	binary := filepath.Join(dir, "slipway-kube")
	build := exec.Command("go", "build", "-ldflags", "-s -w", "-o", binary, "../kube/cmd/slipway-kube")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the control plane: %w\n%s", err, out)
	}
	data := filepath.Join(dir, "data")
	serve := exec.Command(binary, "serve", "--dir", data, "--account", filepath.Join(dir, "kubeview.json"))
	var trouble bytes.Buffer
	serve.Stderr = &trouble
	out, err := serve.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := serve.Start(); err != nil {
		return "", err
	}
	stopCluster = func() {
		_ = serve.Process.Signal(syscall.SIGTERM)
		_ = serve.Wait()
		os.RemoveAll(dir)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "Kubernetes is ready") {
			return filepath.Join(data, "admin.kubeconfig"), nil
		}
	}
	return "", errors.New("the control plane did not come up: " + trouble.String())
})
