package trivy_operator

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

type vulnerability struct {
	ID               string       `json:"vulnerabilityID"`
	Resource         string       `json:"resource"`
	InstalledVersion string       `json:"installedVersion"`
	FixedVersion     string       `json:"fixedVersion"`
	PublishedDate    string       `json:"publishedDate"`
	Severity         string       `json:"severity"`
	Title            string       `json:"title"`
	Description      string       `json:"description"`
	PrimaryLink      string       `json:"primaryLink"`
	Links            []string     `json:"links"`
	Score            stream.Float `json:"score"`
	Target           string       `json:"target"`
	Class            string       `json:"class"`
	PackageType      string       `json:"packageType"`
	PURL             string       `json:"packagePURL"`
	Path             string       `json:"pkgPath"`
}

func (v vulnerability) observation(p place) gate.Observation {
	var about parsers.Text
	about.Add(v.Title).Add(v.Description).
		Fact("Package", strings.TrimSpace(v.Resource+" "+v.InstalledVersion)).
		Fact("Fixed version", v.FixedVersion).Fact("Target", v.Target).Fact("Path", v.Path)
	o := gate.Observation{
		Title:            parsers.First(v.ID, "0") + " " + v.Resource + " " + v.InstalledVersion,
		Severity:         gate.ParseSeverity(v.Severity),
		Description:      p.tell(&about).String(),
		References:       parsers.Lines(append([]string{v.PrimaryLink}, v.Links...)...),
		VulnerabilityIDs: []string{v.ID},
		CVSSv3Score:      v.Score.Ptr(),
		FilePath:         v.Target,
		ComponentName:    v.Resource,
		ComponentVersion: v.InstalledVersion,
		PURL:             v.PURL,
		Service:          p.service(),
		FixAvailable:     new(v.FixedVersion != ""),
		Fix:              parsers.Fixed(v.FixedVersion),
		PublishDate:      parsers.ParseDate(v.PublishedDate),
		Tags:             []string{p.namespace, v.PackageType, v.Class},
	}
	if v.FixedVersion != "" {
		o.Mitigation = "Update " + v.Resource + " to " + v.FixedVersion + "."
	}
	return o
}

type check struct {
	Category    string   `json:"category"`
	ID          string   `json:"checkID"`
	Plain       string   `json:"id"` // in the definition of a control
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Messages    []string `json:"messages"`
	Remediation string   `json:"remediation"`
	Severity    string   `json:"severity"`
	Success     bool     `json:"success"`
	Target      string   `json:"target"`
}

func (c check) observation(p place) gate.Observation {
	var about, how parsers.Text
	about.Add(c.Description).Fact("Check", c.ID)
	how.Add(c.Remediation).Add(strings.Join(c.Messages, "\n\n"))
	o := gate.Observation{
		Title:        parsers.First(c.ID, "0") + " - " + c.Title,
		Severity:     gate.ParseSeverity(c.Severity),
		Description:  p.tell(&about).String(),
		Mitigation:   how.String(),
		Check:        c.ID,
		Service:      p.service(),
		FixAvailable: new(true), // the check says how the resource must be
		Tags:         []string{p.namespace, c.Category},
	}
	if c.ID != "" {
		o.References = "https://avd.aquasec.com/misconfig/kubernetes/" + strings.ToLower(c.ID)
		o.VulnerabilityIDs = []string{avd(c.ID)}
	}
	return o
}

// avd writes the name of a check as Aqua's vulnerability database does:
// "AVD-KSV-0014" for "KSV014" and "KSV-0014".
func avd(id string) string {
	if strings.HasPrefix(id, "AVD-") {
		return id
	}
	if letters, number, ok := strings.Cut(id, "-"); ok {
		return "AVD-" + letters + "-" + number
	}
	i := strings.IndexAny(id, "0123456789")
	if i <= 0 {
		return "AVD-" + id
	}
	return "AVD-" + id[:i] + "-" + strings.Repeat("0", max(0, 4-len(id[i:]))) + id[i:]
}

