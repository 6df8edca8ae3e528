package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"slices"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/dedup"
	"defectdojo/gate/evidence"
	"defectdojo/parsers"
)

// item is an observation with its identities.
type item struct {
	gate.Observation
	hash        [32]byte
	refreshKey  int64
	endpointKey string
}

// Items are stored in chunks: small ones first, so that the database has work
// soon, and twice as large each time, until a statement's cost does not count
// any more and memory does.
const (
	firstChunk = 500
	lastChunk  = 16 * firstChunk
)

// reading is a report that is being read while what was read is stored.
type reading struct {
	chunks     chan []item
	firstRun   gate.Run   // what was known of it at the first observation: after the first chunk
	runs       []gate.Run // these and what follows: after chunks is closed
	components []gate.Component
	count      int // of all observations, also those left out
	err        error
}

// read starts to read the report. Its caller empties chunks, or cancels ctx.
func (m *importing) read(ctx context.Context) *reading {
	out := &reading{chunks: make(chan []item, 1)}
	go func() {
		defer close(out.chunks)
		ctx, cancel := context.WithTimeoutCause(ctx, parseTime, errors.New("reading the report took too long"))
		defer cancel()
		p := preparer{request: m.request, hasher: dedup.NewHasher(m.settings), now: m.now, extra: m.extraEndpoints}
		chunk := make([]item, 0, firstChunk)
		flush := func() {
			select {
			case out.chunks <- chunk:
			case <-ctx.Done():
			}
			chunk = make([]item, 0, min(2*cap(chunk), lastChunk))
		}
		out.runs, out.err = parsers.Read(ctx, m.parser, m.request.Report.Content, parsers.Options{
			Limits: m.Limits,
			Now:    m.now,
			Begin:  func(r gate.Run) { out.firstRun = r },
			Emit: func(o gate.Observation) {
				out.count++
				if o.Severity < m.request.MinimumSeverity || !m.request.takes(o.FilePath) {
					return
				}
				o.VulnerabilityIDs = o.IDs()
				chunk = append(chunk, item{Observation: o})
				p.prepare(&chunk[len(chunk)-1])
				if len(chunk) == cap(chunk) {
					flush()
				}
			},
			Components: func(c gate.Component) { out.components = append(out.components, c) },
		})
		if out.err == nil && len(chunk) > 0 {
			flush()
		}
		if errors.Is(out.err, context.DeadlineExceeded) {
			out.err = gate.Errorf(gate.TooLarge, "%s: reading the report took longer than %s", m.parser.ScanType, parseTime)
		}
	}()
	return out
}

// preparer completes observations with what the request says.
type preparer struct {
	request Request
	hasher  *dedup.Hasher
	now     time.Time
	extra   []string // endpoints of every finding
}

func (p *preparer) prepare(i *item) {
	o := &i.Observation
	if p.request.Untrusted {
		o.Active, o.Verified, o.FalsePositive, o.OutOfScope, o.RiskAccepted, o.Mitigated, o.MitigatedAt = nil, false, false, false, false, false, time.Time{}
	}
	if p.request.Service != nil && *p.request.Service != "" {
		o.Service = *p.request.Service
	}
	switch {
	case !p.request.ScanDate.IsZero():
		o.Date = p.request.ScanDate
	case o.Date.IsZero():
		o.Date = gate.DateOf(p.now)
	}
	o.Tags = evidence.CleanTags(o.Tags)
	i.hash = p.hasher.Hash(o)
	if len(p.extra) > 0 {
		o.Endpoints = append(slices.Clone(o.Endpoints), p.extra...)
		slices.Sort(o.Endpoints)
		o.Endpoints = slices.Compact(o.Endpoints)
	}
	i.endpointKey = dedup.EndpointKey(o.Endpoints)
	i.refreshKey = refreshKey(o)
}

// refreshKey is a digest of what a reimport brings up to date. It is never 0.
func refreshKey(o *gate.Observation) int64 {
	h := fnv.New64a()
	list := func(values []string) {
		sorted := slices.Clone(values)
		slices.Sort(sorted)
		for _, v := range sorted {
			h.Write([]byte(v))
			h.Write([]byte{0})
		}
		h.Write([]byte{1})
	}
	list(o.VulnerabilityIDs)
	list(o.Endpoints)
	for _, c := range o.CWEs {
		var b [8]byte
		binary.BigEndian.PutUint64(b[:], uint64(c)) //nolint:gosec // the same bits
		h.Write(b[:])
	}
	fix := "?"
	if o.FixAvailable != nil {
		fix = map[bool]string{true: "yes", false: "no"}[*o.FixAvailable]
	}
	list([]string{fix})
	list([]string{o.FixedIn()})
	list([]string{o.ComponentName})
	list([]string{o.ComponentVersion})
	if o.IsExploited() {
		list([]string{"exploited"})
	}
	if k := int64(h.Sum64()); k != 0 { //nolint:gosec // the same bits
		return k
	}
	return 1
}

// less orders twins, the same finding told twice in one report: the one that
// comes first is stored, whatever the order of the report.
func (i *item) less(o *twinOrder) bool { return slices.Compare(i.order(), o[:]) < 0 }

// twinOrder is a twin's place in that order.
type twinOrder [16]byte

func (i *item) order() []byte {
	h := sha256.New()
	for _, s := range []string{i.UniqueID, i.FilePath, i.Title, i.Description, i.Mitigation, i.ComponentVersion, i.endpointKey} {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	var b [10]byte
	if i.Line != nil {
		binary.BigEndian.PutUint64(b[:], uint64(*i.Line)) //nolint:gosec // the same bits
	}
	b[8], b[9] = byte(i.Severity), byte(i.CWE) //nolint:gosec // a digest's input
	h.Write(b[:])
	return h.Sum(nil)[:len(twinOrder{})]
}
