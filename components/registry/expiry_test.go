package registry

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var now = time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)

func daysAgo(n int, tags ...string) image { return image{tags, now.AddDate(0, 0, -n)} }

// The examples of https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_examples.html, as priorities by image; 0
// is for those that stay.
func TestEcrsOwnExamples(t *testing.T) {
	tagged := func(pattern ...string) selection {
		return selection{TagStatus: "tagged", TagPatternList: pattern, CountType: "imageCountMoreThan", CountNumber: 1}
	}
	any1 := selection{TagStatus: "any", CountType: "imageCountMoreThan", CountNumber: 1}
	untagged := selection{TagStatus: "untagged", CountType: "imageCountMoreThan", CountNumber: 1}
	a, b, c := daysAgo(3, "prod-1"), daysAgo(2, "beta-1"), daysAgo(1, "prod-2")
	for name, e := range map[string]struct {
		rules  []selection
		images []image
		want   string
	}{
		"one rule, the newest stays":             {[]selection{tagged("prod*")}, []image{a, b, c}, "[1 0 0]"},
		"two rules, an image is the first one's": {[]selection{tagged("prod*"), tagged("beta*")}, []image{a, daysAgo(2, "beta-1", "prod-0"), daysAgo(1, "beta-2"), c}, "[1 1 0 0]"},
		"all of a list's patterns are needed":    {[]selection{tagged("alpha*", "beta*")}, []image{daysAgo(4, "alpha-1"), daysAgo(3, "alpha-2", "beta-2"), daysAgo(2, "beta-3"), daysAgo(1, "alpha-4", "beta-4")}, "[0 1 0 0]"},
		"any leaves alone what was selected":     {[]selection{tagged("prod*"), any1}, []image{a, b, c}, "[1 2 0]"},
		"any sees all as if none had expired":    {[]selection{tagged("prod*"), any1}, []image{b, c, a}, "[2 0 1]"},
		"untagged":                               {[]selection{untagged, any1}, []image{daysAgo(3), daysAgo(2), b, c}, "[1 0 2 0]"},
	} {
		var p policy
		for _, s := range e.rules {
			p.add("", s)
		}
		var got []int
		for _, r := range p.expired(e.images, now) {
			if got = append(got, 0); r != nil {
				got[len(got)-1] = r.RulePriority
			}
		}
		if fmt.Sprint(got) != e.want {
			t.Errorf("%s: %v, want %s", name, got, e.want)
		}
	}
}

func TestAgeIsCountedInWholeDays(t *testing.T) {
	var p policy
	p.expire(14, "", "untagged")
	got := p.expired([]image{daysAgo(14), {nil, now.AddDate(0, 0, -14).Add(-time.Second)}}, now)
	if got[0] != nil || got[1] == nil {
		t.Errorf("got %v: the first is 14 days old, the second a second more", got)
	}
}

// matches agrees with a regular expression for the same.
func TestPatterns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab*.]{0,6}`).Draw(t, "pattern")
		tag := rapid.StringMatching(`[ab.]{1,8}`).Draw(t, "tag")
		re := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$")
		if got := matches(pattern, tag); got != re.MatchString(tag) {
			t.Fatalf("%q matches %q: %v", pattern, tag, got)
		}
	})
}

// drawn are arguments that are accepted, and a repository with images of all kinds of tags.
func drawn(t *rapid.T) (EcrReposArgs, policy, []image) {
	args := EcrReposArgs{
		Repositories: []string{"frontend"}, KeepPromoted: rapid.SampledFrom([]int{0, 6, 9, 12}).Draw(t, "keep promoted"), KeepReleases: rapid.IntRange(2, 5).Draw(t, "keep releases"),
		ExpireUntaggedDays: rapid.IntRange(1, 5).Draw(t, "untagged days"), ExpireBranchDays: rapid.IntRange(1, 5).Draw(t, "branch days"),
		Environments: rapid.SampledFrom([][]string{nil, {"production"}, {"production", "staging"}}).Draw(t, "environments"),
	}
	if rapid.Bool().Draw(t, "prefixes") {
		args.ReleaseTagPrefixes, args.BranchTagPrefixes = []string{"v", "r"}, []string{"branch-"}
	}
	a, err := args.checked("images")
	if err != nil {
		t.Fatal(err)
	}
	tag := rapid.StringMatching(`(v|r|branch-|production-|staging-|sha256-|other)[0-9]`)
	images := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) image {
		return daysAgo(rapid.IntRange(0, 20).Draw(t, "age"), rapid.SliceOfN(tag, 0, 3).Draw(t, "tags")...)
	}), 0, 40).Draw(t, "images")
	return a, a.rules(a.of("frontend")), images
}

func has(i image, prefix string) bool {
	return slices.ContainsFunc(i.tags, func(t string) bool { return strings.HasPrefix(t, prefix) })
}

// Nothing that an environment runs is expired, whatever else there is, as long as fewer were promoted there since than are kept.
func TestWhatIsPromotedStays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, p, images := drawn(t)
		for i, r := range p.expired(images, now) {
			for _, e := range a.Environments {
				newer := 0
				for _, other := range images {
					if has(other, e+"-") && !other.pushed.Before(images[i].pushed) {
						newer++
					}
				}
				// The first environment's rule decides about an image that is promoted to both.
				second := e == "staging" && has(images[i], "production-")
				if r != nil && !second && has(images[i], e+"-") && newer <= a.KeepPromoted {
					t.Fatalf("%v is expired by rule %d (%s)", images[i], r.RulePriority, r.Description)
				}
			}
		}
	})
}

// What couldExpire lets through is never expired, whatever else there is, and what it names is what expires it.
func TestCouldExpireIsRight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		_, p, images := drawn(t)
		for i, r := range p.expired(images, now) {
			could := p.couldExpire(images[i].tags)
			if r != nil && (could == nil || could.RulePriority != r.RulePriority) {
				t.Fatalf("%v is expired by rule %d (%s), and could be by %v", images[i], r.RulePriority, r.Description, could)
			}
		}
	})
}

func TestTheLastReleasesStay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, p, images := drawn(t)
		out := p.expired(images, now)
		patterns := a.ReleaseTagPrefixes
		if patterns == nil {
			patterns = []string{""}
		}
		for _, prefix := range patterns {
			var releases []int
			for i := range images {
				if len(images[i].tags) > 0 && has(images[i], prefix) {
					releases = append(releases, i)
				}
			}
			slices.SortStableFunc(releases, func(x, y int) int { return images[y].pushed.Compare(images[x].pushed) })
			for n, i := range releases {
				// Kept by number, or else by a rule for what it is besides: promoted, or of another prefix.
				if r := out[i]; n < a.KeepReleases && r != nil && r.Selection.CountType == "sinceImagePushed" {
					t.Fatalf("%v, release %d of %d that stay, is expired by rule %d (%s)", images[i], n+1, a.KeepReleases, r.RulePriority, r.Description)
				}
			}
		}
	})
}
