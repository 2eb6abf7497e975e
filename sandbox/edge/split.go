package edge

import (
	"slices"
	"sync"

	"github.com/slipway-iac/slipway/sandbox/aws"
)

// split hands the requests of a rule out to target groups by their weights. It does so smoothly: among any as many requests in a
// row as the weights add up to, each group gets exactly its weight. AWS only promises that for the long run.
type split struct {
	mu     sync.Mutex
	shares []aws.Share
	// owed is what each group is ahead or behind.
	owed []int
}

// set takes new weights; the same ones again change nothing.
func (s *split) set(shares []aws.Share) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.shares, shares) {
		s.shares, s.owed = shares, make([]int, len(shares))
	}
}

// next is the target group for a request; "" where all weights are 0.
func (s *split) next() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	best, sum := -1, 0
	for i, share := range s.shares {
		sum += share.Weight
		s.owed[i] += share.Weight
		if share.Weight > 0 && (best < 0 || s.owed[i] > s.owed[best]) {
			best = i
		}
	}
	if best < 0 {
		return ""
	}
	s.owed[best] -= sum
	return s.shares[best].Group
}

// holds is the target group that a client's cookie names, if the rule still sends requests to it; else "".
func (s *split) holds(cookies []string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, share := range s.shares {
		if share.Weight > 0 && slices.Contains(cookies, token(share.Group)) {
			return share.Group
		}
	}
	return ""
}
