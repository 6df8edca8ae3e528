package veracode

import (
	"cmp"
	"fmt"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

func parseJSON(in *stream.Input, out *parsers.Report) error {
	known := false
	list := func(d *stream.Decoder) error {
		known = true
		return stream.Each(func(f finding) error {
			if !strings.EqualFold(string(f.Status.Status), "closed") {
				out.Emit(f.observation())
			}
			return nil
		})(d)
	}
	err := stream.JSON(in, stream.Object(stream.Fields{
		"findings":  list,
		"_embedded": stream.Object(stream.Fields{"findings": list}),
	}))
	if err == nil && !known {
		err = stream.Errorf(`there is no "findings"`)
	}
	return err
}

type finding struct {
	IssueID     stream.Text `json:"issue_id"`
	Type        stream.Text `json:"scan_type"`
	Description stream.Text `json:"description"`
	Count       stream.Int  `json:"count"`
	Violates    bool        `json:"violates_policy"`
	Status      struct {
		First      stream.Text `json:"first_found_date"`
		Status     stream.Text `json:"status"`
		Resolution stream.Text `json:"resolution"`
		Review     stream.Text `json:"mitigation_review_status"`
	} `json:"finding_status"`
	Details details `json:"finding_details"`
}

type details struct {
	Severity stream.Int `json:"severity"`
	CWE      struct {
		ID   stream.Text `json:"id"`
		Name stream.Text `json:"name"`
	} `json:"cwe"`
	Category struct {
		Name stream.Text `json:"name"`
	} `json:"finding_category"`
	Path           stream.Text `json:"file_path"`
	Line           stream.Int  `json:"file_line_number"`
	Module         stream.Text `json:"module"`
	Procedure      stream.Text `json:"procedure"`
	Exploitability stream.Int  `json:"exploitability"`
	Vector         stream.Text `json:"attack_vector"`

	URL       stream.Text `json:"url"`
	Parameter stream.Text `json:"vulnerable_parameter"`
	Plugin    stream.Text `json:"plugin"`

	File      stream.Text `json:"component_filename"`
	Version   stream.Text `json:"version"`
	Language  stream.Text `json:"language"`
	Component []struct {
		Path stream.Text `json:"path"`
	} `json:"component_path"`
	Licenses []struct {
		ID stream.Text `json:"license_id"`
	} `json:"licenses"`
	CVE struct {
		Name  stream.Text `json:"name"`
		URL   stream.Text `json:"href"`
		CVSS3 struct {
			Vector stream.Text `json:"vector"`
		} `json:"cvss3"`
	} `json:"cve"`
}

func (f finding) observation() gate.Observation {
	d := f.Details
	o := gate.Observation{
		Title:       string(cmp.Or(d.Category.Name, d.CWE.Name)),
		Severity:    severity(d.Severity.N),
		CWE:         gate.ParseCWE(string(d.CWE.ID)),
		Check:       string(cmp.Or(d.CVE.Name, d.Plugin, d.Vector)),
		Date:        parsers.ParseDate(string(f.Status.First)),
		Occurrences: f.Count.Ptr(),
	}
	if f.Violates {
		o.Tags = []string{"policy-violation"}
	}
	said, advice, links := spans(string(f.Description))
	o.Mitigation, o.References = advice, links
	switch f.Type {
	case "SCA":
		f.setComponent(&o)
	case "DYNAMIC":
		o.Analysis, o.Param = gate.Dynamic, string(d.Parameter)
		if e := parsers.Endpoint(string(d.URL)); e != "" {
			o.Endpoints = []string{e}
		}
	default:
		o.FilePath, o.Line = string(d.Path), d.Line.Ptr()
		o.SASTSourceObject, o.SASTSinkObject = string(d.Procedure), string(d.Procedure)
		o.SASTSourceFilePath, o.SASTSourceLine = o.FilePath, o.Line
	}
	o.Description = f.text(said)
	return o
}

// setComponent fills in what a finding of the composition analysis says.
func (f finding) setComponent(o *gate.Observation) {
	d := f.Details
	o.Analysis = gate.Neither
	o.ComponentVersion = string(d.Version)
	o.ComponentName = strings.Replace(string(d.File), "-"+o.ComponentVersion, "", 1)
	if d.CWE.Name == "" {
		o.Title = o.ComponentName + " - " + string(d.CVE.Name)
	}
	o.VulnerabilityIDs = []string{string(d.CVE.Name)}
	o.References = parsers.Lines(o.References, string(d.CVE.URL))
	if v := string(d.CVE.CVSS3.Vector); v != "" {
		parsers.SetCVSS(o, "CVSS:3.1/"+strings.TrimPrefix(v, "CVSS:3.1/"))
	}
}

// exploitabilities are Veracode's words, from -2.
var exploitabilities = map[int]string{-2: "very unlikely", -1: "unlikely", 0: "neutral", 1: "likely", 2: "very likely"}

func (f finding) text(said string) string {
	d := f.Details
	var t parsers.Text
	t.Add(said).
		Fact("Component", strings.TrimSpace(string(d.File+" "+d.Version))).
		Fact("Language", string(d.Language)).
		Fact("Module", string(d.Module)).
		Fact("Procedure", string(d.Procedure)).
		Fact("Place", parsers.Place(string(d.Path), d.Line.Ptr())).
		Fact("URL", string(d.URL)).
		Fact("Parameter", string(d.Parameter)).
		Fact("Attack vector", string(d.Vector)).
		Fact("Weakness", strings.Trim(fmt.Sprintf("%s %s", d.CWE.ID, d.CWE.Name), " ")).
		Fact("Issue", string(f.IssueID)).
		Fact("Resolution", strings.ToLower(strings.ReplaceAll(string(f.Status.Resolution), "_", " ")))
	if d.Exploitability.OK {
		t.Fact("Exploitation is", exploitabilities[d.Exploitability.N])
	}
	var paths, licenses []string
	for _, p := range d.Component {
		paths = append(paths, string(p.Path))
	}
	for _, l := range d.Licenses {
		licenses = append(licenses, string(l.ID))
	}
	t.Facts("Licenses", licenses)
	if len(paths) > 0 {
		t.Add("It is at:").List(paths)
	}
	return t.String()
}

// spans parts a description of HTML: what it is, what to do, what to read.
func spans(html string) (said, advice, links string) {
	for i, part := range strings.Split(html, "</span>") {
		text := parsers.Markdown(part)
		switch {
		case strings.HasPrefix(text, "References:"):
			links = strings.TrimSpace(strings.TrimPrefix(text, "References:"))
		case i == 0:
			said = text
		default:
			advice = strings.TrimSpace(advice + "\n\n" + text)
		}
	}
	return said, advice, links
}
