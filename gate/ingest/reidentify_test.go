package ingest

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/dedup"
)

// identities changes settings on b's database; jobs run only when the test says so.
func (b *bench) identities() *Identities {
	return &Identities{Store: b.imp.Store, Later: func(context.Context, pgx.Tx, string) error { return nil }}
}

func (b *bench) who() Who { return Who{Principal: gate.Principal{User: b.user}} }

const genericType = "Generic Findings Import"

// atLines tells one weakness at several lines.
func atLines(lines ...int) []map[string]any {
	var all []map[string]any
	for _, l := range lines {
		all = append(all, map[string]any{"title": "SQL injection", "description": "x", "file_path": "a.go", "line": l, "static_finding": true, "cwe": 89})
	}
	return all
}

// New settings give findings that are stored new identities, as the preview
// says; the built-in ones give them their old ones again.
func TestReidentify(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	d := b.identities()
	b.do(generic(atLines(1, 2, 3)...))
	b.do(generic(atLines(1, 9)...), inProduct("q"))
	before, err := b.imp.Store.FindingContents(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	byTitle := dedup.Settings{Algorithm: dedup.HashCode, Fields: []dedup.Field{"title", "cwe"}}
	effect, err := d.Preview(t.Context(), genericType, byTitle)
	if err != nil {
		t.Fatal(err)
	}
	if len(effect.Examples) != 3 {
		t.Errorf("examples: %+v", effect.Examples)
	}
	effect.Examples = nil
	if diff := cmp.Diff(Effect{Products: 2, Findings: 5, Hashes: 5, Duplicates: 3}, effect); diff != "" {
		t.Errorf("preview (-want +got):\n%s", diff)
	}
	if after, err := b.imp.Store.FindingContents(t.Context()); err != nil || !cmp.Equal(before, after) {
		t.Errorf("the preview changed something, or %v", err)
	}

	if err := d.Save(t.Context(), genericType, &byTitle, b.who()); err != nil {
		t.Fatal(err)
	}
	if err := d.Follow(t.Context(), genericType); err != nil {
		t.Fatal(err)
	}
	b.want("SQL injection active", "SQL injection duplicate of 1", "SQL injection duplicate of 1", "SQL injection active", "SQL injection duplicate of 1")
	if r := b.do(generic(atLines(1, 2, 3)...)); r.New != 0 || r.Closed != 0 || r.Untouched != 3 {
		t.Errorf("the same report by the new settings: %+v", r)
	}

	if err := d.Save(t.Context(), genericType, nil, b.who()); err != nil {
		t.Fatal(err)
	}
	if err := d.Follow(t.Context(), genericType); err != nil {
		t.Fatal(err)
	}
	after, err := b.imp.Store.FindingContents(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("back at the built-in settings (-before +after):\n%s", diff)
	}
	if r := b.do(generic(atLines(1, 2, 3)...)); r.New != 0 || r.Untouched != 3 {
		t.Errorf("the same report by the built-in settings: %+v", r)
	}
}

// An import does not wait for the job, and is not ahead of it: it gives its
// product's findings their new identities first.
func TestImportFollowsNewSettings(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.do(generic(atLines(1, 2)...))
	byPlace := dedup.Settings{Algorithm: dedup.HashCode, Fields: []dedup.Field{"title", "file_path"}}
	if err := b.identities().Save(t.Context(), genericType, &byPlace, b.who()); err != nil {
		t.Fatal(err)
	}
	if r := b.do(generic(atLines(1, 2)...)); r.New != 0 || r.Closed != 0 || r.Untouched != 2 {
		t.Errorf("an import before the job: %+v", r)
	}
	b.want("SQL injection active", "SQL injection duplicate of 1")
	if left, err := b.imp.Store.DedupPending(t.Context(), genericType); err != nil || len(left) != 0 {
		t.Errorf("products %v wait still, %v", left, err)
	}
}

// What somebody decided about a duplicate stays.
func TestReidentifyKeepsDecisions(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.do(generic(atLines(1, 2, 3)...))
	if _, err := b.pool.Exec(t.Context(), `
		insert into audit_events (at, actor, action, object, object_id) select now(), 'ada', 'reset_duplicate', 'finding', max(id) from findings`); err != nil {
		t.Fatal(err)
	}
	set := dedup.Settings{Algorithm: dedup.HashCode, Fields: []dedup.Field{"title"}}
	effect, err := b.identities().Preview(t.Context(), genericType, set)
	if err != nil || effect.Duplicates != 1 {
		t.Errorf("%+v, %v", effect, err)
	}
}

func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for name, c := range map[string]struct {
		scanType string
		set      dedup.Settings
	}{
		"no such type":   {"Nothing", dedup.Default},
		"no algorithm":   {genericType, dedup.Settings{}},
		"no such field":  {genericType, dedup.Settings{Algorithm: dedup.HashCode, Fields: []dedup.Field{"colour"}}},
		"severity alone": {genericType, dedup.Settings{Algorithm: dedup.HashCode, Fields: []dedup.Field{"severity"}}},
	} {
		if err := b.identities().Save(t.Context(), c.scanType, &c.set, b.who()); gate.KindOf(err) != gate.Invalid {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := b.identities().Preview(t.Context(), c.scanType, c.set); gate.KindOf(err) != gate.Invalid {
			t.Errorf("%s: preview: %v", name, err)
		}
	}
}

// TestStoredHashesAreTheReports: the hash of what is stored of a finding is that
// of what its report said, for each algorithm's fields.
func TestStoredHashesAreTheReports(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one := map[string]any{
		"title": " Größe \u00a0of X ", "severity": "Low", "description": "d\u0000e", "mitigation": "m", "cwe": 79, "line": 0, "file_path": "A/b.go", "component_name": "C", "component_version": "1",
		"vulnerability_ids": []string{"CVE-2024-2", "CVE-2024-1"}, "vuln_id_from_tool": "r", "unique_id_from_tool": "u", "endpoints": []string{"https://Example.org/a?b=1"}, "service": "s",
	}
	two := map[string]any{"title": "y", "severity": "Info", "description": "d"}
	for n, f := range dedup.Fields {
		set := dedup.Settings{Algorithm: dedup.HashCode, Fields: []dedup.Field{f}}
		if f == "severity" {
			set.Fields = append(set.Fields, "title")
		}
		if err := b.identities().Save(t.Context(), genericType, &set, b.who()); err != nil {
			t.Fatal(err)
		}
		b.do(generic(one, two), inProduct(fmt.Sprint("p", n)))
		effect, err := b.identities().Preview(t.Context(), genericType, set)
		if err != nil {
			t.Fatal(err)
		}
		// Those of earlier rounds change; the two of this round do not.
		if want := 2 * n; effect.Hashes > want {
			t.Errorf("%s: of %d findings %d get another hash, want at most %d", f, effect.Findings, effect.Hashes, want)
		}
	}
}
