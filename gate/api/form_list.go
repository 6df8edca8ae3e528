package api

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// items reads a list: of JSON, or in a form the values of one name, or of name[0], name[1] ….
func (f *form) items(name string, rules rule) ([]jsontext.Value, bool) {
	if f.html {
		values, ok := f.htmlList(name)
		if !ok {
			f.raw(name, rules)
			return nil, false
		}
		var out []jsontext.Value
		for _, s := range values {
			if v, err := jsontext.AppendQuote(nil, s); err == nil && s != "" {
				out = append(out, v)
			}
		}
		return out, true
	}
	v, done := f.scalar(name, rules, func() {})
	if done {
		return nil, false
	}
	var out []jsontext.Value
	if v.Kind() != '[' || json.Unmarshal(v, &out) != nil {
		f.problems.add(name, "Expected a list of items but got type %q.", pythonType(v))
		return nil, false
	}
	return out, true
}

func (f *form) htmlList(name string) ([]string, bool) {
	if v, ok := f.values[name]; ok {
		return v, true
	}
	var out []string
	for i := 0; ; i++ {
		v, ok := f.values[name+"["+strconv.Itoa(i)+"]"]
		if !ok {
			return out, i > 0
		}
		out = append(out, v...)
	}
}

// quotedOrPlain are the parts of a text that holds several tags.
var quotedOrPlain = regexp.MustCompile(`"[^"]*"|[^",]+`)

// tags reads tags: a list, a text with a JSON list in it, or a text with
// commas. Tags are in lower case and have no spaces, commas or quotes.
func (f *form) tags(into *[]string, rules rule) {
	const name = "tags"
	texts, ok := f.tagTexts(name, rules)
	if !ok {
		return
	}
	tags := []string{}
	for _, text := range texts {
		for _, tag := range quotedOrPlain.FindAllString(text, -1) {
			tag = strings.ToLower(strings.TrimSpace(strings.Trim(strings.TrimSpace(tag), `"`)))
			if strings.ContainsAny(tag, " ,'\"\x00") {
				f.problems.add(name, "Invalid tag: '%s'. Tags should not contain spaces, commas, or quotes.", strings.ReplaceAll(tag, "\x00", ""))
				return
			}
			if tag != "" && !slices.Contains(tags, tag) {
				tags = append(tags, tag)
			}
		}
	}
	*into = tags
}

func (f *form) tagTexts(name string, rules rule) ([]string, bool) {
	if f.html {
		values, ok := f.htmlList(name)
		if !ok {
			f.raw(name, rules)
			return nil, false
		}
		var out []string
		for _, v := range values {
			var inner []string
			if strings.HasPrefix(strings.TrimSpace(v), "[") && json.Unmarshal([]byte(v), &inner) == nil {
				out = append(out, inner...)
			} else {
				out = append(out, v)
			}
		}
		return out, true
	}
	v, done := f.scalar(name, rules|nullable, func() {})
	if done {
		return nil, false
	}
	if s, ok := unquote(v); ok {
		var inner []string
		if json.Unmarshal([]byte(s), &inner) == nil {
			return inner, true
		}
		return []string{s}, true
	}
	items, ok := f.items(name, rules)
	if !ok {
		return nil, false
	}
	var out []string
	for _, i := range items {
		s, ok := unquote(i)
		if !ok {
			f.problems.add(name, "All list items must be of string type.")
			return nil, false
		}
		out = append(out, s)
	}
	return out, true
}
