package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const marker = "<!-- slipway review: shop/prod -->"

// hub is as much of GitHub as a comment needs.
type hub struct {
	t        *testing.T
	url      string
	mutex    sync.Mutex
	comments []comment
	// perPage is how many comments a page has; login is the token's user, "" for one without.
	perPage int
	login   string
	// before answers a request in place of the hub, if it returns true; after may cut the answer to one that was carried out.
	before func(w http.ResponseWriter, r *http.Request) bool
	after  func(w http.ResponseWriter, r *http.Request) bool
	asked  []string
	slept  []time.Duration
}

func newHub(t *testing.T) *hub {
	h := &hub{t: t, perPage: 2}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	h.url = server.URL
	return h
}

func (h *hub) client() *Client {
	return &Client{
		API: h.url, Token: "t0ken", Repository: "octo/shop", Number: 7, HTTP: http.DefaultClient,
		Sleep: func(_ context.Context, d time.Duration) error { h.slept = append(h.slept, d); return nil },
	}
}

func (h *hub) add(id int64, login, body string) {
	c := comment{ID: id, Body: body, HTMLURL: fmt.Sprint("https://github.example/c", id)}
	c.User.Login = login
	h.comments = append(h.comments, c)
}

func (h *hub) body(id int64) string {
	for _, c := range h.comments {
		if c.ID == id {
			return c.Body
		}
	}
	return ""
}

func fail(w http.ResponseWriter, status int, message string) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": message})
}

func (h *hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.asked = append(h.asked, r.Method+" "+r.URL.Path)
	if got := r.Header.Get("Authorization"); got != "Bearer t0ken" {
		fail(w, http.StatusUnauthorized, "Bad credentials")
		return
	}
	if h.before != nil && h.before(w, r) {
		return
	}
	var sent struct{ Body string }
	if r.Method != http.MethodGet {
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			h.t.Error(err)
		}
	}
	answer := func(v any) {
		if h.after != nil && h.after(w, r) {
			return
		}
		_ = json.NewEncoder(w).Encode(v)
	}
	switch list := "/repos/octo/shop/issues/7/comments"; {
	case r.URL.Path == "/user" && h.login == "":
		fail(w, http.StatusForbidden, "Resource not accessible by integration")
	case r.URL.Path == "/user":
		answer(map[string]string{"login": h.login})
	case r.Method == http.MethodGet && r.URL.Path == list:
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		page = max(page, 1)
		from, to := min((page-1)*h.perPage, len(h.comments)), min(page*h.perPage, len(h.comments))
		if to < len(h.comments) {
			w.Header().Set("Link", fmt.Sprintf(`<%s%s?page=%d>; rel="next", <%s%s?page=9>; rel="last"`, h.url, list, page+1, h.url, list))
		}
		answer(h.comments[from:to])
	case r.Method == http.MethodPost && r.URL.Path == list:
		h.add(int64(1000+len(h.comments)), "github-actions[bot]", sent.Body)
		answer(h.comments[len(h.comments)-1])
	case r.Method == http.MethodPatch:
		for i := range h.comments {
			if r.URL.Path == fmt.Sprintf("/repos/octo/shop/issues/comments/%d", h.comments[i].ID) {
				h.comments[i].Body = sent.Body
				answer(h.comments[i])
				return
			}
		}
		fail(w, http.StatusNotFound, "Not Found")
	default:
		fail(w, http.StatusNotFound, "Not Found")
	}
}

func put(t *testing.T, c *Client, text string) string {
	t.Helper()
	said, err := c.Comment(t.Context(), marker, marker+"\n"+text)
	if err != nil {
		t.Fatal(err)
	}
	return said
}

// TestOneCommentIsKeptUpToDate, on whatever page it is; those of others are not touched, whatever they hold.
func TestOneCommentIsKeptUpToDate(t *testing.T) {
	h := newHub(t)
	h.add(1, "octocat", marker+"\nmine")
	h.add(2, "octocat", "see\n"+marker)
	h.add(3, "github-actions[bot]", "<!-- slipway review: shop/staging -->\nanother stack")
	h.add(4, "github-actions[bot]", "quoted "+marker)
	h.add(5, "octocat", "fine")
	before := slices.Clone(h.comments)
	if said := put(t, h.client(), "first"); !strings.Contains(said, "https://github.example/c1005") {
		t.Error(said)
	}
	h.comments[5].Body = strings.ReplaceAll(h.comments[5].Body, "\n", "\r\n") // as GitHub may give it back
	put(t, h.client(), "second")
	if len(h.comments) != 6 || h.comments[5].Body != marker+"\nsecond" || !slices.Equal(h.comments[:5], before) {
		t.Errorf("the comments are %+v", h.comments)
	}
}

