package review

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// driftWriter puts a refresh into Markdown, and into text for a terminal.
type driftWriter struct {
	*refresh
	writer
	// title is the stack's name.
	title string
}

// notSeen is what no refresh sees, said in every report.
const notSeen = "Only what the stack made is looked at, and of that only what it sets: a rule, a label or an object that somebody added beside it is not seen here."

// verdict says in a sentence how it stands.
func (w *driftWriter) verdict() (bold, rest string) {
	gone := 0
	for _, f := range w.finds {
		if f.gone {
			gone++
		}
	}
	n := len(w.finds)
	switch problem := w.problem(); {
	case problem != "" && n > 0:
		return "Whether more has drifted is not known:", w.hide(problem) + ". What stands below was found before."
	case problem != "":
		return "Whether anything has drifted is not known:", w.hide(problem) + "."
	case n+w.unnamed == 0:
		return "No drift:", plural(w.looked, "resource") + " of the cloud looked at, and each is as the state says."
	}
	counts := []string{}
	if gone > 0 {
		counts = append(counts, fmt.Sprintf("%d gone", gone))
	}
	if n-gone > 0 {
		counts = append(counts, fmt.Sprintf("%d changed", n-gone))
	}
	if w.unnamed > 0 {
		counts = append(counts, fmt.Sprintf("%d that the output does not name", w.unnamed))
	}
	return fmt.Sprintf("%d of %s not as the stack left %s:", n+w.unnamed, pick(w.looked, "1 resource is", fmt.Sprintf("%d resources are", w.looked)), pick(n+w.unnamed, "it", "them")),
		strings.Join(counts, ", ") + "."
}

func (w *driftWriter) head() string {
	bold, rest := w.verdict()
	return fmt.Sprintf("## Drift: %s\n\n**%s** %s\n", w.code(w.title), bold, visible(rest))
}

// sections are the report's parts; whole is with what differs from run to run though nothing drifted.
func (w *driftWriter) sections(whole bool) []section {
	var all []section
	if w.problem() != "" {
		all = append(all, w.failure()...)
		if s := w.said(); s != "" {
			all = append(all, section{title: "What the Pulumi CLI said", items: []string{w.block(s)}, of: "texts", rank: 20})
		}
		if s := w.hint(); s != "" {
			all = append(all, section{items: []string{s + "\n"}, of: "hints", rank: 5})
		}
	}
	gone := section{title: "Gone", of: "that are gone", rank: 30}
	changed := section{title: "Changed", of: "that were changed", rank: 40}
	for _, f := range w.finds {
		head, lines := w.stray(f)
		into := &changed
		if f.gone {
			into = &gone
		}
		into.items = append(into.items, "- "+head+"\n  - "+strings.Join(lines, "\n  - ")+"\n")
	}
	all = slices.Concat(all, some(gone), some(changed))
	if todo := w.todo(); len(todo) > 0 {
		all = append(all, section{title: "What to do", items: []string{"- " + strings.Join(todo, "\n- ") + "\n"}, of: "parts", rank: 10})
	}
	if whole {
		left := section{of: "that the stack leaves as they are", rank: 60, fold: plural(len(w.left), "resource") + " with differences that the stack leaves as they are"}
		for _, f := range w.left {
			head, lines := w.stray(f)
			left.items = append(left.items, "- "+head+"\n  - "+strings.Join(lines, "\n  - ")+"\n")
		}
		messages := section{of: "messages", rank: 70}
		for _, d := range w.Diagnostics {
			if d.Severity != "error" {
				messages.items = append(messages.items, w.diagnostic(d))
			}
		}
		messages.fold = plural(len(messages.items), "message")
		all = slices.Concat(all, some(left), some(messages))
	}
	return append(all, section{items: []string{notSeen + "\n"}, of: "remarks", rank: 90})
}

