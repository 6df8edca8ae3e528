package openreports

import (
	"maps"
	"slices"
	"strings"
	"time"

	"defectdojo/gate"
	"defectdojo/parsers"
)

func observation(of resource, r result) gate.Observation {
	if len(r.Resources) > 0 || len(r.Subjects) > 0 {
		o := append(r.Resources, r.Subjects...)[0]
		of.kind, of.name = parsers.First(string(o.Kind), of.kind), parsers.First(string(o.Name), of.name)
		of.namespace = parsers.First(string(o.Namespace), of.namespace)
	}
	component, fixed := string(r.Properties["pkgName"]), string(r.Properties["fixedVersion"])
	o := gate.Observation{
		Title:            title(r, component),
		Severity:         gate.ParseSeverity(string(r.Severity)),
		Description:      description(of, r),
		References:       string(r.Properties["primaryURL"]),
		RuleID:           string(r.Policy),
		ComponentName:    component,
		ComponentVersion: string(r.Properties["installedVersion"]),
		Service:          of.String(),
		FixVersion:       fixed,
		FixAvailable:     new(fixed != ""),
		Tags:             []string{string(r.Category), string(r.Source), of.kind},
	}
	if fixed != "" {
		o.Mitigation = "Upgrade " + parsers.First(component, "the package") + " to version " + fixed
	}
	if isVulnerability(string(r.Policy)) {
		o.VulnerabilityIDs = []string{string(r.Policy)}
	}
	if t := r.Timestamp.Value.Seconds; t.N > 0 {
		o.Date = gate.DateOf(time.Unix(int64(t.N), 0).UTC())
	}
	return o
}

// isVulnerability tells whether a policy's name is that of a vulnerability.
func isVulnerability(policy string) bool {
	return strings.HasPrefix(policy, "CVE-") || strings.HasPrefix(policy, "GHSA-")
}

func title(r result, component string) string {
	switch {
	case isVulnerability(string(r.Policy)) && component != "":
		return string(r.Policy) + " in " + component
	case r.Policy == "":
		return string(r.Message)
	}
	return string(r.Policy) + ": " + parsers.First(string(r.Message), string(r.Description), string(r.Rule))
}

// shown are the properties that have facts of their own.
var shown = []string{"pkgName", "installedVersion", "fixedVersion", "primaryURL"}

func description(of resource, r result) string {
	var text parsers.Text
	text.Add(parsers.First(string(r.Message), string(r.Description))).
		Fact("Resource", of.String()).Fact("Category", string(r.Category)).Fact("Policy", string(r.Policy)).Fact("Rule", string(r.Rule)).
		Fact("Result", string(r.Result)).Fact("Source", string(r.Source)).
		Fact("Package", strings.TrimSpace(string(r.Properties["pkgName"]+" "+r.Properties["installedVersion"]))).
		Fact("Fixed in", string(r.Properties["fixedVersion"])).Fact("More", string(r.Properties["primaryURL"]))
	for _, name := range slices.Sorted(maps.Keys(r.Properties)) {
		if !slices.Contains(shown, name) {
			text.Fact(name, string(r.Properties[name]))
		}
	}
	return text.String()
}
