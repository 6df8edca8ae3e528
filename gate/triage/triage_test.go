package triage_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"defectdojo/gate"
	"defectdojo/gate/gatetest"
	"defectdojo/gate/lifecycle"
	"defectdojo/gate/store"
	"defectdojo/gate/triage"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// shop fills a database with products 1 and 2; findings 1, 2 and 3 are of the
// first, 4 of the second. Finding 1 is on a location and its risk is accepted.
func shop(t *testing.T) (*pgxpool.Pool, *store.Store) {
	t.Helper()
	pool := gatetest.DB(t)
	if _, err := pool.Exec(t.Context(), `
		insert into users (id, username) values (1, 'jane'), (2, 'joe');
		insert into products (id, name, description, prod_type_id) values (1, 'Shop', '', 1), (2, 'Bank', '', 1);
		insert into engagements (id, product_id, target_start, target_end) values (1, 1, now(), now()), (2, 2, now(), now());
		insert into tests (id, engagement_id, product_id, test_type_id, target_start, target_end) values (1, 1, 1, 5, now(), now()), (2, 2, 2, 5, now(), now());
		insert into findings (id, test_id, engagement_id, product_id, test_type_id, reporter_id, severity, title, date)
			select id, test, test, test, 5, 1, 3, 'f' || id, '2026-11-20' from (values (1, 1), (2, 1), (3, 1), (4, 2)) v (id, test);
		insert into locations (id, location_value, identity_hash) values (1, 'https://shop.example/', '\x01');
		insert into location_findings (location_id, finding_id) values (1, 1);
		insert into location_products (location_id, product_id, status) values (1, 1, 'Active');
		insert into risk_acceptances (id, engagement_id, name, owner_id) values (1, 1, 'a', 1);
		insert into risk_acceptance_findings values (1, 1);`); err != nil {
		t.Fatal(err)
	}
	return pool, store.New(pool)
}

func jane(products ...int64) triage.Actor {
	return triage.Actor{
		Who: gate.Principal{User: gate.User{ID: 1, Username: "jane", IsActive: true}}, Scope: gate.Scope{ProductIDs: products}, Now: now,
	}
}

