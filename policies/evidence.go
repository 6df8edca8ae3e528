package policies

import (
	"fmt"
	"slices"
	"time"

	"defectdojo/gate"
)

// Why a scan is missing, from what is least to what is nearest to good: of
// several runs the nearest is told.
const (
	whyAbsent      = "absent"
	whyWrongCommit = "wrong_sha"
	whyArtifact    = "wrong_artifact"
	whyUntrusted   = "untrusted_producer"
	whyFailed      = "failed"
	whyPartial     = "partial"
	whyImplausible = "implausible"
	whyStale       = "stale"
)

var whys = []string{whyAbsent, whyWrongCommit, whyArtifact, whyUntrusted, whyFailed, whyPartial, whyImplausible, whyStale}

// many is how many results the last runs of a scanner must have had, on the
// median, for an empty report to be implausible.
const many = 10

// evidence looks for the scans that a policy requires. It returns those that are
// missing, and when the first of those that are there will be too old.
func (p *Policy) evidence(in *Inputs) (missing []gate.MissingScan, until time.Time) {
	for i := range p.Spec.Require {
		q := &p.Spec.Require[i]
		for _, on := range q.ends() {
			m, end := q.look(in, on)
			if m != nil {
				m.Policy, m.ID, m.On = p.Name, q.ID, string(on)
				missing = append(missing, *m)
			}
			until = earliest(until, end)
		}
	}
	return missing, until
}

func (q *Requirement) ends() []On {
	if len(q.On) == 0 {
		return []On{OnHead}
	}
	ends := make([]On, len(q.On))
	for i, s := range q.On {
		ends[i] = On(s)
	}
	return ends
}

// look counts the tools with a good run at one end. A requirement that is met
// ends when it would not be met any more, had nothing new come in.
func (q *Requirement) look(in *Inputs, on On) (*gate.MissingScan, time.Time) {
	tools, need := []string(q.AllOf), len(q.AllOf)
	if len(tools) == 0 {
		tools, need = q.AnyOf, max(q.AtLeast, 1)
	}
	var ends []time.Time
	var lacking []string
	worst, detail := whyAbsent, ""
	for _, tool := range tools {
		end, why, text := q.best(in, on, tool)
		if why == "" {
			ends = append(ends, end)
			continue
		}
		lacking = append(lacking, tool)
		if detail == "" || slices.Index(whys, why) > slices.Index(whys, worst) {
			worst, detail = why, text
		}
	}
	if len(ends) < need {
		return &gate.MissingScan{Why: worst, Scanners: lacking, Need: need - len(ends), Detail: detail}, time.Time{}
	}
	return nil, endOf(ends, need)
}

// endOf returns when fewer than need of the runs will be fresh; a zero end is never.
func endOf(ends []time.Time, need int) time.Time {
	slices.SortFunc(ends, func(a, b time.Time) int {
		switch {
		case a.IsZero() && b.IsZero():
			return 0
		case a.IsZero():
			return -1
		case b.IsZero():
			return 1
		}
		return b.Compare(a)
	})
	return ends[need-1]
}

// best returns until when the best run of a tool is good, or why none is.
func (q *Requirement) best(in *Inputs, on On, tool string) (end time.Time, why, detail string) {
	why, detail = whyAbsent, tool+" has not run"
	if on == OnBase && in.Baseline == nil {
		return end, why, "there is no baseline"
	}
	for i := range in.Runs {
		r := &in.Runs[i]
		if !sameTool(r.Tool, tool) {
			continue
		}
		w, text := q.judge(in, on, r)
		switch {
		case w == "":
			e := time.Time{}
			if q.MaxAge > 0 {
				e = r.CompletedAt.Add(time.Duration(q.MaxAge))
			}
			if why != "" || e.After(end) {
				end = e
			}
			why, detail = "", ""
		case why != "" && slices.Index(whys, w) > slices.Index(whys, why):
			why, detail = w, text
		}
	}
	return end, why, detail
}

// judge says why a run is not good evidence; "" if it is.
func (q *Requirement) judge(in *Inputs, on On, r *Run) (why, detail string) {
	switch {
	case !r.at(in, on):
		return whyWrongCommit, fmt.Sprintf("%s ran on %s, not on %s", r.Tool, short(r.Commit), in.place(on))
	case q.Artifact && !slices.Contains(in.Context.ArtifactDigests, r.ArtifactDigest):
		return whyArtifact, r.Tool + " scanned something else than what was built"
	case q.Trusted && r.Untrusted:
		return whyUntrusted, r.Tool + " ran where the change's author decides"
	case r.Outcome == gate.Failed:
		return whyFailed, r.Tool + " failed" + firstOf(r.Problems)
	case r.Outcome == gate.Partial:
		return whyPartial, r.Tool + " could not look at everything" + firstOf(r.Problems)
	}
	if text := q.implausible(r); text != "" {
		return whyImplausible, text
	}
	if age := in.Now.Sub(r.CompletedAt); q.MaxAge > 0 && age >= time.Duration(q.MaxAge) {
		return whyStale, fmt.Sprintf("%s ran %s ago, more than %s", r.Tool, Duration(age.Truncate(time.Hour)), q.MaxAge)
	}
	return "", ""
}

// implausible says what cannot be right with a run; "" if nothing.
func (q *Requirement) implausible(r *Run) string {
	if m := median(r.PastResults); r.Results == 0 && m >= many && !q.AllowEmpty {
		return fmt.Sprintf("%s found nothing where its last %d runs found %d", r.Tool, len(r.PastResults), m)
	}
	if m := median(r.PastComponents); q.MaxShrink > 0 && m > 0 && r.Components*100 < m*(100-q.MaxShrink) {
		return fmt.Sprintf("%s saw %d components where its last %d runs saw %d", r.Tool, r.Components, len(r.PastComponents), m)
	}
	return ""
}

// at tells whether a run was at that end of the change: by its commit, or as it
// says itself where there are no commits.
func (r *Run) at(in *Inputs, on On) bool {
	if on == OnHead {
		if in.Context.HeadCommit != "" || r.Commit != "" {
			return r.Commit == in.Context.HeadCommit
		}
		return r.On != OnBase
	}
	if in.Baseline == nil {
		return false
	}
	if commit := in.Baseline.commitOf(r.Tool); commit != "" || r.Commit != "" {
		return r.Commit == commit
	}
	return r.On == OnBase
}

// commitOf returns the commit at which a tool's part of the baseline is.
func (b *Baseline) commitOf(tool string) string {
	for t, commit := range b.Commits {
		if sameTool(t, tool) {
			return commit
		}
	}
	return b.Commit
}

// place names an end for people.
func (in *Inputs) place(on On) string {
	switch {
	case on == OnHead:
		return short(in.Context.HeadCommit)
	case in.Baseline == nil:
		return "what this change is based on"
	}
	return "the baseline " + short(in.Baseline.Commit)
}

func short(commit string) string {
	switch {
	case commit == "":
		return "an unnamed commit"
	case len(commit) > 12:
		return commit[:12]
	}
	return commit
}

func firstOf(problems []string) string {
	if len(problems) == 0 {
		return ""
	}
	return ": " + problems[0]
}

func median(ns []int) int {
	if len(ns) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(ns))
	return s[(len(s)-1)/2]
}

// earliest returns the earlier of two times; zero is never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
