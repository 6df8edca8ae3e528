// Package openreports reads reports of the Kubernetes API openreports.io, in which scanners and policy engines
// tell what they found of a resource.
//
// Made by "kubectl get reports.openreports.io -A -o json > reports.json". It is one report or a list of them:
//
//	{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "openreports.io/v1alpha1", "kind": "Report",
//	  "metadata": {"name": "…", "namespace": "shop"}, "scope": {"kind": "Deployment", "name": "app"},
//	  "results": [{"source": "image-scanner", "policy": "CVE-2025-9232", "message": "…", "category": "vulnerability scan",
//	    "result": "fail", "severity": "high", "properties": {"pkgName": "openssl", "installedVersion": "3.5.2",
//	      "fixedVersion": "3.5.4", "primaryURL": "https://…"}}]}]}
//
// Only "fail" and "warn" are findings; "error" is something that was not
// checked. The scope stands after the results, so a report is read twice, and
// again for each source: each is a run of its own. The API's forerunner,
// wgpolicyk8s.io, has the same form.
package openreports

import (
	"fmt"
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads reports of openreports.io.
var Parsers = []parsers.Parser{{
	Name:     "openreports",
	ScanType: "OpenReports",
	Files:    "JSON",
	Command:  "kubectl get reports.openreports.io -A -o json > reports.json",
	URL:      "https://github.com/openreports/reports-api",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	for _, version := range []string{s.Value("apiVersion"), s.Value("items[].apiVersion")} {
		switch {
		case strings.HasPrefix(version, "openreports.io/"):
			return parsers.Sure
		case strings.HasPrefix(version, "wgpolicyk8s.io/"):
			return parsers.Likely
		}
	}
	if s.Value("kind") == "List" && s.Has("items") && !s.Has("items[].kind") || strings.HasSuffix(s.Value("kind"), "Report") && s.Has("apiVersion") {
		return parsers.Possible
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	var first pass
	if err := first.walk(in, nil); err != nil {
		return err
	}
	for i, source := range first.sources {
		if i < maxRuns {
			out.Begin(gate.Run{Tool: source, Type: source})
		}
		if err := in.Rewind(); err != nil {
			return err
		}
		var p pass
		err := p.walk(in, func(at int, r result) {
			if string(r.Source) == source || i == maxRuns && slices.Index(first.sources, string(r.Source)) > maxRuns {
				emit(out, first.resources[at], r)
			}
		})
		if err != nil || i == maxRuns {
			return err
		}
	}
	return nil
}

// maxRuns bounds how often a report is read: sources beyond it share the last run.
const maxRuns = 20

// emit puts out a result, which is not active where the check passed or was skipped,
// and notes one that could not be had.
func emit(out *parsers.Report, of resource, r result) {
	o := observation(of, r)
	switch strings.ToLower(string(r.Result)) {
	case "fail", "warn":
		o.Verified = true
	case "pass", "skip":
		o.Active = new(false)
	case "error":
		out.Problem("%s could not be checked on %s: %s", r.Policy, of, r.Message)
	}
	out.Emit(o)
}

// resource is what a report is about.
type resource struct{ namespace, kind, name string }

// String joins the parts that are there: "shop/Deployment/app".
func (r resource) String() string {
	parts := slices.DeleteFunc([]string{r.namespace, r.kind, r.name}, func(s string) bool { return s == "" })
	return strings.Join(parts, "/")
}

type result struct {
	Source      stream.Text            `json:"source"`
	Policy      stream.Text            `json:"policy"`
	Rule        stream.Text            `json:"rule"`
	Category    stream.Text            `json:"category"`
	Message     stream.Text            `json:"message"`
	Description stream.Text            `json:"description"`
	Result      stream.Text            `json:"result"`
	Severity    stream.Text            `json:"severity"`
	Properties  map[string]stream.Text `json:"properties"`
	Timestamp   stream.Lenient[struct {
		Seconds stream.Int `json:"seconds"`
	}] `json:"timestamp"`
	Subjects  []object `json:"subjects"`
	Resources []object `json:"resources"`
}

type object struct {
	Namespace stream.Text `json:"namespace"`
	Kind      stream.Text `json:"kind"`
	Name      stream.Text `json:"name"`
}

// pass is one reading of a report or list.
type pass struct {
	resources []resource // of each report, in their order
	sources   []string   // in the order in which results name them
}

// walk reads all reports and calls each with a result and its report's index.
func (p *pass) walk(in *stream.Input, each func(at int, r result)) error {
	items := 0
	fields, kind := p.report(0, each)
	fields["items"] = func(d *stream.Decoder) error {
		p.resources = p.resources[:0]
		return stream.Array(func(d *stream.Decoder) error {
			fields, kind := p.report(items, each)
			items++
			if err := stream.Object(fields, "kind")(d); err != nil {
				return err
			}
			return isReport(*kind)
		})(d)
	}
	if err := stream.JSON(in, stream.Object(fields, "apiVersion", "kind")); err != nil {
		return err
	}
	if items > 0 || strings.HasSuffix(*kind, "List") {
		return nil
	}
	return isReport(*kind)
}

func isReport(kind string) error {
	if !strings.HasSuffix(kind, "Report") {
		return fmt.Errorf("want a Report, got a %s", kind)
	}
	return nil
}

// report says how to read the report of an index, whose kind it returns.
func (p *pass) report(at int, each func(at int, r result)) (stream.Fields, *string) {
	kind := new("")
	p.resources = append(p.resources, resource{})
	return stream.Fields{
		"kind": stream.Into(kind),
		"metadata": stream.One(func(o object) error {
			if r := &p.resources[at]; r.namespace == "" {
				r.namespace = string(o.Namespace)
			}
			return nil
		}),
		"scope": stream.One(func(o *object) error {
			if o != nil {
				r := &p.resources[at]
				r.kind, r.name = string(o.Kind), string(o.Name)
				r.namespace = parsers.First(string(o.Namespace), r.namespace)
			}
			return nil
		}),
		"results": stream.Each(func(r result) error {
			if each != nil {
				each(at, r)
			} else if s := string(r.Source); !slices.Contains(p.sources, s) && len(p.sources) < 1000 {
				p.sources = append(p.sources, s)
			}
			return nil
		}),
	}, kind
}
