// Package apkleaks reads the JSON of APKLeaks, which looks for secrets and
// addresses in Android packages.
//
// Made by "apkleaks -f shop.apk --json -o apkleaks.json":
//
//	{"package": "org.example.shop", "results": [{"name": "Firebase", "matches": ["shop.firebaseio.com"]}]}
//
// A finding is a pattern with all that it matches.
package apkleaks

import (
	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads APKLeaks' JSON.
var Parsers = []parsers.Parser{{
	Name:     "apkleaks",
	ScanType: "APKLeaks Scan",
	Files:    "JSON",
	Command:  "apkleaks -f shop.apk --json -o apkleaks.json",
	URL:      "https://github.com/dwisiswant0/apkleaks",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("package", "results[].name", "results[].matches[]"):
		return parsers.Sure
	case s.Has("package", "results[]"):
		return parsers.Likely
	}
	return parsers.No
}

type result struct {
	Name    stream.Text                   `json:"name"`
	Matches stream.OneOrMany[stream.Text] `json:"matches"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "APKLeaks"
	var name stream.Text
	results := stream.Array(stream.Skip)
	if err := stream.JSON(in, stream.Object(stream.Fields{"package": stream.Into(&name), "results": results}, "package", "results")); err != nil {
		return err
	}
	run.Target = string(name)
	if err := in.Rewind(); err != nil {
		return err
	}
	return stream.JSON(in, stream.Object(stream.Fields{"results": stream.Each(func(r result) error {
		out.Emit(r.observation(string(name)))
		return nil
	})}))
}

// open are the patterns that match no secrets.
var open = map[stream.Text]bool{"LinkFinder": true, "IP_Address": true, "Mailto": true, "Firebase": true, "Amazon_AWS_S3_Bucket": true}

// maxShown is how many matches a description lists.
const maxShown = 200

func (r result) observation(name string) gate.Observation {
	var text parsers.Text
	text.Add("APKLeaks found in "+name+" what fits a pattern.").Fact("Pattern", string(r.Name))
	var shown []string
	for _, m := range r.Matches[:min(len(r.Matches), maxShown)] {
		if !open[r.Name] {
			m = stream.Text(parsers.Mask(string(m)))
		}
		shown = append(shown, "`"+string(m)+"`")
	}
	return gate.Observation{
		Title:         string(r.Name) + " found in " + name,
		Severity:      gate.Medium,
		Description:   text.List(shown).String(),
		Mitigation:    "A secret in a package is known to whoever has the package: revoke it, and keep its successor on a server. See whether the addresses may be known.",
		RuleID:        string(r.Name),
		ComponentName: name,
		Occurrences:   new(len(r.Matches)),
	}
}
