// Package wizcli is the shared format of Wiz's command: what it finds in a directory, an image or infrastructure as code.
//
// A report is one object, {"createdAt": "…", "status": {"state": "SUCCESS", "verdict": "WARN_BY_POLICY"},
// "scanOriginResource": {"name": "…"}, "result": {…}}. Of the result count:
//
//	"osPackages", "libraries": [{"name": "golang.org/x/net", "version": "0.14.0", "path": "/go.mod",
//	  "vulnerabilities": [{"name": "CVE-2023-44487", "severity": "MEDIUM", "fixedVersion": "0.17.0", "source": "https://…",
//	    "score": 7.5, "exploitabilityScore": 3.9, "hasExploit": true, "hasCisaKevExploit": true}]}]
//	"secrets": [{"description": "Password in URL", "path": "/app.go", "lineNumber": 35, "type": "PASSWORD", "snippet": "…"}]
//	"ruleMatches": [{"rule": {"id": "…", "name": "…"}, "severity": "LOW", "matches": [{"resourceName": "…", "fileName": "Dockerfile",
//	  "lineNumber": 58, "matchContent": "…", "expected": "…", "found": "…", "remediationInstructions": "…"}]}]
package wizcli

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Kind returns the kind of a report's result, "CICDDiskScanResult" or
// "CICDIACScanResult", and its origin's; both empty for another tool's report.
func Kind(s *parsers.Sample) (result, origin string) {
	if !s.Has("result", "status.verdict") && !s.Has("result", "scanOriginResource") {
		return "", ""
	}
	return s.Value("result.__typename"), s.Value("scanOriginResource.__typename")
}

// Parse reads a report of any kind.
func Parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Wiz CLI"
	return stream.JSON(in, stream.Object(stream.Fields{
		"createdAt": stream.One(func(t stream.Text) error { run.StartedAt = parsers.ParseTime(string(t)); return nil }),
		"status": stream.One(func(s struct {
			State stream.Text `json:"state"`
		},
		) error {
			switch s.State {
			case "SUCCESS":
				run.Outcome = gate.Succeeded
			case "FAILED", "ERROR":
				run.Outcome = gate.Failed
			}
			return nil
		}),
		"scanOriginResource": stream.One(func(r struct {
			Name stream.Text `json:"name"`
		},
		) error {
			run.Target = string(r.Name)
			return nil
		}),
		"result": stream.Object(stream.Fields{
			"osPackages": stream.Each(func(p software) error { p.emit(out, "OS package"); return nil }),
			"libraries":  stream.Each(func(p software) error { p.emit(out, "Library"); return nil }),
			"secrets": stream.Each(func(s secret) error {
				out.Emit(s.observation())
				return nil
			}),
			"ruleMatches": stream.Each(func(r rule) error {
				for _, m := range r.Matches {
					out.Emit(r.observation(m))
				}
				return nil
			}),
		}),
	}, "result"))
}

type software struct {
	Name            stream.Text     `json:"name"`
	Version         stream.Text     `json:"version"`
	Path            stream.Text     `json:"path"`
	Vulnerabilities []vulnerability `json:"vulnerabilities"`
}

type vulnerability struct {
	Name           stream.Text `json:"name"`
	Severity       stream.Text `json:"severity"`
	Fixed          stream.Text `json:"fixedVersion"`
	Source         stream.Text `json:"source"`
	Description    stream.Text `json:"description"`
	Score          stream.Text `json:"score"`
	Exploitability stream.Text `json:"exploitabilityScore"`
	HasExploit     stream.Text `json:"hasExploit"`
	HasKEV         stream.Text `json:"hasCisaKevExploit"`
	Published      stream.Text `json:"publishDate"`
}

func (p software) emit(out *parsers.Report, kind string) {
	out.Component(gate.Component{Name: string(p.Name), Version: string(p.Version), Path: string(p.Path)})
	for _, v := range p.Vulnerabilities {
		out.Emit(p.observation(kind, v))
	}
}

