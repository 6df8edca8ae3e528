// Package gitleaks reads the JSON report of Gitleaks, which looks for secrets
// in Git repositories and folders.
//
// Made by "gitleaks git --report-format json --report-path gitleaks.json" (or
// "detect" before 8.19). Since version 8 the report is an array of
//
//	{"RuleID": "aws-access-token", "Description": "AWS", "StartLine": 37, "EndLine": 37,
//	 "Match": "key = AKIA…", "Secret": "AKIA…", "File": "settings.py", "SymlinkFile": "",
//	 "Commit": "6d1279…", "Entropy": 3.1, "Author": "…", "Email": "…", "Date": "2021-07-15T15:00:32Z",
//	 "Message": "add settings", "Tags": ["key"], "Fingerprint": "6d1279…:settings.py:aws-access-token:37"}
//
// Up to version 7 it is an array of
//
//	{"line": "…", "lineNumber": 23, "offender": "AKIA…", "commit": "…", "repo": ".", "leakURL": "",
//	 "rule": "AWS Access Key", "commitMessage": "…", "author": "…", "email": "…", "file": "README.md",
//	 "date": "2021-07-15T15:00:32Z", "tags": "key, AWS"}
//
// Nothing found is an empty array or null. The same secret in the same place
// in several commits is one finding. Secrets are masked in what comes out.
package gitleaks

import (
	"strconv"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Gitleaks' JSON of all versions.
var Parsers = []parsers.Parser{{
	Name:     "gitleaks",
	ScanType: "Gitleaks Scan",
	Files:    "JSON",
	Command:  "gitleaks git --report-format json --report-path gitleaks.json",
	URL:      "https://github.com/gitleaks/gitleaks",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("[].RuleID", "[].StartLine", "[].Secret"), s.Has("[].offender", "[].leakURL"), s.Has("[].offender", "[].lineNumber", "[].rule"):
		return parsers.Sure
	case s.Is("[]"), s.Is("null"):
		return parsers.Possible
	}
	return parsers.No
}

// leak is an element of either format: no key of the one is in the other.
type leak struct {
	RuleID      string                   `json:"RuleID"`
	Description string                   `json:"Description"`
	StartLine   stream.Int               `json:"StartLine"`
	EndLine     stream.Int               `json:"EndLine"`
	Match       string                   `json:"Match"`
	Secret      string                   `json:"Secret"`
	File        string                   `json:"File"`
	SymlinkFile string                   `json:"SymlinkFile"`
	Commit      string                   `json:"Commit"`
	Link        string                   `json:"Link"`
	Entropy     stream.Text              `json:"Entropy"`
	Author      string                   `json:"Author"`
	Email       string                   `json:"Email"`
	Date        string                   `json:"Date"`
	Message     string                   `json:"Message"`
	Tags        stream.OneOrMany[string] `json:"Tags"`
	Fingerprint string                   `json:"Fingerprint"`

	OldLine       string      `json:"line"`
	LineNumber    stream.Int  `json:"lineNumber"`
	Offender      string      `json:"offender"`
	OldCommit     string      `json:"commit"`
	LeakURL       string      `json:"leakURL"`
	Rule          string      `json:"rule"`
	CommitMessage string      `json:"commitMessage"`
	OldAuthor     string      `json:"author"`
	OldEmail      string      `json:"email"`
	OldFile       string      `json:"file"`
	OldDate       string      `json:"date"`
	OldTags       stream.Text `json:"tags"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Gitleaks"
	var order []*gate.Observation
	found := map[string]*gate.Observation{}
	err := stream.JSON(in, stream.Each(func(l leak) error {
		if l.Rule == "" && l.RuleID == "" && l.Description == "" {
			return stream.Errorf("an element has neither a rule nor a description")
		}
		o, key := l.observation()
		if first := found[key]; first != nil {
			if first.Occurrences != nil {
				*first.Occurrences++
			}
			return nil
		}
		if len(order) > in.Limits().Observations {
			return gate.Errorf(gate.TooLarge, "the report holds more than %d findings", in.Limits().Observations)
		}
		found[key] = &o
		order = append(order, &o)
		return nil
	}))
	if err != nil {
		return err
	}
	for _, o := range order {
		out.Emit(*o)
	}
	return nil
}

// observation also returns what tells one finding from another.
func (l leak) observation() (gate.Observation, string) {
	if l.Rule != "" || l.Offender != "" {
		return l.old(), strings.Join([]string{l.Offender, l.OldFile, place("", l.LineNumber)}, "\x00")
	}
	title := "Hard coded " + parsers.First(l.Description, l.RuleID) + " found in " + l.File
	var text parsers.Text
	text.Add("Gitleaks found a secret in `" + l.File + "`. Whoever can read the repository or its history can use it.")
	text.Fact("Secret", parsers.Mask(l.Secret)).Fact("Rule", l.RuleID).Fact("Place", place(l.File, l.StartLine)).Fact("Link to", l.SymlinkFile)
	text.Fact("Commit", l.Commit).Fact("Committed", l.Date).Fact("Author", author(l.Author, l.Email)).Fact("Message", firstLine(l.Message))
	text.Fact("Entropy", string(l.Entropy)).Fact("Fingerprint", l.Fingerprint)
	text.Code("", parsers.Redact(l.Match, l.Secret))
	o := gate.Observation{
		Title: title, Severity: gate.High, Description: text.String(), Mitigation: mitigation, CWE: 798, Check: l.RuleID,
		FilePath: l.File, Line: l.StartLine.Ptr(), EndLine: l.EndLine.Ptr(), Snippet: parsers.Redact(l.Match, l.Secret),
		Tags: l.Tags, URL: l.Link, References: l.Link, Occurrences: new(1),
	}
	return o, strings.Join([]string{title, l.Secret, place("", l.StartLine)}, "\x00")
}

// OldTagless is the line of an old report's leak, as a text.
func (l leak) OldTagless() string { return place("", l.LineNumber) }

// old is an element of version 7 and before.
func (l leak) old() gate.Observation {
	code := parsers.Redact(l.OldLine, l.Offender)
	var text parsers.Text
	text.Add("Gitleaks found a secret in `" + l.OldFile + "`. Whoever can read the repository or its history can use it.")
	text.Fact("Secret", parsers.Mask(l.Offender)).Fact("Rule", l.Rule).Fact("Place", place(l.OldFile, l.LineNumber))
	text.Fact("Commit", l.OldCommit).Fact("Committed", l.OldDate).Fact("Author", author(l.OldAuthor, l.OldEmail)).Fact("Message", l.CommitMessage).Fact("Shown at", l.LeakURL)
	text.Code("", code)
	severity := gate.High
	for _, word := range []string{"Github", "AWS", "Heroku"} {
		if strings.Contains(l.Rule, word) {
			severity = gate.Critical
		}
	}
	return gate.Observation{
		Title: "Hard Coded " + l.Rule, Severity: severity, Description: text.String(), Mitigation: mitigation, CWE: 798, Check: l.Rule,
		FilePath: l.OldFile, Line: l.LineNumber.Ptr(), Snippet: code, Tags: strings.Split(string(l.OldTags), ","), URL: l.LeakURL, References: l.LeakURL,
	}
}

const mitigation = "Revoke the secret and issue a new one: it stays in the history even when the file is changed. Keep secrets out of the repository, in the environment or a vault."

func place(file string, line stream.Int) string {
	if !line.OK {
		return file
	}
	return file + ":" + strconv.Itoa(line.N)
}

func author(name, email string) string {
	if email == "" {
		return name
	}
	return strings.TrimSpace(name + " <" + email + ">")
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}
