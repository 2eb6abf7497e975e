// Package needs tells whether this machine can run real nodes.
package needs

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// packages are Debian's, by the executable that is looked for.
var packages = []struct{ executable, name string }{
	{"containerd", "containerd"}, {"runc", "runc"}, {CNIBin + "/bridge", "containernetworking-plugins"}, {"iptables", "iptables"}, {"conntrack", "conntrack"},
}

// CNIBin is where Debian puts the plugins of the container network interface.
const CNIBin = "/usr/lib/cni"

// Missing is everything that this machine lacks for real nodes; nil where it lacks nothing.
func Missing() error {
	if runtime.GOOS != "linux" {
		return fmt.Errorf("real pods need Linux, and this is %s; without them nodes are simulated", runtime.GOOS)
	}
	var lacks []error
	if os.Geteuid() != 0 {
		lacks = append(lacks, errors.New("real pods need root: containers are started by it"))
	}
	var install []string
	for _, p := range packages {
		if _, err := exec.LookPath(p.executable); err != nil {
			install = append(install, p.name)
		}
	}
	if install != nil {
		lacks = append(lacks, fmt.Errorf("real pods need packages that are not here; on Debian: apt-get install --no-install-recommends %s", strings.Join(install, " ")))
	}
	if b, err := os.ReadFile("/proc/filesystems"); err == nil && !strings.Contains(string(b), "overlay") {
		lacks = append(lacks, errors.New("real pods need a kernel with overlayfs: modprobe overlay"))
	}
	return errors.Join(lacks...)
}
