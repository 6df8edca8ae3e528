package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"defectdojo/gate/gatetest"
	"defectdojo/gate/store"
)

// TestFlaws breaks each invariant once: the flaw is found, and no other.
func TestFlaws(t *testing.T) {
	t.Parallel()
	pool := gatetest.DB(t)
	findingsOn(t, pool)
	insert(t, pool, `
		insert into test_imports (id, test_id, type, user_id, created) values (1, 1, 'reimport', 1, '2026-11-01');
		insert into test_import_actions (test_import_id, action, finding_ids) values (1, 'N', '{1,2,3,4}');
		insert into river_job (kind, args, max_attempts, state) values ('judge', '{"import_id": 1}', 1, 'available')`)
	breaks := []string{
		`insert into findings (test_id, engagement_id, product_id, test_type_id, reporter_id, severity, title, date) select test_id, engagement_id, product_id, 5, 1, 0, 'x', now() from findings where id = 1`,
		`insert into test_import_actions (test_import_id, action, finding_ids) values (1, 'C', '{2}')`,
		`update findings set duplicate = true where id = 2`,
		`update findings set duplicate_finding_id = 1 where id = 2`,
		`update findings set false_p = true where id = 1`,
		`update findings set engagement_id = 2 where id = 1`,
		`insert into notes (finding_id, entry, author_id) values (999, 'x', 1)`,
		`delete from river_job where kind = 'judge'`,
	}
	rules := store.FlawRules()
	if len(breaks) != len(rules) {
		t.Fatalf("%d ways to break %d rules", len(breaks), len(rules))
	}
	look := func(sql string) (found []string) {
		t.Helper()
		tx, err := pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback(t.Context())
		if _, err := tx.Exec(t.Context(), `select setval('findings_id_seq', 100); `+sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		flaws, err := store.In(tx).Flaws(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range flaws {
			found = append(found, f.Rule)
		}
		return found
	}
	if found := look(``); len(found) > 0 {
		t.Errorf("before anything is broken: %q", found)
	}
	for i, sql := range breaks {
		if diff := cmp.Diff([]string{rules[i]}, look(sql)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", sql, diff)
		}
	}
	orphan := `alter table tests disable trigger delete_with_tests; delete from tests where id = 2`
	if diff := cmp.Diff([]string{"findings are where their test is"}, look(orphan)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", orphan, diff)
	}
}
