// Package github_sast reads GitHub's code-scanning alerts, as its API lists them.
//
// Made by "gh api --paginate repos/OWNER/REPO/code-scanning/alerts > alerts.json".
// The report is an array, or an array of pages with --slurp:
//
//	[{"number": 35, "html_url": "…", "state": "open", "created_at": "2026-01-05T10:00:00Z",
//	  "rule": {"id": "py/sql-injection", "description": "…", "severity": "error",
//	    "security_severity_level": "high", "tags": ["external/cwe/cwe-089"], "help": "…"},
//	  "tool": {"name": "CodeQL", "version": "2.20.1"},
//	  "most_recent_instance": {"commit_sha": "…", "message": {"text": "…"},
//	    "location": {"path": "app.py", "start_line": 7, "end_line": 7}}}]
//
// A rule that is no security rule has no security_severity_level.
package github_sast

import (
	"errors"
	"fmt"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads code-scanning alerts.
var Parsers = []parsers.Parser{{
	Name:     "github_sast",
	ScanType: "Github SAST Scan",
	Files:    "JSON",
	Command:  "gh api --paginate repos/OWNER/REPO/code-scanning/alerts > alerts.json",
	URL:      "https://docs.github.com/rest/code-scanning/code-scanning",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("[].most_recent_instance", "[].rule"), s.Has("[][].most_recent_instance", "[][].rule"):
		return parsers.Sure
	case s.Format == parsers.JSON && strings.TrimSpace(string(s.Head)) == "[]":
		return parsers.Possible
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "GitHub code scanning"
	first := true
	one := stream.Value(func(d *stream.Decoder) error {
		return stream.One(func(a alert) error {
			if a.Rule.ID == "" && a.Instance.Location.Path == "" {
				return errors.New(`no "rule" and no "most_recent_instance": this is no code-scanning alert`)
			}
			if first {
				first = false
				a.describe(out.Run())
			}
			out.Emit(a.observation())
			return nil
		})(d)
	})
	return stream.JSON(in, stream.Array(stream.ByKind(stream.Kinds{'{': one, '[': stream.Array(one)})))
}

type alert struct {
	Number   stream.Text `json:"number"`
	HTMLURL  stream.Text `json:"html_url"`
	State    stream.Text `json:"state"`
	Created  stream.Text `json:"created_at"`
	Reason   stream.Text `json:"dismissed_reason"`
	Comment  stream.Text `json:"dismissed_comment"`
	Instance struct {
		Ref     stream.Text `json:"ref"`
		Commit  stream.Text `json:"commit_sha"`
		Message struct {
			Text stream.Text `json:"text"`
		} `json:"message"`
		Location struct {
			Path  stream.Text `json:"path"`
			Start stream.Int  `json:"start_line"`
			End   stream.Int  `json:"end_line"`
		} `json:"location"`
	} `json:"most_recent_instance"`
	Rule struct {
		ID          stream.Text                   `json:"id"`
		Name        stream.Text                   `json:"name"`
		Severity    stream.Text                   `json:"severity"`
		Security    stream.Text                   `json:"security_severity_level"`
		Description stream.Text                   `json:"description"`
		Full        stream.Text                   `json:"full_description"`
		Help        stream.Text                   `json:"help"`
		HelpURI     stream.Text                   `json:"help_uri"`
		Tags        stream.OneOrMany[stream.Text] `json:"tags"`
	} `json:"rule"`
	Tool struct {
		Name    stream.Text `json:"name"`
		Version stream.Text `json:"version"`
	} `json:"tool"`
}

func (a alert) describe(run *gate.Run) {
	run.Revision = string(a.Instance.Commit)
	if a.Tool.Name != "" {
		run.Tool, run.Version = string(a.Tool.Name), said(a.Tool.Version)
	}
	run.Target, _, _ = strings.Cut(string(a.HTMLURL), "/security/")
}

// observation leaves the weaknesses, which are tags, to the text: DefectDojo
// stores none.
func (a alert) observation() gate.Observation {
	l := a.Instance.Location
	o := gate.Observation{
		Title:       fmt.Sprintf("%s (%s)", a.Rule.Description, a.Rule.ID),
		Severity:    a.severity(),
		Description: a.description(),
		Mitigation:  string(a.Rule.Help),
		References:  parsers.Lines(string(a.HTMLURL), string(a.Rule.HelpURI)),
		RuleID:      string(a.Rule.ID),
		UniqueID:    string(a.Number),
		FilePath:    string(l.Path),
		Line:        l.Start.Ptr(),
		EndLine:     l.End.Ptr(),
		URL:         string(a.HTMLURL),
	}
	if s := strings.ToLower(string(a.State)); s != "" && s != "open" {
		o.Active = new(false)
	}
	return o
}

// severity is the security severity, else that of the rule's level.
func (a alert) severity() gate.Severity {
	if s := said(a.Rule.Security); s != "" {
		return gate.ParseSeverity(s)
	}
	severity, _ := parsers.Level(string(a.Rule.Severity))
	return severity
}

func (a alert) description() string {
	var t parsers.Text
	t.Add(string(a.Instance.Message.Text)).Add(string(a.Rule.Full))
	t.Fact("Rule", fmt.Sprintf("%s: %s", a.Rule.ID, a.Rule.Description)).
		Fact("Level", strings.TrimSpace(string(a.Rule.Severity))).
		Fact("Place", a.place()).
		Fact("Alert", string(a.HTMLURL)).
		Fact("Branch", string(a.Instance.Ref)).
		Fact("State", string(a.State)).
		Fact("Dismissed", strings.TrimSpace(said(a.Reason)+" "+said(a.Comment)))
	tags := make([]string, len(a.Rule.Tags))
	for i, tag := range a.Rule.Tags {
		tags[i] = string(tag)
	}
	return t.Facts("Tags", tags).String()
}

// place links to the line in the commit.
func (a alert) place() string {
	l := a.Instance.Location
	p := parsers.Place(string(l.Path), l.Start.Ptr())
	repo, _, ok := strings.Cut(string(a.HTMLURL), "/security/")
	if !ok || a.Instance.Commit == "" || p == "" {
		return p
	}
	return fmt.Sprintf("[%s](%s/blob/%s/%s#L%d)", p, repo, a.Instance.Commit, l.Path, l.Start.N)
}

// said is a text, unless it is Python's word for nothing, which some exports have.
func said(t stream.Text) string {
	if t == "None" {
		return ""
	}
	return string(t)
}
