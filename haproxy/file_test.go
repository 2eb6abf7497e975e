package haproxy

import "testing"

// Also a value that no check has seen stays one word, or stops the rendering.
func TestAnyValueIsOneWordOrAnError(t *testing.T) {
	for value, want := range map[string]string{
		"plain-1.example.com:80": "plain-1.example.com:80",
		"":                       "''",
		"two words":              "'two words'",
		`"#$\{(`:                 `'"#$\{('`,
		"it's":                   "",
		"a\nb":                   "",
		"a\x00b":                 "",
		"a\tb":                   "",
		"é":                      "",
		"\xff":                   "",
	} {
		f := &cfg{}
		f.line("key %s end", value)
		if want == "" {
			if f.err == nil {
				t.Errorf("%q became %q", value, f.String())
			}
			continue
		}
		if got := f.String(); f.err != nil || got != "  key "+want+" end\n" {
			t.Errorf("%q became %q, %v", value, got, f.err)
		}
	}
}
