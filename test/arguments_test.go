package test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestArgumentTables holds docs/arguments.md to the code: UPDATE=1 go test writes it anew.
func TestArgumentTables(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Arguments\n\nMade from the code by `UPDATE=1 go test ./test -run TestArgumentTables`. A name with * is required.\n")
	dirs, err := filepath.Glob("../components/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range append(dirs, "../cutover", "../calendar") {
		tables(t, &b, dir)
	}
	const file = "../docs/arguments.md"
	if os.Getenv("UPDATE") == "1" {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != b.String() {
		t.Errorf("%s is not what the code says; UPDATE=1 go test ./test -run TestArgumentTables writes it anew", file)
	}
}

// tables writes one table for each struct of the package whose fields are arguments, the components' own first.
func tables(t *testing.T, b *strings.Builder, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	type table struct {
		name   string
		doc    string
		fields *ast.FieldList
	}
	var all []table
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range parsed.Decls {
			gen, ok := decl.(*ast.GenDecl)
			if !ok || gen.Tok != token.TYPE {
				continue
			}
			for _, spec := range gen.Specs {
				typ := spec.(*ast.TypeSpec)
				s, ok := typ.Type.(*ast.StructType)
				if !ok || !typ.Name.IsExported() || !hasArguments(s) {
					continue
				}
				all = append(all, table{typ.Name.Name, oneLine(gen.Doc.Text()), s.Fields})
			}
		}
	}
	slices.SortFunc(all, func(x, y table) int {
		rank := func(n string) string {
			if strings.HasSuffix(n, "Args") {
				return "0" + n
			}
			return "1" + n
		}
		return strings.Compare(rank(x.name), rank(y.name))
	})
	for _, table := range all {
		fmt.Fprintf(b, "\n## %s.%s\n\n%s\n\n| argument | type | meaning |\n|---|---|---|\n", filepath.Base(dir), table.name, table.doc)
		for _, f := range table.fields.List {
			name, optional, ok := argument(f)
			if !ok {
				continue
			}
			if !optional {
				name += " *"
			}
			doc := oneLine(f.Doc.Text())
			if doc == "" {
				t.Errorf("%s: %s.%s has no comment", dir, table.name, f.Names[0].Name)
			}
			fmt.Fprintf(b, "| %s | `%s` | %s |\n", name, typeName(f.Type), strings.ReplaceAll(doc, "|", `\|`))
		}
	}
}

// hasArguments tells arguments from a component's outputs, which embed pulumi.ResourceState.
func hasArguments(s *ast.StructType) bool {
	found := false
	for _, f := range s.Fields.List {
		if len(f.Names) == 0 {
			return false
		}
		if _, _, ok := argument(f); ok {
			found = true
		}
	}
	return found
}

func argument(f *ast.Field) (name string, optional, ok bool) {
	if f.Tag == nil || len(f.Names) == 0 {
		return "", false, false
	}
	tag, ok := reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Lookup("pulumi")
	name, rest, _ := strings.Cut(tag, ",")
	return name, rest == "optional", ok
}

func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.StarExpr:
		return "*" + typeName(e.X)
	case *ast.ArrayType:
		return "[]" + typeName(e.Elt)
	case *ast.MapType:
		return "map[" + typeName(e.Key) + "]" + typeName(e.Value)
	case *ast.SelectorExpr:
		return typeName(e.X) + "." + e.Sel.Name
	}
	return fmt.Sprintf("%T", e)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
