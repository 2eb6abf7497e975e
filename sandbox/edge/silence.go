package edge

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// silences are the connections of clients, each with how long it may be without a request.
type silences struct{ of sync.Map }

type silenceKey struct{}

// silence is how long a connection may be without a request, and what ends it then.
type silence struct {
	limit atomic.Int64
	timer *time.Timer
}

// begin is the context of the requests of a new connection; for http.Server.ConnContext.
func (all *silences) begin(ctx context.Context, c net.Conn) context.Context {
	s := &silence{}
	all.of.Store(c, s)
	return context.WithValue(ctx, silenceKey{}, s)
}

// limitSilence says how long the connection of a request may be without another one.
func limitSilence(r *http.Request, limit time.Duration) {
	if s, ok := r.Context().Value(silenceKey{}).(*silence); ok {
		s.limit.Store(int64(limit))
	}
}

// watch closes connections on which nothing is asked for too long; for http.Server.ConnState.
func (all *silences) watch(c net.Conn, now http.ConnState) {
	v, ok := all.of.Load(c)
	if !ok {
		return
	}
	s := v.(*silence)
	if s.timer != nil {
		s.timer.Stop()
	}
	switch now {
	case http.StateIdle:
		if limit := time.Duration(s.limit.Load()); limit > 0 {
			s.timer = time.AfterFunc(limit, func() { _ = c.Close() })
		}
	case http.StateClosed, http.StateHijacked:
		all.of.Delete(c)
	}
}
