// Package qualys_vmdr reads the CSV exports of Qualys VMDR's vulnerabilities.
//
// Made by VMDR, Vulnerabilities, Download, as CSV, listed by CVE or by QID. Three
// lines about the report, the company and the user come before the header:
//
//	"Asset Vuln Datalist Report","04 Feb 2026 10:00AM GMT-0500","1"
//	"Example","…"
//	"A. User","…"
//	"CVE","CVE-Description","CVSSv3.1 Base (nvd)","QID","Title","Severity","KB Severity","Type Detected","Last Detected","First Detected", …
//
// An export by QID has no columns for CVE. Severity goes from 1 to 5. What has
// no value may be "'-". The asset's addresses are a list.
package qualys_vmdr

import (
	"bufio"
	"strings"
	"time"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Qualys VMDR's CSV.
var Parsers = []parsers.Parser{{
	Name:     "qualys_vmdr",
	ScanType: "Qualys VMDR",
	Files:    "CSV",
	Command:  "Qualys VMDR: Vulnerabilities, Download, CSV",
	URL:      "https://docs.qualys.com/en/vmdr/latest/",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Contains("Asset Vuln Datalist Report", "QID"):
		return parsers.Sure
	case s.Contains("TruRisk Score", "QID", "Asset IPV4"):
		return parsers.Sure
	}
	return parsers.No
}

// maxPreamble is how many lines may stand before the header.
const maxPreamble = 20

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Qualys VMDR"
	b := bufio.NewReaderSize(in, 1<<20)
	for range maxPreamble {
		head, err := b.Peek(1 << 20)
		if len(head) == 0 {
			if err != nil && gate.KindOf(err) != gate.Internal {
				return err
			}
			break
		}
		line, _, _ := strings.Cut(string(head), "\n")
		if fields := strings.ToLower(line); strings.Contains(fields, "qid") && strings.Contains(fields, "title") {
			return stream.Records(b, ',', []string{"QID", "Title", "Severity"}, func(r stream.Row) error {
				out.Emit(observation(row{r}))
				return nil
			})
		}
		if _, date, ok := strings.Cut(line, `Report","`); ok && run.FinishedAt.IsZero() {
			date, _, _ = strings.Cut(date, `"`)
			run.FinishedAt, _ = time.Parse("02 Jan 2006 03:04PM GMT-0700", date)
		}
		if _, err := b.Discard(min(len(line)+1, len(head))); err != nil {
			return err
		}
	}
	return stream.Errorf(`there is no header with the columns "QID" and "Title"`)
}

// row is a record whose empty values Qualys writes as "'-".
type row struct{ stream.Row }

func (r row) get(columns ...string) string {
	if v := r.Get(columns...); v != "'-" && v != "-" {
		return v
	}
	return ""
}

func (r row) list(column string) []string {
	return strings.FieldsFunc(r.get(column), func(c rune) bool { return c == ',' || c == ';' })
}

func observation(r row) gate.Observation {
	cve := r.get("CVE")
	o := gate.Observation{
		Title:            r.get("Title"),
		Severity:         parsers.Rank(r.get("Severity"), 1),
		Description:      describe(r),
		Mitigation:       r.get("Solution"),
		Impact:           r.get("Threat"),
		RuleID:           parsers.First(cve, r.get("QID")),
		UniqueID:         r.get("QID"),
		VulnerabilityIDs: parsers.CVEs(cve),
		ComponentName:    r.get("Asset Name"),
		Service:          r.get("Category"),
		Date:             date(r.get("First Detected")),
		PublishDate:      date(r.get("Published Date")),
		Tags:             r.list("Asset Tags"),
		CVSSv3Score:      stream.ParseFloat(r.get("CVSSv3.1 Base (nvd)")).Ptr(),
	}
	var why parsers.Text
	o.SeverityJustification = why.Add("Qualys rates it "+r.get("Severity")+" of 5.").Fact("Of the knowledge base", r.get("KB Severity")).Fact("QVS", r.get("QVS Score", "QDS")).Fact("TruRisk", r.get("TruRisk Score")).String()
	if strings.EqualFold(r.get("Status"), "FIXED") || strings.EqualFold(r.get("Disabled"), "Yes") && r.get("Status") == "" {
		o.Active = new(false)
	}
	addresses := r.list("Asset IPV4")
	if len(addresses) == 0 {
		addresses = r.list("Asset IPV6")
	}
	for _, a := range addresses {
		o.Endpoints = append(o.Endpoints, parsers.HostPort("", a, ""))
	}
	return o
}

// date reads "Feb 03, 2026 07:00 AM".
func date(s string) gate.Date {
	if t, err := time.Parse("Jan 2, 2006 03:04 PM", s); err == nil {
		return gate.DateOf(t)
	}
	return parsers.ParseDate(s)
}

// facts are the columns that a description tells, with their names.
var facts = [][2]string{
	{"CVE", "CVE"},
	{"QID", "QID"},
	{"Category", "Category"},
	{"RTI", "Threat indicators"},
	{"Operating System", "Operating system"},
	{"Type Detected", "Detection"},
	{"Protocol", "Protocol"},
	{"Port", "Port"},
	{"Status", "Status"},
	{"First Detected", "First detected"},
	{"Last Detected", "Last detected"},
	{"Times Detected", "Times detected"},
	{"Last Fixed", "Last fixed"},
	{"Last Reopened", "Last reopened"},
	{"Patch Released", "Patch released"},
	{"Vuln Patchable", "Patch available"},
	{"Ignored", "Ignored"},
	{"CVSSv2 Base (nvd)", "CVSS 2"},
	{"MITRE ATT&CK TACTIC NAME", "ATT&CK tactic"},
	{"MITRE ATT&CK TECHNIQUE NAME", "ATT&CK technique"},
	{"Asset Id", "Asset"},
}

func describe(r row) string {
	var text parsers.Text
	text.Add(r.get("CVE-Description"))
	for _, f := range facts {
		text.Fact(f[1], r.get(f[0]))
	}
	if results := r.get("Results"); results != "" {
		text.Add("**Results:**").Code("", results)
	}
	return text.String()
}
