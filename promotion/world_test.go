package promotion_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	ggcr "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/slipway-iac/slipway/promotion"
)

const (
	buildHost = "build.example.com"
	ecrHost   = "123456789012.dkr.ecr.us-west-2.amazonaws.com"
)

// fault is what a registry does with a request instead of answering it; nil for nothing. It may call next to have the answer.
type fault func(w http.ResponseWriter, req *http.Request, next http.Handler)

// hub is a registry over HTTP that remembers what was written, and complains of what refers to something that is not there.
type hub struct {
	images http.Handler
	server *httptest.Server

	mu        sync.Mutex
	fault     func(req *http.Request) fault
	log       []string
	manifests map[string][]byte // by repository@digest
	tags      map[string]string // repository:tag to digest
	replaced  map[string]bool   // repository@digest that a tag was on, and moved away from
	dangling  []string
	// lacks is a repository that has to be made before something is written to it; the library's registry makes all of them.
	lacks string
}

func newHub(opts ...ggcr.Option) *hub {
	h := &hub{
		images:    ggcr.New(append(opts, ggcr.Logger(log.New(io.Discard, "", 0)))...),
		manifests: map[string][]byte{}, tags: map[string]string{}, replaced: map[string]bool{},
	}
	h.server = httptest.NewUnstartedServer(h)
	h.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	h.server.Start()
	return h
}

var path = regexp.MustCompile(`^/v2/(.+)/(manifests|blobs)/([^/]+)$`)

// ServeHTTP implements http.Handler.
func (h *hub) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	h.mu.Lock()
	h.log = append(h.log, req.Method+" "+req.URL.Path)
	var f fault
	if h.fault != nil {
		f = h.fault(req)
	}
	h.mu.Unlock()
	if f != nil {
		f(w, req, http.HandlerFunc(h.answer))
		return
	}
	h.answer(w, req)
}

func (h *hub) answer(w http.ResponseWriter, req *http.Request) {
	m := path.FindStringSubmatch(req.URL.Path)
	if m != nil && m[2] == "manifests" && req.Method == http.MethodGet {
		h.read(w, req, m[1])
		return
	}
	if m == nil || req.Method != http.MethodPut || m[2] != "manifests" {
		h.images.ServeHTTP(w, req)
		return
	}
	content, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	req.Body = io.NopCloser(bytes.NewReader(content))
	h.checkWhole(m[1], m[3], content)
	h.images.ServeHTTP(w, req)
	digest := digestOf(content)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.manifests[m[1]+"@"+digest] = content
	if !strings.HasPrefix(m[3], "sha256:") {
		if old := h.tags[m[1]+":"+m[3]]; old != "" && old != digest {
			h.replaced[m[1]+"@"+old] = true
		}
		h.tags[m[1]+":"+m[3]] = digest
	}
}

// read answers for a manifest as ECR does: a repository in which there is nothing is one all the same.
func (h *hub) read(w http.ResponseWriter, req *http.Request, repository string) {
	said := answered(req, h.images)
	for k, v := range said.Header() {
		w.Header()[k] = v
	}
	w.WriteHeader(said.Code)
	body := said.Body.Bytes()
	if repository != h.lacks {
		body = bytes.Replace(body, []byte("NAME_UNKNOWN"), []byte("MANIFEST_UNKNOWN"), 1)
	}
	_, _ = w.Write(body)
}

func digestOf(content []byte) string {
	d, _, _ := v1.SHA256(bytes.NewReader(content))
	return d.String()
}

// checkWhole notes what a manifest refers to that is not there.
func (h *hub) checkWhole(repository, reference string, content []byte) {
	var m struct {
		Manifests, Layers []v1.Descriptor
		Config, Subject   *v1.Descriptor
	}
	_ = json.Unmarshal(content, &m)
	if m.Config != nil {
		m.Layers = append(m.Layers, *m.Config)
	}
	lacks := func(kind string, d v1.Hash) {
		said := httptest.NewRecorder()
		h.images.ServeHTTP(said, httptest.NewRequest(http.MethodHead, "/v2/"+repository+"/"+kind+"/"+d.String(), nil))
		if said.Code != http.StatusOK {
			h.mu.Lock()
			h.dangling = append(h.dangling, fmt.Sprintf("%s refers to %s %s", reference, kind, d))
			h.mu.Unlock()
		}
	}
	if m.Subject != nil {
		m.Manifests = append(m.Manifests, *m.Subject)
	}
	for _, c := range m.Manifests {
		lacks("manifests", c.Digest)
	}
	for _, l := range m.Layers {
		lacks("blobs", l.Digest)
	}
}

