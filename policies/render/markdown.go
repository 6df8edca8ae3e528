package render

import (
	"fmt"
	"io"
	"strings"

	"defectdojo/gate"
)

// MaxMarkdown is how long the Markdown gets, in bytes: GitHub takes 65,536
// characters in a comment, GitLab more.
const MaxMarkdown = 60_000

// Marker is the comment by which a pull request's text is found again, to be
// edited in place.
func Marker(v *gate.Verdict) string {
	clean := strings.NewReplacer("--", "-", ">", "", "\n", " ")
	return fmt.Sprintf("<!-- gate:%s:%s -->", clean.Replace(v.Subject.Product), clean.Replace(v.Subject.Component))
}

// Markdown writes a verdict for a pull request: the decision, why, and the
// shortest way to green first; the rest folded. It leaves rows out, least
// important first, rather than get longer than MaxMarkdown.
func Markdown(w io.Writer, v *gate.Verdict) error {
	m := &markdown{}
	m.foot(v)
	m.put("%s\n## %s %s: %s\n\n", Marker(v), mark(v), headline(v), escape(subject(v)))
	for i, s := range v.Why {
		m.row(len(v.Why)-i, "- %s\n", escape(s))
	}
	m.green(v)
	m.findings(v)
	m.rules(v)
	_, err := io.WriteString(w, m.String()+m.tail)
	return err
}

type markdown struct {
	strings.Builder
	tail string // comes last, and is sure to
	full bool
}

// put writes what must be there.
func (m *markdown) put(format string, args ...any) { fmt.Fprintf(m, format, args...) }

// row writes one of left rows if there is room for it; after the last that fits
// it says how many are left out.
func (m *markdown) row(left int, format string, args ...any) {
	if m.full {
		return
	}
	s := fmt.Sprintf(format, args...)
	if m.Len()+len(m.tail)+len(s) > MaxMarkdown-2000 {
		m.full = true
		m.put("\n… and %d more\n", left)
		return
	}
	m.put("%s", s)
}

func (m *markdown) green(v *gate.Verdict) {
	if v.Green == nil {
		return
	}
	m.put("\n**Shortest way to green**\n\n")
	for i, s := range v.Green.Steps {
		if i == shown {
			m.put("\n… and %d more\n", len(v.Green.Steps)+v.Green.Omitted-i)
			break
		}
		m.row(len(v.Green.Steps)-i, "%d. %s\n", i+1, escape(s.Text))
	}
	m.put("\n%s\n", escape(v.Green.Why))
}

// foot is prepared before the tables, so that they leave room for it.
func (m *markdown) foot(v *gate.Verdict) {
	var b strings.Builder
	if v.WouldBe != v.Overall {
		fmt.Fprintf(&b, "\nWere every policy enforced now, this would be: **%s**.\n", v.WouldBe)
	}
	for i, n := range v.Notes {
		if i == shown/2 {
			break
		}
		fmt.Fprintf(&b, "\n> %s\n", escape(cutText(n, 300)))
	}
	fmt.Fprintf(&b, "\n<sub>%s", v.ID)
	if !v.ValidUntil.IsZero() {
		fmt.Fprintf(&b, " · valid until %s (%s)", v.ValidUntil.Format("2006-01-02 15:04 MST"), escape(v.ValidUntilWhy))
	}
	b.WriteString("</sub>\n")
	m.tail = b.String()
}

func (m *markdown) findings(v *gate.Verdict) {
	n := len(v.Findings) + v.FindingsOmitted
	if n == 0 {
		return
	}
	m.put("\n<details><summary>Findings that matter: %d</summary>\n\n| Severity | Finding | Why here | What was done |\n|---|---|---|---|\n", n)
	for i := range v.Findings {
		f := &v.Findings[i]
		m.row(n-i, "| %s | %s | %s | %s |\n", f.Severity, escape(where(f)), deltaWords(f.Delta), escape(what(f)))
	}
	if v.FindingsOmitted > 0 && !m.full {
		m.put("\n… and %d more\n", v.FindingsOmitted)
	}
	m.put("\n</details>\n")
}

func (m *markdown) rules(v *gate.Verdict) {
	n := 0
	for i := range v.Policies {
		n += len(v.Policies[i].Rules)
	}
	if m.full || n == 0 {
		return
	}
	m.put("\n<details><summary>Rules: %d</summary>\n\n| Policy | Rule | Outcome | Counted |\n|---|---|---|---|\n", n)
	for i := range v.Policies {
		p := &v.Policies[i]
		for j := range p.Rules {
			r := &p.Rules[j]
			m.row(n, "| %s (%s) | %s (%s) | %s | %s |\n", escape(p.Name), p.Mode, escape(r.ID), r.Level, r.Outcome, numbers(r))
			n--
		}
	}
	m.put("\n</details>\n")
}

// escape makes a text of a report harmless in Markdown: no markup, no links, no
// mentions, no references to issues, no tables.
func escape(s string) string {
	return markdownEscapes.Replace(strings.Join(strings.Fields(s), " "))
}

var markdownEscapes = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "~", `\~`, "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "&", "&amp;",
	"|", `\|`, "#", "&#35;", "@", "@\u200b", "!", `\!`, "://", ":\u200b//", "www.", "www\u200b.",
)

func cutText(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}
