package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// IntelSource is where a source stands.
type IntelSource struct {
	Source    IntelName
	Snapshot  *IntelSnapshot // the one in use
	URL       string
	Tags      map[string]string // URL → ETag, or Last-Modified, of what is in use
	Checked   *time.Time        // the last try
	Succeeded *time.Time        // the last one that went well
	Error     string            // why the last one did not
}

// IntelSources returns the state of every source that was ever tried.
func (s *Store) IntelSources(ctx context.Context) ([]IntelSource, error) {
	return many[IntelSource](ctx, s.db, `
		select s.source, s.url, s.tags, s.checked, s.succeeded, s.error, case when i.id is not null then
		       jsonb_build_object('id', i.id, 'source', i.source, 'digest', encode(i.digest, 'hex'), 'version', i.version, 'published', i.published,
		                          'url', i.url, 'records', i.records, 'bytes', i.bytes, 'fetched', i.fetched) end as snapshot
		from intel_sources s left join intel_snapshots i on i.id = s.snapshot_id
		order by array_position(array['epss', 'kev', 'advisories'], s.source)`)
}

// IntelSnapshots returns the snapshots of a source, the newest first.
func (s *Store) IntelSnapshots(ctx context.Context, source IntelName, limit int) ([]IntelSnapshot, error) {
	return many[IntelSnapshot](ctx, s.db, `
		select id, source, encode(digest, 'hex') as digest, version, published, url, records, bytes, fetched, null::jsonb as tags
		from intel_snapshots where source = $1 order by fetched desc, id desc limit $2`, source, limit)
}

// IntelTried remembers that a source was asked, and why that went wrong; a blank
// reason says that it has nothing newer.
func (s *Store) IntelTried(ctx context.Context, source IntelName, url, reason string, now time.Time) error {
	_, err := s.db.Exec(ctx, `
		insert into intel_sources (source, url, checked, succeeded, error)
		values (@source, @url, @now::timestamptz, case when @reason::text = '' then @now::timestamptz end, @reason::text)
		on conflict (source) do update set url = excluded.url, checked = excluded.checked, error = excluded.error,
			succeeded = coalesce(excluded.succeeded, intel_sources.succeeded)`,
		pgx.NamedArgs{"source": source, "url": url, "now": now.UTC(), "reason": printable(reason)})
	return err
}

// intelLock keeps two refreshes from running at once.
const intelLock = 0x494e54454c // "INTEL"

// LockIntel waits until no other transaction refreshes.
func (s *Store) LockIntel(ctx context.Context) error {
	_, err := s.db.Exec(ctx, `select pg_advisory_xact_lock($1::bigint)`, int64(intelLock))
	return err
}

// addSnapshot makes a snapshot the one in use.
func (s *Store) addSnapshot(ctx context.Context, n IntelSnapshot) (int64, error) {
	digest, err := hex.DecodeString(n.Digest)
	if err != nil {
		return 0, err
	}
	if n.Tags == nil {
		n.Tags = map[string]string{}
	}
	return scalar[int64](ctx, s.db, `
		with new as (
			insert into intel_snapshots (source, digest, version, published, url, records, bytes, fetched)
			values (@source, @digest, @version, @published, @url, @records, @bytes, @fetched)
			on conflict (source, digest) do update set fetched = excluded.fetched
			returning id
		), used as (
			insert into intel_sources (source, snapshot_id, url, tags, checked, succeeded, error)
			select @source, id, @url, @tags, @fetched, @fetched, '' from new
			on conflict (source) do update set snapshot_id = excluded.snapshot_id, url = excluded.url, tags = excluded.tags, checked = excluded.checked,
				succeeded = excluded.succeeded, error = ''
		)
		select id from new`, pgx.NamedArgs{
		"source": n.Source, "digest": digest, "version": n.Version, "published": n.Published, "url": n.URL, "records": n.Records, "bytes": n.Bytes,
		"fetched": n.Fetched.UTC(), "tags": n.Tags,
	})
}

// Score is a vulnerability's EPSS score.
type Score struct {
	CVE               string
	Score, Percentile float64
}

// ReplaceScores makes these the scores of all vulnerabilities, and a snapshot of them.
func (s *Store) ReplaceScores(ctx context.Context, n IntelSnapshot, rows []Score) (int64, error) {
	if err := s.stage(ctx, `cve text, score float8, percentile float8`, []string{"cve", "score", "percentile"}, len(rows), func(i int) ([]any, error) {
		return []any{rows[i].CVE, rows[i].Score, rows[i].Percentile}, nil
	}); err != nil {
		return 0, err
	}
	if err := s.each(ctx, []string{
		`insert into vulnerabilities as v (vulnerability_id, epss_score, epss_percentile, updated)
		 select cve, score, percentile, $1 from intel_stage
		 on conflict (vulnerability_id) do update set epss_score = excluded.epss_score, epss_percentile = excluded.epss_percentile, updated = excluded.updated
		 where (v.epss_score, v.epss_percentile) is distinct from (excluded.epss_score, excluded.epss_percentile)`,
		`update vulnerabilities v set epss_score = null, epss_percentile = null, updated = $1
		 where epss_score is not null and not exists (select from intel_stage where cve = v.vulnerability_id)`,
	}, n.Fetched); err != nil {
		return 0, err
	}
	if err := s.each(ctx, []string{`analyze vulnerabilities`}); err != nil {
		return 0, err
	}
	return s.addSnapshot(ctx, n)
}

