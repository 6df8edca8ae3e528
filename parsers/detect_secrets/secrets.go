// Package detect_secrets reads the baseline of Yelp's detect-secrets.
//
// Made by "detect-secrets scan > secrets.json". The report is one object:
//
//	{"version": "1.5.0", "plugins_used": […], "filters_used": […],
//	 "results": {"src/config.py": [{"type": "Secret Keyword", "filename": "src/config.py",
//	   "hashed_secret": "bd564d…", "is_verified": false, "line_number": 151, "is_secret": false}]},
//	 "generated_at": "2021-05-19T10:40:18Z"}
//
// Secrets are hashed, so none is in the report. "is_secret" is what a person
// said in "detect-secrets audit": false is a false positive. "generated_at"
// stands after the results, so the report is read twice.
package detect_secrets

import (
	"strconv"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads detect-secrets' baseline.
var Parsers = []parsers.Parser{{
	Name:     "detect_secrets",
	ScanType: "Detect-secrets Scan",
	Files:    "JSON",
	Command:  "detect-secrets scan > secrets.json",
	URL:      "https://github.com/Yelp/detect-secrets",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Has("plugins_used", "results") {
		return parsers.Sure
	}
	return parsers.No
}

type secret struct {
	Type     string     `json:"type"`
	Hash     string     `json:"hashed_secret"`
	Verified bool       `json:"is_verified"`
	IsSecret *bool      `json:"is_secret"`
	Line     stream.Int `json:"line_number"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run, generated := out.Run(), ""
	run.Tool = "detect-secrets"
	err := stream.JSON(in, stream.Object(stream.Fields{
		"version":      stream.One(func(t stream.Text) error { run.Version = string(t); return nil }),
		"generated_at": stream.One(func(t stream.Text) error { generated = string(t); return nil }),
	}, "results"))
	if err != nil {
		return err
	}
	run.FinishedAt = parsers.ParseTime(generated)
	date := gate.DateOf(run.FinishedAt)
	if err := in.Rewind(); err != nil {
		return err
	}
	return parsers.Once(in, out, key, func(in *stream.Input, out *parsers.Report) error {
		return stream.JSON(in, stream.Object(stream.Fields{
			"results": stream.Entries(func(file string, d *stream.Decoder) error {
				return stream.Each(func(s secret) error {
					o := observation(file, s)
					o.Date = date
					out.Emit(o)
					return nil
				})(d)
			}),
		}))
	})
}

// key tells one secret from another: its description holds type, place and hash.
func key(o gate.Observation) string { return o.Description }

func observation(file string, s secret) gate.Observation {
	var text parsers.Text
	text.Add("detect-secrets found what looks like a secret in `" + file + "`. Whoever can read the file can use it.")
	line := ""
	if s.Line.OK {
		line = ":" + strconv.Itoa(s.Line.N)
	}
	text.Fact("Type", s.Type).Fact("Place", file+line).Fact("SHA-1 of the secret", s.Hash)
	if s.Verified {
		text.Add("The tool has tried the secret: it is valid.")
	}
	o := gate.Observation{
		Title:       s.Type,
		Severity:    gate.High,
		Description: text.String(),
		Mitigation:  "Revoke the secret and issue a new one, and take it from the environment or a vault. If it is none, mark it so with \"detect-secrets audit\".",
		CWE:         798,
		Check:       s.Type,
		FilePath:    file,
		Line:        s.Line.Ptr(),
		Verified:    s.Verified,
	}
	if s.IsSecret != nil && !*s.IsSecret {
		o.Active, o.FalsePositive = new(false), true
	}
	return o
}
