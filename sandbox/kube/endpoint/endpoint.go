// Package endpoint is where the sandbox's Kubernetes answers, and the certificates by which it and its users know each
// other. It imports nothing of Kubernetes, so that commands which only have to know the address stay small; the control
// plane need not run, nor ever have run.
package endpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slipway-iac/slipway/sandbox/kube/internal/atomicfile"
)

// Info is what Prepare found or made.
type Info struct {
	// Dir is the control plane's folder, absolute.
	Dir string
	// Server is the URL of the API server, https://127.0.0.1:PORT. It stays the same for the life of the folder,
	// because kubeconfigs hold it.
	Server string
	// Port of Server.
	Port int
	// CAPEM is the certificate of the authority that signed the API server's, in PEM.
	CAPEM string
	// AdminKubeconfig is a file with a client certificate that may do everything; for the sandbox's own use.
	AdminKubeconfig string
}

// ServiceCIDR is the range of ClusterIPs; what EKS takes where the VPC is not in 172.16.0.0/12.
const ServiceCIDR = "172.20.0.0/16"

// ClusterDNS is the address of the Service kube-dns, as on EKS the tenth of the range.
const ClusterDNS = "172.20.0.10"

// Prepare makes the control plane's folder with port and certificates if they are not there, renews certificates that
// expire soon, and mends what was lost. Several processes may call it at once. What it cannot mend without invalidating
// the kubeconfigs in use, it says.
func Prepare(dir string) (Info, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Info{}, err
	}
	info, err := prepare(dir)
	if err != nil {
		return Info{}, fmt.Errorf("folder of the control plane %s: %w", dir, err)
	}
	return info, nil
}

func prepare(dir string) (Info, error) {
	if err := os.MkdirAll(filepath.Join(dir, "pki"), 0o700); err != nil {
		return Info{}, err
	}
	unlock, err := lockFile(filepath.Join(dir, "pki", "lock"))
	if err != nil {
		return Info{}, err
	}
	defer unlock()
	port, err := keptPort(dir)
	if err != nil {
		return Info{}, err
	}
	info := Info{Dir: dir, Port: port, Server: fmt.Sprintf("https://127.0.0.1:%d", port)}
	info.AdminKubeconfig = info.Kubeconfig("admin")
	p := pki{dir: filepath.Join(dir, "pki"), now: time.Now()}
	if info.CAPEM, err = p.prepare(); err != nil {
		return Info{}, err
	}
	for _, user := range users {
		if err := info.writeKubeconfig(p, user); err != nil {
			return Info{}, err
		}
	}
	return info, nil
}

// lockFile holds an exclusive lock on path until unlock is called.
func lockFile(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		if err = unix.Flock(int(f.Fd()), unix.LOCK_EX); !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}

// Ready is what a control plane that works has put into its folder.
type Ready struct {
	// Pid of the process.
	Pid int `json:"pid"`
	// Server as in Info.
	Server string `json:"server"`
	// CAData is Info.CAPEM.
	CAData string `json:"caData"`
	// Started is when the process began.
	Started time.Time `json:"started"`
}

// ReadyFile is the file that is there while the control plane in dir works.
func ReadyFile(dir string) string { return filepath.Join(dir, "ready") }

// LockFile is locked by the process that serves dir, for as long as it lives.
func LockFile(dir string) string { return filepath.Join(dir, "lock") }

// FailureFile holds, in words for people, why the control plane in dir ended by itself. A new start removes it.
func FailureFile(dir string) string { return filepath.Join(dir, "failure") }

// LogFile is where all parts of the control plane write; the log of the run before has ".previous" appended.
func LogFile(dir string) string { return filepath.Join(dir, "log", "slipway-kube.log") }

// Running tells whether a control plane works in dir, and where. A file that a killed process left does not count.
func Running(dir string) (Ready, bool) {
	b, err := os.ReadFile(ReadyFile(dir))
	if err != nil || !locked(dir) {
		return Ready{}, false
	}
	var r Ready
	if json.Unmarshal(b, &r) != nil {
		return Ready{}, false
	}
	return r, true
}

// Starting tells whether a process holds dir, ready or not yet.
func Starting(dir string) bool { return locked(dir) }

// ErrServed says that another process serves the folder.
var ErrServed = errors.New("another process holds the lock")

// Hold makes this process the one that serves dir until the descriptor is closed; ErrServed if there is another.
func Hold(dir string) (fd int, err error) {
	if fd, err = unix.Open(LockFile(dir), unix.O_CREAT|unix.O_RDWR|unix.O_CLOEXEC, 0o600); err != nil {
		return -1, fmt.Errorf("lock %s: %w", LockFile(dir), err)
	}
	// Whoever asks whether somebody serves holds the lock for an instant.
	for range 20 {
		if err = unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err == nil {
			return fd, nil
		}
		time.Sleep(25 * time.Millisecond) // a lock that is not waited for without an end makes no event
	}
	unix.Close(fd)
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = ErrServed
	}
	return -1, fmt.Errorf("lock %s: %w", LockFile(dir), err)
}

func locked(dir string) bool {
	f, err := os.OpenFile(LockFile(dir), os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	return errors.Is(unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB), unix.EWOULDBLOCK)
}

// WriteReady is for the control plane.
func WriteReady(dir string, r Ready) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.Write(ReadyFile(dir), b, 0o600)
}

// removed is os.Remove that does not mind if there is nothing.
func removed(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// ClearRun removes what a run that ended left: readiness and failure.
func ClearRun(dir string) error {
	return errors.Join(removed(ReadyFile(dir)), removed(FailureFile(dir)))
}