// Exploited is an entry of the catalogue of known exploited vulnerabilities.
type Exploited struct {
	CVE        string
	Ransomware bool
	Added, Due *time.Time
}

// ReplaceExploited makes these the known exploited vulnerabilities, and a snapshot of them.
func (s *Store) ReplaceExploited(ctx context.Context, n IntelSnapshot, rows []Exploited) (int64, error) {
	if err := s.stage(ctx, `cve text, ransomware bool, added date, due date`, []string{"cve", "ransomware", "added", "due"}, len(rows), func(i int) ([]any, error) {
		return []any{rows[i].CVE, rows[i].Ransomware, rows[i].Added, rows[i].Due}, nil
	}); err != nil {
		return 0, err
	}
	if err := s.each(ctx, []string{
		`insert into vulnerabilities as v (vulnerability_id, known_exploited, ransomware_used, kev_date, kev_due_date, updated)
		 select cve, true, ransomware, added, due, $1 from intel_stage
		 on conflict (vulnerability_id) do update set known_exploited = true, ransomware_used = excluded.ransomware_used, kev_date = excluded.kev_date,
			kev_due_date = excluded.kev_due_date, updated = excluded.updated
		 where (v.known_exploited, v.ransomware_used, v.kev_date, v.kev_due_date) is distinct from (true, excluded.ransomware_used, excluded.kev_date, excluded.kev_due_date)`,
		`update vulnerabilities v set known_exploited = null, ransomware_used = null, kev_date = null, kev_due_date = null, updated = $1
		 where known_exploited and not exists (select from intel_stage where cve = v.vulnerability_id)`,
	}, n.Fetched); err != nil {
		return 0, err
	}
	return s.addSnapshot(ctx, n)
}

// HasFix tells whether a version ends what an advisory says of any package.
func (a *Advisory) HasFix() bool {
	for _, p := range a.Affected {
		for _, r := range p.Ranges {
			if r.Fixed != "" {
				return true
			}
		}
	}
	return false
}

// AdvisoryStage takes advisories one after the other, before they are made the
// ones in use.
type AdvisoryStage struct {
	store *Store
	rows  []Advisory
	all   int
}

// stageOf is how many rows go to the database at once.
const stageOf = 5000

// StageAdvisories prepares the transaction for advisories.
func (s *Store) StageAdvisories(ctx context.Context) (*AdvisoryStage, error) {
	err := s.each(ctx, []string{`
		create temp table intel_advisories (id text, aliases text[], published timestamptz, modified timestamptz, has_fix bool, affected jsonb) on commit drop`})
	return &AdvisoryStage{store: s}, err
}

// Add adds one.
func (g *AdvisoryStage) Add(ctx context.Context, a Advisory) error {
	g.rows = append(g.rows, a)
	if len(g.rows) < stageOf {
		return nil
	}
	return g.flush(ctx)
}

func (g *AdvisoryStage) flush(ctx context.Context) error {
	_, err := g.store.db.CopyFrom(ctx, pgx.Identifier{"intel_advisories"}, []string{"id", "aliases", "published", "modified", "has_fix", "affected"},
		pgx.CopyFromSlice(len(g.rows), func(i int) ([]any, error) {
			a := &g.rows[i]
			return []any{a.ID, orEmpty(a.Aliases), a.Published, a.Modified, a.HasFix(), orEmpty(a.Affected)}, nil
		}))
	g.all += len(g.rows)
	g.rows = g.rows[:0]
	return err
}

// Done ends the stage: an advisory that came several times is one. It writes
// them to w, one a line by id, and returns how many there are with the SHA-256
// and the size of those lines.
func (g *AdvisoryStage) Done(ctx context.Context, w io.Writer) (n int, digest string, size int64, err error) {
	if err := g.flush(ctx); err != nil {
		return 0, "", 0, err
	}
	if err := g.store.each(ctx, []string{
		`create temp table intel_stage on commit drop as
		 select distinct on (id) id, aliases, published, modified, has_fix, affected from intel_advisories order by id, modified desc nulls last`,
		`create index on intel_stage (id)`, `analyze intel_stage`,
	}); err != nil {
		return 0, "", 0, err
	}
	rows, err := g.store.db.Query(ctx, `select id, aliases, published, modified, affected from intel_stage order by id collate "C"`)
	if err != nil {
		return 0, "", 0, err
	}
	defer rows.Close()
	sum := sha256.New()
	counted := &counter{w: io.MultiWriter(sum, w)}
	e := json.NewEncoder(counted)
	for rows.Next() {
		var a Advisory
		if err := rows.Scan(&a.ID, &a.Aliases, &a.Published, &a.Modified, &a.Affected); err != nil {
			return 0, "", 0, err
		}
		if err := e.Encode(a); err != nil {
			return 0, "", 0, err
		}
		n++
	}
	return n, hex.EncodeToString(sum.Sum(nil)), counted.n, rows.Err()
}

