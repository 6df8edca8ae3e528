// Package rusty_hog reads the JSON reports of Rusty Hog's secret scanners.
//
// Each is made by a scanner of its own and is one array:
//
//	choctaw_hog --outputfile out.json REPO   {"commitHash", "path", "reason", "stringsFound", "diff", "old_line_num", "new_line_num", …}  a Git history
//	duroc_hog --outputfile out.json DIR      {"path", "linenum", "diff", "reason", "stringsFound"}                                        files and archives
//	essex_hog --outputfile out.json PAGE     {"page_id", "url", "reason", "stringsFound"}                                                 Confluence
//	gottingen_hog --outputfile out.json ID   {"issue_id", "url", "location", "reason", "stringsFound"}                                    Jira
//
// "Rusty Hog Scan" takes any of them. Berkshire Hog (S3), Ankamali Hog (Google
// Docs) and Hante Hog (Slack) write keys of their own ("bucket", "g_drive_id",
// "channel_name"), which it takes too.
package rusty_hog

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads the reports of all scanners, and of each alone.
var Parsers = []parsers.Parser{
	parser("Rusty Hog", "choctaw_hog --outputfile hog.json https://git.example.org/shop.git", anyHog),
	parser("Choctaw Hog", "choctaw_hog --outputfile hog.json https://git.example.org/shop.git", choctaw),
	parser("Duroc Hog", "duroc_hog --outputfile hog.json .", duroc),
	parser("Essex Hog", "essex_hog --outputfile hog.json PAGE_ID https://confluence.example.org", essex),
	parser("Gottingen Hog", "gottingen_hog --outputfile hog.json ISSUE_ID", gottingen),
}

// hog is one of the scanners; anyHog stands for whichever it is.
type hog string

const (
	anyHog    hog = ""
	choctaw   hog = "Choctaw Hog"
	duroc     hog = "Duroc Hog"
	essex     hog = "Essex Hog"
	gottingen hog = "Gottingen Hog"
	other     hog = "Rusty Hog"
)

// mark is the key that only the scanner writes.
var mark = map[hog]string{choctaw: "commitHash", duroc: "linenum", essex: "page_id", gottingen: "issue_id"}

func parser(name, command string, only hog) parsers.Parser {
	return parsers.Parser{
		Name:     "rusty_hog",
		ScanType: name + " Scan",
		Files:    "JSON",
		Command:  command,
		URL:      "https://github.com/newrelic/rusty-hog",
		Analysis: gate.Static,
		Detect:   func(s *parsers.Sample) parsers.Likeness { return detect(s, only) },
		Parse:    func(in *stream.Input, out *parsers.Report) error { return parse(in, out, only) },
	}
}

func detect(s *parsers.Sample, only hog) parsers.Likeness {
	switch {
	case !s.Has("[].stringsFound", "[].reason"):
		if s.Is("[]") {
			return parsers.Possible
		}
		return parsers.No
	case only == anyHog && s.Has("[].branch") && !s.Has("[].linenum"):
		return parsers.Likely // truffleHog itself writes a branch
	case only == anyHog:
		return parsers.Sure
	case s.Has("[]." + mark[only]):
		return parsers.Likely
	}
	return parsers.No
}

type find struct {
	StringsFound stream.OneOrMany[stream.Text] `json:"stringsFound"`
	Reason       stream.Text                   `json:"reason"`
	Path         stream.Text                   `json:"path"`
	URL          stream.Text                   `json:"url"`
	Diff         stream.Text                   `json:"diff"`
	Date         stream.Text                   `json:"date"`
	Location     stream.Text                   `json:"location"`

	Commit       stream.Text `json:"commit"`
	CommitHash   stream.Text `json:"commitHash"`
	ParentCommit stream.Text `json:"parent_commit_hash"`
	OldFile      stream.Text `json:"old_file_id"`
	NewFile      stream.Text `json:"new_file_id"`
	OldLine      stream.Int  `json:"old_line_num"`
	NewLine      stream.Int  `json:"new_line_num"`

	LineNum stream.Int  `json:"linenum"`
	PageID  stream.Text `json:"page_id"`
	IssueID stream.Text `json:"issue_id"`

	Bucket stream.Text `json:"bucket"`
	Key    stream.Text `json:"key"`
	Doc    stream.Text `json:"g_drive_id"`
	WebURL stream.Text `json:"web_link"`
	Slack  stream.Text `json:"channel_name"`
}

// hog tells which scanner wrote it.
func (f find) hog() hog {
	switch {
	case f.CommitHash != "":
		return choctaw
	case f.LineNum.OK:
		return duroc
	case f.PageID != "":
		return essex
	case f.IssueID != "":
		return gottingen
	}
	return other
}

