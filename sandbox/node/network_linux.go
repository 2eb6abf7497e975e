package node

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/slipway-iac/slipway/sandbox/kube/realnode"
)

// network is what a node is connected by: a pair of interfaces, one end on the host, with a route to the node's address and one
// to those of its pods. The host passes packets on between nodes, as a router of a VPC does.
type network struct {
	// name of the namespace, and of the host's end.
	name    string
	address netip.Addr
	pods    netip.Prefix
}

func (n network) namespace() string { return "/run/netns/" + n.name }

// up makes it all; what is there already is made anew.
func (n network) up() error {
	n.down()
	if err := n.makeNamespace(); err != nil {
		return fmt.Errorf("network namespace %s: %w", n.name, err)
	}
	pair := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: n.name}, PeerName: n.name + "p"}
	if err := netlink.LinkAdd(pair); err != nil {
		return fmt.Errorf("interface %s: %w", n.name, err)
	}
	peer, err := netlink.LinkByName(n.name + "p")
	if err != nil {
		return err
	}
	handle, err := netns.GetFromPath(n.namespace())
	if err != nil {
		return err
	}
	defer handle.Close()
	if err := netlink.LinkSetNsFd(peer, int(handle)); err != nil {
		return err
	}
	host, err := netlink.LinkByName(n.name)
	if err != nil {
		return err
	}
	if err := netlink.LinkSetUp(host); err != nil {
		return err
	}
	for _, to := range []netip.Prefix{netip.PrefixFrom(n.address, 32), n.pods} {
		route := &netlink.Route{LinkIndex: host.Attrs().Index, Scope: netlink.SCOPE_LINK, Dst: ipNet(to)}
		if to == n.pods {
			route.Scope, route.Gw, route.Flags = netlink.SCOPE_UNIVERSE, n.address.AsSlice(), int(netlink.FLAG_ONLINK)
		}
		if err := netlink.RouteReplace(route); err != nil {
			return fmt.Errorf("route to %s: %w", to, err)
		}
	}
	return n.inside(func() error { return n.configure() })
}

// configure is done in the namespace.
func (n network) configure() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return err
	}
	link, err := netlink.LinkByName(n.name + "p")
	if err != nil {
		return err
	}
	if err := netlink.LinkSetName(link, "eth0"); err != nil {
		return err
	}
	if err := netlink.AddrAdd(link, &netlink.Addr{IPNet: ipNet(netip.PrefixFrom(n.address, 32))}); err != nil {
		return err
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return err
	}
	gateway := net.ParseIP(realnode.HostAddress)
	for _, r := range []*netlink.Route{
		{LinkIndex: link.Attrs().Index, Scope: netlink.SCOPE_LINK, Dst: &net.IPNet{IP: gateway, Mask: net.CIDRMask(32, 32)}},
		{LinkIndex: link.Attrs().Index, Gw: gateway},
	} {
		if err := netlink.RouteAdd(r); err != nil {
			return fmt.Errorf("route in the namespace: %w", err)
		}
	}
	for path, value := range map[string]string{
		"/proc/sys/net/ipv4/ip_forward": "1", "/proc/sys/net/bridge/bridge-nf-call-iptables": "1", "/proc/sys/net/ipv4/conf/all/route_localnet": "1",
	} {
		if err := os.WriteFile(path, []byte(value), 0o644); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}

// down takes away what there is of it.
func (n network) down() {
	if l, err := netlink.LinkByName(n.name); err == nil {
		_ = netlink.LinkDel(l)
	}
	_ = unix.Unmount(n.namespace(), unix.MNT_DETACH)
	_ = os.Remove(n.namespace())
}

const forwarding = "/proc/sys/net/ipv4/ip_forward"

// prepareHost gives the host its address towards the nodes, and lets it pass packets on, until restore.
func prepareHost() (restore func(), err error) {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return nil, err
	}
	address := &netlink.Addr{IPNet: ipNet(netip.MustParsePrefix(realnode.HostAddress + "/32"))}
	if err := netlink.AddrReplace(lo, address); err != nil {
		return nil, fmt.Errorf("address %s: %w", realnode.HostAddress, err)
	}
	before, err := os.ReadFile(forwarding)
	if err != nil {
		return nil, err
	}
	restore = func() {
		_ = netlink.AddrDel(lo, address)
		_ = os.WriteFile(forwarding, before, 0o644)
	}
	return restore, os.WriteFile(forwarding, []byte("1"), 0o644)
}

// makeNamespace makes one that stays without a process: it is mounted at its name, as iproute2 does.
func (n network) makeNamespace() error {
	if err := os.MkdirAll(filepath.Dir(n.namespace()), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(n.namespace(), nil, 0o444); err != nil {
		return err
	}
	failed := make(chan error)
	go func() {
		// The thread is never unlocked: it ends with the goroutine, and its namespace lives on in the mount.
		runtime.LockOSThread()
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			failed <- err
			return
		}
		failed <- unix.Mount(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()), n.namespace(), "", unix.MS_BIND, "")
	}()
	return <-failed
}

// inside runs f on a thread in the namespace. A socket that f opens, or a process that it starts, stays there.
func (n network) inside(f func() error) error {
	failed := make(chan error)
	go func() {
		runtime.LockOSThread()
		handle, err := netns.GetFromPath(n.namespace())
		if err != nil {
			failed <- err
			return
		}
		defer handle.Close()
		if err := netns.Set(handle); err != nil {
			failed <- err
			return
		}
		failed <- f()
	}()
	return <-failed
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
