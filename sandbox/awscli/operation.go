package awscli

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-iac/slipway/sandbox/aws"
)

// operation is a call of an API with which an operator looks at the account or changes it.
type operation struct {
	// name as the API has it.
	name string
	// takes are the call's options, in the order of the manual; those that end in ! have to be given.
	takes []string
	run   func(c call, tx *aws.Tx) (any, error)
}

// operations are all of them, by the words of the command.
func operations() map[string]operation {
	all := maps.Clone(autoscaling)
	maps.Copy(all, byHand)
	return all
}

// everywhere are options of all calls that change nothing here.
var everywhere = []string{"region", "output", "no-cli-pager", "no-paginate", "profile", "color"}

// operate runs the call on the account.
func (c call) operate(op operation) int {
	if problem := c.wrong(op); problem != "" {
		fmt.Fprintln(os.Stderr, "aws: error:", problem)
		return 252
	}
	h, err := c.home()
	if err != nil {
		fmt.Fprintln(os.Stderr, "aws:", err)
		return 255
	}
	account, err := aws.OpenAccount(h.Account())
	if err != nil {
		fmt.Fprintln(os.Stderr, "aws:", err)
		return 255
	}
	account.Changed = func(tx *aws.Tx) error { return tx.WriteKubeView(h.KubeView()) }
	var answer any
	err = account.Do(c.region(), func(tx *aws.Tx) (err error) {
		answer, err = op.run(c, tx)
		return err
	})
	var refused *aws.Error
	var usage usageError
	switch {
	case errors.As(err, &usage):
		fmt.Fprintln(os.Stderr, "aws: error:", usage)
		return 252
	case errors.As(err, &refused):
		fmt.Fprintf(os.Stderr, "\nAn error occurred (%s) when calling the %s operation: %s\n", refused.Code, op.name, refused.Message)
		return 254
	case err != nil:
		fmt.Fprintln(os.Stderr, "aws:", err)
		return 255
	case answer == nil:
		return 0 // as the real one says nothing where the API answers nothing
	}
	return print(answer)
}

// wrong is what keeps a command line from being a call; "" where nothing does.
func (c call) wrong(op operation) string {
	known := slices.Clone(everywhere)
	var missing, unknown, problems []string
	for _, t := range op.takes {
		name, must := strings.CutSuffix(t, "!")
		known = append(known, name)
		if _, given := c.flags[name]; must && !given {
			missing = append(missing, "--"+name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.flags)) {
		if !slices.Contains(known, name) {
			unknown = append(unknown, "--"+name)
		}
	}
	if len(missing) > 0 {
		problems = append(problems, "the following arguments are required: "+strings.Join(missing, ", "))
	}
	if len(unknown) > 0 {
		problems = append(problems, "Unknown options: "+strings.Join(unknown, ", ")+" (the sandbox's aws takes --"+strings.ReplaceAll(strings.Join(op.takes, ", --"), "!", "")+")")
	}
	for _, name := range []string{"min-size", "max-size", "desired-capacity"} {
		if v, given := c.flags[name]; given {
			if n, err := strconv.Atoi(v); err != nil || n < 0 {
				problems = append(problems, fmt.Sprintf("argument --%s: %q is no number of instances, must be 0 or more", name, v))
			}
		}
	}
	if o := c.flags["output"]; o != "" && o != "json" {
		problems = append(problems, fmt.Sprintf("argument --output: the sandbox's aws prints json, not %q", o))
	}
	return strings.Join(problems, "; ")
}

// number is a size; -1 where it is not given.
func (c call) number(name string) int {
	n, err := strconv.Atoi(c.flags[name])
	if err != nil {
		return -1
	}
	return n
}
