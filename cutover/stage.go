// Package cutover says how far a system has moved from an old one to the new one, and what share of the requests each gets. It is
// pure Go: components/edge renders it to weights of an ALB, haproxy to a configuration of HAProxy.
package cutover

import (
	"fmt"
	"strconv"
	"strings"
)

// The stages, in the order in which a migration takes them. Every one can be left for any other but Done, which takes the old system
// out of the door: it is reached through DrainLegacy.
const (
	// Legacy sends everything to the old system. The new one is there, is checked, and gets nothing.
	Legacy = "legacy"
	// Canary sends N percent to the new system, 1 to 50: "canary 10".
	Canary = "canary"
	// Split sends N percent to the new system, 1 to 99: "split 50".
	Split = "split"
	// DrainLegacy sends everything to the new system. The old one finishes what it has begun, and can take over again at once.
	DrainLegacy = "drain-legacy"
	// Done takes the old system out of the door.
	Done = "done"
)

const stageSays = `"legacy", "canary N" with N from 1 to 50, "split N" with N from 1 to 99, "drain-legacy" or "done"`

// Stage is one stage, read by ParseStage.
type Stage struct {
	name string
	// share is what the new system gets, in percent.
	share int
}

// ParseStage reads a stage as configuration writes it.
func ParseStage(s string) (Stage, error) {
	name, number, numbered := strings.Cut(s, " ")
	most := map[string]int{Canary: 50, Split: 99}[name]
	switch {
	case most > 0 && numbered:
		if n, err := strconv.Atoi(number); err == nil && n >= 1 && n <= most && strconv.Itoa(n) == number {
			return Stage{name, n}, nil
		}
	case numbered:
	case name == Legacy:
		return Stage{name, 0}, nil
	case name == DrainLegacy, name == Done:
		return Stage{name, 100}, nil
	}
	return Stage{}, fmt.Errorf("is %q, must be %s", s, stageSays)
}

func (s Stage) String() string {
	if s.name == Canary || s.name == Split {
		return fmt.Sprintf("%s %d", s.name, s.share)
	}
	return s.name
}

// Weights are the shares of the old system and of the new one; together 100.
func (s Stage) Weights() (old, new int) { return 100 - s.share, s.share }

// Ended tells whether the old system is out of the door.
func (s Stage) Ended() bool { return s.name == Done }

// Step says why a migration may not go from one share of the old system, in percent, to this stage; nil where it may. The old system
// must have had nothing to do before it is taken away: what it had begun would be cut off, and there would be no way back.
func (s Stage) Step(oldHad int) error {
	if !s.Ended() || oldHad == 0 {
		return nil
	}
	return fmt.Errorf("stage %q takes the old system away while %d %% of the requests go to it: move to stage %q first, and on when what it had begun is finished", s, oldHad, DrainLegacy)
}
