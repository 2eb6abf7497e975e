package migration

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-iac/slipway/haproxy"
)

// script takes one of the scripts out of the boot script, as a proxy does.
func script(t *testing.T, name string) string {
	t.Helper()
	_, rest, found := strings.Cut(boot, "cat > /usr/local/sbin/"+name+" <<'EOF'\n")
	body, _, ended := strings.Cut(rest, "\nEOF\n")
	if !found || !ended {
		t.Fatalf("boot.sh has no %s", name)
	}
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(strings.NewReplacer(append(leaving(5), "@passwordVariable@", haproxy.PasswordVariable)...).Replace(body)+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return file
}

// bench is a machine on which aws answers with what the file "parameter" holds, and systemctl with the file "running", notes what it is
// told, and fails while there is a file "stuck". Sleep lasts until there is a file "slept".
type bench struct{ dir string }

func newBench(t *testing.T) bench {
	t.Helper()
	b := bench{t.TempDir()}
	for name, content := range map[string]string{
		"aws":       "#!/bin/sh\ncat '" + b.dir + "/parameter'\n",
		"systemctl": "#!/bin/sh\nif [ \"$1\" = is-system-running ]; then cat '" + b.dir + "/running'; exit 1; fi\necho \"$@\" >> '" + b.dir + "/told'\nexec test ! -e '" + b.dir + "/stuck'\n",
		"sleep":     "#!/bin/sh\nuntil test -e '" + b.dir + "/slept'; do /bin/sleep 0.01; done\n/bin/sleep 0.01\n",
	} {
		if err := os.WriteFile(filepath.Join(b.dir, name), []byte(content), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", b.dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
	t.Setenv("ETC", b.dir)
	t.Setenv("DEFAULTS", filepath.Join(b.dir, "defaults"))
	return b
}

func (b bench) write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(b.dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (b bench) read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(b.dir, name))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(content)
}

func needsHaproxy(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("haproxy"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("haproxy is not installed: apt-get install haproxy") // a laptop without it; CI installs it, and fails above
	}
}

func TestAProxyFollowsItsConfiguration(t *testing.T) {
	needsHaproxy(t)
	b, follow := newBench(t), script(t, "slipway-follow")
	config := func(port int) string {
		text, err := haproxy.Config{
			Listeners: []haproxy.Listener{{Port: port}}, New: &haproxy.System{Addresses: []string{"127.0.0.1"}}, Routes: []haproxy.Route{{Name: "all", NewWeight: 100}},
			Process: haproxy.Process{KeepUser: true},
		}.Render()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	run := func(parameter string) error {
		b.write(t, "parameter", parameter)
		b.write(t, "told", "")
		out, err := exec.Command(follow).CombinedOutput()
		t.Logf("%s", out)
		return err
	}
	const reload = "reload-or-restart haproxy\n"
	for _, tc := range []struct {
		why, parameter, want, told string
		refused, stuck             bool
	}{
		{"the first", config(8000), config(8000), reload, false, false},
		{"the same", config(8000), config(8000), "", false, false},
		{"one whose reload fails", config(8080), config(8080), reload, true, true},
		{"the same once more", config(8080), config(8080), reload, false, false},
		{"and when it is loaded", config(8080), config(8080), "", false, false},
		{"one that HAProxy refuses", config(8080) + "\nfrontend x\n  no such directive\n", config(8080), "", true, false},
		{"nothing at all", "", config(8080), "", true, false},
	} {
		os.Remove(filepath.Join(b.dir, "stuck"))
		if tc.stuck {
			b.write(t, "stuck", "")
		}
		err := run(tc.parameter)
		if (err != nil) != tc.refused || b.read(t, "haproxy.cfg") != tc.want || b.read(t, "told") != tc.told {
			t.Errorf("%s: %v, systemctl was told %q, the configuration is\n%s", tc.why, err, b.read(t, "told"), b.read(t, "haproxy.cfg"))
		}
	}
	b.write(t, "haproxy.cfg", config(9000))
	if err := run(config(8080)); err != nil || b.read(t, "haproxy.cfg") != config(8080) || b.read(t, "told") != reload {
		t.Errorf("what was changed by hand: %v, systemctl was told %q", err, b.read(t, "told"))
	}
	if left, _ := filepath.Glob(filepath.Join(b.dir, ".haproxy.cfg.*")); left != nil {
		t.Errorf("%q are left", left)
	}
}

func TestThePasswordArrivesAsItIs(t *testing.T) {
	b, set := newBench(t), script(t, "slipway-password")
	// As Debian's package leaves it.
	if err := os.WriteFile(filepath.Join(b.dir, "defaults"), []byte("# Defaults file for HAProxy\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, password := range []string{`plain-enough`, `a"b\c$d` + "`efghijk", `$HOME#{x};'&|`} {
		b.write(t, "parameter", password+"\n")
		if out, err := exec.Command(set).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		info, err := os.Stat(filepath.Join(b.dir, "defaults"))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the file is %v, %v, want it for root only", info.Mode(), err)
		}
		// In double quotes systemd and a shell read the same.
		out, err := exec.Command("bash", "-c", `. "$1"; printf %s "$`+haproxy.PasswordVariable+`"`, "-", filepath.Join(b.dir, "defaults")).Output()
		if err != nil || string(out) != password {
			t.Errorf("%q arrives as %q, %v", password, out, err)
		}
	}
}

func TestTheBootScriptIsWhole(t *testing.T) {
	cmd := exec.Command("bash", "-n")
	cmd.Stdin = strings.NewReader(boot)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func TestStepsOverTheDrain(t *testing.T) {
	named := func(name string, old, new int, state haproxy.State, gone bool) string {
		c := haproxy.Config{
			New: &haproxy.System{Addresses: []string{"10.0.0.2"}}, Old: &haproxy.System{Addresses: []string{"10.0.0.1"}},
			Routes: []haproxy.Route{{Name: name, OldWeight: old, NewWeight: new, OldState: state}},
		}
		if gone {
			c.Old = nil
		}
		text, err := c.Render()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	render := func(old, new int, state haproxy.State, gone bool) string { return named("all", old, new, state, gone) }
	split, drain := render(40, 60, haproxy.Ready, false), render(0, 100, haproxy.Drain, false)
	maint, done := render(0, 100, haproxy.Maint, false), render(0, 100, haproxy.Ready, true)
	for _, tc := range []struct{ before, after, want string }{
		{split, drain, ""},
		{drain, done, ""},
		{drain, maint, ""},
		{maint, done, ""},
		{done, split, ""},
		{"", split, ""},
		{split, named("site", 40, 60, haproxy.Ready, false), ""}, // another name of the route takes nothing away
		{split, named("site", 0, 100, haproxy.Ready, true), `route all: stage "done" takes the old system away while 40 % of the requests go to it`},
		{split, "", ""},
		{split, done, `route all: stage "done" takes the old system away while 40 % of the requests go to it`},
		{split, maint, `route all: stage "done" takes the old system away while 40 % of the requests go to it`},
	} {
		err := skipsDrain(tc.before, tc.after)
		if (err != nil) != (tc.want != "") || err != nil && !strings.HasPrefix(err.Error(), tc.want) {
			t.Errorf("got %v, want %q", err, tc.want)
		}
	}
}
