package render

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"defectdojo/gate"
)

// Format writes a verdict in one form.
type Format struct {
	Name string // as in "--format sarif"
	File string // what such a file is usually called
	Type string // its media type
	Do   func(io.Writer, *gate.Verdict) error
}

// Formats lists all forms.
var Formats = []Format{
	{"text", "verdict.txt", "text/plain; charset=utf-8", Text},
	{"json", "verdict.json", "application/json", JSON},
	{"markdown", "verdict.md", "text/markdown; charset=utf-8", Markdown},
	{"html", "verdict.html", "text/html; charset=utf-8", HTML},
	{"sarif", "verdict.sarif", "application/sarif+json", SARIF},
	{"junit", "junit-gate.xml", "application/xml", JUnit},
	{"codequality", "gl-code-quality-report.json", "application/json", CodeQuality},
	{"gitlab-sast", "gl-sast-report.json", "application/json", GitLabSAST},
}

// ByName finds a form.
func ByName(name string) (Format, error) {
	if i := slices.IndexFunc(Formats, func(f Format) bool { return f.Name == name }); i >= 0 {
		return Formats[i], nil
	}
	names := make([]string, len(Formats))
	for i, f := range Formats {
		names[i] = f.Name
	}
	return Format{}, gate.Errorf(gate.Invalid, "%q is not a format: use %s", name, strings.Join(names, ", "))
}

// JSON writes the verdict itself.
func JSON(w io.Writer, v *gate.Verdict) error { return writeJSON(w, v) }

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// policyOf finds a policy of a verdict by name.
func policyOf(v *gate.Verdict, name string) *gate.PolicyVerdict {
	for i := range v.Policies {
		if v.Policies[i].Name == name {
			return &v.Policies[i]
		}
	}
	return nil
}

// ruleOf finds the rule that dealt with a finding.
func ruleOf(v *gate.Verdict, f *gate.FindingView) (*gate.PolicyVerdict, *gate.RuleVerdict) {
	p := policyOf(v, f.Policy)
	if p == nil {
		return nil, nil
	}
	for i := range p.Rules {
		if p.Rules[i].ID == f.GateRule {
			return p, &p.Rules[i]
		}
	}
	return p, nil
}

// deltaWords says why a finding is here, in a word or three.
func deltaWords(d gate.Delta) string {
	return strings.ReplaceAll(string(d), "_", " ")
}

// headline says the decision in a word or two.
func headline(v *gate.Verdict) string {
	s := map[gate.Decision]string{gate.Pass: "Passed", gate.Warn: "Passed with warnings", gate.Fail: "Failed"}[v.Overall]
	if v.Overall == gate.Fail && !v.Conclusive {
		s = "Could not decide"
	}
	if v.Provisional {
		s += " (provisional)"
	}
	return s
}

// mark is a sign for the decision.
func mark(v *gate.Verdict) string {
	switch {
	case v.Overall == gate.Fail && !v.Conclusive:
		return "❓"
	case v.Overall == gate.Fail:
		return "❌"
	case v.Overall == gate.Warn:
		return "⚠️"
	}
	return "✅"
}

// subject says what was judged: "payments-api · #318 · 9c1e2f4".
func subject(v *gate.Verdict) string {
	parts := []string{v.Subject.Product}
	if v.Subject.Component != "" {
		parts = append(parts, v.Subject.Component)
	}
	if v.Subject.PullRequest != 0 {
		parts = append(parts, fmt.Sprintf("#%d", v.Subject.PullRequest))
	} else if v.Subject.Branch != "" {
		parts = append(parts, v.Subject.Branch)
	}
	if c := v.Subject.Commit; c != "" {
		parts = append(parts, c[:min(7, len(c))])
	}
	return strings.Join(parts, " · ")
}

// numbers writes a rule's comparison.
func numbers(r *gate.RuleVerdict) string {
	s := strconv.Itoa(r.Observed)
	if r.Unknown > 0 {
		s += fmt.Sprintf(" + up to %d", r.Unknown)
	}
	return fmt.Sprintf("%s of at most %d", s, r.Max)
}
