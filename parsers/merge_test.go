package parsers

import (
	"testing"

	"defectdojo/gate"
)

func TestMerged(t *testing.T) {
	t.Parallel()
	var put []gate.Observation
	out := &Report{limit: 10, emit: func(o gate.Observation) { put = append(put, o) }}
	m := Merge(out)
	for _, title := range []string{"a", "b", "a"} {
		m.Count(title, gate.Observation{Title: title})
	}
	o, isNew := m.At("c", func() *gate.Observation { return &gate.Observation{Title: "c"} })
	if o.Endpoints = []string{"c.example.org"}; !isNew || m.Has("d") || !m.Has("c") {
		t.Errorf("c is new %t, has d %t, has c %t", isNew, m.Has("d"), m.Has("c"))
	}
	m.Emit()
	if len(put) != 3 || put[0].Title != "a" || *put[0].Occurrences != 2 || *put[1].Occurrences != 1 || len(put[2].Endpoints) != 1 {
		t.Errorf("put out: %+v", put)
	}
}

// TestMergedLimit fails when a Merged holds more than a report may.
func TestMergedLimit(t *testing.T) {
	t.Parallel()
	out := &Report{limit: 3, emit: func(gate.Observation) {}}
	m := Merge(out)
	for i := range 1000 {
		m.Count(string(rune('A'+i)), gate.Observation{Title: "x"})
	}
	if n := len(m.All()); n != 4 {
		t.Errorf("holds %d", n)
	}
	if m.Emit(); gate.KindOf(out.err) != gate.TooLarge {
		t.Errorf("error %v", out.err)
	}
}
