package parsers

import (
	"strconv"
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

// TestOnceReadsTwice fails when a report that is held in memory and one that is
// read twice give different things.
func TestOnceReadsTwice(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lines, reads int
		component    bool
		runs         int
	}{
		"small":      {lines: 10, reads: 1},
		"many":       {lines: maxHeld + 1, reads: 2},
		"components": {lines: 10, reads: 2, component: true},
		"runs":       {lines: 10, reads: 2, runs: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reads := 0
			p := Parser{ScanType: "Lines", Parse: func(in *stream.Input, out *Report) error {
				run := out.Run()
				return Once(in, out, func(o gate.Observation) string { return o.Title }, func(_ *stream.Input, out *Report) error {
					reads++
					run.Tool = "lines" // by a pointer from before
					out.Problem("told once")
					if c.component {
						out.Component(gate.Component{Name: "a"})
					}
					for n := range c.lines * 2 {
						if c.runs > 0 && n == c.lines {
							out.Begin(gate.Run{Tool: "second"})
						}
						out.Emit(gate.Observation{Title: strconv.Itoa(n % c.lines)})
					}
					return nil
				})
			}}
			n, components := 0, 0
			runs, err := Read(t.Context(), p, strings.NewReader(""), Options{
				Emit: func(o gate.Observation) {
					if n++; *o.Occurrences != 2 {
						t.Errorf("%s: %d occurrences", o.Title, *o.Occurrences)
					}
				},
				Components: func(gate.Component) { components++ },
			})
			if err != nil || n != c.lines || reads != c.reads || runs[0].Count != c.lines || runs[0].Tool != "lines" || len(runs[0].Problems) != 1 || len(runs) != max(1, c.runs) || c.component != (components == 1) {
				t.Errorf("%d observations, %d components, %d reads, runs %+v, error %v", n, components, reads, runs, err)
			}
		})
	}
}
