package web

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

// findingPage is what finding.html shows.
type findingPage struct {
	layout
	Finding gate.Finding
	store.FindingDetails
	CanEdit bool
	CanNote bool
	Exact   bool // whose place in the repository is known by commit
}

// finding serves GET /findings/:id.
func (w *web) finding(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	ctx := v.UserContext()
	p := findingPage{layout: w.layout(v, "findings", "Finding")}
	if p.Finding, err = w.Store.Finding(ctx, v.scope, id); err != nil {
		return err
	}
	p.Title = p.Finding.Title
	if p.FindingDetails, err = w.Store.FindingDetails(ctx, v.scope, p.Finding, v.User); err != nil {
		return err
	}
	p.CanEdit = w.Auth.May(ctx, v.Principal, auth.EditFinding, p.Finding.ProductID) == nil
	p.CanNote = w.Auth.May(ctx, v.Principal, auth.AddNote, p.Finding.ProductID) == nil
	return render(v.Ctx, "finding.html", p)
}

// link is a text that may lead somewhere.
type link struct{ Text, Href string }

var vulnerabilityPages = []struct {
	id   *regexp.Regexp
	page string
}{
	{regexp.MustCompile(`^CVE-\d{4}-\d{3,}$`), "https://www.cve.org/CVERecord?id="},
	{regexp.MustCompile(`^GHSA(-[0-9a-z]{4}){3}$`), "https://github.com/advisories/"},
	{regexp.MustCompile(`^[A-Z][A-Z0-9]{1,15}-[0-9A-Za-z.:-]{3,60}$`), "https://osv.dev/vulnerability/"},
}

// vulnerabilityLink leads to what the world knows of a vulnerability.
func vulnerabilityLink(id string) link {
	for _, p := range vulnerabilityPages {
		if p.id.MatchString(id) {
			return link{id, p.page + url.QueryEscape(id)}
		}
	}
	return link{Text: id}
}

// Vulnerabilities are the finding's identifiers.
func (p findingPage) Vulnerabilities() []link {
	links := make([]link, len(p.Finding.VulnerabilityIDs))
	for i, id := range p.Finding.VulnerabilityIDs {
		links[i] = vulnerabilityLink(id)
	}
	return links
}

// Weaknesses are the finding's CWEs.
func (p findingPage) Weaknesses() []link {
	numbers := p.Finding.CWEs
	if len(numbers) == 0 && p.Finding.CWE != nil && *p.Finding.CWE > 0 {
		numbers = []int32{*p.Finding.CWE}
	}
	links := make([]link, len(numbers))
	for i, n := range numbers {
		links[i] = link{fmt.Sprintf("CWE-%d", n), fmt.Sprintf("https://cwe.mitre.org/data/definitions/%d.html", n)}
	}
	return links
}

// Place is the file and line, with a link into the repository if that is known.
func (p findingPage) Place() *link {
	f := p.Finding
	if f.FilePath == nil || *f.FilePath == "" {
		return nil
	}
	l := link{Text: *f.FilePath}
	if f.Line != nil && *f.Line > 0 {
		l.Text = fmt.Sprintf("%s:%d", *f.FilePath, *f.Line)
	}
	l.Href = sourceLink(p.FindingDetails, *f.FilePath, f.Line)
	return &l
}

// sourceLink is where a forge shows a line of a file: at the commit that was
// scanned, or else on the branch.
func sourceLink(d store.FindingDetails, path string, line *int32) string {
	revision := d.Branch
	if d.CommitHash != nil && *d.CommitHash != "" {
		revision = *d.CommitHash
	}
	if d.Repository == nil || revision == "" || strings.Contains(path, "..") {
		return ""
	}
	base := httpURL(strings.TrimSuffix(strings.TrimSuffix(*d.Repository, "/"), ".git"))
	if base == "" || strings.ContainsAny(base, "?#") {
		return ""
	}
	blob := "/blob/"
	if strings.Contains(base, "gitlab") {
		blob = "/-/blob/"
	}
	u := base + blob + escapePath(revision) + "/" + escapePath(strings.TrimPrefix(path, "/"))
	if line != nil && *line > 0 {
		u += fmt.Sprintf("#L%d", *line)
	}
	return u
}

func escapePath(s string) string {
	return strings.ReplaceAll(url.PathEscape(s), "%2F", "/")
}

// codeLine is a line of a snippet. Number is 0 where it is not known.
type codeLine struct {
	Number int
	Text   string
	Hit    bool
}

// Snippet is the code at the finding's place, as the report quotes it.
func (p findingPage) Snippet() []codeLine {
	const most = 60
	text := strings.Trim(strings.ReplaceAll(p.Finding.Snippet, "\r\n", "\n"), "\n")
	if text == "" {
		return nil
	}
	rows := strings.Split(text, "\n")
	first := 0
	if f := p.Finding; f.Line != nil && *f.Line > 0 {
		end := *f.Line
		if f.EndLine != nil {
			end = *f.EndLine
		}
		if int(end-*f.Line)+1 == len(rows) { // else it may hold lines around the place, and which is not told
			first = int(*f.Line)
		}
	}
	lines := make([]codeLine, 0, len(rows))
	for i, row := range rows[:min(len(rows), most)] {
		l := codeLine{Text: row}
		if first > 0 {
			l.Number, l.Hit = first+i, i == 0
		}
		lines = append(lines, l)
	}
	return lines
}

// Readable writes an HTTP message as text, or says that it is none.
func (p findingPage) Readable(b []byte) string {
	if !utf8.Valid(b) {
		return fmt.Sprintf("(%s that are no text)", plural(len(b), "byte", "bytes"))
	}
	return string(b)
}

// States are the finding's states, each by itself.
func (p findingPage) States() []string { return strings.Split(p.Finding.Status(), ", ") }

// Age is how many days the finding was or is there.
func (p findingPage) Age() string {
	until := p.Today()
	if p.Finding.Mitigated != nil {
		until = gate.DateOf(p.Finding.Mitigated.UTC())
	}
	return days(p.Finding.Date, until)
}

// Event says what happened.
func (p findingPage) Event(e store.FindingEvent) string {
	if text, ok := eventWords[e.What]; ok {
		return text
	}
	return e.What
}

var eventWords = map[string]string{
	"new": "Found by an import", "closed": "Closed: an import no longer had it", "reactivated": "Found again", "untouched": "Still there",
}
