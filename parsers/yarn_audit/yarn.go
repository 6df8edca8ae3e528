// Package yarn_audit reads the JSON reports of Yarn's audits, of all versions.
//
// "yarn audit --json" of Yarn 1 writes a sequence of objects, one for each way
// by which a vulnerable package comes in, and a summary:
//
//	{"type": "auditAdvisory", "data": {"resolution": {"id": 1325, "path": "handlebars"}, "advisory": {
//	   "findings": [{"version": "4.5.2", "paths": ["handlebars"]}], "id": 1325, "title": "Prototype Pollution", …}}}
//	{"type": "auditSummary", "data": {"vulnerabilities": {…}, "dependencies": 47}}
//
// "yarn npm audit --json" of Yarn 2 and 3 writes one object like npm's:
//
//	{"actions": [], "advisories": {"1068298": {…}}, "muted": [], "metadata": {…}}
//
// that of Yarn 4 a sequence of objects again:
//
//	{"value": "debug", "children": {"ID": 1094222, "Issue": "…", "URL": "https://…", "Severity": "moderate",
//	   "Vulnerable Versions": "<2.6.9", "Tree Versions": ["2.6.8"], "Dependents": ["express@npm:4.15.2"]}}
//
// An advisory that Yarn 1 repeats is one finding.
package yarn_audit

import (
	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Yarn's JSON.
var Parsers = []parsers.Parser{{
	Name:     "yarn_audit",
	ScanType: "Yarn Audit Scan",
	Files:    "JSON or JSON lines",
	Command:  "yarn audit --json > yarn-audit.json",
	URL:      "https://yarnpkg.com/cli/npm/audit",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("type", "data") && s.Contains(`"audit`), s.Has("value", "children.Vulnerable Versions"):
		return parsers.Sure
	case s.Has("advisories", "actions", "metadata") && !s.Has("runId"):
		return parsers.Likely
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	r := &reading{out: out, yarn1s: map[string]advisory{}}
	out.Run().Tool = "Yarn"
	if err := stream.JSONs(in, r.message); err != nil {
		return err
	}
	if !r.known {
		return stream.Errorf("not a report of yarn audit: it has none of its messages")
	}
	for _, key := range r.order {
		r.component(r.yarn1s[key])
		out.Emit(r.yarn1s[key].yarn1())
	}
	return nil
}

type reading struct {
	out    *parsers.Report
	known  bool
	yarn1s map[string]advisory // Yarn 1's, each once
	order  []string
}

// message reads one object of any version.
func (r *reading) message(d *stream.Decoder) error {
	var kind, pack string
	return stream.Object(stream.Fields{
		"type": stream.One(func(t stream.Text) error { kind = string(t); return nil }),
		"data": func(d *stream.Decoder) error {
			r.known = true
			switch kind {
			case "auditAdvisory":
				return stream.One(r.yarn1)(d)
			case "error":
				return stream.One(func(t stream.Text) error { return stream.Errorf("the audit failed: %s", t) })(d)
			case "warning":
				return stream.One(func(t stream.Text) error { r.out.Problem("%s", string(t)); return nil })(d)
			}
			return stream.Skip(d)
		},
		"error": stream.One(func(t stream.Text) error { return stream.Errorf("the audit failed: %s", t) }),
		"advisories": func(d *stream.Decoder) error {
			r.known = true
			return stream.Entries(func(_ string, d *stream.Decoder) error {
				return stream.One(func(a advisory) error {
					r.component(a)
					r.out.Emit(a.yarn2())
					return nil
				})(d)
			})(d)
		},
		"value": stream.One(func(t stream.Text) error { pack = string(t); return nil }),
		"children": func(d *stream.Decoder) error {
			r.known = true
			return stream.One(func(c child) error {
				for _, v := range c.Versions {
					r.out.Component(gate.Component{Name: pack, Version: string(v), PURL: parsers.PURL("npm", pack, string(v))})
				}
				r.out.Emit(c.observation(pack))
				return nil
			})(d)
		},
	})(d)
}

// yarn1 keeps an advisory. Of one that is repeated the last counts.
func (r *reading) yarn1(data struct {
	Advisory advisory `json:"advisory"`
},
) error {
	a := data.Advisory
	key := string(a.ID) + "\x00" + a.Module
	if _, ok := r.yarn1s[key]; !ok {
		if len(r.order) > maxAdvisories {
			return gate.Errorf(gate.TooLarge, "more than %d advisories", maxAdvisories)
		}
		r.order = append(r.order, key)
	}
	r.yarn1s[key] = a
	return nil
}

// maxAdvisories bounds what is held in memory.
const maxAdvisories = 20_000

func (r *reading) component(a advisory) {
	for _, f := range a.Findings {
		r.out.Component(gate.Component{Name: a.Module, Version: f.Version, PURL: parsers.PURL("npm", a.Module, f.Version)})
	}
}
