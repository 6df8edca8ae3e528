// Package xygeni reads the JSON reports of the Xygeni scanner: of code (SAST),
// of dependencies (SCA) and of secrets.
//
// Made by "xygeni sast --format=json --output=sast.json", and so with "deps" and
// "secrets":
//
//	{"metadata": {"scanType": "sast", "timestamp": "…", "projectName": "…", "reportProperties": {"tool.version": "6.7.0"}},
//	 "vulnerabilities": [{"detector": "python.sql_injection", "severity": "high", "location": {"filepath": "a.py",
//	   "beginLine": 3, "code": "…"}, "cwes": ["CWE-89"], "uniqueHash": "…", "explanation": "…", "codeFlows": […]}],
//	 "dependencies": [{"name": "cookie", "version": "0.5.0", "ecosystem": "npm", "vulnerabilities": [{"id": "CVE-…"}]}],
//	 "secrets": [{"detector": "private_key", "type": "…", "location": {…}, "uniqueHash": "…"}],
//	 "errors": [{"description": "…", "file": "…"}]}
//
// A report has the list of its kind. The kind is in the report: each scan type
// takes them all, as DefectDojo's do. A secret that stands several times in one
// file is listed as often, with one hash: that is one finding.
package xygeni

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Xygeni's JSON.
var Parsers = []parsers.Parser{
	parser("SAST", "xygeni sast --format=json --output=sast.json", "sast"),
	parser("SCA", "xygeni deps --format=json --output=deps.json", "sca", "deps"),
	parser("Secrets", "xygeni secrets --format=json --output=secrets.json", "secrets"),
}

func parser(name, command string, kinds ...string) parsers.Parser {
	return parsers.Parser{
		Name:     "xygeni",
		ScanType: "Xygeni " + name + " Scan",
		Files:    "JSON",
		Command:  command,
		URL:      "https://docs.xygeni.io/xygeni-scanner-cli",
		Analysis: gate.Static,
		Detect:   func(s *parsers.Sample) parsers.Likeness { return detect(s, kinds) },
		Parse:    parse,
	}
}

func detect(s *parsers.Sample, kinds []string) parsers.Likeness {
	if !s.Has("metadata.scanType") || !strings.Contains(s.Value("metadata.format")+s.Value("metadata.reportProperties.tool.name"), "ygeni") {
		return parsers.No
	}
	for _, k := range kinds {
		if s.Value("metadata.scanType") == k {
			return parsers.Sure
		}
	}
	return parsers.Possible
}

type location struct {
	Path  stream.Text `json:"filepath"`
	Begin stream.Int  `json:"beginLine"`
	End   stream.Int  `json:"endLine"`
	Code  stream.Text `json:"code"`
}

func (l location) place() string { return parsers.Place(string(l.Path), l.Begin.Ptr()) }

type metadata struct {
	Timestamp stream.Text `json:"timestamp"`
	Project   stream.Text `json:"projectName"`
	Directory stream.Text `json:"directory"`
	ScanType  stream.Text `json:"scanType"`
	SCM       struct {
		Branch stream.Text `json:"branch"`
		Commit stream.Text `json:"revision"`
	} `json:"scm"`
	Properties map[string]stream.Text `json:"reportProperties"`
}

type problem struct {
	Description stream.Text `json:"description"`
	File        stream.Text `json:"file"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	lines, err := secretLines(in)
	if err != nil {
		return err
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	run := out.Run()
	run.Tool = "Xygeni"
	return stream.JSON(in, stream.Object(stream.Fields{
		"metadata": stream.One(func(m metadata) error {
			run.Version = string(m.Properties["tool.version"])
			run.Target = parsers.First(string(m.Project), string(m.Directory))
			run.StartedAt = parsers.ParseTime(string(m.Timestamp))
			run.Revision = string(m.SCM.Commit)
			return nil
		}),
		"vulnerabilities": stream.Each(func(f flaw) error {
			out.Emit(f.observation())
			return nil
		}),
		"dependencies": stream.Each(func(d dependency) error {
			d.put(out)
			return nil
		}),
		"secrets": stream.Each(func(s secret) error {
			if found, more := lines[s.key()]; more {
				delete(lines, s.key())
				out.Emit(s.observation(found))
			}
			return nil
		}),
		"errors": stream.Each(func(p problem) error {
			reason, _, _ := strings.Cut(strings.TrimSpace(string(p.Description)), "\n")
			out.Problem("%s", strings.TrimPrefix(string(p.File)+": "+reason, ": "))
			return nil
		}),
	}, "metadata"))
}

// kinds are the values of scanType that are read here; Xygeni has others, for
// infrastructure code and for pipelines.
var kinds = map[stream.Text]bool{"sast": true, "sca": true, "deps": true, "secrets": true}

// secretLines checks the report's kind and returns the lines of each secret.
func secretLines(in *stream.Input) (map[string][]int, error) {
	lines := map[string][]int{}
	err := stream.JSON(in, stream.Object(stream.Fields{
		"metadata": stream.One(func(m metadata) error {
			switch {
			case m.ScanType == "":
				return stream.Errorf(`the report does not say its kind: there is no "scanType" in "metadata"`)
			case !kinds[m.ScanType]:
				return stream.Errorf("a Xygeni report of the kind %q is not one of code, dependencies or secrets", m.ScanType)
			}
			return nil
		}),
		"secrets": stream.Each(func(s secret) error {
			lines[s.key()] = append(lines[s.key()], s.Location.Begin.N)
			return nil
		}),
	}, "metadata"))
	return lines, err
}

// weaknesses reads all CWE numbers, the first of which is the main one.
func weaknesses(main stream.Text, all []stream.Text) (int, []int) {
	var list []int
	for _, s := range all {
		if n := gate.ParseCWE(string(s)); n > 0 {
			list = append(list, n)
		}
	}
	first := gate.ParseCWE(string(main))
	if first == 0 && len(list) > 0 {
		first = list[0]
	}
	return first, list
}
