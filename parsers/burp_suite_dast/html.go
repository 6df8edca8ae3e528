package burp_suite_dast

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"golang.org/x/net/html"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Bounds of what is kept.
const (
	maxToken   = 4 << 20
	maxSection = 1 << 20
	maxText    = 64 << 10
)

// reader reads the page, tag by tag.
type reader struct {
	z      *html.Tokenizer
	known  bool
	closed bool
	site   string

	list       []*finding
	byTitle    map[string]*finding
	severities map[string]gate.Severity // by the issue's id
	messages   parsers.Messages

	cells   []string // of the row of the table of issues that is being read
	inTable bool
	in      string // the heading or cell whose text is being read: "h1", "h2", "h3", "td" or none
	text    strings.Builder

	issue   *issue
	heading string
	section strings.Builder // the HTML under the heading
	plain   strings.Builder // its text
}

// issue is what one container says.
type issue struct {
	id, title, path string
	sections        map[string]string // HTML by heading
	request, answer string
}

func newReader(in *stream.Input) *reader {
	r := &reader{z: html.NewTokenizer(in), byTitle: map[string]*finding{}, severities: map[string]gate.Severity{}}
	r.z.SetMaxBuf(maxToken)
	return r
}

func (r *reader) read() error {
	for {
		kind := r.z.Next()
		raw := string(r.z.Raw())
		switch kind {
		case html.ErrorToken:
			r.endIssue()
			if err := r.z.Err(); !errors.Is(err, io.EOF) {
				return fmt.Errorf("the page cannot be read: %w", err)
			}
			if r.known && !r.closed {
				return stream.Errorf("the page has no </html>: it is cut short")
			}
			return nil
		case html.TextToken:
			r.words(html.UnescapeString(raw), raw)
		case html.StartTagToken, html.SelfClosingTagToken:
			t := r.z.Token()
			r.start(t, raw)
		case html.EndTagToken:
			name, _ := r.z.TagName()
			r.end(string(name), raw)
		}
	}
}

func (r *reader) words(text, raw string) {
	if r.in != "" {
		r.text.WriteString(text)
		return
	}
	if r.issue == nil {
		return
	}
	if r.section.Len() < maxSection {
		r.section.WriteString(raw)
		r.plain.WriteString(text)
	}
}

