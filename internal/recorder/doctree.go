package recorder

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// CheckDocTree compares the tree in the doc comment of the type typeName in file (relative to the test's folder) with what
// the recorders saw: each registered resource below a component of that type must stand in the comment below the same
// parent, and each line of the comment must have been registered in at least one of the recorders. Give several recorders
// where no single set of arguments makes everything. A tree is drawn so:
//
//	slipway:index:Vpc             NAME
//	├─ aws:ec2/vpc:Vpc            NAME-vpc
//	└─ aws:ec2/subnet:Subnet      NAME-private-ZONE  a remark, as long as one likes
//	   └─ aws:ec2/eip:Eip         NAME-nat-ZONE      only with natGateways "perZone"
//
// NAME stands for the component's own name, any other upper-case word for some text. A type may be cut before its last
// colon ("aws:ec2/vpc"). A line whose first word has no colon continues the remark above it.
func CheckDocTree(t testing.TB, file, typeName string, recorders ...*Recorder) {
	t.Helper()
	root, err := docTree(file, typeName)
	if err != nil {
		t.Fatal(err)
	}
	problems := root.compare(recorders)
	if len(problems) == 0 {
		return
	}
	var seen strings.Builder
	for _, r := range recorders {
		seen.WriteString(r.Tree())
	}
	t.Errorf("the comment of %s in %s is not what is registered:\n  %s\nregistered were:\n%s", typeName, file, strings.Join(problems, "\n  "), seen.String())
}

// docNode is one line of the tree in a comment.
type docNode struct {
	typ, name string
	children  []*docNode
	met       bool
}

// docTree reads the tree in the doc comment of a type.
func docTree(file, typeName string) (*docNode, error) {
	doc, err := docOf(file, typeName)
	if err != nil {
		return nil, err
	}
	var path []*docNode
	for line := range strings.Lines(doc) {
		line, indented := strings.CutPrefix(strings.TrimRight(line, "\n"), "\t")
		text := strings.TrimLeft(line, "│├└─ ")
		f := strings.Fields(text)
		if !indented || len(f) < 2 || strings.Count(strings.Trim(f[0], ":"), ":") == 0 {
			continue
		}
		n := &docNode{typ: f[0], name: f[1]}
		drawn := len([]rune(line)) - len([]rune(text))
		depth := drawn / 3
		if drawn%3 != 0 || depth > len(path) || (depth == 0) != (len(path) == 0) {
			return nil, fmt.Errorf("%s: the tree of %s: %q hangs at no parent: a level is three characters wide, and there is one root", file, typeName, line)
		}
		if depth > 0 {
			path[depth-1].children = append(path[depth-1].children, n)
		}
		path = append(path[:depth], n)
	}
	if len(path) == 0 {
		return nil, fmt.Errorf("%s: the comment of %s holds no tree", file, typeName)
	}
	return path[0], nil
}

func docOf(file, typeName string) (string, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	if err != nil {
		return "", err
	}
	for _, d := range parsed.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.TYPE {
			continue
		}
		for _, s := range g.Specs {
			spec := s.(*ast.TypeSpec)
			if spec.Name.Name != typeName {
				continue
			}
			if spec.Doc != nil {
				return spec.Doc.Text(), nil
			}
			return g.Doc.Text(), nil
		}
	}
	return "", errors.New(file + " declares no type " + typeName)
}

// compare is every difference between the tree below n and what was registered.
func (n *docNode) compare(recorders []*Recorder) (problems []string) {
	for _, r := range recorders {
		children := map[string][]pulumi.MockResourceArgs{}
		for _, a := range r.Seen() {
			children[a.RegisterRPC.GetParent()] = append(children[a.RegisterRPC.GetParent()], a)
		}
		for _, a := range r.Seen() {
			if n.hasType(a.TypeToken) {
				n.met = true
				problems = append(problems, n.below(a, a.Name, children)...)
			}
		}
	}
	return append(problems, n.unmet()...)
}

// below matches what is registered below a with the lines below n.
func (n *docNode) below(a pulumi.MockResourceArgs, component string, children map[string][]pulumi.MockResourceArgs) (problems []string) {
	parent := nameOf(a.RegisterRPC.GetParent())
	for urn, registered := range children {
		if nameOf(urn) != a.TypeToken+" "+a.Name || nameOf(urn) == parent {
			continue
		}
		for _, c := range registered {
			line := n.lineOf(c, component)
			if line == nil {
				problems = append(problems, fmt.Sprintf("%s %s below %s stands not in the comment", c.TypeToken, c.Name, a.Name))
				continue
			}
			line.met = true
			problems = append(problems, line.below(c, component, children)...)
		}
	}
	slices.Sort(problems)
	return problems
}

// lineOf is the line directly below n that says most exactly what a is.
func (n *docNode) lineOf(a pulumi.MockResourceArgs, component string) *docNode {
	var best *docNode
	for _, c := range n.children {
		if !c.hasType(a.TypeToken) || !c.pattern(component).MatchString(a.Name) {
			continue
		}
		if best == nil || len(placeholder.FindAllString(c.name, -1)) < len(placeholder.FindAllString(best.name, -1)) {
			best = c
		}
	}
	return best
}

func (n *docNode) unmet() (problems []string) {
	if !n.met {
		return []string{fmt.Sprintf("%s %s stands in the comment, but no such resource was registered there", n.typ, n.name)}
	}
	for _, c := range n.children {
		problems = append(problems, c.unmet()...)
	}
	return problems
}

func (n *docNode) hasType(tok string) bool {
	return tok == n.typ || tok[:max(strings.LastIndex(tok, ":"), 0)] == n.typ
}

var placeholder = regexp.MustCompile(`[A-Z]+`)

// pattern is the name in the comment as an expression: NAME the component's own, other upper-case words anything.
func (n *docNode) pattern(component string) *regexp.Regexp {
	expr := placeholder.ReplaceAllStringFunc(regexp.QuoteMeta(n.name), func(word string) string {
		if word == "NAME" {
			return regexp.QuoteMeta(component)
		}
		return ".+"
	})
	return regexp.MustCompile("^" + expr + "$")
}
