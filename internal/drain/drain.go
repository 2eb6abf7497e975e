// Package drain empties nodes before they go, as `kubectl drain` does: one after the other, and no faster than disruption budgets allow.
package drain

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Drain is a move of pods from the nodes of some node groups to those of others. It keeps nothing of its own: what is left to do stands
// in the cluster, so that one that was interrupted goes on where it was.
type Drain struct {
	API *Client
	// Leaving tells of a node group's name whether its nodes go.
	Leaving func(group string) bool
	// Arriving are the groups that take their place: each must have a node, and all of its nodes must be ready, before any pod moves.
	Arriving []string
	// Patience is how long nothing may move before Run gives up.
	Patience time.Duration
	// Settle is how long the arriving nodes are ready before any pod moves: until then load balancers have been given them, and have
	// found them healthy.
	Settle time.Duration
	// Poll is how long to wait between two looks at the cluster.
	Poll time.Duration
	// Say tells a person how far it is.
	Say func(string)
	// Wanted is asked in each round whether there is still somebody who waits for the end: a drain that nobody waits for must not go on.
	Wanted func() error

	// said is the last thing of each kind.
	said map[string]string
	// moved is when something last did.
	moved time.Time
	// done are nodes that were seen empty, and take no further pods.
	done map[string]bool
}

// Run ends when the nodes that leave are empty. An error says what stands in the way, and what to do.
func (d *Drain) Run(ctx context.Context) error {
	d.moved = time.Now()
	if err := d.arrived(ctx); err != nil {
		return err
	}
	for begun := false; ; {
		left, err := d.look(ctx)
		switch {
		case err != nil:
		case !begun:
			if err := left.lost(); err != nil {
				return err
			}
			if err := d.settled(ctx); err != nil {
				return err
			}
			begun = true
			if !left.empty() {
				d.say("%d nodes leave: %s. Their pods move one node at a time, as disruption budgets allow", len(left.nodes), strings.Join(left.names(), ", "))
			}
			continue
		case left.empty() && len(d.done) == 0:
			d.say("the old nodes are empty")
			return nil
		case left.empty():
			d.done = nil // and look at all of them once more
			continue
		default:
			err = d.step(ctx, left)
		}
		if err := d.wait(ctx, left, err); err != nil {
			return err
		}
	}
}

// left is what is still there of the nodes that leave.
type left struct {
	nodes []node
	// pods by node, those that have to move.
	pods map[string][]pod
	// blocked are pods that may not end yet, and why.
	blocked []string
}

func (l *left) empty() bool {
	return !slices.ContainsFunc(l.nodes, func(n node) bool { return !n.Spec.Unschedulable || len(l.pods[n.Metadata.Name]) > 0 })
}

func (l *left) names() (all []string) {
	for _, n := range l.nodes {
		all = append(all, n.Metadata.Name)
	}
	return all
}

// lost refuses to begin with pods that nobody makes anew.
func (l *left) lost() error {
	var pods []string
	for _, n := range l.nodes {
		for _, p := range l.pods[n.Metadata.Name] {
			if p.lost() {
				pods = append(pods, "  "+p.key()+" on "+n.Metadata.Name)
			}
		}
	}
	if len(pods) == 0 {
		return nil
	}
	return fmt.Errorf("no node was drained, and nothing was deleted: these pods belong to no controller, so nobody makes them anew on another node:\n%s\n"+
		"Delete them, or say with `kubectl annotate pod -n NAMESPACE NAME cluster-autoscaler.kubernetes.io/safe-to-evict=true` that they may end, and run `pulumi up` again", strings.Join(pods, "\n"))
}

func (d *Drain) look(ctx context.Context) (*left, error) {
	nodes, err := d.API.nodes(ctx)
	if err != nil {
		return nil, fmt.Errorf("nodes: %w", err)
	}
	l := &left{pods: map[string][]pod{}}
	for _, n := range nodes {
		if !d.Leaving(n.Metadata.Labels[groupLabel]) {
			continue
		}
		l.nodes = append(l.nodes, n)
		name := n.Metadata.Name
		if d.done[name] {
			continue
		}
		pods, err := d.API.pods(ctx, "spec.nodeName="+name)
		if err != nil {
			return nil, fmt.Errorf("pods on %s: %w", name, err)
		}
		for _, p := range pods {
			if p.moves() {
				l.pods[name] = append(l.pods[name], p)
			}
		}
	}
	return l, nil
}

