package command

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/slipway-iac/slipway/sandbox/aws"
	"github.com/slipway-iac/slipway/sandbox/kube/endpoint"
	"github.com/slipway-iac/slipway/sandbox/kubernetes"
)

// resume takes up what a command that was cut off, by a kill or a lost machine, had begun to create: it may exist, and the
// stack does not know of it. Created again it would be refused by its name, or be there twice. The engine itself can only be
// told to forget it: `pulumi refresh --import-pending-creates` drops it from the state too (CLI 3.259). On AWS it takes a look
// into the account and an edited state; here the account is at hand and answers.
func (s *Sandbox) resume(ctx context.Context) error {
	before, err := s.pulumiOutput(ctx, "stack", "export", "--stack", stackName())
	if err != nil {
		return err
	}
	after, said, found, err := adopt(before, func(r resource) (string, map[string]any, error) { return s.made(ctx, r) })
	if err != nil || len(said) == 0 {
		return err
	}
	fmt.Fprintf(os.Stderr, "· the last command was cut off while it created this, which the stack takes over where it is there:\n  %s\n", strings.Join(said, "\n  "))
	if err := s.importState(ctx, after); err != nil {
		return err
	}
	if len(found) == 0 {
		return nil
	}
	args := []string{"refresh", "--yes", "--skip-preview", "--stack", stackName()}
	for _, urn := range found {
		args = append(args, "--target", urn)
	}
	if err := s.Pulumi(ctx, args); err != nil {
		if undone := s.importState(ctx, before); undone != nil {
			return fmt.Errorf("what the last command left half-made could not be taken over: %w; and the stack's state is not as it was: %w", err, undone)
		}
		return explained(err, "what the last command left half-made could not be taken over; the stack is as it was")
	}
	return nil
}

func (s *Sandbox) pulumiOutput(ctx context.Context, args ...string) ([]byte, error) {
	cmd, release, err := s.pulumi(ctx, args)
	if err != nil {
		return nil, err
	}
	defer release()
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("pulumi %s: %w", strings.Join(args, " "), err)
	}
	return out, nil
}

func (s *Sandbox) importState(ctx context.Context, state []byte) error {
	cmd, release, err := s.pulumi(ctx, []string{"stack", "import", "--stack", stackName()})
	if err != nil {
		return err
	}
	defer release()
	cmd.Stdin = bytes.NewReader(state)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("pulumi stack import: %w\n%s", err, out)
	}
	return nil
}

// resource is one of a stack's state, as `pulumi stack export` writes it.
type resource map[string]any

func (r resource) text(key string) string { s, _ := r[key].(string); return s }

// adopt moves creates without an end among the resources of a state, where find knows an id and outputs, and drops the others.
// said tells of each, found has the URNs of those moved; a state without any comes back without a word.
func adopt(state []byte, find func(resource) (string, map[string]any, error)) (adopted []byte, said, found []string, err error) {
	var whole map[string]any
	// Numbers stay as they are written.
	d := json.NewDecoder(bytes.NewReader(state))
	d.UseNumber()
	if err := d.Decode(&whole); err != nil {
		return nil, nil, nil, fmt.Errorf("the stack's state: %w", err)
	}
	deployment, _ := whole["deployment"].(map[string]any)
	operations, _ := deployment["pending_operations"].([]any)
	resources, _ := deployment["resources"].([]any)
	var left []any
	for _, o := range operations {
		op, _ := o.(map[string]any)
		r, _ := op["resource"].(map[string]any)
		if op["type"] != "creating" || r == nil {
			left = append(left, o)
			continue
		}
		id, outputs, err := find(r)
		if err != nil {
			return nil, nil, nil, err
		}
		urn := resource(r).text("urn")
		what := fmt.Sprintf("%s %s", resource(r).text("type"), urn[strings.LastIndex(urn, "::")+2:])
		if id == "" {
			said = append(said, what+" was not made")
			continue
		}
		for _, other := range resources {
			// It was to replace this one, which the engine deletes once the new one is there.
			if o, ok := other.(map[string]any); ok && resource(o).text("urn") == urn {
				o["delete"] = true
			}
		}
		r["id"], r["outputs"] = id, outputs
		resources, said, found = append(resources, r), append(said, what+" is "+id), append(found, urn)
	}
	if len(said) == 0 {
		return state, nil, nil, nil
	}
	deployment["resources"], deployment["pending_operations"] = resources, left
	adopted, err = json.Marshal(whole)
	return adopted, said, found, err
}

// made is the id of a resource if it was made, "" if it was not, and its outputs as far as a refresh needs them: some are found
// by more than their id (a scheduled action by its group too).
func (s *Sandbox) made(ctx context.Context, r resource) (id string, outputs map[string]any, err error) {
	inputs, _ := r["inputs"].(map[string]any)
	if !strings.HasPrefix(r.text("type"), "kubernetes:") {
		account, err := aws.OpenAccount(s.Home.Account())
		if err != nil {
			return "", nil, err
		}
		id, err = account.MadeFor(r.text("urn"))
		return id, inputs, err
	}
	if err := s.Start(ctx); err != nil {
		return "", nil, err
	}
	info, err := endpoint.Prepare(s.Home.Kube())
	if err != nil {
		return "", nil, err
	}
	outputs, err = kubernetes.Made(ctx, info.AdminKubeconfig, inputs)
	if outputs == nil || err != nil {
		return "", nil, err
	}
	meta, _ := inputs["metadata"].(map[string]any)
	name, namespace := resource(meta).text("name"), resource(meta).text("namespace")
	return strings.TrimPrefix(namespace+"/"+name, "/"), outputs, nil
}
