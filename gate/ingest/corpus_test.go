package ingest

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"defectdojo/gate"
	"defectdojo/gate/dedup"
	"defectdojo/parsers"
	"defectdojo/parsers/all"
)

// corpus is where real reports may lie, with what DefectDojo makes of them.
const corpus = "../../../shared/corpus"

// expectedReport is what DefectDojo makes of a report.
type expectedReport struct {
	Status   string `json:"status"`
	Findings []struct {
		Title    string `json:"title"`
		HashCode string `json:"hash_code"`
	} `json:"findings"`
}

// written are the hash fields whose text our parsers write themselves.
var written = []dedup.Field{"description", "mitigation"}

// TestHashCompatibility compares our hashes with DefectDojo's over a corpus of
// reports, for the scan types whose hash has no text that we write ourselves.
func TestHashCompatibility(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(filepath.Join(corpus, "index.json"))
	if err != nil {
		t.Skip("no corpus of reports beside the project: hashes are not compared with DefectDojo's")
	}
	var index []struct {
		ScanType string `json:"scan_type"`
		Sample   string `json:"sample"`
		Expected string `json:"expected"`
	}
	if err := json.Unmarshal(b, &index); err != nil {
		t.Fatal(err)
	}
	same, all := 0, 0
	byType := map[string][2]int{}
	for _, row := range index {
		s, n := compareHashes(t, row.ScanType, filepath.Join(corpus, row.Sample), filepath.Join(corpus, row.Expected))
		c := byType[row.ScanType]
		byType[row.ScanType] = [2]int{c[0] + s, c[1] + n}
		same, all = same+s, all+n
	}
	for name, c := range byType {
		if c[0] < c[1] {
			t.Logf("%s: %d of %d hashes are equal", name, c[0], c[1])
		}
	}
	t.Logf("%d of %d hashes are equal (%.2f %%)", same, all, 100*float64(same)/float64(max(all, 1)))
	if all == 0 || float64(same) < 0.97*float64(all) {
		t.Errorf("%d of %d hashes are equal, want 97 %%", same, all)
	}
}

func compareHashes(t *testing.T, scanType, sample, expected string) (same, n int) {
	t.Helper()
	p, ok := all.ByScanType(scanType)
	if !ok {
		return 0, 0
	}
	settings := dedup.For(scanType)
	fields := settings.Fields
	if len(fields) == 0 {
		fields = []dedup.Field{"description"} // the legacy hash has it
	}
	if slices.ContainsFunc(fields, func(f dedup.Field) bool { return slices.Contains(written, f) }) {
		return 0, 0
	}
	var want expectedReport
	b, err := os.ReadFile(expected)
	if err != nil || json.Unmarshal(b, &want) != nil || want.Status != "ok" {
		return 0, 0
	}
	f, err := os.Open(sample)
	if err != nil {
		return 0, 0
	}
	defer f.Close()
	hasher, hashes := dedup.NewHasher(settings), map[string]int{}
	if _, err := parsers.Read(t.Context(), p, f, parsers.Options{Emit: func(o gate.Observation) {
		sum := hasher.Hash(&o)
		hashes[hex.EncodeToString(sum[:])]++
	}}); err != nil {
		return 0, 0
	}
	for _, w := range want.Findings {
		n++
		if hashes[w.HashCode] > 0 {
			hashes[w.HashCode]--
			same++
		}
	}
	return same, n
}
