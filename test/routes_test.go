package test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestARouteInTheMiddle changes a door with some routes as pull requests do: a line more in the configuration is one rule more.
func TestARouteInTheMiddle(t *testing.T) {
	t.Parallel() // it waits more than it works
	b := newBox(t)
	dir, err := filepath.Abs("../examples/redirects")
	if err != nil {
		t.Fatal(err)
	}
	with := func(lines ...string) []string {
		file := filepath.Join(t.TempDir(), "Pulumi.dev.yaml")
		if err := os.WriteFile(file, []byte("config:\n  redirects:moved:\n    - "+strings.Join(lines, "\n    - ")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return []string{"--stack", "dev", "--config-file", file}
	}
	pulumi := func(verb []string, lines ...string) string {
		t.Helper()
		s := b.tryIn(dir, nil, append(append([]string{"pulumi"}, verb...), with(lines...)...)...)
		if s.code != 0 {
			t.Fatalf("pulumi %q ended with %d:\n%s", verb, s.code, s.all())
		}
		return s.out
	}
	const blog, faq, shop, any = "blog /blog/* blog.example.com", "faq /faq help.example.com", "shop /shop/* shop.example.com", "sub /shop/sub/* sub.example.com"
	if s := b.tryIn(dir, nil, "pulumi", "stack", "init", "dev"); s.code != 0 {
		t.Fatal(s.all())
	}
	pulumi([]string{"up", "--yes", "--skip-preview"}, blog, shop)
	door := openDoor(t, b)
	for url, want := range map[string]string{
		"http://old.example.com/blog/1":         "301 https://old.example.com:443/blog/1",
		"https://old.example.com/blog/1?page=2": "301 https://blog.example.com:443/blog/1?page=2",
		"https://old.example.com/shop/sub/7":    "301 https://shop.example.com:443/shop/sub/7",
		"https://old.example.com/else":          "302 https://www.example.com:443/",
	} {
		door.redirects(t, url, want)
	}
	for name, c := range map[string]struct {
		lines []string
		want  string
	}{
		"in the middle":          {[]string{blog, faq, shop}, "create ListenerRule old-faq"},
		"first":                  {[]string{faq, blog, shop}, "create ListenerRule old-faq"},
		"more specific":          {[]string{blog, any, shop}, "create ListenerRule old-sub"},
		"taken away":             {[]string{shop}, "delete ListenerRule old-blog"},
		"the lines change place": {[]string{shop, blog}, ""},
	} {
		var rest []string
		for line := range strings.Lines(changes(t, pulumi([]string{"preview", "--json"}, c.lines...))) {
			// What the component was asked for has changed; a line with more blanks says what of it.
			if line = strings.TrimSuffix(line, "\n"); !strings.HasPrefix(line, "    ") && line != "  update HttpsLoadBalancer old" {
				rest = append(rest, strings.TrimSpace(line))
			}
		}
		if got := strings.Join(rest, ", "); got != c.want {
			t.Errorf("a route %s: the preview shows %q, want %q", name, got, c.want)
		}
	}
}
