package sarif

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"defectdojo/parsers/stream"
)

// everything is a result with all that a Result has.
const everything = `{"ruleId": "a", "ruleIndex": "1", "rule": {"id": "a", "index": 2, "toolComponent": {"name": "x", "index": 3}}, "kind": "fail", "level": null,
	"message": {"text": "t", "markdown": "*m*", "id": "i", "arguments": ["1", 2]}, "baselineState": "new", "occurrenceCount": 4, "hostedViewerUri": "https://example.org", "workItemUris": ["https://example.org/1"],
	"locations": [null, {"id": 1, "message": "plain", "physicalLocation": {"artifactLocation": {"uri": "a.go", "index": 5}, "region": {"startLine": 1, "endLine": 2.0, "byteOffset": 3, "snippet": {"text": "s"}}, "contextRegion": null}, "logicalLocations": {"name": "f"}}],
	"relatedLocations": [{"physicalLocation": null}], "codeFlows": [{"message": {"text": "m"}, "threadFlows": [{"id": "x", "locations": [{"nestingLevel": 1, "location": {"message": {"text": "step"}}}]}]}],
	"fingerprints": {"a/v1": "1", "a/v2": {"value": "2"}, "b": {"x": 1}}, "partialFingerprints": "none", "suppressions": [{"status": "accepted", "justification": "j"}], "fixes": [{"description": {"text": "d"}}], "taxa": [{"id": "79", "toolComponent": {"name": "CWE"}}],
	"properties": {"tags": ["x"], "n": 1.5, "o": {"p": null}}, "unknown": [{"a": [1]}]}`

// TestReadAsUnmarshal compares reading a result by hand with decoding it by its
// type, for results that are right and for those in which one thing is not.
func TestReadAsUnmarshal(t *testing.T) {
	t.Parallel()
	results := []string{everything, `{}`}
	for _, bad := range []string{`null`, `1`, `"x"`, `[]`, `{}`, `[1]`, `[{}]`, `{"a": 1}`, `true`} {
		for _, key := range []string{"ruleId", "ruleIndex", "rule", "message", "locations", "physicalLocation", "artifactLocation", "region", "snippet", "logicalLocations", "codeFlows", "threadFlows", "location", "fingerprints", "a/v1", "suppressions", "fixes", "taxa", "properties", "tags", "toolComponent", "arguments"} {
			results = append(results, strings.Replace(everything, `"`+key+`": `, `"`+key+`": `+bad+`, "not": `, 1))
		}
	}
	for _, r := range results {
		same(t, r)
	}
}

// same compares reading a result, behind one that left its lists full, with decoding it.
func same(t *testing.T, result string) {
	t.Helper()
	log := `{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "t"}}, "results": [` + everything + `, ` + result + `]}]}`
	var want []Result
	wantErr := stream.JSON(input(t, log), stream.Object(stream.Fields{"runs": stream.Array(stream.Object(stream.Fields{"results": stream.Each(func(x Result) error {
		want = append(want, x)
		return nil
	})}))}))
	n := 0
	err := Walk(input(t, log), func(*Run) error { return nil }, func(_ *Run, x *Result) error {
		if n < len(want) {
			if diff := cmp.Diff(want[n], *x, cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(Result{})); diff != "" {
				t.Errorf("%s (-decoded +read):\n%s", result, diff)
			}
		}
		n++
		return nil
	})
	if fmt.Sprint(err) != fmt.Sprint(wantErr) || n != len(want) {
		t.Errorf("%s: %d results, error %v, want %d, %v", result, n, err, len(want), wantErr)
	}
}

// TestManyPlaces gives a result with more places than are held.
func TestManyPlaces(t *testing.T) {
	t.Parallel()
	for _, result := range []string{
		`{"message": {"text": "m"}, "locations": [` + strings.Repeat(`{},`, maxPlaces) + `{}]}`,
		`{"message": {"text": "m"}, "codeFlows": [{"threadFlows": [{"locations": [` + strings.Repeat(`{},`, maxPlaces) + `{}]}]}]}`,
	} {
		log := `{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "t"}}, "results": [` + result + `]}]}`
		err := Walk(input(t, log), func(*Run) error { return nil }, func(*Run, *Result) error { return nil })
		if err == nil || !strings.Contains(err.Error(), errTooManyPlaces.Error()) {
			t.Errorf("error %v", err)
		}
	}
}

func input(t *testing.T, log string) *stream.Input {
	t.Helper()
	in, err := stream.NewInput(t.Context(), strings.NewReader(log), stream.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// TestReadOwnReports does the same for the reports in testdata.
func TestReadOwnReports(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.sarif")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var log struct {
			Runs []struct {
				Results []stream.Lenient[stream.Text] `json:"results"`
			} `json:"runs"`
		}
		if bytes.Contains(b, []byte(`"results"`)) && stream.Unmarshal(b, &log) == nil {
			for _, run := range log.Runs {
				for _, r := range run.Results {
					same(t, string(r.Value))
				}
			}
		}
	}
}
