// Package anchore_grype reads the JSON report of Grype, Anchore's scanner of images,
// folders and SBOMs.
//
// Made by "grype -o json --file grype.json IMAGE". The report is one object:
//
//	{"matches": [{"vulnerability": {"id": "GHSA-…", "severity": "High", "fix": {"versions": ["3.2.10"], "state": "fixed"}, …},
//	  "relatedVulnerabilities": [{"id": "CVE-…", …}], "matchDetails": [{"matcher": "python-matcher", …}],
//	  "artifact": {"name": "Django", "version": "3.2.9", "locations": [{"path": "…"}], "purl": "…"}}],
//	 "source": {…}, "distro": {…}, "descriptor": {"name": "grype", "version": "0.94.0"}}
//
// A match is a package at one place: the same package at several places is
// several matches, which "Anchore Grype" makes one finding of and "Anchore Grype
// detailed" one each. Matches that a rule or a VEX document makes Grype ignore are
// in "ignoredMatches": they are kept, not active. Before 0.13 a vulnerability had "links" and
// "fixedInVersion", and matchDetails was one object.
package anchore_grype

import (
	"hash/maphash"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Grype's JSON.
var Parsers = []parsers.Parser{
	{
		Name:     "anchore_grype",
		ScanType: "Anchore Grype",
		Files:    "JSON",
		Command:  "grype -o json --file grype.json IMAGE",
		URL:      "https://github.com/anchore/grype",
		Analysis: gate.Static,
		Detect:   detect,
		Parse:    parse(false),
	},
	{
		Name:     "anchore_grype",
		ScanType: "Anchore Grype detailed",
		Files:    "JSON",
		Command:  "grype -o json --file grype.json IMAGE",
		URL:      "https://github.com/anchore/grype",
		Analysis: gate.Static,
		Detect: func(s *parsers.Sample) parsers.Likeness {
			return min(detect(s), parsers.Likely)
		},
		Parse: parse(true),
	},
}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("matches") && s.Value("descriptor.name") == "grype", s.Has("matches[].vulnerability.id", "matches[].artifact.name"):
		return parsers.Sure
	case s.Has("matches", "descriptor") && s.Value("descriptor.name") == "":
		return parsers.Likely
	}
	return parsers.No
}

// parse returns the reader of a report: one finding for each place if detailed,
// else for each version of a package.
func parse(detailed bool) func(*stream.Input, *parsers.Report) error {
	return func(in *stream.Input, out *parsers.Report) error {
		key := func(o gate.Observation) string { return o.Title }
		if detailed {
			key = func(o gate.Observation) string { return o.UniqueID }
		}
		apart := func(o gate.Observation) string {
			if o.Active != nil { // ignored: none that is not is one with it
				return key(o) + "\x00"
			}
			return key(o)
		}
		return parsers.Once(in, out, apart, func(in *stream.Input, out *parsers.Report) error {
			return read(in, out, detailed, key)
		})
	}
}

// read reads a report. A match that is ignored at one place and not at another,
// where these are one finding, is not ignored.
func read(in *stream.Input, out *parsers.Report, detailed bool, key func(gate.Observation) string) error {
	seed, counts := maphash.MakeSeed(), map[uint64]bool{}
	run := out.Run()
	run.Tool = "grype"
	return stream.JSON(in, stream.Object(stream.Fields{
		"matches": stream.Each(func(m match) error {
			o := m.observation(detailed)
			counts[maphash.String(seed, key(o))] = true
			out.Emit(o)
			return nil
		}),
		"ignoredMatches": stream.Each(func(m ignored) error {
			if o := m.observation(detailed); !counts[maphash.String(seed, key(o))] {
				out.Emit(o)
			}
			return nil
		}),
		"source": stream.Object(stream.Fields{"target": stream.ByKind(stream.Kinds{
			'"': stream.Into(&run.Target), // a folder or a file
			'n': stream.Skip,
			'{': stream.One(func(i image) error {
				run.Target, run.Revision = i.UserInput, i.ManifestDigest
				return nil
			}),
		})}),
		"descriptor": stream.One(func(d descriptor) error {
			run.Tool = parsers.First(d.Name, run.Tool)
			run.Version = string(d.Version)
			run.FinishedAt = parsers.ParseTime(string(d.Timestamp))
			run.Ruleset = parsers.First(string(d.DB.Value.Built), string(d.DB.Value.Status.Built))
			return nil
		}),
	}, "matches"))
}

type image struct {
	UserInput      string `json:"userInput"`
	ManifestDigest string `json:"manifestDigest"`
}

type descriptor struct {
	Name      string      `json:"name"`
	Version   stream.Text `json:"version"`
	Timestamp stream.Text `json:"timestamp"`
	DB        stream.Lenient[struct {
		Built  stream.Text `json:"built"`
		Status struct {
			Built stream.Text `json:"built"`
		} `json:"status"`
	}] `json:"db"`
}
