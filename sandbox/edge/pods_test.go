package edge

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/slipway-iac/slipway/sandbox/aws"
	"github.com/slipway-iac/slipway/sandbox/aws/targets"
)

func TestPodsOfTheCluster(t *testing.T) {
	pod := func(name, address string, change func(*corev1.Pod)) corev1.Pod {
		p := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}, Spec: corev1.PodSpec{NodeName: "n"}, Status: corev1.PodStatus{PodIP: address, Phase: corev1.PodRunning}}
		if change != nil {
			change(&p)
		}
		return p
	}
	got := podsOf([]corev1.Pod{
		pod("web-2", "10.0.0.9", nil),
		pod("web-1", "10.0.0.8", nil),
		pod("new", "", nil),
		pod("proxy", "10.0.0.4", func(p *corev1.Pod) { p.Spec.HostNetwork = true }), // the address is its node's
		pod("job", "10.0.0.8", func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded }),
		pod("crashed", "10.0.0.9", func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed }),
	})
	if want := []Pod{{"shop/web-1", "10.0.0.8", "n"}, {"shop/web-2", "10.0.0.9", "n"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// door is a load balancer whose every request goes to the target group "web", of addresses.
func door(t *testing.T) *account {
	t.Helper()
	a := newAccount(t)
	a.network()
	a.certificate("certificate")
	a.balancer("door", "certificate", "example.com")
	a.group("web", 8080, object{"targetType": "ip"})
	a.rule("all", "door-https", 10, object{"pathPattern": object{"values": list("/*")}}, a.forward(nil, "web", 1))
	return a
}

func TestPodThatIsATarget(t *testing.T) {
	a := door(t)
	group := targets.Account(filepath.Dir(a.File()))
	s := serve(t, a)
	s.pods <- []Pod{{Name: "shop/web-1", Address: "10.0.0.8", Node: "n"}}
	s.becomes("https://example.com/", 503, "Service Temporarily Unavailable")
	one := []targets.Target{{ID: "10.0.0.8", Port: 9000}}
	if err := group.Change(a.id("web"), one, nil); err != nil {
		t.Fatal(err)
	}
	s.becomes("https://example.com/", 200, "target group: web\npod: shop/web-1\nport: 9000\n\nNo container has answered")
	if err := group.Change(a.id("web"), nil, one); err != nil {
		t.Fatal(err)
	}
	s.becomes("https://example.com/", 503, "Service Temporarily Unavailable")
}

// A target that is deregistered drains: it gets nothing new, and may end what it has begun.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html#deregistration-delay
func TestTargetThatLeavesEndsItsRequests(t *testing.T) {
	begun, end := make(chan struct{}), make(chan struct{})
	pod := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(begun)
			<-end
		}
		fmt.Fprint(w, "the pod")
	}))
	defer pod.Close()
	address, port := place(t, pod.URL)
	a := door(t)
	var target *aws.Object
	err := a.Do("us-west-2", func(tx *aws.Tx) error { // directly: AWS takes no loopback addresses
		target = &aws.Object{Type: targets.TargetType, ID: "t", Region: "us-west-2", Inputs: object{"targetGroupArn": a.id("web"), "targetId": address, "port": float64(port)}}
		tx.Add(target)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, a)
	s.becomes("https://example.com/", 200, "the pod")
	slow := make(chan string, 1)
	go func() {
		code, body := s.get("https://example.com/slow")
		slow <- fmt.Sprint(code, " ", body)
	}()
	<-begun
	if err := a.Do("us-west-2", func(tx *aws.Tx) error { tx.Remove(tx.Find(targets.TargetType, "id", "t")); return nil }); err != nil {
		t.Fatal(err)
	}
	s.becomes("https://example.com/", 503, "Service Temporarily Unavailable")
	for range 20 {
		if code, body := s.get("https://example.com/"); code != 503 {
			t.Fatalf("a target that has left answers a new request: %d %s", code, body)
		}
	}
	close(end)
	if got := <-slow; got != "200 the pod" {
		t.Errorf("the request that it had begun ended with %s", got)
	}
}

// publishes passes on to an Edge what a test sends.
func publishes[T any](from <-chan T) func(context.Context, func(T)) {
	return func(ctx context.Context, publish func(T)) {
		for {
			select {
			case <-ctx.Done():
				return
			case v := <-from:
				publish(v)
			}
		}
	}
}
