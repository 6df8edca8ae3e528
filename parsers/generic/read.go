package generic

import (
	"strings"

	"defectdojo/parsers/stream"
)

// read reads a finding as its type says it: a report of many is read often, and
// while somebody waits for the verdict.
func (f *finding) read(c *stream.Cursor) {
	for key := range c.Object {
		switch string(key) {
		case "title":
			f.Title = c.Text()
		case "severity":
			f.Severity = c.Text()
		case "description":
			f.Description = c.Text()
		case "date":
			f.Date = c.Text()
		case "cwe":
			f.CWE = c.Text()
		case "cwes":
			f.CWEs = listOf(c)
		case "cve":
			f.CVE = c.Text()
		case "vulnerability_ids":
			f.VulnerabilityIDs = listOf(c)
		case "cvssv3":
			f.CVSSv3 = c.Text()
		case "cvssv3_score":
			f.CVSSv3Score = c.Float()
		case "cvssv4":
			f.CVSSv4 = c.Text()
		case "cvssv4_score":
			f.CVSSv4Score = c.Float()
		case "epss_score":
			f.EPSSScore = c.Float()
		case "epss_percentile":
			f.EPSSPercentile = c.Float()
		case "known_exploited":
			f.KnownExploited.value = parseFlag(string(c.Text()))
		case "ransomware_used":
			f.RansomwareUsed.value = parseFlag(string(c.Text()))
		case "kev_date":
			f.KEVDate = c.Text()
		case "mitigation":
			f.Mitigation = c.Text()
		case "impact":
			f.Impact = c.Text()
		case "steps_to_reproduce":
			f.StepsToReproduce = c.Text()
		case "severity_justification":
			f.SeverityJustification = c.Text()
		case "references":
			f.References = c.Text()
		case "active":
			f.Active.value = parseFlag(string(c.Text()))
		case "verified":
			f.Verified.value = parseFlag(string(c.Text()))
		case "false_p":
			f.FalsePositive.value = parseFlag(string(c.Text()))
		case "out_of_scope":
			f.OutOfScope.value = parseFlag(string(c.Text()))
		case "risk_accepted":
			f.RiskAccepted.value = parseFlag(string(c.Text()))
		case "under_review":
			f.UnderReview.value = parseFlag(string(c.Text()))
		case "is_mitigated":
			f.IsMitigated.value = parseFlag(string(c.Text()))
		case "mitigated":
			f.Mitigated = c.Text()
		case "param":
			f.Param = c.Text()
		case "payload":
			f.Payload = c.Text()
		case "file_path":
			f.FilePath = c.Text()
		case "line":
			f.Line = c.Int()
		case "component_name":
			f.ComponentName = c.Text()
		case "component_version":
			f.ComponentVersion = c.Text()
		case "fix_available":
			f.FixAvailable.value = parseFlag(string(c.Text()))
		case "fix_version":
			f.FixVersion = c.Text()
		case "static_finding":
			f.StaticFinding.value = parseFlag(string(c.Text()))
		case "dynamic_finding":
			f.DynamicFinding.value = parseFlag(string(c.Text()))
		case "scanner_confidence":
			f.ScannerConfidence = c.Int()
		case "unique_id_from_tool":
			f.UniqueID = c.Text()
		case "vuln_id_from_tool":
			f.RuleID = c.Text()
		case "sast_source_object":
			f.SASTSourceObject = c.Text()
		case "sast_sink_object":
			f.SASTSinkObject = c.Text()
		case "sast_source_line":
			f.SASTSourceLine = c.Int()
		case "sast_source_file_path":
			f.SASTSourceFilePath = c.Text()
		case "nb_occurences":
			f.Occurrences = c.Int()
		case "publish_date":
			f.PublishDate = c.Text()
		case "service":
			f.Service = c.Text()
		case "planned_remediation_date":
			f.PlannedRemediationDate = c.Text()
		case "planned_remediation_version":
			f.PlannedRemediationVersion = c.Text()
		case "effort_for_fixing":
			f.EffortForFixing = c.Text()
		case "tags":
			f.Tags = listOf(c)
		case "endpoints":
			c.As(&f.Endpoints)
		case "files":
			c.As(&f.Files)
		case "duplicate":
			f.Duplicate.value = parseFlag(string(c.Text()))
		case "numerical_severity":
			f.NumericalSeverity = c.Text()
		case "hash_code":
			f.HashCode = c.Text()
		case "thread_id":
			f.ThreadID = c.Text()
		case "sast_source_function":
			f.SASTSourceFunction = c.Text()
		case "url":
			f.URL = c.Text()
		default:
			c.Refuse() // decoding keeps it, for the error
		}
	}
}

// listOf reads a list, or one text that holds it.
func listOf(c *stream.Cursor) list {
	if c.Kind() != '[' {
		if t := c.Text(); t != "" {
			return strings.Split(string(t), ",")
		}
		return nil
	}
	var l list
	for range c.Array {
		l = append(l, string(c.Text()))
	}
	return l
}
