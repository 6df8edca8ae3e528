// Package n0s1 reads the JSON report of n0s1, which finds secrets in Confluence, Jira, Slack and others.
//
// Made by "n0s1 confluence_scan --report-file n0s1.json". The report is one object:
//
//	{"tool": {"name": "n0s1", "version": "1.0.30", "scan_arguments": {"scan_target": "confluence_scan"}},
//	 "scan_date": {"timestamp": 1761751223.02, "date_utc": "2025-10-29T15:20:23"}, "regex_config": {…},
//	 "findings": {"49757d…": {"id": "49757d…", "url": "https://example.atlassian.net/wiki/…", "secret": "key=<REDACTED>",
//	   "details": {"matched_regex_config": {"id": "AWS", "description": "…", "regex": "…", "tags": ["aws"], "keywords": ["AKIA"]},
//	     "platform": "Confluence", "ticket_field": "description"}}}}
//
// The secret is redacted with what stands around it, unless n0s1 was told not to. The
// platform is part of the test's type.
package n0s1

import (
	"errors"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads n0s1's JSON.
var Parsers = []parsers.Parser{{
	Name:     "n0s1",
	ScanType: "n0s1 Scanner",
	Files:    "JSON",
	Command:  "n0s1 confluence_scan --report-file n0s1.json",
	URL:      "https://github.com/spark1security/n0s1",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Value("tool.name") == "n0s1":
		return parsers.Sure
	case s.Has("findings", "regex_config"):
		return parsers.Likely
	}
	return parsers.No
}

type finding struct {
	ID      stream.Text `json:"id"`
	URL     stream.Text `json:"url"`
	Secret  stream.Text `json:"secret"`
	Details struct {
		Regex struct {
			ID          stream.Text                   `json:"id"`
			Description stream.Text                   `json:"description"`
			Regex       stream.Text                   `json:"regex"`
			Tags        stream.OneOrMany[stream.Text] `json:"tags"`
			Keywords    stream.OneOrMany[stream.Text] `json:"keywords"`
		} `json:"matched_regex_config"`
		Platform stream.Text `json:"platform"`
		Field    stream.Text `json:"ticket_field"`
	} `json:"details"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "n0s1"
	return stream.JSON(in, stream.Object(stream.Fields{
		"tool": stream.One(func(t struct {
			Version   stream.Text `json:"version"`
			Arguments struct {
				Target stream.Text `json:"scan_target"`
			} `json:"scan_arguments"`
		},
		) error {
			run.Version = string(t.Version)
			name := typeOf(string(t.Arguments.Target))
			run.Type, run.Description = name, "Scan from "+name
			return nil
		}),
		"scan_date": stream.One(func(t struct {
			Date stream.Text `json:"date_utc"`
		},
		) error {
			run.FinishedAt = parsers.ParseTime(string(t.Date))
			return nil
		}),
		"regex_config": stream.Object(stream.Fields{
			"title": stream.One(func(t stream.Text) error { run.Ruleset = string(t); return nil }),
		}),
		"findings": stream.Entries(func(id string, d *stream.Decoder) error {
			return stream.One(func(f finding) error {
				if f.URL == "" && f.Secret == "" {
					return errors.New("a finding without a URL and a secret")
				}
				out.Emit(observation(id, f))
				return nil
			})(d)
		}),
	}, "findings"))
}

// typeOf makes "n0s1 Confluence" of "confluence_scan".
func typeOf(target string) string {
	word := strings.TrimSuffix(target, "_scan")
	if word == "" {
		return "n0s1"
	}
	return "n0s1 " + strings.ToUpper(word[:1]) + word[1:]
}

func observation(id string, f finding) gate.Observation {
	regex := f.Details.Regex
	secret := string(f.Secret)
	if !strings.Contains(secret, "REDACTED") {
		secret = parsers.Mask(secret)
	}
	var text parsers.Text
	text.Fact("Where", string(f.URL)).Fact("Platform", string(f.Details.Platform)).Fact("Field", string(f.Details.Field)).Code("", secret).
		Fact("What it is", string(regex.Description)).Fact("Rule", string(regex.ID)).Facts("Keywords", stream.Strings(regex.Keywords)).
		Facts("Tags", stream.Strings(regex.Tags))
	if regex.Regex != "" {
		text.Fact("Pattern", "`"+string(regex.Regex)+"`")
	}
	return gate.Observation{
		Title:       parsers.First(string(regex.ID), "n0s1 Finding"),
		Severity:    gate.High, // n0s1 rates nothing; a secret that many can read is high
		Description: text.String(),
		Mitigation:  "Revoke the secret, and remove it from the page with its history.",
		UniqueID:    parsers.First(string(f.ID), id),
		Check:       string(regex.ID),
		URL:         string(f.URL),
	}
}
