package week

import (
	"cmp"
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/slipway-iac/slipway/calendar"
)

// Measures of the picture, in pixels.
const (
	svgWidth  = 960
	svgLeft   = 44
	svgRight  = 130
	svgTop    = 74
	svgHigh   = 190
	svgApart  = 18  // between names of actions, so that their lines are 12 pixels apart
	svgLetter = 6.3 // a letter of 11 pixels is that wide, on average
)

const svgStyle = `<style>
text{font:11px system-ui,sans-serif;fill:#1f2328}
.title{font-size:15px;font-weight:600}
.bg{fill:#fff}.range{fill:#54aeff;opacity:.25}.band{fill:#0969da;opacity:.75}
.grid{stroke:#d0d7de;stroke-width:1}.mark{stroke:#8250df;stroke-width:1;fill:none}.soft{fill:#59636e}
.under{stroke:#fff;stroke-width:4}.min{stroke:#1a7f37;stroke-width:2;stroke-dasharray:6 4}.max{stroke:#bc4c00;stroke-width:2;stroke-dasharray:2 3}
.minText{fill:#1a7f37}.maxText{fill:#bc4c00}
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.bg{fill:#0d1117}.range{fill:#388bfd}.band{fill:#1f6feb}.grid{stroke:#3d444d}.mark{stroke:#ab7df8}
.soft{fill:#9198a1}.under{stroke:#0d1117}.min{stroke:#3fb950}.max{stroke:#f0883e}.minText{fill:#3fb950}.maxText{fill:#f0883e}}
</style>
`

// minuteIn is the minute of the week, from Monday 0:00.
func minuteIn(t time.Time) float64 {
	return float64((int(t.Weekday())+6)%7*24*60 + t.Hour()*60 + t.Minute())
}

const weekMinutes = 7 * 24 * 60

func svgX(minute float64) float64 {
	return svgLeft + minute/weekMinutes*(svgWidth-svgLeft-svgRight)
}

