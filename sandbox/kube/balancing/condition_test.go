package balancing

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/slipway-iac/slipway/sandbox/healthcheck"
	"github.com/slipway-iac/slipway/sandbox/kube/view"
)

func TestWhatChecksTell(t *testing.T) {
	unwell := healthcheck.Health{Known: true}
	for _, c := range []struct {
		health healthcheck.Health
		err    error
		want   string
	}{
		{healthcheck.Health{}, nil, "Elb.InitialHealthChecking: Initial health checks in progress"},
		{healthcheck.Health{}, errors.New("refused"), "Elb.InitialHealthChecking: Initial health checks in progress"},
		{healthcheck.Health{Known: true, Well: true}, errors.New("one failure is not enough"), ": "},
		{unwell, fmt.Errorf("probe: %w", &healthcheck.Mismatch{Status: 503}), "Target.ResponseCodeMismatch: Health checks failed with these codes: [503]"},
		{unwell, fmt.Errorf("get: %w", context.DeadlineExceeded), "Target.Timeout: Request timed out"},
		{unwell, os.ErrDeadlineExceeded, "Target.Timeout: Request timed out"},
		{unwell, errors.New("connection refused"), "Target.FailedHealthChecks: Health checks failed"},
	} {
		got := checked(c.health, c.err)
		if text := got.reason + ": " + got.description; text != c.want || got.healthy != c.health.Well {
			t.Errorf("%+v after %v is %+v, want %q", c.health, c.err, got, c.want)
		}
	}
}

func TestConditionOfAPod(t *testing.T) {
	before, now := metav1.NewTime(time.Unix(1000, 0)), metav1.NewTime(time.Unix(2000, 0))
	has := func(h targetHealth) *corev1.Pod {
		return &corev1.Pod{Status: corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}, *conditionFor(&corev1.Pod{}, gate, h, before)}}}
	}
	for _, c := range []struct {
		name string
		pod  *corev1.Pod
		h    targetHealth
		want string
	}{
		{"the first", &corev1.Pod{}, initial, "False Elb.InitialHealthChecking 2000"},
		{"the same", has(initial), initial, ""},
		{"another reason: the status has not changed", has(registration), unused, "False Target.NotInUse 1000"},
		{"another status", has(unused), healthy, "True  2000"},
		{"let go while it was healthy", has(healthy), left, "True  1000"},
	} {
		got := ""
		if n := conditionFor(c.pod, gate, c.h, now); n != nil {
			got = fmt.Sprintf("%s %s %d", n.Status, n.Reason, n.LastTransitionTime.Unix())
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// A target that runs for real is asked; what is known of it outlives a change of the group's settings, and ends with its
// registration.
func TestChecksOfARealTarget(t *testing.T) {
	var status atomic.Int64
	status.Store(500)
	pod := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(status.Load())) }))
	defer pod.Close()
	u, err := url.Parse(pod.URL)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	changed := make(chan struct{}, 100)
	c := checks{changed: func() { changed <- struct{}{} }, running: map[check]*checking{}}
	group := &view.TargetGroup{ARN: "g", Version: "HTTP1", Check: healthcheck.Settings{
		Enabled: true, Protocol: "HTTP", Port: "traffic-port", Path: "/", Matcher: "200", Interval: time.Millisecond, Timeout: time.Minute, Healthy: 2, Unhealthy: 2,
	}}
	k := checkOf(group, u.Hostname(), port)
	ctx, cancel := context.WithCancel(t.Context())
	is := func(k check, want targetHealth) {
		t.Helper()
		for deadline := time.After(time.Minute); ; {
			got := c.begin(ctx, k)
			if got == want {
				return
			}
			select {
			case <-changed:
			case <-deadline:
				t.Fatalf("it is %+v, want %+v", got, want)
			}
		}
	}
	if got := c.begin(ctx, k); got != initial {
		t.Errorf("at first it is %+v", got)
	}
	is(k, targetHealth{reason: "Target.ResponseCodeMismatch", description: "Health checks failed with these codes: [500]"})
	status.Store(200)
	is(k, healthy)

	status.Store(201)
	other := k
	other.settings.Interval, other.settings.Unhealthy = time.Hour, 10
	if got := c.begin(ctx, other); got != healthy {
		t.Errorf("after a change of settings it is %+v", got)
	}
	c.keep(map[check]bool{other: true}, nil)
	if len(c.running) != 1 {
		t.Errorf("%d checks run, want one", len(c.running))
	}
	c.keep(nil, map[string]bool{"g": true})
	if len(c.running) != 1 {
		t.Error("the checks of a group that could not be looked at are ended")
	}
	c.keep(nil, nil)
	if got := c.begin(ctx, other); got != initial {
		t.Errorf("registered anew it is %+v", got)
	}
	cancel()
	c.parts.Wait()
}
