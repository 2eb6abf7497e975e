package review

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"pgregory.net/rapid"
)

// many is a preview of n resources, some of each kind, with long values.
func many(n int, value string) []object {
	var steps []object
	for i := range n {
		name, v := fmt.Sprintf("r%04d", i), value+strconv.Itoa(i)
		switch i % 5 {
		case 0:
			steps = append(steps, step("create", "aws:a/b:B", name, nil, object{"v": v}))
		case 1:
			steps = append(steps, step("update", "aws:a/b:B", name, object{"v": v}, object{"v": v + "x"}))
		case 2:
			steps = append(steps, step("replace", "aws:ec2/subnet:Subnet", name, object{"v": v}, object{"v": v + "x"}))
		case 3:
			steps = append(steps, step("replace", "aws:rds/instance:Instance", name, object{"v": v}, object{"v": v + "x"}))
		case 4:
			steps = append(steps, step("replace", "aws:a/b:B", name, object{"v": v}, object{"v": v + "x"}))
		}
	}
	return steps
}

// TestTheLimitIsAlwaysKept, what matters least goes first, and it is said what is missing and where it is.
func TestTheLimitIsAlwaysKept(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		steps := many(rapid.IntRange(0, 300).Draw(rt, "resources"), rapid.SampledFrom([]string{"", "日本", "`|\\", strings.Repeat("long ", 50)}).Draw(rt, "value"))
		limit := rapid.IntRange(8000, 70000).Draw(rt, "limit")
		o := Options{Limit: limit, FullAt: "https://example.com/full"}
		for range rapid.IntRange(0, 20).Draw(rt, "allowed in vain") {
			o.Allow = append(o.Allow, rapid.StringN(1, 60, 200).Draw(rt, "name"))
		}
		r := reviewed(t, o, steps...)
		if len(r.Markdown) > limit {
			rt.Fatalf("%d bytes, of %d", len(r.Markdown), limit)
		}
		var outside, inside, tree strings.Builder
		var problems []string
		shape(rendered(t, strings.ReplaceAll(r.Markdown, "https://example.com/full", "https://aws.amazon.com/")), false, &outside, &inside, &tree, &problems)
		if len(problems) > 0 || strings.Count(tree.String(), "<details") != strings.Count(r.Markdown, "</details>") {
			rt.Fatalf("%v in\n%s", problems, r.Markdown)
		}
		shortened := strings.Contains(r.Markdown, "Shortened to fit a comment")
		if full := reviewed(t, Options{Limit: 1 << 30, Allow: o.Allow}, steps...).Markdown; shortened != (len(full) > limit) {
			rt.Fatalf("shortened %v, and whole it has %d bytes of %d", shortened, len(full), limit)
		}
		if shortened {
			has(t, r.Markdown, "The whole text: <https://example.com/full>")
		}
	})
}

func TestWhatMattersLeastGoesFirst(t *testing.T) {
	steps := many(500, strings.Repeat("x", 100))
	// With the limit going down, a section loses items only when all of a higher rank have lost theirs.
	last := [3]int{}
	for _, limit := range []int{200000, 100000, 90000, 70000, 60000, 50000, 40000, 30000, 20000, 10000, 2500} {
		text := reviewed(t, Options{Limit: limit}, steps...).Markdown
		now := [3]int{strings.Count(text, "/instance`, guarded"), strings.Count(text, "`aws:ec2/subnet`"), strings.Count(text, "`aws:a/b`")}
		if now[1] > 0 && now[0] < 100 || now[2] > 1 && now[1] < 100 {
			t.Errorf("with %d bytes %v are left", limit, now)
		}
		last = now
	}
	if last[2] > 1 || last[1] != 0 || last[0] == 100 {
		t.Errorf("at the end %v are left", last)
	}
}

// TestTheFullTextHasEverything, however long.
func TestTheFullTextHasEverything(t *testing.T) {
	r := reviewed(t, Options{}, many(600, strings.Repeat("x", 300))...)
	for i := range 600 {
		if name := fmt.Sprintf("`r%04d`", i); !strings.Contains(r.Full, name) {
			t.Fatalf("%s is missing", name)
		}
	}
	has(t, r.Full, strings.Repeat("x", 300)+"1x`", "not Shortened", "not … and")
	has(t, r.Markdown, "Shortened to fit a comment; left out are", "run `slipway review` with `--full FILE`")
}

// TestThousandResourcesStayReadable: resources to which the same happens are one item.
func TestThousandResourcesStayReadable(t *testing.T) {
	r := Review(readPreview(t, taken(t, "thousand")), Options{})
	if lines := strings.Count(r.Markdown, "\n"); lines > 300 {
		t.Errorf("%d lines", lines)
	}
	has(t, r.Markdown, "170 guarded resources", "330 resources updated")
	var bullets func(n *html.Node) int
	bullets = func(n *html.Node) (found int) {
		if n.Data == "li" {
			found++
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			found += bullets(c)
		}
		return found
	}
	if n := bullets(rendered(t, r.Markdown)); n > 250 {
		t.Errorf("%d items", n)
	}
}
