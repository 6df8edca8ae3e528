// Package gitlab is the shared format of GitLab's security reports: of static
// and dynamic analysis, dependencies, containers, secrets and fuzzing. The
// parsers of the single kinds import it.
//
//	{"version": "15.0.7", "scan": {"type": "sast", "status": "success", "start_time": "2026-01-05T10:00:00",
//	   "scanner": {"id": "semgrep", "name": "Semgrep", "version": "1.97.0"}, "messages": []},
//	 "vulnerabilities": [{"id": "…", "name": "…", "description": "…", "severity": "High", "solution": "…",
//	   "location": {"file": "app.py", "start_line": 7}, "identifiers": [{"type": "cwe", "name": "CWE-89", "value": "89"}],
//	   "links": [{"url": "…"}]}],
//	 "dependency_files": [], "remediations": [{"fixes": [{"id": "…"}], "summary": "…", "diff": "base64"}]}
//
// Before version 15 there were "message", "category", "cve" and "confidence".
// "scan" may stand behind the vulnerabilities, so a report is read twice.
// https://gitlab.com/gitlab-org/security-products/security-report-schemas
package gitlab

import (
	"encoding/base64"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Report is what stands in a report beside its vulnerabilities.
type Report struct {
	Scan Scan

	fixes map[string]remediation // by the id of the vulnerability
	left  map[string]int         // vulnerabilities still to come, by id
	times map[string]int         // how often an id stands in the report, if more than once

	managers map[stream.Text]stream.Text // package managers, by file
}

// Scan is the run that made the report.
type Scan struct {
	Type     stream.Text `json:"type"`
	Status   stream.Text `json:"status"`
	Start    stream.Text `json:"start_time"`
	End      stream.Text `json:"end_time"`
	Scanner  Program     `json:"scanner"`
	Analyzer Program     `json:"analyzer"`
	Messages []struct {
		Level stream.Text `json:"level"`
		Value stream.Text `json:"value"`
	} `json:"messages"`
}

// Program is a scanner, or what runs it.
type Program struct {
	Name    stream.Text `json:"name"`
	Version stream.Text `json:"version"`
}

// remediation is a change that mends some vulnerabilities.
type remediation struct {
	Fixes []struct {
		ID  stream.Text `json:"id"`
		CVE stream.Text `json:"cve"`
	} `json:"fixes"`
	Summary stream.Text `json:"summary"`
	Diff    stream.Text `json:"diff"`
}

// Read puts out what observe makes of each vulnerability of a report.
func Read(in *stream.Input, out *parsers.Report, observe func(Report, Vulnerability) gate.Observation) error {
	return read(in, out, false, observe)
}

// ReadOnce does the same, but of several vulnerabilities with one id, which the
// format calls one finding, the last stands for all.
func ReadOnce(in *stream.Input, out *parsers.Report, observe func(Report, Vulnerability) gate.Observation) error {
	return read(in, out, true, observe)
}

func read(in *stream.Input, out *parsers.Report, once bool, observe func(Report, Vulnerability) gate.Observation) error {
	r, err := readHead(in, out, once)
	if err != nil {
		return err
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	return stream.JSON(in, stream.Object(stream.Fields{"vulnerabilities": stream.Each(func(v Vulnerability) error {
		id := v.id()
		if r.left[id]--; !once || id == "" || r.left[id] == 0 {
			out.Emit(observe(r, v))
		}
		return nil
	})}, "vulnerabilities"))
}

// readHead reads everything but the vulnerabilities.
func readHead(in *stream.Input, out *parsers.Report, once bool) (Report, error) {
	r := Report{fixes: map[string]remediation{}, left: map[string]int{}, times: map[string]int{}, managers: map[stream.Text]stream.Text{}}
	err := stream.JSON(in, stream.Object(stream.Fields{
		"scan": stream.Into(&r.Scan),
		"vulnerabilities": stream.Each(func(v struct {
			ID  stream.Text `json:"id"`
			CVE stream.Text `json:"cve"`
		},
		) error {
			id := parsers.First(string(v.ID), string(v.CVE))
			if r.left[id]++; once && r.left[id] > 1 {
				r.times[id] = r.left[id]
			}
			return nil
		}),
		"remediations": stream.Each(func(m remediation) error {
			for _, f := range m.Fixes {
				r.fixes[parsers.First(string(f.ID), string(f.CVE))] = m
			}
			return nil
		}),
		"dependency_files": stream.Each(func(f dependencyFile) error {
			r.managers[f.Path] = f.Manager
			f.components(out)
			return nil
		}),
	}, "vulnerabilities"))
	r.describe(out)
	return r, err
}

// describe fills in the run.
func (r Report) describe(out *parsers.Report) {
	run, s := out.Run(), r.Scan
	run.Tool = "GitLab"
	if s.Scanner.Name != "" {
		run.Tool = string(s.Scanner.Name)
	}
	run.Version = string(s.Scanner.Version)
	run.StartedAt, run.FinishedAt = parsers.ParseTime(string(s.Start)), parsers.ParseTime(string(s.End))
	switch s.Status {
	case "success":
		run.Outcome = gate.Succeeded
	case "failure":
		run.Outcome = gate.Failed
	}
	for _, m := range s.Messages {
		if m.Level == "fatal" || m.Level == "error" {
			out.Problem("%s", m.Value)
		}
	}
}

// Date is the day of the scan.
func (r Report) Date() gate.Date {
	return parsers.ParseDate(parsers.First(string(r.Scan.End), string(r.Scan.Start)))
}

// Mitigation is the solution, and the change that mends the vulnerability.
func (r Report) Mitigation(v Vulnerability) string {
	var t parsers.Text
	t.Add(string(v.Solution))
	m, ok := r.fixes[string(v.ID)]
	if !ok {
		m = r.fixes[string(v.CVE)]
	}
	if diff, err := base64.StdEncoding.DecodeString(string(m.Diff)); err == nil {
		t.Add(string(m.Summary)).Code("diff", string(diff))
	}
	return t.String()
}

type dependencyFile struct {
	Path         stream.Text  `json:"path"`
	Manager      stream.Text  `json:"package_manager"`
	Dependencies []Dependency `json:"dependencies"`
}

// purlTypes are the package-URL types of package managers.
var purlTypes = map[string]string{
	"npm": "npm", "yarn": "npm", "pnpm": "npm", "go": "golang", "pip": "pypi", "pipenv": "pypi", "poetry": "pypi", "setuptools": "pypi", "uv": "pypi",
	"bundler": "gem", "composer": "composer", "maven": "maven", "gradle": "maven", "sbt": "maven", "nuget": "nuget", "conan": "conan", "cargo": "cargo",
}

func (f dependencyFile) components(out *parsers.Report) {
	for _, d := range f.Dependencies {
		if d.Package.Name == "" {
			continue
		}
		out.Component(gate.Component{
			Name:    string(d.Package.Name),
			Version: string(d.Version),
			PURL:    purl(f.Manager, d),
			Path:    string(f.Path),
		})
	}
}

// purl is a package's URL, as far as its manager is known.
func purl(manager stream.Text, d Dependency) string {
	return parsers.PURL(purlTypes[strings.ToLower(string(manager))], string(d.Package.Name), string(d.Version))
}

// shapes are what only the places of a kind have, for reports that do not name it.
var shapes = map[string][]string{
	"sast":                {"vulnerabilities[].location.file", "vulnerabilities[].location.start_line"},
	"secret_detection":    {"vulnerabilities[].raw_source_code_extract"},
	"dependency_scanning": {"vulnerabilities[].location.file", "vulnerabilities[].location.dependency.package.name"},
	"container_scanning":  {"vulnerabilities[].location.image"},
	"dast":                {"vulnerabilities[].location.hostname", "vulnerabilities[].evidence"},
	"coverage_fuzzing":    {"vulnerabilities[].location.crash_type"},
}

// Detect tells how much a report looks like one of the kinds.
func Detect(kinds ...string) func(s *parsers.Sample) parsers.Likeness {
	return func(s *parsers.Sample) parsers.Likeness {
		if !s.Has("vulnerabilities") {
			return parsers.No
		}
		scan := s.Value("scan.type")
		for _, k := range kinds {
			if scan == k && s.Has("scan.scanner") {
				if s.Value("scan.scanner.name") == "Checkmarx" {
					return parsers.Likely // surer: its own scan type
				}
				return parsers.Sure
			}
			if scan == "" && s.Value("vulnerabilities[].category") == k && s.Has("vulnerabilities[].identifiers") {
				return parsers.Likely
			}
		}
		for _, k := range kinds {
			if scan == "" && s.Has("vulnerabilities[].identifiers") && s.Has(shapes[k]...) && (k != "sast" || !s.Has("vulnerabilities[].raw_source_code_extract")) {
				return parsers.Likely
			}
		}
		known := scan != "" || s.Value("vulnerabilities[].category") != ""
		if !known && !s.Has("metadata") && (s.Has("vulnerabilities[].identifiers", "vulnerabilities[].location") || !s.Has("vulnerabilities[].id") && s.Value("vulnerabilities[].title") == "") {
			return parsers.Possible
		}
		return parsers.No
	}
}
