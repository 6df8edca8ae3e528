package api

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// rule says what a field may be.
type rule uint8

const (
	required rule = 1 << iota // it must be there, but in a PATCH
	nullable                  // it may be null
	blank                     // it may be ""
)

// has tells whether the body has a field at all.
func (f *form) has(name string) bool {
	if f.html {
		return f.values.Has(name)
	}
	_, ok := f.fields[name]
	return ok
}

// raw returns a field as JSON. ok is false if there is nothing to read: it is
// missing, which is a problem if it is required.
func (f *form) raw(name string, rules rule) (v jsontext.Value, ok bool) {
	if f.html {
		v, ok = f.rawHTML(name, rules)
	} else {
		v, ok = f.fields[name]
	}
	if !ok && rules&required != 0 && !f.partial {
		f.problems.add(name, "This field is required.")
	}
	return v, ok
}

func (f *form) rawHTML(name string, rules rule) (jsontext.Value, bool) {
	all, ok := f.values[name]
	if !ok || len(all) == 0 {
		return nil, false
	}
	s := all[len(all)-1]
	if strings.TrimSpace(s) == "" && rules&blank == 0 {
		if rules&nullable != 0 {
			return jsontext.Value("null"), true
		}
		if rules&required == 0 {
			return nil, false
		}
	}
	v, err := jsontext.AppendQuote(nil, s)
	return v, err == nil || v != nil
}

// scalar reads a field that is one value. done is true when it is missing, null or wrong.
func (f *form) scalar(name string, rules rule, null func()) (v jsontext.Value, done bool) {
	v, ok := f.raw(name, rules)
	if !ok {
		return nil, true
	}
	if v.Kind() == 'n' {
		if rules&nullable == 0 {
			f.problems.add(name, "This field may not be null.")
		} else {
			null()
		}
		return nil, true
	}
	return v, false
}

// unquote returns the text of a JSON string.
func unquote(v jsontext.Value) (string, bool) {
	if v.Kind() != '"' {
		return "", false
	}
	b, err := jsontext.AppendUnquote(nil, v)
	return string(b), err == nil || b != nil
}

// plain returns the text of a JSON string, or a number as it is written: some
// clients send numbers and booleans as text.
func plain(v jsontext.Value) string {
	if s, ok := unquote(v); ok {
		return s
	}
	return string(v)
}

// pythonType names the kind of a value as DefectDojo's messages do.
func pythonType(v jsontext.Value) string {
	switch v.Kind() {
	case '"':
		return "str"
	case '0':
		if strings.ContainsAny(string(v), ".eE") {
			return "float"
		}
		return "int"
	case 't', 'f':
		return "bool"
	case '[':
		return "list"
	case '{':
		return "dict"
	}
	return "NoneType"
}
