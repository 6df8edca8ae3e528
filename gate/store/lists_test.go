package store_test

import (
	"testing"

	"defectdojo/gate"
	"defectdojo/gate/gatetest"
	"defectdojo/gate/store"
)

// TestEveryFilter asks the database for each filter and order of the lists
// once: a column that is misspelled fails here.
func TestEveryFilter(t *testing.T) {
	t.Parallel()
	s := store.New(gatetest.DB(t))
	if err := s.TryFilters(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestNobodysScope asks for every list with no scope, and finds nothing.
func TestNobodysScope(t *testing.T) {
	t.Parallel()
	s, _ := findings(t)
	for name, scope := range map[string]gate.Scope{"zero": {}, "empty": {ProductIDs: []int64{}}} {
		f, err1 := s.Findings(t.Context(), store.FindingFilter{Scope: scope})
		p, err2 := s.Products(t.Context(), store.ProductFilter{Scope: scope})
		e, err3 := s.Engagements(t.Context(), store.EngagementFilter{Scope: scope})
		ts, err4 := s.Tests(t.Context(), store.TestFilter{Scope: scope})
		pt, err5 := s.ProductTypes(t.Context(), store.ProductTypeFilter{Scope: scope})
		m, err6 := s.Metadatas(t.Context(), store.MetadataFilter{Scope: scope})
		for _, err := range []error{err1, err2, err3, err4, err5, err6} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if n := f.Count + p.Count + e.Count + ts.Count + pt.Count + m.Count; n != 0 {
			t.Errorf("%s: %d rows", name, n)
		}
		if got, err := s.LockFindings(t.Context(), scope, []int64{1, 2}); err != nil || len(got) != 0 {
			t.Errorf("%s: %d findings are locked, %v", name, len(got), err)
		}
	}
}

// TestDeletePromotes removes what holds the original of a cluster: the oldest
// of those that stay takes its place and its state.
func TestDeletePromotes(t *testing.T) {
	t.Parallel()
	for name, remove := range map[string]func(s *store.Store) error{
		"finding": func(s *store.Store) error { return s.DeleteFinding(t.Context(), 1) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := findings(t)
			if err := s.RepointDuplicates(t.Context(), 2, 1); err != nil {
				t.Fatal(err)
			}
			if err := s.RepointDuplicates(t.Context(), 3, 1); err != nil {
				t.Fatal(err)
			}
			if err := remove(s); err != nil {
				t.Fatal(err)
			}
			all := gate.Scope{All: true}
			heir, err := s.Finding(t.Context(), all, 2)
			if err != nil || heir.Duplicate || !heir.Active || !heir.Verified || heir.DuplicateFindingID != nil {
				t.Errorf("heir %+v, %v", heir, err)
			}
			rest, err := s.Finding(t.Context(), all, 3)
			if err != nil || !rest.Duplicate || rest.DuplicateFindingID == nil || *rest.DuplicateFindingID != 2 {
				t.Errorf("the other %+v, %v", rest, err)
			}
		})
	}
	s, _ := findings(t)
	if err := s.DeleteTest(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	l, err := s.Findings(t.Context(), store.FindingFilter{Scope: gate.Scope{All: true}})
	if err != nil || l.Count != 1 {
		t.Errorf("%d findings are left, %v", l.Count, err)
	}
	if err := s.DeleteEngagement(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteEngagement(t.Context(), 99); gate.KindOf(err) != gate.NotFound {
		t.Errorf("an engagement that is not there: %v", err)
	}
}
