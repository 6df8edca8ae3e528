// Package qualys reads the reports of Qualys VMDR, the network scanner: the XML
// and the CSV of a host-based report.
//
// Made by Reports > New > Template Based, with all details, as XML:
//
//	<ASSET_DATA_REPORT><HEADER><GENERATION_DATETIME>…</GENERATION_DATETIME></HEADER><HOST_LIST><HOST><IP>192.0.2.7</IP>
//	  <DNS>a.example.org</DNS><OPERATING_SYSTEM>…</OPERATING_SYSTEM><VULN_INFO_LIST><VULN_INFO><QID id="qid_38140">38140</QID>
//	    <TYPE>Vuln</TYPE><PORT>443</PORT><RESULT>…</RESULT><LAST_FOUND>2019-07-31T21:57:48Z</LAST_FOUND><VULN_STATUS>New</VULN_STATUS>
//	  </VULN_INFO></VULN_INFO_LIST></HOST></HOST_LIST>
//	  <GLOSSARY><VULN_DETAILS_LIST><VULN_DETAILS id="qid_38140"><TITLE>…</TITLE><SEVERITY>3</SEVERITY>…
//
// What a vulnerability is stands after the hosts, so the report is read twice.
// Severity 1 to 5 is Info to Critical. What is neither new, active nor re-opened
// is fixed, or was only gathered ("Ig"): it is not active.
//
// CSV comes in two layouts: that of the same report, whose dates are month
// first, and that of PCI scans in capitals. Rows of one QID are one finding.
package qualys

import (
	"bytes"
	"io"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Qualys' XML and CSV.
var Parsers = []parsers.Parser{{
	Name:     "qualys",
	ScanType: "Qualys Scan",
	Files:    "XML or CSV",
	Command:  "Reports > New > Scan Report > Template Based, as XML or CSV",
	URL:      "https://docs.qualys.com/en/vm/latest/reports/reports_overview.htm",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Root == "ASSET_DATA_REPORT" || s.HasColumns("ip", "qid", "title", "vuln status"):
		return parsers.Sure
	case s.HasColumns("ip", "qid", "vuln title", "is_pci"), s.HasColumns("qid", "q_severity"):
		return parsers.Likely // HackerGuardian writes it too
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Qualys"
	head := make([]byte, 512)
	n, _ := io.ReadFull(in, head) // whatever is wrong with it is for the reader to say
	if err := in.Rewind(); err != nil {
		return err
	}
	if bytes.HasPrefix(bytes.TrimSpace(head[:n]), []byte("<")) {
		return parseXML(in, out)
	}
	return parseCSV(in, out)
}

// details is what the glossary says of a QID.
type details struct {
	title, severity, category, threat, impact, solution, cvss3 string
	cves, vendor                                               []string
}

func parseXML(in *stream.Input, out *parsers.Report) error {
	glossary, err := readGlossary(in)
	if err != nil {
		return err
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	run := out.Run()
	return stream.XML(in, []string{"ASSET_DATA_REPORT"}, stream.Elements{
		"ASSET_DATA_REPORT/HEADER/GENERATION_DATETIME": stream.CharData(func(s string) error { run.FinishedAt = parsers.ParseTime(s); return nil }),
		"ASSET_DATA_REPORT/HOST_LIST/HOST": stream.Record(func(h *stream.Node) error {
			run.Target = parsers.First(run.Target, h.Get("DNS"), h.Get("IP"))
			for v := range h.Each("VULN_INFO_LIST/VULN_INFO") {
				out.Emit(fromXML(h, v, glossary[v.At("QID").Attr("id")]))
			}
			return nil
		}),
	})
}

func readGlossary(in *stream.Input) (map[string]details, error) {
	glossary := map[string]details{}
	err := stream.XML(in, []string{"ASSET_DATA_REPORT"}, stream.Elements{
		"*/VULN_DETAILS": stream.Record(func(n *stream.Node) error {
			d := details{
				title: n.Get("TITLE"), severity: n.Get("SEVERITY"), category: n.Get("CATEGORY"), threat: n.Get("THREAT"), impact: n.Get("IMPACT"), solution: n.Get("SOLUTION"), cvss3: inParentheses(n.Get("CVSS3_SCORE/CVSS3_BASE")),
			}
			for c := range n.Each("CVE_ID_LIST/CVE_ID") {
				d.cves = append(d.cves, c.Get("ID"))
			}
			for c := range n.Each("VENDOR_REFERENCE_LIST/VENDOR_REFERENCE") {
				d.vendor = append(d.vendor, "- ["+c.Get("ID")+"]("+c.Get("URL")+")")
			}
			glossary[n.Attr("id")] = d
			return nil
		}),
	})
	return glossary, err
}

func fromXML(h, v *stream.Node, d details) gate.Observation {
	id := v.At("QID").Attr("id")
	var text parsers.Text
	text.Add(parsers.Markdown(d.threat)).Fact("Kind", kinds[v.Get("TYPE")]).Fact("Category", d.category).Fact("QID", v.Get("QID")).
		Fact("Port", strings.Trim(v.Get("PORT")+"/"+v.Get("PROTOCOL"), "/")).Fact("Host", strings.TrimSpace(h.Get("DNS")+" "+h.Get("IP"))).Fact("System", h.Get("OPERATING_SYSTEM")).
		Fact("First found", v.Get("FIRST_FOUND")).Fact("Last found", v.Get("LAST_FOUND")).Fact("Times found", v.Get("TIMES_FOUND"))
	if result := v.Get("RESULT"); result != "" {
		text.Add("What the scanner saw:").Code("", result)
	}
	o := gate.Observation{
		Title:            "QID-" + v.Get("QID") + " | " + d.title,
		Severity:         parsers.Rank(d.severity, 1),
		Description:      text.String(),
		Impact:           parsers.Markdown(d.impact),
		Mitigation:       parsers.Markdown(d.solution),
		References:       strings.Join(append([]string{id}, d.vendor...), "\n"),
		RuleID:           id,
		VulnerabilityIDs: d.cves,
		Date:             parsers.ParseDate(v.Get("LAST_FOUND")),
		Verified:         true,
		Endpoints:        []string{parsers.Endpoint(parsers.First(h.Get("DNS"), v.Get("FQDN"), h.Get("IP")))},
	}
	status(&o, v.Get("VULN_STATUS"), parsers.First(v.Get("LAST_FIXED"), v.Get("LAST_FOUND")))
	if score := stream.ParseFloat(v.Get("CVSS3_FINAL")); score.OK && score.F > 0 {
		o.CVSSv3Score = score.Ptr() // with what is known of the asset, for which there is no vector
	} else if d.cvss3 != "" && v.Has("CVSS3_FINAL") {
		parsers.SetCVSS(&o, "CVSS:3.0/"+d.cvss3)
	}
	return o
}

// kinds are the types of a QID.
var kinds = map[string]string{"Ig": "Information gathered", "Vuln": "Vulnerability", "Practice": "Potential vulnerability"}

// status reads whether the vulnerability is there.
func status(o *gate.Observation, word, when string) {
	switch strings.ToLower(word) {
	case "new", "active", "re-opened", "reopened":
	default:
		o.Active, o.Mitigated, o.MitigatedAt = new(false), true, parsers.ParseTime(when)
	}
}
