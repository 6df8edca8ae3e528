// Package govulncheck reads the JSON report of govulncheck, which says which
// known vulnerabilities a Go program can reach.
//
// Made by "govulncheck -format json ./... > govulncheck.json". The report is a
// sequence of objects, or an array of them, each with one message:
//
//	{"config": {"scanner_name": "govulncheck", "scanner_version": "v1.1.4", "db_last_modified": "…", "go_version": "go1.24.4"}}
//	{"SBOM": {"go_version": "go1.24.4", "modules": [{"path": "stdlib", "version": "v1.24.4"}], "roots": ["example.org/app"]}}
//	{"osv": {"id": "GO-2024-3333", "aliases": ["CVE-2024-45338"], "summary": "…", "details": "…", "affected": […], "references": […]}}
//	{"finding": {"osv": "GO-2024-3333", "fixed_version": "v0.33.0", "trace": [{"module": "golang.org/x/net",
//	   "version": "v0.25.0", "package": "golang.org/x/net/html", "function": "Parse"}, …]}}
//
// A trace with a function means that the code calls what is vulnerable, one
// with a package that it imports it, one with a module that it requires it. The
// OSV records include many that do not concern the program.
//
// There are two scan types. "Govulncheck Scanner V2" has a finding for each
// vulnerability of a module that the program has, rated by what it reaches:
// called is High, imported Low, required Info. "Govulncheck Scanner" is kept for
// those who began with it: each OSV record is a finding of severity Info.
//
// Before version 1 the report was one object with Calls, Imports, Requires and
// Vulns: see old.go.
package govulncheck

import (
	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads govulncheck's JSON. The second scan type is the one to use.
var Parsers = []parsers.Parser{{
	Name:     "govulncheck",
	ScanType: "Govulncheck Scanner",
	Files:    "JSON",
	Command:  "govulncheck -format json ./... > govulncheck.json",
	URL:      "https://pkg.go.dev/golang.org/x/vuln/cmd/govulncheck",
	Analysis: gate.Dynamic,
	Detect:   func(s *parsers.Sample) parsers.Likeness { return min(detect(s), parsers.Likely) },
	Parse:    func(in *stream.Input, out *parsers.Report) error { return parse(in, out, false) },
}, {
	Name:     "govulncheck",
	ScanType: "Govulncheck Scanner V2",
	Files:    "JSON",
	Command:  "govulncheck -format json ./... > govulncheck.json",
	URL:      "https://pkg.go.dev/golang.org/x/vuln/cmd/govulncheck",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    func(in *stream.Input, out *parsers.Report) error { return parse(in, out, true) },
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Value("config.scanner_name") == "govulncheck", s.Value("[].config.scanner_name") == "govulncheck", s.Has("Calls", "Imports", "Requires", "Vulns"):
		return parsers.Sure
	case s.Has("config.protocol_version"), s.Has("[].config.protocol_version"), s.Has("finding.osv"), s.Has("Calls", "Imports", "Requires"):
		return parsers.Likely
	}
	return parsers.No
}

type osv struct {
	ID       string      `json:"id"`
	Aliases  []string    `json:"aliases"`
	Summary  string      `json:"summary"`
	Details  string      `json:"details"`
	Severity stream.Text `json:"severity"`
	Released string      `json:"published"`
	Affected []struct {
		Package struct {
			Name      string `json:"name"`
			Ecosystem string `json:"ecosystem"`
		} `json:"package"`
		Ranges []struct {
			Type   string `json:"type"`
			Events []struct {
				Introduced string `json:"introduced"`
				Fixed      string `json:"fixed"`
			} `json:"events"`
		} `json:"ranges"`
		Specific struct {
			Imports []struct {
				Path    string   `json:"path"`
				Symbols []string `json:"symbols"`
			} `json:"imports"`
		} `json:"ecosystem_specific"`
	} `json:"affected"`
	References []struct {
		Type string `json:"type"`
		URL  string `json:"url"`
	} `json:"references"`
}

type finding struct {
	OSV   string  `json:"osv"`
	Fixed string  `json:"fixed_version"`
	Trace []frame `json:"trace"`
}

type frame struct {
	Module   string `json:"module"`
	Version  string `json:"version"`
	Package  string `json:"package"`
	Function string `json:"function"`
	Receiver string `json:"receiver"`
	Position struct {
		File   string     `json:"filename"`
		Line   stream.Int `json:"line"`
		Column stream.Int `json:"column"`
	} `json:"position"`
}

// parse reads the findings first, since the records stand before them.
func parse(in *stream.Input, out *parsers.Report, v2 bool) error {
	s := &scan{out: out, groups: map[string]map[string]*group{}}
	out.Run().Tool = "govulncheck"
	if err := messages(in, s.notes()); err != nil {
		return err
	}
	if !s.known {
		return stream.Errorf("not a report of govulncheck: it has none of its messages")
	}
	if s.old != nil {
		s.emitOld(v2)
		return nil
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	err := messages(in, stream.Fields{"osv": stream.One(func(o osv) error {
		if v2 {
			s.emitReached(o)
		} else {
			out.Emit(s.record(o))
		}
		return nil
	})})
	if err == nil && v2 {
		for _, id := range s.order { // those whose record is missing
			s.emitReached(osv{ID: id})
		}
	}
	return err
}

// messages reads a sequence of messages, or an array of them.
func messages(in *stream.Input, fields stream.Fields) error {
	message := stream.Object(fields)
	return stream.JSONs(in, stream.ByKind(stream.Kinds{'{': message, '[': stream.Array(message)}))
}

// scan is what is known when the records are read.
type scan struct {
	out    *parsers.Report
	known  bool
	groups map[string]map[string]*group // by vulnerability and module
	order  []string
	old    *oldReport
}

// group is what was found of one vulnerability of one module.
type group struct {
	module, version, fixed string
	level                  int // 0 required, 1 imported, 2 called
	traces                 []string
}

// notes are the messages that the first pass reads.
func (s *scan) notes() stream.Fields {
	run := s.out.Run()
	fields := stream.Fields{
		"config": stream.One(func(c struct {
			Version stream.Text `json:"scanner_version"`
			DB      stream.Text `json:"db"`
			Changed stream.Text `json:"db_last_modified"`
			Level   stream.Text `json:"scan_level"`
		},
		) error {
			s.known = true
			run.Version, run.Ruleset = string(c.Version), string(c.Changed)
			return nil
		}),
		"SBOM": stream.One(func(b struct {
			Modules []struct {
				Path    string `json:"path"`
				Version string `json:"version"`
			} `json:"modules"`
			Roots []string `json:"roots"`
		},
		) error {
			for _, m := range b.Modules {
				s.out.Component(gate.Component{Name: m.Path, Version: m.Version, PURL: parsers.PURL("golang", m.Path, m.Version)})
			}
			if len(b.Roots) > 0 {
				run.Target = b.Roots[0]
			}
			return nil
		}),
		"osv": func(d *stream.Decoder) error { s.known = true; return stream.Skip(d) },
		"finding": stream.One(func(f finding) error {
			s.known = true
			s.note(f)
			return nil
		}),
	}
	s.oldFields(fields)
	return fields
}
