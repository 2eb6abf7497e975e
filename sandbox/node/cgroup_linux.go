package node

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const cgroups = "/sys/fs/cgroup"

// cgroup is a control group by its path below every controller's root. All processes of a node are in one, whoever started
// them, so that they can be found and ended also when those who started them are gone.
type cgroup string

// places are the folders of the group: one in cgroup v2, one a controller in v1.
func (g cgroup) places() []string {
	if _, err := os.Stat(filepath.Join(cgroups, "cgroup.controllers")); err == nil {
		return []string{filepath.Join(cgroups, string(g))}
	}
	entries, _ := os.ReadDir(cgroups)
	var all []string
	for _, e := range entries {
		if e.IsDir() {
			all = append(all, filepath.Join(cgroups, e.Name(), string(g)))
		}
	}
	return all
}

func (g cgroup) make() error {
	for _, p := range g.places() {
		if err := os.MkdirAll(p, 0o755); err != nil {
			return err
		}
	}
	return g.inheritProcessors()
}

// inheritProcessors is for cgroup v1, where a new group has no processor and no memory, and takes no process, until it is told of some.
func (g cgroup) inheritProcessors() error {
	at := filepath.Join(cgroups, "cpuset")
	if _, err := os.Stat(filepath.Join(at, "cpuset.cpus")); err != nil {
		return nil //nolint:nilerr // there is no such controller
	}
	for _, part := range strings.Split(string(g), "/") {
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
			b, err := os.ReadFile(filepath.Join(at, file))
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(at, part, file), b, 0o644); err != nil {
				return err
			}
		}
		at = filepath.Join(at, part)
	}
	return nil
}

// add puts a process into the group; what it starts later is there too.
func (g cgroup) add(pid int) error {
	for _, p := range g.places() {
		if err := os.WriteFile(filepath.Join(p, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// processes are those of the group and of all groups below it.
func (g cgroup) processes() map[int]bool {
	all := map[int]bool{}
	for _, p := range g.places() {
		_ = filepath.WalkDir(p, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.Name() != "cgroup.procs" {
				return nil
			}
			b, _ := os.ReadFile(path)
			for _, line := range strings.Fields(string(b)) {
				if pid, err := strconv.Atoi(line); err == nil {
					all[pid] = true
				}
			}
			return nil
		})
	}
	return all
}

// end kills every process of the group and removes it.
func (g cgroup) end() {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		pids := g.processes()
		if len(pids) == 0 {
			break
		}
		for pid := range pids {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
	}
	for _, p := range g.places() {
		var folders []string
		_ = filepath.WalkDir(p, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				folders = append(folders, path)
			}
			return nil
		})
		for i := len(folders) - 1; i >= 0; i-- {
			_ = os.Remove(folders[i])
		}
	}
}
