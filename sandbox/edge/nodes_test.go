package edge

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/slipway-iac/slipway/sandbox/kube/endpoint"
	"github.com/slipway-iac/slipway/sandbox/kube/realnode"
)

func kubeNode(name, address string, real bool) corev1.Node {
	n := corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"eks.amazonaws.com/nodegroup": "general"}},
		Spec:       corev1.NodeSpec{ProviderID: "aws:///us-west-2a/i-0" + name},
		Status: corev1.NodeStatus{Addresses: []corev1.NodeAddress{
			{Type: corev1.NodeHostName, Address: name}, {Type: corev1.NodeInternalIP, Address: address}, {Type: corev1.NodeInternalDNS, Address: name},
		}},
	}
	if real {
		n.Annotations = map[string]string{realnode.Annotation: "true"}
	}
	return n
}

// controlPlane is one of which only the nodes can be asked. Each value of lists ends the watch of the one before.
func controlPlane(t *testing.T, dir string, lists <-chan []corev1.Node) {
	t.Helper()
	info, err := endpoint.Prepare(dir)
	if err != nil {
		t.Fatal(err)
	}
	own, err := tls.LoadX509KeyPair(info.PKI("apiserver.pem"), info.PKI("apiserver.pem"))
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Query().Get("watch") == "" {
			select {
			case nodes := <-lists:
				_ = json.NewEncoder(w).Encode(corev1.NodeList{TypeMeta: metav1.TypeMeta{Kind: "NodeList", APIVersion: "v1"}, ListMeta: metav1.ListMeta{ResourceVersion: "7"}, Items: nodes})
			case <-r.Context().Done():
			}
			return
		}
		if r.URL.Query().Get("resourceVersion") != "7" {
			t.Errorf("watched from %s", r.URL)
		}
		w.WriteHeader(http.StatusOK) // and the watch ends, so that the nodes are listed anew
	}))
	s.Listener.Close()
	if s.Listener, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(info.Port))); err != nil {
		t.Fatal(err)
	}
	s.TLS = &tls.Config{Certificates: []tls.Certificate{own}}
	s.StartTLS()
	t.Cleanup(s.Close)
	if err := endpoint.WriteReady(dir, endpoint.Ready{Pid: os.Getpid(), Server: info.Server, Started: time.Now()}); err != nil {
		t.Fatal(err)
	}
}

func TestNodesOfTheCluster(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "kube")
	lists := make(chan []corev1.Node)
	controlPlane(t, dir, lists)
	said, published := make(chan string, 10), make(chan []Node)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var all sync.WaitGroup
	all.Go(func() {
		ClusterNodes(dir, func(s string) { said <- s })(ctx, func(nodes []Node) {
			select {
			case published <- nodes:
			case <-ctx.Done():
			}
		})
	})
	next := func(want ...Node) {
		t.Helper()
		select {
		case got := <-published:
			if !reflect.DeepEqual(got, append([]Node(nil), want...)) {
				t.Errorf("published %+v, want %+v", got, want)
			}
		case <-time.After(time.Minute):
			t.Fatal("nothing was published for a minute")
		}
	}

	tells := func(nodes ...corev1.Node) {
		t.Helper()
		select {
		case lists <- nodes:
		case got := <-published:
			t.Fatalf("published %+v, which is nothing new", got)
		case <-time.After(time.Minute):
			t.Fatal("nobody asked for the nodes for a minute")
		}
	}

	next() // nothing runs
	if s := <-said; s != "Kubernetes does not run, so there are no nodes: `sandbox start` starts it" {
		t.Errorf("said %q", s)
	}
	held, err := endpoint.Hold(dir)
	if err != nil {
		t.Fatal(err)
	}
	a := Node{Name: "a", Group: "general", Instance: "i-0a", Address: "10.0.0.4"}
	b := Node{Name: "b", Group: "general", Instance: "i-0b", Address: "10.0.0.5", Real: true}
	tells(kubeNode("b", "10.0.0.5", true), kubeNode("a", "10.0.0.4", false))
	next(a, b)
	tells(kubeNode("a", "10.0.0.4", false), kubeNode("b", "10.0.0.5", true)) // the same: nobody has to know
	tells(kubeNode("b", "10.0.0.5", true))
	next(b)
	if err := (os.NewFile(uintptr(held), "lock")).Close(); err != nil {
		t.Fatal(err)
	}
	select { // it may be asking at this moment
	case lists <- []corev1.Node{kubeNode("b", "10.0.0.5", true)}:
		next()
	case got := <-published:
		if got != nil {
			t.Errorf("without a control plane there are nodes %+v", got)
		}
	case <-time.After(time.Minute):
		t.Fatal("nothing was published when the control plane had ended")
	}
	cancel()
	all.Wait()
	if n := len(said); n != 1 {
		t.Errorf("%d more things were said, want one: that it does not run any more", n)
	}
}
