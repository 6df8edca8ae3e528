package awssecurityhub

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
)

func (f finding) observation() gate.Observation {
	var about, impact parsers.Text
	about.Add(f.Description).Fact("Finding", f.ID).Fact("From", f.origin())
	var ids []string
	for _, r := range f.Resources {
		ids = append(ids, r.ID)
		impact.Fact(r.Type, r.short())
	}
	about.Facts("Resources", ids).Fact("Account", string(f.Account)).Fact("Region", f.Region).Facts("Kind", f.Types).
		Fact("Compliance", f.Compliance.Status).Fact("Workflow", f.Workflow.Status)
	for _, r := range f.Compliance.Reasons {
		about.Add(r.Description)
	}
	o := gate.Observation{
		Title:      f.Title,
		Severity:   gate.ParseSeverity(f.Severity.Label),
		Mitigation: f.Remediation.Recommendation.Text,
		Impact:     impact.String(),
		References: f.Remediation.Recommendation.URL,
		UniqueID:   f.ID,
		Check:      f.GeneratorID,
		EPSSScore:  f.EPSS.Ptr(),
	}
	about.Fact("In the console", f.SourceURL)
	if f.origin() == inspector {
		f.vulnerable(&o, &about)
	}
	if f.origin() == guardDuty && o.Mitigation == "" {
		o.Mitigation = "GuardDuty explains what to do for each kind of finding (" + strings.Join(f.Types, ", ") +
			"): https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-active.html"
	}
	o.Description = about.String()
	for _, r := range f.Resources {
		o.ComponentName = r.Type
		if r.Type == "AwsEc2Instance" || r.Type == "AwsEcrContainerImage" {
			o.Endpoints = append(o.Endpoints, r.endpoint())
		}
	}
	if n := len(f.Resources); n > 0 {
		o.Title += f.Resources[n-1].suffix()
	}
	if f.closed() {
		o.Active, o.Mitigated = new(false), true
		o.MitigatedAt = parsers.ParseTime(parsers.First(f.LastSeen, f.UpdatedAt))
	}
	return o
}

// vulnerable adds what Inspector says of vulnerable packages.
func (f finding) vulnerable(o *gate.Observation, about *parsers.Text) {
	o.SeverityJustification = "AWS rates it " + f.Severity.Label + "."
	var refs, fixes []string
	for _, v := range f.Vulnerabilities {
		o.VulnerabilityIDs = append(o.VulnerabilityIDs, v.ID)
		refs = append(append(refs, v.References...), v.Vendor.URL)
		about.Fact("Exploit available", v.Exploit)
		for _, p := range v.Packages {
			about.Fact("Package", strings.TrimSpace(p.Name+" "+p.Version+" "+p.Path))
			fix := "Update " + p.Name + "-" + p.Version
			if p.Fixed != "" {
				fix += " to " + p.Fixed
				o.Fix = parsers.First(o.Fix, p.Fixed)
			}
			fixes = append(fixes, fix, p.Remediation)
		}
		for _, c := range v.CVSS {
			parsers.SetCVSS(o, c.Vector)
		}
		if o.EPSSScore == nil {
			o.EPSSScore = v.EPSS.Ptr()
		}
	}
	o.References = parsers.Lines(append([]string{o.References}, refs...)...)
	var how parsers.Text
	o.Mitigation = how.Add(o.Mitigation).List(fixes).String()
}

// closed tells whether what the finding was about is no more.
func (f finding) closed() bool {
	switch f.origin() {
	case inspector:
		return f.RecordState == "ARCHIVED" || f.Product.InspectorStatus != "" && f.Product.InspectorStatus != "ACTIVE"
	case guardDuty:
		return f.RecordState == "ARCHIVED"
	}
	return f.Compliance.Status == "PASSED" || f.RecordState == "ARCHIVED"
}

// short is the last part of a resource's id.
func (r resource) short() string {
	return r.ID[strings.LastIndexByte(r.ID, ':')+1:]
}

// suffix tells findings with one title about several resources apart.
func (r resource) suffix() string {
	if r.Type == "AwsEcrContainerImage" {
		if _, image, ok := strings.Cut(r.ID, "/"); ok {
			return " - Image: " + image
		}
	}
	return " - Resource: " + r.short()
}

// endpoint names a host by its resource, as it has no name of its own.
func (r resource) endpoint() string {
	return strings.ToLower(strings.NewReplacer(":", "_", "/", "_", " ", "_").Replace(r.Type + "_" + r.ID))
}
