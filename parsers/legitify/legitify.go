// Package legitify reads the JSON report of Legitify, which checks the settings of GitHub and GitLab.
//
// Made by "legitify analyze --output-format json --output-scheme flattened > legitify.json". The report is:
//
//	{"type": "flattened", "content": {"data.repository.code_review_not_required": {
//	   "policyInfo": {"title": "…", "description": "…", "policyName": "code_review_not_required", "severity": "HIGH",
//	     "threat": ["…"], "remediationSteps": ["1. …"], "namespace": "repository"},
//	   "violations": [{"violationEntityType": "repository", "canonicalLink": "https://github.com/o/r",
//	     "aux": {"entityName": "r"}, "status": "FAILED"}]}}}
//
// A policy with failed violations is one finding with an endpoint for each of
// them; PASSED and SKIPPED are none. Older versions write the content alone, and
// the schemes "group-by-namespace", "group-by-resource" and "group-by-severity"
// hold the same objects one level deeper.
package legitify

import (
	"errors"
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"

	"github.com/go-json-experiment/json/jsontext"
)

// Parsers reads Legitify's JSON.
var Parsers = []parsers.Parser{{
	Name:     "legitify",
	ScanType: "Legitify Scan",
	Files:    "JSON",
	Command:  "legitify analyze --output-format json --output-scheme flattened > legitify.json",
	URL:      "https://github.com/Legit-Labs/legitify",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("type", "content") && s.Contains("policyInfo", "violations"):
		return parsers.Sure
	case s.Format == parsers.JSON && s.Contains("policyInfo", "remediationSteps", "fullyQualifiedPolicyName"):
		return parsers.Likely
	case s.Value("type") == "flattened" && s.Has("content"):
		return parsers.Likely
	}
	return parsers.No
}

type policy struct {
	Info struct {
		Title       stream.Text                   `json:"title"`
		Description stream.Text                   `json:"description"`
		Name        stream.Text                   `json:"policyName"`
		FullName    stream.Text                   `json:"fullyQualifiedPolicyName"`
		Severity    stream.Text                   `json:"severity"`
		Threat      stream.OneOrMany[stream.Text] `json:"threat"`
		Steps       stream.OneOrMany[stream.Text] `json:"remediationSteps"`
		Namespace   stream.Text                   `json:"namespace"`
	} `json:"policyInfo"`
	Violations []violation `json:"violations"`
}

type violation struct {
	Kind   stream.Text `json:"violationEntityType"`
	Link   stream.Text `json:"canonicalLink"`
	Status stream.Text `json:"status"`
	Aux    stream.Lenient[struct {
		Name stream.Text `json:"entityName"`
	}] `json:"aux"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Legitify"
	return stream.JSON(in, stream.Object(stream.Fields{"content": content(out, 0)}, "content"))
}

// content walks policies by name, or groups of them.
func content(out *parsers.Report, depth int) stream.Value {
	return stream.Entries(func(_ string, d *stream.Decoder) error {
		var v jsontext.Value
		if err := stream.Into(&v)(d); err != nil {
			return err
		}
		return one(out, v, depth)
	})
}

func one(out *parsers.Report, v jsontext.Value, depth int) error {
	var p policy
	if err := stream.Unmarshal(v, &p); err == nil && p.Info.Title != "" {
		emit(out, p)
		return nil
	}
	var group map[string]jsontext.Value
	if depth > 2 || stream.Unmarshal(v, &group) != nil {
		return errors.New("an entry of \"content\" is no policy")
	}
	names := make([]string, 0, len(group))
	for name := range group {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := one(out, group[name], depth+1); err != nil {
			return err
		}
	}
	return nil
}

// emit puts out a policy that something violates.
func emit(out *parsers.Report, p policy) {
	var links, places []string
	for _, v := range p.Violations {
		if !strings.EqualFold(string(v.Status), "FAILED") && v.Status != "" {
			continue
		}
		links = append(links, string(v.Link))
		places = append(places, strings.TrimSpace(string(v.Kind)+" "+parsers.First(string(v.Aux.Value.Name), string(v.Link))))
	}
	if len(places) > 0 {
		out.Emit(observation(p, links, places))
	}
}

func observation(p policy, links, places []string) gate.Observation {
	i := p.Info
	var text parsers.Text
	text.Add(string(i.Description)).Fact("Policy", parsers.First(string(i.FullName), string(i.Name))).Facts("Violated by", places)
	o := gate.Observation{
		Title:       capital(string(i.Namespace)) + " | " + string(i.Title),
		Severity:    gate.ParseSeverity(string(i.Severity)),
		Description: text.String(),
		Impact:      strings.Join(stream.Strings(i.Threat), "\n"),
		Mitigation:  strings.Join(stream.Strings(i.Steps), "\n"),
		References:  parsers.Lines(links...),
		RuleID:      string(i.Name),
	}
	for _, l := range links {
		if e := parsers.Endpoint(l); e != "" && !slices.Contains(o.Endpoints, e) {
			o.Endpoints = append(o.Endpoints, e)
		}
	}
	if o.Mitigation != "" {
		o.FixAvailable = new(true)
	}
	return o
}

func capital(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
