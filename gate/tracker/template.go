package tracker

import (
	"fmt"
	"strconv"
	"strings"

	"defectdojo/gate"
	"defectdojo/integrations/jira"
)

// Placeholders are what a template may name. Each is replaced by what it stands
// for, once and as it is; whatever else a template holds stays as it is, so
// nobody who writes one can reach anything but these.
var Placeholders = []string{
	"{{title}}", "{{severity}}", "{{status}}", "{{link}}", "{{id}}", "{{product}}", "{{engagement}}", "{{test}}", "{{branch}}", "{{build}}", "{{commit}}",
	"{{due}}", "{{cwe}}", "{{cve}}", "{{cvss}}", "{{component}}", "{{file}}", "{{line}}", "{{locations}}", "{{description}}", "{{mitigation}}", "{{impact}}",
	"{{steps}}", "{{references}}", "{{text}}",
}

// The built-in templates, by the names of DefectDojo's folders.
const (
	fullTemplate = `*Title*: [{{title}}|{{link}}]

*DefectDojo link*: {{link}} ({{id}})

*Severity:* {{severity}}
{{?due}}*Due Date:* {{due}}
{{?cwe}}*CWE:* {{cwe}}
{{?cve}}*CVE:* {{cve}}
{{?cvss}}*CVSS:* {{cvss}}

*Product/Engagement/Test:* {{product}} / {{engagement}} / {{test}}

{{?branch}}*Branch/Tag:* {{branch}}
{{?build}}*BuildID:* {{build}}
{{?commit}}*Commit hash:* {{commit}}

{{?component}}*Component:* {{component}}
{{?file}}*Source File:* {{file}}
{{?line}}*Source Line:* {{line}}
{{?locations}}*Systems/Locations:*
{{?locations}}{{locations}}

*Description*:
{{description}}

{{?mitigation}}*Mitigation*:
{{?mitigation}}{{mitigation}}

{{?impact}}*Impact*:
{{?impact}}{{impact}}

{{?steps}}*Steps to reproduce*:
{{?steps}}{{steps}}

{{?references}}*References*:
{{?references}}{{references}}

{{?text}}{{text}}
`
	limitedTemplate = `*DefectDojo link*: [{{title}}|{{link}}] ({{id}})

*Severity:* {{severity}}
{{?due}}*Due Date:* {{due}}

{{?text}}{{text}}
`
)

// summary is an issue's title.
func (s *session) summary() string {
	title := s.subject.Engagement.Name
	switch s.kind() {
	case aGroup:
		title = s.subject.Group
	case aFinding:
		if len(s.subject.Findings) == 1 {
			title = s.subject.Findings[0].Title
			if s.p.SummaryTemplate != "" {
				title = s.fill(s.p.SummaryTemplate, s.subject.Findings[0], nil)
			}
		}
	}
	title = strings.Join(strings.Fields(title), " ")
	if title == "" {
		title = "Finding"
	}
	return clip(title, jira.MaxSummary)
}

// description is an issue's text, cut to what JIRA takes with a link to the rest.
func (s *session) description(places []string) string {
	template := s.p.DescriptionTemplate
	if template == "" {
		template = fullTemplate
		if strings.HasSuffix(text(s.p.IssueTemplateDir), "limited") || text(s.p.IssueTemplateDir) == "" && strings.HasSuffix(text(s.inst.IssueTemplateDir), "limited") {
			template = limitedTemplate
		}
	}
	var b strings.Builder
	if s.kind() == aGroup {
		s.table(&b)
	}
	for i, f := range s.subject.Findings {
		if i > 0 {
			b.WriteString("\n----\n\n")
		}
		b.WriteString(s.fill(template, f, places))
	}
	return cutText(b.String(), s.link())
}

