package web

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
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
	People  []store.Choice // to assign it to
	Tickets []store.FindingTicket
	JIRA    bool // a ticket has a place to go
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
	if p.Tickets, err = w.Store.FindingTickets(ctx, id); err != nil {
		return err
	}
	if p.JIRA, err = w.Store.HasJIRA(ctx, p.Finding.EngagementID); err != nil {
		return err
	}
	p.CanEdit = w.Auth.May(ctx, v.Principal, auth.EditFinding, p.Finding.ProductID) == nil
	p.CanNote = w.Auth.May(ctx, v.Principal, auth.AddNote, p.Finding.ProductID) == nil
	if p.CanEdit {
		if p.People, err = w.Store.People(ctx); err != nil {
			return err
		}
	}
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
	{regexp.MustCompile(`^RH[SBE]A-\d{4}:\d+$`), "https://access.redhat.com/errata/"},
	{regexp.MustCompile(`^SNYK-[A-Z0-9-]+-\d+$`), "https://security.snyk.io/vuln/"},
	{regexp.MustCompile(`^(ALBA|ALEA|ALSA|ASB-A|BIT|CGA|CURL|DLA|DSA|GO|GSD|HSEC|MAL|MGASA|OSV|PSF|PYSEC|RLSA|RSEC|RUSTSEC|RXSA|USN)-[0-9A-Za-z.-]{3,60}$`), "https://osv.dev/vulnerability/"},
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
	"close": "Closed", "reopen": "Reopened", "verify": "Verified", "false_positive": "Dismissed as false positive", "out_of_scope": "Put out of scope",
	"accept_risk": "Risk accepted", "unaccept_risk": "Risk no longer accepted", "assign": "Assigned", "edit": "Edited", "add": "Added by hand", "undo": "Undone",
	"mark_duplicate": "Marked as duplicate", "reset_duplicate": "No longer a duplicate", "set_original": "Made the original", "request_review": "Review asked for",
	"push_to_jira": "Pushed to JIRA", "jira_claim": "What JIRA says of it changed",
}

// told are the fields whose change the event's own word tells already.
var told = map[string]bool{
	"active": true, "verified": true, "false_p": true, "out_of_scope": true, "risk_accepted": true, "is_mitigated": true,
	"mitigated": true, "mitigated_by": true, "under_review": true, "reviewers": true, "review_requested_by": true, "duplicate": true,
}

// Detail says what an event changed, or which report it was.
func (p findingPage) Detail(e store.FindingEvent) string {
	var changed map[string][2]string
	if json.Unmarshal([]byte(e.Detail), &changed) != nil {
		return strings.TrimSpace(e.Detail + " " + short(e.Commit))
	}
	var parts []string
	for _, field := range slices.Sorted(maps.Keys(changed)) {
		if was, is := changed[field][0], changed[field][1]; !told[field] {
			if field == "assignee" {
				was, is = p.person(was), p.person(is)
			}
			parts = append(parts, fmt.Sprintf("%s: %s → %s", spaced(field), cmp.Or(was, "–"), cmp.Or(is, "–")))
		}
	}
	return strings.Join(parts, ", ")
}

// person is the name of somebody whose number the history holds.
func (p findingPage) person(id string) string {
	for _, c := range p.People {
		if strconv.FormatInt(c.ID, 10) == id {
			return c.Name
		}
	}
	return id
}
