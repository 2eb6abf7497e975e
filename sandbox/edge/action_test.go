package edge

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/slipway-iac/slipway/sandbox/aws"
)

func TestLocation(t *testing.T) {
	all := aws.Redirect{Protocol: "#{protocol}", Host: "#{host}", Port: "#{port}", Path: "/#{path}", Query: "#{query}"}
	change := func(f func(*aws.Redirect)) aws.Redirect { r := all; f(&r); return r }
	http, https := aws.Listener{Protocol: "HTTP", Port: 80}, aws.Listener{Protocol: "HTTPS", Port: 443}
	const url = "http://www.example.com:34567/a%20b/c?x=1&y"
	for _, c := range []struct {
		url      string
		listener aws.Listener
		to       aws.Redirect
		want     string
	}{
		// The ports are those of the listeners, not that of loopback.
		{url, http, change(func(r *aws.Redirect) { r.Protocol, r.Port = "HTTPS", "443" }), "https://www.example.com:443/a%20b/c?x=1&y"},
		{url, https, all, "https://www.example.com:443/a%20b/c?x=1&y"},
		{url, http, change(func(r *aws.Redirect) { r.Host = "new.example.org" }), "http://new.example.org:80/a%20b/c?x=1&y"},
		{url, http, change(func(r *aws.Redirect) { r.Host, r.Path = "old.#{host}", "/moved/#{path}/x" }), "http://old.www.example.com:80/moved/a%20b/c/x?x=1&y"},
		{url, http, change(func(r *aws.Redirect) { r.Path, r.Query = "/gone", "" }), "http://www.example.com:80/gone"},
		{url, http, change(func(r *aws.Redirect) { r.Query = "from=#{host}&#{query}" }), "http://www.example.com:80/a%20b/c?from=www.example.com&x=1&y"},
		{"http://www.example.com/", http, all, "http://www.example.com:80/"},
		{"http://[::1]:8080/", http, all, "http://[::1]:80/"},
	} {
		r := httptest.NewRequest("GET", c.url, nil)
		if got := location(questionOf(r), c.listener, c.to); got != c.want {
			t.Errorf("%+v of %s leads to\n%s, want\n%s", c.to, c.url, got, c.want)
		}
	}
}

func TestAnswersOfItsOwn(t *testing.T) {
	w := httptest.NewRecorder()
	redirect(w, httptest.NewRequest("GET", "http://a.example/", nil), aws.Listener{Protocol: "HTTP", Port: 80}, aws.Redirect{Protocol: "HTTPS", Host: "#{host}", Port: "443", Path: "/#{path}", Status: 302})
	if w.Code != 302 || w.Header().Get("Location") != "https://a.example:443/" || w.Header().Get("Server") != "awselb/2.0" {
		t.Errorf("redirect: %d %v", w.Code, w.Header())
	}
	if want := "<html>\r\n<head><title>302 Found</title></head>\r\n<body>\r\n<center><h1>302 Found</h1></center>\r\n</body>\r\n</html>\r\n"; w.Body.String() != want {
		t.Errorf("its page is %q", w.Body)
	}
	w = httptest.NewRecorder()
	fixed(w, aws.FixedResponse{Status: 404, ContentType: "application/json", Body: `{"error":"none"}`})
	if w.Code != 404 || w.Header().Get("Content-Type") != "application/json" || w.Body.String() != `{"error":"none"}` || w.Header().Get("Server") != "awselb/2.0" {
		t.Errorf("fixed response: %d %v %s", w.Code, w.Header(), w.Body)
	}
	w = httptest.NewRecorder()
	if page(w, 503); w.Header().Get("Content-Type") != "text/html" || !strings.Contains(w.Body.String(), "<title>503 Service Temporarily Unavailable</title>") {
		t.Errorf("page: %v %q", w.Header(), w.Body)
	}
}
