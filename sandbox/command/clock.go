package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/slipway-iac/slipway/sandbox/aws"
	"github.com/slipway-iac/slipway/sandbox/settle"
)

// Clock shows or moves the account's time.
func (s *Sandbox) Clock(ctx context.Context, args []string) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT)
	defer stop()
	order, err := parseClock(args)
	if err != nil {
		return err
	}
	account, err := s.account()
	if err != nil {
		return err
	}
	if !order.reset && order.time == "" {
		return account.Do("", func(tx *aws.Tx) error { showClock(os.Stdout, tx); return nil })
	}
	lock, err := s.Home.Lock("sandbox clock " + strings.Join(args, " "))
	if err != nil {
		return err
	}
	defer lock.Close()
	if order.reset {
		return account.Do("", func(tx *aws.Tx) error {
			tx.ResetClock()
			showClock(os.Stdout, tx)
			return nil
		})
	}
	m := move{out: os.Stdout, account: account}
	if err := m.read(order); err != nil {
		return err
	}
	if m.cluster {
		if err := s.Start(ctx); err != nil {
			return err
		}
		watched, err := settle.Watch(ctx, s.Home.Kube(), s.Home.KubeView(), func(fall string) { fmt.Printf("! %s\n", fall) })
		if err != nil {
			return err
		}
		m.watched = watched
	}
	return m.run(ctx)
}

// account is the sandbox's, for commands that change it: Kubernetes follows.
func (s *Sandbox) account() (*aws.Account, error) {
	account, err := aws.OpenAccount(s.Home.Account())
	if err != nil {
		return nil, err
	}
	account.Changed = func(tx *aws.Tx) error { return tx.WriteKubeView(s.Home.KubeView()) }
	return account, nil
}

// showClock says what time it is in the account, how large the groups are and what runs next on each.
func showClock(out io.Writer, tx *aws.Tx) {
	now, actions := tx.Now(), tx.Pending()
	fmt.Fprintln(out, shown(now))
	told := map[string]bool{now.Location().String(): true}
	for _, a := range actions {
		if zone := a.At.Location(); !told[zone.String()] {
			told[zone.String()] = true
			fmt.Fprintln(out, shown(now.In(zone)))
		}
	}
	if tx.Clock == nil {
		fmt.Fprintln(out, "It is the machine's time, which goes on by itself and runs no scheduled action: only a move of the clock does.")
	} else {
		fmt.Fprintf(out, "The clock stands still until it is moved again; `%s clock --now` gives the machine's time back.\n", executable())
	}
	for _, g := range tx.ScaledGroups() {
		fmt.Fprintf(out, "\n%s  %s\n", g.Label, sized(g.Size))
		next := ""
		for _, a := range actions {
			switch {
			case a.Group != g.Name || next != "":
			case !a.At.After(now):
				next = fmt.Sprintf("  next  %s  %s  %s, due already: it runs with the next move\n", shown(a.At), a.Action, sets(a))
			default:
				next = fmt.Sprintf("  next  %s  %s  %s\n", shown(a.At), a.Action, sets(a))
			}
		}
		if g.Suspended {
			next += "  its scheduled actions are suspended\n"
		}
		fmt.Fprint(out, next)
	}
}

func sized(s aws.Size) string {
	unit := "nodes"
	if s.Desired == 1 {
		unit = "node"
	}
	return fmt.Sprintf("%d %s (min %d, max %d)", s.Desired, unit, s.Min, s.Max)
}

// sets is the sizes that an action gives its group.
func sets(a aws.Pending) string {
	var parts []string
	for _, p := range []struct {
		name string
		n    int
	}{{"min", a.Min}, {"desired", a.Desired}, {"max", a.Max}} {
		if p.n >= 0 {
			parts = append(parts, fmt.Sprintf("%s %d", p.name, p.n))
		}
	}
	return strings.Join(parts, ", ")
}

