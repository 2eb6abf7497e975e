package review

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// OutcomeOptions are what a report on an outcome cannot take from the run itself.
type OutcomeOptions struct {
	// Stack names the stack as PROJECT/STACK, where the run ended before it said so.
	Stack string
	// Log is what pulumi printed; its end is quoted where there is no event that says what went wrong.
	Log string
	// Commit is what was deployed, Rerun the command that runs the same once more, PutBack the one that puts back what was changed by hand
	// too; empty where they are not known.
	Commit, Rerun, PutBack string
}

// summaryLimit is how many bytes a report has at most; GitHub takes 1 MiB of a step.
// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
const summaryLimit = 900_000

// Report tells in Markdown what was done, and, where not all was, what failed and why, whether anything is half done, what serves now, and
// what to do next.
func (o *Outcome) Report(opts OutcomeOptions) Report {
	project, stack := o.Update.Project, o.Update.Stack
	if stack == "" {
		project, stack, _ = strings.Cut(opts.Stack, "/")
	}
	plan := o.Update.plan()
	plan.rename()
	w := &outcomeWriter{
		writer:  writer{plan: plan, hide: plan.hide(), stack: project + "/" + stack, values: 500, causes: 8, mark: code},
		Outcome: o, opts: opts, name: stack,
	}
	r := Report{}
	sections := []section{w.next(), w.failed(), w.half(), w.serving(), w.released(), w.carriedOut()}
	if o.Succeeded() {
		sections = []section{w.released(), w.where(), w.carriedOut()}
	} else {
		r.Code, r.Problems = Failed, w.problems()
	}
	sections = slices.DeleteFunc(sections, func(s section) bool { return len(s.items) == 0 && s.lead == "" })
	r.Markdown = fit(w.title(), sections, summaryLimit, "the log of this run")
	r.Full = r.Markdown
	return r
}

type outcomeWriter struct {
	writer
	*Outcome
	opts OutcomeOptions
	// name is the stack's, without the project.
	name string
}

func (w *outcomeWriter) count(is func(Change) bool) (n int) {
	for _, c := range w.Changes {
		if is(c) {
			n++
		}
	}
	return n
}

func (w *outcomeWriter) title() string {
	done := w.count(func(c Change) bool { return c.Done })
	failed := w.count(func(c Change) bool { return c.Failed })
	open := len(w.Changes) - done - failed
	what := w.code(w.stack)
	switch {
	case w.Succeeded() && len(w.Changes) == 0:
		return "## Deployed: " + what + "\n\nNothing had to change.\n"
	case w.Succeeded():
		return fmt.Sprintf("## Deployed: %s\n\n%s carried out.\n", what, plural(done, "change"))
	case len(w.Changes) == 0:
		return "## Deploy failed: " + what + "\n\n**Nothing is changed:** the run ended before its first change.\n"
	}
	text := "## Deploy failed: " + what + "\n\n"
	if w.canceled() {
		text = "## Deploy cancelled: " + what + "\n\n"
	}
	var parts []string
	if failed > 0 {
		parts = append(parts, fmt.Sprintf("**%s failed**", plural(failed, "change")))
	}
	if open > 0 {
		parts = append(parts, fmt.Sprintf("**%s had begun and did not end**", plural(open, "change")))
	}
	if done > 0 {
		parts = append(parts, fmt.Sprintf("%s carried out, and %s", plural(done, "change"), pick(done, "stays", "stay")))
	}
	return text + strings.Join(parts, "; ") + ". What comes after did not begin.\n"
}

// canceled says that somebody stopped the run, and that the engine wound down.
func (w *outcomeWriter) canceled() bool {
	return slices.ContainsFunc(w.Update.Diagnostics, func(d Diagnostic) bool { return strings.HasSuffix(d.Message, "update canceled") })
}

// problems are what the run's log ends with.
func (w *outcomeWriter) problems() []string {
	var all []string
	for _, c := range w.Changes {
		if c.Failed {
			why := strings.Join(c.Why, "; ")
			all = append(all, visible(w.hide(short(fmt.Sprintf("%s failed: %s (%s): %s", c.Op, c.URN.Name(), typeName(c.URN.Type()), why), 500))))
		}
	}
	for _, p := range w.Pending {
		all = append(all, visible(fmt.Sprintf("half done: %s %s (%s)", p.Operation, p.URN.Name(), typeName(p.URN.Type()))))
	}
	if len(all) == 0 {
		all = append(all, "the stack is not as the program describes it")
	}
	return all
}

