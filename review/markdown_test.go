package review

import (
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	htmlrenderer "github.com/yuin/goldmark/renderer/html"
	"golang.org/x/net/html"
	"pgregory.net/rapid"
)

// rendered is the HTML of a review, as a host makes it of GitHub's Markdown.
func rendered(t testing.TB, markdown string) *html.Node {
	t.Helper()
	var b strings.Builder
	md := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(htmlrenderer.WithUnsafe()))
	if err := md.Convert([]byte(markdown), &b); err != nil {
		t.Fatal(err)
	}
	n, err := html.Parse(strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// ours are the elements that a review consists of, and whether they may have attributes.
var ours = map[string]bool{
	"html": true, "head": true, "body": true, "h2": true, "h3": true, "p": true, "ul": true, "li": true, "strong": true, "code": true, "pre": true,
	"table": true, "thead": true, "tbody": true, "tr": true, "th": true, "td": true, "details": true, "summary": true, "a": true,
}

// shape is the tree of elements below n. What is not in code goes to outside, what is to inside; problems are what a review may not have.
func shape(n *html.Node, in bool, outside, inside, tree *strings.Builder, problems *[]string) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		switch c.Type {
		case html.TextNode:
			if in {
				inside.WriteString(c.Data + "\n")
			} else {
				outside.WriteString(c.Data)
			}
		case html.ElementNode:
			if !ours[c.Data] {
				*problems = append(*problems, "element "+c.Data)
			}
			for _, a := range c.Attr {
				own := c.Data == "a" && a.Key == "href" && strings.HasPrefix(a.Val, "https://aws.amazon.com/") || c.Data == "code" && a.Key == "class" ||
					(c.Data == "th" || c.Data == "td") && (a.Key == "style" || a.Key == "align")
				if !own {
					*problems = append(*problems, "attribute "+c.Data+" "+a.Key+"="+a.Val)
				}
			}
			tree.WriteString("<" + c.Data)
			shape(c, in || c.Data == "code" || c.Data == "pre", outside, inside, tree, problems)
			tree.WriteString(">")
		}
	}
}

// hostile are pieces that mean something to Markdown, HTML or GitHub, put together in any way.
func hostile() *rapid.Generator[string] {
	piece := rapid.SampledFrom([]string{
		"`", "``", "```", "~~~", "|", "\\|", "\\", "\n", "\r\n", "\n\n", "\t", " ", "  ", "-", "- ", "#", "# ", "> ", "*", "_", "**", "![x](https://evil.example/x.png)",
		"[x](https://evil.example)", "https://evil.example", "www.evil.example", "evil@example.org", "@octocat", "@org/team", "#1", "GH-1", "octocat/repo#1",
		"<script>", "<img src=x onerror=x>", "</details>", "</code>", "</summary>", "</td>", "<!--", "-->", "&lt;", "&#60;", "&", "<", ">", "\"", "'", "\x00", "\u202e", "\u200b",
		"\u2028", "\xff", "$x$", "$$", ":smile:", "a", "frontend", "1", "é", "日本", "---", "===", "1. ", "[ ] ", "[^1]", "{", "}", "[", "]", "[secret]",
	})
	return rapid.Custom(func(t *rapid.T) string { return strings.Join(rapid.SliceOfN(piece, 1, 12).Draw(t, "pieces"), "") })
}

// withText is a preview that has one text in every place that a text can have.
func withText(s string) []object {
	node := func(kind string) object {
		return object{"instanceTypes": []any{kind}, "scalingConfig": object{"desiredSize": 3}, "nodeGroupName": s, "labels": object{s: s}, s: s}
	}
	app := func(image string) object {
		return object{"image": image, s: s, "sidecars": []any{object{"name": s, "image": image}}}
	}
	deployment := object{
		"metadata": object{"name": s, "namespace": s},
		"spec":     object{"template": object{"spec": object{"containers": []any{object{"name": s, "image": s + ":1"}}}}},
	}
	component := object{"custom": false}
	return []object{
		step("replace", "aws:eks/nodeGroup:NodeGroup", "nodes"+s, node("m5.large"), node(s)),
		step("replace", "aws:lb/loadBalancer:LoadBalancer", "alb"+s, object{"name": s}, object{"name": "other"}, object{"outputs": object{"dnsName": s}}),
		step("delete", "aws:ecr/repository:Repository", s, object{"name": s, "other": object{s: s}}, nil),
		step("create", "aws:ecr/repository:Repository", "moved"+s, nil, object{"name": s}),
		step("delete", "aws:made/up"+strings.NewReplacer("::", ":", "$", "").Replace(s)+":Up", "x"+s, object{"a": s}, nil),
		step("update", appType, "app"+s, app(s+":1"), app(s+":2"), component),
		step("update", doorType, "door"+s, object{"migration": object{"stage": s, "routes": object{s: s}}}, object{"migration": object{"stage": "canary 10"}}, component),
		step("update", scheduleType, "week"+s, object{s: s}, object{s: "b"}, component),
		step("update", "kubernetes:apps/v1:Deployment", "workload"+s, deployment, object{s: s, "policy": `{"a": 1}`}),
		step("same", "aws:s3/bucketV2:BucketV2", "bucket"+s, object{"a": s}, object{"a": s}),
	}
}

