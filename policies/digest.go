package policies

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
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
		b.Findings, b.Closed = orNil(b.Findings), orNil(b.Closed)
	}
	in.Policies, in.Runs, in.Head = orNil(in.Policies), orNil(in.Runs), orNil(in.Head)
	in.Waivers, in.VEX = orNil(in.Waivers), orNil(in.VEX)
	in.normalizeTimes()
}

// orNil makes an empty list nil, so that both have one digest.
func orNil[T any](s []T) []T {
	if len(s) == 0 {
		return nil
	}
	return s
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
	for i := range in.Head {
		if in.Head[i].FirstSeen.IsZero() {
			in.Head[i].FirstSeen = in.Now
		}
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

// Moment returns a time as inputs keep it.
func Moment(t time.Time) time.Time { return utc(t) }

// utc returns t as it comes back from PostgreSQL and from JSON.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

// part is one of the things that inputs are made of, under its name.
type part struct {
	name  string
	value any // a pointer to it
	sum   *string
}

// parts lists them. The baseline's findings are a part of their own: they are
// the larger, and many verdicts share them.
func (in *Inputs) parts(b **Baseline, fs *[]Finding, d *gate.InputDigests) []part {
	return []part{
		{"policies", &in.Policies, &d.Policies},
		{"context", &in.Context, &d.Context},
		{"runs", &in.Runs, &d.Runs},
		{"findings", &in.Head, &d.Findings},
		{"baseline", b, &d.Baseline},
		{"baseline_findings", fs, &d.BaselineFindings},
		{"waivers", &in.Waivers, &d.Waivers},
		{"vex", &in.VEX, &d.VEX},
		{"intel", &in.Intel, &d.Intel},
	}
}

// split takes the findings out of the baseline.
func (in *Inputs) split() (*Baseline, []Finding) {
	if in.Baseline == nil {
		return nil, nil
	}
	b := *in.Baseline
	b.Findings = nil
	return &b, in.Baseline.Findings
}

// Parts returns the canonical JSON of each part of normalized inputs, by the name
// that it has in gate.InputDigests. A store may keep each under its digest.
func (in *Inputs) Parts() (map[string][]byte, error) {
	b, fs := in.split()
	out := map[string][]byte{}
	for _, p := range in.parts(&b, &fs, &gate.InputDigests{}) {
		var buf bytes.Buffer
		if err := canonical(&buf, p.value); err != nil {
			return nil, fmt.Errorf("inputs: %s: %w", p.name, err)
		}
		out[p.name] = buf.Bytes()
	}
	return out, nil
}

// FromParts makes inputs of what Parts returned; now and provisional are kept
// beside them.
func FromParts(parts map[string][]byte, now time.Time, provisional bool) (Inputs, error) {
	in := Inputs{Now: now, Provisional: provisional}
	var b *Baseline
	var fs []Finding
	for _, p := range in.parts(&b, &fs, &gate.InputDigests{}) {
		if err := json.Unmarshal(parts[p.name], p.value); err != nil {
			return Inputs{}, fmt.Errorf("inputs: %s: %w", p.name, err)
		}
	}
	if b != nil {
		b.Findings = fs
		in.Baseline = b
	}
	return in, nil
}

// Digests returns the digest of each part of normalized inputs, and of all.
func (in *Inputs) Digests() (gate.InputDigests, error) { return in.digests(nil) }

// digests is Digests that also writes each part to a writer, if there is a keep.
// The parts are written at once, each by itself: two of them are nearly all of it.
func (in *Inputs) digests(keep func(part string) io.Writer) (gate.InputDigests, error) {
	var d gate.InputDigests
	b, fs := in.split()
	parts := in.parts(&b, &fs, &d)
	errs := make([]error, len(parts))
	var wg sync.WaitGroup
	for n, p := range parts {
		h := sha256.New()
		w := io.Writer(h)
		if keep != nil {
			w = io.MultiWriter(h, keep(p.name))
		}
		wg.Go(func() {
			if err := canonical(w, p.value); err != nil {
				errs[n] = fmt.Errorf("inputs: %s: %w", p.name, err)
			}
			*p.sum = digestText(h.Sum(nil))
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return d, err
	}
	h := sha256.New()
	err := canonical(h, struct {
		gate.InputDigests
		Now         time.Time `json:"now"`
		Provisional bool      `json:"provisional"`
	}{d, in.Now, in.Provisional})
	d.All = digestText(h.Sum(nil))
	return d, err
}

// PartDigests returns digests by the names that Parts uses.
func PartDigests(d *gate.InputDigests) map[string]string {
	return map[string]string{
		"policies": d.Policies, "context": d.Context, "runs": d.Runs, "findings": d.Findings, "baseline": d.Baseline,
		"baseline_findings": d.BaselineFindings, "waivers": d.Waivers, "vex": d.VEX, "intel": d.Intel,
	}
}

// canonical writes the one JSON of a part: fields in the order of their
// declaration, maps by key, no blanks, nothing escaped that need not be. Findings
// are written one by one, so that they are never all in memory twice.
func canonical(w io.Writer, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	put := func(before string, v any) error {
		b.Reset()
		b.WriteString(before)
		if err := e.Encode(v); err != nil {
			return err
		}
		_, err := w.Write(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
		return err
	}
	fs, ok := v.(*[]Finding)
	if !ok || len(*fs) == 0 {
		return put("", v)
	}
	before := "["
	for i := range *fs {
		if err := put(before, &(*fs)[i]); err != nil {
			return err
		}
		before = ","
	}
	_, err := io.WriteString(w, "]")
	return err
}

// Digest returns the SHA-256 of b as "sha256:" and hex.
func Digest(b []byte) string {
	sum := sha256.Sum256(b)
	return digestText(sum[:])
}

func digestText(sum []byte) string { return "sha256:" + hex.EncodeToString(sum) }
