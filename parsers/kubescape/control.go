package kubescape

import (
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

type result struct {
	ResourceID string    `json:"resourceID"`
	Controls   []control `json:"controls"`
}

type control struct {
	ID     string `json:"controlID"`
	Name   string `json:"name"`
	Status struct {
		Status string `json:"status"`
	} `json:"status"`
	Rules []rule `json:"rules"`
}

type rule struct {
	Name   string `json:"name"`
	Status string `json:"status"`
	Paths  []path `json:"paths"`

	Settings   stream.Lenient[map[string]stream.OneOrMany[stream.Text]] `json:"controlConfigurations"`
	Exceptions stream.Lenient[[]exception]                              `json:"exception"`
}

// exception is a policy that excepts a resource from a rule, but only from
// failing the scan.
type exception struct {
	Name    string   `json:"name"`
	Actions []string `json:"actions"`
}

// path is a place in the resource that fails a rule, and how it should be.
type path struct {
	Resource string `json:"resourceID"`
	Failed   string `json:"failedPath"`
	Review   string `json:"reviewPath"`
	Delete   string `json:"deletePath"`
	Command  string `json:"fixCommand"`
	Fix      struct {
		Path  string      `json:"path"`
		Value stream.Text `json:"value"`
	} `json:"fixPath"`
}

// emit puts out the failed rules of a control.
func (c control) emit(out *parsers.Report, resource, file string, s summary) {
	if c.Status.Status != "" && c.Status.Status != "failed" {
		return
	}
	if c.Status.Status == "failed" && len(c.Rules) == 0 {
		c.Rules = []rule{{Status: "failed"}}
	}
	var failed []rule
	for _, r := range c.Rules {
		if r.Status == "failed" {
			failed = append(failed, r)
		}
	}
	for range failed { // as many as DefectDojo has; they are one finding
		out.Emit(c.observation(failed, resource, file, s))
	}
}

func (c control) observation(failed []rule, resource, file string, s summary) gate.Observation {
	kind, name := object(resource)
	var about, steps, how parsers.Text
	about.Add(kind+" "+name+" fails the control "+c.Name+".").Add(s.Description).
		Fact("Control", c.ID).Fact("Category", s.Category.Name).Fact("Resource", resource).Fact("File", file)
	steps.Add("Look at the resource " + resource + ". It fails:")
	var fixes []string
	for _, r := range failed {
		places, how := r.paths()
		steps.Add("The rule " + parsers.First(r.Name, c.Name)).List(slices.Concat(places, how, r.settings()))
		fixes = append(fixes, how...)
	}
	how.Add(s.Remediation).List(fixes)
	return gate.Observation{
		Title:            c.Name + " - " + kind + " " + name,
		Severity:         severity(s.ScoreFactor),
		Description:      about.String(),
		Mitigation:       how.String(),
		StepsToReproduce: steps.String(),
		References:       "https://hub.armosec.io/docs/" + strings.ToLower(c.ID),
		VulnerabilityIDs: []string{c.ID},
		Check:            c.ID,
		ComponentName:    resource,
	}
}

// settings tells how the rule is set up, and what excepts the resource from it.
func (r rule) settings() []string {
	var list []string
	for name, values := range r.Settings.Value {
		s := "Configured: " + name
		var sSb105 strings.Builder
		for i, v := range values {
			sSb105.WriteString([]string{" = ", ", "}[min(i, 1)] + string(v))
		}
		s += sSb105.String()
		list = append(list, s)
	}
	slices.Sort(list)
	for _, e := range r.Exceptions.Value {
		list = append(list, "Exception: "+e.Name+" ("+strings.Join(e.Actions, ", ")+")")
	}
	return list
}

// paths returns the places that fail the rule, and how they should be.
func (r rule) paths() (places, fixes []string) {
	for _, p := range r.Paths {
		for _, s := range []string{p.Failed, p.Review} {
			if s != "" {
				places = append(places, "Failed: `"+s+"`")
			}
		}
		if p.Fix.Path != "" {
			fixes = append(fixes, "Set `"+p.Fix.Path+"` to `"+string(p.Fix.Value)+"`.")
		}
		if p.Delete != "" {
			fixes = append(fixes, "Delete `"+p.Delete+"`.")
		}
		if p.Command != "" {
			fixes = append(fixes, "Run `"+p.Command+"`.")
		}
	}
	return places, fixes
}

// object returns the kind and the name of a resource: the last two parts of its
// id, "path=1/api=apps/v1//Deployment/web".
func object(resource string) (kind, name string) {
	parts := strings.Split(resource, "/")
	if len(parts) < 2 {
		return "", resource
	}
	return parts[len(parts)-2], parts[len(parts)-1]
}

// severity rates a control by its weight, 1 to 10.
func severity(factor stream.Float) gate.Severity {
	switch f := factor.F; {
	case !factor.OK || f < 1:
		return gate.Info
	case f <= 4:
		return gate.Low
	case f <= 7:
		return gate.Medium
	case f <= 9:
		return gate.High
	}
	return gate.Critical
}
