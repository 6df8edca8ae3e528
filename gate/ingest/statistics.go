package ingest

import (
	"defectdojo/gate"
	"defectdojo/gate/store"
)

// of returns the counts of a severity.
func (s *Statistics) of(severity gate.Severity) *Counts {
	switch severity {
	case gate.Critical:
		return &s.Critical
	case gate.High:
		return &s.High
	case gate.Medium:
		return &s.Medium
	case gate.Low:
		return &s.Low
	}
	return &s.Info
}

// count adds a finding.
func (s *Statistics) count(severity gate.Severity, f store.Flags) { s.add(severity, f, 1) }

// uncount takes a finding away.
func (s *Statistics) uncount(severity gate.Severity, f store.Flags) { s.add(severity, f, -1) }

func (s *Statistics) add(severity gate.Severity, f store.Flags, n int) {
	for _, c := range []*Counts{s.of(severity), &s.Total} {
		c.Total += n
		for _, p := range []struct {
			is bool
			at *int
		}{
			{f.Active, &c.Active},
			{f.Verified, &c.Verified},
			{f.Duplicate, &c.Duplicate},
			{f.FalseP, &c.FalseP},
			{f.OutOfScope, &c.OutOfScope},
			{f.IsMitigated, &c.IsMitigated},
			{f.RiskAccepted, &c.RiskAccepted},
		} {
			if p.is {
				*p.at += n
			}
		}
	}
}

// of returns the statistics of what was done to findings of a bucket, or nil.
func (d *Delta) of(b bucket) *Statistics {
	switch b {
	case created:
		return &d.Created
	case closed:
		return &d.Closed
	case reactivated:
		return &d.Reactivated
	case untouched:
		return &d.Untouched
	}
	return nil
}
