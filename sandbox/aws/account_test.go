package aws

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/slipway-iac/slipway/sandbox/aws/accountfile"
)

// The tests below run this test binary again as other processes, told by this variable what to be.
const roleVariable = "SANDBOX_AWS_TEST_ROLE"

// child is this test binary as another process on the account in dir.
func child(t *testing.T, role, dir string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAsChild$")
	c.Env = append(os.Environ(), roleVariable+"="+role, "SANDBOX_AWS_TEST_DIR="+dir)
	c.Stderr = os.Stderr
	return c
}

// TestAsChild is what the other processes do.
func TestAsChild(t *testing.T) {
	role := os.Getenv(roleVariable)
	if role == "" {
		t.Skip("only runs as a process of other tests") // they start this very test with a role
	}
	a, err := OpenAccount(os.Getenv("SANDBOX_AWS_TEST_DIR"))
	if err != nil {
		t.Fatal(err)
	}
	switch role {
	case "twenty":
		addObjects(t, a, role, 20)
	case "forever":
		for {
			fmt.Println(addObjects(t, a, role, 1))
		}
	case "cut":
		h := newHarness(t)
		h.p.account = a
		h.create(vpcToken, "v", object{"cidrBlock": "10.0.0.0/16"})
		t.Fatal("the provider lived on after the operation at which it was to be cut off")
	}
}

func addObjects(t *testing.T, a *Account, of string, n int) (last string) {
	t.Helper()
	for range n {
		if err := a.Do("us-west-2", func(tx *Tx) error {
			last = Hex(16)
			tx.Add(&Object{Type: "test", ID: last, Inputs: map[string]any{"of": of}})
			return nil
		}); err != nil {
			t.Error(err)
		}
	}
	return last
}

