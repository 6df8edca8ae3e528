package parsers

import (
	"strings"
	"testing"

	"defectdojo/gate"
	"defectdojo/parsers/stream"
)

// TestRunAfterEmit fails when observations that came before the first word of a
// run are not counted as its own.
func TestRunAfterEmit(t *testing.T) {
	t.Parallel()
	p := Parser{ScanType: "Test Scan", Parse: func(_ *stream.Input, out *Report) error {
		out.Emit(gate.Observation{Title: "a"})
		out.Emit(gate.Observation{Title: "b"})
		out.Run().Tool = "test"
		out.Emit(gate.Observation{Title: "c"})
		return nil
	}}
	runs, err := Read(t.Context(), p, strings.NewReader(""), Options{Emit: func(gate.Observation) {}})
	if err != nil || len(runs) != 1 || runs[0].First != 0 || runs[0].Count != 3 {
		t.Errorf("runs %+v, error %v", runs, err)
	}
}
