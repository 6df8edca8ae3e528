package render

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"defectdojo/gate"
)

type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name      string      `xml:"name,attr"`
		Tests     int         `xml:"tests,attr"`
		Failures  int         `xml:"failures,attr"`
		Errors    int         `xml:"errors,attr"`
		Skipped   int         `xml:"skipped,attr"`
		Timestamp string      `xml:"timestamp,attr"`
		Cases     []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Failure *junitMessage `xml:"failure"`
		Error   *junitMessage `xml:"error"`
		Skipped *junitMessage `xml:"skipped"`
		Out     string        `xml:"system-out,omitempty"`
	}
	junitMessage struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes a verdict as test results, one for each rule and each requirement
// of evidence: what fails the build is a failure, what cannot be decided and
// therefore fails it an error, what is only audited skipped. Warnings pass, with
// output.
func JUnit(w io.Writer, v *gate.Verdict) error {
	all := junitSuites{Name: "gate " + subject(v)}
	for i := range v.Policies {
		s := suite(v, &v.Policies[i])
		all.Tests += s.Tests
		all.Failures += s.Failures
		all.Errors += s.Errors
		all.Suites = append(all.Suites, s)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// suite makes a policy's results.
func suite(v *gate.Verdict, p *gate.PolicyVerdict) junitSuite {
	s := junitSuite{Name: p.Name, Timestamp: v.DecidedAt.Format(time.RFC3339)}
	enforced := p.Mode == gate.ModeEnforce && p.EffectiveFrom.IsZero()
	for _, m := range v.Missing {
		if m.Policy != p.Name {
			continue
		}
		c := junitCase{Class: p.Name, Name: "require " + m.ID + " on " + m.On}
		text := fmt.Sprintf("%s: %s", m.Why, m.Detail)
		s.add(c, p.Mode, gate.Inconclusive, text, "", enforced && p.Overall == gate.Fail)
	}
	for i := range p.Rules {
		r := &p.Rules[i]
		c := junitCase{Class: p.Name, Name: r.ID}
		s.add(c, p.Mode, r.Outcome, r.Why, listed(v, r), enforced && r.Decision == gate.Fail)
	}
	return s
}

// add files one result.
func (s *junitSuite) add(c junitCase, mode gate.Mode, o gate.RuleOutcome, why, detail string, fails bool) {
	m := &junitMessage{Message: xmlText(why), Type: string(o), Text: xmlText(detail)}
	switch {
	case mode == gate.ModeAudit:
		c.Skipped = m
		s.Skipped++
	case fails && o == gate.Violated:
		c.Failure = m
		s.Failures++
	case fails && o == gate.Inconclusive:
		c.Error = m
		s.Errors++
	case o != gate.Satisfied:
		c.Out = xmlText("warning: " + why + "\n" + detail)
	}
	s.Tests++
	s.Cases = append(s.Cases, c)
}

// listed names the findings that a rule counted.
func listed(v *gate.Verdict, r *gate.RuleVerdict) string {
	in := map[int64]bool{}
	for _, id := range r.Findings {
		in[id] = true
	}
	for _, u := range r.Unknowns {
		for _, id := range u.Findings {
			in[id] = true
		}
	}
	var b strings.Builder
	for i := range v.Findings {
		if f := &v.Findings[i]; in[f.ID] {
			fmt.Fprintf(&b, "%s %s (%s)\n", f.Severity, where(f), deltaWords(f.Delta))
		}
	}
	return b.String()
}

// xmlText leaves out what XML cannot hold.
func xmlText(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' || r >= 0x20 && r <= 0xd7ff || r >= 0xe000 && r <= 0xfffd || r >= 0x10000 {
			return r
		}
		return -1
	}, s)
}
