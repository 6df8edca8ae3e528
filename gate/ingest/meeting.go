package ingest

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"defectdojo/gate"
	"defectdojo/gate/evidence"
	"defectdojo/gate/store"
)

func newReader(b []byte) io.Reader { return bytes.NewReader(b) }

// changes are of findings that a chunk of the report meets again.
type changes struct {
	reactivate []int64
	stayClosed []int64 // open in the report, but the caller wants closed findings left closed
	closeBy    []int64 // the report says that they are fixed
	accept     []int64 // the report says that their risk is accepted
	falseP     []int64
	outOfScope []int64
}

func (c *changes) none() bool {
	return len(c.reactivate)+len(c.stayClosed)+len(c.closeBy)+len(c.accept)+len(c.falseP)+len(c.outOfScope) == 0
}

// meet decides what happens to a finding that the report tells of again: the
// first rule that applies.
func (m *importing) meet(t *tracked, i *item, c *changes, changed map[int64]*item) {
	if t.bucket != unseen {
		return // an earlier twin has decided
	}
	// A report that calls a finding closed but not inactive contradicts itself:
	// what is new is then stored as open, and what is there stays as it is.
	contradicts := !m.request.KeepClosedByReport && (i.Active == nil || *i.Active)
	report := store.Flags{FalseP: i.FalsePositive, OutOfScope: i.OutOfScope, RiskAccepted: i.RiskAccepted, IsMitigated: i.Mitigated}
	special := t.FalseP || t.OutOfScope || t.RiskAccepted
	switch {
	case special:
		// What somebody decided stays, whatever the report says.
		m.mark(t, untouched)
		if t.FalseP == report.FalseP && t.OutOfScope == report.OutOfScope && t.RiskAccepted == report.RiskAccepted {
			return
		}
	case t.IsMitigated && report.IsMitigated:
		m.mark(t, untouched)
	case t.IsMitigated && m.request.DoNotReactivate:
		t.bucket = passed
		c.stayClosed = append(c.stayClosed, t.ID)
		return
	case t.IsMitigated:
		m.mark(t, reactivated)
		c.reactivate = append(c.reactivate, t.ID)
		t.IsMitigated, t.FalseP, t.OutOfScope, t.Active = false, false, false, !t.Duplicate
		if m.request.Verified != nil {
			t.Verified = *m.request.Verified
		}
		t.Verified = t.Verified && !t.Duplicate
	case contradicts && (report.IsMitigated || report.FalseP || report.OutOfScope):
		m.mark(t, untouched)
	case report.IsMitigated:
		m.mark(t, closed)
		c.closeBy = append(c.closeBy, t.ID)
		t.Active, t.IsMitigated = false, true
		return
	case report.FalseP || report.OutOfScope || report.RiskAccepted:
		m.mark(t, closed)
		t.Active, t.FalseP, t.OutOfScope, t.RiskAccepted = false, report.FalseP, report.OutOfScope, report.RiskAccepted
		switch {
		case report.FalseP:
			c.falseP = append(c.falseP, t.ID)
		case report.OutOfScope:
			c.outOfScope = append(c.outOfScope, t.ID)
		default:
			c.accept = append(c.accept, t.ID)
		}
		if report.FalseP || report.OutOfScope {
			t.IsMitigated, t.Verified = true, false
		}
	default:
		m.mark(t, untouched)
	}
	if t.RefreshKey != i.refreshKey {
		changed[t.ID] = i
	}
}

func (m *importing) mark(t *tracked, b bucket) {
	t.bucket = b
	m.ids[b] = append(m.ids[b], t.ID)
}

// apply stores the changes of a chunk.
func (m *importing) apply(ctx context.Context, c changes) error {
	by := func(ids []int64, note string) store.StatusChange {
		return store.StatusChange{IDs: ids, UserID: m.request.User.ID, At: m.scanTime(), Note: note}
	}
	var sla *store.SLA
	if m.test.SLA.RestartOnReactivation {
		sla = &m.test.SLA
	}
	if err := m.store.ReactivateFindings(ctx, by(c.reactivate, "Opened again: "+m.source()+" shows it."), m.request.Verified, sla); err != nil {
		return err
	}
	if err := m.store.CloseFindings(ctx, by(c.closeBy, "Closed: "+m.source()+" says that it is fixed.")); err != nil {
		return err
	}
	if len(c.stayClosed) > 0 {
		if err := m.store.AddNoteOnce(ctx, by(c.stayClosed, "Left closed: a report shows it again, and the import was told not to reactivate.")); err != nil {
			return err
		}
	}
	for _, s := range []struct {
		ids   []int64
		flags store.Flags
	}{{c.falseP, store.Flags{FalseP: true}}, {c.outOfScope, store.Flags{OutOfScope: true}}, {c.accept, store.Flags{RiskAccepted: true}}} {
		if len(s.ids) > 0 {
			if err := m.store.MarkSpecial(ctx, s.ids, s.flags, by(s.ids, "")); err != nil {
				return err
			}
		}
	}
	return nil
}

