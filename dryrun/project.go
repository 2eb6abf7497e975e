package dryrun

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// project is a Pulumi project with one of its stacks.
type project struct {
	// dir has the Pulumi.yaml, main the program.
	dir, main   string
	name, stack string
	config      map[string]string
	secrets     []string
}

// placeholder stands for every secret: no key to them is here.
const placeholder = "[secret]"

// readProject merges the stack's configuration over the project's.
func readProject(configFile string) (p project, err error) {
	base := filepath.Base(configFile)
	stack, isConfig := strings.CutPrefix(strings.TrimSuffix(base, filepath.Ext(base)), "Pulumi.")
	if !isConfig || stack == "" || !slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(base)) {
		return p, fmt.Errorf("%s: %w", configFile, errName)
	}
	p.stack = stack
	if p.dir, err = filepath.Abs(filepath.Dir(configFile)); err != nil {
		return p, err
	}
	var file struct {
		Name    string
		Main    string
		Runtime yaml.Node
		Config  map[string]yaml.Node
	}
	if err := readYAML(filepath.Join(p.dir, "Pulumi.yaml"), &file); err != nil {
		return p, err
	}
	runtime := struct{ Name string }{file.Runtime.Value}
	if file.Runtime.Kind == yaml.MappingNode {
		if err := file.Runtime.Decode(&runtime); err != nil {
			return p, err
		}
	}
	if runtime.Name != "go" {
		return p, fmt.Errorf("%s: runtime is %q, must be go", filepath.Join(p.dir, "Pulumi.yaml"), runtime.Name)
	}
	p.name, p.main, p.config = file.Name, filepath.Join(p.dir, file.Main), map[string]string{}
	var own struct{ Config map[string]yaml.Node }
	if err := readYAML(configFile, &own); err != nil {
		return p, err
	}
	for key, node := range file.Config {
		if declared, ok := declaredValue(node); ok {
			if err := p.set(key, declared); err != nil {
				return p, err
			}
		}
	}
	for key, node := range own.Config {
		if err := p.set(key, node); err != nil {
			return p, err
		}
	}
	slices.Sort(p.secrets)
	p.secrets = slices.Compact(p.secrets)
	return p, nil
}

func readYAML(file string, into any) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// declaredValue is the value of a key of Pulumi.yaml: the node itself, or what it has as value or default.
// https://www.pulumi.com/docs/iac/concepts/projects/project-file/#config-options
func declaredValue(node yaml.Node) (yaml.Node, bool) {
	if node.Kind != yaml.MappingNode {
		return node, true
	}
	var declared map[string]yaml.Node
	if err := node.Decode(&declared); err != nil {
		return node, false
	}
	for _, key := range []string{"value", "default"} {
		if v, ok := declared[key]; ok {
			return v, true
		}
	}
	return node, false
}

// set keeps a value as the SDK reads it: a scalar as its text, all else as JSON. A key without a namespace is of the project's.
func (p *project) set(key string, node yaml.Node) error {
	if !strings.Contains(key, ":") {
		key = p.name + ":" + key
	}
	p.secrets = slices.DeleteFunc(p.secrets, func(s string) bool { return s == key })
	if node.Kind == yaml.ScalarNode {
		p.config[key] = node.Value
		return nil
	}
	var v any
	if err := node.Decode(&v); err != nil {
		return fmt.Errorf("config %s: %w", key, err)
	}
	secret := false
	v = withoutSecrets(v, &secret)
	if secret {
		p.secrets = append(p.secrets, key)
	}
	if text, ok := v.(string); ok {
		p.config[key] = text
		return nil
	}
	text, err := json.Marshal(v)
	p.config[key] = string(text)
	return err
}

// withoutSecrets has the placeholder for each object with the one key "secure".
func withoutSecrets(v any, found *bool) any {
	switch v := v.(type) {
	case map[string]any:
		if _, secure := v["secure"]; secure && len(v) == 1 {
			*found = true
			return placeholder
		}
		for k := range v {
			v[k] = withoutSecrets(v[k], found)
		}
	case []any:
		for i := range v {
			v[i] = withoutSecrets(v[i], found)
		}
	}
	return v
}
