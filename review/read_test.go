package review

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"

	"pgregory.net/rapid"
)

func one(t testing.TB) string {
	t.Helper()
	return printed(t, step("update", "aws:a/b:B", "x", object{"a": "1"}, object{"a": "2"}), step("same", "aws:a/b:B", "y", object{"a": "1"}, object{"a": "1"}))
}

func TestReadPassesOverOtherText(t *testing.T) {
	document := one(t)
	stream := taken(t, "release-stream")
	want := Review(readPreview(t, document), Options{}).Full
	wantStream := Review(readPreview(t, stream), Options{}).Full
	noise := "warning: using pulumi-resource-aws from $PATH\n{ not JSON\n{\"some\": \"other JSON\"}\n\x1b[33mwarning\x1b[0m: {braces}\n"
	lines := strings.SplitAfter(stream, "\n")
	units := utf16.Encode([]rune(document))
	wide := []byte{0xff, 0xfe}
	for _, u := range units {
		wide = binary.LittleEndian.AppendUint16(wide, u)
	}
	for name, c := range map[string]struct{ text, want string }{
		"before":                       {noise + document, want},
		"after":                        {document + noise, want},
		"both":                         {noise + document + noise, want},
		"with carriage returns":        {strings.ReplaceAll(document, "\n", "\r\n"), want},
		"with a byte order mark":       {"\ufeff" + document, want},
		"as PowerShell redirects it":   {string(wide), want},
		"on one line":                  {jsonOf(t, decoded(t, document)), want},
		"without a newline at the end": {strings.TrimSpace(document), want},
		"around a stream":              {noise + stream + noise, wantStream},
		"within a stream":              {strings.Join(lines[:20], "") + noise + strings.Join(lines[20:], ""), wantStream},
	} {
		p := readPreview(t, c.text)
		if p.Broken != "" {
			t.Errorf("%s: %s", name, p.Broken)
		}
		if got := Review(p, Options{}).Full; got != c.want {
			t.Errorf("%s: the review is\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

func decoded(t testing.TB, text string) any {
	t.Helper()
	var v any
	if err := decode([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestACutPreviewIsAnError: no beginning of a preview is ever taken for one without changes, in either format.
func TestACutPreviewIsAnError(t *testing.T) {
	document, stream := one(t), taken(t, "release-stream")
	summary := strings.Index(stream, `"summaryEvent"`)
	summaryEnd := summary + strings.Index(stream[summary:], "\n")
	check := func(text string) {
		t.Helper()
		r := Review(readPreview(t, text), Options{})
		if r.Code != Failed || !strings.Contains(r.Markdown, "There is no whole preview to review") || strings.Contains(r.Markdown, "Nothing changes") || len(r.Problems) == 0 {
			t.Fatalf("cut after %q the exit code is %d:\n%s", text[max(0, len(text)-80):], r.Code, r.Markdown)
		}
	}
	for n := range strings.LastIndex(document, "}") {
		check(document[:n])
		check(document[:n] + "\nKilled\n")
	}
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(0, summaryEnd-2).Draw(rt, "bytes")
		check(stream[:n])
		check(stream[:n] + "\nerror: killed\n")
	})
	lines := strings.SplitAfter(stream, "\n")
	for n := 1; n < len(lines)-3; n += 40 {
		check(strings.Join(lines[:n], "")) // between two events
	}
	check(stream[:strings.LastIndex(stream[:summary], "\n")+1])
	torn := strings.Join(lines[:30], "") + lines[30][:len(lines[30])/2] + "\n" + strings.Join(lines[31:], "")
	for _, text := range []string{"", "\n", torn, document + document[:len(document)/2], "error: no stack selected\n", `{"other": 1}`, `{"duration": 1}`, `{"steps": []}`, document + document, document + stream} {
		check(text)
	}
}

// TestABrokenPreviewStillFindsItsComment: where the stack is not in what is left of it, the caller's name is taken.
func TestABrokenPreviewStillFindsItsComment(t *testing.T) {
	for text, want := range map[string]string{
		"":                     "<!-- slipway review: shop/prod -->",
		one(t)[:len(one(t))/2]: "<!-- slipway review: shop/prod -->",
	} {
		if r := Review(readPreview(t, text), Options{Stack: "shop/prod"}); r.Marker != want || !strings.HasPrefix(r.Markdown, want+"\n") {
			t.Errorf("%q is marked %q", text, r.Marker)
		}
	}
	if r := Review(readPreview(t, one(t)[:len(one(t))/2]), Options{}); r.Marker != "<!-- slipway review: shop/prod -->" {
		t.Errorf("the cut preview itself says %q", r.Marker)
	}
}

// TestAFailedPreviewSaysWhyFirst, whatever it would do.
func TestAFailedPreviewSaysWhyFirst(t *testing.T) {
	r := Review(readPreview(t, taken(t, "mistake")), Options{})
	has(t, r.Markdown, "**The preview failed.**", "autoscaling.max is 8, must be at least autoscaling.min (9)", `timeZone is "Pacific"`, "not Nothing changes", "not Monthly cost")
	for name, event := range map[string]string{
		"an error":       `{"sequence":1,"timestamp":1,"diagnosticEvent":{"message":"<{%fg 1%}>error: <{%reset%}>boom @octocat","severity":"error"}}`,
		"a policy":       `{"sequence":1,"timestamp":1,"policyEvent":{"message":"boom","policyName":"no-public","enforcementLevel":"mandatory"}}`,
		"a cancellation": `{"sequence":1,"timestamp":1,"summaryEvent":{"result":"canceled"}}`,
	} {
		text := event + "\n" + `{"sequence":2,"timestamp":1,"summaryEvent":{"resourceChanges":{}}}` + "\n"
		if r := Review(readPreview(t, text), Options{}); r.Code != Failed {
			t.Errorf("%s ends with %d:\n%s", name, r.Code, r.Markdown)
		} else if name != "a cancellation" {
			has(t, r.Markdown, "boom", "not {%")
		}
	}
}

// FuzzRead: no input makes the reader or the review fail, and what is no whole preview is never fine.
func FuzzRead(f *testing.F) {
	f.Add(one(f))
	f.Add(`{"sequence":2,"timestamp":1,"summaryEvent":{"resourceChanges":{}}}`)
	f.Add(`{"steps":[{"op":"replace","urn":"urn:pulumi:a::b::c$d::e","oldState":null,"newState":{"inputs":{"a":{"4dabf18193072939515e22adb298388d":1}}}}]}`)
	f.Add(`{"steps":[{"op":"delete","urn":"x"},{"op":"update","urn":""}],"diagnostics":[{}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Read(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		r := Review(p, Options{Limit: 4000})
		if p.Broken != "" && r.Code != Failed || len(r.Markdown) > 4000 {
			t.Errorf("code %d, %d bytes, %s", r.Code, len(r.Markdown), p.Broken)
		}
	})
}
