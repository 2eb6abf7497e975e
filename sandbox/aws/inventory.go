package aws

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Resources counts what was created in the account, by type. What AWS made by itself, and what the account was born with,
// has an owner and does not count.
func (a *Account) Resources() (map[string]int, error) {
	counts := map[string]int{}
	err := a.Do("", func(tx *Tx) error {
		for _, o := range tx.Objects {
			if o.Owner == "" {
				counts[o.Type]++
			}
		}
		return nil
	})
	return counts, err
}

// MadeFor is the id of the newest object that was made for a resource of a stack; "" where there is none.
func (a *Account) MadeFor(urn string) (id string, err error) {
	err = a.Do("", func(tx *Tx) error {
		for _, o := range tx.Objects {
			if o.URN == urn {
				id = o.ID
			}
		}
		return nil
	})
	return id, err
}

// Known are the resource types and functions that the account knows, sorted.
func Known() []string {
	var out []string
	for t := range types {
		out = append(out, t)
	}
	for f := range functions {
		out = append(out, f+"()")
	}
	slices.Sort(out)
	return out
}

// CheckFault makes a line for the file of faults of the words of a command line.
func CheckFault(words []string) (string, error) {
	if len(words) == 1 {
		words = strings.Fields(words[0])
	}
	if len(words) != 4 {
		return "", errors.New("a fault is four words, for example: aws:eks/cluster:Cluster create 1 ThrottlingException")
	}
	if types[words[0]] == nil {
		return "", fmt.Errorf("%q is no resource type that the account knows; `sandbox types` lists them", words[0])
	}
	if !slices.Contains([]string{"create", "read", "update", "delete"}, words[1]) {
		return "", fmt.Errorf("%q is no operation, must be create, read, update or delete", words[1])
	}
	if n, err := strconv.Atoi(words[2]); err != nil || n < 1 {
		return "", fmt.Errorf("%q is no number of times, must be 1 or more", words[2])
	}
	return strings.Join(words, " "), nil
}
