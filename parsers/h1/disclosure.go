package h1

import (
	"crypto/md5" //nolint:gosec // a name for a finding, as DefectDojo gives it; not for security
	"encoding/hex"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// disclosure is a report as HackerOne's API gives it.
type disclosure struct {
	ID         stream.Text `json:"id"`
	Attributes struct {
		Title       stream.Text                   `json:"title"`
		State       stream.Text                   `json:"state"`
		MainState   stream.Text                   `json:"main_state"`
		Created     stream.Text                   `json:"created_at"`
		Triaged     stream.Text                   `json:"triaged_at"`
		Closed      stream.Text                   `json:"closed_at"`
		Disclosed   stream.Text                   `json:"disclosed_at"`
		Awarded     stream.Text                   `json:"bounty_awarded_at"`
		Information stream.Text                   `json:"vulnerability_information"`
		TrackerID   stream.Text                   `json:"issue_tracker_reference_id"`
		TrackerURL  stream.Text                   `json:"issue_tracker_reference_url"`
		CVEs        stream.OneOrMany[stream.Text] `json:"cve_ids"`
	} `json:"attributes"`
	Relationships struct {
		Reporter related[user]     `json:"reporter"`
		Assignee related[user]     `json:"assignee"`
		Severity related[severity] `json:"severity"`
		Weakness related[weakness] `json:"weakness"`
		Scope    related[scope]    `json:"structured_scope"`
	} `json:"relationships"`
}

// related is how JSON:API nests one object in another.
type related[T any] struct {
	Data struct {
		Attributes T `json:"attributes"`
	} `json:"data"`
}

type user struct {
	Username stream.Text `json:"username"`
	Name     stream.Text `json:"name"`
}

type severity struct {
	Rating stream.Text  `json:"rating"`
	Score  stream.Float `json:"score"`
	Vector stream.Text  `json:"cvss_vector_string"`
}

type weakness struct {
	Name        stream.Text `json:"name"`
	Description stream.Text `json:"description"`
	ExternalID  stream.Text `json:"external_id"`
}

type scope struct {
	Asset           stream.Text `json:"asset_identifier"`
	Type            stream.Text `json:"asset_type"`
	Confidentiality stream.Text `json:"confidentiality_requirement"`
	Integrity       stream.Text `json:"integrity_requirement"`
	Availability    stream.Text `json:"availability_requirement"`
	MaxSeverity     stream.Text `json:"max_severity"`
	Reference       stream.Text `json:"reference"`
	Instruction     stream.Text `json:"instruction"`
}

// closed are the states in which a report is done with, for old answers that
// have no main_state.
var closed = map[stream.Text]bool{"resolved": true, "not-applicable": true, "informative": true, "duplicate": true, "spam": true}

func (r disclosure) observation() gate.Observation {
	a, sev := r.Attributes, r.Relationships.Severity.Data.Attributes
	o := gate.Observation{
		Title:       "#" + string(r.ID) + " " + string(a.Title),
		Severity:    gate.ParseSeverity(string(sev.Rating)),
		Description: r.describe(),
		Mitigation:  "The report's text says what to mend, and HackerOne keeps what was said about it.",
		Impact:      parsers.First(impact(string(a.Information)), "The report does not tell the impact apart from the rest."),
		References:  r.references(),
		CWE:         gate.ParseCWE(string(r.Relationships.Weakness.Data.Attributes.ExternalID)),
		Check:       string(r.Relationships.Weakness.Data.Attributes.ExternalID),
		Date:        parsers.ParseDate(string(a.Created)),
		Analysis:    gate.Neither,
	}
	for _, c := range a.CVEs {
		o.VulnerabilityIDs = append(o.VulnerabilityIDs, string(c))
	}
	sum := md5.Sum([]byte(o.References + o.Title)) //nolint:gosec // as above
	o.UniqueID = hex.EncodeToString(sum[:])
	parsers.SetCVSS(&o, string(sev.Vector))
	if o.CVSSv3Score == nil && o.CVSSv4Score == nil {
		o.CVSSv3Score = sev.Score.Ptr()
	}
	if a.MainState == "closed" || a.MainState == "" && closed[a.State] {
		o.Active = new(false)
		o.Mitigated = true
		o.MitigatedAt = parsers.ParseTime(string(a.Closed))
	}
	return o
}

// references are part of a finding's identity: their form is DefectDojo's.
func (r disclosure) references() string {
	page := "https://hackerone.com/reports/" + string(r.ID)
	s := "[" + page + "](" + page + ")"
	if a := r.Attributes; a.TrackerURL != "" {
		s = "[" + string(a.TrackerID) + "](" + string(a.TrackerURL) + ")\n" + s
	}
	return s
}

// impact cuts a report's section of that name out of it.
func impact(text string) string {
	_, s, ok := strings.Cut(text, "## Impact")
	if !ok {
		return ""
	}
	s, _, _ = strings.Cut(s, "\n## ")
	return strings.TrimSpace(s)
}

func (r disclosure) describe() string {
	a, rel := r.Attributes, r.Relationships
	var text parsers.Text
	text.Add(string(a.Information))
	text.Fact("Submitted", string(a.Created)).Fact("By", parsers.First(string(rel.Reporter.Data.Attributes.Username), string(rel.Reporter.Data.Attributes.Name)))
	text.Fact("Assigned to", parsers.First(string(rel.Assignee.Data.Attributes.Username), string(rel.Assignee.Data.Attributes.Name)))
	text.Fact("State", string(a.State)).Fact("Triaged", string(a.Triaged)).Fact("Closed", string(a.Closed)).Fact("Bounty awarded", string(a.Awarded)).Fact("Disclosed", string(a.Disclosed))
	if s := rel.Scope.Data.Attributes; s.Asset != "" {
		text.Section("Asset", string(s.Asset)).Fact("Type", string(s.Type)).Fact("Required confidentiality", string(s.Confidentiality)).Fact("Required integrity", string(s.Integrity))
		text.Fact("Required availability", string(s.Availability)).Fact("Greatest severity", string(s.MaxSeverity)).Fact("Reference", string(s.Reference)).Fact("Instruction", string(s.Instruction))
	}
	if w := rel.Weakness.Data.Attributes; w.Name != "" {
		text.Section("Weakness: "+string(w.Name), parsers.First(string(w.Description), string(w.ExternalID)))
	}
	return text.String()
}
