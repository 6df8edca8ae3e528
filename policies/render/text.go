// Package render writes a verdict for people and for other tools: text, JSON,
// Markdown, HTML, SARIF, JUnit and GitLab's Code Quality.
package render

import (
	"fmt"
	"io"
	"strings"
	"time"

	"defectdojo/gate"
)

// shown is how many findings the text and Markdown name of each kind.
const shown = 20

// Text writes a verdict for a terminal or a build's log.
func Text(w io.Writer, v *gate.Verdict) error {
	t := &text{}
	t.head(v)
	for _, s := range v.Why {
		t.line("  %s", s)
	}
	t.green(v)
	t.findings(v)
	t.tail(v)
	_, err := io.WriteString(w, t.String())
	return err
}

type text struct{ strings.Builder }

// line writes one line. What comes from a report can neither break it, nor
// command the terminal or the build that shows it.
func (t *text) line(format string, args ...any) {
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = tame(s)
		}
	}
	fmt.Fprintf(t, format+"\n", args...)
}

// tame takes out control characters, marks that turn the direction of text, and
// what GitHub Actions would take for a command in the midst of a line.
func tame(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case r < 0x20, r >= 0x7f && r < 0xa0, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			return -1
		}
		return r
	}, s)
	return strings.ReplaceAll(s, "##[", "## [")
}

func (t *text) head(v *gate.Verdict) {
	t.line("%s  %s", strings.ToUpper(headline(v)), subject(v))
}

func (t *text) green(v *gate.Verdict) {
	if v.Green == nil {
		return
	}
	t.line("\nShortest way to green:")
	for i, s := range v.Green.Steps {
		if i == shown {
			t.line("  … and %d more", len(v.Green.Steps)+v.Green.Omitted-shown)
			break
		}
		t.line("  %d. %s", i+1, s.Text)
	}
	t.line("  %s", v.Green.Why)
}

func (t *text) findings(v *gate.Verdict) {
	if len(v.Findings) == 0 {
		return
	}
	t.line("")
	for i, f := range v.Findings {
		if i == shown {
			break
		}
		t.line("  %-8s  %-11s  %-24s  %s", f.Severity, f.Delta, what(&f), where(&f))
	}
	if more := len(v.Findings) + v.FindingsOmitted - shown; more > 0 {
		t.line("  … and %d more", more)
	}
}

// what says what was done with a finding.
func what(f *gate.FindingView) string {
	switch f.Code {
	case gate.DispositionWaived:
		return "waived " + f.Waiver
	case gate.DispositionInGrace:
		if f.Due.IsZero() {
			return "in grace until a fix"
		}
		return "in grace until " + f.Due.Format(time.DateOnly)
	case gate.DispositionUnknown:
		return "unknown: " + f.Detail
	}
	return "counted by " + f.GateRule
}

// where names a finding in one line.
func where(f *gate.FindingView) string {
	s := f.Title
	if len(f.Vulnerabilities) > 0 && !strings.Contains(s, f.Vulnerabilities[0]) {
		s = f.Vulnerabilities[0] + " " + s
	}
	if r := []rune(s); len(r) > 100 {
		s = string(r[:99]) + "…"
	}
	if f.Component != "" && !strings.Contains(s, f.Component) {
		s += " (" + strings.TrimSpace(f.Component+" "+f.Version) + ")"
	}
	switch {
	case f.Path != "" && f.Line > 0:
		s += fmt.Sprintf(" at %s:%d", f.Path, f.Line)
	case f.Path != "":
		s += " at " + f.Path
	}
	return s
}

func (t *text) tail(v *gate.Verdict) {
	t.line("")
	if v.WouldBe != v.Overall {
		t.line("Were every policy enforced now, this would be: %s.", v.WouldBe)
	}
	for _, n := range v.Notes {
		t.line("Note: %s.", strings.TrimSuffix(n, "."))
	}
	if !v.ValidUntil.IsZero() {
		t.line("Valid until %s (%s).", v.ValidUntil.Format("2006-01-02 15:04 MST"), v.ValidUntilWhy)
	}
	t.line("Verdict %s", v.ID)
}
