package parsers

import (
	"hash/maphash"
	"slices"

	"defectdojo/gate"
	"defectdojo/parsers/stream"
)

// Bounds of the observations that Once holds in memory.
const (
	maxHeld      = 2000
	maxHeldBytes = 8 << 20
)

// Once reads a report in which one finding can stand several times. It puts out
// the first observation of each key, with the number of them all as its
// Occurrences. Of a small report they are held in memory; a larger one is read
// twice, so that only keys are: read must put out the same both times.
func Once(in *stream.Input, out *Report, key func(gate.Observation) string, read func(*stream.Input, *Report) error) error {
	o := once{out: out, key: key, seed: maphash.MakeSeed(), counts: map[uint64]int{}, holds: true}
	runs, before := out.Runs, slices.Clone(out.Runs)
	for i := range before {
		before[i].Problems = slices.Clone(before[i].Problems)
	}
	components := out.components
	defer func() { out.once, out.components = nil, components }()

	out.once = o.count
	out.components = func(gate.Component) { o.holds = false }
	if err := read(in, out); err != nil {
		return err
	}
	out.components = components
	if o.holds && len(out.Runs) <= max(1, len(before)) {
		out.once = nil
		o.release()
		return nil
	}

	o.held = nil
	copy(runs, before) // in place, for who points at one
	out.Runs = runs
	if err := in.Rewind(); err != nil {
		return err
	}
	out.once = o.first
	return read(in, out)
}

// once counts observations by their keys, and holds the first of each while
// they are few.
type once struct {
	out    *Report
	key    func(gate.Observation) string
	seed   maphash.Seed
	counts map[uint64]int
	held   []*heldOnce
	bytes  int
	holds  bool
}

// heldOnce is an observation with the hash of its key.
type heldOnce struct {
	o    gate.Observation
	hash uint64
}

func (x *once) hash(o *gate.Observation) uint64 { return maphash.String(x.seed, x.key(*o)) }

// count counts an observation, and puts none out.
func (x *once) count(o *gate.Observation) bool {
	k := x.hash(o)
	if x.counts[k] == 0 && x.holds {
		x.hold(o, k)
	}
	if len(x.counts) < x.out.limit || x.counts[k] > 0 {
		x.counts[k]++
	}
	return false
}

func (x *once) hold(o *gate.Observation, hash uint64) {
	x.bytes += len(o.Description) + len(o.Mitigation) + len(o.Impact) + len(o.References) + len(o.StepsToReproduce) + len(o.Snippet) + len(o.Payload)
	for _, p := range o.RequestResponsePairs {
		x.bytes += len(p.Request) + len(p.Response)
	}
	for _, f := range o.Files {
		x.bytes += len(f.Data)
	}
	if len(x.held) == maxHeld || x.bytes > maxHeldBytes {
		x.held, x.holds = nil, false
		return
	}
	x.held = append(x.held, &heldOnce{*o, hash})
}

// release puts out what is held.
func (x *once) release() {
	for _, h := range x.held {
		if x.take(&h.o, h.hash) {
			x.out.Emit(h.o)
		}
	}
}

// first tells whether an observation is the first of its key, and sets how many
// there are.
func (x *once) first(o *gate.Observation) bool { return x.take(o, x.hash(o)) }

func (x *once) take(o *gate.Observation, hash uint64) bool {
	n, known := x.counts[hash]
	if n == 0 {
		return !known // past the limit, which Emit reports
	}
	x.counts[hash] = 0
	o.Occurrences = new(n)
	return true
}
