// Package bundle holds what an uploader needs to judge without the server:
// policies, waivers, the baseline, what is known of findings, and intelligence,
// signed by the server and good until a time.
package bundle

import (
	"bytes"
	"compress/gzip"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"defectdojo/gate"
	"defectdojo/policies"
	"defectdojo/policies/attest"
)

// PayloadType is what a bundle's envelope holds: this JSON, compressed.
const PayloadType = "application/vnd.defectdojo.gate-bundle.v1+json+gzip"

// MaxSize is how large a bundle may be when it is unpacked, in bytes.
const MaxSize = 1 << 30

// skew is how far a client's clock may be behind the server's.
const skew = 5 * time.Minute

// Bundle is a server's knowledge of one branch of one product, at one time.
type Bundle struct {
	Server    string              `json:"server"` // its URL
	Product   policies.Product    `json:"product"`
	Component string              `json:"component,omitempty"`
	Branch    string              `json:"branch,omitempty"` // that it is for: a change's target
	CreatedAt time.Time           `json:"created_at"`
	Expires   time.Time           `json:"expires"`
	Policies  []*policies.Policy  `json:"policies"`
	Waivers   []gate.Waiver       `json:"waivers,omitempty"`
	VEX       []gate.VEXStatement `json:"vex,omitempty"`
	Baseline  *policies.Baseline  `json:"baseline,omitempty"`
	Findings  []policies.Finding  `json:"findings,omitempty"` // all that are known on the branch, of any status
	Runs      []policies.Run      `json:"runs,omitempty"`     // the last good ones: how many results are usual
	Intel     policies.Intel      `json:"intel"`
	Records   map[string]Record   `json:"records,omitempty"`   // by CVE
	KEVWhole  bool                `json:"kev_whole,omitempty"` // Records hold the whole catalogue, and it is fresh: who is not in it, is not exploited
	EPSSStale bool                `json:"epss_stale,omitempty"`

	Identity map[string]Identity `json:"identity,omitempty"` // by scan type: how findings are told apart, where that is not as built in
}

// Identity says how the findings of a scan type are told apart, in the words of
// the server's settings for deduplication.
type Identity struct {
	Algorithm string   `json:"algorithm"`
	Fields    []string `json:"fields,omitempty"`
	NeedsCWE  bool     `json:"needs_cwe,omitempty"`
}

// Record is what intelligence says of one vulnerability.
type Record = policies.Record

