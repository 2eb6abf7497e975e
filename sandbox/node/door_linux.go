package node

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"

	"k8s.io/klog/v2"
)

// door makes a port of the host's loopback reachable at the same port of the node's: the control plane listens on loopback
// only, and the kubelet's certificate check wants the same address.
func door(ctx context.Context, n network, port string, ends *sync.WaitGroup) error {
	address := net.JoinHostPort("127.0.0.1", port)
	var l net.Listener
	if err := n.inside(func() (err error) { l, err = net.Listen("tcp", address); return err }); err != nil {
		return err
	}
	ends.Go(func() { <-ctx.Done(); l.Close() })
	ends.Go(func() {
		for {
			inner, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil {
				klog.ErrorS(err, "A node's door", "node", n.name)
				return
			}
			go pass(inner, address)
		}
	})
	return nil
}

func pass(inner net.Conn, address string) {
	defer inner.Close()
	outer, err := net.Dial("tcp", address)
	if err != nil {
		return // the kubelet asks again
	}
	defer outer.Close()
	go func() {
		_, _ = io.Copy(outer, inner)
		if c, ok := outer.(*net.TCPConn); ok {
			_ = c.CloseWrite()
		}
	}()
	_, _ = io.Copy(inner, outer)
}
