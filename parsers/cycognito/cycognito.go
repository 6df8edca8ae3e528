// Package cycognito reads the issues of CyCognito, the attack-surface manager, as its API gives them.
//
// Made by "curl -X POST https://api.platform.cycognito.com/v1/issues -H 'Authorization: …'". The
// report is a list:
//
//	[{"id": "issue/203.0.113.9-…", "title": "…", "severity": "medium", "affected_asset": "ip/203.0.113.9",
//	  "port": 22, "summary": "…", "cve_ids": ["CVE-…"], "references": ["https://…"], "first_detected": "2025-…",
//	  "evidence": {"evidence": "…"}, "remediation_method": "Patch", "remediation_steps": ["…"], …}]
//
// Most fields are optional; what is a text in one account can be a list in another.
package cycognito

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"

	"github.com/go-json-experiment/json/jsontext"
)

// Parsers reads CyCognito's issues.
var Parsers = []parsers.Parser{{
	Name:     "cycognito",
	ScanType: "Cycognito Scan",
	Files:    "JSON",
	Command:  "curl -X POST -H 'Authorization: TOKEN' https://api.platform.cycognito.com/v1/issues > cycognito.json",
	URL:      "https://docs.cycognito.com/reference/query-issues",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("[].affected_asset", "[].issue_id", "[].enhanced_severity"), s.Has("[].attractiveness_label"), s.Has("[].affected_asset", "[].potential_threat"):
		return parsers.Sure
	case s.Has("[].affected_asset", "[].title", "[].severity"):
		return parsers.Likely
	case s.Is("[]"):
		return parsers.Possible
	}
	return parsers.No
}

type list = stream.OneOrMany[stream.Text]

