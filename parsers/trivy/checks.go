package trivy

import (
	"strconv"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

type misconfiguration struct {
	Type        string   `json:"Type"`
	ID          string   `json:"ID"`
	AVDID       string   `json:"AVDID"`
	Title       string   `json:"Title"`
	Description string   `json:"Description"`
	Message     string   `json:"Message"`
	Resolution  string   `json:"Resolution"`
	Severity    string   `json:"Severity"`
	PrimaryURL  string   `json:"PrimaryURL"`
	References  []string `json:"References"`
	Status      string   `json:"Status"`
	Cause       struct {
		Resource  string     `json:"Resource"`
		Provider  string     `json:"Provider"`
		Service   string     `json:"Service"`
		StartLine stream.Int `json:"StartLine"`
		EndLine   stream.Int `json:"EndLine"`
		Code      code       `json:"Code"`
	} `json:"CauseMetadata"`
}

// code is an excerpt of a file.
type code struct {
	Lines []struct {
		Content string `json:"Content"`
	} `json:"Lines"`
}

func (c code) String() string {
	var b strings.Builder
	for _, l := range c.Lines {
		b.WriteString(l.Content + "\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

// failed tells whether the check found something: with --include-non-failures
// a report also lists checks that passed, and exceptions made for others.
func (m misconfiguration) failed() bool {
	return m.Status != "PASS" && m.Status != "EXCEPTION"
}

func (m misconfiguration) observation(t target) gate.Observation {
	var about parsers.Text
	about.Add(m.Description).Add(m.Message).
		Fact("Target", t.name).Fact("Kind of check", m.Type).Fact("Resource", m.Cause.Resource).
		Fact("Lines", lines(m.Cause.StartLine, m.Cause.EndLine)).
		Code("", m.Cause.Code.String())
	return gate.Observation{
		Title:            m.ID + " - " + m.Title,
		Severity:         gate.ParseSeverity(m.Severity),
		Description:      about.String(),
		Mitigation:       m.Resolution,
		Impact:           m.Description,
		References:       parsers.Lines(append([]string{m.PrimaryURL}, m.References...)...),
		VulnerabilityIDs: []string{parsers.First(m.AVDID, m.ID)},
		Check:            m.ID,
		FilePath:         t.name,
		EndLine:          gate.NonZero(m.Cause.EndLine.N),
		Snippet:          m.Cause.Code.String(),
		Service:          t.service,
		URL:              m.PrimaryURL,
		FixAvailable:     new(true), // the check says how the file must be
		Tags:             []string{t.kind, t.class},
	}
}

// lines writes a range of lines, "3" or "3-7".
func lines(first, last stream.Int) string {
	switch {
	case first.N == 0:
		return ""
	case last.N <= first.N:
		return strconv.Itoa(first.N)
	}
	return strconv.Itoa(first.N) + "-" + strconv.Itoa(last.N)
}

type secret struct {
	RuleID    string     `json:"RuleID"`
	Category  string     `json:"Category"`
	Severity  string     `json:"Severity"`
	Title     string     `json:"Title"`
	StartLine stream.Int `json:"StartLine"`
	EndLine   stream.Int `json:"EndLine"`
	Match     string     `json:"Match"` // the secret is masked
	Code      code       `json:"Code"`
}

func (s secret) observation(t target) gate.Observation {
	var about parsers.Text
	about.Add(s.Title+" is in "+t.name+". Whoever can read the file has it: revoke it, then take it out.").
		Fact("Category", s.Category).Fact("Rule", s.RuleID).Code("", s.Match)
	return gate.Observation{
		Title:        "Secret detected in " + t.name + " - " + s.Title,
		Severity:     gate.ParseSeverity(s.Severity),
		Description:  about.String(),
		Check:        s.RuleID,
		FilePath:     t.name,
		Line:         s.StartLine.Ptr(),
		EndLine:      s.EndLine.Ptr(),
		Snippet:      parsers.First(s.Code.String(), s.Match),
		Service:      t.service,
		FixAvailable: new(true),
		Tags:         []string{t.class},
	}
}

type license struct {
	Severity   string       `json:"Severity"`
	Category   string       `json:"Category"`
	PkgName    string       `json:"PkgName"`
	FilePath   string       `json:"FilePath"`
	Name       string       `json:"Name"`
	Text       string       `json:"Text"`
	Confidence stream.Float `json:"Confidence"`
	Link       string       `json:"Link"`
}

func (l license) observation(t target) gate.Observation {
	var about parsers.Text
	about.Add(parsers.First(l.PkgName, l.FilePath, t.name)+" is under the licence "+parsers.First(l.Name, "in the text below")+".").
		Fact("Category", l.Category).Fact("Package", l.PkgName).Fact("File", l.FilePath).Code("", l.Text)
	o := gate.Observation{
		Title:        "License detected in " + t.name + " - " + l.Name,
		Severity:     gate.ParseSeverity(l.Severity),
		Description:  about.String(),
		References:   l.Link,
		Check:        l.Name,
		FilePath:     l.FilePath,
		URL:          l.Link,
		Service:      t.service,
		FixAvailable: new(true),
		Tags:         []string{t.class},
	}
	if l.Confidence.OK {
		o.ScannerConfidence = new(int(l.Confidence.F))
	}
	return o
}