// TestTheTokensUserIsTheAuthor, where it has one.
func TestTheTokensUserIsTheAuthor(t *testing.T) {
	h := newHub(t)
	h.login = "release-bot"
	h.add(1, "github-actions[bot]", marker+"\nof the workflow")
	h.add(2, "release-bot", marker+"\nof the bot")
	put(t, h.client(), "new")
	if h.body(2) != marker+"\nnew" || h.body(1) != marker+"\nof the workflow" {
		t.Errorf("the comments are %+v", h.comments)
	}
	h.login = ""
	h.add(3, "my-app[bot]", marker+"\nof an app")
	c := h.client()
	c.Author = "my-app[bot]"
	put(t, c, "newer")
	if h.body(3) != marker+"\nnewer" || h.body(2) != marker+"\nnew" {
		t.Errorf("the comments are %+v", h.comments)
	}
}

// TestALimitIsWaitedFor, as long as GitHub says, if that is not too long.
func TestALimitIsWaitedFor(t *testing.T) {
	for name, c := range map[string]struct {
		header  map[string]string
		message string
		status  int
		waits   time.Duration
		fails   bool
	}{
		"Retry-After":     {map[string]string{"Retry-After": "17"}, "You have exceeded a secondary rate limit", 403, 17 * time.Second, false},
		"429":             {map[string]string{"Retry-After": "3"}, "", 429, 3 * time.Second, false},
		"without a time":  {nil, "You have exceeded a secondary rate limit", 403, time.Minute, false},
		"an hour":         {map[string]string{"Retry-After": "3600"}, "API rate limit exceeded", 403, 0, true},
		"a primary limit": {map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10)}, "API rate limit exceeded", 403, 0, true},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPatch} {
			h := newHub(t)
			if method == http.MethodPatch {
				h.add(1, "github-actions[bot]", marker)
			}
			limited := false
			h.before = func(w http.ResponseWriter, r *http.Request) bool {
				if limited || r.Method != method {
					return false
				}
				limited = true
				for k, v := range c.header {
					w.Header().Set(k, v)
				}
				fail(w, c.status, c.message)
				return true
			}
			patient := h.client()
			patient.Summary = filepath.Join(t.TempDir(), "summary.md")
			_, err := patient.Comment(t.Context(), marker, marker+"\ntext")
			if _, missing := os.Stat(patient.Summary); missing == nil {
				t.Errorf("%s, %s: a limit is taken for a token that may only read", name, method)
			}
			switch {
			case c.fails && (err == nil || !strings.Contains(err.Error(), "too many requests")):
				t.Errorf("%s, %s: %v", name, method, err)
			case !c.fails && (err != nil || len(h.comments) != 1 || h.comments[0].Body != marker+"\ntext" || !slices.Equal(h.slept, []time.Duration{c.waits})):
				t.Errorf("%s, %s: %v after waits of %v, %+v", name, method, err, h.slept, h.comments)
			}
		}
	}
}

// TestAServerThatFailsIsAskedAgain, and a comment that was made before the answer was lost is not made twice.
func TestAServerThatFailsIsAskedAgain(t *testing.T) {
	h := newHub(t)
	failures := 3
	h.after = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet || failures == 0 {
			return false
		}
		failures--
		fail(w, http.StatusBadGateway, "Bad gateway")
		return true
	}
	put(t, h.client(), "text")
	if len(h.comments) != 1 {
		t.Errorf("the comments are %+v", h.comments)
	}
	if want := []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}; !slices.Equal(h.slept, want) {
		t.Errorf("it waited %v, want %v", h.slept, want)
	}

	h = newHub(t)
	h.before = func(w http.ResponseWriter, r *http.Request) bool { fail(w, 503, "down"); return true }
	if _, err := h.client().Comment(t.Context(), marker, "x"); err == nil || len(h.asked) != attempts {
		t.Errorf("%v after %d requests", err, len(h.asked))
	}
}

