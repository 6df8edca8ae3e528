package parsers

import "defectdojo/gate"

// Merged collects observations of which several are one finding, where each
// brings something to it: an endpoint, a message, a worse severity. It holds
// them all; where a repeat brings nothing, Once does without.
type Merged struct {
	out   *Report
	list  []*gate.Observation
	byKey map[string]*gate.Observation
}

// Merge returns a Merged that puts out into out.
func Merge(out *Report) *Merged { return &Merged{out: out, byKey: map[string]*gate.Observation{}} }

// At returns the observation with a key, and whether it is new: begin makes it
// the first time. Past the limit of findings, which Emit reports, what it
// returns is kept no more.
func (m *Merged) At(key string, begin func() *gate.Observation) (o *gate.Observation, isNew bool) {
	if o = m.byKey[key]; o != nil {
		return o, false
	}
	o = begin()
	if len(m.list) <= m.out.limit {
		m.byKey[key], m.list = o, append(m.list, o)
	}
	return o, true
}

// Count adds o, or counts it as one more occurrence of what has its key, and
// returns the one that stands for both.
func (m *Merged) Count(key string, o gate.Observation) *gate.Observation {
	first, isNew := m.At(key, func() *gate.Observation {
		o.Occurrences = new(1)
		return &o
	})
	if !isNew {
		*first.Occurrences++
	}
	return first
}

// Has tells whether there is an observation with a key.
func (m *Merged) Has(key string) bool { return m.byKey[key] != nil }

// All returns the observations in the order in which they first came.
func (m *Merged) All() []*gate.Observation { return m.list }

// Emit puts them all out.
func (m *Merged) Emit() {
	for _, o := range m.list {
		m.out.Emit(*o)
	}
}
