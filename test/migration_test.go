package test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/slipway-iac/slipway/cutover"
)

// TestMigration takes the site from its old system to the new one, a stage at a time, as pull requests do.
func TestMigration(t *testing.T) {
	t.Parallel() // it waits more than it works
	b := newBox(t)
	at := func(stage string, more ...string) []string {
		section := "config:\n  slipway:migration:\n    stage: " + stage + "\n    old: {addresses: [10.20.4.4, 192.168.1.10], healthCheckPath: /up}\n" + strings.Join(more, "")
		return []string{"--stack", "prod", "--config-file", b.configWith(t, "config:\n", section)}
	}
	up := func(stage string) said {
		t.Helper()
		return b.must(append([]string{"pulumi", "up", "--yes", "--skip-preview"}, at(stage)...)...)
	}
	b.must("start")
	b.must("pulumi", "stack", "select", "--create", "prod")
	up("legacy")
	door := openDoor(t, b)
	door.shares(t, 0)
	door.redirects(t, "http://www.example.com/a/page?q=1", "301 https://www.example.com:443/a/page?q=1")

	var story strings.Builder
	stage := "legacy"
	move := func(next string) {
		t.Helper()
		fmt.Fprintf(&story, "%s → %s\n%s\n", stage, next, changes(t, b.must(append([]string{"pulumi", "preview", "--json"}, at(next)...)...).out))
		up(next)
		if s := b.must(append([]string{"pulumi", "preview", "--expect-no-changes"}, at(next)...)...); s.code != 0 {
			t.Errorf("after %s there are changes:\n%s", next, s.all())
		}
		// The certificate, the names and everything else of the door are in the account as the state has them.
		if s := b.must("pulumi", "refresh", "--yes", "--skip-preview", "--expect-no-changes", "--stack", "prod", "--target", "**HttpsLoadBalancer$**"); !strings.Contains(s.all(), "door-www.example.com-a") {
			t.Errorf("after %s the names were not looked at:\n%s", next, s.all())
		}
		parsed, err := cutover.ParseStage(next)
		if err != nil {
			t.Fatal(err)
		}
		_, share := parsed.Weights()
		door.shares(t, share)
		stage = next
	}
	for _, next := range []string{"canary 10", "split 50", "canary 5", "split 90"} {
		move(next)
	}
	t.Run("a jump over the drain is refused, in a preview too, and can be forced by name", func(t *testing.T) {
		for _, verb := range []string{"preview", "up"} {
			args := append([]string{"pulumi", verb}, at("done")...)
			if verb == "up" {
				args = append(args, "--yes", "--skip-preview")
			}
			s := b.try(args...)
			if s.code == 0 || !strings.Contains(s.all(), `stage "done" takes the old system away while 10 % of the requests go to it: move to stage "drain-legacy" first`) {
				t.Errorf("%s ended with %d:\n%s", verb, s.code, s.all())
			}
		}
		// Without a migration it is the same jump.
		if s := b.try("pulumi", "preview", "--stack", "prod"); s.code == 0 || !strings.Contains(s.all(), "takes the old system away") {
			t.Errorf("without a migration preview ended with %d:\n%s", s.code, s.all())
		}
		b.must(append([]string{"pulumi", "preview"}, at("done", "    force: skip-drain\n")...)...)
		// What was refused has changed nothing but what the state says that was asked for.
		back := changes(t, b.must(append([]string{"pulumi", "preview", "--json"}, at("split 90")...)...).out)
		if want := "  update HttpsLoadBalancer door\n    migration.stage: done → split 90\n"; back != want {
			t.Errorf("to go back to where it was takes\n%s\nwant\n%s", back, want)
		}
		up("split 90")
	})
	for _, next := range []string{"drain-legacy", "split 50", "drain-legacy", "done"} {
		move(next)
	}
	golden(t, "migration.golden", story.String())
	b.must("pulumi", "preview", "--stack", "prod") // the migration can go from the configuration now
}

// changes are what a preview of Pulumi is about to do: a line for each resource, and for each of its inputs that differs.
func changes(t *testing.T, preview string) string {
	t.Helper()
	var p struct {
		Steps []struct {
			Op, URN  string
			OldState struct{ Inputs any }
			NewState struct{ Inputs any }
		}
	}
	if err := json.Unmarshal([]byte(preview), &p); err != nil {
		t.Fatalf("%v:\n%s", err, preview)
	}
	var all []string
	for _, s := range p.Steps {
		if s.Op == "same" {
			continue
		}
		parts := strings.Split(s.URN, "::")
		lines := fmt.Sprintf("  %s %s %s\n", s.Op, parts[2][strings.LastIndex(parts[2], ":")+1:], parts[3])
		if s.Op == "update" {
			lines += differences("", s.OldState.Inputs, s.NewState.Inputs)
		}
		all = append(all, lines)
	}
	slices.Sort(all)
	return strings.Join(all, "")
}

// differences are the values that differ, a line each.
func differences(path string, before, after any) string {
	var lines strings.Builder
	switch a := after.(type) {
	case map[string]any:
		if b, ok := before.(map[string]any); ok {
			keys := maps.Clone(a)
			maps.Copy(keys, b)
			for _, k := range slices.Sorted(maps.Keys(keys)) {
				lines.WriteString(differences(strings.TrimPrefix(path+"."+k, "."), b[k], a[k]))
			}
			return lines.String()
		}
	case []any:
		if b, ok := before.([]any); ok && len(a) == len(b) {
			for i := range a {
				lines.WriteString(differences(fmt.Sprintf("%s[%d]", path, i), b[i], a[i]))
			}
			return lines.String()
		}
	}
	if reflect.DeepEqual(before, after) {
		return ""
	}
	return fmt.Sprintf("    %s: %s → %s\n", path, shown(before), shown(after))
}

// shown is a value, without what AWS makes up.
func shown(v any) string {
	switch v := v.(type) {
	case nil:
		return "nothing"
	case map[string]any, []any:
		return "something"
	case string:
		if strings.HasPrefix(v, "arn:") {
			return "an ARN"
		}
	}
	return fmt.Sprint(v)
}

// golden holds what a test has put together to a file in testdata; UPDATE=1 go test writes it anew.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if os.Getenv("UPDATE") != "" {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is\n%s\nwant\n%s", file, got, want)
	}
}
