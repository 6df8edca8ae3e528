package verdict

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"defectdojo/gate/store"
	"defectdojo/policies"
)

// learn completes findings by what is known of their vulnerabilities, and tells
// which snapshots that is from.
func (g *gathering) learn(ctx context.Context, in *policies.Inputs) error {
	ids := vulnerabilities(in)
	known, err := g.store.Intel(ctx, ids)
	if err != nil {
		return err
	}
	in.Intel = Snapshots(known)
	k := Knowledge(known, g.now)
	for i := range in.Head {
		k.Learn(&in.Head[i])
	}
	if in.Baseline != nil {
		for i := range in.Baseline.Findings {
			k.Learn(&in.Baseline.Findings[i])
		}
	}
	return nil
}

// vulnerabilities returns the ids that findings have, each once.
func vulnerabilities(in *policies.Inputs) []string {
	var ids []string
	for i := range in.Head {
		ids = append(ids, in.Head[i].Vulnerabilities...)
	}
	if in.Baseline != nil {
		for i := range in.Baseline.Findings {
			ids = append(ids, in.Baseline.Findings[i].Vulnerabilities...)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Snapshots names the snapshots that knowledge is from.
func Snapshots(known store.Intel) policies.Intel {
	of := func(name store.IntelName) policies.Snapshot {
		s, ok := known.Sources[name]
		if !ok {
			return policies.Snapshot{}
		}
		id := s.Version
		if id == "" {
			id = strconv.FormatInt(s.ID, 10)
		}
		return policies.Snapshot{ID: id, Digest: "sha256:" + s.Digest, At: s.Published.UTC()}
	}
	return policies.Intel{EPSS: of(store.EPSS), KEV: of(store.KEV), Advisories: of(store.Advisories)}
}

// Knowledge turns what the store knows at a time into what findings learn from.
// The offline bundle carries the same.
func Knowledge(known store.Intel, now time.Time) policies.Knowledge {
	fresh := func(name store.IntelName) bool {
		s, ok := known.Sources[name]
		return ok && s.Fresh(now)
	}
	_, scored := known.Sources[store.EPSS]
	k := policies.Knowledge{Records: map[string]policies.Record{}, KEVWhole: fresh(store.KEV), EPSSStale: scored && !fresh(store.EPSS)}
	for id, v := range known.Vulnerabilities {
		r := policies.Record{KEV: v.Exploited, Ransomware: v.Ransomware, CVE: v.IsCVE && !strings.HasPrefix(id, "CVE-")}
		if fresh(store.EPSS) {
			r.EPSS, r.Percentile = v.EPSS, v.Percentile
		}
		for _, a := range known.Advisories[id] {
			addFixes(&r, a, fresh(store.Advisories))
		}
		if r.EPSS != nil || r.KEV || r.Ransomware || r.CVE || r.FixPublished != nil || r.Fixes != nil {
			k.Records[id] = r
		}
	}
	return k
}

// addFixes adds an advisory's ranges. One that is too old may not say that there
// is no fix.
func addFixes(r *policies.Record, a store.Advisory, fresh bool) {
	if a.FixPublished != nil && (r.FixPublished == nil || a.FixPublished.Before(*r.FixPublished)) {
		t := a.FixPublished.UTC()
		r.FixPublished = &t
	}
	for _, p := range a.Affected {
		name := p.PURL
		if name == "" {
			name = p.Name
		}
		for _, v := range p.Ranges {
			f := policies.Fix{Package: name, Ecosystem: p.Ecosystem, Introduced: v.Introduced, Fixed: v.Fixed, Last: v.Last}
			if (v.Fixed != "" || fresh) && !slices.Contains(r.Fixes, f) {
				r.Fixes = append(r.Fixes, f)
			}
		}
	}
}
