package dryrun_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-iac/slipway/dryrun"
)

const program = `package main

import ("fmt"; "os"; "strings")

func main() {
	for _, e := range os.Environ() {
		if strings.HasPrefix(e, "PULUMI_") || strings.HasPrefix(e, "AWS_") || strings.HasPrefix(e, "SLIPWAY_") {
			fmt.Fprintln(os.Stderr, e)
		}
	}
	os.Exit(7)
}
`

// write makes a project of the files, and returns its folder.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestWhatTheProgramIsGiven shows in what it prints before it fails: the stack's values over the project's, with no secret and no
// credentials.
func TestWhatTheProgramIsGiven(t *testing.T) {
	dir := write(t, map[string]string{
		"go.mod": "module example.com/p\n\ngo 1.25\n", "main.go": program,
		"Pulumi.yaml": "name: shop\nruntime: {name: go}\nconfig:\n  aws:region: {value: eu-west-1}\n  a: {type: integer, default: 1}\n  b: {type: string, default: x}\n" +
			"  none: {type: string}\n  pulumi:tags: {value: {k: v}}\n  list: {type: array, items: {type: string}, default: []}\n",
		"Pulumi.test.yaml": "config:\n  shop:b: \"1.30\"\n  shop:c: {secure: v1:abc}\n  shop:d: {x: [1, {secure: v1:def}], y: 1.50}\n  shop:e: true\n",
	})
	t.Setenv("AWS_SECRET_ACCESS_KEY", "very-secret")
	t.Setenv("PULUMI_CONFIG_PASSPHRASE", "very-secret")
	_, err := dryrun.Run(t.Context(), filepath.Join(dir, "Pulumi.test.yaml"))
	var failed *dryrun.ProgramError
	if !errors.As(err, &failed) {
		t.Fatal(err)
	}
	for _, want := range []string{
		`PULUMI_CONFIG={"aws:region":"eu-west-1","pulumi:tags":"{\"k\":\"v\"}","shop:a":"1","shop:b":"1.30","shop:c":"[secret]","shop:d":"{\"x\":[1,\"[secret]\"],\"y\":1.5}","shop:e":"true","shop:list":"[]"}`,
		`PULUMI_CONFIG_SECRET_KEYS=["shop:c","shop:d"]`, "PULUMI_PROJECT=shop", "PULUMI_STACK=test", "PULUMI_DRY_RUN=true", "SLIPWAY_RESOLVER=off", "exit status 7",
	} {
		if !strings.Contains(failed.Text, want) {
			t.Errorf("there is no %s in\n%s", want, failed.Text)
		}
	}
	if strings.Contains(failed.Text, "very-secret") {
		t.Errorf("the program has credentials:\n%s", failed.Text)
	}
}

func TestWhatCannotRun(t *testing.T) {
	dir := write(t, map[string]string{
		"go.mod": "module example.com/p\n\ngo 1.25\n", "main.go": "package main\n\nfunc main() { nothing() }\n",
		"Pulumi.yaml": "name: shop\nruntime: go\n", "Pulumi.test.yaml": "config: {}\n", "Pulumi.bad.yaml": "config: [\n", "other.yaml": "",
	})
	python := write(t, map[string]string{"Pulumi.yaml": "name: shop\nruntime: {name: python}\n", "Pulumi.test.yaml": ""})
	for file, want := range map[string]string{
		filepath.Join(dir, "Pulumi.test.yaml"): "undefined: nothing", filepath.Join(dir, "Pulumi.bad.yaml"): "Pulumi.bad.yaml",
		filepath.Join(dir, "other.yaml"): "must be called Pulumi.STACK.yaml", filepath.Join(dir, "Pulumi.none.yaml"): "no such file",
		filepath.Join(python, "Pulumi.test.yaml"): `runtime is "python", must be go`,
	} {
		if _, err := dryrun.Run(t.Context(), file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", file, err, want)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := dryrun.Run(ended, filepath.Join(dir, "Pulumi.test.yaml")); err == nil {
		t.Error("it runs though it was ended")
	}
}
