// Package deepfence_threatmapper reads the spreadsheets of Deepfence ThreatMapper: vulnerabilities, secrets, malware and compliance.
//
// Made by the console's Integrations › Downloads › XLSX, or its REST API's reports. Each has one sheet; the columns, by version:
//
//	vulnerabilities: @timestamp, cve_attack_vector, cve_caused_by_package, cve_container_image, cve_id, cve_severity, cve_fixed_in, cve_link, host_name, …
//	                 or CVE ID, Severity, Attack Vector, Caused By Package, CVSS Score, Description, Fixed In, Link, Type, Node Name, …
//	secrets:         Filename, Content, Name, Rule, Severity, Node Name, Container Name, Kubernetes Cluster Name, Signature
//	malware:         Rule Name, Class, File Name, Summary, Severity, Node Name, NodeType, Container Name, …; newer ones have no Class
//	compliance:      @timestamp, compliance_check_type, status, test_category, test_desc, test_info, test_number, node_id, host_name, …
//
// A secret's content is masked. Compliance checks that passed are in it, with the status "pass".
package deepfence_threatmapper

import (
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads ThreatMapper's spreadsheets.
var Parsers = []parsers.Parser{{
	Name:     "deepfence_threatmapper",
	ScanType: "Deepfence Threatmapper Report",
	Files:    "XLSX",
	Command:  "ThreatMapper: Integrations, Downloads, XLSX",
	URL:      "https://docs.deepfence.io/threatmapper/docs/",
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	for _, columns := range [][]string{
		{"cve_id", "cve_caused_by_package"},
		{"CVE ID", "Caused By Package"},
		{"Rule Name", "File Name", "Node Name"},
		{"Filename", "Content", "Name", "Rule", "Node Name"},
		{"compliance_check_type", "test_number", "node_id"},
	} {
		if s.HasSheet(columns...) {
			return parsers.Sure
		}
	}
	if slices.Contains(s.Members, "xl/workbook.xml") {
		return parsers.Possible
	}
	return parsers.No
}

// row is a record of a sheet, by its columns in lower case, "cve_" and "_" left out: "caused by package".
type row map[string]string

func (r row) get(columns ...string) string {
	for _, c := range columns {
		if v := strings.TrimSpace(r[c]); v != "" {
			return v
		}
	}
	return ""
}

func (r row) has(columns ...string) bool {
	for _, c := range columns {
		if r[c] == "" {
			return false
		}
	}
	return true
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Deepfence ThreatMapper"
	book, err := stream.OpenWorkbook(in)
	if err != nil {
		return err
	}
	rows, known := 0, 0
	for _, sheet := range book.Sheets() {
		err := book.Rows(sheet, func(cells map[string]string) error {
			r := named(cells)
			if len(r) == 0 {
				return nil
			}
			rows++
			if read := kind(r); read != nil {
				known++
				out.Emit(read(r))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if rows > 0 && known == 0 {
		return stream.Errorf("the workbook has none of ThreatMapper's columns")
	}
	return nil
}

func named(cells map[string]string) row {
	r := row{}
	for column, value := range cells {
		c := strings.Join(strings.Fields(strings.ReplaceAll(strings.ToLower(column), "_", " ")), " ")
		if c != "cve id" {
			c = strings.TrimPrefix(c, "cve ")
		}
		if value != "None" {
			r[c] = value
		}
	}
	return r
}

// kind returns how to read a record, by the columns that are filled in.
func kind(r row) func(row) gate.Observation {
	switch {
	case r.has("rule name") && (r.has("class") || r.has("file name")):
		return malware
	case r.has("filename", "name") || r.has("filename", "content"):
		return secret
	case r.has("cve id") && r.get("caused by package", "attack vector", "description") != "":
		return vulnerability
	case r.get("compliance check type", "compliance standard") != "" || r.has("test number") || r.has("control id", "status"):
		return compliance
	}
	return nil
}

func malware(r row) gate.Observation {
	var text parsers.Text
	text.Add(r.get("summary"))
	facts(&text, r, "Rule", "rule name", "Class", "class", "File", "file name")
	return gate.Observation{
		Title:       r.get("rule name"),
		Severity:    gate.ParseSeverity(r.get("severity", "file severity")),
		Description: where(&text, r),
		FilePath:    r.get("file name"),
		Check:       r.get("rule name"),
	}
}

// secretTitle is the name, which newer reports lack.
func secretTitle(r row) string {
	switch name, rule := r.get("name"), r.get("rule"); {
	case name != "":
		return name
	case rule != "":
		return rule + " in " + r.get("filename")
	}
	return "Secret Finding"
}

func secret(r row) gate.Observation {
	var text parsers.Text
	text.Add("A secret of the kind \"" + parsers.First(r.get("name"), "unknown") + "\" lies in a file that everybody with access to the node or the image can read.")
	facts(&text, r, "Rule", "rule", "File", "filename", "Signature", "signature")
	text.Fact("Content, masked", parsers.Mask(strings.Trim(r.get("content"), `"`)))
	return gate.Observation{
		Title:       secretTitle(r),
		Severity:    gate.ParseSeverity(r.get("severity")),
		Description: where(&text, r),
		FilePath:    r.get("filename"),
		Check:       r.get("rule"),
	}
}

func vulnerability(r row) gate.Observation {
	id := r.get("cve id")
	var text parsers.Text
	text.Add(r.get("description"))
	facts(&text, r, "Vulnerability", "cve id", "Package", "caused by package", "Path of the package", "caused by package path", "Image", "container image", "Image id", "container image id",
		"Attack vector", "attack vector", "CVSS score", "cvss score", "Type", "type", "Exploitability", "exploitability score", "Proof of concept", "exploit poc")
	o := gate.Observation{
		Title:         "Threatmapper_Vuln_Report-" + id,
		Severity:      gate.ParseSeverity(r.get("severity")),
		Description:   where(&text, r),
		Mitigation:    r.get("fixed in"),
		References:    r.get("link"),
		CVE:           id,
		ComponentName: r.get("caused by package"),
		Fix:           parsers.Fixed(r.get("fixed in")),
	}
	return o
}

func compliance(r row) gate.Observation {
	var text parsers.Text
	text.Add(r.get("test desc", "description")).Add(r.get("test info", "info"))
	facts(&text, r, "Benchmark", "compliance check type", "Benchmark", "compliance standard", "Check", "test number", "Check", "control id", "Category", "test category", "Category", "category",
		"Status", "status", "Severity", "test severity", "Resource", "resource", "Count", "count", "Document", "doc id")
	return gate.Observation{
		Title:       "Threatmapper_Compliance_Report-" + r.get("test number", "control id"),
		Severity:    failed(r.get("status")),
		Description: where(&text, r),
		Mitigation:  r.get("remediation", "remediation puppet", "remediation ansible", "remediation script"),
		Check:       r.get("test number", "control id"),
	}
}

// failed rates a check by its status; ThreatMapper gives checks no severity.
func failed(status string) gate.Severity {
	switch strings.ToLower(status) {
	case "warn", "alarm", "fail", "failed":
		return gate.Medium
	}
	return gate.Info
}

// facts adds pairs of a name and a column.
func facts(text *parsers.Text, r row, pairs ...string) {
	for i := 0; i+1 < len(pairs); i += 2 {
		text.Fact(pairs[i], r.get(pairs[i+1]))
	}
}

// where ends a text with the node that a record is about.
func where(text *parsers.Text, r row) string {
	facts(text, r, "Node", "node name", "Node id", "node id", "Node type", "node type", "Node type", "nodetype", "Host", "host name", "Container", "container name",
		"Kubernetes cluster", "kubernetes cluster name", "Cloud account", "cloud account id", "Found", "@timestamp")
	if m := r.get("masked"); m != "" && m != "0" && !strings.EqualFold(m, "false") {
		text.Fact("Masked in ThreatMapper", "yes")
	}
	return text.String()
}
