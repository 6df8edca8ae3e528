// Package parsers says what a scan-report parser is and runs one. Each
// subpackage reads the reports of one tool; package all lists them.
package parsers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"defectdojo/gate"
	"defectdojo/parsers/stream"
)

// Parser reads the reports of one tool for one scan type. It is a value: a tool
// with several scan types has several.
type Parser struct {
	Name     string        // the folder, and the tool's short name: "gosec"
	ScanType string        // DefectDojo's exact wording, which clients send: "Gosec Scanner"
	Files    string        // what to upload: "JSON"
	Command  string        // the command that makes it: "gosec -fmt=json -out=gosec.json ./..."
	URL      string        // the tool, or its report format
	Analysis gate.Analysis // of observations that do not say

	// Detect tells how much a report looks like this parser's. Nil never looks like it.
	Detect func(s *Sample) Likeness

	// Parse reads one report. Its error says that the report is not of this
	// format or is cut short; what was put out before is then thrown away.
	Parse func(in *stream.Input, out *Report) error
}

// Report takes what a parser reads.
type Report struct {
	Runs []gate.Run // at least one after Read

	emit       func(gate.Observation)
	begin      func(gate.Run)
	components func(gate.Component)
	now        time.Time
	analysis   gate.Analysis
	once       func(*gate.Observation) bool // tells whether to put it out; nil is yes
	limit      int
	count      int
	err        error
	asked      gate.Observation // the one that once is asked about: kept here, for one on the heap each time is dear
}

// Emit puts out an observation.
func (r *Report) Emit(o gate.Observation) {
	if r.once != nil {
		r.asked = o
		if !r.once(&r.asked) {
			return
		}
		o = r.asked
	}
	if r.count >= r.limit {
		r.err = gate.Errorf(gate.TooLarge, "the report holds more than %d findings", r.limit)
		return
	}
	if r.count == 0 && r.begin != nil {
		r.begin(*r.Run())
	}
	r.count++
	if o.Analysis == gate.ByParser {
		o.Analysis = r.analysis
	}
	clean(&o)
	r.emit(o)
}

// Component puts out a component of the inventory.
func (r *Report) Component(c gate.Component) {
	if r.components != nil {
		r.components(c)
	}
}

// Now returns when the report is read: a parser does not look at the clock.
func (r *Report) Now() time.Time { return r.now }

// Begin starts another run: the observations that follow belong to it. A report
// with one run need not call it; Run returns the only one then.
func (r *Report) Begin(run gate.Run) *gate.Run {
	run.First = r.count
	r.close()
	r.Runs = append(r.Runs, run)
	return &r.Runs[len(r.Runs)-1]
}

// Run returns the current run, to fill in what the report says of it.
func (r *Report) Run() *gate.Run {
	if len(r.Runs) == 0 {
		r.Begin(gate.Run{}).First = 0 // also when observations came before
	}
	return &r.Runs[len(r.Runs)-1]
}

// close counts the observations of the current run.
func (r *Report) close() {
	if n := len(r.Runs); n > 0 {
		r.Runs[n-1].Count = r.count - r.Runs[n-1].First
	}
}

// Problem notes something that the scanner could not do: its run was partial
// unless it says that it failed.
func (r *Report) Problem(format string, args ...any) {
	run := r.Run()
	if len(run.Problems) < 100 {
		run.Problems = append(run.Problems, sanitize(fmt.Sprintf(format, args...)))
	}
	if run.Outcome != gate.Failed {
		run.Outcome = gate.Partial
	}
}

// Options say how to read a report.
type Options struct {
	Limits     stream.Limits
	Now        time.Time // when the report is read, for the few parsers whose findings depend on the day
	Emit       func(gate.Observation)
	Begin      func(gate.Run)       // gets what is known of the first run, before the first observation; may be nil
	Components func(gate.Component) // may be nil
}

// Read runs p on a report. It gives what the report says of its runs. An error
// names the format, the place and the reason; a parser's panic is an error too.
func Read(ctx context.Context, p Parser, src io.ReadSeeker, o Options) (runs []gate.Run, err error) {
	in, err := stream.NewInput(ctx, src, o.Limits)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.ScanType, err)
	}
	defer in.Done()
	defer func() {
		if v := recover(); v != nil {
			err = gate.Errorf(gate.Internal, "%s: the parser failed: %v", p.ScanType, v)
		}
	}()
	out := &Report{emit: o.Emit, begin: o.Begin, components: o.Components, now: o.Now, analysis: p.Analysis, limit: in.Limits().Observations}
	err = p.Parse(in, out)
	if err == nil {
		err = out.err
	}
	if err != nil {
		return nil, explain(ctx, p, in, err)
	}
	out.Run()
	out.close()
	return out.Runs, nil
}

// explain makes a parser's error one that a person can act on.
func explain(ctx context.Context, p Parser, in *stream.Input, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", p.ScanType, ctx.Err())
	}
	stream.Locate(in, err)
	kind := gate.KindOf(err)
	if kind == gate.Internal {
		kind = gate.Invalid // whatever a parser finds wrong, it is the report
	}
	message := p.ScanType + ": " + strings.TrimPrefix(err.Error(), p.Name+": ")
	if r := []rune(message); len(r) > 1000 {
		message = string(r[:1000]) + "…"
	}
	return &gate.Error{Kind: kind, Message: sanitize(message)}
}

// ErrNotThis is what a parser may return for a report that is of another format
// although it could be read.
var ErrNotThis = errors.New("the report is not of this format")
