package sarif

import (
	"iter"
	"regexp"
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Observations iterates over what a result says, one observation for each of its
// places: none when its kind is not "fail".
func Observations(run *Run, x *Result) iter.Seq[gate.Observation] {
	return func(yield func(gate.Observation) bool) {
		if x.Kind != "" && !strings.EqualFold(string(x.Kind), "fail") {
			return
		}
		if len(x.Locations) == 0 {
			yield(observation(run, x, &Location{}))
			return
		}
		for i := range x.Locations {
			if !yield(observation(run, x, &x.Locations[i])) {
				return
			}
		}
	}
}

func observation(run *Run, x *Result, l *Location) gate.Observation {
	rule := run.RuleOf(x)
	suppressed := suppressed(x)
	o := gate.Observation{
		Title:         title(run, x, rule),
		Description:   description(run, x, rule, l),
		Mitigation:    mitigation(run, x, rule),
		RuleID:        first(x.RuleID, x.Rule.ID),
		FilePath:      l.file(run),
		Snippet:       l.snippet(),
		URL:           string(x.HostedViewerURI),
		FalsePositive: suppressed,
		Mitigated:     strings.EqualFold(string(x.Baseline), "absent"),
		Tags:          tags(x, rule),
		UniqueID:      x.Fingerprints.ID(),
		Date:          run.date(),
	}
	if o.UniqueID == "" {
		o.UniqueID = x.PartialFingerprints.Joined()
	}
	if suppressed || o.Mitigated {
		o.Active = new(false)
	}
	if r := l.region(); r != nil && r.StartLine.OK {
		o.Line, o.EndLine = r.StartLine.Ptr(), r.EndLine.Ptr()
	}
	if rule != nil {
		o.Check, o.References = string(rule.ID), references(run, rule)
	}
	if id := cveOf(o.RuleID); id != "" {
		o.VulnerabilityIDs = []string{strings.ToUpper(id)}
	}
	setSeverity(&o, x, rule)
	setCWE(&o, x, rule)
	return o
}

var cve = regexp.MustCompile(`(?i)CVE-[0-9]+-[0-9]+`)

// cveOf returns the first CVE id in a rule's name, if it has one.
func cveOf(id string) string {
	for i := range len(id) - 3 {
		if id[i+3] == '-' && strings.EqualFold(id[i:i+3], "cve") {
			return cve.FindString(id)
		}
	}
	return ""
}

// suppressed tells whether people or the code itself say that a result is not to
// be looked at. A suppression that was asked for or refused does not.
func suppressed(x *Result) bool {
	for _, s := range x.Suppressions {
		if st := strings.ToLower(string(s.Status)); st != "underreview" && st != "rejected" {
			return true
		}
	}
	return false
}

// date is the day on which the last invocation ended.
func (r *Run) date() gate.Date {
	if n := len(r.Invocations); n > 0 {
		return parsers.ParseDate(string(r.Invocations[n-1].EndTimeUTC))
	}
	return gate.Date{}
}

// levels are the severities of SARIF's levels.
var levels = map[string]gate.Severity{"error": gate.High, "warning": gate.Medium, "note": gate.Info, "none": gate.Info}

// setSeverity takes the level of the result, else of the rule; but the score of
// GitHub's "security-severity" says more where a rule has one.
func setSeverity(o *gate.Observation, x *Result, rule *Rule) {
	level := x.Level
	if level == "" && rule != nil {
		level = rule.Configuration.Level
	}
	var known bool
	if o.Severity, known = levels[strings.ToLower(string(level))]; !known {
		o.Severity = gate.Medium // SARIF's default is "warning"
	}
	if rule == nil {
		return
	}
	text := rule.about().severity
	if text == "" {
		return
	}
	if f := stream.ParseFloat(text); f.OK {
		o.CVSSv3Score = f.Ptr()
		o.Severity = bySecuritySeverity(f.F)
		return
	}
	o.Severity = gate.ParseSeverity(text)
}

func bySecuritySeverity(score float64) gate.Severity {
	switch {
	case score >= 9:
		return gate.Critical
	case score >= 7:
		return gate.High
	case score >= 4:
		return gate.Medium
	case score > 0:
		return gate.Low
	}
	return gate.Info
}

// cwe finds a weakness in a tag ("external/cwe/cwe-079", "CWE-79: Cross-site …")
// or in the name of a taxon.
var cwe = regexp.MustCompile(`(?i)cwe[-/ ]?(\d+)(?:$|[:, ])`)

// setCWE takes the weaknesses that the result names, else the rule; the last is
// the main one.
func setCWE(o *gate.Observation, x *Result, rule *Rule) {
	found := weaknesses(x.Properties.List("cwe"))
	if len(found) == 0 && rule != nil {
		found = slices.Clone(rule.about().cwes)
	}
	if len(found) > 0 {
		o.CWE, o.CWEs = found[len(found)-1], found
	}
}

func weaknesses(names []string) []int {
	var found []int
	for _, n := range names {
		if m := cwe.FindStringSubmatch(n); m != nil {
			if id := gate.ParseCWE(m[1]); id > 0 && !slices.Contains(found, id) {
				found = append(found, id)
			}
		}
	}
	return found
}

// tags are those of the rule and of the result.
func tags(x *Result, rule *Rule) []string {
	var list []string
	if rule != nil {
		list = slices.Clone(rule.about().tags)
	}
	list = append(list, x.Properties.List("tags")...)
	for i := range list {
		list[i] = strings.TrimPrefix(list[i], "external/cwe/")
	}
	return list
}

func references(run *Run, rule *Rule) string {
	if rule.HelpURI != "" {
		return string(rule.HelpURI)
	}
	if rule.Help != nil {
		if help := rule.Help.expand(rule, run); strings.HasPrefix(help, "http") {
			return help
		}
	}
	return ""
}
