// Package evidence says what policies see of a report and its findings. It is
// pure: the server asks it about what it has stored, and the uploader about a
// report that it could not send, so that both judge the same.
package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/gate/dedup"
	"defectdojo/parsers/all"
	"defectdojo/policies"
)

// TestType names the test type of a report whose run says its own type:
// "Semgrep Scan (SARIF)".
func TestType(scanType, raw string) string {
	switch {
	case raw == "" || raw == scanType || raw+" Scan" == scanType:
		return scanType
	case strings.HasSuffix(raw, "("+scanType+")"):
		return raw
	}
	return raw + " Scan (" + scanType + ")"
}

// Scanner is a test's tool, in the word that policies use: "trivy". Formats of
// many tools name theirs in the test type: "Semgrep Scan (SARIF)".
func Scanner(testType, scanType string, runs []gate.Run) string {
	if tool, _, ok := strings.Cut(testType, " Scan ("); ok {
		return strings.ToLower(tool)
	}
	if p, ok := all.ByScanType(scanType); ok {
		if (p.Name == "sarif" || p.Name == "generic") && len(runs) > 0 && runs[0].Tool != "" {
			return strings.ToLower(runs[0].Tool)
		}
		return p.Name
	}
	return strings.ToLower(scanType)
}

// Fingerprint is the identity of a finding that survives a new commit.
func Fingerprint(a dedup.Algorithm, scanner, uniqueID string, hash []byte) string {
	if uniqueID != "" && (a == dedup.UniqueID || len(hash) == 0) {
		return "id:" + scanner + ":" + uniqueID
	}
	return "hash:" + hex.EncodeToString(hash)
}

// ContextHash is of the code around a finding, without blanks; "" of none.
func ContextHash(snippet string) string {
	if snippet == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(strings.Join(strings.Fields(snippet), "")))
	return hex.EncodeToString(sum[:8])
}

// Endpoint is the first of a finding's endpoints, by its key (dedup.EndpointKey).
func Endpoint(key string) string {
	host, path, ok := strings.Cut(key, "\x1f")
	if !ok {
		return ""
	}
	path, _, _ = strings.Cut(path, "\x1e")
	return host + "/" + path
}

// Verified says whether somebody tried a secret, as its scanner's tags tell.
func Verified(tags []string) string {
	if slices.Contains(tags, "verified") {
		return "active"
	}
	return ""
}

// Worst is the outcome of a report of several runs as a whole.
func Worst(runs []gate.Run) gate.Outcome {
	rank := map[gate.Outcome]int{gate.Succeeded: 1, gate.Unsaid: 2, gate.Partial: 3, gate.Failed: 4}
	worst := gate.Unsaid
	for i, r := range runs {
		if i == 0 || rank[r.Outcome] > rank[worst] {
			worst = r.Outcome
		}
	}
	return worst
}

// Closes tells whether a report may close what it does not show: one that
// failed may not, and one that is empty only if it says that its scan succeeded.
func Closes(outcome gate.Outcome, results int, allowEmpty bool) bool {
	return outcome != gate.Failed && (results > 0 || outcome == gate.Succeeded || allowEmpty)
}

// CleanTags makes tags lower case and of one word each.
func CleanTags(tags []string) []string {
	if len(tags) == 0 {
		return nil
	}
	out := make([]string, 0, len(tags))
	for _, t := range tags {
		t = strings.Map(func(r rune) rune {
			if r == ' ' || r == ',' || r == '"' || r == '\'' {
				return '_'
			}
			return r
		}, strings.ToLower(strings.TrimSpace(t)))
		if t != "" && !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}

// CVSS is the score that counts: of the newest version that there is.
func CVSS(v4, v3 *float64) *float64 {
	if v4 != nil {
		return v4
	}
	return v3
}

// set returns a pointer to true, or nil: a report that does not say that a
// vulnerability is exploited does not say that it is not.
func set(b bool) *bool {
	if !b {
		return nil
	}
	return &b
}

// Describe completes a finding by what a stored one and a reported one both tell.
func Describe(f *policies.Finding, scanType string, cwe int, static, exploited, ransomware bool, snippet, endpointKey string) {
	f.CWE = cwe
	f.Category = Category(scanType, f.Scanner, f, endpointKey != "", static)
	f.Endpoint = Endpoint(endpointKey)
	f.KEV, f.Ransomware = set(exploited), set(ransomware)
	f.ContextHash = ContextHash(snippet)
	f.Verified = Verified(f.Tags)
}
