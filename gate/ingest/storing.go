package ingest

import (
	"context"
	"crypto/sha256"
	"slices"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/evidence"
	"defectdojo/gate/store"
)

// take matches a chunk of the report with what is there and stores the rest.
func (m *importing) take(ctx context.Context, chunk []item) error {
	var (
		added   []*item
		met     changes
		changed = map[int64]*item{}
	)
	for n := range chunk {
		i := &chunk[n]
		at := int32(-1)
		if !m.isNew {
			at = m.index.match(i)
		}
		switch {
		case at < 0:
			added = append(added, i)
			if !m.isNew {
				// Later twins in this report must meet it: it gets its id below.
				m.index.add(tracked{Known: store.Known{Hash: i.hash, UniqueID: i.UniqueID, Title: i.Title, Severity: i.Severity}, fresh: true, bucket: created, order: twinOrder(i.order())})
			}
		case m.index.all[at].fresh:
			m.twin(&m.index.all[at], i, added)
		default:
			m.meet(&m.index.all[at], i, &met, changed)
		}
	}
	if err := m.add(ctx, added); err != nil {
		return err
	}
	if met.none() && len(changed) == 0 {
		return nil
	}
	if err := m.storing.wait(); err != nil {
		return err
	}
	if err := m.apply(ctx, met); err != nil {
		return err
	}
	return m.refresh(ctx, changed)
}

// twin handles an observation that this report told before, under the same
// identity: of the two, the one that comes first in the order of twins is kept.
func (m *importing) twin(t *tracked, i *item, added []*item) {
	if !i.less(&t.order) {
		return
	}
	t.order = twinOrder(i.order())
	if t.ID != 0 { // stored with an earlier chunk
		m.replace[t.ID] = replacement{item: *i}
		return
	}
	for n, a := range added {
		if a.hash == t.Hash && a.UniqueID == t.UniqueID {
			added[n] = i
			return
		}
	}
}

// add has new findings stored, while what follows them is made ready.
func (m *importing) add(ctx context.Context, added []*item) error {
	if len(added) == 0 {
		return nil
	}
	ids, err := m.nextIDs(ctx, len(added))
	if err != nil {
		return err
	}
	candidates, err := m.candidates(ctx, added)
	if err != nil {
		return err
	}
	rows := make([]*store.NewFinding, len(added))
	for n, i := range added {
		rows[n] = m.finding(ids[n], i, candidates)
	}
	if !m.isNew {
		// The index holds them in the same order, without ids.
		m.numberFresh(rows)
	}
	if err := m.storing.wait(); err != nil {
		return err
	}
	m.storing = begin(func() error { return m.store.AddFindings(ctx, rows) })
	m.ids[created] = append(m.ids[created], ids...)
	return m.collectExtras(ctx, rows)
}

// nextIDs returns the ids of n new findings. Of a report that is larger than one
// chunk it takes those of what may follow as well.
func (m *importing) nextIDs(ctx context.Context, n int) ([]int64, error) {
	if len(m.free) < n {
		if err := m.storing.wait(); err != nil {
			return nil, err
		}
		more := n - len(m.free)
		if n >= firstChunk {
			more += idsAhead
		}
		ids, err := m.store.NextFindingIDs(ctx, more)
		if err != nil {
			return nil, err
		}
		m.free = append(m.free, ids...)
	}
	ids := m.free[:n:n]
	m.free = m.free[n:]
	return ids, nil
}

// idsAhead is how many ids are taken beside those that are needed.
const idsAhead = 2 * lastChunk

// numberFresh gives ids and flags to the findings that take has put into the index.
func (m *importing) numberFresh(rows []*store.NewFinding) {
	n := len(m.index.all)
	for left := len(rows); left > 0; {
		n--
		if t := &m.index.all[n]; t.fresh && t.ID == 0 {
			left--
			t.ID, t.Severity, t.Flags = rows[left].ID, rows[left].Observation.Severity, flagsOf(rows[left])
		}
	}
}