// stray is a resource in a line, and what there is to say of it in some more.
func (w *driftWriter) stray(f *stray) (head string, lines []string) {
	head = w.name(f.URN) + ", " + w.code(typeName(f.URN.Type()))
	if id := f.identity(); id != "" {
		lines = append(lines, w.code(id))
	}
	list := func(all []Difference, note string) {
		for i, d := range all {
			if i == w.causes {
				lines = append(lines, "… and "+plural(len(all)-i, "more difference"))
				break
			}
			lines = append(lines, w.difference(d)+note)
		}
	}
	list(f.values, "")
	left := ""
	if len(f.values) > 0 {
		left = " (left as it is: the stack does not set it back)"
	}
	list(f.left, left)
	if !f.gone && len(f.values)+len(f.left) == 0 {
		lines = append(lines, "its provider does not say what differs")
	}
	for i, by := range f.writers {
		if i == 3 {
			break
		}
		at := ""
		if t, err := time.Parse(time.RFC3339, by.at); err == nil {
			at = " on " + t.UTC().Format("2006-01-02 15:04 UTC")
		}
		lines = append(lines, "written by "+w.code(by.manager)+at)
	}
	if says := strings.TrimSpace(f.means() + " " + w.outcome(f)); says != "" && (f.gone || len(f.values) > 0 || f.Op == "update") {
		lines = append(lines, says)
	}
	return head, lines
}

// outcome is what sets a resource back does with it.
func (w *driftWriter) outcome(f *stray) string {
	switch token := f.URN.Type(); {
	case len(f.values) == 0 && !f.gone && len(f.Detailed) > 0:
		return ""
	case f.gone:
		return "It is made again by " + w.code(setsBack) + "."
	case f.anew:
		e, _ := find(effects, token)
		return strings.TrimSpace("It cannot be changed back: " + w.code(setsBack) + " replaces it. " + e.replaced)
	case token == "kubernetes:core/v1:Service" && slices.ContainsFunc(f.values, func(d Difference) bool { return servicePort.MatchString(d.Path) }):
		return "Set the port back with kubectl: an apply would add the stack's beside it, and the API server refuses two of one name."
	default:
		says := "It is set back by " + w.code(setsBack) + "."
		if f.held() {
			says = "It is set back by " + w.code(takeBack) + "."
		}
		if strings.HasPrefix(token, "kubernetes:apps/v1:") && slices.ContainsFunc(f.values, func(d Difference) bool { return under(d.Path, "spec.template") }) {
			says += " That rolls its pods out anew."
		}
		return says
	}
}

// servicePort is the number by which the API server knows a port of a Service: one of another number is another port.
var servicePort = regexp.MustCompile(`^spec\.ports\[\d+\]\.port$`)

// held says whether another field manager keeps the stack from setting a resource back.
func (f *stray) held() bool {
	return slices.ContainsFunc(f.writers, func(w written) bool { return w.holds })
}

// todo is what to do, a sentence or two each.
func (w *driftWriter) todo() []string {
	if len(w.finds)+w.unnamed == 0 {
		return nil
	}
	all := []string{
		"To set it back: " + w.code(setsBack) + ". " + w.code("pulumi preview --refresh") + " shows beforehand what that does. Without " + w.code("--refresh") +
			" Pulumi compares the program with its state, does not look at the cloud, and leaves all of it as it is.",
	}
	if slices.ContainsFunc(w.finds, (*stray).held) {
		all = append(all, "What another field manager has written in Kubernetes is taken back only with "+w.code(takeBack)+
			"; without, the API server answers with a conflict, and what the state "+
			"has taken in by then is found by no later look. The variable shows as an update of the cluster's provider, which the next "+w.code("pulumi up")+" takes back.")
	}
	all = append(all,
		"To keep it: write it into the program or its configuration, then the same command.",
		"Not "+w.code("pulumi refresh")+": it takes what was found into the state, where no later look tells it from what the stack has set.")
	if w.unnamed > 0 {
		all = append(all, "To see those without a name: take the refresh with "+w.code("PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true")+".")
	}
	return all
}

// said is the end of what the CLI said on its standard error.
func (w *driftWriter) said() string {
	lines := strings.Split(w.log, "\n")
	return strings.TrimSpace(strings.Join(lines[max(0, len(lines)-20):], "\n"))
}

