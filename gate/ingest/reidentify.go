package ingest

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/dedup"
	"defectdojo/gate/store"
	"defectdojo/parsers/all"
)

// Identities changes how findings of a scan type are told apart, and gives
// those that are stored the identities that follow from it.
type Identities struct {
	Store *store.Store

	// Later has the findings of a scan type brought up to date after tx commits.
	Later func(ctx context.Context, tx pgx.Tx, scanType string) error
}

// Effect is what settings do, or would do, to findings that are stored.
type Effect struct {
	Products   int       `json:"products"`
	Findings   int       `json:"findings"`
	Hashes     int       `json:"hashes"`     // get another hash
	Duplicates int       `json:"duplicates"` // become duplicates
	Originals  int       `json:"originals"`  // are duplicates no more
	Moved      int       `json:"moved"`      // become duplicates of another finding
	Examples   []Example `json:"examples"`   // some of those that change
}

// Example is one finding that changes.
type Example struct {
	ID    int64  `json:"id"`
	Title string `json:"title"`
	Was   *int64 `json:"was"` // duplicate of; null: of none
	Is    *int64 `json:"is"`
}

// maxExamples is how many an Effect has at most.
const maxExamples = 20

// Effective returns the settings of all scan types, and which are not built in.
func (d *Identities) Effective(ctx context.Context) (map[string]dedup.Settings, map[string]bool, error) {
	rows, err := d.Store.AllDedupSettings(ctx)
	if err != nil {
		return nil, nil, err
	}
	out, changed := make(map[string]dedup.Settings, len(all.Parsers)), map[string]bool{}
	for _, p := range all.Parsers {
		out[p.ScanType] = dedup.For(p.ScanType)
	}
	for _, r := range rows {
		out[r.ScanType], changed[r.ScanType] = r.Settings(), true
	}
	return out, changed, nil
}

func check(scanType string, set dedup.Settings) (string, error) {
	p, ok := all.ByScanType(scanType)
	if !ok {
		return "", gate.FieldErrorf("scan_type", "%q is not a valid choice.", scanType)
	}
	return p.ScanType, set.Validate()
}

// Preview tells what settings would change. Nothing is stored.
func (d *Identities) Preview(ctx context.Context, scanType string, set dedup.Settings) (Effect, error) {
	effect := Effect{Examples: []Example{}}
	scanType, err := check(scanType, set)
	if err != nil {
		return effect, err
	}
	products, err := d.Store.DedupProducts(ctx, scanType)
	if err != nil {
		return effect, err
	}
	effect.Products = len(products)
	for _, product := range products {
		if _, err := compute(ctx, d.Store, product, scanType, set, &effect); err != nil {
			return effect, err
		}
	}
	return effect, nil
}

// Who changes settings, and from where.
type Who struct {
	gate.Principal

	RequestID, IP string
}

// Save stores settings, which hold for imports from now on, and has the findings
// that are stored follow. Nil settings are the built-in ones again.
func (d *Identities) Save(ctx context.Context, scanType string, set *dedup.Settings, who Who) error {
	wanted := dedup.For(scanType)
	if set != nil {
		wanted = *set
	}
	scanType, err := check(scanType, wanted)
	if err != nil {
		return err
	}
	return d.Store.Tx(ctx, func(s *store.Store, tx pgx.Tx) error {
		if err := s.LockDedupSettings(ctx); err != nil {
			return err
		}
		before, err := Settings(ctx, s, scanType)
		if err != nil {
			return err
		}
		if set == nil {
			err = s.DeleteDedupSettings(ctx, scanType)
		} else {
			err = s.SaveDedupSettings(ctx, toRow(scanType, wanted), who.User.ID)
		}
		if err != nil || equal(before, wanted) {
			return err
		}
		products, err := s.AddDedupPending(ctx, scanType)
		if err != nil {
			return err
		}
		if err := s.AddAuditEvent(ctx, store.AuditEvent{
			ActorID: &who.User.ID, Actor: who.User.Username, Action: "change", Object: "deduplication settings", RequestID: who.RequestID, IP: who.IP,
			Changes: map[string]any{"scan_type": scanType, "before": before, "after": wanted, "products": products},
		}); err != nil {
			return err
		}
		return d.Later(ctx, tx, scanType)
	})
}

func equal(a, b dedup.Settings) bool {
	return a.Algorithm == b.Algorithm && a.NeedsCWE == b.NeedsCWE && slices.Equal(a.Fields, b.Fields)
}

// Follow brings the findings of a scan type up to date, product by product,
// where no import has done so.
func (d *Identities) Follow(ctx context.Context, scanType string) error {
	products, err := d.Store.DedupPending(ctx, scanType)
	if err != nil {
		return err
	}
	for _, product := range products {
		if err := d.Store.Tx(ctx, func(s *store.Store, _ pgx.Tx) error {
			if err := s.LockProduct(ctx, product); err != nil {
				return err
			}
			return catchUp(ctx, s, product, scanType)
		}); err != nil {
			return err
		}
	}
	return nil
}