type secret struct {
	Category string `json:"category"`
	Match    string `json:"match"` // the secret is masked
	RuleID   string `json:"ruleID"`
	Severity string `json:"severity"`
	Target   string `json:"target"`
	Title    string `json:"title"`
}

func (s secret) observation(p place) gate.Observation {
	var about parsers.Text
	about.Add(s.Title+" is in "+parsers.First(s.Target, "the image")+". Whoever can pull the image has it: revoke it, then take it out.").
		Fact("Category", s.Category).Fact("Rule", s.RuleID)
	o := gate.Observation{
		Title:        "Secret detected in " + s.Target + " - " + s.Title,
		Severity:     gate.ParseSeverity(s.Severity),
		Description:  p.tell(&about).Code("", s.Match).String(),
		Check:        s.RuleID,
		FilePath:     s.Target,
		Snippet:      s.Match,
		Service:      p.service(),
		FixAvailable: new(true),
		Tags:         []string{p.namespace},
	}
	if s.RuleID != "" {
		o.References = "Rule of Trivy: " + s.RuleID
	}
	return o
}

// control is a requirement of a compliance report, with the checks for it.
type control struct {
	ID          stream.Text `json:"id"`
	Name        string      `json:"name"`
	Description string      `json:"description"`
	Severity    string      `json:"severity"`
	Checks      []check     `json:"checks"`
}

func (c control) observation(k check, title, description string) gate.Observation {
	var about, how parsers.Text
	about.Add(c.Name).Add(c.Description).Add(k.Title).Add(k.Description).
		Fact("Standard", parsers.First(title, description)).Fact("Requirement", string(c.ID)).
		Fact("Check", k.ID).Fact("Category", k.Category).Fact("Target", k.Target)
	if title != "" {
		about.Fact("About the standard", description)
	}
	about.List(k.Messages)
	how.Add(k.Remediation)
	o := gate.Observation{
		Title:        strings.TrimSpace(string(c.ID) + " " + k.ID + " " + k.Target),
		Severity:     gate.ParseSeverity(parsers.First(k.Severity, c.Severity)),
		Description:  about.String(),
		Mitigation:   how.String(),
		Check:        k.ID,
		FixAvailable: new(k.Remediation != ""),
		Analysis:     gate.Dynamic, // of the running cluster
	}
	if k.ID != "" {
		o.VulnerabilityIDs = []string{k.ID}
	}
	return o
}

// controlCheck is what the summary of a compliance report tells of a control.
type controlCheck struct {
	ID       stream.Text `json:"id"`
	Name     string      `json:"name"`
	Severity string      `json:"severity"`
	Failed   stream.Int  `json:"totalFail"`
}

// emitSummary puts out the controls that failed, where a compliance report has its
// summary and no details: "reportType: summary".
func (r resource) emitSummary(out *parsers.Report) {
	if r.Status.Summary.Failed.N == 0 {
		return
	}
	controls := map[stream.Text]control{}
	for _, c := range r.Spec.Compliance.Value.Controls {
		controls[c.ID] = c
	}
	for _, c := range r.Status.Controls.List {
		if c.Failed.N > 0 {
			out.Emit(c.observation(controls[c.ID]))
		}
	}
}

func (c controlCheck) observation(of control) gate.Observation {
	var about parsers.Text
	about.Add(c.Name).Add(of.Description).Fact("Requirement", string(c.ID)).Fact("Resources that fail", c.Failed.String())
	o := gate.Observation{
		Title:        "TrivyClusterCompliance " + string(c.ID) + " totalFail: " + c.Failed.String(),
		Severity:     gate.ParseSeverity(c.Severity),
		Description:  about.String(),
		Check:        string(c.ID),
		FixAvailable: new(false),
		Analysis:     gate.Dynamic, // of the running cluster
	}
	for _, k := range of.Checks {
		o.VulnerabilityIDs = append(o.VulnerabilityIDs, parsers.First(k.ID, k.Plain))
	}
	return o
}