// finding makes the row of a new finding, with its flags, its due date and the
// original that it is a duplicate of, if there is one.
func (m *importing) finding(id int64, i *item, candidates originalsOf) *store.NewFinding {
	f := m.newFinding(id, i)
	o := original(m.settings.Algorithm, i, flagsOf(f), f.Static, m.test.TestTypeID, candidates.of(i))
	if o == nil {
		o = original(m.settings.Algorithm, i, flagsOf(f), f.Static, m.test.TestTypeID, m.origins.candidates(i))
	}
	if o != nil {
		f.DuplicateOf, f.Active, f.Verified = &o.ID, false, false
	} else {
		m.origins.add(store.Known{ID: id, Hash: i.hash, UniqueID: i.UniqueID, EndpointKey: i.endpointKey, TestTypeID: m.test.TestTypeID, Flags: flagsOf(f)})
	}
	m.after.count(i.Severity, flagsOf(f))
	if m.request.CloseOldFindings && !m.request.Reimport && !f.IsMitigated {
		m.hashes[i.hash] = true
		if i.UniqueID != "" {
			m.uniqueIDs[i.UniqueID] = true
		}
	}
	return f
}

// newFinding applies the request's overrides and the rules that hold for every
// new finding: an active one is not closed for any reason; a false positive or
// one out of scope is closed.
func (m *importing) newFinding(id int64, i *item) *store.NewFinding {
	o := &i.Observation
	f := &store.NewFinding{
		ID: id, Origin: &m.origin, Observation: o, Hash: i.hash, RefreshKey: i.refreshKey, EndpointKey: i.endpointKey, Date: o.Date, Tags: o.Tags,
		Active: o.Active == nil || *o.Active, Verified: o.Verified, FalseP: o.FalsePositive, OutOfScope: o.OutOfScope, RiskAccepted: o.RiskAccepted,
		IsMitigated: o.Mitigated, MitigatedAt: o.MitigatedAt, Static: o.Analysis.IsStatic(), Dynamic: o.Analysis.IsDynamic(),
	}
	if m.request.KeepClosedByReport && o.Active == nil && (f.FalseP || f.OutOfScope || f.IsMitigated || f.RiskAccepted) {
		f.Active = false
	}
	if m.request.Active != nil {
		f.Active = *m.request.Active
	}
	if m.request.Verified != nil {
		f.Verified = *m.request.Verified
	}
	if tags := evidence.CleanTags(m.request.Tags); m.request.ApplyTagsToFindings && len(tags) > 0 {
		f.Tags = evidence.CleanTags(slices.Concat(f.Tags, tags))
	}
	if o.FilePath != "" {
		f.Static = true
		if len(o.Endpoints) == 0 {
			f.Dynamic = false
		}
	}
	m.settle(f)
	f.SLAExpiration = m.test.SLA.Due(o.Severity, f.Date)
	return f
}

// settle makes a new finding's flags agree with each other.
func (m *importing) settle(f *store.NewFinding) {
	if f.Active {
		f.FalseP, f.OutOfScope, f.IsMitigated = false, false, false
	}
	if f.FalseP || f.OutOfScope {
		f.IsMitigated, f.Verified = true, false
	}
	if !f.IsMitigated {
		f.MitigatedAt = time.Time{}
		return
	}
	if f.MitigatedAt.IsZero() {
		f.MitigatedAt = m.now
	}
	f.MitigatedByID = &m.request.User.ID
}

func flagsOf(f *store.NewFinding) store.Flags {
	return store.Flags{Active: f.Active, Verified: f.Verified, Duplicate: f.DuplicateOf != nil, FalseP: f.FalseP, OutOfScope: f.OutOfScope, RiskAccepted: f.RiskAccepted, IsMitigated: f.IsMitigated}
}

