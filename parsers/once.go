package parsers

import (
	"hash/maphash"

	"defectdojo/gate"
	"defectdojo/parsers/stream"
)

// Once reads a report in which one finding can stand several times. It puts out
// the first observation of each key, with the number of them all as its
// Occurrences. The report is read twice, so that only keys are held in memory:
// read must put out the same both times.
func Once(in *stream.Input, out *Report, key func(gate.Observation) string, read func(*stream.Input, *Report) error) error {
	seed, counts := maphash.MakeSeed(), map[uint64]int{}
	counting := &Report{limit: out.limit, once: func(o *gate.Observation) bool {
		if k := maphash.String(seed, key(*o)); len(counts) < out.limit || counts[k] > 0 {
			counts[k]++
		}
		return false
	}}
	if err := read(in, counting); err != nil {
		return err
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	out.once = func(o *gate.Observation) bool {
		k := maphash.String(seed, key(*o))
		n, first := counts[k]
		if n == 0 {
			return !first // past the limit, which Emit reports
		}
		counts[k] = 0
		o.Occurrences = new(n)
		return true
	}
	defer func() { out.once = nil }()
	return read(in, out)
}
