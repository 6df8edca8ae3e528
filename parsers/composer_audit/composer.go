// Package composer_audit reads the JSON report of "composer audit", which
// checks the PHP packages of a composer.lock.
//
// Made by "composer audit --format=json > composer-audit.json". The report is
// one object:
//
//	{"advisories": {"guzzlehttp/guzzle": [{"advisoryId": "PKSA-…", "packageName": "guzzlehttp/guzzle",
//	   "affectedVersions": "<7.15.1", "title": "…", "cve": "CVE-2026-59883", "link": "https://…",
//	   "reportedAt": "2026-07-20T23:28:36+00:00", "sources": [{"name": "GitHub", "remoteId": "GHSA-…"}], "severity": "medium"}]},
//	 "abandoned": {"old/package": "new/package"}}
//
// PHP writes an empty object as an empty array, and an array with gaps as an
// object. Abandoned packages are not vulnerabilities: they are named in the
// run's description.
package composer_audit

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads the JSON of "composer audit".
var Parsers = []parsers.Parser{{
	Name:     "composer_audit",
	ScanType: "Composer Audit Scan",
	Files:    "JSON",
	Command:  "composer audit --format=json > composer-audit.json",
	URL:      "https://getcomposer.org/doc/03-cli.md#audit",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("advisories", "abandoned"), s.Contains(`"advisoryId"`, `"affectedVersions"`):
		return parsers.Sure
	case s.Has("advisories[]"):
		return parsers.Possible
	}
	return parsers.No
}

type advisory struct {
	ID         stream.Text `json:"advisoryId"`
	Package    string      `json:"packageName"`
	Affected   stream.Text `json:"affectedVersions"`
	Title      string      `json:"title"`
	CVE        stream.Text `json:"cve"`
	Link       stream.Text `json:"link"`
	ReportedAt stream.Text `json:"reportedAt"`
	Severity   stream.Text `json:"severity"`
	Ignore     stream.Text `json:"ignoreReason"`
	Sources    []struct {
		Name     string      `json:"name"`
		RemoteID stream.Text `json:"remoteId"`
	} `json:"sources"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Composer"
	emit := func(name string) stream.Value {
		return stream.One(func(a advisory) error {
			out.Emit(observation(name, a))
			return nil
		})
	}
	// list reads an array, or PHP's object with the numbers as keys.
	list := func(name string) stream.Value {
		return stream.ByKind(stream.Kinds{'[': stream.Array(emit(name)), '{': stream.Entries(func(_ string, d *stream.Decoder) error { return emit(name)(d) })})
	}
	var abandoned []string
	err := stream.JSON(in, stream.Object(stream.Fields{
		"advisories": stream.ByKind(stream.Kinds{'[': empty, '{': stream.Entries(func(name string, d *stream.Decoder) error { return list(name)(d) })}),
		"abandoned": stream.ByKind(stream.Kinds{'[': stream.Skip, 'n': stream.Skip, '{': stream.Entries(func(name string, d *stream.Decoder) error {
			return stream.One(func(by stream.Text) error {
				if by != "" {
					name += " (use " + string(by) + ")"
				}
				abandoned = append(abandoned, name)
				return nil
			})(d)
		})}),
	}, "advisories"))
	if len(abandoned) > 0 {
		run.Description = "Abandoned packages: " + strings.Join(abandoned, ", ")
	}
	return err
}

// empty reads PHP's empty array.
func empty(d *stream.Decoder) error {
	return stream.Array(func(*stream.Decoder) error { return stream.Errorf("want an object of packages, got an array") })(d)
}

func observation(name string, a advisory) gate.Observation {
	name = parsers.First(name, a.Package)
	ids := []string{string(a.CVE)}
	var sources []string
	for _, s := range a.Sources {
		sources = append(sources, strings.TrimSpace(s.Name+" "+string(s.RemoteID)))
		if strings.HasPrefix(string(s.RemoteID), "GHSA-") {
			ids = append(ids, string(s.RemoteID))
		}
	}
	severity, known := gate.SeverityOf(string(a.Severity))
	if !known || a.Severity == "" {
		severity = gate.Medium
	}
	var text parsers.Text
	text.Add(a.Title).Fact("Package", name).Fact("Affected versions", string(a.Affected)).Fact("Advisory", string(a.ID)).Facts("Sources", sources).Fact("Reported", string(a.ReportedAt)).Fact("Ignored because", string(a.Ignore))
	o := gate.Observation{
		Title:            name + ": " + a.Title,
		Severity:         severity,
		Description:      text.String(),
		References:       string(a.Link),
		VulnerabilityIDs: ids,
		RuleID:           string(a.ID),
		ComponentName:    name,
		PURL:             parsers.PURL("composer", name, ""),
		URL:              string(a.Link),
		PublishDate:      parsers.ParseDate(string(a.ReportedAt)),
	}
	if a.Affected != "" {
		o.Mitigation = "Update " + name + " to a version that is not affected. Affected: " + string(a.Affected) + "."
	}
	return o
}