// counter counts what is written.
type counter struct {
	w io.Writer
	n int64
}

// Write writes on.
func (c *counter) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	return c.w.Write(b)
}

// ReplaceAdvisories makes those on the stage the ones in use, and a snapshot of
// them. A fix is known since the advisory was published, if the first that we saw
// of it named the fix, else since it was changed so that it does.
func (s *Store) ReplaceAdvisories(ctx context.Context, n IntelSnapshot) (int64, error) {
	if err := s.each(ctx, []string{
		`insert into advisories as a (id, aliases, published, modified, fix_published, affected)
		 select id, aliases, published, modified, case when has_fix then coalesce(published, modified) end, affected from intel_stage
		 on conflict (id) do update set aliases = excluded.aliases, published = excluded.published, modified = excluded.modified, affected = excluded.affected,
			fix_published = case when excluded.fix_published is null then null else coalesce(a.fix_published, excluded.modified, excluded.published) end
		 where (a.aliases, a.published, a.modified, a.affected) is distinct from (excluded.aliases, excluded.published, excluded.modified, excluded.affected)`,
		`delete from advisories a where not exists (select from intel_stage where id = a.id)`,
		`delete from advisory_ids i where not exists (select from advisories a where a.id = i.advisory and (i.id = a.id or i.id = any(a.aliases)))`,
		`insert into advisory_ids (id, advisory) select distinct unnest(aliases || id), id from advisories on conflict do nothing`,
		`analyze advisories`, `analyze advisory_ids`,
	}); err != nil {
		return 0, err
	}
	return s.addSnapshot(ctx, n)
}

// stage copies rows into a table of the transaction.
func (s *Store) stage(ctx context.Context, columns string, names []string, n int, row func(int) ([]any, error)) error {
	if err := s.each(ctx, []string{`create temp table intel_stage (` + columns + `) on commit drop`}); err != nil {
		return err
	}
	if _, err := s.db.CopyFrom(ctx, pgx.Identifier{"intel_stage"}, names, pgx.CopyFromSlice(n, row)); err != nil {
		return conflict(err)
	}
	return s.each(ctx, []string{`create index on intel_stage (` + names[0] + `)`, `analyze intel_stage`})
}

// each runs statements one after the other.
func (s *Store) each(ctx context.Context, statements []string, args ...any) error {
	for _, sql := range statements {
		if _, err := s.db.Exec(ctx, sql, args...); err != nil {
			return err
		}
	}
	return nil
}

// enrichOf is how many findings are looked at in one statement.
const enrichOf = 100_000

// EnrichAll is EnrichFindings over all tests, a part at a time.
func (s *Store) EnrichAll(ctx context.Context) (changed int64, err error) {
	last, err := scalar[int64](ctx, s.db, `select coalesce(max(id), 0) from findings`)
	for from := int64(0); from < last && err == nil; from += enrichOf {
		var n int64
		n, err = s.enrich(ctx, `g.id > @from and g.id <= @to`, pgx.NamedArgs{"from": from, "to": from + enrichOf})
		changed += n
	}
	return changed, err
}

// EnrichFindings writes what is known of their vulnerabilities into the findings
// of a test, where it differs, and returns how many it changed. What a report
// said stays where nothing is known.
func (s *Store) EnrichFindings(ctx context.Context, test int64) (changed int64, err error) {
	return s.enrich(ctx, `g.test_id = @test`, pgx.NamedArgs{"test": test})
}

func (s *Store) enrich(ctx context.Context, which string, args pgx.NamedArgs) (int64, error) {
	tag, err := s.db.Exec(ctx, `
		update findings f set epss_score = coalesce(k.score, f.epss_score), epss_percentile = coalesce(k.percentile, f.epss_percentile),
			known_exploited = f.known_exploited or k.exploited, ransomware_used = f.ransomware_used or k.ransomware, kev_date = coalesce(k.kev_date, f.kev_date)
		from (
			select g.id, max(v.epss_score) as score, max(v.epss_percentile) as percentile, min(v.kev_date) as kev_date,
			       coalesce(bool_or(v.known_exploited), false) as exploited, coalesce(bool_or(v.ransomware_used), false) as ransomware
			from findings g cross join lateral unnest(g.vulnerability_ids) i (id) join vulnerabilities v on v.vulnerability_id = i.id
			where g.vulnerability_ids <> '{}' and `+which+`
			group by g.id
		) k
		where f.id = k.id and (f.epss_score, f.epss_percentile, f.known_exploited, f.ransomware_used, f.kev_date) is distinct from
			(coalesce(k.score, f.epss_score), coalesce(k.percentile, f.epss_percentile), f.known_exploited or k.exploited, f.ransomware_used or k.ransomware, coalesce(k.kev_date, f.kev_date))`,
		args)
	if err != nil {
		return 0, err
	}
	return tag.RowsAffected(), nil
}

// printable makes a text one that PostgreSQL takes.
func printable(s string) string { return strings.ReplaceAll(strings.ToValidUTF8(s, "?"), "\x00", "?") }
