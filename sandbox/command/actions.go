package command

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/slipway-iac/slipway/sandbox/aws"
)

// Actions lists the IAM actions that the account was asked for.
func (s *Sandbox) Actions(args []string) error {
	flags := flag.NewFlagSet("sandbox", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	declared, asJSON, forget := flags.Bool("declared", false, ""), flags.Bool("json", false, ""), flags.Bool("forget", false, "")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("%w; `%s help` lists what there is", err, executable())
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("there is no argument %q; `%s help` lists what there is", flags.Arg(0), executable())
	}
	account, err := aws.OpenAccount(s.Home.Account())
	if err != nil {
		return err
	}
	all := aws.Declared()
	if !*declared {
		if all, err = account.Asked(); err != nil {
			return err
		}
	}
	if *asJSON {
		out := json.NewEncoder(os.Stdout)
		for _, a := range all {
			if err := out.Encode(a); err != nil {
				return err
			}
		}
	} else {
		fmt.Print(actionTable(all))
	}
	if *forget {
		return account.ForgetAsked()
	}
	return nil
}

// actionTable is a line an action: on how many resources it was asked for, and by the operations of which types.
func actionTable(all []aws.Asked) string {
	if len(all) == 0 {
		return "Nothing was asked for yet.\n"
	}
	type line struct {
		resources map[string]bool
		by        []string
	}
	lines, width := map[string]*line{}, 0
	var actions []string
	for _, a := range all {
		l := lines[a.Action]
		if l == nil {
			l = &line{resources: map[string]bool{}}
			lines[a.Action], actions, width = l, append(actions, a.Action), max(width, len(a.Action))
		}
		l.resources[a.Resource] = true
		if by := a.Type + " " + a.Op; !slices.Contains(l.by, by) {
			l.by = append(l.by, by)
		}
	}
	slices.Sort(actions)
	var b strings.Builder
	for _, action := range actions {
		fmt.Fprintf(&b, "%-*s  %4d  %s\n", width, action, len(lines[action].resources), strings.Join(lines[action].by, ", "))
	}
	return b.String()
}
