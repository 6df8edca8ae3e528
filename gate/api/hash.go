package api

import (
	"defectdojo/gate"
	"defectdojo/gate/dedup"
	"defectdojo/gate/ingest"
)

// hash gives a finding that somebody added by hand the identity that a report
// of its test's type would give it, so that a report can find it again.
func (r *request) hash(f *gate.Finding) error {
	t, err := r.Store.TestType(r.ctx, f.TestTypeID)
	if err != nil {
		return err
	}
	settings, err := ingest.Settings(r.ctx, r.Store, t.Name)
	if err != nil {
		return err
	}
	sum := dedup.NewHasher(settings).Hash(observation(f))
	f.HashCode = sum[:]
	return nil
}

// observation is a finding as a scanner would have said it, as far as its hash
// is told by it.
func observation(f *gate.Finding) *gate.Observation {
	o := &gate.Observation{
		Title: f.Title, Severity: f.Severity, Description: f.Description, Mitigation: f.Mitigation, VulnerabilityIDs: f.VulnerabilityIDs,
		RuleID: deref(f.VulnIDFromTool), UniqueID: deref(f.UniqueIDFromTool), FilePath: deref(f.FilePath), ComponentName: deref(f.ComponentName),
		ComponentVersion: deref(f.ComponentVersion), Service: deref(f.Service), Payload: deref(f.Payload), CWE: int(deref(f.CWE)),
	}
	if f.Line != nil {
		line := int(*f.Line)
		o.Line = &line
	}
	for _, n := range f.CWEs {
		o.CWEs = append(o.CWEs, int(n))
	}
	return o
}

func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// identities returns how findings of test types are told apart, by their names.
func (r *request) identities(names map[int64]string) (map[string]dedup.Settings, error) {
	out := map[string]dedup.Settings{}
	for _, name := range names {
		if _, done := out[name]; done {
			continue
		}
		s, err := ingest.Settings(r.ctx, r.Store, name)
		if err != nil {
			return nil, err
		}
		out[name] = s
	}
	return out, nil
}
