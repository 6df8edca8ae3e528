// Package xeol reads the JSON report of Xeol, which finds software past its end of life.
//
// Made by "xeol app:1.0 -o json > xeol.json". The report is one object:
//
//	{"matches": [{"Cycle": {"ProductName": "Perl", "ReleaseCycle": "5.38", "Eol": "2026-07-02", "LatestRelease": "",
//	   "LatestReleaseDate": "2023-11-25", "ReleaseDate": "…", "ProductPermalink": "pkg.xeol.io/component/…"},
//	  "artifact": {"name": "perl", "version": "5.38.2-r0", "type": "apk", "locations": [{"path": "/lib/apk/db/installed"}],
//	   "licenses": ["…"], "cpes": ["…"], "purl": "pkg:apk/alpine/perl@5.38.2-r0", "metadata": {…}}}],
//	 "source": {"type": "image", "target": {"userInput": "app:1.0"}}, "distro": {"name": "alpine", "version": "3.20"},
//	 "descriptor": {"name": "xeol", "version": "0.9.0", "timestamp": "…", "db": {"built": "2025-07-23T00:00:45Z"}}}
//
// Software whose support has ended on the day of the import is Critical, as DefectDojo rates it. What is still supported, as xeol lists it with
// --lookahead, is for information; it is worse in the same report later, once, on the day that the report names.
package xeol

import (
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Xeol's JSON.
var Parsers = []parsers.Parser{{
	Name:     "xeol",
	ScanType: "Xeol Parser",
	Files:    "JSON",
	Command:  "xeol app:1.0 -o json > xeol.json",
	URL:      "https://github.com/xeol-io/xeol",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("matches[].Cycle"), s.Value("descriptor.name") == "xeol":
		return parsers.Sure
	}
	return parsers.No
}

type match struct {
	Cycle struct {
		Product   stream.Text `json:"ProductName"`
		Link      stream.Text `json:"ProductPermalink"`
		Cycle     stream.Text `json:"ReleaseCycle"`
		EOL       stream.Text `json:"Eol"`
		Latest    stream.Text `json:"LatestRelease"`
		LatestDay stream.Text `json:"LatestReleaseDate"`
		Released  stream.Text `json:"ReleaseDate"`
	} `json:"Cycle"`
	Artifact struct {
		Name      stream.Text                   `json:"name"`
		Version   stream.Text                   `json:"version"`
		Type      stream.Text                   `json:"type"`
		Language  stream.Text                   `json:"language"`
		Licenses  stream.OneOrMany[stream.Text] `json:"licenses"`
		CPEs      stream.OneOrMany[stream.Text] `json:"cpes"`
		PURL      stream.Text                   `json:"purl"`
		Locations []struct {
			Path stream.Text `json:"path"`
		} `json:"locations"`
		Upstreams []struct {
			Name stream.Text `json:"name"`
		} `json:"upstreams"`
	} `json:"artifact"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "xeol"
	if err := describe(in, run); err != nil {
		return err
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	today := out.Now()
	key := func(o gate.Observation) string { return o.Title + "|" + o.ComponentName + "|" + o.ComponentVersion }
	return parsers.Once(in, out, key, func(in *stream.Input, out *parsers.Report) error {
		return stream.JSON(in, stream.Object(stream.Fields{
			"matches": stream.Each(func(m match) error {
				out.Emit(observation(m, today))
				return nil
			}),
		}, "matches", "descriptor"))
	})
}

// describe reads what stands after the matches.
func describe(in *stream.Input, run *gate.Run) error {
	return stream.JSON(in, stream.Object(stream.Fields{
		"descriptor": stream.One(func(d struct {
			Version   stream.Text `json:"version"`
			Timestamp stream.Text `json:"timestamp"`
			DB        struct {
				Built stream.Text `json:"built"`
			} `json:"db"`
		},
		) error {
			run.Version, run.Ruleset = strings.Trim(string(d.Version), "[]"), string(d.DB.Built)
			run.FinishedAt = parsers.ParseTime(string(d.Timestamp))
			return nil
		}),
		"source": stream.Object(stream.Fields{"target": stream.One(func(v jsontext.Value) error {
			run.Target = target(v)
			return nil
		})}),
	}, "matches", "descriptor"))
}

// target is a path, or an image with its name.
func target(v jsontext.Value) string {
	var path stream.Text
	var image struct {
		Input stream.Text `json:"userInput"`
	}
	if stream.Unmarshal(v, &image) == nil {
		return string(image.Input)
	}
	_ = stream.Unmarshal(v, &path)
	return string(path)
}

func observation(m match, today time.Time) gate.Observation {
	a, c := m.Artifact, m.Cycle
	var paths, upstreams []string
	for _, l := range a.Locations {
		paths = append(paths, string(l.Path))
	}
	for _, u := range a.Upstreams {
		upstreams = append(upstreams, string(u.Name))
	}
	var text parsers.Text
	text.Add(strings.TrimSpace(string(c.Product)+" "+string(c.Cycle))+" gets no updates from "+string(c.EOL)+" on: vulnerabilities found in it are not fixed.").
		Fact("Product", string(c.Product)).Fact("Release cycle", string(c.Cycle)).Fact("End of life", string(c.EOL)).
		Fact("Latest release", string(c.Latest)).Fact("Of the day", string(c.LatestDay)).Fact("First released", string(c.Released)).
		Fact("Package", strings.TrimSpace(string(a.Name)+" "+string(a.Version))).Fact("Type", string(a.Type)).Fact("Language", string(a.Language)).
		Fact("Package URL", string(a.PURL)).Facts("CPEs", stream.Strings(a.CPEs)).Facts("Licenses", stream.Strings(a.Licenses)).
		Facts("Upstreams", upstreams).Facts("Found in", paths)
	return gate.Observation{
		Title:            string(c.Product) + " EOL Information",
		Severity:         severity(parsers.ParseTime(string(c.EOL)), today),
		Description:      text.String(),
		Mitigation:       "Move to a release of " + string(c.Product) + " that is still supported.",
		References:       parsers.Lines(link(string(c.Link)), "https://www.xeol.io/explorer"),
		CWE:              672,
		ComponentName:    string(a.Name),
		ComponentVersion: string(a.Version),
		PURL:             string(a.PURL),
	}
}

func link(address string) string {
	if address != "" && !strings.Contains(address, "://") {
		return "https://" + address
	}
	return address
}

// severity is Critical from the end of the support on. It does not get worse step
// by step: the same finding would have another severity each week.
func severity(eol, today time.Time) gate.Severity {
	if eol.IsZero() || !eol.Before(today) {
		return gate.Info
	}
	return gate.Critical
}