// Seal signs a bundle.
func Seal(b *Bundle, key ed25519.PrivateKey) ([]byte, error) {
	if b.CreatedAt.IsZero() || !b.CreatedAt.Before(b.Expires) {
		return nil, gate.Errorf(gate.Invalid, "a bundle must expire after it is made")
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if err := json.NewEncoder(z).Encode(b); err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	return attest.Seal(PayloadType, packed.Bytes(), key)
}

// Open checks a bundle's signature, then reads it.
func Open(envelope []byte, keys []ed25519.PublicKey) (*Bundle, error) {
	payload, err := attest.Open(envelope, PayloadType, keys)
	if err != nil {
		return nil, err
	}
	z, err := gzip.NewReader(bytes.NewReader(payload))
	if err != nil {
		return nil, gate.Errorf(gate.Invalid, "bundle: %v", err)
	}
	text, err := io.ReadAll(io.LimitReader(z, MaxSize+1))
	if err != nil {
		return nil, gate.Errorf(gate.Invalid, "bundle: %v", err)
	}
	if len(text) > MaxSize {
		return nil, gate.Errorf(gate.TooLarge, "a bundle may have %d bytes", MaxSize)
	}
	var b Bundle
	if err := json.Unmarshal(text, &b); err != nil {
		return nil, gate.Errorf(gate.Invalid, "bundle: %v", err)
	}
	return &b, nil
}

// Usable says why a bundle is not for a build; nil if it is. Its kind is
// gate.Unavailable for one that is too old, gate.Invalid for one of something else.
func (b *Bundle) Usable(c *policies.Context, now time.Time) error {
	target := c.TargetBranch
	if target == "" {
		target = c.Branch
	}
	switch {
	case !now.Before(b.Expires):
		return gate.Errorf(gate.Unavailable, "the bundle expired %s", b.Expires.UTC().Format(time.RFC3339))
	case now.Before(b.CreatedAt.Add(-skew)):
		return gate.Errorf(gate.Unavailable, "the bundle is of %s, which is yet to come: the clock is wrong", b.CreatedAt.UTC().Format(time.RFC3339))
	case c.Product.Name != b.Product.Name:
		return gate.Errorf(gate.Invalid, "the bundle is for product %s, not %s", b.Product.Name, c.Product.Name)
	case c.Component != b.Component:
		return gate.Errorf(gate.Invalid, "the bundle is for component %q, not %q", b.Component, c.Component)
	case b.Branch != "" && target != b.Branch:
		return gate.Errorf(gate.Invalid, "the bundle is for branch %s, not %s", b.Branch, target)
	}
	return nil
}

// Inputs makes what the server would judge: the reports' findings, with what is
// known of them. On the bundle's own branch there are beside them the known
// findings of scanners that did not run now, or whose reports may not close what
// they do not show (keep, by tool); a change is judged by its own reports alone.
// The verdict is provisional. Ids of new findings must not be positive.
func (b *Bundle) Inputs(c policies.Context, runs []policies.Run, reported []policies.Finding, now time.Time, keep ...string) (policies.Inputs, error) {
	if err := b.Usable(&c, now); err != nil {
		return policies.Inputs{}, err
	}
	c.Product = b.Product
	in := policies.Inputs{
		Policies: b.Policies, Context: c, Baseline: b.baseline(&c), Waivers: b.Waivers, VEX: b.VEX, Intel: b.Intel, Now: now, Provisional: true,
		Runs: slices.Concat(b.withHistory(runs), b.Runs),
	}
	known := b.known()
	know := policies.Knowledge{Records: b.Records, KEVWhole: b.KEVWhole, EPSSStale: b.EPSSStale}
	shown := map[string]bool{}
	for _, f := range reported {
		shown[f.Fingerprint] = true
		if k := known[f.Fingerprint]; k != nil {
			f = meet(k, &f, isChange(&c))
		}
		know.Learn(&f)
		in.Head = append(in.Head, f)
	}
	if isChange(&c) {
		return in, nil
	}
	closes := map[string]bool{}
	for _, r := range runs {
		closes[policies.ToolKey(r.Tool)] = true
	}
	for _, tool := range keep {
		delete(closes, policies.ToolKey(tool))
	}
	for i := range b.Findings {
		if f := b.Findings[i]; f.Status != policies.Mitigated && !closes[policies.ToolKey(f.Scanner)] && !shown[f.Fingerprint] {
			in.Head = append(in.Head, f)
		}
	}
	return in, nil
}

// isChange tells whether a build is of something that is to go into another branch.
func isChange(c *policies.Context) bool { return c.TargetBranch != "" && c.TargetBranch != c.Branch }

// baseline returns the bundle's, as a build of that kind compares with it.
func (b *Bundle) baseline(c *policies.Context) *policies.Baseline {
	if b.Baseline == nil {
		return nil
	}
	base := *b.Baseline
	switch {
	case !isChange(c):
		base.Kind = policies.BaselinePrevious
	case base.Commit != "" && c.Event == policies.MergeGroup && base.Commit == c.BaseCommit:
		base.Kind = policies.BaselineGroupBase
	case base.Commit != "" && base.Commit == c.MergeBase:
		base.Kind = policies.BaselineMergeBase
	}
	return &base
}

// known returns the known findings by their fingerprints: of several of one, that
// which the others are duplicates of.
func (b *Bundle) known() map[string]*policies.Finding {
	m := make(map[string]*policies.Finding, len(b.Findings))
	for i := range b.Findings {
		f := &b.Findings[i]
		if had := m[f.Fingerprint]; had == nil || had.Status == policies.Duplicate && f.Status != policies.Duplicate {
			m[f.Fingerprint] = f
		}
	}
	return m
}

// meet returns a finding that is known and reported again. On its own branch it
// is the known one, brought up to date; on another it is a new one, about which
// has been decided what was decided about the known one.
func meet(k, f *policies.Finding, elsewhere bool) policies.Finding {
	if elsewhere {
		out := *f
		out.ID, out.FirstSeen, out.Status, out.DuplicateOf = k.ID, k.FirstSeen, reopened(k.Status), k.DuplicateOf
		return out
	}
	out := *k
	out.Status, out.Vulnerabilities, out.Endpoint = reopened(k.Status), f.Vulnerabilities, f.Endpoint
	if f.FixAvailable != nil {
		out.FixAvailable = f.FixAvailable
	}
	if f.FixVersion != "" {
		out.FixVersion = f.FixVersion
	}
	if k.Component == "" {
		out.Component = f.Component
	}
	if k.Version == "" {
		out.Version = f.Version
	}
	if f.KEV != nil && *f.KEV {
		out.KEV = f.KEV
	}
	return out
}

// reopened returns the status of a known finding that a report shows again.
func reopened(s policies.Status) policies.Status {
	if s == policies.Mitigated || s == policies.Inactive {
		return policies.Open
	}
	return s
}

// withHistory gives runs how many results the tool had before.
func (b *Bundle) withHistory(runs []policies.Run) []policies.Run {
	runs = slices.Clone(runs)
	for i := range runs {
		for j := range b.Runs {
			if r := &runs[i]; policies.ToolKey(b.Runs[j].Tool) == policies.ToolKey(r.Tool) && r.PastResults == nil {
				r.PastResults, r.PastComponents = b.Runs[j].PastResults, b.Runs[j].PastComponents
			}
		}
	}
	return runs
}