func attr(t html.Token, name string) string {
	for _, a := range t.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func (r *reader) start(t html.Token, raw string) {
	class := attr(t, "class")
	switch {
	case t.Data == "div" && strings.Contains(class, "issue-container"):
		r.endIssue()
		r.known = true
		r.issue = &issue{sections: map[string]string{}}
	case t.Data == "div" && strings.HasPrefix(class, "section"):
		r.endIssue()
	case t.Data == "table" && strings.Contains(class, "issue-table"):
		r.known, r.inTable = true, true
	case t.Data == "h3" && r.issue != nil:
		r.endSection()
		r.begin("h3")
	case t.Data == "h1", t.Data == "h2" && r.issue != nil:
		r.begin(t.Data)
	case t.Data == "tr":
		r.cells = r.cells[:0]
	case t.Data == "td" && r.inTable:
		r.begin("td")
	case t.Data == "a" && r.in == "td" && strings.HasPrefix(attr(t, "href"), "#"):
		r.row(strings.TrimPrefix(attr(t, "href"), "#"))
	case t.Data == "a" && r.issue != nil && attr(t, "name") != "":
		r.issue.id = attr(t, "name")
	default:
		if r.issue != nil && r.in == "" && r.section.Len() < maxSection {
			r.section.WriteString(raw)
		}
	}
}

func (r *reader) begin(what string) {
	r.in = what
	r.text.Reset()
}

// row notes the severity of the issue that a row of the table is about.
func (r *reader) row(id string) {
	if len(r.cells) >= 2 {
		r.severities[id] = gate.ParseSeverity(r.cells[1])
	}
}

func (r *reader) end(name, raw string) {
	switch name {
	case "table":
		r.inTable = false
	case "html":
		r.closed = true
	}
	if name != r.in {
		if r.issue != nil && r.in == "" && r.section.Len() < maxSection {
			r.section.WriteString(raw)
		}
		return
	}
	text := strings.Join(strings.Fields(r.text.String()), " ")
	r.in = ""
	switch name {
	case "h1":
		for _, before := range []string{"Issues found on ", "More details for "} {
			if site, ok := strings.CutPrefix(text, before); ok {
				r.site = site
			}
		}
	case "h2":
		r.issue.title = text
	case "h3":
		r.heading = strings.TrimSuffix(text, ":")
	case "td":
		r.cells = append(r.cells, text)
	}
}

// endSection keeps what stands under the last heading. What stands before the
// first is the path.
func (r *reader) endSection() {
	plain := strings.TrimSpace(r.plain.String())
	switch r.heading {
	case "":
		r.issue.path = plain
	case "Request":
		r.issue.request = plain
	case "Response":
		r.issue.answer = plain
	default:
		r.issue.sections[r.heading] = r.section.String()
	}
	r.heading = ""
	r.section.Reset()
	r.plain.Reset()
}

func (r *reader) endIssue() {
	if r.issue == nil {
		return
	}
	r.endSection()
	if r.issue.title != "" {
		r.add(*r.issue)
	}
	r.issue = nil
}

// finding is the issues of one title.
type finding struct {
	o     gate.Observation
	text  parsers.Text
	size  int
	fixes []string
	seen  map[string]bool
}

func (r *reader) add(i issue) {
	f := r.byTitle[i.title]
	if f == nil {
		f = &finding{seen: map[string]bool{}, o: gate.Observation{Title: i.title, Impact: parsers.Markdown(i.sections["Issue background"])}}
		f.o.References = strings.TrimSpace(parsers.Markdown(i.sections["References"]) + "\n\n" + parsers.Markdown(i.sections["Vulnerability classifications"]))
		f.classify(i.sections["Vulnerability classifications"])
		r.byTitle[i.title] = f
		r.list = append(r.list, f)
	}
	f.o.Severity = max(f.o.Severity, r.severities[i.id])
	f.o.Endpoints = append(f.o.Endpoints, parsers.Endpoint(r.site))
	if len(f.o.RequestResponsePairs) == 0 {
		f.o.RequestResponsePairs = r.messages.Add(nil, i.request, i.answer)
	}
	for _, heading := range []string{"Issue remediation", "Remediation detail"} {
		if fix := parsers.Markdown(i.sections[heading]); fix != "" && !f.seen[fix] {
			f.seen[fix] = true
			f.fixes = append(f.fixes, fix)
		}
	}
	if f.size < maxText {
		detail := i.sections["Issue detail"]
		f.text.Fact("Place", r.site+i.path).Add(parsers.Markdown(detail))
		f.size = len(f.text.String())
	}
}

// ids finds the names of weaknesses and attack patterns.
var ids = regexp.MustCompile(`\b(?:CWE|CAPEC)-\d{1,7}`)

// classify takes the classifications, which DefectDojo has as vulnerability ids.
func (f *finding) classify(text string) {
	for _, id := range ids.FindAllString(text, 100) {
		if f.seen[id] {
			continue
		}
		f.seen[id] = true
		f.o.VulnerabilityIDs = append(f.o.VulnerabilityIDs, id)
		if strings.HasPrefix(id, "CWE") {
			f.o.CWEs = append(f.o.CWEs, gate.ParseCWE(id))
		}
	}
	if len(f.o.CWEs) > 0 {
		f.o.CWE = f.o.CWEs[0]
	} else {
		f.o.NoCWE = true
	}
}

func (f *finding) observation() gate.Observation {
	f.o.Description = f.text.String()
	f.o.Mitigation = strings.Join(f.fixes, "\n\n")
	return f.o
}