// catchUp brings the findings of a scan type in a product up to date, if they
// are not. The product is locked.
func catchUp(ctx context.Context, s *store.Store, product int64, scanType string) error {
	if err := s.KeepDedupSettings(ctx); err != nil {
		return err
	}
	waits, err := s.TakeDedupPending(ctx, product, scanType)
	if err != nil || !waits {
		return err
	}
	set, err := Settings(ctx, s, scanType)
	if err != nil {
		return err
	}
	changed, err := compute(ctx, s, product, scanType, set, &Effect{})
	if err != nil {
		return err
	}
	return s.Reidentify(ctx, product, changed, dedup.HashVersion)
}

// compute returns the findings of a scan type in a product whose identity is
// another by these settings: in the order in which they came, each as if it were
// imported now, but for those of which somebody has decided.
func compute(ctx context.Context, s *store.Store, product int64, scanType string, set dedup.Settings, e *Effect) ([]store.Reidentified, error) {
	c := clusters{set: set, hasher: dedup.NewHasher(set), alone: map[int64]bool{}, byHash: map[[32]byte][]*store.Known{}, byID: map[string][]*store.Known{}}
	alone, err := s.EngagementsByThemselves(ctx, product)
	if err != nil {
		return nil, err
	}
	for _, id := range alone {
		c.alone[id] = true
	}
	var list []identified
	for i, err := range s.Identities(ctx, product, scanType) {
		if err != nil {
			return nil, err
		}
		list = append(list, identified{i.Known, i.DuplicateOf, c.hasher.Hash(&i.Observation), i.Static, i.Decided, i.Observation.FilePath != ""})
	}
	hashes := make([][]byte, len(list))
	for n := range list {
		hashes[n] = list[n].now[:]
	}
	var others []store.Known
	for k, err := range s.OtherOriginals(ctx, product, scanType, hashes) {
		if err != nil {
			return nil, err
		}
		others = append(others, k)
	}
	return c.walk(list, others, e), nil
}

// identified is a finding with the hash that it has, and the one it gets.
type identified struct {
	store.Known

	was     *int64 // duplicate of
	now     [32]byte
	static  bool
	decided bool
	inFile  bool
}

// clusters find the original of each finding among those before it.
type clusters struct {
	set    dedup.Settings
	hasher *dedup.Hasher
	alone  map[int64]bool // engagements that are deduplicated by themselves
	byHash map[[32]byte][]*store.Known
	byID   map[string][]*store.Known
}

func (c *clusters) add(k *store.Known) {
	c.byHash[k.Hash] = append(c.byHash[k.Hash], k)
	if k.UniqueID != "" {
		c.byID[k.UniqueID] = append(c.byID[k.UniqueID], k)
	}
}

func (c *clusters) walk(list []identified, others []store.Known, e *Effect) []store.Reidentified {
	var changed []store.Reidentified
	for n := range list {
		f := &list[n]
		for len(others) > 0 && others[0].ID < f.ID {
			c.add(&others[0])
			others = others[1:]
		}
		is := c.original(f)
		e.Findings++
		if f.now == f.Hash && same(f.was, is) {
			f.keep(c, is)
			continue
		}
		if f.now != f.Hash {
			e.Hashes++
		}
		e.note(f, is)
		changed = append(changed, store.Reidentified{ID: f.ID, Hash: f.now, DuplicateOf: is})
		f.Hash = f.now
		f.keep(c, is)
	}
	return changed
}

// keep lets later findings be duplicates of f, unless it is one itself.
func (f *identified) keep(c *clusters, is *int64) {
	if is == nil {
		f.Duplicate = false
		c.add(&f.Known)
	}
}

// original returns what f is a duplicate of.
func (c *clusters) original(f *identified) *int64 {
	if f.decided {
		return f.was
	}
	flags := f.Flags
	if f.was != nil { // as it was before it was one
		flags.Duplicate, flags.Active = false, !flags.IsMitigated && !flags.FalseP && !flags.OutOfScope && !flags.RiskAccepted
		f.Flags = flags
	}
	i := &item{hash: f.now, endpointKey: f.EndpointKey}
	i.UniqueID = f.UniqueID
	if f.inFile {
		i.FilePath = "in a file"
	}
	for _, k := range (originalsOf{c.byHash, c.byID}).of(i) {
		within := k.EngagementID == f.EngagementID || !c.alone[f.EngagementID] && !c.alone[k.EngagementID]
		if within && isOriginal(c.set.Algorithm, i, f.static, f.TestTypeID, k) && attaches(flags, k.Flags) {
			return &k.ID
		}
	}
	return nil
}

// note counts a finding that changes.
func (e *Effect) note(f *identified, is *int64) {
	switch {
	case same(f.was, is):
		return
	case f.was == nil:
		e.Duplicates++
	case is == nil:
		e.Originals++
	default:
		e.Moved++
	}
	if len(e.Examples) < maxExamples {
		e.Examples = append(e.Examples, Example{f.ID, f.Title, f.was, is})
	}
}

func same(a, b *int64) bool { return a == b || a != nil && b != nil && *a == *b }

func toRow(scanType string, set dedup.Settings) store.DedupSettings {
	row := store.DedupSettings{ScanType: scanType, Algorithm: string(set.Algorithm), HashFields: []string{}, AllowsNullCWE: !set.NeedsCWE}
	for _, f := range set.Fields {
		row.HashFields = append(row.HashFields, string(f))
	}
	return row
}
