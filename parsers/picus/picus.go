// Package picus reads the CSV that Picus, the breach and attack simulation, exports of a simulation's results.
//
// Made in Picus by "Simulation results, Export, CSV". Each row is one action of a threat. Of its 63 columns:
//
//	simulationRunId, threatName, threatSeverity, actionId, actionName, actionDescription, threatPreventionResult,
//	threatDetectionLogResult, threatDetectionAlertResult, actionPreventionResult, …, affectedProducts,
//	actionMitreTactic, actionMitreTechnique, actionMitreSubtechnique, cve, cwe, attackCategory,
//	genericMitigationsTabLink, actionLogsTabLink, signatureId, signatureName
//
// An action that was blocked is not active.
package picus

import (
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Picus's CSV.
var Parsers = []parsers.Parser{{
	Name:     "picus",
	ScanType: "PICUS Scan",
	Files:    "CSV",
	Command:  "Picus: Simulation results, Export, CSV",
	URL:      "https://www.picussecurity.com",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.HasColumns("simulationRunId", "threatName", "actionId", "actionName") {
		return parsers.Sure
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Picus"
	return stream.CSV(in, []string{"threatName", "actionName", "actionId"}, func(r stream.Row) error {
		if r.Get("threatName") != "" || r.Get("actionName") != "" {
			out.Emit(observation(r))
		}
		return nil
	})
}

func observation(r stream.Row) gate.Observation {
	prevention := parsers.First(r.Get("actionPreventionResult"), r.Get("threatPreventionResult"))
	blocked := strings.EqualFold(prevention, "blocked")
	o := gate.Observation{
		Title:            title(r.Get("threatName"), r.Get("actionName")),
		Severity:         gate.ParseSeverity(parsers.First(r.Get("threatSeverity"), r.Get("severity"))),
		Description:      description(r, prevention),
		Mitigation:       mitigation(r, prevention, blocked),
		RuleID:           r.Get("actionId"),
		CWE:              gate.ParseCWE(first(r.Get("cwe"))),
		VulnerabilityIDs: parsers.CVEs(r.Get("cve")),
		ComponentName:    r.Get("affectedProducts"),
		Payload:          r.Get("actionPayload"),
		Tags:             []string{r.Get("actionMitreTactic"), r.Get("actionMitreTechnique"), r.Get("actionMitreSubtechnique"), r.Get("attackCategory")},
	}
	if blocked {
		o.Active = new(false)
	}
	return o
}

// title joins the threat and the action, in the 500 characters that a title may have.
func title(threat, action string) string {
	s := strings.Trim(threat+" - "+action, " -")
	if r := []rune(s); len(r) > 500 {
		return string(r[:497]) + "..."
	}
	return s
}

// first returns the first of several values in one cell.
func first(cell string) string {
	if i := strings.IndexAny(cell, ",;|"); i >= 0 {
		return cell[:i]
	}
	return cell
}

// facts are columns worth telling, with the names to tell them by.
var facts = []struct{ name, column string }{
	{"Threat", "threatName"},
	{"Action", "actionName"},
	{"Attack category", "attackCategory"},
	{"Attack modules", "attackModules"},
	{"Threat severity", "threatSeverity"},
	{"MITRE tactic", "actionMitreTactic"},
	{"MITRE technique", "actionMitreTechnique"},
	{"MITRE sub-technique", "actionMitreSubtechnique"},
	{"NIST capabilities", "nistCapabilities"},
	{"Affected systems", "affectedOs"},
	{"Affected platforms", "affectedPlatforms"},
	{"Affected products", "affectedProducts"},
	{"Needs privileges", "isPrivileged"},
	{"File", "actionFileName"},
	{"SHA-256", "actionSha256"},
	{"Protocol", "actionProtocol"},
	{"Attacker", "attackerUser"},
	{"Location", "location"},
	{"Started", "attackStartedTimeUTC"},
	{"Ended", "attackEndedTimeUTC"},
	{"Simulation run", "simulationRunId"},
	{"Action ID", "actionId"},
}

func description(r stream.Row, prevention string) string {
	var text parsers.Text
	text.Add(r.Get("actionDescription")).Fact("Prevention", prevention).
		Fact("Logging", parsers.First(r.Get("actionDetectionLogResult"), r.Get("threatDetectionLogResult"))).
		Fact("Alerting", parsers.First(r.Get("actionDetectionAlertResult"), r.Get("threatDetectionAlertResult")))
	for _, f := range facts {
		text.Fact(f.name, r.Get(f.column))
	}
	return text.String()
}

func mitigation(r stream.Row, prevention string, blocked bool) string {
	what := "No control stopped the simulated attack: tune those that should have, and simulate it again."
	if blocked {
		what = "A control stopped the simulated attack: nothing has to be done to prevent it."
	}
	signature := r.Get("signatureName")
	if id := r.Get("signatureId"); id != "" {
		signature = strings.TrimSpace(signature + " (" + id + ")")
	}
	vendor := strings.Join(slices.DeleteFunc([]string{r.Get("vendorName"), r.Get("platform"), r.Get("productVersion")}, func(s string) bool { return s == "" }), " ")
	var text parsers.Text
	text.Add(what).Fact("Prevention", prevention).
		Fact("Picus's mitigations", r.Get("genericMitigationsTabLink")).Fact("Logs of the action", r.Get("actionLogsTabLink")).
		Fact("Detection content", r.Get("detectionContentTabLink")).Fact("Signature", signature).Fact("Product of the signature", vendor)
	return text.String()
}
