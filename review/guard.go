package review

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// guarded are the types that may not be replaced or deleted unless somebody names the resource.
var guarded = map[string]string{
	"aws:eks/cluster:Cluster":          "a cluster",
	"aws:eks/nodeGroup:NodeGroup":      "a node group",
	"aws:ecr/repository:Repository":    "an image repository",
	"aws:acm/certificate:Certificate":  "a certificate",
	"aws:lb/loadBalancer:LoadBalancer": "a load balancer",
	"aws:rds/instance:Instance":        "a database",
	"aws:rds/cluster:Cluster":          "a database",
	"aws:rds/clusterInstance:*":        "a database",
	"aws:rds/globalCluster:*":          "a database",
	"aws:docdb/cluster:Cluster":        "a database",
	"aws:docdb/clusterInstance:*":      "a database",
	"aws:docdb/globalCluster:*":        "a database",
	"aws:neptune/cluster:Cluster":      "a database",
	"aws:neptune/clusterInstance:*":    "a database",
	"aws:neptune/globalCluster:*":      "a database",
	"aws:dynamodb/table:Table":         "a database",
	"aws:memorydb/cluster:Cluster":     "a database",
	"aws:redshift/cluster:Cluster":     "a database",
	"aws:opensearch/domain:Domain":     "a database",
	// Those within a server.
	"mysql:index/database:Database":      "a database",
	"postgresql:index/database:Database": "a database",
}

// oneToken is a type's token where the provider has it under two.
func oneToken(token string) string { return strings.Replace(token, "aws:alb/", "aws:lb/", 1) }

// guardForm is a type's token, PACKAGE:MODULE:TYPE, or the beginning of one with a * after it.
// https://www.pulumi.com/docs/iac/concepts/resources/names/#types
var guardForm = regexp.MustCompile(`^(?:\*|[\w.-]+(?:\*|:(?:\*|[\w./-]+(?:\*|:(?:\*|[\w.]+\*?)))))$`)

// noTypes says of each pattern of Options.Guard that no resource's type can be like it. Whether a provider has such a type it cannot tell.
func noTypes(patterns []string) (wrong []string) {
	for _, t := range patterns {
		if guardForm.MatchString(t) {
			continue
		}
		like := "aws:s3/bucketV2:BucketV2, or its beginning with a * after it"
		// As a review writes types, and as their documentation does.
		if _, name, short := strings.Cut(t, "/"); short && name != "" && guardForm.MatchString(t+"*") {
			like = t + ":" + strings.ToUpper(name[:1]) + name[1:]
		}
		wrong = append(wrong, fmt.Sprintf("%q guards nothing: no resource has such a type; it has to be like %s", t, like))
	}
	return wrong
}

// handle is a short name of one resource alone, for a label: those of GitHub have 50 characters at most, which no URN fits.
func handle(u URN) string { return "urn-" + digest(string(u)) }

// guard finds the changes that are refused, and lets through those that are named. It returns what is wrong with the names.
func (p *plan) guard(more, allow []string) []string {
	types := map[string]string{}
	for k, v := range guarded {
		types[k] = v
	}
	var wrong []string
	for _, t := range more {
		types[t] = "of a type that --guard names"
	}
	var refused []*change
	for _, c := range p.changes {
		if c.kind != replaced && c.kind != deleted {
			continue
		}
		for _, token := range []string{oneToken(c.URN.Type()), c.URN.Type()} {
			if what, ok := find(types, token); ok && c.guard == "" {
				c.guard = what
			}
		}
		if c.Old != nil && c.Old.Protect {
			c.guard = "protected"
		}
		if c.guard != "" {
			refused = append(refused, c)
		}
	}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(allow))) {
		var fits []*change
		for _, c := range refused {
			if string(c.URN) == name || c.URN.Name() == name || handle(c.URN) == name {
				fits = append(fits, c)
			}
		}
		// One resource may have more than one state that goes: what an earlier run has left of a replacement, too.
		several := slices.ContainsFunc(fits, func(c *change) bool { return c.URN != fits[0].URN })
		switch {
		case len(fits) > 0 && !several:
			for _, c := range fits {
				c.allowed = true
			}
		case len(fits) == 0:
			if !p.Failed && p.Broken == "" {
				wrong = append(wrong, p.nothingFits(name, refused))
			}
		default:
			var all []string
			for _, c := range fits {
				all = append(all, string(c.URN))
			}
			wrong = append(wrong, fmt.Sprintf("%q names %d resources: allow one by its URN: %s", name, len(fits), strings.Join(all, ", ")))
		}
	}
	return wrong
}

func (p *plan) nothingFits(name string, refused []*change) string {
	said := fmt.Sprintf("%q allows nothing: ", name)
	for _, s := range p.Steps {
		if s.URN.Name() == name || string(s.URN) == name {
			said = fmt.Sprintf("%q allows nothing, since nothing guarded of that name is replaced or deleted: ", name)
		}
	}
	if len(refused) == 0 {
		return said + "no guarded resource is replaced or deleted, so take it away"
	}
	near := make([]string, len(refused))
	for i, c := range refused {
		near[i] = c.URN.Name()
	}
	slices.SortStableFunc(near, func(a, b string) int {
		return cmp.Or(cmp.Compare(distance(a, name), distance(b, name)), strings.Compare(a, b))
	})
	near = slices.Compact(near)
	for i := range near {
		near[i] = fmt.Sprintf("%q", near[i])
	}
	return said + "near it are " + strings.Join(near[:min(3, len(near))], ", ")
}

// distance is how many characters have to be put in, taken out or changed to make one text of the other.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i, r := range x {
		diagonal := row[0]
		row[0] = i + 1
		for j, q := range y {
			next := diagonal
			if r != q {
				next = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], next
		}
	}
	return row[len(y)]
}
