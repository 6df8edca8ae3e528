package all

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// corpus is where real reports may lie, with what DefectDojo makes of them.
const corpus = "../../../shared/corpus"

// corpusReport is a report of the corpus.
type corpusReport struct {
	ScanType string `json:"scan_type"`
	Tool     string `json:"tool"`
	Sample   string `json:"sample"`
	Expected string `json:"expected"`
	Status   string `json:"status"`
}

// corpusIndex lists the corpus's reports, once for each of their scan types.
func corpusIndex(tb testing.TB) []corpusReport {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join(corpus, "index.json"))
	if err != nil {
		tb.Skip("no corpus of real reports beside the project: nothing to compare with")
	}
	var index []corpusReport
	if err := json.Unmarshal(b, &index); err != nil {
		tb.Fatal(err)
	}
	return index
}

// both are reports of which another tool's parser is rightly sure, and why.
var both = map[string]string{
	"samples/mobsf/report2.json":                            "QARK wrote it, and MobSF's scan type reads it too",
	"samples/npm_audit/many_vuln_npm7.json":                 "it is npm 7's, which the corpus keeps to see npm 6's parser refuse it",
	"samples/sarif/flawfinder.sarif":                        "Flawfinder wrote it, and its scan type reads SARIF too",
	"samples/github_vulnerability/issue_9582.json":          "it holds the alerts of code scanning, which both scan types of GitHub read",
	"samples/mobsf_scorecard/dvba_4_0_7_android_one.json":   "it is MobSF's report, of which the scorecard is a part",
	"samples/mobsf_scorecard/dvba_4_0_7_android_full.json":  "the same",
	"samples/mobsf_scorecard/dvba_4_0_7_android_empty.json": "the same",
}

// TestDetectCorpus fails when detection is sure of a report that is another
// tool's, or does not find the parser of 98 % of the reports. Found is a report
// of which Choose gives a parser of its tool, or one whose parser is among the
// candidates.
func TestDetectCorpus(t *testing.T) {
	t.Parallel()
	var known, chosen, listed, misled int
	for sample, rows := range bySample(corpusIndex(t)) {
		s := sampleOf(t, filepath.Join(corpus, sample))
		if s == nil || s.Format == parsers.Empty {
			continue
		}
		tools := map[string]bool{} // folders that read it
		ok := false
		for _, r := range rows {
			tools[r.Tool] = true
			ok = ok || r.Status == "ok"
			if p, found := ByScanType(r.ScanType); found {
				tools[p.Name] = true
			}
		}
		found := parsers.Detect(Parsers, s)
		for _, c := range found {
			if c.Likeness == parsers.Sure && !tools[c.Parser.Name] && both[sample] == "" {
				t.Errorf("%s: %q is sure that it is its own", sample, c.Parser.ScanType)
			}
		}
		if !ok || !slices.ContainsFunc(rows, func(r corpusReport) bool { _, found := ByScanType(r.ScanType); return found }) {
			continue
		}
		known++
		p, _ := parsers.Choose(found)
		switch {
		case tools[p.Name]:
			chosen++
		case slices.ContainsFunc(found, func(c parsers.Candidate) bool { return tools[c.Parser.Name] }):
			listed++
			if p.Name != "" {
				misled++
				t.Logf("%s: %s", sample, names(found))
			}
		default:
			t.Logf("%s: NOT FOUND: %s", sample, names(found))
		}
	}
	right := chosen + listed
	t.Logf("%d of %d reports are recognised (%.1f %%): %d chosen, %d among the candidates, of which %d after another that is chosen", right, known, 100*float64(right)/float64(known), chosen, listed, misled)
	if right*100 < known*98 {
		t.Errorf("want 98 %%")
	}
}

// bySample groups an index by the reports' paths.
func bySample(index []corpusReport) map[string][]corpusReport {
	m := map[string][]corpusReport{}
	for _, r := range index {
		m[r.Sample] = append(m[r.Sample], r)
	}
	return m
}

// sampleOf looks at a report, as detection does; nil is one that cannot be read.
func sampleOf(tb testing.TB, path string) *parsers.Sample {
	tb.Helper()
	f, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	s, err := parsers.NewSample(tb.Context(), f, stream.Limits{})
	if err != nil {
		return nil
	}
	return s
}

// names lists candidates with their likeness.
func names(found []parsers.Candidate) string {
	words := []string{"no", "possible", "likely", "sure"}
	list := make([]string, len(found))
	for i, c := range found {
		list[i] = c.Parser.ScanType + " (" + words[c.Likeness] + ")"
	}
	return strings.Join(list, ", ")
}