// source names the report in notes.
func (m *importing) source() string {
	s := fmt.Sprintf("a report of %s in test %d", m.parser.ScanType, m.test.ID)
	if c := text(m.request.CommitHash); c != "" {
		s += " (commit " + c + ")"
	}
	return s
}

// refresh brings findings up to date that the report tells more or other of.
func (m *importing) refresh(ctx context.Context, changed map[int64]*item) error {
	if len(changed) == 0 {
		return nil
	}
	list := make([]store.Refresh, 0, len(changed))
	var ids []int64
	var places []store.Placement
	for id, i := range changed {
		list = append(list, store.Refresh{
			ID: id, RefreshKey: i.refreshKey, VulnerabilityIDs: i.VulnerabilityIDs, CWEs: i.CWEs, FixAvailable: i.FixAvailable, FixVersion: i.FixedIn(),
			ComponentName: i.ComponentName, ComponentVersion: i.ComponentVersion, EndpointKey: i.endpointKey,
			KnownExploited: i.IsExploited(),
		})
		ids = append(ids, id)
		for _, e := range i.Endpoints {
			places = append(places, store.Placement{FindingID: id, Endpoint: e})
		}
	}
	if err := m.store.RefreshFindings(ctx, list); err != nil {
		return err
	}
	return m.store.MovePlaces(ctx, m.test.ProductID, m.request.User.ID, ids, places)
}

// closeOld closes what the report no longer shows, if the report can be trusted to.
func (m *importing) closeOld(ctx context.Context, in *reading) error {
	if !m.request.CloseOldFindings || m.request.Reimport && m.isNew {
		return nil
	}
	switch outcome := evidence.Worst(in.runs); {
	case outcome == gate.Failed:
		m.notes = append(m.notes, "no finding was closed: the report says that the scan failed")
		return nil
	case in.count == 0 && outcome != gate.Succeeded && !m.request.AllowEmpty:
		m.notes = append(m.notes, "no finding was closed: the report holds none and does not say that the scan succeeded; allow_empty=true closes them")
		return nil
	}
	if m.request.Reimport {
		return m.closeMissing(ctx)
	}
	return m.closeReplaced(ctx)
}

// closeMissing closes findings of the test that the reimported report does not show.
func (m *importing) closeMissing(ctx context.Context) error {
	service := text(m.request.Service)
	var ids []int64
	below := 0
	for n := range m.index.all {
		t := &m.index.all[n]
		if t.fresh || t.bucket != unseen || t.IsMitigated || t.Service != service {
			continue
		}
		if t.Severity < m.request.MinimumSeverity {
			below++
		}
		m.mark(t, closed)
		ids = append(ids, t.ID)
		t.Active, t.IsMitigated, t.RiskAccepted = false, true, false
	}
	if below > 0 {
		m.notes = append(m.notes, fmt.Sprintf("%d of the findings closed are below the minimum severity %s, which this report was cut to", below, m.request.MinimumSeverity))
	}
	return m.store.CloseFindings(ctx, store.StatusChange{IDs: ids, UserID: m.request.User.ID, At: m.scanTime(), Note: "Closed: " + m.source() + " no longer shows it."})
}

// closeReplaced closes findings of other tests of the same type that the
// imported report does not show.
func (m *importing) closeReplaced(ctx context.Context) error {
	scope := store.CloseScope{
		ProductID: m.test.ProductID, EngagementID: m.test.EngagementID, TestTypeID: m.test.TestTypeID, TestID: m.test.ID,
		WholeProduct: m.request.CloseOldFindingsProductScope, Service: text(m.request.Service),
	}
	var ids []int64
	for k, err := range m.store.OldFindings(ctx, scope) {
		if err != nil {
			return err
		}
		if !m.shown(&k) {
			ids = append(ids, k.ID)
		}
	}
	m.ids[closed] = append(m.ids[closed], ids...)
	return m.store.CloseFindings(ctx, store.StatusChange{IDs: ids, UserID: m.request.User.ID, At: m.scanTime(), Note: "Closed: " + m.source() + ", imported later, does not show it."})
}
