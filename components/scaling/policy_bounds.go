package scaling

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/slipway-iac/slipway/internal/check"
)

// above tells whether the alarm is about values above the threshold, rather than below.
func (s Step) above() bool { return strings.HasPrefix(s.Comparison, "Greater") }

func (a Adjustment) lower() float64 {
	if a.Lower == nil {
		return math.Inf(-1)
	}
	return *a.Lower
}

// checkBounds refuses adjustments that do not share out the values beyond the threshold, each to exactly one. AWS refuses gaps and
// overlaps (https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_StepAdjustment.html), but not that the first begins further
// out, where the alarm would be raised and change nothing.
func (s Step) checkBounds(p *check.Problems) {
	order, good := make([]int, len(s.Adjustments)), len(s.Adjustments) > 0
	for i, a := range s.Adjustments {
		order[i] = i
		good = a.checkBounds(p.At("adjustments[%d]", i), s.above()) && good
	}
	if !good {
		return
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(s.Adjustments[i].lower(), s.Adjustments[j].lower()) })
	s.checkEnds(p, order[0], order[len(order)-1])
	for k, i := range order[1:] {
		j := order[k]
		end, begin := s.Adjustments[j].Upper, s.Adjustments[i].Lower
		switch {
		case end == nil:
			p.At("adjustments[%d]", j).Addf("upper", "is left out, must be %s, where adjustments[%d] begins: values beyond have two adjustments", decimal(*begin), i)
		case begin == nil || *begin < *end:
			p.At("adjustments[%d]", i).Addf("lower", "%s, must be %s, where adjustments[%d] ends: values between have two adjustments", isBound(begin), decimal(*end), j)
		case *begin > *end:
			p.At("adjustments[%d]", i).Addf("lower", "%s, must be %s, where adjustments[%d] ends: values between have no adjustment", isBound(begin), decimal(*end), j)
		}
	}
}

func (a Adjustment) checkBounds(p *check.Problems, above bool) bool {
	if a.Lower == nil && a.Upper == nil {
		must := "upper 0"
		if above {
			must = "lower 0"
		}
		p.Addf("", "has neither lower nor upper, must have %s where it is the only one", must)
		return false
	}
	good := true
	if a.Lower != nil {
		good = checkFinite(p, "lower", *a.Lower)
	}
	if a.Upper != nil {
		good = checkFinite(p, "upper", *a.Upper) && good
	}
	if good && a.Lower != nil && a.Upper != nil && *a.Lower >= *a.Upper {
		p.Addf("upper", "is %s, must be more than lower (%s)", decimal(*a.Upper), decimal(*a.Lower))
		return false
	}
	return good
}

// checkEnds checks the lowest and the highest of the adjustments.
func (s Step) checkEnds(p *check.Problems, lowest, highest int) {
	lower, upper := s.Adjustments[lowest].Lower, s.Adjustments[highest].Upper
	low, high := p.At("adjustments[%d]", lowest), p.At("adjustments[%d]", highest)
	if s.above() {
		if lower == nil || *lower != 0 {
			low.Addf("lower", "%s, must be 0: the alarm is raised from the threshold on", isBound(lower))
		}
		if upper != nil {
			high.Addf("upper", "%s, must be left out: the alarm is raised however far above the threshold", isBound(upper))
		}
		return
	}
	if lower != nil {
		low.Addf("lower", "%s, must be left out: the alarm is raised however far below the threshold", isBound(lower))
	}
	if upper == nil || *upper != 0 {
		high.Addf("upper", "%s, must be 0: the alarm is raised up to the threshold", isBound(upper))
	}
}

func isBound(v *float64) string {
	if v == nil {
		return "is left out"
	}
	return "is " + decimal(*v)
}

// adds tells whether the step may add nodes, removes whether it may take nodes away. An exact number may do that too.
func (s Step) adds() bool {
	return slices.ContainsFunc(s.Adjustments, func(a Adjustment) bool { return a.Change > 0 })
}

func (s Step) removes() bool {
	return slices.ContainsFunc(s.Adjustments, func(a Adjustment) bool { return a.Change < 0 || s.AdjustmentType == exactCapacity })
}

// overlaps tells whether one value of a metric raises the alarms of both.
func (s Step) overlaps(o Step) bool {
	if s.above() == o.above() {
		return true
	}
	if !s.above() {
		s, o = o, s
	}
	return s.Threshold < o.Threshold || (s.Threshold == o.Threshold && strings.Contains(s.Comparison, "OrEqual") && strings.Contains(o.Comparison, "OrEqual"))
}
