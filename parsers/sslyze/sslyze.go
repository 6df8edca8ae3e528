// Package sslyze reads the reports of SSLyze, the analyser of TLS servers: JSON,
// and the XML that versions before 3 wrote.
//
// Made by "sslyze --json_out=sslyze.json example.org":
//
//	{"sslyze_version": "5.0.0", "date_scans_started": "…", "server_scan_results": [{
//	  "server_location": {"hostname": "example.org", "ip_address": "192.0.2.7", "port": 443}, "scan_status": "COMPLETED",
//	  "scan_result": {"heartbleed": {"status": "COMPLETED", "result": {"is_vulnerable_to_heartbleed": false}},
//	    "tls_1_2_cipher_suites": {"status": "COMPLETED", "result": {"is_tls_version_supported": true,
//	      "accepted_cipher_suites": [{"cipher_suite": {"name": "TLS_…"}}]}}}}]}
//
// Versions 3 and 4 wrote server_info.server_location and scan_commands_results,
// without "status" and "result" around each result. The XML has one <target> for
// each server with an element for each check.
//
// SSLyze names facts; what of them is a finding follows the TLS recommendations
// of the German BSI, TR-02102-2.
package sslyze

import (
	"bytes"
	"io"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads both formats under both names.
var Parsers = []parsers.Parser{{
	Name:     "sslyze",
	ScanType: "SSLyze Scan (JSON)",
	Files:    "JSON",
	Command:  "sslyze --json_out=sslyze.json example.org",
	URL:      "https://nabla-c0d3.github.io/sslyze/documentation/json-output.html",
	Analysis: gate.Static,
	Detect:   func(s *parsers.Sample) parsers.Likeness { return detect(s, parsers.JSON) },
	Parse:    parse,
}, {
	Name:     "sslyze",
	ScanType: "Sslyze Scan",
	Files:    "XML or JSON",
	Command:  "sslyze --xml_out=sslyze.xml example.org",
	URL:      "https://github.com/nabla-c0d3/sslyze",
	Analysis: gate.Static,
	Detect:   func(s *parsers.Sample) parsers.Likeness { return detect(s, parsers.XML) },
	Parse:    parse,
}}

func detect(s *parsers.Sample, format parsers.Format) parsers.Likeness {
	if !s.Has("server_scan_results", "sslyze_version") && (s.Root != "document" || s.Attrs["SSLyzeVersion"] == "") {
		return parsers.No
	}
	if s.Format == format {
		return parsers.Sure
	}
	return parsers.Likely
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "SSLyze"
	head := make([]byte, 512)
	n, _ := io.ReadFull(in, head) // whatever is wrong with it is for the reader to say
	if err := in.Rewind(); err != nil {
		return err
	}
	if bytes.HasPrefix(bytes.TrimSpace(head[:n]), []byte("<")) {
		return parseXML(in, out)
	}
	return parseJSON(in, out)
}
