// Package trufflehog reads the JSON reports of TruffleHog, versions 2 and 3,
// which looks for secrets in Git repositories and elsewhere.
//
// Made by "trufflehog git --json URL > trufflehog.json". A report of version 3
// is a sequence of objects, one for each secret:
//
//	{"SourceMetadata": {"Data": {"Git": {"commit": "fbc143…", "file": "keys", "email": "…", "repository": "https://…",
//	   "timestamp": "2022-06-16 10:17:40 -0700 -0700", "line": 4}}}, "SourceName": "trufflehog - git",
//	 "DetectorName": "AWS", "Verified": true, "Raw": "AKIA…", "Redacted": "AKIA…", "ExtraData": {"account": "5959…"}}
//
// The name within Data is that of the source: Git, Github, Filesystem, Docker, S3 …
// Version 2 wrote a sequence too:
//
//	{"branch": "origin/dev", "commit": "the message", "commitHash": "288f35…", "date": "2021-01-30 19:50:09",
//	 "diff": "…", "path": "test_all.py", "reason": "Generic Secret", "stringsFound": ["secret = …"]}
//
// The same kind of secret in one place, met in several commits, is one finding.
// Nothing found is an empty report. Secrets are masked in what comes out.
package trufflehog

import (
	"strconv"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads TruffleHog's JSON.
var Parsers = []parsers.Parser{{
	Name:     "trufflehog",
	ScanType: "Trufflehog Scan",
	Files:    "JSON lines",
	Command:  "trufflehog git --json URL > trufflehog.json",
	URL:      "https://github.com/trufflesecurity/trufflehog",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("SourceMetadata", "DetectorName"), s.Has("[].SourceMetadata", "[].DetectorName"), s.Has("stringsFound", "printDiff"):
		return parsers.Sure
	case s.Has("stringsFound", "reason", "path"):
		return parsers.Likely
	}
	return parsers.No
}

// secret is one of either version: no key of the one is in the other.
type secret struct {
	Metadata struct {
		Data map[string]place `json:"Data"`
	} `json:"SourceMetadata"`
	Source    stream.Text                            `json:"SourceName"`
	Detector  stream.Text                            `json:"DetectorName"`
	About     stream.Text                            `json:"DetectorDescription"`
	Decoder   stream.Text                            `json:"DecoderName"`
	Verified  bool                                   `json:"Verified"`
	CannotSay stream.Text                            `json:"VerificationError"`
	Raw       stream.Text                            `json:"Raw"`
	Redacted  stream.Text                            `json:"Redacted"`
	Extra     stream.Lenient[map[string]stream.Text] `json:"ExtraData"`

	Branch  stream.Text                   `json:"branch"`
	Message stream.Text                   `json:"commit"`
	Hash    stream.Text                   `json:"commitHash"`
	Date    stream.Text                   `json:"date"`
	Path    string                        `json:"path"`
	Reason  string                        `json:"reason"`
	Strings stream.OneOrMany[stream.Text] `json:"stringsFound"`
}

// place has the keys of the many sources that say where something is.
type place struct {
	Commit     stream.Text `json:"commit"`
	File       stream.Text `json:"file"`
	Link       stream.Text `json:"link"`
	Repository stream.Text `json:"repository"`
	Email      stream.Text `json:"email"`
	Time       stream.Text `json:"timestamp"`
	Line       stream.Int  `json:"line"`
	Image      stream.Text `json:"image"`
	Tag        stream.Text `json:"tag"`
	Layer      stream.Text `json:"layer"`
	Bucket     stream.Text `json:"bucket"`
	Channel    stream.Text `json:"channel_name"`
	Project    stream.Text `json:"project"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "TruffleHog"
	one := stream.One(func(s secret) error {
		var o gate.Observation
		switch {
		case s.Reason != "":
			o = s.version2()
		case s.Detector != "":
			o = s.version3()
		default:
			return stream.Errorf("a record has neither a DetectorName nor a reason")
		}
		out.Emit(o)
		return nil
	})
	log := stream.ByKind(stream.Kinds{'{': one, '[': stream.Array(one)})
	return parsers.Once(in, out, key, func(in *stream.Input, to *parsers.Report) error {
		out = to
		return stream.JSONs(in, log)
	})
}

// key tells one finding from another.
func key(o gate.Observation) string {
	line := ""
	if o.Line != nil {
		line = strconv.Itoa(*o.Line)
	}
	return o.Title + "\x00" + line
}
