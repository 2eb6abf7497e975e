package edge

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// Connections on which nothing is asked end at the load balancer's idle time-out, on a clock that stands still.
func TestSilentConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := &silences{}
		near, far := net.Pipe()
		r := httptest.NewRequest("GET", "/", nil)
		limitSilence(r.WithContext(all.begin(t.Context(), near)), time.Minute)
		all.watch(near, http.StateNew)
		all.watch(near, http.StateActive)
		time.Sleep(2 * time.Minute) // a long request is none of its business
		all.watch(near, http.StateIdle)
		time.Sleep(50 * time.Second)
		all.watch(near, http.StateActive)
		time.Sleep(50 * time.Second)
		all.watch(near, http.StateIdle)
		begin := time.Now()
		_, err := far.Read(make([]byte, 1))
		if took := time.Since(begin); !errors.Is(err, io.EOF) || took != time.Minute {
			t.Errorf("it ends with %v after %s", err, took)
		}
		all.watch(near, http.StateClosed)
		if _, there := all.of.Load(near); there {
			t.Error("a connection that is gone is kept in mind")
		}
	})
}
