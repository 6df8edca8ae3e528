package policy

import (
	"errors"
	"slices"

	"defectdojo/gate/evidence"
	"defectdojo/policies"
)

// Report is what is wrong with a policy's text.
type Report struct {
	Name     string            // as the text says it
	Errors   policies.Problems // it cannot be used
	Warnings policies.Problems // it is probably not what is meant
	Tests    int               // that are in the text
	Failed   []string          // of them, with why
}

// Lint reads a text of policies, waivers and tests, as the uploader does, and
// says everything that is wrong with it. Products are those that there are; nil:
// nobody has looked.
func Lint(name, source string, products []policies.Product) Report {
	file, err := policies.ParseFile(name, policies.FromServer, []byte(source))
	if err != nil {
		problems, ok := errors.AsType[policies.Problems](err)
		if !ok {
			problems = policies.Problems{{File: name, Line: 1, Column: 1, Message: err.Error()}}
		}
		return Report{Errors: problems}
	}
	r := Report{Tests: len(file.Tests)}
	if len(file.Policies) > 0 {
		r.Name = file.Policies[0].Name
	}
	for i := range file.Tests {
		for _, t := range file.Tests[i].Run(file.Policies) {
			for _, why := range t.Failures {
				r.Failed = append(r.Failed, t.Test+": "+t.Case+": "+why)
			}
		}
	}
	r.Warnings = policies.Lint(file.Policies, policies.Known{Scanners: evidence.Scanners(), Products: products})
	return r
}

// Preset is a policy to start from.
type Preset struct {
	Name        string
	Description string
	Source      string
}

// Presets lists them, the one that applies without a policy first.
func Presets() []Preset {
	var out []Preset
	for name, p := range policies.Builtin() {
		out = append(out, Preset{name, p.Description, p.Source})
	}
	slices.SortFunc(out, func(a, b Preset) int {
		switch {
		case a.Name == "default":
			return -1
		case b.Name == "default":
			return 1
		case a.Name < b.Name:
			return -1
		}
		return 1
	})
	return out
}
