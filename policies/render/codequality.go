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

// codeQuality is one entry of GitLab's report
// (https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format).
type codeQuality struct {
	Description string              `json:"description"`
	CheckName   string              `json:"check_name"`
	Fingerprint string              `json:"fingerprint"`
	Severity    string              `json:"severity"`
	Location    codeQualityLocation `json:"location"`
}

type codeQualityLocation struct {
	Path  string `json:"path"`
	Lines struct {
		Begin int `json:"begin"`
	} `json:"lines"`
}

var codeQualitySeverities = map[gate.Severity]string{
	gate.Critical: "blocker", gate.High: "critical", gate.Medium: "major", gate.Low: "minor", gate.Info: "info",
}

// CodeQuality writes what counts, may count or will count, for GitLab's merge
// request widget. No two entries have one fingerprint: GitLab would show the first only.
func CodeQuality(w io.Writer, v *gate.Verdict) error {
	out := []codeQuality{}
	seen := map[string]int{}
	for i := range v.Findings {
		f := &v.Findings[i]
		if f.Code == gate.DispositionWaived {
			continue
		}
		q := codeQuality{
			Description: fmt.Sprintf("%s (%s): %s", where(f), deltaWords(f.Delta), what(f)), CheckName: cmp.Or(f.GateRule, "gate"),
			Severity: codeQualitySeverities[f.Severity],
		}
		key := f.Fingerprint + "|" + f.Policy + "|" + f.GateRule
		if seen[key]++; seen[key] > 1 {
			key += fmt.Sprintf("|%d", seen[key])
		}
		sum := sha256.Sum256([]byte(key))
		q.Fingerprint = hex.EncodeToString(sum[:])
		q.Location.Path = cmp.Or(strings.ReplaceAll(f.Path, `\`, "/"), f.PURL, f.Component, ".")
		q.Location.Lines.Begin = max(f.Line, 1)
		out = append(out, q)
	}
	return writeJSON(w, out)
}
