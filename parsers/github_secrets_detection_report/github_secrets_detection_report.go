// Package github_secrets_detection_report reads GitHub's secret-scanning alerts,
// as its API lists them.
//
// Made by "gh api --paginate repos/OWNER/REPO/secret-scanning/alerts > alerts.json".
// The report is an array, or an array of pages with --slurp:
//
//	[{"number": 3, "html_url": "…", "state": "open", "resolution": null, "secret_type": "aws_access_key_id",
//	  "secret_type_display_name": "AWS Access Key ID", "secret": "AKIA…", "validity": "active",
//	  "publicly_leaked": true, "repository": {"full_name": "example/shop"},
//	  "first_location_detected": {"path": "config.env", "start_line": 5, "commit_sha": "…"}}]
//
// Older answers have neither validity nor a place. The secret is shown masked.
package github_secrets_detection_report

import (
	"errors"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads secret-scanning alerts.
var Parsers = []parsers.Parser{{
	Name:     "github_secrets_detection_report",
	ScanType: "Github Secrets Detection Report Scan",
	Files:    "JSON",
	Command:  "gh api --paginate repos/OWNER/REPO/secret-scanning/alerts > alerts.json",
	URL:      "https://docs.github.com/rest/secret-scanning/secret-scanning",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("[].secret_type", "[].html_url"), s.Has("[][].secret_type", "[][].html_url"):
		return parsers.Sure
	case s.Format == parsers.JSON && strings.TrimSpace(string(s.Head)) == "[]":
		return parsers.Possible
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "GitHub secret scanning"
	one := stream.One(func(a alert) error {
		if a.Type == "" && a.TypeName == "" {
			return errors.New(`no "secret_type": this is no secret-scanning alert`)
		}
		if run.Target == "" {
			run.Target = string(a.Repository.FullName)
		}
		out.Emit(a.observation())
		return nil
	})
	return stream.JSON(in, stream.Array(stream.ByKind(stream.Kinds{'{': one, '[': stream.Array(one)})))
}

type alert struct {
	Number     stream.Text `json:"number"`
	HTMLURL    stream.Text `json:"html_url"`
	Created    stream.Text `json:"created_at"`
	State      stream.Text `json:"state"`
	Resolution stream.Text `json:"resolution"`
	ResolvedAt stream.Text `json:"resolved_at"`
	ResolvedBy user        `json:"resolved_by"`
	Comment    stream.Text `json:"resolution_comment"`
	Type       stream.Text `json:"secret_type"`
	TypeName   stream.Text `json:"secret_type_display_name"`
	Secret     stream.Text `json:"secret"`
	Validity   stream.Text `json:"validity"`
	Leaked     stream.Text `json:"publicly_leaked"`
	MultiRepo  stream.Text `json:"multi_repo"`
	More       stream.Text `json:"has_more_locations"`
	Bypassed   stream.Text `json:"push_protection_bypassed"`
	BypassedAt stream.Text `json:"push_protection_bypassed_at"`
	BypassedBy user        `json:"push_protection_bypassed_by"`
	Repository struct {
		FullName stream.Text `json:"full_name"`
	} `json:"repository"`
	Location struct {
		Path   stream.Text `json:"path"`
		Start  stream.Int  `json:"start_line"`
		End    stream.Int  `json:"end_line"`
		Commit stream.Text `json:"commit_sha"`
	} `json:"first_location_detected"`
}

type user struct {
	Login stream.Text `json:"login"`
}

func (a alert) observation() gate.Observation {
	l := a.Location
	return gate.Observation{
		Title:       "Exposed Secret Detected: " + parsers.First(string(a.TypeName), string(a.Type)),
		Severity:    a.severity(),
		Description: a.description(),
		Mitigation:  "Revoke the secret where it was issued, look for uses of it that were not yours, and put a new one where only the program can read it. Removing it from the code is not enough: it stays in the history.",
		RuleID:      string(a.Number),
		Check:       string(a.Type),
		FilePath:    string(l.Path),
		Line:        l.Start.Ptr(),
		EndLine:     l.End.Ptr(),
		URL:         string(a.HTMLURL),
		References:  string(a.HTMLURL),
	}
}

// severity is by what GitHub knows of the secret: whether it still works, and
// whether the world can see it.
func (a alert) severity() gate.Severity {
	switch {
	case strings.EqualFold(string(a.State), "resolved"):
		return gate.Info
	case strings.EqualFold(string(a.Validity), "active"), a.Leaked == "true":
		return gate.Critical
	case strings.EqualFold(string(a.Validity), "inactive"):
		return gate.Medium
	}
	return gate.High
}

func (a alert) description() string {
	var t parsers.Text
	t.Add("GitHub found a secret in the repository: "+parsers.First(string(a.TypeName), string(a.Type))+".").
		Fact("Secret", parsers.Mask(string(a.Secret))).
		Fact("Validity", string(a.Validity)).
		Fact("Repository", string(a.Repository.FullName)).
		Fact("Place", parsers.Place(string(a.Location.Path), a.Location.Start.Ptr())).
		Fact("Commit", string(a.Location.Commit)).
		Fact("Alert", string(a.HTMLURL)).
		Fact("Found", string(a.Created)).
		Fact("State", string(a.State)).
		Fact("Publicly leaked", yes(a.Leaked)).
		Fact("In several repositories", yes(a.MultiRepo)).
		Fact("At other places too", yes(a.More)).
		Fact("Resolved", join(a.Resolution, a.ResolvedBy.Login, a.ResolvedAt, a.Comment))
	if a.Bypassed == "true" {
		t.Fact("Push protection", join("bypassed", a.BypassedBy.Login, a.BypassedAt))
	}
	return t.String()
}

func yes(t stream.Text) string {
	switch t {
	case "true":
		return "yes"
	case "false":
		return "no"
	}
	return ""
}

func join(parts ...stream.Text) string {
	var list []string
	for _, p := range parts {
		if p != "" {
			list = append(list, string(p))
		}
	}
	return strings.Join(list, ", ")
}
