// Package sonarqube reads what SonarQube found: the reports of the tool
// sonar-report, as HTML and JSON, and the answers of SonarQube's own web API.
//
// Made by "sonar-report --sonarurl=URL --sonarcomponent=shop --output=report.html",
// whose JSON form has the same contents:
//
//	{"projectName": "shop", "sonarBaseURL": "…", "rules": {"python:S4502": {"name": "…", "htmlDesc": "<p>…</p>", "severity": "CRITICAL"}},
//	 "issues": [{"rule": "python:S4502", "severity": "CRITICAL", "status": "TO_REVIEW", "component": "app.py", "line": 8,
//	   "description": "…", "message": "…", "key": "AYvN…"}]}
//
// or by "curl -u TOKEN: URL/api/issues/search?componentKeys=shop", a zip archive of
// several such answers too:
//
//	{"issues": [{"key": "…", "rule": "…", "severity": "MAJOR", "component": "shop:src/a.ts", "project": "shop", "line": 59,
//	   "status": "OPEN", "message": "…", "tags": ["cve"], "creationDate": "2023-10-16T15:05:35+0000", "type": "VULNERABILITY"}],
//	 "components": [], "paging": {}}
//
// Rules may stand behind the issues, so a report is read twice. "SonarQube Scan
// detailed" makes a finding of each issue of sonar-report; "SonarQube Scan" one of
// all issues of a rule in a file.
package sonarqube

import (
	"path"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers read sonar-report's and SonarQube's reports, together or one by one.
var Parsers = []parsers.Parser{{
	Name:     "sonarqube",
	ScanType: "SonarQube Scan",
	Files:    "HTML, JSON, or a zip archive of JSON",
	Command:  "sonar-report --sonarurl=URL --sonarcomponent=shop --output=report.html",
	URL:      "https://github.com/soprasteria/sonar-report",
	Analysis: gate.Static,
	Detect:   func(s *parsers.Sample) parsers.Likeness { return detect(s, parsers.Sure) },
	Parse:    func(in *stream.Input, out *parsers.Report) error { return parse(in, out, true) },
}, {
	Name:     "sonarqube",
	ScanType: "SonarQube Scan detailed",
	Files:    "HTML, JSON, or a zip archive of JSON",
	Command:  "sonar-report --sonarurl=URL --sonarcomponent=shop --output=report.html",
	URL:      "https://github.com/soprasteria/sonar-report",
	Analysis: gate.Static,
	Detect:   func(s *parsers.Sample) parsers.Likeness { return detect(s, parsers.Likely) },
	Parse:    func(in *stream.Input, out *parsers.Report) error { return parse(in, out, false) },
}}

func detect(s *parsers.Sample, best parsers.Likeness) parsers.Likeness {
	switch {
	case s.Format == parsers.HTML && s.Contains("SonarQube", "Report"):
		return best
	case s.Has("sonarBaseURL"), s.Has("issues[].component", "issues[].rule", "paging"), s.Has("issues[].textRange", "issues[].rule"):
		return best
	case s.Has("issues", "paging"), s.Has("hotspots", "paging"):
		return best - 1
	case s.Format == parsers.Zip:
		for _, m := range s.Members {
			if strings.HasSuffix(m, ".json") {
				return parsers.Possible
			}
		}
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report, together bool) error {
	out.Run().Tool = "SonarQube"
	head := make([]byte, 4)
	n, _ := in.Read(head)
	if n == 0 {
		return stream.Errorf("the report is empty")
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	g := newGroups(together)
	var err error
	switch text := string(head[:n]); {
	case strings.HasPrefix(text, "PK"):
		err = stream.Zip(in, func(m stream.Member) error {
			if path.Ext(m.Name) != ".json" {
				return nil
			}
			file, err := m.Open()
			if err != nil {
				return err
			}
			return parseJSON(file, out, g)
		})
	case strings.HasPrefix(strings.TrimSpace(text), "<"):
		err = parseHTML(in, out, g)
	default:
		err = parseJSON(in, out, g)
	}
	if err == nil {
		g.emit(out)
	}
	return err
}
