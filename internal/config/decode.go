package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// read fills out, a struct, with one key of the configuration for each field.
func (p *problems) read(get func(key string) (string, bool), out any) {
	v := reflect.ValueOf(out).Elem()
	for i := range v.NumField() {
		name, optional, skip := tag(v.Type().Field(i))
		if skip {
			continue
		}
		text, ok := get(name)
		if !ok || text == "" || text == "{}" { // the empty default that Pulumi.yaml gives to what is required
			if !optional {
				p.missing(name, p.remedy(namespace+":"+name, v.Field(i).Type()))
			}
			continue
		}
		// Pulumi keeps a plain text as it is and everything else as JSON.
		var value any = text
		if v.Field(i).Kind() != reflect.String {
			if err := json.Unmarshal([]byte(text), &value); err != nil {
				value = text
			}
		}
		p.hidden = p.secret(name)
		p.value(namespace+":"+name, value, v.Field(i))
	}
	p.hidden = false
}

// unknown finds keys of the project that mean nothing: a misspelt one would otherwise leave the default in force, silently.
func (p *problems) unknown(all string, cfg any, more ...string) {
	var values map[string]string
	if json.Unmarshal([]byte(all), &values) != nil {
		return // no engine gave it: a test runs the program
	}
	known := append(fields(reflect.TypeOf(cfg).Elem()), more...)
	for _, k := range slices.Sorted(maps.Keys(values)) {
		if name, ours := strings.CutPrefix(k, namespace+":"); ours && !slices.Contains(known, name) {
			p.addf("%s is no key of this project; there are %s. Remove it with `pulumi config rm %s --stack %s`", k, strings.Join(known, ", "), k, p.stack)
		}
	}
}

// remedy is the command that sets what is at path, or its first part where that is an object.
func (p *problems) remedy(path string, t reflect.Type) string {
	set := "set it with"
	if t.Kind() == reflect.Struct {
		set = "set each of its values, such as"
	}
	if path = first(path, t); strings.ContainsAny(path, ".[") {
		path = "--path '" + path + "'"
	}
	return fmt.Sprintf("%s `pulumi config set %s VALUE --stack %s`", set, path, p.stack)
}

// first is the path of the first value of what is at path.
func first(path string, t reflect.Type) string {
	switch t.Kind() {
	case reflect.Struct:
		inner, _, _ := tag(t.Field(0))
		return first(path+"."+inner, t.Field(0).Type)
	case reflect.Slice:
		return first(path+"[0]", t.Elem())
	}
	return path
}

// value stores what JSON holds in a field, and says where the kinds do not fit.
func (p *problems) value(path string, in any, out reflect.Value) {
	switch out.Kind() {
	case reflect.String:
		// An unquoted tag such as 1.10 is a number to YAML, and 1.1 by the time it arrives here: it must be quoted.
		if s, ok := in.(string); ok {
			out.SetString(s)
			return
		}
		p.addf("%s is %s, must be a text: put it in quotes", path, p.show(in))
	case reflect.Bool:
		switch b := in.(type) {
		case bool:
			out.SetBool(b)
		case string:
			v, err := strconv.ParseBool(b)
			if err != nil {
				p.addf("%s is %s, must be true or false", path, p.show(b))
			}
			out.SetBool(v)
		default:
			p.addf("%s is %s, must be true or false", path, p.show(in))
		}
	case reflect.Int:
		if s, ok := in.(string); ok {
			if n, err := strconv.Atoi(s); err == nil {
				in = float64(n)
			}
		}
		f, ok := in.(float64)
		if !ok || f != math.Trunc(f) {
			p.addf("%s is %s, must be a whole number", path, p.show(in))
			return
		}
		out.SetInt(int64(f))
	case reflect.Slice:
		l, ok := in.([]any)
		if !ok {
			p.addf("%s is %s, must be a list", path, p.show(in))
			return
		}
		s := reflect.MakeSlice(out.Type(), len(l), len(l))
		for i, e := range l {
			p.value(fmt.Sprintf("%s[%d]", path, i), e, s.Index(i))
		}
		out.Set(s)
	case reflect.Pointer:
		out.Set(reflect.New(out.Type().Elem()))
		p.value(path, in, out.Elem())
	case reflect.Map:
		m, ok := in.(map[string]any)
		if !ok {
			p.addf("%s is %s, must hold a value for each name", path, p.show(in))
			return
		}
		out.Set(reflect.MakeMap(out.Type()))
		for _, k := range slices.Sorted(maps.Keys(m)) {
			v := reflect.New(out.Type().Elem()).Elem()
			p.value(path+"."+k, m[k], v)
			out.SetMapIndex(reflect.ValueOf(k), v)
		}
	case reflect.Struct:
		m, ok := in.(map[string]any)
		if !ok {
			p.addf("%s is %s, must hold %s", path, p.show(in), strings.Join(fields(out.Type()), ", "))
			return
		}
		p.object(path, m, out)
	default:
		panic("config: no rule for " + out.Type().String())
	}
}

func (p *problems) object(path string, in map[string]any, out reflect.Value) {
	known := fields(out.Type())
	for _, k := range slices.Sorted(maps.Keys(in)) {
		if !slices.Contains(known, k) {
			p.addf("%s.%s is no key here; there are %s", path, k, strings.Join(known, ", "))
		}
	}
	for i := range out.NumField() {
		name, optional, _ := tag(out.Type().Field(i))
		v, ok := in[name]
		if !ok || v == nil {
			if !optional {
				p.addf("%s.%s is missing: %s", path, name, p.remedy(path+"."+name, out.Type().Field(i).Type))
			}
			continue
		}
		p.value(path+"."+name, v, out.Field(i))
	}
}

// tag is a field's key.
func tag(f reflect.StructField) (name string, optional, skip bool) {
	name, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name, rest == "omitempty", name == "-"
}

func fields(t reflect.Type) []string {
	var out []string
	for i := range t.NumField() {
		if name, _, skip := tag(t.Field(i)); !skip {
			out = append(out, name)
		}
	}
	return out
}

// show is a value as JSON, unless it may be secret.
func (p *problems) show(v any) string {
	if p.hidden {
		return "a secret"
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}
