package h1

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// bounty is a case of a bug bounty, by the names of its columns.
type bounty map[string]stream.Text

func (c bounty) get(name string) string { return strings.TrimSpace(string(c[name])) }

// facts are the columns that a description tells, with their names.
var facts = [][2]string{
	{"id", "ID"},
	{"weakness", "Weakness"},
	{"substate", "State"},
	{"reporter", "Reporter"},
	{"collaborating_users", "With"},
	{"assigned", "Assigned to"},
	{"public", "Public"},
	{"triaged_at", "Triaged at"},
	{"closed_at", "Closed at"},
	{"awarded_at", "Awarded at"},
	{"bounty", "Bounty"},
	{"bonus", "Bonus"},
	{"first_response_at", "First response at"},
	{"source", "Source"},
	{"reference", "Reference"},
	{"reference_url", "Reference's address"},
	{"structured_scope", "Asset"},
	{"structured_scope_reference", "Asset's reference"},
	{"original_report_id", "Original report"},
	{"duplicate_report_ids", "Duplicates"},
}

func (c bounty) observation() gate.Observation {
	var text parsers.Text
	text.Add("A report of HackerOne's.")
	for _, f := range facts {
		text.Fact(f[1], c.get(f[0]))
	}
	o := gate.Observation{
		Title:            c.get("title"),
		Severity:         gate.ParseSeverity(c.get("severity_rating")),
		Description:      text.String(),
		Check:            c.get("weakness"),
		VulnerabilityIDs: parsers.CVEs(c.get("cve_ids")),
		Date:             parsers.ParseDate(c.get("reported_at")),
	}
	if strings.EqualFold(c.get("state"), "closed") {
		o.Active = new(false)
		o.Mitigated = true
		o.MitigatedAt = parsers.ParseTime(c.get("closed_at"))
	}
	return o
}