// SVG is a picture of a usual week from Monday 0:00 on, in the schedule's zone: the desired nodes as bars, the range from min to max
// behind them, lines at the fewest nodes that hold the pods, and the actions by name below it.
func (r *Report) SVG() string {
	top := 1
	usual := r.weeks[0]
	for _, i := range usual.Intervals {
		top = max(top, i.Size.Max)
	}
	top = max(top, r.fewestMin, r.fewestMax)
	y := func(nodes int) float64 { return svgTop + svgHigh*(1-float64(nodes)/float64(top)) }
	labels, high, left := marks(usual.Runs)
	height := svgTop + svgHigh + 22 + high

	var b strings.Builder
	title := fmt.Sprintf("Nodes in a usual week under the schedule %q, times in %s", printable(r.stack.Name), printable(r.zone))
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img"><title>%s</title>`+"\n", svgWidth, height, html.EscapeString(title))
	b.WriteString(svgStyle)
	fmt.Fprintf(&b, `<rect class="bg" width="%d" height="%d"/><text class="title" x="%d" y="24">%s</text>`+"\n", svgWidth, height, svgLeft, html.EscapeString(cut(title, 110)))
	fmt.Fprintf(&b, `<rect class="band" x="%d" y="38" width="14" height="12"/><text x="%d" y="48">desired</text><rect class="range" x="%d" y="38" width="14" height="12"/><text x="%d" y="48">min to max</text>`+"\n",
		svgLeft, svgLeft+20, svgLeft+80, svgLeft+100)
	with, without := r.hours()
	fmt.Fprintf(&b, `<text class="soft" x="%d" y="48">%s node-hours a week, without the schedule %s: %s</text>`+"\n", svgLeft+190, plainNumber(with), plainNumber(without), saved(with, without))

	for n := 0; n <= top; n += step(top) {
		fmt.Fprintf(&b, `<line class="grid" x1="%d" y1="%.1f" x2="%d" y2="%.1f"/><text class="soft" x="%d" y="%.1f" text-anchor="end">%d</text>`+"\n",
			svgLeft, y(n), svgWidth-svgRight, y(n), svgLeft-6, y(n)+4, n)
	}
	for _, i := range usual.Intervals {
		for _, p := range pieces(i) {
			x, w := svgX(p[0]), svgX(p[1])-svgX(p[0])
			fmt.Fprintf(&b, `<rect class="band" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, x, y(i.Size.Desired), w, y(0)-y(i.Size.Desired))
			fmt.Fprintf(&b, `<rect class="range" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`+"\n", x, y(i.Size.Max), w, y(i.Size.Min)-y(i.Size.Max))
		}
	}
	for d := range 8 {
		x := svgX(float64(d) * 24 * 60)
		fmt.Fprintf(&b, `<line class="grid" x1="%.1f" y1="%d" x2="%.1f" y2="%d"/>`, x, svgTop, x, svgTop+svgHigh+4)
		if d < 7 {
			fmt.Fprintf(&b, `<text class="soft" x="%.1f" y="%d" text-anchor="middle">%s</text>`, svgX(float64(d)*24*60+12*60), svgTop-6, time.Weekday((d + 1) % 7).String()[:3])
		}
		b.WriteString("\n")
	}
	r.needs(&b, y)
	for _, m := range labels {
		const axis = svgTop + svgHigh
		fmt.Fprintf(&b, `<path class="mark" d="M%.1f %dV%dL%.1f %d"/>`, m.x, svgTop, axis+4, m.textX, axis+12)
		fmt.Fprintf(&b, `<text transform="translate(%.1f %d) rotate(45)">%s</text>`+"\n", m.textX, axis+20, html.EscapeString(m.text))
	}
	if left > 0 {
		fmt.Fprintf(&b, `<text class="soft" x="%d" y="%d">and %s without a name here</text>`+"\n", svgLeft, height-8, counted(left, "action"))
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// needs draws how many nodes hold the pods for certain, with words at the right end.
func (r *Report) needs(b *strings.Builder, y func(int) float64) {
	const right = svgWidth - svgRight + 8
	if r.plan == nil {
		fmt.Fprintf(b, `<text class="soft" x="%d" y="48">pods: not known</text>`+"\n", right)
		return
	}
	fmt.Fprintf(b, `<text class="soft" x="%d" y="48">fewest nodes for</text>`+"\n", right)
	lines := []struct {
		class, text string
		nodes       int
	}{{"min", "the minimum", r.fewestMin}, {"max", "the maximum", r.fewestMax}}
	if r.fewestMin == r.fewestMax {
		lines = lines[1:]
		lines[0].text = "min and max"
	}
	last := math.Inf(1)
	for _, n := range lines {
		if n.nodes == 0 {
			continue
		}
		at := y(n.nodes)
		last = min(at+4, last-13) // its words stand above those of the one before
		for _, class := range []string{"under", n.class} {
			fmt.Fprintf(b, `<line class="%s" x1="%d" y1="%.1f" x2="%d" y2="%.1f"/>`, class, svgLeft, at, svgWidth-svgRight, at)
		}
		fmt.Fprintf(b, `<text class="%sText" x="%d" y="%.1f">%s: %d</text>`+"\n", n.class, right, last, n.text, n.nodes)
	}
}

// pieces is an interval in minutes of the week, cut where the week ends.
func pieces(i calendar.Interval) [][2]float64 {
	from, long := minuteIn(i.From), i.Until.Sub(i.From).Minutes()
	if long >= weekMinutes {
		return [][2]float64{{0, weekMinutes}}
	}
	if until := from + long; until > weekMinutes {
		return [][2]float64{{from, weekMinutes}, {0, until - weekMinutes}}
	}
	return [][2]float64{{from, from + long}}
}

// mark is a run of an action: a line at x, and a name that begins at textX and goes down to the right.
type mark struct {
	x, textX float64
	text     string
}

// svgSlope is how far a name goes down, and to the right, for each pixel of its length: 45 degrees.
const svgSlope = 0.7072

// marks places the names of actions side by side, so that none overlaps another; high is the height that they take, left how many
// have no room.
func marks(runs []calendar.Run) (all []mark, high, left int) {
	// The week of the runs begins later than Monday 0:00, so that its last ones may come first here.
	order := slices.Clone(runs)
	slices.SortStableFunc(order, func(a, b calendar.Run) int { return cmp.Compare(minuteIn(a.At), minuteIn(b.At)) })
	next := 0.0
	for _, run := range order {
		m := mark{x: svgX(minuteIn(run.At))}
		m.textX = max(m.x, next)
		room := int((svgWidth - 8 - m.textX) / svgSlope / svgLetter)
		if room < len("00:00 …") {
			left++
			continue
		}
		next = m.textX + svgApart
		m.text = cut(run.At.Format("15:04 ")+printable(run.Action.Name), min(room, 32))
		high = max(high, int(svgSlope*(svgLetter*float64(len([]rune(m.text)))+12)))
		all = append(all, m)
	}
	return all, high, left
}

// step is the distance of lines, so that there are ten at most.
func step(top int) int {
	for n := 1; ; n *= 10 {
		for _, by := range []int{1, 2, 5} {
			if top/(n*by) < 10 {
				return n * by
			}
		}
	}
}

func cut(s string, limit int) string {
	if r := []rune(s); len(r) > limit {
		return string(r[:limit-1]) + "…"
	}
	return s
}