func parse(in *stream.Input, out *parsers.Report, only hog) error {
	run := out.Run()
	run.Tool = string(other)
	if only != anyHog {
		run.Tool = string(only)
	}
	return stream.JSON(in, stream.Array(stream.One(func(f find) error {
		is := f.hog()
		switch {
		case len(f.StringsFound) == 0 && f.Reason == "":
			return stream.Errorf(`a finding without "stringsFound" and "reason": this is not Rusty Hog's report`)
		case only != anyHog && is != only:
			return stream.Errorf("the report is not of %s: a finding has no %q", only, mark[only])
		}
		if only == anyHog && is != other {
			run.Tool = string(is)
		}
		run.Type = run.Tool
		out.Emit(observation(f, is))
		return nil
	})))
}

func observation(f find, is hog) gate.Observation {
	path := parsers.First(string(f.Path), string(f.URL), string(f.WebURL), string(f.Key), string(f.Doc), string(f.Slack))
	o := gate.Observation{
		Title:    title(f, is, path),
		Severity: gate.High,
		CWE:      200,
		Check:    string(f.Reason),
		FilePath: path,
		Payload:  payload(f),
		Mitigation: "Take the secret out of " + where[is] + ", revoke or change it wherever it is used, and keep its successor in a secret store. " +
			"What was once published counts as known, also when it is deleted.",
	}
	switch is {
	case choctaw:
		o.Line = new(f.NewLine.N) // 0 when the commit takes the line away
	case essex, gottingen:
		o.URL = string(f.URL)
	}
	code := redact(string(f.Diff), f)
	o.Snippet = code
	o.Description = describe(f, is, path).Code("", code).String()
	return o
}

// where names what each scanner searches.
var where = map[hog]string{choctaw: "the Git repository", duroc: "the file or archive", essex: "the Confluence page", gottingen: "the Jira issue", other: "that place"}

func title(f find, is hog, path string) string {
	reason := string(f.Reason)
	switch is {
	case choctaw:
		return reason + " found in Git path " + path + " (" + string(f.CommitHash) + ")"
	case essex:
		return reason + " found in Confluence Page ID " + string(f.PageID)
	case gottingen:
		return reason + " found in Jira ID " + string(f.IssueID) + " (" + string(f.Location) + ")"
	}
	return reason + " found in path " + path
}

func describe(f find, is hog, path string) *parsers.Text {
	var found []string
	for _, s := range f.StringsFound {
		found = append(found, "`"+parsers.Mask(strings.ReplaceAll(string(s), "`", "'"))+"`")
	}
	text := new(parsers.Text)
	text.Add(string(is)+" found what looks like a secret.").Fact("Reason", string(f.Reason)).Facts("Found", found)
	switch is {
	case choctaw:
		text.Fact("File", path).Fact("Commit", string(f.CommitHash)).Fact("Commit message", strings.TrimSpace(string(f.Commit))).Fact("Parent commit", string(f.ParentCommit))
		text.Fact("Old file", numbered(f.OldFile, f.OldLine)).Fact("New file", numbered(f.NewFile, f.NewLine))
	case duroc:
		text.Fact("Place", parsers.Place(path, f.LineNum.Ptr()))
	case essex:
		text.Fact("Confluence page", string(f.PageID)).Fact("Link", string(f.URL))
	case gottingen:
		text.Fact("Jira issue", string(f.IssueID)).Fact("Place in it", string(f.Location)).Fact("Link", string(f.URL))
	default:
		text.Fact("Place", path).Fact("Bucket", string(f.Bucket)).Fact("Channel", string(f.Slack)).Fact("Place in it", string(f.Location))
	}
	return text.Fact("Date", string(f.Date))
}

// numbered names a Git object with a line in it, "2aba…, line 7".
func numbered(id stream.Text, line stream.Int) string {
	if strings.Trim(string(id), "0") == "" {
		return "" // there is none
	}
	return parsers.Place(string(id), line.Ptr())
}

// payload tells the secrets of one file apart, by which findings are known
// again, without showing them.
func payload(f find) string {
	var parts []string
	for _, s := range f.StringsFound {
		sum := sha256.Sum256([]byte(s))
		parts = append(parts, parsers.Mask(string(s))+" #"+hex.EncodeToString(sum[:4]))
	}
	return strings.Join(parts, ", ")
}

// redact hides the secrets in a text.
func redact(text string, f find) string {
	for _, s := range f.StringsFound {
		text = parsers.Redact(text, string(s))
	}
	return text
}
