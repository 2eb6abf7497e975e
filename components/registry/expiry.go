package registry

import (
	"slices"
	"strings"
	"time"
)

// image is what ECR's rules see of an image.
type image struct {
	tags   []string
	pushed time.Time
}

// selects tells whether a rule's tag status and patterns are those of an image, which needs a tag for each pattern.
func (s selection) selects(tags []string) bool {
	switch s.TagStatus {
	case "any":
		return true
	case "untagged":
		return len(tags) == 0
	}
	return len(tags) > 0 && !slices.ContainsFunc(s.TagPatternList, func(pattern string) bool {
		return !slices.ContainsFunc(tags, func(tag string) bool { return matches(pattern, tag) })
	})
}

// matches tells whether a tag is what a pattern says, in which "*" stands for any text.
func matches(pattern, tag string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == tag
	}
	first, last := parts[0], parts[len(parts)-1]
	if !strings.HasPrefix(tag, first) {
		return false
	}
	tag = tag[len(first):]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(tag, part)
		if i < 0 {
			return false
		}
		tag = tag[i+len(part):]
	}
	return strings.HasSuffix(tag, last)
}

// expired is which rule expires each of the images of a repository at a time; nil for those that stay. As documented: every rule
// sees all the images that it selects, as if no other had expired any; of those that it would expire, it leaves alone those that a
// rule before it selects. https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html#lp_evaluation_rules
func (p policy) expired(images []image, now time.Time) []*rule {
	out, taken := make([]*rule, len(images)), make([]bool, len(images))
	for i := range p.Rules {
		r := &p.Rules[i]
		var selected []int
		for j, image := range images {
			if r.Selection.selects(image.tags) {
				selected = append(selected, j)
			}
		}
		slices.SortStableFunc(selected, func(a, b int) int { return images[b].pushed.Compare(images[a].pushed) })
		for n, j := range selected {
			beyond := n >= r.Selection.CountNumber
			if r.Selection.CountType == "sinceImagePushed" {
				beyond = now.Sub(images[j].pushed) > time.Duration(r.Selection.CountNumber)*24*time.Hour
			}
			if beyond && !taken[j] {
				out[j] = r
			}
		}
		for _, j := range selected {
			taken[j] = true
		}
	}
	return out
}

// couldExpire is the rule that expires an image with such tags at some time, however long ago it was pushed and however much was
// pushed since; nil where none ever does. Only a rule that keeps as many as there can be, maxPromoted, counts as one that keeps everything:
// after a roll-back to it an image may be older than any number of others that were promoted since.
func (p policy) couldExpire(tags []string) *rule {
	pushed := time.Unix(0, 0)
	images := []image{{tags, pushed}}
	newer := 0
	for _, r := range p.Rules {
		if r.Selection.CountType == "imageCountMoreThan" && r.Selection.CountNumber < maxPromoted {
			newer = max(newer, r.Selection.CountNumber)
		}
	}
	for i := range newer {
		images = append(images, image{tags, pushed.Add(time.Duration(i+1) * time.Second)})
	}
	return p.expired(images, pushed.AddDate(10, 0, 0))[0]
}