// table lists a group's findings, which are told in full below it.
func (s *session) table(b *strings.Builder) {
	fmt.Fprintf(b, "A group of findings: [%s|%s]\n\n*Severity:* %s\n\n|| Severity || Title || Status ||\n", s.subject.Group, s.link(), s.worst())
	for _, f := range s.subject.Findings {
		fmt.Fprintf(b, "| %s | [%s|%s/findings/%d] | %s |\n", f.Severity, strings.NewReplacer("|", "¦", "[", "(", "]", ")").Replace(f.Title), s.SiteURL(), f.ID, f.Status())
	}
	b.WriteString("\n")
}

// cutText cuts a text to what JIRA takes.
func cutText(s, link string) string {
	suffix := "\n\n… cut off: the whole of it is at " + link
	r := []rune(s)
	if len(r) <= jira.MaxText {
		return s
	}
	return string(r[:jira.MaxText-len([]rune(suffix))]) + suffix
}

// link is where what the ticket is about is here.
func (s *session) link() string {
	site := strings.TrimRight(s.SiteURL(), "/")
	switch {
	case s.k.FindingID != nil:
		return site + "/findings/" + strconv.FormatInt(*s.k.FindingID, 10)
	case s.k.GroupID != nil && len(s.subject.Findings) > 0:
		return site + "/findings?test=" + strconv.FormatInt(s.subject.Findings[0].TestID, 10)
	default:
		return site + "/products/" + strconv.FormatInt(s.subject.Engagement.ProductID, 10)
	}
}

// fill replaces a template's placeholders. A line that begins with {{?name}} is
// left out if that is blank.
func (s *session) fill(template string, f gate.Finding, places []string) string {
	values := s.values(f, places)
	var lines []string
	for line := range strings.SplitSeq(template, "\n") {
		if rest, is := strings.CutPrefix(line, "{{?"); is {
			name, rest, found := strings.Cut(rest, "}}")
			if found && values["{{"+name+"}}"] == "" {
				continue
			}
			if found {
				line = rest
			}
		}
		lines = append(lines, line)
	}
	var pairs []string
	for _, p := range Placeholders {
		pairs = append(pairs, p, values[p])
	}
	out := strings.NewReplacer(pairs...).Replace(strings.Join(lines, "\n"))
	for strings.Contains(out, "\n\n\n") {
		out = strings.ReplaceAll(out, "\n\n\n", "\n\n")
	}
	return out
}

// values are what the placeholders stand for.
func (s *session) values(f gate.Finding, places []string) map[string]string {
	e := s.subject.Engagement
	v := map[string]string{
		"{{title}}": oneLine(f.Title), "{{severity}}": f.Severity.String(), "{{status}}": f.Status(), "{{id}}": strconv.FormatInt(f.ID, 10),
		"{{link}}":    strings.TrimRight(s.SiteURL(), "/") + "/findings/" + strconv.FormatInt(f.ID, 10),
		"{{product}}": s.subject.ProductName, "{{engagement}}": e.Name, "{{test}}": s.subject.TestTitle,
		"{{branch}}": text(e.BranchTag), "{{build}}": text(e.BuildID), "{{commit}}": text(e.CommitHash),
		"{{cve}}": strings.Join(f.VulnerabilityIDs, ", "), "{{cvss}}": text(f.CVSSv3), "{{component}}": strings.TrimSpace(text(f.ComponentName) + " " + text(f.ComponentVersion)),
		"{{file}}": text(f.FilePath), "{{locations}}": strings.Join(places, "\n"), "{{description}}": f.Description, "{{mitigation}}": f.Mitigation,
		"{{impact}}": f.Impact, "{{steps}}": f.StepsToReproduce, "{{references}}": f.Refs, "{{text}}": text(s.inst.FindingText),
	}
	if f.SLAExpirationDate != nil {
		v["{{due}}"] = gate.DateOf(*f.SLAExpirationDate).String()
	}
	if f.CWE != nil && *f.CWE > 0 {
		v["{{cwe}}"] = "CWE-" + strconv.Itoa(int(*f.CWE))
	}
	if f.Line != nil {
		v["{{line}}"] = strconv.Itoa(int(*f.Line))
	}
	for name, s := range v {
		v[name] = strings.ReplaceAll(s, "[~", "[ ~") // nobody is called by what a scanner found
	}
	return v
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