// TestNoValueBreaksOut: a text in a preview never becomes anything but text in code, and changes nothing of what is around it.
func TestNoValueBreaksOut(t *testing.T) {
	check := func(t testing.TB, s string) {
		steps := withText(s)
		document := object{"config": object{"aws:region": s}, "steps": steps, "diagnostics": []any{
			object{"urn": urnOf("a:b:C", s), "message": s, "severity": "error"}, object{"message": s, "severity": "warning"},
		}}
		for _, diagnostics := range []bool{true, false} {
			if !diagnostics {
				delete(document, "diagnostics")
				document["config"] = object{"aws:region": "us-west-2"}
			}
			o := Options{Allow: []string{s}, Stack: s, FullAt: s, Limit: 1 << 20}
			r := Review(readPreview(t, jsonOf(t, document)), o)
			for _, text := range []string{r.Markdown, r.Full} {
				if first, _, _ := strings.Cut(text, "\n"); first != "<!-- slipway review: shop/prod -->" {
					t.Fatalf("%q begins with %q", s, first)
				}
				var outside, inside, tree strings.Builder
				var problems []string
				shape(rendered(t, text), false, &outside, &inside, &tree, &problems)
				for _, bad := range []string{"@", "evil", "octocat", "onerror", "GH-", "<", "\u202e"} {
					if strings.Contains(outside.String(), bad) {
						problems = append(problems, bad+" outside of code")
					}
				}
				if len(problems) > 0 {
					t.Fatalf("%q makes %v of\n%s", s, problems, text)
				}
			}
		}
	}
	t.Run("pieces", func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) { check(t, hostile().Draw(rt, "text")) })
	})
	for _, s := range []string{"a`b", "a``b`", "`", "|", "\\", "\\|", " a ", "a\n\n<script>", "a\n```\n# x", "```\n@octocat", "x|y`z", "</code>@octocat", "<!-- x", "\u0085", "a\u0085b"} {
		check(t, s)
	}
}

// TestCodeShowsWhatItIsGiven: where a text has no character that does not show, what is rendered is the text.
func TestCodeShowsWhatItIsGiven(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := hostile().Draw(rt, "text")
		if s != visible(s) {
			return
		}
		for _, text := range []string{"- x " + code(s) + " y\n", "| a | b |\n|---|---|\n| " + code(s) + " | z |\n"} {
			var outside, inside, tree strings.Builder
			var problems []string
			shape(rendered(t, text), false, &outside, &inside, &tree, &problems)
			if got := strings.TrimSuffix(inside.String(), "\n"); got != s || len(problems) > 0 {
				rt.Fatalf("%q became %q, %v, of %s", s, got, problems, text)
			}
		}
	})
}

// FuzzCode is the same for any text that the fuzzer thinks of.
func FuzzCode(f *testing.F) {
	f.Add("a`|\\")
	f.Fuzz(func(t *testing.T, s string) {
		var outside, inside, tree strings.Builder
		var problems []string
		shape(rendered(t, "| a | b |\n|---|---|\n| "+code(s)+" | z |\n\n- "+code(s)+"\n"), false, &outside, &inside, &tree, &problems)
		if want := "<html<head><body<table<thead<tr<th><th>>><tbody<tr<td<code>><td>>>><ul<li<code>>>>>"; tree.String() != want || len(problems) > 0 {
			t.Errorf("%q makes %s, %v", s, tree.String(), problems)
		}
	})
}

func TestShort(t *testing.T) {
	if got := short("abcdefghij", 6); got != "abcd … ij (10 characters)" {
		t.Error(got)
	}
	long := strings.Repeat("a", 300)
	a, b := around(long+"X"+long, long+"Y"+long, 30)
	if !strings.Contains(a, "X") || !strings.Contains(b, "Y") || len(a) > 100 {
		t.Errorf("%q and %q do not show where they differ", a, b)
	}
}