func (p software) observation(kind string, v vulnerability) gate.Observation {
	var text parsers.Text
	text.Add(string(v.Description)).Fact("Vulnerability", string(v.Name)).Fact(kind, strings.TrimSpace(string(p.Name)+" "+string(p.Version))).
		Fact("Path", string(p.Path)).Fact("Fixed in", string(v.Fixed)).Fact("Source", string(v.Source)).Fact("Score", string(v.Score)).
		Fact("Exploitability", string(v.Exploitability)).Fact("An exploit is known", string(v.HasExploit)).
		Fact("Known to be exploited (CISA)", string(v.HasKEV))
	o := gate.Observation{
		Title:       string(p.Name) + " - " + string(v.Name),
		Severity:    gate.ParseSeverity(string(v.Severity)),
		Description: text.String(),
		References:  string(v.Source),
		Check:       string(v.Name),
		FilePath:    string(p.Path),
		PublishDate: parsers.ParseDate(string(v.Published)),
	}
	if v.Fixed != "" {
		o.Mitigation = "Update " + string(p.Name) + " to version " + string(v.Fixed)
	}
	return o
}

type secret struct {
	ID          stream.Text `json:"id"`
	Description stream.Text `json:"description"`
	Path        stream.Text `json:"path"`
	Line        stream.Int  `json:"lineNumber"`
	Type        stream.Text `json:"type"`
	Snippet     stream.Text `json:"snippet"`
	Severity    stream.Text `json:"severity"`
}

func (s secret) observation() gate.Observation {
	var text parsers.Text
	text.Add(string(s.Description)).Fact("Kind of secret", string(s.Type)).Fact("Place", parsers.Place(string(s.Path), s.Line.Ptr()))
	if strings.Contains(string(s.Snippet), "REDACTED") {
		text.Code("", string(s.Snippet))
	}
	text.Add("Whoever can read the file can use the secret: revoke it, and keep its successor out of the file.")
	severity := gate.High
	if s.Severity != "" {
		severity = gate.ParseSeverity(string(s.Severity))
	}
	return gate.Observation{
		Title:       "Secret: " + string(s.Description),
		Severity:    severity,
		Description: text.String(),
		Check:       string(s.Type),
		FilePath:    string(s.Path),
		Line:        s.Line.Ptr(),
	}
}

type rule struct {
	Rule struct {
		ID   stream.Text `json:"id"`
		Name stream.Text `json:"name"`
	} `json:"rule"`
	Severity stream.Text `json:"severity"`
	Matches  []match     `json:"matches"`
}

type match struct {
	Resource     stream.Text `json:"resourceName"`
	File         stream.Text `json:"fileName"`
	Line         stream.Int  `json:"lineNumber"`
	Content      stream.Text `json:"matchContent"`
	Expected     stream.Text `json:"expected"`
	Found        stream.Text `json:"found"`
	Type         stream.Text `json:"fileType"`
	Instructions stream.Text `json:"remediationInstructions"`
}

func (r rule) observation(m match) gate.Observation {
	var text parsers.Text
	text.Add(string(r.Rule.Name)).Fact("Resource", string(m.Resource)).Fact("Place", parsers.Place(string(m.File), m.Line.Ptr())).
		Fact("Expected", string(m.Expected)).Fact("Found", string(m.Found)).Fact("Kind of file", string(m.Type)).Fact("Rule", string(r.Rule.ID)).
		Code("", string(m.Content))
	return gate.Observation{
		Title:       string(r.Rule.Name) + " - " + string(m.Resource),
		Severity:    gate.ParseSeverity(string(r.Severity)),
		Description: text.String(),
		Mitigation:  string(m.Instructions),
		Check:       string(r.Rule.ID),
		FilePath:    string(m.File),
		Line:        m.Line.Ptr(),
		Snippet:     string(m.Content),
	}
}
