package recorder

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

type crate struct{ pulumi.ResourceState }

// packed registers a crate "o" with two lids, one of them with a hinge.
func packed(t *testing.T) *Recorder {
	t.Helper()
	r := &Recorder{}
	err := r.Run(func(ctx *pulumi.Context) error {
		outer, lid, other, hinge := &crate{}, &crate{}, &crate{}, &crate{}
		if err := ctx.RegisterComponentResource("t:index:Crate", "o", outer); err != nil {
			return err
		}
		if err := ctx.RegisterComponentResource("t:index/lid:Lid", "o-lid-a", lid, pulumi.Parent(outer)); err != nil {
			return err
		}
		if err := ctx.RegisterComponentResource("t:index/lid:Lid", "o-lid-b", other, pulumi.Parent(outer)); err != nil {
			return err
		}
		return ctx.RegisterComponentResource("t:index:Hinge", "o-hinge", hinge, pulumi.Parent(lid))
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestDocTree(t *testing.T) {
	for name, tc := range map[string]struct{ tree, want string }{
		"right":            {"t:index:Crate       NAME\n└─ t:index/lid:Lid      NAME-lid-SIDE  closes\n   │ on top\n   └─ t:index:Hinge NAME-hinge", ""},
		"type cut":         {"t:index:Crate  NAME\n└─ t:index/lid  NAME-lid-SIDE\n   └─ t:index:Hinge NAME-hinge", ""},
		"exact name first": {"t:index:Crate NAME\n├─ t:index/lid:Lid  NAME-lid-SIDE\n└─ t:index/lid:Lid  NAME-lid-a\n   └─ t:index:Hinge NAME-hinge", ""},
		"missing line":     {"t:index:Crate NAME\n└─ t:index/lid:Lid  NAME-lid-SIDE", "t:index:Hinge o-hinge below o-lid-a stands not in the comment"},
		"wrong name":       {"t:index:Crate NAME\n├─ t:index/lid:Lid  NAME-lid-a\n│  └─ t:index:Hinge NAME-hinge\n└─ t:index/lid:Lid  NAME-lid-c", "t:index/lid:Lid o-lid-b below o stands not in the comment|t:index/lid:Lid NAME-lid-c stands in the comment, but no such resource was registered there"},
		"wrong parent":     {"t:index:Crate NAME\n├─ t:index/lid:Lid  NAME-lid-SIDE\n└─ t:index:Hinge NAME-hinge", "t:index:Hinge o-hinge below o-lid-a stands not in the comment|t:index:Hinge NAME-hinge stands in the comment, but no such resource was registered there"},
		"wrong root":       {"t:index:Barrel NAME\n└─ t:index/lid:Lid  NAME-lid-SIDE", "t:index:Barrel NAME stands in the comment, but no such resource was registered there"},
	} {
		t.Run(name, func(t *testing.T) {
			root, err := docTree(source(t, tc.tree), "Crate")
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(root.compare([]*Recorder{packed(t)}), "|"); got != tc.want {
				t.Errorf("got\n%s\nwant\n%s", got, tc.want)
			}
		})
	}
}

func TestDocTreeTakesWhatOnlySomeArgumentsMake(t *testing.T) {
	root, err := docTree(source(t, "t:index:Crate NAME\n└─ t:index/lid:Lid NAME-lid-SIDE\n   └─ t:index:Hinge NAME-hinge"), "Crate")
	if err != nil {
		t.Fatal(err)
	}
	bare := &Recorder{}
	if err := bare.Run(func(ctx *pulumi.Context) error {
		return ctx.RegisterComponentResource("t:index:Crate", "bare", &crate{})
	}); err != nil {
		t.Fatal(err)
	}
	if got := root.compare([]*Recorder{bare, packed(t)}); len(got) > 0 {
		t.Errorf("got %v", got)
	}
}

func TestDocTreeRefusesWhatItCannotRead(t *testing.T) {
	for tree, want := range map[string]string{
		"nothing":                           "holds no tree",
		"t:index:Crate NAME\n  t:i:Lid x":   "hangs at no parent",
		"t:index:Crate NAME\nt:i:Crate NAM": "hangs at no parent",
	} {
		if _, err := docTree(source(t, tree), "Crate"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", tree, err, want)
		}
	}
	if _, err := docTree(source(t, ""), "Barrel"); err == nil || !strings.Contains(err.Error(), "declares no type Barrel") {
		t.Errorf("got %v", err)
	}
}

// source is a Go file with a type Crate whose comment holds the tree.
func source(t *testing.T, tree string) string {
	t.Helper()
	lines := slices.Collect(strings.Lines(tree))
	file := filepath.Join(t.TempDir(), "crate.go")
	text := "package p\n\n// Crate is a crate:\n//\n//\t" + strings.Join(lines, "//\t") + "\ntype Crate struct{}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
