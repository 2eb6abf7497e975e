// Package controlplane runs the parts of a Kubernetes control plane in this process: etcd, kube-apiserver,
// kube-controller-manager and kube-scheduler, each through its own options and Run as upstream's commands do.
//
// The process must have the control plane's folder as its working directory: etcd listens on a Unix socket named relative to
// it, because the length of a socket's path is limited to about a hundred characters.
package controlplane

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.uber.org/zap"
)

// EtcdDir is etcd's folder within that of the control plane.
const EtcdDir = "etcd"

// The sockets' names look like host and port because etcd checks addresses for one.
var (
	etcdClients = url.URL{Scheme: "unix", Host: "etcd.sock:1"}
	etcdPeers   = url.URL{Scheme: "unix", Host: "etcd-peer.sock:1"}
)

// StartEtcd opens the data under EtcdDir, or creates it, and returns when it answers. Every write is flushed to disk
// before it is acknowledged, so that what the API server has confirmed outlives a kill. logger must turn fatal messages
// into something that people see: etcd ends the process on a write that fails.
func StartEtcd(ctx context.Context, logger *zap.Logger) (stop func(), err error) {
	defer func() {
		if p := recover(); p != nil { // etcd panics on data it cannot read
			err = fmt.Errorf("%v", p)
		}
	}()
	wal.SegmentSizeBytes = 8 << 20 // etcd reserves a segment ahead; 64 MB each is for larger clusters

	c := embed.NewConfig()
	c.Dir = EtcdDir
	c.ListenClientUrls, c.AdvertiseClientUrls = []url.URL{etcdClients}, []url.URL{etcdClients}
	c.ListenPeerUrls, c.AdvertisePeerUrls = []url.URL{etcdPeers}, []url.URL{etcdPeers}
	c.InitialCluster = c.InitialClusterFromName(c.Name)
	// A single member elects itself after one election time-out, which is all that a start waits for.
	c.TickMs, c.ElectionMs = 20, 200
	c.ZapLoggerBuilder = embed.NewZapLoggerBuilder(logger)
	e, err := embed.StartEtcd(c)
	if err != nil {
		return nil, err
	}
	select {
	case <-e.Server.ReadyNotify():
		return e.Close, nil
	case err = <-e.Err():
	case <-e.Server.StopNotify():
		err = errors.New("etcd stopped")
	case <-time.After(30 * time.Second):
		err = errors.New("etcd did not become ready within 30 s")
	case <-ctx.Done():
		err = ctx.Err()
	}
	e.Close()
	return nil, err
}