func (w *outcomeWriter) failed() section {
	s := section{title: "What failed", of: "failures", rank: 20}
	told := map[URN]bool{}
	for _, c := range w.Changes {
		if !c.Failed {
			continue
		}
		told[c.URN] = true
		text := fmt.Sprintf("- %s, %s, %s\n\n%s\n", w.writer.name(c.URN), w.code(typeName(c.URN.Type())), verb(c.Op), w.block(strings.Join(c.Why, "\n")))
		if c.Gone {
			text += "**The old one is deleted already, and the new one is not there.** The next run makes it.\n\n"
		}
		if unsure(c.Why) {
			text += "The connection broke, so it may have taken effect all the same: look into the account for it before the next run.\n\n"
		}
		s.items = append(s.items, text)
	}
	for _, d := range w.Update.Diagnostics {
		if d.Severity == "error" && !told[d.URN] && d.Message != "error: update failed" {
			s.items = append(s.items, w.diagnostic(d))
		}
	}
	if len(s.items) == 0 && strings.TrimSpace(w.opts.Log) != "" {
		lines := strings.Split(strings.TrimSpace(uncolored(w.opts.Log)), "\n")
		s.items = append(s.items, w.block(strings.Join(lines[max(0, len(lines)-30):], "\n"))+"\n")
	}
	return s
}

// unsure tells errors after which an operation may have been carried out.
func unsure(why []string) bool {
	return slices.ContainsFunc(why, func(s string) bool {
		for _, sign := range []string{"EOF", "connection reset", "broken pipe", "deadline exceeded", "timeout"} {
			if strings.Contains(s, sign) {
				return true
			}
		}
		return false
	})
}

// verb is the engine's word for a step, plainer where that needs to be known.
func verb(op string) string {
	switch op {
	case "create-replacement":
		return "create anew"
	case "delete-replaced":
		return "delete the old one"
	}
	return op
}

func (w *outcomeWriter) half() section {
	s := section{title: "Half done", of: "half-done operations", rank: 21}
	switch {
	case !w.PendingKnown:
		s.lead = "The stack's state could not be read, so it is not known. Look with " + code("pulumi stack export --stack "+w.name) + ", at " + code("pending_operations") + ".\n"
	case len(w.Pending) == 0:
		s.lead = "Nothing: the stack's state knows how each operation ended.\n"
	default:
		s.lead = "The stack's state does not know how these ended; only the account and the cluster do:\n\n"
	}
	for _, p := range w.Pending {
		id := ""
		if p.ID != "" {
			id = ", " + w.code(p.ID)
		}
		s.items = append(s.items, fmt.Sprintf("- %s %s, %s%s\n", code(p.Operation), w.writer.name(p.URN), w.code(typeName(p.URN.Type())), id))
	}
	return s
}

// serving says which release the users see.
func (w *outcomeWriter) serving() section {
	s := section{title: "What serves now", of: "apps", rank: 22}
	for _, c := range w.Changes {
		if c.URN.Type() != "kubernetes:apps/v1:Deployment" {
			continue
		}
		name, image := w.writer.name(c.URN), func(st *State) string { return w.imageOf(c.Step, st) }
		switch unavailable := at(c.state().Inputs, "spec", "strategy", "rollingUpdate", "maxUnavailable"); {
		case c.Done && c.New != nil:
			s.items = append(s.items, fmt.Sprintf("- %s: what this run rolled out, %s.\n", name, image(c.New)))
		case c.Done:
			s.items = append(s.items, fmt.Sprintf("- %s: it is deleted.\n", name))
		case c.Old == nil:
			s.items = append(s.items, fmt.Sprintf("- %s: it was not there before, and its pods are not ready.\n", name))
		case shown(unavailable) == "0" || shown(unavailable) == `"0"`:
			s.items = append(s.items, fmt.Sprintf("- %s: **the pods from before go on serving**, %s. Its rollout did not end, and takes no pod away before a new one is ready (maxUnavailable 0).\n", name, image(c.Old)))
		default:
			s.items = append(s.items, fmt.Sprintf("- %s: pods from before, %s, but up to %s of them may be gone (maxUnavailable): its rollout did not end.\n", name, image(c.Old), w.code(shown(unavailable))))
		}
	}
	if len(s.items) == 0 {
		s.lead = "No Deployment was touched: **all pods go on serving as they were**.\n"
	} else {
		s.tail = "\nAll other pods go on as they were.\n"
	}
	return s
}

