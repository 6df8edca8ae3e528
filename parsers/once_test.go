package parsers

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"defectdojo/gate"
	"defectdojo/parsers/stream"
)

func TestOnce(t *testing.T) {
	t.Parallel()
	p := Parser{ScanType: "Lines", Parse: func(in *stream.Input, out *Report) error {
		title := func(o gate.Observation) string { return o.Title }
		return Once(in, out, title, func(in *stream.Input, out *Report) error {
			out.Problem("told once")
			return stream.Lines(in, func(n int, line string) error {
				out.Emit(gate.Observation{Title: line, Line: &n})
				return nil
			})
		})
	}}
	type seen struct {
		Title             string
		Line, Occurrences int
	}
	var got []seen
	runs, err := Read(t.Context(), p, strings.NewReader("a\nb\na\nc\na\nb\n"), Options{Emit: func(o gate.Observation) {
		got = append(got, seen{o.Title, *o.Line, *o.Occurrences})
	}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]seen{{"a", 1, 3}, {"b", 2, 2}, {"c", 4, 1}}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if runs[0].Count != 3 || len(runs[0].Problems) != 1 {
		t.Errorf("the run is %+v", runs[0])
	}
}

func TestOnceLimit(t *testing.T) {
	t.Parallel()
	p := Parser{ScanType: "Lines", Parse: func(in *stream.Input, out *Report) error {
		return Once(in, out, func(o gate.Observation) string { return o.Title }, func(in *stream.Input, out *Report) error {
			return stream.Lines(in, func(_ int, line string) error {
				out.Emit(gate.Observation{Title: line})
				return nil
			})
		})
	}}
	o := Options{Limits: stream.Limits{Observations: 2}, Emit: func(gate.Observation) {}}
	if _, err := Read(t.Context(), p, strings.NewReader("a\nb\na\nb\n"), o); err != nil {
		t.Errorf("two findings, four times: %v", err)
	}
	if _, err := Read(t.Context(), p, strings.NewReader("a\nb\na\nc\n"), o); gate.KindOf(err) != gate.TooLarge {
		t.Errorf("three findings: %v, want that they are too many", err)
	}
}