// move takes the account's clock forward.
type move struct {
	out     io.Writer
	account *aws.Account
	to      time.Time
	zone    *time.Location
	// width of the actions' names, so that what follows them stands in a column.
	width int
	// cluster: there is one, whose nodes follow; then it is watched.
	cluster bool
	watched *settle.Cluster
	refused int
}

// read finds out where the order leads.
func (m *move) read(order clockOrder) error {
	return m.account.Do("", func(tx *aws.Tx) (err error) {
		actions := tx.Pending()
		for _, a := range actions {
			m.width = max(m.width, len(a.Action))
		}
		m.cluster = len(aws.KubeView(tx).Clusters) > 0
		m.to, m.zone, err = order.moment(tx.Now(), zoneOfActions(actions))
		return err
	})
}

func (m *move) run(ctx context.Context) error {
	for any := false; ; any = true {
		if ctx.Err() != nil {
			return errors.New("interrupted: the clock stands where it is, and another move takes it on")
		}
		var fired []aws.Firing
		if err := m.account.Do("", func(tx *aws.Tx) error { fired = tx.Advance(m.to); return nil }); err != nil {
			return err
		}
		if len(fired) == 0 {
			if !any {
				fmt.Fprintln(m.out, "no scheduled action runs until then")
			}
			break
		}
		resized := false
		for _, f := range fired {
			fmt.Fprintln(m.out, m.line(f))
			resized = resized || f.After.Desired != f.Before.Desired
			if f.Refused != nil {
				m.refused++
			}
		}
		if resized {
			if err := m.settle(ctx, false); err != nil {
				return fmt.Errorf("%w. The clock stands at %s; another move takes it on", err, shown(fired[len(fired)-1].At))
			}
		}
	}
	if err := m.settle(ctx, true); err != nil {
		return err
	}
	return m.end()
}

// settle waits until nodes and pods have followed; where available, until nothing tells any more that pods have moved.
func (m *move) settle(ctx context.Context, available bool) error {
	if m.watched == nil {
		return nil
	}
	pending, err := m.watched.Settled(ctx, available)
	for _, p := range pending {
		fmt.Fprintf(m.out, "  %s\n", p)
	}
	return err
}

// end says where the clock stands, and fails where something went wrong on the way.
func (m *move) end() error {
	now := shown(m.to.UTC())
	if m.zone != time.UTC {
		now += ", " + shown(m.to.In(m.zone))
	}
	fmt.Fprintf(m.out, "the account's time is %s\n", now)
	var problems []error
	if m.watched != nil {
		watched, falls := m.watched.Budgets()
		if len(falls) > 0 {
			problems = append(problems, fmt.Errorf("apps fell below their disruption budgets:\n  %s", strings.Join(falls, "\n  ")))
		} else {
			fmt.Fprintf(m.out, "no app fell below its disruption budget (budgets watched: %d)\n", watched)
		}
	}
	if m.refused > 0 {
		problems = append(problems, fmt.Errorf("Auto Scaling refused %d of the runs above", m.refused))
	}
	return errors.Join(problems...)
}

// line is what an action did.
func (m *move) line(f aws.Firing) string {
	text := fmt.Sprintf("%s  %-*s  %s ", shown(f.At), m.width, f.Action, f.Label)
	switch {
	case f.Refused != nil:
		var api *aws.Error
		if errors.As(f.Refused, &api) {
			return fmt.Sprintf("%sstays at %d: refused, %s: %s", text, f.Before.Desired, api.Code, api.Message)
		}
		return fmt.Sprintf("%sstays at %d: refused, %s", text, f.Before.Desired, f.Refused)
	case f.Suspended:
		return fmt.Sprintf("%sstays at %d: its scheduled actions are suspended", text, f.Before.Desired)
	case f.Before.Desired == f.After.Desired:
		return fmt.Sprintf("%sstays at %d (min %d, max %d)", text, f.After.Desired, f.After.Min, f.After.Max)
	}
	return fmt.Sprintf("%s%d → %d (min %d, max %d)", text, f.Before.Desired, f.After.Desired, f.After.Min, f.After.Max)
}
