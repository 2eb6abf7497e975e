package test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/slipway-iac/slipway/cutover"
)

// TestPictureOfTheMigration holds docs/migration.svg to the stages' own weights: UPDATE=1 go test writes it anew.
func TestPictureOfTheMigration(t *testing.T) {
	const (
		file          = "../docs/migration.svg"
		width, height = 190, 250
	)
	stages := []string{"legacy", "canary 10", "split 50", "drain-legacy", "done"}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13" text-anchor="middle">`+"\n", width*len(stages), height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", width*len(stages), height)
	for i, text := range stages {
		s, err := cutover.ParseStage(text)
		if err != nil {
			t.Fatal(err)
		}
		old, new := s.Weights()
		x := i * width
		fmt.Fprintf(&b, `<g transform="translate(%d 0)">`+"\n", x)
		if i > 0 {
			fmt.Fprintf(&b, `<line x1="0" y1="16" x2="0" y2="%d" stroke="#d0d7de"/>`+"\n", height-16)
		}
		fmt.Fprintf(&b, `<text x="%d" y="28" font-weight="bold" fill="#1f2328">%s</text>`+"\n", width/2, s)
		drawBox(&b, width/2, 60, "clients", "#f6f8fa")
		drawArrow(&b, width/2, 76, width/2, 104, 100)
		drawBox(&b, width/2, 120, "door", "#ddf4ff")
		if !s.Ended() {
			drawArrow(&b, width/2, 136, 50, 184, old)
			drawBox(&b, 50, 200, "old", "#fff1e5")
			fmt.Fprintf(&b, `<text x="50" y="238" fill="#59636e">%d %%</text>`+"\n", old)
		}
		to := width - 50
		if s.Ended() {
			to = width / 2
		}
		drawArrow(&b, width/2, 136, to, 184, new)
		drawBox(&b, to, 200, "new", "#dafbe1")
		fmt.Fprintf(&b, `<text x="%d" y="238" fill="#59636e">%d %%</text>`+"\n", to, new)
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	if os.Getenv("UPDATE") == "1" {
		if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if err != nil || string(have) != b.String() {
		t.Errorf("%v, %s is not what the stages say; UPDATE=1 go test ./test -run TestPicture writes it anew", err, file)
	}
}

func drawBox(b *strings.Builder, x, y int, text, fill string) {
	fmt.Fprintf(b, `<rect x="%d" y="%d" width="72" height="32" rx="6" fill="%s" stroke="#8c959f"/><text x="%d" y="%d" fill="#1f2328">%s</text>`+"\n", x-36, y-16, fill, x, y+5, text)
}

// drawArrow draws one that is as wide as its share of the requests; one without any is drawn with dashes.
func drawArrow(b *strings.Builder, x1, y1, x2, y2, share int) {
	style := fmt.Sprintf(`stroke="#0969da" stroke-width="%.1f"`, 1+float64(share)/12)
	if share == 0 {
		style = `stroke="#8c959f" stroke-dasharray="4 4"`
	}
	fmt.Fprintf(b, `<line x1="%d" y1="%d" x2="%d" y2="%d" %s/>`+"\n", x1, y1, x2, y2, style)
}