// TestACommentThatIsDeletedMeanwhile is made anew.
func TestACommentThatIsDeletedMeanwhile(t *testing.T) {
	h := newHub(t)
	h.add(1, "github-actions[bot]", marker)
	h.before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPatch {
			h.comments = nil
		}
		return false
	}
	put(t, h.client(), "text")
	if len(h.comments) != 1 || h.comments[0].Body != marker+"\ntext" {
		t.Errorf("the comments are %+v", h.comments)
	}
}

func TestWhatCannotBeDoneIsSaid(t *testing.T) {
	h := newHub(t)
	c := h.client()
	c.Number = 8 // there is no such pull request
	if _, err := c.Comment(t.Context(), marker, "x"); err == nil || !strings.Contains(err.Error(), "answered 404: Not Found") || len(h.slept) > 0 {
		t.Errorf("a pull request that is not there: %v", err)
	}
	c = h.client()
	c.Token = "wrong"
	if _, err := c.Comment(t.Context(), marker, "x"); err == nil || !strings.Contains(err.Error(), "answered 401: Bad credentials") || strings.Contains(err.Error(), "wrong") {
		t.Errorf("a wrong token: %v", err)
	}
	_, err := (&Client{}).Comment(t.Context(), marker, "x")
	if err == nil || !strings.Contains(err.Error(), "missing: GITHUB_TOKEN, GITHUB_REPOSITORY (OWNER/NAME), the pull request's number") {
		t.Errorf("nothing given: %v", err)
	}
	elsewhere := false
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { elsewhere = true }))
	defer other.Close()
	h = newHub(t)
	h.before = func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Link", "<"+other.URL+`/x>; rel="next"`)
		return false
	}
	if _, err := h.client().Comment(t.Context(), marker, "x"); err == nil || elsewhere {
		t.Errorf("a page elsewhere: %v, asked %v", err, elsewhere)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := newHub(t).client().Comment(ctx, marker, "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("a run that was stopped: %v", err)
	}
}

// TestAForksTokenMayOnlyRead: the review goes to the run's summary, behind what is there, and that is no error.
func TestAForksTokenMayOnlyRead(t *testing.T) {
	h := newHub(t)
	h.add(1, "github-actions[bot]", marker+"\nold")
	readOnly := func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet {
			return false
		}
		fail(w, http.StatusForbidden, "Resource not accessible by integration")
		return true
	}
	h.before = readOnly
	c := h.client()
	c.Summary = filepath.Join(t.TempDir(), "summary.md")
	if err := os.WriteFile(c.Summary, []byte("before\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if said := put(t, c, "text"); !strings.Contains(said, "the review is in the run's summary") {
		t.Error(said)
	}
	got, err := os.ReadFile(c.Summary)
	if err != nil || string(got) != "before\n"+marker+"\ntext\n" || len(h.slept) > 0 {
		t.Errorf("the summary is %q, %v, after waits of %v", got, err, h.slept)
	}
	c.Summary = ""
	if _, err := c.Comment(t.Context(), marker, "x"); err == nil || !strings.Contains(err.Error(), "GITHUB_STEP_SUMMARY") {
		t.Errorf("without a summary: %v", err)
	}
}

func TestTheEventNamesThePullRequest(t *testing.T) {
	for event, want := range map[string]int{
		`{"pull_request": {"number": 12}, "number": 12}`:          12,
		`{"issue": {"number": 13, "pull_request": {"url": "x"}}}`: 13,
		`{"issue": {"number": 14}}`:                               0,
		`{"ref": "refs/heads/main"}`:                              0,
		`no JSON`:                                                 0,
	} {
		file := filepath.Join(t.TempDir(), "event.json")
		if err := os.WriteFile(file, []byte(event), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv("GITHUB_EVENT_PATH", file)
		t.Setenv("GITHUB_API_URL", "https://ghe.example/api/v3")
		if c := FromEnvironment(0); c.Number != want || c.API != "https://ghe.example/api/v3" {
			t.Errorf("%s is of %d, want %d", event, c.Number, want)
		}
		if c := FromEnvironment(99); c.Number != 99 {
			t.Errorf("--pr 99 is of %d", c.Number)
		}
	}
}
