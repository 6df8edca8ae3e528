// Package veracode_sca reads the issues of Veracode's composition analysis
// (SourceClear), as its API answers or as the site exports them.
//
// Made by "http https://api.veracode.com/srcclr/v3/workspaces/ID/issues" as JSON:
//
//	{"_embedded": {"issues": [{"id": "ddcc…", "created_date": "2022-07-29T05:13:00.924+0000", "issue_status": "open",
//	  "issue_type": "vulnerability", "severity": 8.8, "project_name": "shop", "library": {"id": "maven:g:a:1.0:", "version": "1.0"},
//	  "vulnerability": {"title": "…", "cve": "2022-36364", "cvss3_vector": "AV:N/…", "cvss3_score": 8.8, "cwe_id": "CWE-665"},
//	  "_links": {"html": {"href": "…"}}}]}}
//
// or as CSV, with the columns "Issue ID", "Library", "Version in use", "Coordinate 2",
// "CVSS score", "CVE" and more. Issues of licenses and of old libraries are left out.
package veracode_sca

import (
	"bufio"
	"cmp"
	"fmt"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads SourceClear's issues.
var Parsers = []parsers.Parser{{
	Name:     "veracode_sca",
	ScanType: "Veracode SourceClear Scan",
	Files:    "JSON or CSV",
	Command:  "http --auth-type=veracode_hmac 'https://api.veracode.com/srcclr/v3/workspaces/ID/issues?type=vulnerability' > issues.json",
	URL:      "https://docs.veracode.com/r/c_sca_rest_api",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("_embedded.issues[].library"), s.HasColumns("Issue ID", "Issue type", "Version in use", "Coordinate 2"):
		return parsers.Sure
	case s.Has("_embedded.issues"):
		return parsers.Likely
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Veracode SCA"
	first, err := bufio.NewReaderSize(in, 16).Peek(1)
	if err != nil {
		return stream.Errorf("the report is empty")
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	if first[0] == '{' || first[0] <= ' ' {
		return stream.JSON(in, stream.Object(stream.Fields{"_embedded": stream.Object(stream.Fields{"issues": stream.Each(func(i issue) error {
			i.emit(out)
			return nil
		})}, "issues")}, "_embedded"))
	}
	return stream.CSV(in, []string{"Issue ID", "Issue type", "Library", "Version in use"}, func(r stream.Row) error {
		fromRow(r).emit(out)
		return nil
	})
}

type issue struct {
	ID      stream.Text  `json:"id"`
	Created stream.Text  `json:"created_date"`
	Status  stream.Text  `json:"issue_status"`
	Type    stream.Text  `json:"issue_type"`
	Ignored stream.Text  `json:"ignored"`
	Score   stream.Float `json:"severity"`
	Word    stream.Text  `json:"-"` // the CSV's severity
	Project stream.Text  `json:"project_name"`
	Branch  stream.Text  `json:"project_branch"`
	Library struct {
		ID         stream.Text `json:"id"`
		Name       stream.Text `json:"name"`
		Version    stream.Text `json:"version"`
		Latest     stream.Text `json:"latest_version"`
		Transitive stream.Text `json:"transitive"`
	} `json:"library"`
	V struct {
		ID     stream.Text  `json:"id"`
		Title  stream.Text  `json:"title"`
		CVE    stream.Text  `json:"cve"`
		Vector stream.Text  `json:"cvss3_vector"`
		Score  stream.Float `json:"cvss3_score"`
		CWE    stream.Text  `json:"cwe_id"`
	} `json:"vulnerability"`
	Updated stream.Text `json:"-"`
	Links   struct {
		HTML struct {
			URL stream.Text `json:"href"`
		} `json:"html"`
	} `json:"_links"`
}

// fromRow makes an issue of a line of the CSV.
func fromRow(r stream.Row) issue {
	get := func(names ...string) stream.Text { return stream.Text(r.Get(names...)) }
	var i issue
	i.ID, i.Type, i.Ignored, i.Status = get("Issue ID"), get("Issue type"), get("Ignored"), get("Status")
	i.Project, i.Branch, i.Created, i.Word = get("Project"), get("Branch"), get("Issue opened: Scan date"), get("Severity")
	i.Library.Name, i.Library.Version, i.Library.Latest = get("Library"), get("Version in use"), get("Latest version")
	i.Library.Transitive, i.Updated = get("Dependency (Transitive or Direct)"), get("Updated Version")
	i.Library.ID = stream.Text(strings.ToLower(r.Get("Package manager")) + ":" + r.Get("Coordinate 1") + ":" + r.Get("Coordinate 2") + ":" + r.Get("Version in use") + ":")
	i.Score = stream.ParseFloat(r.Get("CVSS score"))
	i.V.ID, i.V.Title, i.V.CVE = get("Vulnerability ID"), get("Title"), get("CVE")
	i.V.Score = i.Score
	return i
}

func (i issue) emit(out *parsers.Report) {
	if i.Type != "" && !strings.EqualFold(string(i.Type), "vulnerability") {
		return
	}
	out.Emit(i.observation())
}

// library is the name as the ecosystem has it, without its group.
func (i issue) library() string {
	p := strings.Split(string(i.Library.ID), ":")
	if len(p) > 2 && p[2] != "" && !strings.EqualFold(p[2], string(i.Library.Version)) {
		return p[2]
	}
	if len(p) > 1 && p[1] != "" {
		return p[1]
	}
	return string(i.Library.Name)
}

func (i issue) purl() string {
	p := strings.Split(string(i.Library.ID), ":")
	kinds := map[string]string{"maven": "maven", "npm": "npm", "pypi": "pypi", "gem": "gem", "go": "golang", "nuget": "nuget", "packagist": "composer"}
	name := i.library()
	if p[0] == "maven" && len(p) > 2 {
		name = p[1] + ":" + p[2]
	}
	return parsers.PURL(kinds[p[0]], name, string(i.Library.Version))
}

func (i issue) observation() gate.Observation {
	o := gate.Observation{
		Severity:         i.severity(),
		Description:      i.text(),
		References:       string(i.Links.HTML.URL),
		CWE:              gate.ParseCWE(string(i.V.CWE)),
		UniqueID:         string(i.ID),
		Check:            string(i.V.ID),
		ComponentName:    i.library(),
		ComponentVersion: string(i.Library.Version),
		PURL:             i.purl(),
		Date:             i.date(),
		Occurrences:      new(1),
		URL:              string(i.Links.HTML.URL),
	}
	id := string(i.V.CVE)
	if id != "" && !strings.HasPrefix(id, "CVE-") {
		id = "CVE-" + id
	}
	if id != "" {
		o.VulnerabilityIDs = []string{id}
	}
	o.Title = fmt.Sprintf("%s:%s | %s", o.ComponentName, o.ComponentVersion, cmp.Or(id, string(i.V.Title)))
	if v := strings.Trim(string(i.V.Vector), "()"); v != "" {
		parsers.SetCVSS(&o, "CVSS:3.1/"+strings.TrimPrefix(v, "CVSS:3.1/"))
	}
	if o.CVSSv3 == "" {
		o.CVSSv3Score = i.V.Score.Ptr()
	}
	if i.Updated != "" {
		o.Mitigation = fmt.Sprintf("Update %s to %s.", o.ComponentName, i.Updated)
	}
	switch strings.ToLower(string(i.Status)) {
	case "fixed", "resolved":
		o.Active, o.Mitigated = new(false), true
	}
	return o
}

// date is the day on which the issue was opened; the CSV writes "7 Jul 2022 09:15AM GMT".
func (i issue) date() gate.Date {
	if d := parsers.ParseDate(string(i.Created)); !d.IsZero() {
		return d
	}
	words := strings.Fields(string(i.Created))
	return parsers.ParseDate(strings.Join(words[:min(3, len(words))], " "))
}

// severity is the CSV's word, else that of the score.
func (i issue) severity() gate.Severity {
	if i.Word != "" {
		return gate.ParseSeverity(string(i.Word))
	}
	switch s := i.Score.F; {
	case s >= 9:
		return gate.Critical
	case s >= 7:
		return gate.High
	case s >= 4:
		return gate.Medium
	case s > 0:
		return gate.Low
	}
	return gate.Info
}

func (i issue) text() string {
	var t parsers.Text
	t.Add(string(i.V.Title)).
		Fact("Library", strings.TrimSpace(string(i.Library.Name+" "+i.Library.Version))).
		Fact("Latest version", string(i.Library.Latest)).
		Fact("Project", string(i.Project)).
		Fact("Branch", string(i.Branch)).
		Fact("Transitive", string(i.Library.Transitive)).
		Fact("Ignored", string(i.Ignored)).
		Fact("Status", string(i.Status))
	return t.String()
}