type issue struct {
	ID            stream.Text    `json:"id"`
	IssueID       stream.Text    `json:"issue_id"`
	Title         stream.Text    `json:"title"`
	Severity      stream.Text    `json:"severity"`
	BaseScore     stream.Float   `json:"base_severity_score"`
	Enhanced      stream.Text    `json:"enhanced_severity"`
	EnhancedScore stream.Float   `json:"enhanced_severity_score"`
	Asset         stream.Text    `json:"affected_asset"`
	Port          stream.Text    `json:"port"`
	Summary       stream.Text    `json:"summary"`
	Confidence    stream.Text    `json:"confidence"`
	Package       stream.Text    `json:"package"`
	Type          stream.Text    `json:"issue_type"`
	Status        stream.Text    `json:"issue_status"`
	Investigation stream.Text    `json:"investigation_status"`
	Threat        stream.Text    `json:"potential_threat"`
	Impact        list           `json:"potential_impact"`
	Attractive    stream.Text    `json:"attractiveness_label"`
	Exploitation  stream.Text    `json:"exploitation_availability"`
	Complexity    stream.Text    `json:"exploitation_complexity"`
	Detection     stream.Text    `json:"detection_complexity"`
	Technique     stream.Text    `json:"mitre_attack_technique_name"`
	Platforms     list           `json:"platforms"`
	Environments  list           `json:"environments"`
	Locations     list           `json:"locations"`
	Regions       list           `json:"region"`
	Organizations list           `json:"organizations"`
	Units         list           `json:"business_units"`
	Violations    list           `json:"compliance_violations"`
	Comment       stream.Text    `json:"comment"`
	Evidence      jsontext.Value `json:"evidence"`
	CVEs          list           `json:"cve_ids"`
	CWEs          list           `json:"cwe_ids"`
	References    list           `json:"references"`
	Advisories    list           `json:"advisories"`
	Method        stream.Text    `json:"remediation_method"`
	Effort        stream.Text    `json:"remediation_effort"`
	Steps         list           `json:"remediation_steps"`
	FirstDetected stream.Text    `json:"first_detected"`
	LastDetected  stream.Text    `json:"last_detected"`
	ResolvedAt    stream.Text    `json:"resolved_at"`
	Tags          list           `json:"tags"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "CyCognito"
	return stream.JSON(in, stream.Each(func(i issue) error {
		if i.Title == "" {
			return errors.New("an issue without a title")
		}
		out.Emit(observation(i))
		return nil
	}))
}

func observation(i issue) gate.Observation {
	o := gate.Observation{
		Title:            string(i.Title),
		Severity:         gate.ParseSeverity(string(i.Severity)),
		Description:      description(i),
		Mitigation:       mitigation(i),
		Impact:           strings.Join(stream.Strings(i.Impact), "\n"),
		References:       parsers.Lines(append(stream.Strings(i.References), stream.Strings(i.Advisories)...)...),
		VulnerabilityIDs: stream.Strings(i.CVEs),
		Endpoints:        endpoints(string(i.Asset)),
		Date:             parsers.ParseDate(string(i.FirstDetected)),
		Tags:             stream.Strings(i.Tags),
		EffortForFix:     efforts[strings.ToLower(string(i.Effort))],
		Check:            string(i.ID),
	}
	for _, id := range i.CWEs {
		if n := gate.ParseCWE(string(id)); n > 0 {
			o.CWEs = append(o.CWEs, n) // none is the main one: DefectDojo sets no cwe
		}
	}
	if t := parsers.ParseTime(string(i.ResolvedAt)); !t.IsZero() {
		o.Active, o.Mitigated, o.MitigatedAt = new(false), true, t
	}
	return o
}

var efforts = map[string]string{"low": "Low", "small": "Low", "medium": "Medium", "high": "High", "large": "High"}

func description(i issue) string {
	var text parsers.Text
	text.Add(string(i.Summary)).
		Fact("Asset", string(i.Asset)).Fact("Port", string(i.Port)).Fact("Issue", string(i.ID)).Fact("Issue ID", string(i.IssueID)).
		Fact("Type", string(i.Type)).Fact("Potential threat", string(i.Threat)).Fact("Confidence", string(i.Confidence)).
		Fact("Base score", i.BaseScore.String()).Fact("Enhanced severity", string(i.Enhanced)).Fact("Enhanced score", i.EnhancedScore.String()).
		Fact("Attractiveness", string(i.Attractive)).Fact("Exploits available", string(i.Exploitation)).Fact("Exploitation complexity", string(i.Complexity)).
		Fact("Detected by", string(i.Detection)).Fact("MITRE ATT&CK technique", string(i.Technique)).
		Facts("Platforms", stream.Strings(i.Platforms)).Facts("Environments", stream.Strings(i.Environments)).
		Facts("Locations", append(stream.Strings(i.Locations), stream.Strings(i.Regions)...)).
		Facts("Organizations", stream.Strings(i.Organizations)).Facts("Business units", stream.Strings(i.Units)).
		Facts("Violates", stream.Strings(i.Violations)).Fact("Package", string(i.Package)).
		Fact("Status", string(i.Status)).Fact("Investigation", string(i.Investigation)).Fact("Last detected", string(i.LastDetected)).
		Fact("Comment", string(i.Comment))
	evidence(&text, i.Evidence)
	return text.String()
}

// evidence adds what proves the issue: a text, or an object with one.
func evidence(text *parsers.Text, v jsontext.Value) {
	var whole stream.Text
	var parts struct {
		Evidence stream.Text `json:"evidence"`
		Command  stream.Text `json:"curl-cmd"`
		Link     stream.Text `json:"more-details-link"`
		Host     stream.Text `json:"hostname"`
	}
	if len(v) == 0 {
		return
	}
	if stream.Unmarshal(v, &parts) == nil {
		text.Fact("Host", string(parts.Host)).Fact("Details", string(parts.Link)).Code("", string(parts.Evidence)).Code("sh", string(parts.Command))
	} else if stream.Unmarshal(v, &whole) == nil {
		text.Code("", string(whole))
	}
}

func mitigation(i issue) string {
	var text parsers.Text
	text.Fact("Method", string(i.Method)).Fact("Effort", string(i.Effort)).Add(strings.Join(stream.Strings(i.Steps), "\n\n"))
	return text.String()
}

// address is what an asset's name has of an address: "ip/203.0.113.9",
// "webapp/https://www.example.org:443", "cert/…".
var address = regexp.MustCompile(`^(?:ip|domain|webapp|web-app|iprange|host)/(.+)$`)

func endpoints(asset string) []string {
	found := address.FindStringSubmatch(asset)
	if found == nil {
		return nil
	}
	return slices.DeleteFunc([]string{parsers.Endpoint(found[1])}, func(s string) bool { return s == "" })
}