// hints are by what the CLI or a provider says when it cannot look: in small letters.
var hints = []struct{ says, hint string }{
	{"locked by", "Another command holds the stack's lock, or died with it. Wait for it; where it does not run any more, `pulumi cancel` takes its lock away."},
	{"expiredtoken", expired},
	{"token has expired", expired},
	{"token is expired", expired},
	{"sso session", expired},
	{"no valid credential sources", expired},
	{"invalidclienttokenid", expired},
	{"unrecognizedclientexception", expired},
	{"accessdenied", "The role may not read what it has to: the message names the action that is missing."},
	{"not authorized to perform", "The role may not read what it has to: the message names the action that is missing."},
	{"incorrect passphrase", "The state's secrets cannot be read: set PULUMI_CONFIG_PASSPHRASE, or give the role the KMS key of the secrets provider."},
	{"passphrase must be set", "The state's secrets cannot be read: set PULUMI_CONFIG_PASSPHRASE, or give the role the KMS key of the secrets provider."},
	{"no stack named", "The backend has no such stack: look at PULUMI_BACKEND_URL and at `--stack`."},
	{"unreachable cluster", "The cluster's API server does not answer, or does not let the role in: it needs an access entry, and a network way to the endpoint."},
	{"throttling", "AWS was asked too much at once: run it again, or with a lower `--parallel`."},
}

const expired = "The AWS credentials are missing or have expired: log in anew (`aws sso login`), or look at the role that the workflow assumes and how long its session lasts."

// hint is what helps against a failure; empty where that is not known.
func (w *driftWriter) hint() string {
	said := []string{w.log}
	for _, d := range w.Diagnostics {
		if d.Severity == "error" {
			said = append(said, d.Message)
		}
	}
	all := strings.ToLower(strings.Join(said, "\n"))
	for _, h := range hints {
		if strings.Contains(all, h.says) {
			return h.hint
		}
	}
	return ""
}

// text is the report for a terminal.
func (w *driftWriter) text() string {
	var b strings.Builder
	bold, rest := w.verdict()
	fmt.Fprintf(&b, "%s: %s %s\n", w.code(w.title), lowerFirst(bold), visible(rest))
	para := func(s string) {
		for line := range strings.Lines(s) {
			b.WriteString("  " + visible(strings.TrimRight(line, " \r\n")) + "\n")
		}
	}
	if w.problem() != "" {
		for _, d := range w.Diagnostics {
			if d.Severity == "error" && !ended[d.Message] {
				b.WriteString("\n")
				if d.URN != "" && d.URN.Type() != stackType {
					para(d.URN.Name() + ", " + typeName(d.URN.Type()))
				}
				para(short(w.hide(strings.TrimPrefix(d.Message, "error: ")), w.values*16))
			}
		}
		for _, s := range []string{w.said(), strings.ReplaceAll(w.hint(), "`", "")} {
			if s != "" {
				b.WriteString("\n")
				para(short(w.hide(s), w.values*16))
			}
		}
	}
	part := func(what string, finds []*stray) {
		for _, f := range finds {
			head, lines := w.stray(f)
			word := what
			if f.gone {
				word = "gone"
			}
			fmt.Fprintf(&b, "\n%-8s %s\n", word, head)
			for _, line := range lines {
				fmt.Fprintf(&b, "         %s\n", line)
			}
		}
	}
	part("changed", w.finds)
	for i, s := range w.todo() {
		if i == 0 {
			b.WriteString("\n")
		}
		b.WriteString(s + "\n")
	}
	if len(w.left) > 0 {
		b.WriteString("\nNo drift, since the stack leaves it as it is:\n")
		part("differs", w.left)
	}
	for _, d := range w.Diagnostics {
		if d.Severity != "error" {
			b.WriteString("\n")
			para(d.URN.Name() + " " + short(w.hide(d.Message), w.values*4))
		}
	}
	if w.problem() == "" {
		b.WriteString("\n" + notSeen + "\n")
	}
	return b.String()
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
