package verdict

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"defectdojo/gate/dedup"
	"defectdojo/gate/store"
	"defectdojo/policies"
)

// fingerprint is the identity of a finding that survives a new commit.
func (g *gathering) fingerprint(f *store.JudgedFinding) string {
	t := g.tests[f.TestID]
	if f.UniqueID != "" && (t.algorithm == dedup.UniqueID || len(f.Hash) == 0) {
		return "id:" + t.scanner + ":" + f.UniqueID
	}
	return "hash:" + hex.EncodeToString(f.Hash)
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
		Category: category(t.scanType, t.scanner, f), Scanner: t.scanner, Rule: f.Rule, CWE: int(f.CWE), Vulnerabilities: f.VulnerabilityIDs, PURL: f.PURL,
		Component: f.Component, Version: f.Version, Path: f.Path, Line: int(f.Line), FirstSeen: f.Created, FixVersion: f.FixVersion, FixAvailable: f.FixAvailable,
		EPSS: f.EPSS, EPSSPercentile: f.EPSSPercentile, CVSS: f.CVSS, Tags: f.Tags,
	}
	if host, path, ok := strings.Cut(f.EndpointKey, "\x1f"); ok {
		path, _, _ = strings.Cut(path, "\x1e")
		out.Endpoint = host + "/" + path
	}
	if f.KnownExploited {
		out.KEV = new(true)
	}
	if f.Ransomware {
		out.Ransomware = new(true)
	}
	if f.Snippet != "" {
		sum := sha256.Sum256([]byte(strings.Join(strings.Fields(f.Snippet), "")))
		out.ContextHash = hex.EncodeToString(sum[:8])
	}
	if slices.Contains(f.Tags, "verified") {
		out.Verified = "active"
	}
	return out
}