// collectExtras notes what new findings bring beside their rows.
func (m *importing) collectExtras(ctx context.Context, rows []*store.NewFinding) error {
	for _, f := range rows {
		o := f.Observation
		for _, e := range o.Endpoints {
			m.extras.places = append(m.extras.places, store.Placement{FindingID: f.ID, Endpoint: e})
		}
		for _, p := range o.RequestResponsePairs {
			m.extras.exchanges = append(m.extras.exchanges, store.Exchange{FindingID: f.ID, Pair: p})
		}
		for _, file := range o.Files {
			if err := m.attach(ctx, f.ID, file); err != nil {
				return err
			}
		}
		if g := groupName(m.request.GroupBy, o); g != "" {
			m.groups = append(m.groups, store.Grouping{FindingID: f.ID, Group: g})
		}
	}
	if len(m.extras.places) <= maxPlaces && len(m.extras.exchanges) <= maxExchanges {
		return nil
	}
	if err := m.storing.wait(); err != nil {
		return err
	}
	return m.storeExtras(ctx)
}

// What is noted beside rows is stored when it is that much.
const (
	maxPlaces    = 20_000
	maxExchanges = 2_000
)

func (m *importing) attach(ctx context.Context, finding int64, file gate.File) error {
	sum := sha256.Sum256(file.Data)
	if err := m.keepBlob(ctx, sum[:], newReader(file.Data)); err != nil {
		return err
	}
	m.extras.files = append(m.extras.files, store.Attachment{FindingID: finding, Title: file.Title, SHA256: sum[:], Size: int64(len(file.Data))})
	return nil
}

// storeExtras stores what was noted so far.
func (m *importing) storeExtras(ctx context.Context) error {
	x := m.extras
	m.extras = extras{}
	var tags []string
	if m.request.ApplyTagsToEndpoints {
		tags = evidence.CleanTags(m.request.Tags)
	}
	if err := m.store.PlaceFindings(ctx, m.test.ProductID, tags, x.places); err != nil {
		return err
	}
	if err := m.store.AddExchanges(ctx, x.exchanges); err != nil {
		return err
	}
	return m.store.AddAttachments(ctx, x.files)
}

// replaceTwins stores twins that came later in the report but first in their order.
func (m *importing) replaceTwins(ctx context.Context) error {
	if len(m.replace) == 0 {
		return nil
	}
	ids := make([]int64, 0, len(m.replace))
	for id := range m.replace {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	if err := m.storeExtras(ctx); err != nil {
		return err
	}
	if err := m.store.RemoveFindings(ctx, ids); err != nil {
		return err
	}
	m.groups = slices.DeleteFunc(m.groups, func(g store.Grouping) bool { _, ok := m.replace[g.FindingID]; return ok })
	added := make([]*item, len(ids))
	for n, id := range ids {
		r := m.replace[id]
		added[n] = &r.item
	}
	candidates, err := m.candidates(ctx, added)
	if err != nil {
		return err
	}
	rows := make([]*store.NewFinding, len(ids))
	for n, id := range ids {
		f := m.newFinding(id, added[n])
		if o := original(m.settings.Algorithm, added[n], flagsOf(f), f.Static, m.test.TestTypeID, candidates.of(added[n])); o != nil && o.ID < id {
			f.DuplicateOf, f.Active, f.Verified = &o.ID, false, false
		}
		rows[n] = f
	}
	m.recount(rows)
	if err := m.store.AddFindings(ctx, rows); err != nil {
		return err
	}
	return m.collectExtras(ctx, rows)
}

// recount corrects the statistics for findings that were stored anew.
func (m *importing) recount(rows []*store.NewFinding) {
	byID := make(map[int64]*store.NewFinding, len(rows))
	for _, f := range rows {
		byID[f.ID] = f
	}
	for n := range m.index.all {
		t := &m.index.all[n]
		if f := byID[t.ID]; f != nil && t.fresh {
			m.after.uncount(t.Severity, t.Flags)
			t.Severity, t.Flags = f.Observation.Severity, flagsOf(f)
			m.after.count(t.Severity, t.Flags)
		}
	}
}
