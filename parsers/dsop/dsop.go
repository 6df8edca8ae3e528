// Package dsop reads the workbook of findings that the DoD's hardened containers (DSOP, Iron Bank) come with.
//
// Made by the DSOP pipeline as NAME_justifications.xlsx. Its sheets, by the names in the first row:
//
//	OpenSCAP - DISA Compliance:      title, ruleid, result, severity, identifiers, refs, desc, rationale, scanned_date
//	OpenSCAP - OVAL Results:         id, result, cls, ref, title
//	Twistlock Vulnerability Results: cve, cvss, desc, link, packageName, packageVersion, severity, status, vecStr, JUSTIFICATION
//	Anchore CVE Results:             tag, cve, severity, package, package_path, vuln, fix, url, JUSTIFICATION
//	Anchore Compliance Results:      repeats the CVEs by policy, and is not read
//
// Of OpenSCAP's results count those that failed ("fail", "notchecked"; of OVAL "true").
package dsop

import (
	"html"
	"regexp"
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads DSOP's workbook.
var Parsers = []parsers.Parser{{
	Name:     "dsop",
	ScanType: "DSOP Scan",
	Files:    "XLSX",
	Command:  "DSOP pipeline: NAME_justifications.xlsx",
	URL:      "https://repo1.dso.mil/dsop",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	for _, sheet := range s.Sheets {
		for _, known := range sheets {
			if strings.Contains(sheet[0], known.word) {
				return parsers.Sure
			}
		}
	}
	if slices.Contains(s.Members, "xl/workbook.xml") {
		return parsers.Possible
	}
	return parsers.No
}

// row is a record of a sheet, by the names in its first row.
type row = map[string]string

// sheets say how to read a sheet, by a word of its name.
var sheets = []struct {
	word string
	read func(r row) (gate.Observation, bool)
}{
	{"DISA Compliance", disa}, {"OVAL", oval}, {"Twistlock Vulnerability", twistlock}, {"Anchore CVE", anchore},
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "DSOP"
	b, err := stream.OpenWorkbook(in)
	if err != nil {
		return err
	}
	known := false
	for _, name := range b.Sheets() {
		for _, s := range sheets {
			if !strings.Contains(name, s.word) {
				continue
			}
			known = true
			err := b.Rows(name, func(r row) error {
				if o, ok := s.read(r); ok {
					out.Emit(o)
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	if !known {
		return stream.Errorf("the workbook has none of DSOP's sheets")
	}
	return nil
}

func disa(r row) (gate.Observation, bool) {
	result := strings.ToLower(r["result"])
	if result != "fail" && result != "notchecked" {
		return gate.Observation{}, false
	}
	var text parsers.Text
	text.Add(r["desc"]).Fact("Rule", r["ruleid"]).Fact("Result", result).Fact("Identifiers", r["identifiers"]).Fact("References", r["refs"])
	return gate.Observation{
		Title:       r["title"],
		Severity:    gate.ParseSeverity(r["severity"]),
		Description: text.String(),
		Impact:      r["rationale"],
		References:  r["refs"],
		Check:       r["ruleid"],
		Date:        parsers.ParseDate(r["scanned_date"]),
		Tags:        []string{"disa"},
	}, true
}

// inBrackets is the severity at the end of "RHSA-2019:4024: SDL security update (Important)".
var inBrackets = regexp.MustCompile(`\((\w+)\)\s*$`)

func oval(r row) (gate.Observation, bool) {
	if result := strings.ToLower(r["result"]); result != "true" && result != "1" {
		return gate.Observation{}, false
	}
	o := gate.Observation{Title: r["title"], Check: r["id"], Tags: []string{"oval"}, VulnerabilityIDs: parsers.CVEs(r["ref"])}
	if m := inBrackets.FindStringSubmatch(r["title"]); m != nil {
		o.Severity = gate.ParseSeverity(m[1])
	}
	var text parsers.Text
	o.Description = text.Add(r["title"]).Fact("Definition", r["id"]).Fact("Class", r["cls"]).Fact("Reference", r["ref"]).String()
	return o, true
}

func twistlock(r row) (gate.Observation, bool) {
	if r["cve"] == "" {
		return gate.Observation{}, false
	}
	var text parsers.Text
	text.Add(r["desc"]).Fact("Package", strings.TrimSpace(r["packageName"]+" "+r["packageVersion"])).Fact("CVSS score", r["cvss"]).
		Fact("Kind", r["type"]).Fact("Status", r["status"]).Fact("Justification", r["JUSTIFICATION"])
	return gate.Observation{
		Title:                 r["cve"] + ": " + r["packageName"] + " - " + r["packageVersion"],
		Severity:              gate.ParseSeverity(r["severity"]),
		Description:           text.String(),
		Mitigation:            r["status"],
		SeverityJustification: r["vecStr"],
		URL:                   r["link"],
		References:            r["link"],
		VulnerabilityIDs:      []string{r["cve"]},
		ComponentName:         r["packageName"],
		ComponentVersion:      r["packageVersion"],
		Tags:                  []string{"twistlock"},
	}, true
}

// address is the link in a cell that holds an HTML element.
var address = regexp.MustCompile(`https?://[^'"<> ]+`)

func anchore(r row) (gate.Observation, bool) {
	if r["cve"] == "" {
		return gate.Observation{}, false
	}
	link := address.FindString(html.UnescapeString(r["url"]))
	var text parsers.Text
	text.Add("The image "+r["tag"]+" is affected.").Fact("Package", r["vuln"]).Fact("Path", r["package_path"]).Fact("Justification", r["JUSTIFICATION"])
	return gate.Observation{
		Title:            r["cve"] + ": " + r["package"],
		Severity:         gate.ParseSeverity(r["severity"]),
		Description:      text.String(),
		Mitigation:       mitigation(r["fix"]),
		References:       link,
		VulnerabilityIDs: []string{r["cve"]},
		ComponentName:    r["package"],
		FilePath:         r["package_path"],
		Tags:             []string{"anchore"},
	}, true
}

func mitigation(fix string) string {
	if fix == "" || fix == "None" {
		return "No fixed version is known."
	}
	return "Update to version " + fix
}
