// Package scout_suite reads the results of Scout Suite, which audits accounts of cloud providers.
//
// Made by "scout aws", as scoutsuite-report/scoutsuite-results/scoutsuite_results_aws-ACCOUNT.js, a script of one value:
//
//	scoutsuite_results =
//	{"account_id": "123456789012", "provider_code": "aws", "provider_name": "Amazon Web Services",
//	 "last_run": {"time": "2021-10-01 20:47:09+0200", "version": "5.10.2", "ruleset_name": "default", "ruleset_about": "…", "summary": {"ec2": {"checked_items": 679, "flagged_items": 100, …}}},
//	 "services": {"ec2": {"findings": {"ec2-default-security-group": {"description": "…", "level": "danger", "rationale": "…", "remediation": "…", "references": ["https://…"],
//	     "compliance": [{"name": "CIS …", "version": "1.2.0", "reference": "4.3"}], "path": "ec2.regions.id.vpcs.id", "items": ["ec2.regions.eu-west-1.vpcs.vpc-1.rules"]}},
//	   "regions": {"eu-west-1": {"vpcs": {"vpc-1": {…}}}}}}}
//
// Each item of a rule that failed is a finding. What an item is stands elsewhere in its service, so the report is read twice.
package scout_suite

import (
	"fmt"
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Scout Suite's results.
var Parsers = []parsers.Parser{{
	Name:     "scout_suite",
	ScanType: "Scout Suite Scan",
	Files:    "JS or JSON (scoutsuite_results_….js)",
	Command:  "scout aws --report-dir report",
	URL:      "https://github.com/nccgroup/ScoutSuite",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

// misconfiguration names what DefectDojo names: "OWASP Top Ten 2017 Category A6" (https://cwe.mitre.org/data/definitions/1032.html).
const misconfiguration = 1032

func detect(s *parsers.Sample) parsers.Likeness {
	head := strings.TrimSpace(string(s.Head[:min(len(s.Head), 100)]))
	if strings.HasPrefix(head, "scoutsuite_results") || s.Has("last_run.ruleset_name", "provider_code", "services") {
		return parsers.Sure
	}
	return parsers.No
}

// severities are Scout Suite's levels.
var severities = map[string]gate.Severity{"danger": gate.Critical, "warning": gate.Medium}

type rule struct {
	Title       stream.Text                   `json:"description"`
	Level       stream.Text                   `json:"level"`
	Rationale   stream.Text                   `json:"rationale"`
	Remediation stream.Text                   `json:"remediation"`
	References  stream.OneOrMany[stream.Text] `json:"references"`
	Compliance  stream.OneOrMany[standard]    `json:"compliance"`
	Dashboard   stream.Text                   `json:"dashboard_name"`
	Service     stream.Text                   `json:"service"`
	Path        stream.Text                   `json:"path"`
	Items       stream.OneOrMany[stream.Text] `json:"items"`
}

type standard struct {
	Name      stream.Text `json:"name"`
	Version   stream.Text `json:"version"`
	Reference stream.Text `json:"reference"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	a, err := readAccount(in, out.Run())
	if err != nil {
		return err
	}
	resources, err := readResources(in, a.wanted)
	if err != nil {
		return err
	}
	return read(in, stream.Fields{
		"services": services(func(id string, r rule) {
			for _, item := range r.Items {
				o := observation(r, string(item), resources[r.resource(string(item))])
				o.RuleID, o.Date = a.provider+":"+id, gate.DateOf(out.Run().FinishedAt)
				out.Emit(o)
			}
		}),
	})
}

// read reads the results, with or without a script around them.
func read(in *stream.Input, fields stream.Fields) error {
	if err := in.Rewind(); err != nil {
		return err
	}
	if err := in.Blank('{'); err != nil {
		return err
	}
	return stream.JSON(in, stream.Object(fields, "services"))
}

// services calls f with each rule of each service.
func services(f func(id string, r rule)) stream.Value {
	return stream.Entries(func(_ string, d *stream.Decoder) error {
		return stream.Object(stream.Fields{"findings": stream.Entries(func(id string, d *stream.Decoder) error {
			return stream.One(func(r rule) error { f(id, r); return nil })(d)
		})})(d)
	})
}

// account is what the first reading tells.
type account struct {
	provider string
	wanted   map[string]bool // the paths of the resources that rules name
}

type lastRun struct {
	Time         stream.Text                      `json:"time"`
	Version      stream.Text                      `json:"version"`
	Ruleset      stream.Text                      `json:"ruleset_name"`
	RulesetAbout stream.Text                      `json:"ruleset_about"`
	Summary      map[string]stream.Lenient[count] `json:"summary"`
}

type count struct {
	Checked   stream.Int  `json:"checked_items"`
	Flagged   stream.Int  `json:"flagged_items"`
	Level     stream.Text `json:"max_level"`
	Resources stream.Int  `json:"resources_count"`
	Rules     stream.Int  `json:"rules_count"`
}

func readAccount(in *stream.Input, run *gate.Run) (account, error) {
	a := account{wanted: map[string]bool{}}
	var id, code, name stream.Text
	var last lastRun
	err := read(in, stream.Fields{
		"account_id": stream.Into(&id), "provider_code": stream.Into(&code), "provider_name": stream.Into(&name), "last_run": stream.Into(&last),
		"services": services(func(_ string, r rule) {
			for _, item := range r.Items {
				if len(a.wanted) < maxResources {
					a.wanted[r.resource(string(item))] = true
				}
			}
		}),
	})
	a.provider = string(code)
	run.Tool, run.Version, run.Ruleset = "Scout Suite", string(last.Version), string(last.Ruleset)
	run.Target, run.Type, run.FinishedAt = string(id), string(name), parsers.ParseTime(string(last.Time))
	run.Description = last.describe(string(id), string(name))
	return a, err
}

// describe sums the run up as a table of its services.
func (l lastRun) describe(id, provider string) string {
	var text parsers.Text
	text.Fact("Account", "`"+id+"`").Fact("Provider", provider).Fact("Ruleset", string(l.Ruleset)).Add(string(l.RulesetAbout))
	names := make([]string, 0, len(l.Summary))
	for name := range l.Summary {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	b.WriteString("| Service | Checked | Flagged | Worst level | Resources | Rules |\n|:---|---:|---:|---:|---:|---:|")
	for _, name := range names {
		c := l.Summary[name].Value
		fmt.Fprintf(&b, "\n| %s | %d | %d | %s | %d | %d |", name, c.Checked.N, c.Flagged.N, c.Level, c.Resources.N, c.Rules.N)
	}
	return text.Add(b.String()).String()
}

// resource returns the path of the resource that an item is, or is a property
// of: as many names as the rule's path has.
func (r rule) resource(item string) string {
	want := strings.Count(string(r.Path), ".")
	for i := range len(item) {
		if item[i] == '.' {
			if want == 0 {
				return item[:i]
			}
			want--
		}
	}
	return item
}

func observation(r rule, item, facts string) gate.Observation {
	var text parsers.Text
	text.Add(parsers.Markdown(string(r.Rationale))).Fact("Place", item).Fact("Service", string(r.Service)).Fact("Kind", string(r.Dashboard))
	var list []string
	for _, c := range r.Compliance {
		list = append(list, strings.Join(strings.Fields(string(c.Name+" "+c.Version+" "+c.Reference)), " "))
	}
	text.Facts("Asked for by", list)
	if facts != "" {
		text.Add("**The resource:**").Add(facts)
	}
	return gate.Observation{
		Title:       string(r.Title),
		Severity:    severities[string(r.Level)],
		Description: text.String(),
		Mitigation:  parsers.Markdown(string(r.Remediation)),
		References:  parsers.Lines(stream.Strings(r.References)...),
		CWE:         misconfiguration,
		FilePath:    item,
	}
}
