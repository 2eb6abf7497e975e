package endpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/slipway-iac/slipway/sandbox/kube/internal/atomicfile"
)

// Ports are taken from below 30000: node ports begin there, and from 32768 on Linux hands ports to outgoing connections,
// which could hold ours when the control plane starts next time.
const firstPort, lastPort = 20000, 29999

// keptPort is the port chosen at the first call for dir, and the same ever after.
func keptPort(dir string) (int, error) {
	file := filepath.Join(dir, "port")
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return newPort(dir, file)
	}
	if err != nil {
		return 0, err
	}
	port, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || port < 1 || port > 65535 {
		return 0, fmt.Errorf("%s holds %q, must be a port number: the kubeconfigs in use hold the right one (…127.0.0.1:PORT); "+
			"write it there, or begin anew with `sandbox reset`", file, b)
	}
	return port, nil
}

func newPort(dir, file string) (int, error) {
	// Without a port but with an authority, kubeconfigs with the lost port are about.
	if _, err := os.Stat(filepath.Join(dir, "pki", caFile)); err == nil {
		return 0, fmt.Errorf("%s is missing: the kubeconfigs in use hold the port (…127.0.0.1:PORT); write it there, "+
			"or begin anew with `sandbox reset`", file)
	}
	var last error
	for range 200 {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			last = err
			continue
		}
		l.Close()
		return port, atomicfile.Write(file, []byte(strconv.Itoa(port)+"\n"), 0o600)
	}
	return 0, fmt.Errorf("no free port on 127.0.0.1 between %d and %d: %w", firstPort, lastPort, last)
}
