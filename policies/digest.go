package policies

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"defectdojo/gate"
)

// Normalize puts lists into the one order that digests are made of, and times
// into UTC with microseconds, as PostgreSQL keeps them. Evaluate does so by itself.
func (in *Inputs) Normalize() {
	slices.SortStableFunc(in.Policies, func(a, b *Policy) int {
		return cmp.Or(cmp.Compare(a.Origin.rank(), b.Origin.rank()), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Digest, b.Digest))
	})
	slices.SortStableFunc(in.Runs, func(a, b Run) int {
		return cmp.Or(cmp.Compare(a.Tool, b.Tool), cmp.Compare(a.Commit, b.Commit), a.CompletedAt.Compare(b.CompletedAt), cmp.Compare(a.ID, b.ID))
	})
	sortFindings(in.Head)
	slices.SortStableFunc(in.Waivers, func(a, b gate.Waiver) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortStableFunc(in.VEX, func(a, b gate.VEXStatement) int {
		return cmp.Or(cmp.Compare(a.Document, b.Document), cmp.Compare(a.Vulnerability, b.Vulnerability), a.At.Compare(b.At))
	})
	if b := in.Baseline; b != nil {
		sortFindings(b.Findings)
		slices.Sort(b.Closed)
		slices.Sort(b.Inventory)
		slices.Sort(b.Scanners)
		slices.Sort(b.Changed)
	}
	in.normalizeTimes()
}

// sortFindings sorts by id, and leaves a sorted list alone.
func sortFindings(fs []Finding) {
	byID := func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Fingerprint, b.Fingerprint))
	}
	if !slices.IsSortedFunc(fs, byID) {
		slices.SortStableFunc(fs, byID)
	}
}

func (in *Inputs) normalizeTimes() {
	times := []*time.Time{&in.Now, &in.Intel.EPSS.At, &in.Intel.KEV.At, &in.Intel.Advisories.At}
	for i := range in.Runs {
		times = append(times, &in.Runs[i].CompletedAt)
	}
	for i := range in.Waivers {
		w := &in.Waivers[i]
		times = append(times, &w.RequestedAt, &w.ValidFrom, &w.Expires, &w.RevokedAt)
	}
	for i := range in.VEX {
		times = append(times, &in.VEX[i].At)
	}
	for _, t := range times {
		*t = utc(*t)
	}
	normalizeFindings(in.Head)
	if in.Baseline != nil {
		normalizeFindings(in.Baseline.Findings)
	}
}

func normalizeFindings(fs []Finding) {
	for i := range fs {
		f := &fs[i]
		f.FirstSeen = utc(f.FirstSeen)
		if f.FixPublished != nil {
			f.FixPublished = new(utc(*f.FixPublished))
		}
	}
}

// utc returns t as it comes back from PostgreSQL and from JSON.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

// Parts returns the canonical JSON of each part of normalized inputs, by the name
// that it has in gate.InputDigests. A store may keep each under its digest: a
// baseline is shared by many verdicts.
func (in *Inputs) Parts() (map[string][]byte, error) {
	parts := map[string]any{
		"policies": in.Policies, "context": in.Context, "runs": in.Runs, "findings": in.Head,
		"baseline": in.Baseline, "waivers": in.Waivers, "vex": in.VEX, "intel": in.Intel,
	}
	out := make(map[string][]byte, len(parts))
	for name, part := range parts {
		b, err := canonical(part)
		if err != nil {
			return nil, fmt.Errorf("inputs: %s: %w", name, err)
		}
		out[name] = b
	}
	return out, nil
}

// canonical is the one JSON of a part: fields in the order of their declaration,
// maps by key, no blanks, nothing escaped that need not be.
func canonical(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// FromParts makes inputs of what Parts returned; now and provisional are kept
// beside them.
func FromParts(parts map[string][]byte, now time.Time, provisional bool) (Inputs, error) {
	in := Inputs{Now: now, Provisional: provisional}
	to := map[string]any{
		"policies": &in.Policies, "context": &in.Context, "runs": &in.Runs, "findings": &in.Head,
		"baseline": &in.Baseline, "waivers": &in.Waivers, "vex": &in.VEX, "intel": &in.Intel,
	}
	for name, v := range to {
		if err := json.Unmarshal(parts[name], v); err != nil {
			return Inputs{}, fmt.Errorf("inputs: %s: %w", name, err)
		}
	}
	return in, nil
}

// Digests returns the digest of each part of normalized inputs, and of all.
func (in *Inputs) Digests() (gate.InputDigests, error) {
	parts, err := in.Parts()
	if err != nil {
		return gate.InputDigests{}, err
	}
	d := gate.InputDigests{
		Policies: Digest(parts["policies"]), Context: Digest(parts["context"]), Runs: Digest(parts["runs"]),
		Findings: Digest(parts["findings"]), Baseline: Digest(parts["baseline"]), Waivers: Digest(parts["waivers"]),
		VEX: Digest(parts["vex"]), Intel: Digest(parts["intel"]),
	}
	all, err := canonical(struct {
		gate.InputDigests
		Now         time.Time `json:"now"`
		Provisional bool      `json:"provisional"`
	}{d, in.Now, in.Provisional})
	if err != nil {
		return gate.InputDigests{}, fmt.Errorf("inputs: %w", err)
	}
	d.All = Digest(all)
	return d, nil
}

// Digest returns the SHA-256 of b as "sha256:" and hex.
func Digest(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}
