package pipeline

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Tokens of the hub: what a workflow gets for a branch of the repository, and what it gets for a fork's.
const (
	writing = "ghs_of-a-branch-it-may-write"
	reading = "ghs_of-a-fork-it-may-only-read"
)

// Post is a comment, an issue or a pull request as the hub keeps it.
type Post struct {
	ID      int64  `json:"id"`
	Number  int    `json:"number"`
	Title   string `json:"title"`
	Body    string `json:"body"`
	State   string `json:"state"`
	HTMLURL string `json:"html_url"`
	User    struct {
		Login string `json:"login"`
	} `json:"user"`
	Labels []struct {
		Name string `json:"name"`
	} `json:"labels"`
	// Head is the branch of a pull request.
	Head string `json:"-"`
}

// hub is as much of GitHub's API as the workflows ask; what it does not know, it answers with 404 and keeps for the story to fail on.
type hub struct {
	*httptest.Server
	// compare says how two revisions stand to each other, as GitHub does: identical, ahead, behind, diverged.
	compare func(twoRevisions string) string
	// deploy is how the last run of deploy.yml stands.
	deploy   string
	mutex    sync.Mutex
	comments map[int][]*Post
	issues   []*Post
	pulls    []*Post
	unknown  []string
	// changes counts the requests that changed something.
	changes int
}

func newHub(compare func(string) string) *hub {
	h := &hub{compare: compare, deploy: "completed", comments: map[int][]*Post{}}
	routes := http.NewServeMux()
	for pattern, f := range map[string]func(*http.Request) (int, any){
		"GET /user": func(*http.Request) (int, any) { return denied() },
		"GET /repos/{o}/{r}/compare/{range}": func(r *http.Request) (int, any) {
			return http.StatusOK, map[string]string{"status": h.compare(r.PathValue("range"))}
		},
		"GET /repos/{o}/{r}/actions/workflows/deploy.yml/runs": func(*http.Request) (int, any) {
			return http.StatusOK, map[string]any{"workflow_runs": []any{map[string]any{"id": 1, "run_attempt": 1, "status": h.deploy}}}
		},
		"GET /repos/{o}/{r}/issues/{number}/comments":  func(r *http.Request) (int, any) { return http.StatusOK, h.comments[number(r)] },
		"POST /repos/{o}/{r}/issues/{number}/comments": h.comment,
		"PATCH /repos/{o}/{r}/issues/comments/{id}":    h.editComment,
		"GET /repos/{o}/{r}/issues":                    h.listIssues,
		"POST /repos/{o}/{r}/issues":                   h.openIssue,
		"PATCH /repos/{o}/{r}/issues/{number}":         h.editIssue,
		"POST /repos/{o}/{r}/pulls":                    h.openPull,
		"GET /repos/{o}/{r}/issues/{number}":           func(r *http.Request) (int, any) { return h.issue(number(r)) },
	} {
		routes.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { h.answer(w, r, f) })
	}
	routes.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		h.mutex.Lock()
		defer h.mutex.Unlock()
		h.unknown = append(h.unknown, r.Method+" "+r.URL.String())
		http.NotFound(w, r)
	})
	h.Server = httptest.NewServer(routes)
	return h
}

func denied() (int, any) {
	return http.StatusForbidden, map[string]string{"message": "Resource not accessible by integration"}
}

func number(r *http.Request) int { n, _ := strconv.Atoi(r.PathValue("number")); return n }

func (h *hub) answer(w http.ResponseWriter, r *http.Request, f func(*http.Request) (int, any)) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	status, body := http.StatusUnauthorized, any(map[string]string{"message": "Bad credentials"})
	switch token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "); {
	case token != writing && token != reading:
	case token == reading && r.Method != http.MethodGet:
		status, body = denied()
	default:
		if status, body = f(r); r.Method != http.MethodGet && status < 300 {
			h.changes++
		}
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func posted(r *http.Request) (p struct {
	Title, Body, State, Head, Base string
	Labels                         []string
},
) {
	_ = json.NewDecoder(r.Body).Decode(&p)
	return p
}

func (h *hub) newPost(title, body, path string, n int) *Post {
	p := &Post{ID: int64(1000 + h.changes), Number: n, Title: title, Body: body, State: "open", HTMLURL: fmt.Sprintf("https://github.com/%s/%s", repository, path)}
	p.User.Login = "github-actions[bot]"
	return p
}

func (h *hub) comment(r *http.Request) (int, any) {
	n := number(r)
	p := h.newPost("", posted(r).Body, fmt.Sprintf("pull/%d#issuecomment-%d", n, 1000+h.changes), n)
	h.comments[n] = append(h.comments[n], p)
	return http.StatusCreated, p
}

func (h *hub) editComment(r *http.Request) (int, any) {
	for _, all := range h.comments {
		for _, c := range all {
			if strconv.FormatInt(c.ID, 10) == r.PathValue("id") {
				c.Body = posted(r).Body
				return http.StatusOK, c
			}
		}
	}
	return http.StatusNotFound, nil
}

func (h *hub) listIssues(r *http.Request) (int, any) {
	state := r.URL.Query().Get("state")
	found := []*Post{}
	for _, i := range h.issues {
		if r.URL.Query().Get("page") <= "1" && (state == "all" || i.State == "open" && state != "closed" || i.State == state) {
			found = append(found, i)
		}
	}
	return http.StatusOK, found
}

func (h *hub) issue(n int) (int, any) {
	if i := slices.IndexFunc(h.issues, func(p *Post) bool { return p.Number == n }); i >= 0 {
		return http.StatusOK, h.issues[i]
	}
	return http.StatusNotFound, nil
}

func (h *hub) openIssue(r *http.Request) (int, any) {
	in := posted(r)
	p := h.newPost(in.Title, in.Body, fmt.Sprintf("issues/%d", 100+len(h.issues)), 100+len(h.issues))
	for _, l := range in.Labels {
		p.Labels = append(p.Labels, struct {
			Name string `json:"name"`
		}{l})
	}
	h.issues = append(h.issues, p)
	return http.StatusCreated, p
}

func (h *hub) editIssue(r *http.Request) (int, any) {
	status, found := h.issue(number(r))
	if status != http.StatusOK {
		return status, found
	}
	p, in := found.(*Post), posted(r)
	if in.Title != "" {
		p.Title = in.Title
	}
	if in.Body != "" {
		p.Body = in.Body
	}
	if in.State != "" {
		p.State = in.State
	}
	return http.StatusOK, p
}

func (h *hub) openPull(r *http.Request) (int, any) {
	in := posted(r)
	p := h.newPost(in.Title, in.Body, fmt.Sprintf("pull/%d", 1+len(h.pulls)), 1+len(h.pulls))
	p.Head = in.Head
	h.pulls = append(h.pulls, p)
	return http.StatusCreated, p
}
