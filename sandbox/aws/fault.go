package aws

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/slipway-iac/slipway/sandbox/aws/accountfile"
)

// withFaults does the operation, unless a fault was ordered for it. A fault is a line in the account's file "faults":
//
//	aws:eks/cluster:Cluster create 1 ThrottlingException
//	aws:eks/cluster:Cluster create 1 cut
//
// type, operation (create, read, update, delete), how many times, and the code of the error. "cut" lets the operation take
// effect and then kills the provider, as a lost connection or a crash would.
func (tx *Tx) withFaults(t *Type, op string, f func() error) error {
	code, err := tx.fault(t.Token, op)
	if err != nil {
		return err
	}
	switch code {
	case "":
		return f()
	case "cut":
		if err := f(); err != nil {
			return err
		}
		if err := tx.Account.save(tx); err != nil {
			return err
		}
		os.Exit(137)
	}
	return Errorf(code, "ordered by --fault")
}

// fault is the code of the fault ordered for this operation, and uses one of it up; "" where there is none.
func (tx *Tx) fault(token, op string) (string, error) {
	path := filepath.Join(tx.dir, "faults")
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("the faults: %w", err)
	}
	defer f.Close()
	var code string
	var rest []string
	for s := bufio.NewScanner(f); s.Scan(); {
		w := strings.Fields(s.Text())
		if code == "" && len(w) == 4 && w[0] == token && w[1] == op {
			if n, _ := strconv.Atoi(w[2]); n > 0 {
				code = w[3]
				if n > 1 {
					rest = append(rest, strings.Join([]string{w[0], w[1], strconv.Itoa(n - 1), w[3]}, " "))
				}
				continue
			}
		}
		rest = append(rest, s.Text())
	}
	if code == "" {
		return "", nil
	}
	return code, accountfile.WriteDurably(path, []byte(strings.Join(rest, "\n")+"\n"))
}
