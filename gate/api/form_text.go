package api

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// text reads a text of at most limit characters; 0 is no limit.
func (f *form) text(name string, into *string, limit int, rules rule) {
	v, done := f.scalar(name, rules, func() { *into = "" })
	if done {
		return
	}
	s, ok := unquote(v)
	switch {
	case !ok && v.Kind() == '0':
		s = string(v)
	case !ok:
		f.problems.add(name, "Not a valid string.")
		return
	}
	s = strings.TrimSpace(strings.ToValidUTF8(s, "�"))
	switch {
	case s == "" && rules&blank == 0:
		f.problems.add(name, "This field may not be blank.")
	case strings.ContainsRune(s, 0):
		f.problems.add(name, "Null characters are not allowed.")
	case limit > 0 && utf8.RuneCountInString(s) > limit:
		f.problems.add(name, "Ensure this field has no more than %d characters.", limit)
	default:
		*into = s
	}
}

// source reads a policy's text, whose blanks count. How long it may be, its reader says.
func (f *form) source(into *string) {
	const name = "source"
	v, done := f.scalar(name, required, func() { *into = "" })
	if done {
		return
	}
	s, ok := unquote(v)
	switch {
	case !ok:
		f.problems.add(name, "Not a valid string.")
	case strings.TrimSpace(s) == "":
		f.problems.add(name, "This field may not be blank.")
	default:
		*into = strings.ReplaceAll(s, "\r\n", "\n")
	}
}

// optional reads a text that may be null.
func (f *form) optional(name string, into **string, limit int) {
	const unread = "\x00"
	s := unread
	null := false
	if v, ok := f.fields[name]; ok && v.Kind() == 'n' {
		null = true
	}
	f.text(name, &s, limit, nullable|blank)
	switch {
	case null:
		*into = nil
	case s != unread:
		*into = &s
	}
}

// choice reads one of some words. A blank one is null.
func (f *form) choice(name string, into **string, allowed ...string) {
	var s *string
	before := len(f.problems[name])
	if !f.has(name) {
		return
	}
	f.optional(name, &s, 0)
	switch {
	case len(f.problems[name]) > before:
	case s == nil || *s == "":
		*into = nil
	case !slices.Contains(allowed, *s):
		f.problems.add(name, "%q is not a valid choice.", *s)
	default:
		*into = s
	}
}

// oneOf reads one of some words that must not be blank.
func (f *form) oneOf(name string, into *string, rules rule, allowed ...string) {
	if !f.has(name) {
		f.raw(name, rules)
		return
	}
	var s *string
	f.choice(name, &s, allowed...)
	if s == nil && f.problems[name] == nil {
		f.problems.add(name, `"" is not a valid choice.`)
	}
	if s != nil {
		*into = *s
	}
}
