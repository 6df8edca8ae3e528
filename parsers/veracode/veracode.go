// Package veracode reads Veracode's detailed report as XML, and the JSON of its
// Findings API.
//
// Made by "java -jar vosp-api-wrapper.jar -action detailedreport …":
//
//	<detailedreport app_name="shop" app_id="402332" last_update_time="2018-05-26 00:06:22 UTC">
//	  <static-analysis engine_version="1"/>
//	  <severity level="2"><category categoryname="…"><recommendations><para text="…"><bulletitem text="…"/></para></recommendations>
//	    <cwe cweid="113"><staticflaws><flaw severity="2" categoryname="…" issueid="18" module="a.war" type="f" description="…"
//	      cweid="201" sourcefile="a.jsp" sourcefilepath="/x/" line="279" functionrelativelocation="80" functionprototype="…"
//	      mitigation_status="accepted" remediation_status="Open" cia_impact="PNN"><mitigations>…</mitigations></flaw></staticflaws></cwe>
//	  </category></severity>
//	  <software_composition_analysis><vulnerable_components><component library="a" version="1" library_id="maven:g:a:1:">
//	    <vulnerabilities><vulnerability cve_id="CVE-…" cvss_score="5.8" severity="3" cwe_id="CWE-20, CWE-295" cve_summary="…"/></vulnerabilities>
//	  </component></vulnerable_components></software_composition_analysis></detailedreport>
//
// A line is that of the function; the flaw is so many lines further. Dynamic flaws
// have a url. The JSON is made by "http https://api.veracode.com/appsec/v2/applications/ID/findings":
//
//	{"_embedded": {"findings": [{"issue_id": 1, "scan_type": "STATIC", "description": "<span>…</span>", "count": 1, "violates_policy": true,
//	   "finding_status": {"status": "OPEN"}, "finding_details": {"severity": 3, "cwe": {"id": 80, "name": "…"}, "file_path": "a.jsp",
//	   "file_line_number": 50, "finding_category": {"name": "…"}, "procedure": "…"}}]}}
//
// or the bare {"findings": []}. Closed findings are left out.
package veracode

import (
	"fmt"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Veracode's XML and JSON.
var Parsers = []parsers.Parser{{
	Name:     "veracode",
	ScanType: "Veracode Scan",
	Files:    "XML or JSON",
	Command:  "java -jar vosp-api-wrapper.jar -action detailedreport -buildid ID -outputfilepath report.xml",
	URL:      "https://docs.veracode.com/r/c_api_detailedreport",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Root == "detailedreport":
		return parsers.Sure
	case s.Has("findings[].finding_details", "findings[].scan_type"), s.Has("_embedded.findings[].finding_details"):
		return parsers.Sure
	case s.Has("_embedded.findings"):
		return parsers.Likely
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	first := make([]byte, 1)
	for first[0] <= ' ' {
		if n, err := in.Read(first); n == 0 || err != nil {
			return stream.Errorf("the report is empty")
		}
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	out.Run().Tool = "Veracode"
	switch first[0] {
	case '<':
		return parseXML(in, out)
	case '{':
		return parseJSON(in, out)
	}
	return fmt.Errorf("neither XML nor JSON: it begins with %q", first)
}

// severity is Veracode's level, of which 5 is "very high" and 1 "very low".
func severity(level int) gate.Severity {
	switch level {
	case 5:
		return gate.Critical
	case 4:
		return gate.High
	case 3:
		return gate.Medium
	case 2:
		return gate.Low
	}
	return gate.Info
}