// step keeps pods off all nodes that leave, and asks those of the first node that has any to end.
func (d *Drain) step(ctx context.Context, l *left) error {
	for _, n := range l.nodes {
		if n.Spec.Unschedulable {
			continue
		}
		if err := d.API.cordon(ctx, n.Metadata.Name); err != nil && !refused(err, http.StatusNotFound) {
			return fmt.Errorf("cordon %s: %w", n.Metadata.Name, err)
		}
		d.moved = time.Now()
	}
	for i, n := range l.nodes {
		pods := l.pods[n.Metadata.Name]
		if len(pods) == 0 {
			if n.Spec.Unschedulable {
				if d.done == nil {
					d.done = map[string]bool{}
				}
				d.done[n.Metadata.Name] = true
			}
			continue
		}
		d.say("node %d of %d, %s: %d pods to move", i+1, len(l.nodes), n.Metadata.Name, len(pods))
		return d.empty(ctx, l, n, pods)
	}
	return nil
}

func (d *Drain) empty(ctx context.Context, l *left, n node, pods []pod) error {
	for _, p := range pods {
		if end := p.Metadata.DeletionTimestamp; end != nil {
			// It is the moment at which the pod's grace is over: until then it ends as it was asked to.
			if time.Now().Before(*end) {
				d.moved = time.Now()
			} else {
				l.blocked = append(l.blocked, fmt.Sprintf("%s: should have ended by %s UTC%s", p.key(), end.UTC().Format(time.TimeOnly), p.lingers(n)))
			}
			continue
		}
		var r *refusal
		switch err := d.API.evict(ctx, p); {
		case err == nil, refused(err, http.StatusNotFound), refused(err, http.StatusConflict):
			d.moved = time.Now()
		case errors.As(err, &r) && r.code != http.StatusUnauthorized && r.code != http.StatusServiceUnavailable:
			// A budget that does not allow it yet, mostly; but also two budgets for one pod, or a webhook that refuses: the others may move.
			l.blocked = append(l.blocked, p.key()+": "+strings.Join(append([]string{r.message}, r.causes...), " "))
		default:
			return fmt.Errorf("evict %s: %w", p.key(), err)
		}
	}
	if len(l.blocked) > 0 {
		d.say("waiting for %s. Ctrl-C twice stops it; the next `pulumi up` goes on from there", strings.Join(l.blocked, "; "))
	}
	return nil
}

// wait lets some time pass, or gives up. trouble is what went wrong in this round: an API server that is away for a while is no
// reason to stop.
func (d *Drain) wait(ctx context.Context, l *left, trouble error) error {
	if trouble != nil {
		d.say("%v; trying again", trouble)
	}
	if time.Since(d.moved) > d.Patience {
		return d.stuck(ctx, l, trouble)
	}
	var over error
	select {
	case <-ctx.Done():
		over = context.Cause(ctx)
	case <-time.After(d.Poll):
		over = d.Wanted()
	}
	if over != nil {
		return fmt.Errorf("interrupted: the nodes that leave take no further pods, and nothing was deleted. Run `pulumi up` again: it goes on from here (%w)", over)
	}
	return nil
}

