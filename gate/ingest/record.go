package ingest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/gate/evidence"
	"defectdojo/gate/store"
)

// record puts the import into the history and returns what it did.
func (m *importing) record(ctx context.Context, in *reading, sum []byte) (Result, error) {
	result := m.result()
	result.Runs = in.runs
	result.After = m.after
	for i := range m.index.all {
		t := &m.index.all[i]
		if !t.fresh {
			result.After.count(t.Severity, t.Flags)
		}
		if s := m.delta.of(t.bucket); s != nil {
			s.count(t.Severity, t.Flags)
		}
	}
	if m.request.Reimport && !m.isNew {
		result.Before, result.Delta = &m.before, &m.delta
	}
	result.New, result.Closed, result.Reactivated, result.Untouched = len(m.ids[created]), len(m.ids[closed]), len(m.ids[reactivated]), len(m.ids[untouched])
	return m.addRecord(ctx, result, "done", sum, in)
}

func (m *importing) result() Result {
	return Result{TestID: m.test.ID, EngagementID: m.test.EngagementID, ProductID: m.test.ProductID, ProductTypeID: m.test.ProdTypeID, Notes: m.notes}
}

func (m *importing) addRecord(ctx context.Context, result Result, state string, sum []byte, in *reading) (Result, error) {
	r := m.request
	artifact, err := m.store.AddArtifact(ctx, r.Report.SHA256[:], r.Report.Size)
	if err != nil {
		return Result{}, err
	}
	rec := store.ImportRecord{
		TestID: &m.test.ID, ProductID: &m.test.ProductID, Type: kind(r), State: state, ScanType: r.ScanType, Filename: r.Report.Filename, ArtifactID: artifact, UserID: r.User.ID,
		Settings: importSettings(r), Version: r.Version, BuildID: r.BuildID, CommitHash: r.CommitHash, BranchTag: r.BranchTag,
		IdempotencyKey: r.IdempotencyKey, RequestSHA256: sum, Sequence: r.Sequence, Statistics: result.After, InventoryDigest: m.test.ComponentsDigest, Created: m.now,
		Untrusted: r.Untrusted, Producer: r.Producer,
	}
	if in != nil {
		rec.Runs, rec.Outcome, rec.FindingCount = in.runs, evidence.Worst(in.runs), in.count
	}
	if result.ImportID, err = m.store.AddImport(ctx, rec); err != nil {
		return Result{}, err
	}
	for _, b := range []bucket{created, closed, reactivated, untouched} {
		ids := m.ids[b]
		slices.Sort(ids)
		if err := m.store.AddImportAction(ctx, result.ImportID, byte(b), slices.Compact(ids)); err != nil {
			return Result{}, err
		}
	}
	if r.IdempotencyKey != "" {
		err = m.store.SetImportResponse(ctx, result.ImportID, result)
	}
	return result, err
}

// superseded records a report of an older run, which changes nothing.
func (m *importing) superseded(ctx context.Context, sum []byte) (Result, error) {
	m.notes = append(m.notes, fmt.Sprintf("a newer run (%d) was imported before: this report (of run %d) was kept and changed nothing", m.test.Sequence, m.request.Sequence))
	result := m.result()
	result.Superseded = true
	for k, err := range m.store.TestFindings(ctx, m.test.ID, false) {
		if err != nil {
			return Result{}, err
		}
		result.After.count(k.Severity, k.Flags)
	}
	result.Before = &result.After
	return m.addRecord(ctx, result, "superseded", sum, nil)
}

// inventory makes the report's components the test's, if they are others than before.
func (m *importing) inventory(ctx context.Context, list []gate.Component) error {
	slices.SortFunc(list, compareComponents)
	list = slices.CompactFunc(list, func(a, b gate.Component) bool { return compareComponents(a, b) == 0 })
	h := sha256.New()
	for _, c := range list {
		fmt.Fprintf(h, "%q %q %q %q %q\n", c.Name, c.Version, c.PURL, c.Path, c.Licenses)
	}
	sum := h.Sum(nil)
	if bytes.Equal(sum, m.test.ComponentsDigest) || len(list) == 0 && m.test.ComponentsDigest == nil {
		return nil
	}
	m.test.ComponentsDigest = sum
	return m.store.SetComponents(ctx, m.test.ID, sum, list)
}

func compareComponents(a, b gate.Component) int {
	for _, c := range [...][2]string{{a.Name, b.Name}, {a.Version, b.Version}, {a.PURL, b.PURL}, {a.Path, b.Path}} {
		if n := strings.Compare(c[0], c[1]); n != 0 {
			return n
		}
	}
	return 0
}
