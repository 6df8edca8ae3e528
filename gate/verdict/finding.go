package verdict

import (
	"defectdojo/gate/evidence"
	"defectdojo/gate/store"
	"defectdojo/policies"
)

// fingerprint is the identity of a finding that survives a new commit.
func (g *gathering) fingerprint(f *store.JudgedFinding) string {
	t := g.tests[f.TestID]
	return evidence.Fingerprint(t.algorithm, t.scanner, f.UniqueID, f.Hash)
}

// finding is what the policies see of a finding.
func (g *gathering) finding(f *store.JudgedFinding) policies.Finding {
	t := g.tests[f.TestID]
	out := policies.Finding{
		ID: f.ID, Fingerprint: g.fingerprint(f), Title: f.Title, Severity: f.Severity, DuplicateOf: f.DuplicateOf,
		Status: policies.Flags{
			Active: f.Flags.Active, Verified: f.Flags.Verified, FalsePositive: f.Flags.FalseP, Duplicate: f.Flags.Duplicate, OutOfScope: f.Flags.OutOfScope,
			RiskAccepted: f.Flags.RiskAccepted, UnderReview: f.UnderReview, Mitigated: f.Flags.IsMitigated,
		}.Status(),
		Scanner: t.scanner, Rule: f.Rule, Vulnerabilities: f.VulnerabilityIDs, PURL: f.PURL,
		Component: f.Component, Version: f.Version, Path: f.Path, Line: int(f.Line), FirstSeen: f.Created, FixVersion: f.FixVersion, FixAvailable: f.FixAvailable,
		EPSS: f.EPSS, EPSSPercentile: f.EPSSPercentile, CVSS: f.CVSS, Tags: f.Tags,
	}
	evidence.Describe(&out, t.scanType, int(f.CWE), f.Static, f.KnownExploited, f.Ransomware, f.Snippet, f.EndpointKey)
	return out
}