func idsOf(t *testing.T, a *Account) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	if err := a.Do("us-west-2", func(tx *Tx) error {
		for _, o := range tx.All("test") {
			out[o.ID] = true
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func openAccount(t *testing.T) *Account {
	t.Helper()
	a, err := OpenAccount(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestManyWritersLoseNothing(t *testing.T) {
	a := openAccount(t)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if err := child(t, "twenty", a.dir).Run(); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() { addObjects(t, a, "goroutine", 20) })
	}
	wg.Wait()
	if n := len(idsOf(t, a)); n != 120 {
		t.Errorf("%d of 120 objects are there", n)
	}
}

func TestKilledWriterKeepsWhatItReported(t *testing.T) {
	a := openAccount(t)
	c := child(t, "forever", a.dir)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var reported []string
	for s := bufio.NewScanner(out); s.Scan(); {
		if reported = append(reported, s.Text()); len(reported) == 10 {
			if err := c.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = c.Wait() // ends with the kill
	have := idsOf(t, a)
	for _, id := range reported {
		if !have[id] {
			t.Errorf("%s was reported as done, and is lost", id)
		}
	}
	addObjects(t, a, "after", 1)
}

func TestHalfWrittenStateIsNotRead(t *testing.T) {
	a := openAccount(t)
	id := addObjects(t, a, "first", 1)
	// A process that dies between writing and renaming leaves this behind.
	if err := os.WriteFile(a.File()+".new", []byte(`{"version":1,"obj`), 0o600); err != nil {
		t.Fatal(err)
	}
	if !idsOf(t, a)[id] {
		t.Error("the state before is lost")
	}
	addObjects(t, a, "second", 1)
	if n := len(idsOf(t, a)); n != 2 {
		t.Errorf("%d of 2 objects are there", n)
	}
}

func TestFileThatCannotBeRead(t *testing.T) {
	a := openAccount(t)
	first := addObjects(t, a, "first", 1)
	addObjects(t, a, "second", 1)
	whole, err := os.ReadFile(a.File())
	if err != nil {
		t.Fatal(err)
	}
	nothing := func(*Tx) error { return nil }
	for content, want := range map[string]string{
		string(whole[:len(whole)/2]): "cut short or edited; nothing was changed",
		"":                           "cut short or edited; nothing was changed",
		`{"version":2}`:              "has format 2 and this sandbox reads 1",
	} {
		if err := os.WriteFile(a.File(), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := a.Do("us-west-2", nothing); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v, want %s", content, err, want)
		}
		if left, _ := os.ReadFile(a.File()); string(left) != content {
			t.Errorf("%.20q was written over", content)
		}
	}
	// What the message says puts the state before the last change back.
	previous, err := os.ReadFile(accountfile.Previous(a.dir))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(a.File(), previous, 0o600); err != nil {
		t.Fatal(err)
	}
	if have := idsOf(t, a); len(have) != 1 || !have[first] {
		t.Errorf("after the way back: %v", have)
	}
}

func TestRefusedOperationChangesNothing(t *testing.T) {
	a := openAccount(t)
	refused := errors.New("refused")
	if err := a.Do("us-west-2", func(tx *Tx) error {
		tx.Add(&Object{Type: "test", ID: "x"})
		return refused
	}); !errors.Is(err, refused) {
		t.Fatal(err)
	}
	if have := idsOf(t, a); len(have) > 0 {
		t.Errorf("left: %v", have)
	}
}

func TestChangedSeesWhatIsOnDisk(t *testing.T) {
	a := openAccount(t)
	calls := 0
	a.Changed = func(tx *Tx) error {
		calls++
		b, err := os.ReadFile(a.File())
		if err != nil || !strings.Contains(string(b), tx.All("test")[0].ID) {
			t.Errorf("told before it was on disk: %v", err)
		}
		return nil
	}
	addObjects(t, a, "x", 1)
	idsOf(t, a)
	if calls != 1 {
		t.Errorf("told %d times of one change", calls)
	}
}

func TestRegionsAreApart(t *testing.T) {
	a := openAccount(t)
	if err := a.Do("us-west-2", func(tx *Tx) error {
		tx.Add(&Object{Type: "test", ID: "regional", Region: "us-west-2"})
		tx.Add(&Object{Type: "test", ID: "global"})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := a.Do("eu-west-1", func(tx *Tx) error {
		if tx.Find("test", "id", "regional") != nil || tx.Find("test", "id", "global") == nil || len(tx.All("test")) != 1 {
			t.Errorf("seen from eu-west-1: %v", tx.All("test"))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestOrderedFaults(t *testing.T) {
	h := newHarness(t)
	faults := filepath.Join(h.p.account.dir, "faults")
	if err := os.WriteFile(faults, []byte(vpcToken+" create 2 ThrottlingException\n"+vpcToken+" delete 1 InternalError\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	in := object{"cidrBlock": "10.0.0.0/16"}
	for range 2 {
		if got := h.refused(vpcToken, "v", in); !strings.Contains(got, "creating EC2 VPC: operation error EC2: CreateVpc, https response error StatusCode: 400, RequestID: ") ||
			!strings.Contains(got, "api error ThrottlingException") {
			t.Error(got)
		}
	}
	vpc := h.create(vpcToken, "v", in)
	if got := h.delete(vpc); !strings.Contains(got, "InternalError") {
		t.Error(got)
	}
	if got := h.delete(vpc); got != "" {
		t.Error(got)
	}
}

func TestOperationCutOffAfterItTookEffect(t *testing.T) {
	a := openAccount(t)
	if err := os.WriteFile(filepath.Join(a.dir, "faults"), []byte(vpcToken+" create 1 cut\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := child(t, "cut", a.dir)
	var exit *exec.ExitError
	if err := c.Run(); !errors.As(err, &exit) || exit.ExitCode() != 137 {
		t.Fatalf("ended with %v, want exit code 137", err)
	}
	left, err := a.Resources()
	if err != nil || left[vpcToken] != 1 {
		t.Errorf("left: %v %v", left, err)
	}
}
