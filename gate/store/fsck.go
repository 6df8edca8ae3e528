package store

import "context"

// Flaw is something in the database that must not be.
type Flaw struct {
	Rule string // which invariant it breaks
	What string
}

// flawQueries find what breaks an invariant, a row each, in words. They hold at
// any moment: an import is one transaction.
var flawQueries = []struct{ rule, sql string }{
	{"every finding of an imported test was added by an import", `
		with history as materialized (
			select test_id, min(created) filter (where state = 'done') as since, array_agg(distinct user_id) as users
			from test_imports group by test_id
		), added as materialized (
			select x.id from test_import_actions a cross join unnest(a.finding_ids) x (id) where a.action = 'N'
		)
		select 'finding ' || f.id || ' of test ' || f.test_id || ' was added by no import'
		from findings f join history h on h.test_id = f.test_id
		where f.created >= h.since and f.reporter_id = any(h.users) and not exists (select from added a where a.id = f.id)
		limit 100`},
	{"an import's history names findings of its test, each with one action", `
		select 'import ' || i.id || ' names finding ' || x.id || ' ' || count(*) || ' times'
		from test_imports i join test_import_actions a on a.test_import_id = i.id cross join unnest(a.finding_ids) x (id)
		where i.type = 'reimport'
		group by i.id, x.id having count(*) > 1
		limit 100`},
	{"a duplicate is inactive and points at an original that is none", `
		select 'finding ' || f.id || ' is a duplicate of ' || coalesce(f.duplicate_finding_id::text, 'nothing') || case when f.active then ' and active' when o.duplicate then ', a duplicate itself' else ', which is not there' end
		from findings f left join findings o on o.id = f.duplicate_finding_id
		where f.duplicate and (f.active or f.verified or o.id is null or o.duplicate)
		limit 100`},
	{"only a duplicate has an original", `
		select 'finding ' || id || ' has an original and is no duplicate' from findings where not duplicate and duplicate_finding_id is not null limit 100`},
	{"an active finding is not closed", `
		select 'finding ' || id || ' is active and ' || case when is_mitigated then 'mitigated' when false_p then 'a false positive' else 'out of scope' end
		from findings where active and (is_mitigated or false_p or out_of_scope) limit 100`},
	{"findings are where their test is", `
		select 'finding ' || f.id || case when t.id is null then ' belongs to test ' || f.test_id || ', which is not there'
			else ' and its test ' || t.id || ' are in different engagements or products' end
		from findings f left join tests t on t.id = f.test_id left join engagements e on e.id = t.engagement_id
		where t.id is null or f.engagement_id <> t.engagement_id or f.product_id <> e.product_id or t.product_id <> e.product_id
		limit 100`},
	{"notes and locations belong to a finding", `
		select 'note ' || n.id || ' belongs to finding ' || n.finding_id || ', which is not there'
		from notes n where n.finding_id is not null and not exists (select from findings f where f.id = n.finding_id)
		union all
		select 'a location belongs to finding ' || l.finding_id || ', which is not there'
		from location_findings l where not exists (select from findings f where f.id = l.finding_id)
		limit 100`},
	{"every import that was done has been judged or will be", `
		select 'import ' || i.id || ' was not judged, and no job will'
		from test_imports i join tests t on t.id = i.test_id
		where i.state = 'done'
		  and not exists (select from verdicts v where v.engagement_id = t.engagement_id and v.id >= (
			select coalesce(min(v2.id), 0) from verdicts v2 where v2.engagement_id = t.engagement_id and v2.decided_at >= i.created))
		  and not exists (select from river_job j where j.kind = 'judge' and (j.args ->> 'import_id')::bigint = i.id and j.state <> 'discarded')
		limit 100`},
}

// Flaws returns what is wrong in the database.
func (s *Store) Flaws(ctx context.Context) ([]Flaw, error) {
	var all []Flaw
	for _, q := range flawQueries {
		found, err := scalars[string](ctx, s.db, q.sql)
		if err != nil {
			return nil, err
		}
		for _, what := range found {
			all = append(all, Flaw{q.rule, what})
		}
	}
	return all, nil
}

// FlawRules names the invariants that Flaws checks.
func FlawRules() []string {
	rules := make([]string, len(flawQueries))
	for i, q := range flawQueries {
		rules[i] = q.rule
	}
	return rules
}

// Twins are findings of one test that an import should have known as one.
type Twins struct {
	TestID   int64
	ScanType string
	IDs      []int64
}

// Twins returns open findings of one test with the same hash, the same places and
// no unique ids that tell them apart.
func (s *Store) Twins(ctx context.Context) ([]Twins, error) {
	return many[Twins](ctx, s.db, `
		select f.test_id, coalesce(t.scan_type, tt.name) as scan_type, array_agg(f.id order by f.id) as ids
		from findings f join tests t on t.id = f.test_id join test_types tt on tt.id = t.test_type_id
		where f.active and f.hash_code is not null
		group by f.test_id, 2, f.hash_code, f.endpoint_key having count(*) > 1
		limit 100`)
}

// Artifact is a report that was kept.
type Artifact struct {
	ID     int64
	SHA256 []byte `db:"sha256"`
	Size   int64
}

// Artifacts returns kept reports by id, a page at a time.
func (s *Store) Artifacts(ctx context.Context, after int64, limit int) ([]Artifact, error) {
	return many[Artifact](ctx, s.db, `select id, sha256, size from artifacts where id > $1 order by id limit $2`, after, limit)
}

// NewestVerdicts returns the ids of the newest verdicts.
func (s *Store) NewestVerdicts(ctx context.Context, limit int) ([]int64, error) {
	return scalars[int64](ctx, s.db, `select id from verdicts order by id desc limit $1`, limit)
}
