package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// repository is what the workflows take the story's repository for.
const repository = "example/slipway"

// repo is a bare repository, and a clone of it in which people work.
type repo struct {
	ctx           context.Context
	origin, clone string
}

// newRepo has the working tree of root as its first commit, what is not committed there included.
func newRepo(ctx context.Context, root, dir string) (*repo, error) {
	r := &repo{ctx: ctx, origin: filepath.Join(dir, "origin.git"), clone: filepath.Join(dir, "clone")}
	listed, err := run(ctx, root, nil, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return nil, err
	}
	for _, name := range strings.Split(strings.TrimRight(listed, "\x00"), "\x00") {
		content, err := os.ReadFile(filepath.Join(root, name))
		if errors.Is(err, os.ErrNotExist) {
			continue // deleted, and not yet committed
		}
		info, err2 := os.Stat(filepath.Join(root, name))
		if err := errors.Join(err, err2); err != nil {
			return nil, err
		}
		to := filepath.Join(r.clone, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(to, content, info.Mode().Perm()); err != nil {
			return nil, err
		}
	}
	if _, err := run(ctx, dir, nil, "git", "init", "-q", "--bare", "-b", "main", r.origin); err != nil {
		return nil, err
	}
	// act takes the repository's name, and the commit, from the clone that it is started in.
	return r, r.git("init", "-q", "-b", "main").git("remote", "add", "origin", "file://"+r.origin).git("config", "user.name", "Alice").
		git("config", "user.email", "alice@example.com").git("config", "commit.gpgsign", "false").
		git("config", "uploadpack.allowAnySHA1InWant", "true").
		git("add", "--all").git("commit", "-q", "-m", "Begin").git("push", "-q", "origin", "main").err
}

// steps are git commands one after the other, until one fails.
type steps struct {
	*repo
	err error
}

func (r *repo) git(args ...string) steps { return steps{r, nil}.git(args...) }

func (s steps) git(args ...string) steps {
	if s.err == nil {
		_, s.err = run(s.ctx, s.clone, nil, "git", args...)
	}
	return s
}

// head is the commit that a revision names.
func (r *repo) head(revision string) (string, error) {
	out, err := run(r.ctx, r.clone, nil, "git", "rev-parse", revision)
	return strings.TrimSpace(out), err
}

// compare says how the second of two revisions stands to the first, with three dots between them.
func (r *repo) compare(twoRevisions string) string {
	counts, err := run(r.ctx, r.origin, nil, "git", "rev-list", "--left-right", "--count", twoRevisions)
	if err != nil {
		return err.Error()
	}
	switch f := strings.Fields(counts); {
	case f[0] == "0" && f[1] == "0":
		return "identical"
	case f[0] == "0":
		return "ahead"
	case f[1] == "0":
		return "behind"
	}
	return "diverged"
}

const values = "Pulumi.prod.yaml"

// change makes a branch on which texts of the stack's values are others.
func (r *repo) change(branch, subject string, oldAndNew ...string) error {
	if err := r.git("checkout", "-q", "-B", branch, "main").err; err != nil {
		return err
	}
	file := filepath.Join(r.clone, values)
	before, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	after := strings.NewReplacer(oldAndNew...).Replace(string(before))
	if after == string(before) {
		return fmt.Errorf("%s has none of %q", values, oldAndNew)
	}
	if err := os.WriteFile(file, []byte(after), 0o600); err != nil {
		return err
	}
	return r.git("commit", "-q", "-m", subject, values).git("push", "-q", "--force", "origin", branch).git("checkout", "-q", "main").err
}

// proposed is the commit that GitHub makes of a pull request: its branch merged into main.
func (r *repo) proposed(branch string, n int) (string, error) {
	ref := fmt.Sprintf("refs/pull/%d/merge", n)
	err := r.git("fetch", "-q", "origin", "+refs/heads/*:refs/remotes/origin/*").git("checkout", "-q", "--detach", "main").
		git("merge", "-q", "--no-ff", "-m", "Merge "+branch, "origin/"+branch).git("push", "-q", "--force", "origin", "HEAD:"+ref).err
	if err != nil {
		return "", err
	}
	return r.head("HEAD")
}

// merge merges a pull request into main.
func (r *repo) merge(branch string) (string, error) {
	if err := r.git("fetch", "-q", "origin", "+refs/heads/*:refs/remotes/origin/*").git("checkout", "-q", "main").
		git("merge", "-q", "--no-ff", "-m", "Merge "+branch, "origin/"+branch).git("push", "-q", "origin", "main").err; err != nil {
		return "", err
	}
	return r.head("HEAD")
}

// run is a command that has to end well; its output, and with an error what it said.
func run(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s %s: %w\n%s%s", name, strings.Join(args, " "), err, out, said.Bytes())
	}
	return string(out), err
}
