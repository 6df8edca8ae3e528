package triage

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/store"
)

// audit is the history's entry of a change.
func (a Actor) audit(action string, before, after gate.Finding) store.AuditEvent {
	actor := a.Who.User.Username
	if a.Who.Token != nil {
		actor = a.Who.Token.PublicID
	}
	return store.AuditEvent{
		At: a.Now, ActorID: &a.Who.User.ID, Actor: actor, Action: action, Object: "finding", ObjectID: &after.ID, ProductID: &after.ProductID,
		Changes: changes(before, after), RequestID: a.RequestID, IP: a.IP,
	}
}

// kept are the fields whose changes the history keeps, by their API names.
var kept = []struct {
	name string
	of   func(gate.Finding) string
}{
	{"title", func(f gate.Finding) string { return f.Title }},
	{"severity", func(f gate.Finding) string { return f.Severity.String() }},
	{"active", func(f gate.Finding) string { return strconv.FormatBool(f.Active) }},
	{"verified", func(f gate.Finding) string { return strconv.FormatBool(f.Verified) }},
	{"false_p", func(f gate.Finding) string { return strconv.FormatBool(f.FalseP) }},
	{"duplicate", func(f gate.Finding) string { return strconv.FormatBool(f.Duplicate) }},
	{"duplicate_finding", func(f gate.Finding) string { return text(f.DuplicateFindingID) }},
	{"out_of_scope", func(f gate.Finding) string { return strconv.FormatBool(f.OutOfScope) }},
	{"risk_accepted", func(f gate.Finding) string { return strconv.FormatBool(f.RiskAccepted) }},
	{"is_mitigated", func(f gate.Finding) string { return strconv.FormatBool(f.IsMitigated) }},
	{"mitigated", func(f gate.Finding) string { return at(f.Mitigated) }},
	{"mitigated_by", func(f gate.Finding) string { return text(f.MitigatedByID) }},
	{"under_review", func(f gate.Finding) string { return strconv.FormatBool(f.UnderReview) }},
	{"review_requested_by", func(f gate.Finding) string { return text(f.ReviewRequestedByID) }},
	{"reviewers", func(f gate.Finding) string { return list(f.Reviewers) }},
	{"assignee", func(f gate.Finding) string { return text(f.AssigneeID) }},
	{"date", func(f gate.Finding) string { return gate.DateOf(f.Date).String() }},
	{"sla_start_date", func(f gate.Finding) string { return at(f.SLAStartDate) }},
	{"sla_expiration_date", func(f gate.Finding) string { return at(f.SLAExpirationDate) }},
	{"cwe", func(f gate.Finding) string { return text(f.CWE) }},
	{"vulnerability_ids", func(f gate.Finding) string { return list(f.VulnerabilityIDs) }},
	{"cvssv3", func(f gate.Finding) string { return text(f.CVSSv3) }},
	{"cvssv3_score", func(f gate.Finding) string { return text(f.CVSSv3Score) }},
	{"cvssv4", func(f gate.Finding) string { return text(f.CVSSv4) }},
	{"cvssv4_score", func(f gate.Finding) string { return text(f.CVSSv4Score) }},
	{"description", func(f gate.Finding) string { return f.Description }},
	{"mitigation", func(f gate.Finding) string { return f.Mitigation }},
	{"impact", func(f gate.Finding) string { return f.Impact }},
	{"references", func(f gate.Finding) string { return f.Refs }},
	{"steps_to_reproduce", func(f gate.Finding) string { return f.StepsToReproduce }},
	{"severity_justification", func(f gate.Finding) string { return f.SeverityJustification }},
	{"file_path", func(f gate.Finding) string { return text(f.FilePath) }},
	{"line", func(f gate.Finding) string { return text(f.Line) }},
	{"component_name", func(f gate.Finding) string { return text(f.ComponentName) }},
	{"component_version", func(f gate.Finding) string { return text(f.ComponentVersion) }},
	{"service", func(f gate.Finding) string { return text(f.Service) }},
	{"fix_available", func(f gate.Finding) string { return text(f.FixAvailable) }},
	{"fix_version", func(f gate.Finding) string { return text(f.FixVersion) }},
	{"effort_for_fixing", func(f gate.Finding) string { return text(f.EffortForFixing) }},
	{"planned_remediation_date", func(f gate.Finding) string { return at(f.PlannedRemediationDate) }},
	{"planned_remediation_version", func(f gate.Finding) string { return text(f.PlannedRemediationVersion) }},
	{"tags", func(f gate.Finding) string { return list(f.Tags) }},
}

// changes returns the fields that differ, each with its text before and after.
func changes(before, after gate.Finding) map[string]any {
	out := map[string]any{}
	for _, k := range kept {
		if was, is := k.of(before), k.of(after); was != is {
			out[k.name] = [2]string{clip(was), clip(is)}
		}
	}
	return out
}

// clip returns as much of a text as the history keeps.
func clip(s string) string {
	const longest = 500
	if len(s) <= longest {
		return s
	}
	return strings.ToValidUTF8(s[:longest], "") + "…"
}

func text[T any](v *T) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(*v)
}

func at(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func list[T any](v []T) string { return strings.Trim(fmt.Sprint(v), "[]") }
