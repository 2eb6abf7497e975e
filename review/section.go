package review

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// section is a part of a review. What matters least has the highest rank, and goes first where there is no room.
type section struct {
	title string
	// fold is the line under which the items are folded away, as HTML; empty where they are open.
	fold string
	// lead stands above the items.
	lead  string
	items []string
	// tail stands below them.
	tail string
	// of names the items in the line that says what is left out.
	of   string
	rank int
}

// render writes the sections with as many items of each as keep says, -1 for a section that goes whole. head comes first; between it and
// the sections stands what is left out.
func render(head string, sections []section, keep []int, fullAt string) string {
	var b, left strings.Builder
	for i, s := range sections {
		missing := len(s.items) - max(keep[i], 0)
		if missing > 0 || keep[i] < 0 {
			if left.Len() > 0 {
				left.WriteString(", ")
			}
			fmt.Fprintf(&left, "%d of %d %s", missing, len(s.items), s.of)
		}
		if keep[i] < 0 {
			continue
		}
		b.WriteString("\n")
		if s.title != "" {
			b.WriteString("### " + s.title + "\n\n")
		}
		if s.fold != "" {
			b.WriteString("<details><summary>" + s.fold + "</summary>\n\n")
		}
		b.WriteString(s.lead)
		for _, item := range s.items[:keep[i]] {
			b.WriteString(item)
		}
		if missing > 0 {
			fmt.Fprintf(&b, "\n… and %d more.\n", missing)
		}
		b.WriteString(s.tail)
		if s.fold != "" {
			b.WriteString("\n</details>\n")
		}
	}
	if left.Len() > 0 {
		where := "run `slipway review` with `--full FILE`"
		if fullAt != "" {
			where = fullAt
		}
		head += "\nShortened to fit a comment; left out are " + left.String() + ". The whole text: " + where + ".\n"
	}
	return head + b.String()
}

// fit renders the sections in no more than limit bytes, 0 for any number: items go from the end of the section of the highest rank, then
// of the next, and at last whole sections.
func fit(head string, sections []section, limit int, fullAt string) string {
	keep := make([]int, len(sections))
	order := make([]int, len(sections))
	for i, s := range sections {
		keep[i], order[i] = len(s.items), i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(sections[b].rank, sections[a].rank) })
	fits := func() bool { return limit == 0 || len(render(head, sections, keep, fullAt)) <= limit }
	for _, i := range order {
		if fits() {
			break
		}
		n := len(sections[i].items)
		// The number of items to take away; with all of them away it may still be too much.
		away := sort.Search(n, func(k int) bool {
			keep[i] = n - k
			return fits()
		})
		keep[i] = n - away
	}
	for _, i := range order {
		if fits() {
			break
		}
		keep[i] = -1
	}
	return render(head, sections, keep, fullAt)
}
