// Package mobsf reads the reports of MobSF, the analyser of mobile apps, and of
// mobsfscan, its analyser of their source. QARK's list of findings is read too.
//
// MobSF's is made by its API, "curl -X POST …/api/v1/report_json", for Android:
//
//	{"version": "v3.4.3 Beta", "title": "Static Analysis", "file_name": "app.apk", "package_name": "org.example.app",
//	 "permissions": {"android.permission.CAMERA": {"status": "dangerous", "info": "…", "description": "…"}},
//	 "certificate_analysis": {"certificate_findings": [["info", "…", "Signed Application"]]},
//	 "manifest_analysis": {"manifest_findings": [{"title": "…", "severity": "warning", "description": "…"}]},
//	 "code_analysis": {"findings": {"android_logging": {"files": {"a.java": "218,332"}, "metadata": {"severity": "info", "description": "…"}}}},
//	 "android_api": {"api_ipc": {"files": {…}, "metadata": {"description": "Inter Process Communication", "severity": "info"}}},
//	 "binary_analysis": [{"name": "lib/a.so", "nx": {"severity": "info", "description": "…"}}]}
//
// for iOS with permissions as a list and binary_analysis as an object of named
// findings. Before version 3.4.1, code_analysis had its findings without
// "findings" around them. Severities are high, warning, info, good and secure.
//
// mobsfscan's is made by "mobsfscan --json -o mobsfscan.json src":
//
//	{"errors": [], "mobsfscan_version": "0.0.6", "results": {"android_logging": {"files": [{"file_path": "a.kt",
//	  "match_lines": [10, 10], "match_string": "…"}], "metadata": {"cwe": "CWE-532 …", "description": "…", "severity": "INFO"}}}}
package mobsf

import (
	"strconv"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads both formats under both names.
var Parsers = []parsers.Parser{{
	Name:     "mobsf",
	ScanType: "MobSF Scan",
	Files:    "JSON",
	Command:  "curl -X POST --url http://localhost:8000/api/v1/report_json --data hash=… -H Authorization:…",
	URL:      "https://mobsf.github.io/docs/",
	Analysis: gate.Static,
	Detect:   func(s *parsers.Sample) parsers.Likeness { return detect(s, false) },
	Parse:    parse,
}, {
	Name:     "mobsf",
	ScanType: "Mobsfscan Scan",
	Files:    "JSON",
	Command:  "mobsfscan --json -o mobsfscan.json src",
	URL:      "https://github.com/MobSF/mobsfscan",
	Analysis: gate.Static,
	Detect:   func(s *parsers.Sample) parsers.Likeness { return detect(s, true) },
	Parse:    parse,
}}

func detect(s *parsers.Sample, source bool) parsers.Likeness {
	isSource := s.Has("mobsfscan_version")
	switch {
	case isSource && source, s.Has("file_name", "md5", "permissions", "binary_analysis") && !source:
		return parsers.Sure
	case isSource || s.Has("file_name", "md5", "permissions", "binary_analysis"), s.Has("[].category", "[].file_object", "[].apk_exploit_dict") && !source:
		return parsers.Likely
	}
	return parsers.No
}

// findings gathers what a report says several times.
type findings struct {
	out    *parsers.Report
	merged *parsers.Merged
	places int // how many findings have a line
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "MobSF"
	f := &findings{out: out, merged: parsers.Merge(out)}
	known := false
	err := stream.JSON(in, stream.ByKind(stream.Kinds{
		'{': func(d *stream.Decoder) error { return stream.Object(f.sections(&known))(d) },
		'[': func(d *stream.Decoder) error {
			known = true
			return stream.Each(f.addQark)(d)
		},
	}))
	if err != nil {
		return err
	}
	if !known {
		return stream.Errorf("it has none of the sections of a MobSF report, and no mobsfscan \"results\"")
	}
	f.merged.Emit()
	return nil
}

// sections are the keys of both formats that are read.
func (f *findings) sections(known *bool) stream.Fields {
	run := f.out.Run()
	section := func(v stream.Value) stream.Value {
		return func(d *stream.Decoder) error {
			*known = true
			return v(d)
		}
	}
	text := func(p *string) stream.Value {
		return stream.One(func(t stream.Text) error { *p = string(t); return nil })
	}
	return stream.Fields{
		"version":              text(&run.Version),
		"file_name":            text(&run.Target),
		"sha256":               text(&run.Revision),
		"permissions":          section(f.permissions()),
		"certificate_analysis": section(f.certificate()),
		"manifest_analysis":    section(f.manifest()),
		"code_analysis":        section(f.code("code analysis", false)),
		"android_api":          section(f.code("Android API", true)),
		"binary_analysis":      section(f.binaries()),
		"mobsfscan_version":    text(&run.Version),
		"errors": stream.ByKind(stream.Kinds{'n': stream.Skip, '{': stream.Skip, '[': stream.Each(func(e stream.Text) error {
			f.out.Problem("%s", string(e))
			return nil
		})}),
		"results": section(f.results()),
	}
}

// add adds a finding, or counts it again.
func (f *findings) add(o gate.Observation) {
	key := strings.Join([]string{o.Title, o.Severity.String(), o.FilePath, o.Description}, "\x00")
	if o.Line != nil { // a place of its own
		key += "\x00" + strconv.Itoa(f.places)
		f.places++
	}
	f.merged.Count(key, o)
}

// mobile is the weakness that stands for all of mobile apps'.
const mobile = 919

// finding returns one of an app's findings.
func finding(section, title string, severity gate.Severity, description string) gate.Observation {
	var text parsers.Text
	text.Add(parsers.Markdown(description)).Fact("Section", section)
	return gate.Observation{Title: title, Severity: severity, Description: text.String(), CWE: mobile}
}

// severityOf reads MobSF's words.
func severityOf(word string) gate.Severity {
	switch strings.ToLower(word) {
	case "high":
		return gate.High
	case "warning", "medium":
		return gate.Low // MobSF's middle grade is a hint at hardening
	}
	return gate.Info
}
