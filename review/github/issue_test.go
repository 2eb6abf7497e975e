package github

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const drifts = "<!-- slipway drift: shop/prod -->"

// board is as much of GitHub as an issue needs: the hub's comments are those of issues here.
type board struct {
	*hub
	issues []issue
	titles map[int]string
}

func newBoard(t *testing.T) *board {
	b := &board{hub: &hub{t: t, perPage: 2}, titles: map[int]string{}}
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	b.url = server.URL
	return b
}

func (b *board) client() *Client {
	c := b.hub.client()
	c.Number = 0
	return c
}

func (b *board) add(login, state, body string) *issue {
	n := len(b.issues) + 1
	i := issue{Number: n, State: state, Body: body, HTMLURL: fmt.Sprint("https://github.example/i", n)}
	i.User.Login = login
	b.issues = append(b.issues, i)
	return &b.issues[n-1]
}

// words are the comments.
func (b *board) words() []string {
	var all []string
	for _, c := range b.comments {
		all = append(all, c.Body)
	}
	return all
}

func (b *board) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	const list = "/repos/octo/shop/issues"
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.asked = append(b.asked, r.Method+" "+r.URL.Path)
	if r.Header.Get("Authorization") != "Bearer t0ken" {
		fail(w, http.StatusUnauthorized, "Bad credentials")
		return
	}
	if b.before != nil && b.before(w, r) {
		return
	}
	var sent struct {
		Title, Body, State string
		Reason             string `json:"state_reason"`
	}
	if r.Method != http.MethodGet {
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			b.t.Error(err)
		}
	}
	answer := func(v any) {
		if b.after != nil && b.after(w, r) {
			return
		}
		_ = json.NewEncoder(w).Encode(v)
	}
	switch {
	case r.URL.Path == "/user":
		fail(w, http.StatusForbidden, "Resource not accessible by integration")
	case r.Method == http.MethodGet && r.URL.Path == list:
		q := r.URL.Query()
		var fit []issue
		for _, i := range b.issues {
			if i.User.Login == q.Get("creator") && (q.Get("state") == "all" || i.State == "open") {
				fit = append(fit, i)
			}
		}
		page, _ := strconv.Atoi(q.Get("page"))
		page = max(page, 1)
		from, to := min((page-1)*b.perPage, len(fit)), min(page*b.perPage, len(fit))
		if to < len(fit) {
			q.Set("page", strconv.Itoa(page+1))
			w.Header().Set("Link", fmt.Sprintf(`<%s%s?%s>; rel="next"`, b.url, list, q.Encode()))
		}
		answer(slices.Concat([]issue{}, fit[from:to]))
	case r.Method == http.MethodPost && r.URL.Path == list:
		i := b.add("github-actions[bot]", "open", sent.Body)
		b.titles[i.Number] = sent.Title
		answer(i)
	default:
		for k := range b.issues {
			i := &b.issues[k]
			switch at := fmt.Sprintf("%s/%d", list, i.Number); {
			case r.Method == http.MethodPatch && r.URL.Path == at:
				i.State, i.StateReason = sent.State, sent.Reason
				if sent.Body != "" {
					i.Body = sent.Body
				}
				answer(i)
				return
			case r.Method == http.MethodPost && r.URL.Path == at+"/comments":
				b.hub.add(int64(len(b.comments)), "github-actions[bot]", sent.Body)
				answer(b.comments[len(b.comments)-1])
				return
			}
		}
		fail(w, http.StatusNotFound, "Not Found")
	}
}

// found is what an issue has to say; it says the same as another with the same text.
func found(text string) Issue {
	return Issue{
		Marker: drifts, Title: "Drift: shop/prod", Body: drifts + "\n" + text,
		Says:  func(body string) bool { return strings.Contains(body, text) },
		Since: func(body string) string { return "now " + text },
	}
}

