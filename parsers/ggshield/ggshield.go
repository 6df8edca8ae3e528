// Package ggshield reads the JSON report of GitGuardian's ggshield, which looks
// for secrets.
//
// Made by "ggshield secret scan repo --json . > ggshield.json". The report of
// several commits or images is an object with scans; that of a path or one
// commit is a scan itself:
//
//	{"id": "54c2…", "type": "commit-range", "scans": [{"id": "03a2bf6c…", "type": "commit",
//	   "entities_with_incidents": [{"mode": "NEW", "filename": "settings.py", "incidents": [{
//	     "policy": "Secrets detection", "type": "Django Secret Key", "validity": "no_checker", "ignore_sha": "06b1…",
//	     "occurrences": [{"match": "&dtz***ji5", "type": "apikey", "line_start": 23, "line_end": 23}]}]}],
//	   "extra_info": {"author": "…", "email": "…", "date": "Sat Mar 13 17:42:00 2021 +0530"}}],
//	 "total_incidents": 1, "total_occurrences": 1}
//
// Matches are masked unless --show-secrets was given; they are masked here then.
// Lines are null in a commit's patch that has none.
package ggshield

import (
	"strings"
	"time"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads ggshield's JSON.
var Parsers = []parsers.Parser{{
	Name:     "ggshield",
	ScanType: "Ggshield Scan",
	Files:    "JSON",
	Command:  "ggshield secret scan repo --json . > ggshield.json",
	URL:      "https://docs.gitguardian.com/ggshield-docs/home",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("total_incidents", "total_occurrences"):
		return parsers.Sure
	case s.Has("scans[].entities_with_incidents"), s.Has("entities_with_incidents"):
		return parsers.Sure
	}
	return parsers.No
}

type scan struct {
	ID       string   `json:"id"`
	Type     string   `json:"type"`
	Entities []entity `json:"entities_with_incidents"`
	Scans    []scan   `json:"scans"`
	Extra    struct {
		Author stream.Text `json:"author"`
		Email  stream.Text `json:"email"`
		Date   stream.Text `json:"date"`
	} `json:"extra_info"`
}

type entity struct {
	Mode      stream.Text `json:"mode"`
	Filename  string      `json:"filename"`
	Incidents []incident  `json:"incidents"`
}

type incident struct {
	Policy      string       `json:"policy"`
	Type        stream.Text  `json:"type"`
	Detector    stream.Text  `json:"detector"`
	Validity    stream.Text  `json:"validity"`
	IgnoreSHA   stream.Text  `json:"ignore_sha"`
	URL         stream.Text  `json:"incident_url"`
	Occurrences []occurrence `json:"occurrences"`
}

type occurrence struct {
	Match stream.Text `json:"match"`
	Type  stream.Text `json:"type"`
	Start stream.Int  `json:"line_start"`
	End   stream.Int  `json:"line_end"`
}

// parse reads a scan, or an object with several.
func parse(in *stream.Input, out *parsers.Report) error {
	run, known := out.Run(), false
	run.Tool = "ggshield"
	saw := func(v stream.Value) stream.Value {
		return func(d *stream.Decoder) error { known = true; return v(d) }
	}
	var top scan
	err := stream.JSON(in, stream.Object(stream.Fields{
		"id":   stream.Into(&top.ID),
		"type": stream.Into(&top.Type),
		"scans": saw(stream.Each(func(s scan) error {
			emit(out, s)
			return nil
		})),
		"entities_with_incidents": saw(stream.Each(func(e entity) error {
			emit(out, scan{ID: top.ID, Type: top.Type, Entities: []entity{e}})
			return nil
		})),
		"total_incidents": saw(stream.Skip),
	}))
	run.Target = top.ID
	if err == nil && !known {
		err = stream.Errorf("there is neither \"scans\" nor \"entities_with_incidents\"")
	}
	return err
}

func emit(out *parsers.Report, s scan) {
	for _, e := range s.Entities {
		for _, i := range e.Incidents {
			for _, o := range i.Occurrences {
				out.Emit(observation(s, e, i, o))
			}
		}
	}
	for _, inner := range s.Scans {
		emit(out, inner)
	}
}

func observation(s scan, e entity, i incident, at occurrence) gate.Observation {
	kind := parsers.First(string(i.Type), string(i.Detector), string(at.Type))
	match := string(at.Match)
	if !strings.Contains(match, "***") {
		match = parsers.Mask(match)
	}
	commit := ""
	if strings.HasPrefix(s.Type, "commit") {
		commit = s.ID
	}
	var text parsers.Text
	text.Add("ggshield found a secret of the type " + kind + " in `" + e.Filename + "`. Whoever can read the repository or its history can use it.")
	text.Fact("Secret", strings.ReplaceAll(match, "*", "•")).Fact("Type", string(at.Type)).Fact("Policy", i.Policy).Fact("Validity", strings.ReplaceAll(string(i.Validity), "_", " "))
	text.Fact("File", e.Filename).Fact("Commit", commit).Fact("Committed", string(s.Extra.Date)).Fact("Author", strings.TrimSpace(string(s.Extra.Author)+" "+string(s.Extra.Email))).Fact("Change", string(e.Mode))
	text.Fact("GitGuardian's id", string(i.IgnoreSHA)).Fact("Incident", string(i.URL))
	return gate.Observation{
		Title:       "Hard coded " + kind + " found in " + e.Filename,
		Severity:    gate.High,
		Description: text.String(),
		Mitigation:  "Revoke the secret and issue a new one: it stays in the history even when the file is changed. Keep secrets out of the repository, in the environment or a vault.",
		CWE:         798,
		Check:       kind,
		FilePath:    e.Filename,
		Line:        at.Start.Ptr(),
		EndLine:     at.End.Ptr(),
		URL:         string(i.URL),
		Date:        date(string(s.Extra.Date)),
	}
}

// date reads the way in which Git writes an instant by default.
func date(s string) gate.Date {
	if t, err := time.Parse("Mon Jan 2 15:04:05 2006 -0700", strings.TrimSpace(s)); err == nil {
		return gate.DateOf(t)
	}
	return parsers.ParseDate(s)
}
