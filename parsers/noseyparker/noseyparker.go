// Package noseyparker reads the JSON lines of Nosey Parker, which looks for
// secrets in files and Git histories.
//
// Made by "noseyparker report --datastore DIR --format jsonl", from version 0.16
// on: one secret a line, with all its places.
//
//	{"finding_id": "…", "rule_name": "AWS API Credentials", "rule_text_id": "np.aws.6", "num_matches": 1, "matches": [{
//	   "provenance": [{"kind": "file", "path": "a"}, {"kind": "git_repo", "repo_path": ".git", "first_commit": {"commit_metadata": {"commit_id": "…",
//	      "committer_name": "…", "committer_email": "…", "committer_timestamp": "…", "message": "…"}, "blob_path": "a"}}],
//	   "location": {"source_span": {"start": {"line": 25, "column": 19}, "end": {…}}}, "snippet": {"before": "…", "matching": "…", "after": "…"}}]}
//
// Before 0.22 "first_commit" is "commit_provenance", and a match has
// "match_content". A place in a file is one finding, whatever commits have it; a
// commit says more than a file.
package noseyparker

import (
	"strconv"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Nosey Parker's JSON lines.
var Parsers = []parsers.Parser{{
	Name:     "noseyparker",
	ScanType: "Nosey Parker Scan",
	Files:    "JSON lines",
	Command:  "noseyparker report --datastore np.db --format jsonl --output noseyparker.jsonl",
	URL:      "https://github.com/praetorian-inc/noseyparker",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("rule_name", "num_matches", "matches[].provenance[]"):
		return parsers.Sure
	case s.Format == parsers.Empty:
		return parsers.Possible
	}
	return parsers.No
}

type secret struct {
	Rule    stream.Text `json:"rule_name"`
	RuleID  stream.Text `json:"rule_text_id"`
	Comment stream.Text `json:"comment"`
	Matches []match     `json:"matches"`
}

type match struct {
	Provenance []place     `json:"provenance"`
	Content    stream.Text `json:"match_content"`
	BlobID     stream.Text `json:"blob_id"`
	Location   struct {
		Span struct {
			Start position `json:"start"`
			End   position `json:"end"`
		} `json:"source_span"`
	} `json:"location"`
	Snippet struct {
		Matching stream.Text `json:"matching"`
	} `json:"snippet"`
}

type position struct {
	Line stream.Int `json:"line"`
}

type place struct {
	Kind   stream.Text `json:"kind"`
	Path   stream.Text `json:"path"`
	Repo   stream.Text `json:"repo_path"`
	First  *commit     `json:"first_commit"`
	Commit *commit     `json:"commit_provenance"`
}

type commit struct {
	Metadata struct {
		ID      stream.Text `json:"commit_id"`
		Name    stream.Text `json:"committer_name"`
		Email   stream.Text `json:"committer_email"`
		Time    stream.Text `json:"committer_timestamp"`
		Message stream.Text `json:"message"`
	} `json:"commit_metadata"`
	Path stream.Text `json:"blob_path"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	key := func(o gate.Observation) string { return o.FilePath + "\x00" + strconv.Itoa(*o.Line) + "\x00" + o.Check }
	return parsers.Once(in, out, key, func(in *stream.Input, out *parsers.Report) error {
		out.Run().Tool = "Nosey Parker"
		return stream.JSONs(in, stream.One(func(s secret) error {
			if s.Rule == "" || s.Matches == nil {
				return stream.Errorf(`a line has no "rule_name" or no "matches": this is not Nosey Parker's report, of version 0.16 or newer`)
			}
			for _, m := range s.Matches {
				out.Emit(observation(s, m))
			}
			return nil
		}))
	})
}

func observation(s secret, m match) gate.Observation {
	path, c := m.place()
	line := m.Location.Span.Start.Line
	o := gate.Observation{
		Title:      "Secret(s) Found in Repository",
		Severity:   gate.High,
		Mitigation: "Revoke the secret, or change it wherever it is used. Then take it out of the file and of the history, and read it from a secret store.",
		CWE:        798,
		Check:      parsers.First(string(s.RuleID), string(s.Rule)),
		FilePath:   path,
		Line:       new(line.N),
		EndLine:    m.Location.Span.End.Line.Ptr(),
	}
	var text parsers.Text
	text.Add("Nosey Parker found what looks like a secret.").Fact("Kind", string(s.Rule)).Fact("Rule", string(s.RuleID)).Fact("Secret", parsers.Mask(parsers.First(string(m.Content), string(m.Snippet.Matching))))
	text.Fact("Place", parsers.Place(path, line.Ptr()))
	if c != nil {
		o.Title += " with Commit ID " + string(c.Metadata.ID)
		text.Fact("Commit", string(c.Metadata.ID)).Fact("Committer", strings.TrimSpace(string(c.Metadata.Name)+" <"+string(c.Metadata.Email)+">"))
		text.Fact("Committed at", string(c.Metadata.Time)).Fact("Message", strings.TrimSpace(string(c.Metadata.Message)))
	}
	o.Description = text.Fact("Blob", string(m.BlobID)).Fact("Comment", string(s.Comment)).String()
	return o
}

// place returns a match's file, and the commit that brought it in, if it is known.
func (m match) place() (string, *commit) {
	path := ""
	for _, p := range m.Provenance {
		c := p.First
		if c == nil {
			c = p.Commit
		}
		if c != nil {
			return string(c.Path), c
		}
		path = parsers.First(path, string(p.Path), string(p.Repo))
	}
	return path, nil
}
