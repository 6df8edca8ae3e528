// Package blackduck_component_risk reads the risks of components that Black Duck reports.
//
// Made in Black Duck by "Project version, Reports, Create report (components, security)". It is a zip of CSV files:
//
//	components_DATE.csv: Component id,Version id,Component name,Component version name,License names,License families,
//	  Match type,Usage,Component policy status,Origin name,Origin id,Project path, …
//	security_DATE.csv: Component id,Version id,Component name,Component version name,Component origin name,
//	  Component origin id,Vulnerability id,Description,Base score,Security Risk,URL,Project path, …
//
// A component in violation of a policy is a finding of its license, and a component
// with vulnerabilities is one finding of them all, as bad as the worst.
package blackduck_component_risk

import (
	"path"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Black Duck's component risks.
var Parsers = []parsers.Parser{{
	Name:     "blackduck_component_risk",
	ScanType: "Blackduck Component Risk",
	Files:    "zip",
	Command:  "Black Duck: Project version, Reports, Create report",
	URL:      "https://documentation.blackduck.com",
	Analysis: gate.Both,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	var components, security, files bool
	for _, m := range s.Members {
		components = components || is(m, "components")
		security = security || is(m, "security")
		files = files || is(m, "files") || is(m, "source") // Black Duck Hub's own report
	}
	switch {
	case components && security && !files:
		return parsers.Sure
	case components && security:
		return parsers.Likely
	}
	return parsers.No
}

// is tells whether a member is the CSV of a kind.
func is(member, kind string) bool {
	name := strings.ToLower(path.Base(member))
	return strings.HasPrefix(name, kind) && strings.HasSuffix(name, ".csv")
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Black Duck"
	found := false
	err := stream.Zip(in, func(m stream.Member) error {
		read := components
		switch {
		case is(m.Name, "components"):
		case is(m.Name, "security"):
			read = security
		default:
			return nil
		}
		found = true
		member, err := m.Open()
		if err != nil {
			return err
		}
		return read(member, out)
	})
	if err == nil && !found {
		return stream.Errorf("the archive has neither components.csv nor security.csv")
	}
	return err
}

func components(in *stream.Input, out *parsers.Report) error {
	return stream.CSV(in, []string{"Component id", "Version id", "Component policy status"}, func(r stream.Row) error {
		if r.Get("Component name") == "" {
			return nil
		}
		out.Component(gate.Component{Name: r.Get("Component name"), Version: r.Get("Component version name"), Licenses: []string{r.Get("License names")}})
		if strings.EqualFold(r.Get("Component policy status"), "In Violation") {
			out.Emit(license(r))
		}
		return nil
	})
}

// title names the component of a row.
func title(r stream.Row) string {
	return r.Get("Component name") + ":" + r.Get("Component version name")
}

func license(r stream.Row) gate.Observation {
	var text parsers.Text
	text.Add("The component violates a policy.").Fact("License", r.Get("License names")).Fact("License families", r.Get("License families")).
		Fact("Usage", r.Get("Usage")).Fact("Origin", r.Get("Origin name")).Fact("Origin ID", r.Get("Origin id")).Fact("Match", r.Get("Match type")).
		Fact("Path", r.Get("Path")).Fact("Archive context", r.Get("Archive context")).Fact("Scan", r.Get("Scan")).
		Fact("Operational risk", r.Get("Operational Risk")).Fact("Review", r.Get("Review Status"))
	return gate.Observation{
		Title:        "License Risk: " + title(r),
		Severity:     gate.High,
		Description:  text.String(),
		Impact:       "The use of " + title(r) + " may break the terms of its license or a policy of one's own.",
		Mitigation:   "Use another component than " + title(r) + ", whose license is accepted, or have the policy overridden.",
		References:   "Project: " + r.Get("Project path"),
		UniqueID:     r.Get("Component id") + ":" + r.Get("Version id") + ":License",
		FixAvailable: new(true),
	}
}

// vulnerable is a component with what was found in it.
type vulnerable struct {
	o     gate.Observation
	text  parsers.Text
	links []string
}

func security(in *stream.Input, out *parsers.Report) error {
	var order []*vulnerable
	byKey := map[string]*vulnerable{}
	err := stream.CSV(in, []string{"Component id", "Version id", "Vulnerability id"}, func(r stream.Row) error {
		key := r.Get("Component id") + ":" + r.Get("Version id")
		v := byKey[key]
		if v == nil {
			v = &vulnerable{o: gate.Observation{
				Title:        "Security Risk: " + title(r),
				Mitigation:   "Update " + title(r) + " to a version without these vulnerabilities.",
				Impact:       "See the vulnerabilities.",
				FilePath:     file(r),
				UniqueID:     key + ":security",
				FixAvailable: new(true),
			}}
			v.links = []string{"Project: " + r.Get("Project path")}
			byKey[key] = v
			order = append(order, v)
		}
		v.add(r)
		return nil
	})
	if err != nil {
		return err
	}
	for _, v := range order {
		v.o.Description, v.o.References = v.text.String(), parsers.Lines(v.links...)
		out.Emit(v.o)
	}
	return nil
}

func (v *vulnerable) add(r stream.Row) {
	v.o.Severity = max(v.o.Severity, gate.ParseSeverity(r.Get("Security Risk")))
	v.links = append(v.links, r.Get("URL"))
	v.text.Section(r.Get("Vulnerability id"), r.Get("Description")).Fact("Base score", r.Get("Base score")).
		Fact("Exploitability", r.Get("Exploitability")).Fact("Impact", r.Get("Impact")).Fact("Source", r.Get("Vulnerability source")).
		Fact("Remediation", r.Get("Remediation status")).Fact("Published", r.Get("Published on"))
}

// file names the component as its origin does.
func file(r stream.Row) string {
	id := r.Get("Component origin id")
	if id == "" {
		id = r.Get("Component name") + "/" + r.Get("Component version name")
	}
	return r.Get("Component origin name") + ":" + id
}
