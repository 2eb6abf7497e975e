package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"sync/atomic"
	"time"

	"k8s.io/klog/v2"

	"github.com/slipway-iac/slipway/sandbox/kube/access"
	"github.com/slipway-iac/slipway/sandbox/kube/balancing"
	"github.com/slipway-iac/slipway/sandbox/kube/controlplane"
	"github.com/slipway-iac/slipway/sandbox/kube/internal/atomicfile"
	"github.com/slipway-iac/slipway/sandbox/kube/nodes"
	"github.com/slipway-iac/slipway/sandbox/kube/view"
)

// owner is the cluster to which the data in etcd belongs. It is on disk, so that a cluster deleted while the control plane was
// down, or killed, is noticed.
type owner struct {
	file string
	id   atomic.Value // string
}

type ownerFile struct {
	Cluster string `json:"cluster"`
}

// openOwner reads who owns the data, and wipes what a cluster left that is gone from the account. An account that was never
// written says nothing: then nothing is wiped.
func openOwner(dir string, account *view.Watcher) (*owner, error) {
	o := &owner{file: filepath.Join(dir, "cluster.json")}
	o.id.Store("")
	b, err := os.ReadFile(o.file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err == nil {
		var f ownerFile
		if err := json.Unmarshal(b, &f); err != nil {
			return nil, fmt.Errorf("%s is not readable (%w): remove it if the cluster in the account is the one whose objects are kept here", o.file, err)
		}
		o.id.Store(f.Cluster)
	}
	v, _, err := account.Current()
	if err != nil && !view.Absent(err) {
		return nil, err
	}
	if o.gone(v) {
		klog.InfoS("The cluster is gone from the account, wiping its data", "cluster", o.ID())
		if err := os.RemoveAll(filepath.Join(dir, controlplane.EtcdDir)); err != nil {
			return nil, err
		}
		if err := o.set(""); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// ID of the cluster; "" if there is none.
func (o *owner) ID() string { return o.id.Load().(string) }

func (o *owner) set(id string) error {
	b, err := json.Marshal(ownerFile{id})
	if err != nil {
		return err
	}
	if err := atomicfile.Write(o.file, b, 0o600); err != nil {
		return err
	}
	o.id.Store(id)
	return nil
}

// gone tells whether the owner is no longer in the account.
func (o *owner) gone(v *view.View) bool {
	return v != nil && o.ID() != "" && v.ClusterByID(o.ID()) == nil
}

// follower carries changes of the account into the cluster.
type follower struct {
	*server
	nodes     *nodes.Controller
	balancers *balancing.Controller

	again bool
	wrote *view.Status
}

// errWipe asks for a restart with empty data.
var errWipe = errors.New("the cluster was deleted")

// Intervals of steps that nothing announces: while nodes are being drained, and otherwise.
const (
	busyInterval = 250 * time.Millisecond
	idleInterval = 10 * time.Second
)

// follow runs until stop ends (restart is false) or the cluster is deleted (restart is true).
func (f *follower) follow(stop, work context.Context) (restart bool, err error) {
	for {
		interval := idleInterval
		if f.again {
			interval = busyInterval
		}
		select {
		case <-stop.Done():
			return false, nil
		case err := <-f.failed:
			return false, err
		case <-f.account.Changed():
		case <-f.nodes.Changed():
		case <-time.After(interval):
		}
		err := f.step(work)
		if errors.Is(err, errWipe) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
}

// step takes in the account as it is now and publishes where the cluster stands. Only what cannot be tried again is an error.
func (f *follower) step(ctx context.Context) error {
	f.balancers.Changed()
	v, digest, viewErr := f.account.Current()
	status := &view.Status{View: digest, NodeGroups: []view.NodeGroupStatus{}}
	if viewErr != nil && !view.Absent(viewErr) {
		status.Problems = append(status.Problems, viewErr.Error())
	}
	if f.owner.gone(v) {
		return errWipe
	}
	if v != nil {
		if f.owner.ID() == "" && len(v.Clusters) > 0 {
			if err := f.owner.set(v.Clusters[0].ID); err != nil {
				return err
			}
		}
		groups, again, err := f.nodes.Sync(ctx, v.ClusterByID(f.owner.ID()))
		f.again = again
		if groups != nil {
			status.NodeGroups = groups
		}
		if err != nil && ctx.Err() == nil {
			klog.ErrorS(err, "Nodes are not in step with the account yet")
			status.Problems = append(status.Problems, err.Error())
		}
		status.Problems = append(status.Problems, problems(v, f.owner.ID())...)
	}
	status.Cluster = f.owner.ID()
	if reflect.DeepEqual(status, f.wrote) {
		return nil
	}
	if err := view.WriteStatus(f.Dir, status); err != nil {
		return err
	}
	f.wrote = status
	return nil
}

// problems of the account that the control plane can only tell.
func problems(v *view.View, owner string) (all []string) {
	for _, c := range v.Clusters {
		if c.ID != owner {
			all = append(all, fmt.Sprintf("cluster %q gets no control plane: the sandbox runs one, and it belongs to another cluster until that is deleted", c.Name))
		}
		for _, e := range c.AccessEntries {
			for _, p := range e.Policies {
				if !access.KnownPolicy(p.Arn) {
					all = append(all, fmt.Sprintf("access policy %s of %s is not known to the sandbox and allows nothing", p.Arn, e.PrincipalArn))
				}
			}
		}
	}
	return all
}