// stuck is for whoever is woken up by it.
func (d *Drain) stuck(ctx context.Context, l *left, trouble error) error {
	var b strings.Builder
	fmt.Fprintf(&b, "the old nodes are not empty, and nothing has moved for %s. Nothing was deleted and no pod was ended against its disruption budget: the old nodes run, and take no further pods.", d.Patience)
	list := func(head string, lines []string) {
		if len(lines) > 0 {
			fmt.Fprintf(&b, "\n%s:\n  %s", head, strings.Join(lines, "\n  "))
		}
	}
	if trouble != nil {
		list("The cluster cannot be asked", []string{trouble.Error()})
	}
	if l != nil {
		list("What does not end", l.blocked)
		var waiting []string
		pods, _ := d.API.pods(ctx, "status.phase=Pending") // without them there is still something to say
		for _, p := range pods {
			if why := p.waits(); why != "" {
				waiting = append(waiting, p.key()+": "+why)
			}
		}
		list("What waits for a node", waiting)
	}
	if trouble == nil {
		b.WriteString("\nRepair these pods, or make room for them (a larger desiredSize of the new group), or loosen the budget for a moment; `kubectl get pods,pdb -A -o wide` shows all. " +
			"Then run")
	} else {
		b.WriteString("\nWhen `kubectl get nodes` answers from here, with the credentials of this run, run")
	}
	b.WriteString(" `pulumi up` again: it goes on from here. `kubectl uncordon NODE` lets pods back onto an old node until then")
	return errors.New(b.String())
}

// arrived waits until the new nodes are ready. EKS says so of a group before Pulumi goes on, but nodes come and go.
func (d *Drain) arrived(ctx context.Context) error {
	for {
		ready, missing, err := d.ready(ctx)
		if err == nil && len(missing) == 0 {
			return nil
		}
		if err == nil {
			d.say("%d new nodes are ready; waiting for %s", ready, strings.Join(missing, ", "))
		}
		if time.Since(d.moved) > d.Patience {
			if err != nil {
				return d.stuck(ctx, nil, err)
			}
			return fmt.Errorf("no node was drained, and nothing was deleted: for %s these new nodes have not been ready: %s. `kubectl describe node` tells why; then run `pulumi up` again", d.Patience, strings.Join(missing, ", "))
		}
		if err := d.wait(ctx, nil, err); err != nil {
			return err
		}
	}
}

// ready counts the arriving nodes that are, and names what is missing: nodes that are not, and groups without any.
func (d *Drain) ready(ctx context.Context) (ready int, missing []string, err error) {
	nodes, err := d.API.nodes(ctx)
	if err != nil {
		return 0, nil, err
	}
	for _, group := range d.Arriving {
		some := false
		for _, n := range nodes {
			if n.Metadata.Labels[groupLabel] != group {
				continue
			}
			some = true
			if _, ok := n.ready(); ok {
				ready++
			} else {
				missing = append(missing, n.Metadata.Name)
			}
		}
		if !some {
			missing = append(missing, "a node of "+group)
		}
	}
	return ready, missing, nil
}

// settled waits until one node of each arriving group has been ready for long enough.
func (d *Drain) settled(ctx context.Context) error {
	for {
		nodes, err := d.API.nodes(ctx)
		if err != nil {
			if err := d.wait(ctx, nil, err); err != nil {
				return err
			}
			continue
		}
		rest, gone := time.Duration(0), ""
		for _, group := range d.Arriving {
			oldest, some := time.Now(), false
			for _, n := range nodes {
				if since, ok := n.ready(); ok && n.Metadata.Labels[groupLabel] == group {
					some = true
					if since.Before(oldest) {
						oldest = since
					}
				}
			}
			if !some {
				gone = group
			}
			rest = max(rest, d.Settle-time.Since(oldest))
		}
		if gone != "" {
			// They were there a moment ago. Nobody waits for ever for nodes that a zone took along.
			if err := d.arrived(ctx); err != nil {
				return err
			}
			continue
		}
		d.moved = time.Now()
		if rest <= 0 {
			return nil
		}
		d.say("the new nodes are ready; pods move when load balancers have had time to find them healthy")
		if err := d.wait(ctx, nil, nil); err != nil {
			return err
		}
	}
}

// say says a thing once, until it is another thing of that kind.
func (d *Drain) say(format string, a ...any) {
	text := fmt.Sprintf(format, a...)
	if d.said[format] == text {
		return
	}
	if d.said == nil {
		d.said = map[string]string{}
	}
	d.said[format] = text
	d.Say(text)
}
