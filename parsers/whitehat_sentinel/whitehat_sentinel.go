// Package whitehat_sentinel reads the vulnerabilities that the API of WhiteHat
// Sentinel Dynamic (now Black Duck's) lists.
//
// Made by "curl 'https://sentinel.whitehatsec.com/api/vuln?key=…&format=json&display_attack_vectors=all…'":
//
//	{"collection": [{"id": "52440000", "class": "Information Leakage", "status": "open", "risk": 3, "custom_risk": null,
//	  "found": "2020-01-09T00:53:16Z", "closed": null, "site": "69858", "site_name": "…", "url": "example.org",
//	  "description": {"description": "<p>…", "description_prepend": "…"}, "solution": {"solution": "<p>…", "solution_prepend": "…"},
//	  "attack_vectors": [{"state": "open", "request": {"method": "GET", "url": "https://example.org/a"}, "response": {"status": "200"}}]}]}
//
// The risk is 1 for a note to 5 for critical. Links in the texts are the references.
package whitehat_sentinel

import (
	"regexp"
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads WhiteHat's JSON.
var Parsers = []parsers.Parser{{
	Name:     "whitehat_sentinel",
	ScanType: "WhiteHat Sentinel",
	Files:    "JSON",
	Command:  "curl 'https://sentinel.whitehatsec.com/api/vuln?key=KEY&format=json&display_description=all&display_solution=all&display_attack_vectors=all' -o whitehat.json",
	URL:      "https://apidocs.whitehatsec.com/whs/docs",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("collection[].class", "collection[].site", "collection[].attack_vectors"):
		return parsers.Sure
	case s.Has("collection[]"):
		return parsers.Possible
	}
	return parsers.No
}

type vulnerability struct {
	ID          stream.Text `json:"id"`
	Class       string      `json:"class"`
	Status      string      `json:"status"`
	Risk        stream.Text `json:"risk"`
	CustomRisk  stream.Text `json:"custom_risk"`
	Found       stream.Text `json:"found"`
	Closed      stream.Text `json:"closed"`
	Site        stream.Text `json:"site"`
	SiteName    stream.Text `json:"site_name"`
	Reason      stream.Text `json:"reason"`
	Accepted    stream.Text `json:"accepted"`
	Description struct {
		Text    string `json:"description"`
		Prepend string `json:"description_prepend"`
	} `json:"description"`
	Solution struct {
		Text    string `json:"solution"`
		Prepend string `json:"solution_prepend"`
	} `json:"solution"`
	AttackVectors []struct {
		State   string `json:"state"`
		Request struct {
			Method string      `json:"method"`
			URL    string      `json:"url"`
			Name   stream.Text `json:"param_name"`
		} `json:"request"`
	} `json:"attack_vectors"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "WhiteHat Sentinel"
	return stream.JSON(in, stream.Object(stream.Fields{"collection": stream.Each(func(v vulnerability) error {
		run.Target = parsers.First(run.Target, string(v.SiteName))
		out.Emit(v.observation())
		return nil
	})}, "collection"))
}

func (v vulnerability) observation() gate.Observation {
	solution := references.ReplaceAllString(v.Solution.Text, "")
	links := v.links()
	var text parsers.Text
	text.Add(parsers.Markdown(references.ReplaceAllString(v.Description.Text, ""))).Fact("Site", string(v.SiteName)).Fact("Status", v.Status)
	o := gate.Observation{
		Title:            v.Class,
		Severity:         parsers.Rank(parsers.First(string(v.CustomRisk), string(v.Risk)), 1),
		Mitigation:       strings.TrimSpace(parsers.Markdown(v.Solution.Prepend) + "\n\n" + parsers.Markdown(solution)),
		StepsToReproduce: parsers.Markdown(v.Description.Prepend),
		References:       strings.Join(append([]string{"https://source.whitehatsec.com/asset-management/site-summary/" + string(v.Site) + "/findings/" + string(v.ID)}, links...), "\n"),
		UniqueID:         string(v.ID),
		Date:             parsers.ParseDate(string(v.Found)),
		Verified:         true,
		CWE:              weaknessOf(v.Class, links),
	}
	o.NoCWE = o.CWE == 0
	for _, a := range v.AttackVectors {
		o.Endpoints = append(o.Endpoints, parsers.Endpoint(a.Request.URL))
		if len(o.Endpoints) <= 20 {
			text.Fact("Place", strings.TrimSpace(a.Request.Method+" "+a.Request.URL+" "+string(a.Request.Name)))
		}
	}
	o.Description = text.String()
	if v.Status != "open" {
		o.Active, o.Mitigated, o.MitigatedAt = new(false), true, parsers.ParseTime(string(v.Closed))
	}
	return o
}

// references are the part of a text that is a list of links.
var references = regexp.MustCompile(`(?s)<h2>\s*References\s*</h2>.*`)

// hrefs finds links.
var hrefs = regexp.MustCompile(`href="(https?://[^"]+)"`)

// links returns the links of both texts, sorted.
func (v vulnerability) links() []string {
	var list []string
	for _, m := range hrefs.FindAllStringSubmatch(v.Description.Text+v.Solution.Text, 100) {
		list = append(list, m[1])
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// weaknesses are the CWEs of WhiteHat's classes, as DefectDojo has them.
var weaknesses = map[string]int{"Information Leakage": 310, "Improper Input Handling": 20}

// weaknessOf returns the weakness of a class, or that of the first link to one.
func weaknessOf(class string, links []string) int {
	if cwe := weaknesses[class]; cwe > 0 {
		return cwe
	}
	for _, l := range links {
		if _, id, ok := strings.Cut(l, "cwe.mitre.org/data/definitions/"); ok {
			return gate.ParseCWE(id)
		}
	}
	return 0
}