func (w *outcomeWriter) imageOf(s Step, st *State) string {
	found := images(s, st, "spec.template.spec.")
	if len(found) == 0 {
		return "its image"
	}
	return w.code(found[slices.Sorted(maps.Keys(found))[0]])
}

// next is what to do now, with the commands.
func (w *outcomeWriter) next() section {
	s := section{title: "What to do", rank: 10}
	stack := " --stack " + w.name
	all := []string{w.opts.Log}
	for _, d := range w.Update.Diagnostics {
		all = append(all, d.Message)
	}
	said := strings.Join(all, "\n")
	again := cmp.Or(w.opts.Rerun, "pulumi up"+stack)
	switch {
	case strings.Contains(said, "currently locked"):
		s.lead = "Another run, or a person, has the stack's lock, or one that was killed has left it behind. Make sure that nobody works on it (the lock below says who and since when); then\n\n" +
			w.block("pulumi cancel"+stack+"\n"+again)
	case strings.Contains(said, "no stack named"):
		s.lead = "The backend does not have this stack. Is " + code("PULUMI_BACKEND_URL") + " the right one? Only where it is a new stack, once:\n\n" +
			w.block("pulumi stack init "+w.name+` --secrets-provider "$PULUMI_SECRETS_PROVIDER"`+"\n"+again)
	case strings.Contains(said, "field conflict") && len(w.Pending) == 0:
		s.lead = "Somebody, or something, has written a field in Kubernetes that this stack sets; the error below names both. Nobody else should: find out who. To put it back, " +
			"and all else that was changed by hand:\n\n" + w.block(cmp.Or(w.opts.PutBack, "PULUMI_K8S_ENABLE_PATCH_FORCE=true pulumi up --refresh"+stack))
	case len(w.Pending) > 0:
		s.lead = "1. Look into the account, or the cluster, for each of the half-done below. What was created and is there: delete it, or adopt it with " + code("pulumi import") + ".\n" +
			"2. Then tell the state, and run again:\n\n" + w.block("pulumi refresh --clear-pending-creates"+stack+"\n"+again)
	default:
		s.lead = "Where the reason below passes by itself (throttling, a time-out, a capacity that is short), or is mended, run it again; what is carried out is not done twice:\n\n" + w.block(again)
		if w.opts.Commit != "" {
			s.lead += "\nWhere the change itself is wrong, go back, by a pull request as any other (a merge commit takes " + code("-m 1") + "):\n\n" + w.block("git revert "+w.opts.Commit)
		}
	}
	return s
}

func (w *outcomeWriter) released() section {
	all := w.releases()
	if len(all) == 0 {
		return section{}
	}
	if !w.Succeeded() {
		all[0].title = "The release that was under way"
	}
	return all[0]
}

// where has the stack's outputs.
func (w *outcomeWriter) where() section {
	s := section{title: "Where", of: "outputs", rank: 40}
	for _, k := range slices.Sorted(maps.Keys(w.Outputs)) {
		switch v := w.Outputs[k].(type) {
		case []any:
			lines := []string{"- " + w.code(k)}
			for _, e := range v {
				lines = append(lines, "  - "+w.code(shown(e)))
			}
			s.items = append(s.items, strings.Join(lines, "\n")+"\n")
		case map[string]any:
			lines := []string{"- " + w.code(k)}
			for _, of := range slices.Sorted(maps.Keys(v)) {
				lines = append(lines, "  - "+w.code(of)+": "+w.code(shown(v[of])))
			}
			s.items = append(s.items, strings.Join(lines, "\n")+"\n")
		default:
			s.items = append(s.items, "- "+w.code(k)+": "+w.code(shown(v))+"\n")
		}
	}
	return s
}

func (w *outcomeWriter) carriedOut() section {
	s := section{of: "changes", rank: 90}
	for _, c := range w.Changes {
		if c.Done {
			s.items = append(s.items, fmt.Sprintf("- %s %s, %s\n", verb(c.Op), w.writer.name(c.URN), w.code(typeName(c.URN.Type()))))
		}
	}
	s.fold = plural(len(s.items), "change") + " carried out"
	return s
}
