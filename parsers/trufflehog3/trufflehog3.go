// Package trufflehog3 reads the JSON reports of trufflehog3, another tool than
// TruffleHog 3, which looks for secrets in Git repositories.
//
// Made by "trufflehog3 --format json --output trufflehog3.json PATH". Since
// version 3 the report is an array of
//
//	{"rule": {"id": "high-entropy", "message": "High Entropy", "severity": "HIGH"}, "path": "docker/Dockerfile", "line": "3",
//	 "secret": "964a…", "context": {"3": "+FROM python:…"}, "id": "6ac0ab3b-…", "branch": "main", "message": "Bump python",
//	 "author": "…", "commit": "9c3f4d…", "date": "2021-10-08T20:14:27+02:00"}
//
// Before, it was an array of what TruffleHog 2 writes:
//
//	{"date": "2018-05-28 03:24:03", "path": "users.json", "branch": "origin/master", "commit": "the message",
//	 "commitHash": "3e2d1f…", "reason": "High entropy", "stringsFound": ["+ \"password\": …"]}
//
// A secret that is met several times is one finding. Secrets are masked in what
// comes out.
package trufflehog3

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads trufflehog3's JSON.
var Parsers = []parsers.Parser{{
	Name:     "trufflehog3",
	ScanType: "Trufflehog3 Scan",
	Files:    "JSON",
	Command:  "trufflehog3 --format json --output trufflehog3.json PATH",
	URL:      "https://github.com/feeltheajf/trufflehog3",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("[].rule.id", "[].secret", "[].path"), s.Has("[].stringsFound", "[].reason", "[].branch", "[].path") && !s.Has("[].diff") && !s.Has("[].linenum") && !s.Has("[].parent_commit_hash"):
		return parsers.Sure
	case s.Is("[]"):
		return parsers.Possible
	}
	return parsers.No
}

type secret struct {
	Rule struct {
		ID       string `json:"id"`
		Message  string `json:"message"`
		Severity string `json:"severity"`
	} `json:"rule"`
	Path    string                                 `json:"path"`
	Line    stream.Int                             `json:"line"`
	Secret  stream.Text                            `json:"secret"`
	Context stream.Lenient[map[string]stream.Text] `json:"context"`
	Branch  stream.Text                            `json:"branch"`
	Message stream.Text                            `json:"message"`
	Author  stream.Text                            `json:"author"`
	Commit  stream.Text                            `json:"commit"` // the message, in older reports
	Date    stream.Text                            `json:"date"`
	Hash    stream.Text                            `json:"commitHash"`
	Reason  string                                 `json:"reason"`
	Strings stream.OneOrMany[stream.Text]          `json:"stringsFound"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "trufflehog3"
	var what string // tells the secret that is being put out from others
	key := func(o gate.Observation) string { return o.Title + "\x00" + strconv.Itoa(*o.Line) + "\x00" + what }
	return parsers.Once(in, out, key, func(in *stream.Input, out *parsers.Report) error {
		return stream.JSON(in, stream.Each(func(s secret) error {
			what = string(s.Secret)
			switch {
			case s.Reason != "":
				out.Emit(s.old())
			case s.Rule.Message != "" || s.Rule.ID != "":
				out.Emit(s.observation())
			default:
				return stream.Errorf("an element has neither a rule nor a reason")
			}
			return nil
		}))
	})
}

const (
	mitigation = "Revoke the secret and issue a new one: it stays in the history even when the file is changed. Keep secrets in a vault, out of the repository."
	impact     = "Whoever can read the repository or its history can use the secret to reach what it opens, until it is revoked."
)

func (s secret) observation() gate.Observation {
	what, line := parsers.First(s.Rule.Message, s.Rule.ID), s.Line.N
	var text parsers.Text
	text.Add("trufflehog3 found in `" + s.Path + "`: " + what + ".")
	text.Fact("Secret", parsers.Mask(string(s.Secret))).Fact("Rule", s.Rule.ID).Fact("Place", s.Path+":"+strconv.Itoa(line))
	text.Fact("Branch", string(s.Branch)).Fact("Commit", string(s.Commit)).Fact("Committed", string(s.Date)).Fact("Author", string(s.Author))
	text.Section("Commit message", string(s.Message))
	code := s.context()
	text.Code("", code)
	return gate.Observation{
		Title: what + " found in " + s.Path, Severity: gate.ParseSeverity(s.Rule.Severity), Description: text.String(), Mitigation: mitigation, Impact: impact,
		CWE: 798, Check: s.Rule.ID, FilePath: s.Path, Line: &line, Snippet: code,
	}
}

// context joins the lines around the secret in their order.
func (s secret) context() string {
	numbers := slices.SortedFunc(maps.Keys(s.Context.Value), func(a, b string) int { return stream.ParseInt(a).N - stream.ParseInt(b).N })
	var lines []string
	for _, n := range numbers {
		line := []rune(parsers.Redact(string(s.Context.Value[n]), string(s.Secret)))
		if len(line) > 2000 {
			line = append(line[:2000], '…')
		}
		lines = append(lines, n+": "+string(line))
	}
	return strings.Join(lines, "\n")
}

// old is an element of a report before version 3.
func (s secret) old() gate.Observation {
	var text parsers.Text
	text.Add("trufflehog3 found in `" + s.Path + "`: " + s.Reason + ".")
	text.Fact("File", s.Path).Fact("Reason", s.Reason).Fact("Commit", string(s.Hash)).Fact("Committed", string(s.Date)).Fact("Branch", string(s.Branch))
	text.Section("Commit message", string(s.Commit))
	var found []string
	for _, t := range s.Strings {
		if len(found) == 50 {
			break
		}
		found = append(found, "`"+parsers.Mask(strings.ReplaceAll(string(t), "`", "'"))+"`")
	}
	if len(found) > 0 {
		text.Section("Found", strings.Join(found, "\n\n"))
	}
	o := gate.Observation{
		Title: "Hard Coded " + s.Reason + " in: " + s.Path, Severity: gate.High, Description: text.String(), Mitigation: mitigation, Impact: impact,
		CWE: 798, Check: s.Reason, FilePath: s.Path, Line: new(0),
	}
	switch {
	case s.Reason == "High Entropy":
		o.Severity = gate.Info
	case strings.Contains(s.Reason, "Oauth"), strings.Contains(s.Reason, "AWS"), strings.Contains(s.Reason, "Heroku"):
		o.Severity = gate.Critical
	case s.Reason == "Generic Secret":
		o.Severity = gate.Medium
	}
	return o
}
