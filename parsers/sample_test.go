package parsers

import (
	"strings"
	"testing"

	"defectdojo/parsers/stream"
)

func TestSampleIs(t *testing.T) {
	t.Parallel()
	for report, want := range map[string]bool{"{\n  \"results\": [ ]\n}\n": true, `{"results": [1]}`: false, "": false} {
		s, err := NewSample(t.Context(), strings.NewReader(report), stream.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Is(`{"results":[]}`); got != want {
			t.Errorf("%q: %t", report, got)
		}
	}
}
