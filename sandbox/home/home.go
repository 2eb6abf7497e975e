// Package home is the folder in which the sandbox keeps everything: binaries, the account, the cluster, the stacks' state.
package home

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Name of the folder.
const Name = ".sandbox"

// Variable in the environment that says where the folder is, instead of the search that Find does.
const Variable = "SLIPWAY_SANDBOX"

// Home is one such folder, by absolute path.
type Home string

// Find is the folder for commands run in dir: the one that Variable names, else the nearest .sandbox in dir or above it,
// else a new one beside the nearest Pulumi.yaml, else a new one in dir.
func Find(dir string) (Home, error) {
	if h := os.Getenv(Variable); h != "" {
		abs, err := filepath.Abs(h)
		return Home(abs), err
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for _, mark := range []string{Name, "Pulumi.yaml"} {
		for d := abs; ; d = filepath.Dir(d) {
			if _, err := os.Stat(filepath.Join(d, mark)); err == nil {
				return Home(filepath.Join(d, Name)), nil
			}
			if d == filepath.Dir(d) {
				break
			}
		}
	}
	return Home(filepath.Join(abs, Name)), nil
}

func (h Home) path(name ...string) string {
	return filepath.Join(append([]string{string(h)}, name...)...)
}

// Bin holds the sandbox's executables; it is put first on PATH for what the sandbox runs.
func (h Home) Bin() string { return h.path("bin") }

// PulumiHome is the private PULUMI_HOME.
func (h Home) PulumiHome() string { return h.path("pulumi") }

// State is the folder of the file backend.
func (h Home) State() string { return h.path("state") }

// StateURL is the file backend as Pulumi is told of it. Without metadata: else the CLI writes a second file beside each one, not
// atomically, and one that a kill cut short makes every later command end with "EOF".
func (h Home) StateURL() string { return "file://" + h.State() + "?metadata=skip" }

// Account is the folder of the AWS account.
func (h Home) Account() string { return h.path("account") }

// KubeView is the file through which the account tells the control plane of clusters, node groups and access.
func (h Home) KubeView() string { return h.path("account", "kubeview.json") }

// Kube is the folder of the control plane's data.
func (h Home) Kube() string { return h.path("kube") }

// Nodes is the folder of the nodes that run pods for real.
func (h Home) Nodes() string { return h.path("nodes") }

// Images is the folder of the registry.
func (h Home) Images() string { return h.path("images") }

// Edge is the folder of the certificate authority of `sandbox edge`.
func (h Home) Edge() string { return h.path("edge") }

// Kubeconfig is the file that `sandbox env` names.
func (h Home) Kubeconfig() string { return h.path("kubeconfig") }

// Tool is an executable in Bin.
func (h Home) Tool(name string) string { return filepath.Join(h.Bin(), name) }

// Make makes the folders.
func (h Home) Make() error {
	for _, d := range []string{h.Bin(), h.PulumiHome(), h.State(), h.Account(), h.Kube()} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return fmt.Errorf("the sandbox's folder: %w", err)
		}
	}
	return nil
}

// holder is what a lock's file says of who holds it.
type holder struct {
	PID     int       `json:"pid"`
	Command string    `json:"command"`
	Since   time.Time `json:"since"`
}

const (
	// orphanPatience is what a provider may need to finish what a killed command asked it for, and to notice that it is alone.
	orphanPatience = 30 * time.Second
	orphanCheck    = 100 * time.Millisecond
)

// Lock makes this command the only one that changes the sandbox, until the returned file is closed by every process that
// has it open. A second command is refused at once, with words that say who holds the lock; where that one was killed, what it
// had begun gets orphanPatience to end by itself.
func (h Home) Lock(command string) (*os.File, error) {
	f, err := os.OpenFile(h.path("lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the sandbox's lock: %w", err)
	}
	deadline := time.Now().Add(orphanPatience)
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			break
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			f.Close()
			return nil, fmt.Errorf("the sandbox's lock: %w", err)
		}
		var by holder
		if err := json.NewDecoder(io.NewSectionReader(f, 0, 1<<16)).Decode(&by); err != nil {
			f.Close()
			return nil, fmt.Errorf("another command is changing the sandbox %s: wait until it has ended", h)
		}
		if alive := unix.Kill(by.PID, 0) == nil; alive || time.Now().After(deadline) {
			f.Close()
			return nil, fmt.Errorf("another command is changing the sandbox %s: `%s` (process %d, since %s). Wait until it has ended, or end it with `kill %d`",
				h, by.Command, by.PID, by.Since.Local().Format(time.TimeOnly), by.PID)
		}
		time.Sleep(orphanCheck) // any process may have it open: there is none to wait for
	}
	b, err := json.Marshal(holder{PID: os.Getpid(), Command: command, Since: time.Now()})
	if err != nil {
		return nil, err
	}
	if err := f.Truncate(0); err != nil {
		return nil, fmt.Errorf("the sandbox's lock: %w", err)
	}
	if _, err := f.WriteAt(b, 0); err != nil {
		return nil, fmt.Errorf("the sandbox's lock: %w", err)
	}
	return f, nil
}

// ForgetStackLocks removes locks of the file backend that commands left behind that were killed. It may be called only while
// Lock is held: whoever else could own such a lock would hold that one.
func (h Home) ForgetStackLocks() error {
	dir := filepath.Join(h.State(), ".pulumi", "locks")
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.Remove(path)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