func text(t *testing.T, pool *pgxpool.Pool, sql string) string {
	t.Helper()
	var s string
	if err := pool.QueryRow(t.Context(), sql).Scan(&s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestClose(t *testing.T) {
	t.Parallel()
	pool, s := shop(t)
	tr := &triage.Triage{Store: s}
	f, err := tr.Close(t.Context(), jane(1), 1, lifecycle.Closing{IsMitigated: true}, triage.Note{Entry: "fixed"})
	if err != nil || f.Active || !f.IsMitigated || !f.Mitigated.Equal(now) {
		t.Fatalf("%+v, %v", f, err)
	}
	for sql, want := range map[string]string{
		`select status from location_findings`:                          "Mitigated",
		`select status from location_products`:                          "Mitigated",
		`select count(*)::text from risk_acceptance_findings`:           "0",
		`select entry from notes where finding_id = 1`:                  "fixed",
		`select data from note_history`:                                 "fixed",
		`select action || ' ' || actor from audit_events`:               "close jane",
		`select changes->'active'->>1 from audit_events`:                "false",
		`select count(*)::text from findings where is_mitigated`:        "1",
		`select (changes ? 'last_reviewed_by')::text from audit_events`: "false",
	} {
		if got := text(t, pool, sql); got != want {
			t.Errorf("%s: %q, want %q", sql, got, want)
		}
	}
	if f, err = tr.Reopen(t.Context(), jane(1), 1, triage.Note{}); err != nil || !f.Active || f.IsMitigated {
		t.Errorf("reopened %+v, %v", f, err)
	}
	if got := text(t, pool, `select status from location_products`); got != "Active" {
		t.Errorf("the product's location is %s", got)
	}
}

// TestForeign does everything to a finding of a product that is out of scope.
func TestForeign(t *testing.T) {
	t.Parallel()
	_, s := shop(t)
	tr := &triage.Triage{Store: s}
	ctx, a := t.Context(), jane(1)
	foreign, err := s.Finding(ctx, gate.Scope{All: true}, 4)
	if err != nil {
		t.Fatal(err)
	}
	for name, do := range map[string]func() error{
		"close": func() error {
			_, err := tr.Close(ctx, a, 4, lifecycle.Closing{IsMitigated: true}, triage.Note{})
			return err
		},
		"reopen":   func() error { _, err := tr.Reopen(ctx, a, 4, triage.Note{}); return err },
		"verify":   func() error { _, err := tr.Verify(ctx, a, 4, triage.Note{}); return err },
		"accept":   func() error { _, err := tr.AcceptRisk(ctx, a, 4, triage.Note{}); return err },
		"unaccept": func() error { _, err := tr.UnacceptRisk(ctx, a, 4, triage.Note{}); return err },
		"review":   func() error { _, err := tr.RequestReview(ctx, a, 4, nil, triage.Note{}); return err },
		"assign":   func() error { _, err := tr.Assign(ctx, a, 4, nil); return err },
		"edit":     func() error { _, err := tr.Edit(ctx, a, foreign, foreign); return err },
		"note":     func() error { _, err := tr.AddNote(ctx, a, 4, triage.Note{Entry: "x"}); return err },
		"mark":     func() error { _, err := tr.MarkDuplicate(ctx, a, 1, 4); return err },
		"mark_it":  func() error { _, err := tr.MarkDuplicate(ctx, a, 4, 1); return err },
		"reset":    func() error { _, err := tr.ResetDuplicate(ctx, a, 4); return err },
		"original": func() error { return tr.SetOriginal(ctx, a, 1, 4) },
	} {
		if err := do(); gate.KindOf(err) != gate.NotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
	after, err := s.Finding(ctx, gate.Scope{All: true}, 4)
	if diff := cmp.Diff(foreign, after); diff != "" || err != nil {
		t.Errorf("%v: it was changed:\n%s", err, diff)
	}
}

// TestBulk closes many at once: those out of scope are left alone and not told of.
func TestBulk(t *testing.T) {
	t.Parallel()
	_, s := shop(t)
	var told []triage.Change
	tr := &triage.Triage{Store: s, Changed: func(_ context.Context, _ pgx.Tx, c triage.Change) error { told = append(told, c); return nil }}
	done, err := tr.CloseAll(t.Context(), jane(1), []int64{4, 3, 1, 99, 3}, lifecycle.Closing{FalseP: true}, triage.Note{Entry: "no"})
	if err != nil || len(done) != 2 || done[0].ID != 1 || done[1].ID != 3 || !done[0].FalseP || !done[0].IsMitigated {
		t.Fatalf("%d done, %v", len(done), err)
	}
	if len(told) != 1 || told[0].Action != "false_positive" || told[0].ProductID != 1 || !cmp.Equal(told[0].FindingIDs, []int64{1, 3}) {
		t.Errorf("told %+v", told)
	}
	if f, err := s.Finding(t.Context(), gate.Scope{All: true}, 4); err != nil || !f.Active {
		t.Errorf("the foreign one: %+v, %v", f, err)
	}
}

// TestAllOrNothing lets what follows a change fail: nothing has changed then.
func TestAllOrNothing(t *testing.T) {
	t.Parallel()
	pool, s := shop(t)
	boom := errors.New("boom")
	tr := &triage.Triage{Store: s, Changed: func(context.Context, pgx.Tx, triage.Change) error { return boom }}
	if _, err := tr.CloseAll(t.Context(), jane(1), []int64{1, 2}, lifecycle.Closing{IsMitigated: true}, triage.Note{Entry: "x"}); !errors.Is(err, boom) {
		t.Fatal(err)
	}
	for _, sql := range []string{`select count(*)::text from findings where not active`, `select count(*)::text from notes`, `select count(*)::text from audit_events`} {
		if got := text(t, pool, sql); got != "0" {
			t.Errorf("%s: %s", sql, got)
		}
	}
}

func TestEditMeanwhile(t *testing.T) {
	t.Parallel()
	_, s := shop(t)
	tr := &triage.Triage{Store: s}
	before, err := s.Finding(t.Context(), gate.Scope{All: true}, 1)
	if err != nil {
		t.Fatal(err)
	}
	want := before
	want.Impact = "much"
	if _, err := tr.Edit(t.Context(), jane(1), before, want); err != nil {
		t.Fatal(err)
	}
	if _, err := tr.Edit(t.Context(), jane(1), before, want); gate.KindOf(err) != gate.Conflict {
		t.Errorf("what was changed meanwhile is overwritten: %v", err)
	}
}

// TestAtOnce closes and reopens findings from many sides: whatever order that
// comes to, what is stored agrees with itself, and nothing waits for ever.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	pool, s := shop(t)
	tr := &triage.Triage{Store: s}
	var wg sync.WaitGroup
	for i := range 24 {
		wg.Go(func() {
			ids := []int64{1, 2, 3}
			var err error
			switch i % 4 {
			case 0:
				_, err = tr.CloseAll(t.Context(), jane(1), ids, lifecycle.Closing{IsMitigated: true}, triage.Note{Entry: fmt.Sprint(i)})
			case 1:
				_, err = tr.ReopenAll(t.Context(), jane(1), ids, triage.Note{})
			case 2:
				err = tr.SetOriginal(t.Context(), jane(1), ids[i%3], ids[(i+1)%3])
			default:
				_, err = tr.MarkDuplicate(t.Context(), jane(1), ids[(i+2)%3], ids[i%3])
			}
			if k := gate.KindOf(err); err != nil && k != gate.Invalid && k != gate.Conflict {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, sql := range []string{
		`select count(*)::text from findings where active and (is_mitigated or duplicate)`,
		`select count(*)::text from findings where is_mitigated <> (mitigated is not null)`,
		`select count(*)::text from findings d join findings o on o.id = d.duplicate_finding_id where o.duplicate and d.duplicate`,
		`select count(*)::text from findings where duplicate_finding_id = id`,
	} {
		if got := text(t, pool, sql); got != "0" {
			t.Errorf("%s: %s", sql, got)
		}
	}
}
