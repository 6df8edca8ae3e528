package veracode

import (
	"encoding/xml"
	"fmt"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

type flaw struct {
	Severity    string `xml:"severity,attr"`
	Category    string `xml:"categoryname,attr"`
	ID          string `xml:"issueid,attr"`
	Module      string `xml:"module,attr"`
	Type        string `xml:"type,attr"`
	Description string `xml:"description,attr"`
	Note        string `xml:"note,attr"`
	CWE         string `xml:"cweid,attr"`
	First       string `xml:"date_first_occurrence,attr"`
	Status      string `xml:"remediation_status,attr"`
	Mitigated   string `xml:"mitigation_status,attr"`
	Impact      string `xml:"cia_impact,attr"`
	File        string `xml:"sourcefile,attr"`
	Path        string `xml:"sourcefilepath,attr"`
	Line        string `xml:"line,attr"`
	Offset      string `xml:"functionrelativelocation,attr"`
	Function    string `xml:"functionprototype,attr"`
	URL         string `xml:"url,attr"`
	Param       string `xml:"vuln_parameter,attr"`
	Mitigations []struct {
		Action string `xml:"action,attr"`
		Text   string `xml:"description,attr"`
		User   string `xml:"user,attr"`
		Date   string `xml:"date,attr"`
	} `xml:"mitigations>mitigation"`
}

type recommendations struct {
	Paras []struct {
		Text    string `xml:"text,attr"`
		Bullets []struct {
			Text string `xml:"text,attr"`
		} `xml:"bulletitem"`
	} `xml:"para"`
}

type component struct {
	File      string `xml:"file_name,attr"`
	Version   string `xml:"version,attr"`
	Library   string `xml:"library,attr"`
	LibraryID string `xml:"library_id,attr"`
	Vendor    string `xml:"vendor,attr"`
	Paths     []struct {
		Value string `xml:"value,attr"`
	} `xml:"file_paths>file_path"`
	Licenses []struct {
		SPDX string `xml:"spdx_id,attr"`
		Name string `xml:"name,attr"`
	} `xml:"licenses>license"`
	Vulnerabilities []struct {
		ID        string `xml:"cve_id,attr"`
		Score     string `xml:"cvss_score,attr"`
		Severity  string `xml:"severity,attr"`
		CWE       string `xml:"cwe_id,attr"`
		Summary   string `xml:"cve_summary,attr"`
		First     string `xml:"first_found_date,attr"`
		Mitigated string `xml:"mitigation,attr"`
	} `xml:"vulnerabilities>vulnerability"`
}

func parseXML(in *stream.Input, out *parsers.Report) error {
	var app, advice string
	var date gate.Date
	const cwe = "detailedreport/severity/category/cwe"
	flaws := func(analysis gate.Analysis, tag string) stream.Handler {
		return stream.Element(func(f flaw) error {
			o := f.observation(app, advice)
			o.Analysis, o.Tags = analysis, []string{tag}
			out.Emit(o)
			return nil
		})
	}
	return stream.XML(in, []string{"detailedreport"}, stream.Elements{
		"detailedreport": stream.Start(func(attr func(string) string) error {
			run := out.Run()
			run.Target, app = attr("app_name"), attr("app_id")
			run.Version, run.Ruleset = attr("version"), attr("policy_name")
			run.FinishedAt = parsers.ParseTime(attr("last_update_time"))
			date = gate.DateOf(run.FinishedAt)
			return nil
		}),
		"detailedreport/severity/category": func(*stream.XMLDecoder, xml.StartElement) error {
			advice = ""
			return nil
		},
		"detailedreport/severity/category/recommendations": stream.Element(func(r recommendations) error {
			advice = r.String()
			return nil
		}),
		cwe + "/staticflaws/flaw":  flaws(gate.Static, "sast"),
		cwe + "/dynamicflaws/flaw": flaws(gate.Dynamic, "dast"),
		cwe + "/manualflaws/flaw":  flaws(gate.Dynamic, "manual"),
		"detailedreport/software_composition_analysis/vulnerable_components/component": stream.Element(func(c component) error {
			c.emit(out, date)
			return nil
		}),
	})
}

func (r recommendations) String() string {
	var t parsers.Text
	for _, p := range r.Paras {
		t.Add(p.Text)
		var items []string
		for _, b := range p.Bullets {
			items = append(items, b.Text)
		}
		t.List(items)
	}
	return t.String()
}

func (f flaw) observation(app, advice string) gate.Observation {
	said, links, _ := strings.Cut(f.Description, "References:")
	var refs parsers.Text
	refs.Add(strings.ReplaceAll(strings.TrimSpace(links), "\r", "")).Fact("Module", f.Module).Fact("Type", f.Type).Fact("Issue", f.ID)
	o := gate.Observation{
		Title:       f.Category,
		Severity:    severity(stream.ParseInt(f.Severity).N),
		Description: f.text(said),
		Mitigation:  advice,
		References:  refs.String(),
		CWE:         gate.ParseCWE(f.CWE),
		Check:       f.Type,
		UniqueID:    "app-" + app + "_issue-" + f.ID,
		Date:        parsers.ParseDate(f.First),
		Param:       f.Param,
	}
	if f.Impact != "" || f.File != "" || f.URL != "" {
		o.Impact = "Impact on confidentiality, integrity and availability: " + impact(f.Impact)
	}
	if e := parsers.Endpoint(f.URL); e != "" {
		o.Endpoints = []string{e}
	}
	if f.File != "" {
		o.FilePath = f.Path + f.File
		o.SASTSourceFilePath, o.SASTSourceObject = o.FilePath, f.Function
		o.Line = f.line()
		o.SASTSourceLine = o.Line
	}
	f.setState(&o)
	return o
}

// line is that of the function, and so many lines further.
func (f flaw) line() *int {
	n := stream.ParseInt(f.Line)
	if !n.OK {
		return nil
	}
	if d := stream.ParseInt(f.Offset); d.N > 0 {
		n.N += d.N
	}
	return &n.N
}

// setState tells what became of the flaw.
func (f flaw) setState(o *gate.Observation) {
	fixed := strings.EqualFold(f.Status, "fixed")
	if !fixed && !strings.EqualFold(f.Mitigated, "accepted") {
		return
	}
	o.Active, o.Mitigated = new(false), true
	for _, m := range f.Mitigations {
		o.MitigatedAt = parsers.ParseTime(m.Date)
		if a := strings.ToLower(m.Action); !fixed && (a == "fp" || strings.Contains(a, "false positive")) {
			o.FalsePositive, o.Mitigated = true, false
		}
	}
}

// impact spells out Veracode's three letters: none, partial, complete.
func impact(letters string) string {
	words := map[rune]string{'N': "none", 'P': "partial", 'C': "complete"}
	var list []string
	for _, l := range strings.ToUpper(letters) {
		list = append(list, words[l])
	}
	if len(list) == 0 {
		return "not said."
	}
	return strings.Join(list, ", ") + "."
}

func (f flaw) text(said string) string {
	var t parsers.Text
	t.Add(strings.ReplaceAll(said, "\r", "")).
		Add(f.Note).
		Fact("Module", f.Module).
		Fact("Type", f.Type).
		Fact("Function", f.Function).
		Fact("Place", parsers.Place(f.Path+f.File, f.line())).
		Fact("URL", f.URL).
		Fact("Parameter", f.Param).
		Fact("Status", f.Status)
	for _, m := range f.Mitigations {
		t.Fact("Mitigation", strings.TrimSpace(fmt.Sprintf("%s by %s, %s: %s", m.Action, m.User, m.Date, m.Text)))
	}
	return t.String()
}

// name is the library's; of Maven's ids the artifact.
func (c component) name() string {
	if p := strings.Split(c.LibraryID, ":"); len(p) > 2 && p[0] == "maven" {
		return p[2]
	}
	return c.Library
}

func (c component) purl() string {
	p := strings.Split(strings.Trim(c.LibraryID, ":"), ":")
	if len(p) < 3 {
		return ""
	}
	kind := map[string]string{"maven": "maven", "npm": "npm", "pypi": "pypi", "gem": "gem", "go": "golang", "nuget": "nuget", "packagist": "composer"}[p[0]]
	return parsers.PURL(kind, strings.Trim(strings.Join(p[1:len(p)-1], ":"), ":"), p[len(p)-1])
}

func (c component) emit(out *parsers.Report, date gate.Date) {
	inventory := gate.Component{Name: c.name(), Version: c.Version, PURL: c.purl()}
	for _, l := range c.Licenses {
		inventory.Licenses = append(inventory.Licenses, parsers.First(l.SPDX, l.Name))
	}
	var paths []string
	for _, p := range c.Paths {
		paths = append(paths, p.Value)
	}
	if len(paths) > 0 {
		inventory.Path = paths[0]
	}
	out.Component(inventory)
	for _, v := range c.Vulnerabilities {
		var t parsers.Text
		t.Add(v.Summary).
			Fact("Library", strings.TrimSpace(c.name()+" "+c.Version)).
			Fact("Vendor", c.Vendor).
			Fact("CVE", strings.TrimSpace(v.ID+" "+v.First)).
			Fact("CVSS", v.Score).
			Facts("Paths", paths)
		o := gate.Observation{
			Title:            fmt.Sprintf("Vulnerable component: %s:%s", c.name(), c.Version),
			Severity:         severity(stream.ParseInt(v.Severity).N),
			Description:      t.String(),
			VulnerabilityIDs: []string{v.ID},
			CVSSv3Score:      stream.ParseFloat(v.Score).Ptr(),
			ComponentName:    c.name(),
			ComponentVersion: c.Version,
			PURL:             inventory.PURL,
			Check:            v.ID,
			Date:             date,
			Tags:             []string{"sca"},
		}
		for n := range strings.FieldsFuncSeq(v.CWE, func(r rune) bool { return strings.ContainsRune(" ,;", r) }) {
			if id := gate.ParseCWE(n); id > 0 {
				o.CWEs = append(o.CWEs, id)
			}
		}
		if o.NoCWE = len(o.CWEs) == 0; !o.NoCWE {
			o.CWE = o.CWEs[0]
		}
		if strings.EqualFold(v.Mitigated, "true") {
			o.Active, o.Mitigated = new(false), true
		}
		out.Emit(o)
	}
}
