// Package njsscan reads the JSON report of njsscan, the static analysis of Node.js applications.
//
// Made by "njsscan --json -o njsscan.json src". The report is one object:
//
//	{"errors": [], "njsscan_version": "0.4.3", "nodejs": {"node_md5": {
//	   "files": [{"file_path": "hash.js", "match_lines": [4, 4], "match_position": [10, 34], "match_string": "…"}],
//	   "metadata": {"cwe": "CWE-327: …", "description": "…", "owasp-web": "A9: …", "severity": "WARNING"}}}, "templates": {}}
//
// A rule that looks for what is missing has no files.
package njsscan

import (
	"strconv"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads njsscan's JSON.
var Parsers = []parsers.Parser{{
	Name:     "njsscan",
	ScanType: "njsscan Scan",
	Files:    "JSON",
	Command:  "njsscan --json -o njsscan.json src",
	URL:      "https://github.com/ajinabraham/njsscan",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("njsscan_version"):
		return parsers.Sure
	case s.Has("nodejs", "templates"):
		return parsers.Likely
	}
	return parsers.No
}

type rule struct {
	Files    []file `json:"files"`
	Metadata struct {
		CWE         stream.Text `json:"cwe"`
		Description stream.Text `json:"description"`
		OWASP       stream.Text `json:"owasp-web"`
		OldOWASP    stream.Text `json:"owasp"`
		Severity    stream.Text `json:"severity"`
	} `json:"metadata"`
}

type file struct {
	Path     stream.Text  `json:"file_path"`
	Lines    []stream.Int `json:"match_lines"`
	Position []stream.Int `json:"match_position"`
	Match    stream.Text  `json:"match_string"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	key := func(o gate.Observation) string { return o.RuleID + "|" + parsers.Place(o.FilePath, o.Line) }
	return parsers.Once(in, out, key, func(in *stream.Input, out *parsers.Report) error {
		run := out.Run()
		run.Tool = "njsscan"
		return stream.JSON(in, stream.Object(stream.Fields{
			"njsscan_version": stream.One(func(t stream.Text) error { run.Version = string(t); return nil }),
			"errors":          stream.Each(func(t stream.Text) error { out.Problem("%s", t); return nil }),
			"nodejs":          rules(out, "nodejs"),
			"templates":       rules(out, "templates"),
		}, "nodejs"))
	})
}

func rules(out *parsers.Report, kind string) stream.Value {
	return stream.Entries(func(name string, d *stream.Decoder) error {
		return stream.One(func(r rule) error {
			if len(r.Files) == 0 {
				r.Files = []file{{}}
			}
			for _, f := range r.Files {
				out.Emit(observation(name, kind, r, f))
			}
			return nil
		})(d)
	})
}

func observation(name, kind string, r rule, f file) gate.Observation {
	severity, known := parsers.Level(string(r.Metadata.Severity))
	if !known {
		severity = gate.ParseSeverity(string(r.Metadata.Severity))
	}
	o := gate.Observation{
		Title:    name,
		Severity: severity,
		CWE:      gate.ParseCWE(string(r.Metadata.CWE)),
		RuleID:   name,
		FilePath: string(f.Path),
		Snippet:  string(f.Match),
	}
	if len(f.Lines) > 0 {
		o.Line, o.EndLine = f.Lines[0].Ptr(), f.Lines[len(f.Lines)-1].Ptr()
	}
	var text parsers.Text
	text.Add(string(r.Metadata.Description)).Fact("Weakness", string(r.Metadata.CWE)).
		Fact("OWASP", parsers.First(string(r.Metadata.OWASP), string(r.Metadata.OldOWASP))).Fact("Read as", kind).Fact("Place", parsers.Place(o.FilePath, o.Line))
	if len(f.Position) == 2 {
		text.Fact("Columns", strconv.Itoa(f.Position[0].N)+" to "+strconv.Itoa(f.Position[1].N))
	}
	o.Description = text.Code("", string(f.Match)).String()
	return o
}