// TestOneIssueAStack goes through its life: opened, left alone, brought up to date, closed, opened again.
func TestOneIssueAStack(t *testing.T) {
	b := newBoard(t)
	b.add("octocat", "open", drifts+"\nmine")
	b.add("github-actions[bot]", "open", "<!-- slipway drift: shop/staging -->\nanother stack")
	b.add("github-actions[bot]", "closed", "see\n"+drifts)
	b.add("github-actions[bot]", "open", drifts+"\nof a pull request").PullRequest = &struct{}{}
	others := slices.Clone(b.issues)
	keep := func(text string) string {
		t.Helper()
		said, err := b.client().KeepIssue(t.Context(), found(text))
		if err != nil {
			t.Fatal(err)
		}
		return said
	}
	closed := func() string {
		t.Helper()
		said, err := b.client().CloseIssue(t.Context(), drifts, "No drift any more")
		if err != nil {
			t.Fatal(err)
		}
		return said
	}
	for _, c := range []struct {
		do                func() string
		says, state, body string
		words             []string
	}{
		{closed, "", "", "", nil},
		{func() string { return keep("one pod more") }, "opened https://github.example/i5", "open", "one pod more", nil},
		{func() string { return keep("one pod more") }, "nothing is different since https://github.example/i5 was written", "open", "one pod more", nil},
		{func() string { return keep("two pods more") }, "brought up to date https://github.example/i5", "open", "two pods more", []string{"now two pods more"}},
		{closed, "closed https://github.example/i5", "closed", "two pods more", []string{"now two pods more", "No drift any more"}},
		{closed, "", "closed", "two pods more", []string{"now two pods more", "No drift any more"}},
		{func() string { return keep("two pods more") }, "opened again https://github.example/i5", "open", "two pods more", []string{"now two pods more", "No drift any more", "Something drifts again. now two pods more"}},
	} {
		if said := c.do(); said != c.says || !slices.Equal(b.words(), c.words) {
			t.Errorf("it said %q, want %q; the comments are %q, want %q", said, c.says, b.words(), c.words)
		}
		if c.state == "" {
			continue
		}
		if len(b.issues) != 5 || b.issues[4].State != c.state || strings.ReplaceAll(b.issues[4].Body, "\r", "") != drifts+"\n"+c.body || b.titles[5] != "Drift: shop/prod" {
			t.Fatalf("the issues are %+v", b.issues)
		}
		b.issues[4].Body = strings.ReplaceAll(b.issues[4].Body, "\n", "\r\n") // as GitHub may give it back
	}
	for i := range others {
		if b.issues[i].Body != others[i].Body || b.issues[i].State != others[i].State {
			t.Errorf("another's issue is now %+v", b.issues[i])
		}
	}
}

// TestAnIssueThatIsNotPlannedStaysClosed, until something else drifts.
func TestAnIssueThatIsNotPlannedStaysClosed(t *testing.T) {
	b := newBoard(t)
	b.add("github-actions[bot]", "closed", drifts+"\none pod more").StateReason = "not_planned"
	said, err := b.client().KeepIssue(t.Context(), found("one pod more"))
	if err != nil || !strings.Contains(said, "closed as not planned") || b.issues[0].State != "closed" || len(b.comments) > 0 {
		t.Errorf("%q, %v, %+v", said, err, b.issues)
	}
	if _, err := b.client().KeepIssue(t.Context(), found("two pods more")); err != nil || b.issues[0].State != "open" || len(b.issues) != 1 {
		t.Errorf("%v, %+v", err, b.issues)
	}
}

// TestAnIssueIsOpenedOnce, though the answer was lost; and limits are waited for.
func TestAnIssueIsOpenedOnce(t *testing.T) {
	b := newBoard(t)
	lost := 2
	b.after = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet || lost == 0 {
			return false
		}
		lost--
		fail(w, http.StatusBadGateway, "Bad gateway")
		return true
	}
	if _, err := b.client().KeepIssue(t.Context(), found("one pod more")); err != nil || len(b.issues) != 1 || len(b.comments) > 0 {
		t.Errorf("%v, %+v", err, b.issues)
	}

	b = newBoard(t)
	limited := false
	b.before = func(w http.ResponseWriter, r *http.Request) bool {
		if limited || r.Method != http.MethodPost {
			return false
		}
		limited = true
		w.Header().Set("Retry-After", "17")
		fail(w, http.StatusForbidden, "You have exceeded a secondary rate limit")
		return true
	}
	if _, err := b.client().KeepIssue(t.Context(), found("one pod more")); err != nil || len(b.issues) != 1 || !slices.Equal(b.slept, []time.Duration{17 * time.Second}) {
		t.Errorf("%v after waits of %v, %+v", err, b.slept, b.issues)
	}
}

// TestAnIssueThatCannotBeWritten is an error, whatever the reason: a token that may only read, unlike for a comment, too.
func TestAnIssueThatCannotBeWritten(t *testing.T) {
	for status, message := range map[int]string{
		http.StatusForbidden: "Resource not accessible by integration", http.StatusNotFound: "Not Found", http.StatusGone: "Issues are disabled for this repo",
	} {
		b := newBoard(t)
		b.before = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/user" {
				return false
			}
			fail(w, status, message)
			return true
		}
		c := b.client()
		c.Summary = t.TempDir() + "/summary.md"
		if _, err := c.KeepIssue(t.Context(), found("x")); err == nil || !strings.Contains(err.Error(), message) || len(b.slept) > 0 {
			t.Errorf("%d: %v after waits of %v", status, err, b.slept)
		}
		if _, err := os.Stat(c.Summary); err == nil {
			t.Errorf("%d: it went to the summary", status)
		}
	}
	c := newBoard(t).client()
	c.Token = "wrong"
	if _, err := c.CloseIssue(t.Context(), drifts, "x"); err == nil || !strings.Contains(err.Error(), "answered 401: Bad credentials") {
		t.Errorf("a wrong token: %v", err)
	}
	if _, err := (&Client{}).KeepIssue(t.Context(), found("x")); err == nil || !strings.Contains(err.Error(), "missing: GITHUB_TOKEN, GITHUB_REPOSITORY") || strings.Contains(err.Error(), "number") {
		t.Errorf("nothing given: %v", err)
	}
}
