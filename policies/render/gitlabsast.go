package render

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"defectdojo/gate"
)

// sastVersion is that of the schema that GitLabSAST follows, which GitLab 16 to 18 read
// (https://gitlab.com/gitlab-org/security-products/security-report-schemas).
const sastVersion = "15.0.7"

type sastReport struct {
	Version         string     `json:"version"`
	Scan            sastScan   `json:"scan"`
	Vulnerabilities []sastFlaw `json:"vulnerabilities"`
}

type sastScan struct {
	Type      string   `json:"type"`
	Status    string   `json:"status"`
	StartTime string   `json:"start_time"`
	EndTime   string   `json:"end_time"`
	Analyzer  sastTool `json:"analyzer"`
	Scanner   sastTool `json:"scanner"`
}

type sastTool struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Version string `json:"version"`
	Vendor  struct {
		Name string `json:"name"`
	} `json:"vendor"`
}

type sastFlaw struct {
	ID          string           `json:"id"`
	Name        string           `json:"name"`
	Description string           `json:"description"`
	Severity    string           `json:"severity"`
	Solution    string           `json:"solution,omitempty"`
	Location    sastLocation     `json:"location"`
	Identifiers []sastIdentifier `json:"identifiers"`
}

type sastLocation struct {
	File string `json:"file"`
	Line int    `json:"start_line"`
}

type sastIdentifier struct {
	Type  string `json:"type"`
	Name  string `json:"name"`
	Value string `json:"value"`
}

// GitLabSAST writes what counts, may count or will count and is in a file, for
// GitLab's security widget and vulnerability report. Its identifiers are the
// scanner's, so that GitLab follows a finding from one pipeline to the next.
func GitLabSAST(w io.Writer, v *gate.Verdict) error {
	tool := sastTool{ID: "defectdojo-gate", Name: "DefectDojo gate", Version: "1"}
	tool.Vendor.Name = "DefectDojo"
	at := v.DecidedAt.UTC().Format("2006-01-02T15:04:05")
	r := sastReport{
		Version: sastVersion, Vulnerabilities: []sastFlaw{},
		Scan: sastScan{Type: "sast", Status: "success", StartTime: at, EndTime: at, Analyzer: tool, Scanner: tool},
	}
	seen := map[string]bool{}
	for i := range v.Findings {
		f := &v.Findings[i]
		if f.Code == gate.DispositionWaived || f.Path == "" {
			continue
		}
		sum := sha256.Sum256([]byte(f.Fingerprint + "|" + f.Path))
		id := hex.EncodeToString(sum[:16])
		if seen[id] {
			continue
		}
		seen[id] = true
		r.Vulnerabilities = append(r.Vulnerabilities, sastFlaw{
			ID: id, Name: cutText(f.Title, 255), Description: fmt.Sprintf("%s (%s): %s", where(f), deltaWords(f.Delta), what(f)), Severity: f.Severity.String(),
			Solution: solution(f), Location: sastLocation{strings.ReplaceAll(f.Path, `\`, "/"), max(f.Line, 1)}, Identifiers: identifiers(f),
		})
	}
	return writeJSON(w, r)
}

func solution(f *gate.FindingView) string {
	if f.FixVersion == "" {
		return ""
	}
	return fmt.Sprintf("Raise %s %s to %s", f.Component, f.Version, f.FixVersion)
}

// identifiers are the CVEs and the like, then the scanner's rule: at least one.
func identifiers(f *gate.FindingView) []sastIdentifier {
	var out []sastIdentifier
	for _, id := range f.Vulnerabilities {
		kind, _, _ := strings.Cut(strings.ToLower(id), "-")
		out = append(out, sastIdentifier{kind, id, id})
	}
	scanner := cmp.Or(f.Scanner, "scanner")
	if rule := cmp.Or(f.Rule, f.Title); f.Rule != "" || len(out) == 0 {
		out = append(out, sastIdentifier{strings.ReplaceAll(strings.ToLower(scanner), " ", "_") + "_rule", scanner + ": " + rule, rule})
	}
	return out
}
