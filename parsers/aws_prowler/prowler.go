// Package aws_prowler reads the reports of Prowler 2, the checker of AWS accounts.
//
// Made by "prowler -M csv,json". The JSON report is one object a line, and empty
// when there is nothing:
//
//	{"Profile": "default", "Account Number": "123456789012", "Control": "[check114] Ensure hardware MFA is enabled for the root account",
//	 "Message": "eu-central-1: Only Virtual MFA is enabled for root", "Severity": "Critical", "Status": "FAIL", "Control ID": "1.14",
//	 "Region": "eu-central-1", "Timestamp": "2021-08-23T06:38:46Z", "Risk": "…", "Remediation": "…", "Doc link": "https://…", …}
//
// The CSV report says the same under other names:
//
//	PROFILE,ACCOUNT_NUM,REGION,TITLE_ID,CHECK_RESULT,ITEM_SCORED,ITEM_LEVEL,TITLE_TEXT,CHECK_RESULT_EXTENDED,…,CHECK_SEVERITY,…
//
// What passed is not a finding in JSON. In CSV it is one that is not active, as
// DefectDojo has it. Prowler does not use Informational for what failed: it counts as Low.
package aws_prowler

import (
	"bytes"
	"regexp"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Prowler 2's CSV and JSON.
var Parsers = []parsers.Parser{{
	Name:     "aws_prowler",
	ScanType: "AWS Prowler Scan",
	Files:    "CSV or JSON",
	Command:  "prowler -M csv,json",
	URL:      "https://github.com/prowler-cloud/prowler/tree/2.12.1",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Has("Control", "Message", "Control ID", "Account Number") || s.HasColumns("TITLE_TEXT", "CHECK_RESULT", "CHECK_RESULT_EXTENDED") {
		return parsers.Sure
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	head := make([]byte, 512)
	n, _ := in.Read(head)
	if err := in.Rewind(); err != nil {
		return err
	}
	trimmed := bytes.TrimSpace(head[:n])
	if len(trimmed) == 0 {
		return nil // nothing failed
	}
	read := readCSV
	if trimmed[0] == '{' || trimmed[0] == '[' {
		read = readJSON
	}
	out.Run().Tool = "Prowler"
	key := func(o gate.Observation) string { return o.Title + "\n" + o.Severity.String() }
	return parsers.Once(in, out, key, read)
}

// check is what either format says of a check.
type check struct {
	Account     string      `json:"Account Number"`
	Control     string      `json:"Control"`
	Message     string      `json:"Message"`
	Severity    string      `json:"Severity"`
	Status      string      `json:"Status"`
	Level       stream.Text `json:"Level"`
	ID          stream.Text `json:"Control ID"`
	Region      string      `json:"Region"`
	Timestamp   string      `json:"Timestamp"`
	Compliance  string      `json:"Compliance"`
	Service     string      `json:"Service"`
	Epic        string      `json:"CAF Epic"`
	Risk        string      `json:"Risk"`
	Remediation string      `json:"Remediation"`
	Doc         string      `json:"Doc link"`
	Resource    string      `json:"Resource ID"`
	kind        string
}

func readJSON(in *stream.Input, out *parsers.Report) error {
	one := stream.One(func(c check) error {
		if c.Message == "" {
			return stream.Errorf(`an object has no "Message"`)
		}
		if strings.EqualFold(c.Status, "FAIL") {
			out.Run().Target = c.Account
			out.Emit(c.observation())
		}
		return nil
	})
	return stream.JSONs(in, stream.ByKind(stream.Kinds{'{': one, '[': stream.Array(one)}))
}

func readCSV(in *stream.Input, out *parsers.Report) error {
	return stream.CSV(in, []string{"TITLE_TEXT", "CHECK_RESULT", "CHECK_RESULT_EXTENDED"}, func(r stream.Row) error {
		if r.Get("CHECK_RESULT_EXTENDED") == "" && r.Get("TITLE_TEXT") == "" {
			return nil
		}
		c := check{
			Account: r.Get("ACCOUNT_NUM"), Control: r.Get("TITLE_TEXT"), Message: r.Get("CHECK_RESULT_EXTENDED"), Severity: r.Get("CHECK_SEVERITY"),
			Status: r.Get("CHECK_RESULT"), Level: stream.Text(r.Get("ITEM_LEVEL")), ID: stream.Text(r.Get("TITLE_ID")), Region: r.Get("REGION"),
			Compliance: r.Get("CHECK_ASFF_COMPLIANCE_TYPE"), Service: r.Get("CHECK_SERVICENAME"), Epic: r.Get("CHECK_CAF_EPIC"), Risk: r.Get("CHECK_RISK"),
			Remediation: r.Get("CHECK_REMEDIATION"), Doc: r.Get("CHECK_DOC"), kind: r.Get("CHECK_ASFF_RESOURCE_TYPE"),
		}
		out.Run().Target = c.Account
		out.Emit(c.observation())
		return nil
	})
}

// named splits "[check11] Avoid the use of the root account".
var named = regexp.MustCompile(`^\[(\w+)\]\s*(.*)$`)

// configuration is CWE-1032, the category of security misconfiguration.
const configuration = 1032

func (c check) observation() gate.Observation {
	id, control := "", c.Control
	if m := named.FindStringSubmatch(c.Control); m != nil {
		id, control = m[1], m[2]
	}
	var about parsers.Text
	about.Add(c.Message).Fact("Control", control).Fact("Check", id).Fact("CIS control", strings.Trim(string(c.ID+", "+c.Level), ", ")).
		Fact("AWS account", c.Account).Fact("Region", c.Region).Fact("AWS service", c.Service).Fact("Resource", c.Resource).
		Fact("Kind of resource", c.kind).Fact("Compliance", c.Compliance).Fact("Security domain", c.Epic)
	o := gate.Observation{
		Title:       c.Message,
		Severity:    gate.ParseSeverity(c.Severity),
		Description: about.String(),
		Mitigation:  c.Remediation,
		Impact:      c.Risk,
		References:  c.Doc,
		CWE:         configuration,
		Check:       id,
		Date:        parsers.ParseDate(c.Timestamp),
	}
	switch strings.ToUpper(c.Status) {
	case "PASS", "INFO":
		o.Severity, o.Active = gate.Info, new(false)
	default:
		o.Severity = max(o.Severity, gate.Low)
	}
	return o
}