// state is what the registry holds, as text.
func (h *hub) state(blobs []string, repository string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []string
	for k, d := range h.tags {
		out = append(out, k+" "+d)
	}
	for d := range h.manifests {
		if !h.replaced[d] { // a list of referrers before it grew
			out = append(out, d)
		}
	}
	for _, b := range blobs {
		said := httptest.NewRecorder()
		h.images.ServeHTTP(said, httptest.NewRequest(http.MethodHead, "/v2/"+repository+"/blobs/"+b, nil))
		if said.Code == http.StatusOK {
			out = append(out, "blob "+b)
		}
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

func (h *hub) asked(pattern string) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	re := regexp.MustCompile(pattern)
	for _, l := range h.log {
		if re.MatchString(l) {
			n++
		}
	}
	return n
}

func (h *hub) set(f func(req *http.Request) fault) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fault, h.log = f, nil
}

// wire takes requests to the hub of their host; a host that has none is down.
type wire map[string]*hub

// RoundTrip implements http.RoundTripper.
func (w wire) RoundTrip(req *http.Request) (*http.Response, error) {
	h := w[req.URL.Host]
	if h == nil {
		return nil, errors.New("no such host " + req.URL.Host)
	}
	to, err := url.Parse(h.server.URL)
	if err != nil {
		return nil, err
	}
	out := req.Clone(req.Context())
	out.URL.Scheme, out.URL.Host = to.Scheme, to.Host
	resp, err := http.DefaultTransport.RoundTrip(out)
	if resp != nil {
		resp.Request = req
	}
	return resp, err
}

// world is a registry of builds with an image of all kinds in it, and one of production.
type world struct {
	from, to *hub
	wire     wire
	image    *fixture
	waited   []time.Duration
	mu       sync.Mutex
	request  promotion.Request
}

// failer is *testing.T or *rapid.T.
type failer interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
	Errorf(string, ...any)
	Cleanup(func())
}

func newWorld(t failer, opts ...ggcr.Option) *world {
	t.Helper()
	if opts == nil {
		opts = []ggcr.Option{ggcr.WithReferrersSupport(true)}
	}
	w := &world{from: newHub(ggcr.WithReferrersSupport(true)), to: newHub(opts...)}
	t.Cleanup(func() { w.from.server.Close(); w.to.server.Close() })
	w.wire = wire{buildHost: w.from, ecrHost: w.to}
	w.image = push(t, w.wire)
	w.from.set(nil)
	w.request = promotion.Request{
		Source: buildHost + "/team/frontend:1.4.0", Target: ecrHost + "/frontend", Environment: "production",
		Platforms: []string{"linux/amd64", "linux/arm64"}, Keychain: authn.NewMultiKeychain(), Transport: w.wire,
		Patience: promotion.Patience{Sleep: func(ctx context.Context, d time.Duration) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.waited = append(w.waited, d)
			return ctx.Err()
		}},
	}
	return w
}

func (w *world) promote(ctx context.Context) (*promotion.Plan, error) {
	p, err := promotion.Prepare(ctx, w.request)
	if err != nil {
		return nil, err
	}
	return p, p.Run(ctx)
}

func (w *world) must(t failer) *promotion.Plan {
	t.Helper()
	p, err := w.promote(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (w *world) state() string { return w.to.state(w.image.blobs, "frontend") }

// refuses wants words of the error that a promotion ends with, and that the environment's tag is not set.
func (w *world) refuses(t *testing.T, words ...string) {
	t.Helper()
	_, err := w.promote(t.Context())
	for _, word := range words {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("got  %v\nwant %q", err, word)
		}
	}
	if d := w.to.tags["frontend:production-1.4.0"]; d != "" {
		t.Errorf("tagged all the same: %s", d)
	}
	w.whole(t)
}

// whole wants that nothing was ever written before what it refers to.
func (w *world) whole(t failer) {
	t.Helper()
	for _, d := range w.to.dangling {
		t.Errorf("written too early: %s", d)
	}
}
