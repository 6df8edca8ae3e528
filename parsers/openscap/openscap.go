// Package openscap reads the XCCDF results of OpenSCAP and other SCAP scanners.
//
// Made by "oscap xccdf eval --profile PROFILE --results results.xml ssg-rhel9-ds.xml":
//
//	<Benchmark xmlns="http://checklists.nist.gov/xccdf/1.2" id="…"><Group><Rule id="xccdf_…_rule_a" severity="medium"><title>…</title><description>…</description>
//	  <rationale>…</rationale><fixtext>…</fixtext><ident system="https://nvd.nist.gov/cce/index.cfm">CCE-80848-8</ident></Rule></Group>
//	  <TestResult start-time="…" end-time="…" test-system="cpe:/a:redhat:openscap:1.3.7"><target>host</target><target-address>192.0.2.1</target-address>
//	    <rule-result idref="xccdf_…_rule_a" time="…" severity="medium"><result>fail</result><ident system="http://cve.mitre.org">CVE-2005-1038</ident>
//	      <check><check-content-ref name="oval:…" href="….xml"/></check></rule-result></TestResult></Benchmark>
//
// Also read: the TestResult alone, and ARF (--results-arf), which has both within an asset-report-collection. What failed, and what could not be
// told ("unknown"), are findings; what ended in an error is a problem of the run.
package openscap

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads XCCDF results.
var Parsers = []parsers.Parser{{
	Name:     "openscap",
	ScanType: "Openscap Vulnerability Scan",
	Files:    "XML",
	Command:  "oscap xccdf eval --profile PROFILE --results results.xml ssg-rhel9-ds.xml",
	URL:      "https://www.open-scap.org/",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

var roots = []string{"Benchmark", "TestResult", "asset-report-collection"}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Root == "Benchmark" && strings.HasPrefix(s.Namespace, "http://checklists.nist.gov/xccdf/"), s.Root == "asset-report-collection":
		return parsers.Sure
	case s.Root == "TestResult" && strings.HasPrefix(s.Namespace, "http://checklists.nist.gov/xccdf/"):
		return parsers.Sure
	}
	return parsers.No
}

// rule is what the benchmark says of a rule.
type rule struct {
	title, severity, description, rationale, fix, references string
}

// maxRules bounds the rules that are held; the largest guides have some thousands.
const maxRules = 50_000

// reader holds what the results refer to.
type reader struct {
	out       *parsers.Report
	rules     map[string]rule
	endpoints []string
}

func parse(in *stream.Input, out *parsers.Report) error {
	r := reader{out: out, rules: map[string]rule{}}
	run := out.Run()
	run.Tool = "OpenSCAP"
	return stream.XML(in, roots, stream.Elements{
		"*/Rule": stream.Record(func(n *stream.Node) error { r.rule(n); return nil }),
		"*/TestResult": stream.Start(func(attr func(string) string) error {
			run.StartedAt, run.FinishedAt = parsers.ParseTime(attr("start-time")), parsers.ParseTime(attr("end-time"))
			run.Ruleset = attr("version")
			if _, v, ok := strings.Cut(attr("test-system"), "openscap:"); ok {
				run.Version = v
			}
			r.endpoints = nil
			return nil
		}),
		"*/target": stream.CharData(func(s string) error {
			run.Target = parsers.First(run.Target, s)
			r.endpoint(s)
			return nil
		}),
		"*/target-address": stream.CharData(func(s string) error { r.endpoint(s); return nil }),
		"*/rule-result":    stream.Record(r.result),
	})
}

func (r *reader) rule(n *stream.Node) {
	if len(r.rules) >= maxRules {
		return
	}
	var links []string
	for ref := range n.Each("reference") {
		links = append(links, strings.TrimSpace(ref.Attr("href")+" "+ref.Whole()))
	}
	r.rules[n.Attr("id")] = rule{
		title:       words(n, "title"),
		severity:    n.Attr("severity"),
		description: words(n, "description"),
		rationale:   words(n, "rationale"),
		fix:         parsers.First(words(n, "fixtext"), words(n, "fix")),
		references:  parsers.Lines(links...),
	}
}

// words returns the text in an element, XHTML's tags left out.
func words(n *stream.Node, name string) string {
	return strings.Join(strings.Fields(n.At(name).Whole()), " ")
}

func (r *reader) endpoint(s string) {
	if e := parsers.Endpoint(s); e != "" {
		r.endpoints = append(r.endpoints, e)
	}
}

func (r *reader) result(n *stream.Node) error {
	id := n.Attr("idref")
	switch result := n.Get("result"); result {
	case "":
		return stream.Errorf("a rule-result has no result")
	case "error", "unknown":
		r.out.Problem("%s could not be checked: %s", id, parsers.First(words(n, "message"), result))
	case "fail":
		r.out.Emit(r.observation(n, id, result))
	}
	return nil
}

func (r *reader) observation(n *stream.Node, id, result string) gate.Observation {
	rule := r.rules[id]
	title := parsers.First(rule.title, id)
	o := gate.Observation{
		Title:      title,
		Severity:   gate.ParseSeverity(parsers.First(n.Attr("severity"), rule.severity, "medium")),
		Impact:     rule.rationale,
		Mitigation: parsers.First(rule.fix, strings.TrimSpace(n.Get("fix"))),
		Check:      id,
		UniqueID:   id,
		Endpoints:  r.endpoints,
	}
	var text parsers.Text
	text.Add(rule.description).Fact("Rule", "`"+id+"`").Fact("Title", title).Fact("Result", result).Fact("Checked", n.Attr("time"))
	var checks []string
	for ident := range n.Each("ident") {
		if strings.Contains(ident.Attr("system"), "cve.mitre.org") || strings.HasPrefix(ident.Text(), "CVE-") {
			o.VulnerabilityIDs = append(o.VulnerabilityIDs, ident.Text())
		} else {
			text.Fact("Known as", ident.Text())
		}
	}
	for ref := range n.Each("check/check-content-ref") {
		checks = append(checks, strings.TrimSpace(ref.Attr("name")+" "+ref.Attr("href")))
	}
	o.References = parsers.Lines(append(checks, rule.references)...)
	o.Description = text.Fact("Message", words(n, "message")).String()
	return o
}
