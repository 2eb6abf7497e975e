package view

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/slipway-iac/slipway/sandbox/kube/internal/atomicfile"
)

// Status is what the control plane has made of the view: the answer in the other direction. It lies in the control
// plane's folder and is only meant while that runs.
type Status struct {
	// View is the digest of the view that this status answers.
	View string `json:"view"`
	// Cluster is the Cluster.ID to which the control plane belongs; "" while no cluster exists. Until a cluster's ID
	// stands here its tokens are refused: what the cluster before it left is still being wiped.
	Cluster string `json:"cluster"`
	// NodeGroups of that cluster.
	NodeGroups []NodeGroupStatus `json:"nodeGroups"`
	// Problems in words for people; empty if all is well.
	Problems []string `json:"problems,omitempty"`
}

// NodeGroupStatus is how far the nodes of a group are.
type NodeGroupStatus struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Ready nodes of the group's present version, not counting those that are being drained.
	Ready int `json:"ready"`
	// Leaving nodes are being drained: beyond the desired number, or of an older version.
	Leaving int `json:"leaving"`
	// Problem says why nodes cannot be made; "" if they can.
	Problem string `json:"problem,omitempty"`
}

// Group is the status of the group with that id; ok is false if there is none.
func (s *Status) Group(id string) (g NodeGroupStatus, ok bool) {
	for _, g := range s.NodeGroups {
		if g.ID == id {
			return g, true
		}
	}
	return NodeGroupStatus{}, false
}

func statusFile(dir string) string { return filepath.Join(dir, "status.json") }

// WriteStatus is for the control plane.
func WriteStatus(dir string, s *Status) error {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.Write(statusFile(dir), b, 0o600)
}

// ReadStatus is the status in the control plane's folder. A control plane that never ran is an error that is
// fs.ErrNotExist.
func ReadStatus(dir string) (*Status, error) {
	b, err := os.ReadFile(statusFile(dir))
	if err != nil {
		return nil, err
	}
	s := &Status{}
	if err := json.Unmarshal(b, s); err != nil {
		return nil, fmt.Errorf("%s: %w", statusFile(dir), err)
	}
	return s, nil
}

// Await waits until the control plane in dir reports a status that satisfies done, and returns it. When ctx ends first,
// the error carries the last status seen.
func Await(ctx context.Context, dir string, done func(*Status) bool) (*Status, error) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		s, err := ReadStatus(dir)
		if err == nil && done(s) {
			return s, nil
		}
		select {
		case <-ctx.Done():
			if err != nil {
				return nil, fmt.Errorf("the control plane in %s did not answer: %w", dir, err)
			}
			b, _ := json.Marshal(s)
			return s, fmt.Errorf("the control plane in %s is not there yet (%w): %s", dir, ctx.Err(), b)
		case <-tick.C:
		}
	}
}
