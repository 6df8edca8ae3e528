package store

import (
	"context"
	"iter"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/dedup"
)

// DedupSettings are the settings of a scan type that differ from the built-in ones.
type DedupSettings struct {
	ScanType      string
	Algorithm     string
	HashFields    []string
	AllowsNullCWE bool `db:"allows_null_cwe"`
}

// Settings are the settings themselves.
func (d DedupSettings) Settings() dedup.Settings {
	set := dedup.Settings{Algorithm: dedup.Algorithm(d.Algorithm), NeedsCWE: !d.AllowsNullCWE}
	for _, f := range d.HashFields {
		set.Fields = append(set.Fields, dedup.Field(f))
	}
	return set
}

const dedupSettingsColumns = `scan_type, algorithm, coalesce(hash_fields, '{}') as hash_fields, allows_null_cwe`

// DedupSettings returns the settings stored for a scan type; NotFound if there are none.
func (s *Store) DedupSettings(ctx context.Context, scanType string) (DedupSettings, error) {
	return one[DedupSettings](ctx, s.db, "deduplication settings", `select `+dedupSettingsColumns+` from dedup_settings where scan_type = $1`, scanType)
}

// AllDedupSettings returns all that are stored.
func (s *Store) AllDedupSettings(ctx context.Context) ([]DedupSettings, error) {
	return many[DedupSettings](ctx, s.db, `select `+dedupSettingsColumns+` from dedup_settings order by scan_type`)
}

// SaveDedupSettings stores the settings of a scan type.
func (s *Store) SaveDedupSettings(ctx context.Context, d DedupSettings, user int64) error {
	_, err := s.db.Exec(ctx, `
		insert into dedup_settings (scan_type, algorithm, hash_fields, allows_null_cwe, updated_by_id) values ($1, $2, $3, $4, $5)
		on conflict (scan_type) do update set algorithm = $2, hash_fields = $3, allows_null_cwe = $4, updated_by_id = $5, updated = now()`,
		d.ScanType, d.Algorithm, d.HashFields, d.AllowsNullCWE, user)
	return err
}

// DeleteDedupSettings gives a scan type the built-in settings again.
func (s *Store) DeleteDedupSettings(ctx context.Context, scanType string) error {
	_, err := s.db.Exec(ctx, `delete from dedup_settings where scan_type = $1`, scanType)
	return err
}

// dedupLock is the second key of the lock that settings and imports hold.
const dedupLock = 1

// KeepDedupSettings makes whoever changes settings wait until the transaction
// ends: an import goes by one state of them.
func (s *Store) KeepDedupSettings(ctx context.Context) error {
	_, err := s.db.Exec(ctx, `select pg_advisory_xact_lock_shared($1, $2)`, lockClass+1, dedupLock)
	return err
}

// LockDedupSettings waits for the imports that are at work, and makes others wait.
func (s *Store) LockDedupSettings(ctx context.Context) error {
	if _, err := s.db.Exec(ctx, `select set_config('lock_timeout', '120s', true)`); err != nil {
		return err
	}
	_, err := s.db.Exec(ctx, `select pg_advisory_xact_lock($1, $2)`, lockClass+1, dedupLock)
	return err
}

// AddDedupPending notes that all findings of a scan type have identities by
// earlier settings, and returns in how many products there are any.
func (s *Store) AddDedupPending(ctx context.Context, scanType string) (int64, error) {
	tag, err := s.db.Exec(ctx, `
		with there as (
			select distinct t.product_id from tests t join test_types tt on tt.id = t.test_type_id where coalesce(nullif(t.scan_type, ''), tt.name) = $1
		), added as (
			insert into dedup_pending (product_id, scan_type) select product_id, $1 from there on conflict do nothing
		)
		select from there`, scanType)
	return tag.RowsAffected(), err
}

// DedupProducts returns the products that have tests of a scan type.
func (s *Store) DedupProducts(ctx context.Context, scanType string) ([]int64, error) {
	return scalars[int64](ctx, s.db, `
		select distinct t.product_id from tests t join test_types tt on tt.id = t.test_type_id
		where coalesce(nullif(t.scan_type, ''), tt.name) = $1 order by 1`, scanType)
}

// DedupPending returns the products whose findings of a scan type wait.
func (s *Store) DedupPending(ctx context.Context, scanType string) ([]int64, error) {
	return scalars[int64](ctx, s.db, `select product_id from dedup_pending where scan_type = $1 order by 1`, scanType)
}

// TakeDedupPending tells whether a product's findings of a scan type wait, and
// that they do no more.
func (s *Store) TakeDedupPending(ctx context.Context, product int64, scanType string) (bool, error) {
	tag, err := s.db.Exec(ctx, `delete from dedup_pending where product_id = $1 and scan_type = $2`, product, scanType)
	return tag.RowsAffected() == 1, err
}

// Identified is a finding with all that its identity is made of.
type Identified struct {
	Known

	DuplicateOf *int64
	Static      bool
	Decided     bool // somebody has said whether it is a duplicate
	Within      bool // its engagement is deduplicated by itself
	Observation gate.Observation
}

// Identities yields the findings of a scan type in a product by id.
func (s *Store) Identities(ctx context.Context, product int64, scanType string) iter.Seq2[Identified, error] {
	return func(yield func(Identified, error) bool) {
		rows, err := s.db.Query(ctx, `
			select f.id, f.hash_code, coalesce(f.unique_id_from_tool, ''), coalesce(f.service, ''), f.endpoint_key, f.engagement_id, f.test_type_id, f.severity,
			       f.active, f.verified, f.duplicate, f.false_p, f.out_of_scope, f.risk_accepted, f.is_mitigated, f.duplicate_finding_id, f.static_finding,
			       exists (select from audit_events a where a.object = 'finding' and a.object_id = f.id and a.action in ('mark_duplicate', 'reset_duplicate')),
			       e.deduplication_on_engagement, f.title, f.description, f.mitigation, coalesce(f.cwe, 0), f.cwe is null, f.cwes, f.vulnerability_ids, f.line,
			       coalesce(f.file_path, ''), coalesce(f.payload, ''), coalesce(f.component_name, ''), coalesce(f.component_version, ''), coalesce(f.vuln_id_from_tool, ''),
			       array(select l.location_value from location_findings p join locations l on l.id = p.location_id where p.finding_id = f.id order by 1)
			from findings f join tests t on t.id = f.test_id join test_types tt on tt.id = t.test_type_id join engagements e on e.id = f.engagement_id
			where f.product_id = $1 and coalesce(nullif(t.scan_type, ''), tt.name) = $2 order by f.id`, product, scanType)
		if err != nil {
			yield(Identified{}, err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			var (
				i    Identified
				hash []byte
			)
			o := &i.Observation
			err := rows.Scan(&i.ID, &hash, &i.UniqueID, &i.Service, &i.EndpointKey, &i.EngagementID, &i.TestTypeID, &i.Severity,
				&i.Active, &i.Verified, &i.Duplicate, &i.FalseP, &i.OutOfScope, &i.RiskAccepted, &i.IsMitigated, &i.DuplicateOf, &i.Static, &i.Decided,
				&i.Within, &o.Title, &o.Description, &o.Mitigation, &o.CWE, &o.NoCWE, &o.CWEs, &o.VulnerabilityIDs, &o.Line,
				&o.FilePath, &o.Payload, &o.ComponentName, &o.ComponentVersion, &o.RuleID, &o.Endpoints)
			copy(i.Hash[:], hash)
			o.UniqueID, o.Service, o.Severity = i.UniqueID, i.Service, i.Severity
			i.Title = o.Title
			if !yield(i, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(Identified{}, err)
		}
	}
}

// OtherOriginals yields the findings of a product that are no duplicates, of
// other scan types than one, with one of the hashes, by id.
func (s *Store) OtherOriginals(ctx context.Context, product int64, scanType string, hashes [][]byte) iter.Seq2[Known, error] {
	return known(ctx, s.db, `
		select `+knownColumns+`, '' from findings
		where product_id = $1 and hash_code = any($3) and not duplicate
		  and test_id not in (select t.id from tests t join test_types tt on tt.id = t.test_type_id where t.product_id = $1 and coalesce(nullif(t.scan_type, ''), tt.name) = $2)
		order by id`, product, scanType, hashes)
}

// EngagementsByThemselves returns the engagements of a product that are deduplicated by themselves.
func (s *Store) EngagementsByThemselves(ctx context.Context, product int64) ([]int64, error) {
	return scalars[int64](ctx, s.db, `select id from engagements where product_id = $1 and deduplication_on_engagement`, product)
}

// Reidentified is the new identity of a finding.
type Reidentified struct {
	ID          int64
	Hash        [32]byte
	DuplicateOf *int64
}

// Reidentify gives findings new identities. What becomes a duplicate is active
// no more; what is one no more is open, unless something else keeps it closed.
func (s *Store) Reidentify(ctx context.Context, product int64, list []Reidentified, version int16) error {
	ids, hashes, originals := make([]int64, len(list)), make([][]byte, len(list)), make([]*int64, len(list))
	for n := range list {
		ids[n], hashes[n], originals[n] = list[n].ID, list[n].Hash[:], list[n].DuplicateOf
	}
	if _, err := s.db.Exec(ctx, `
		update findings f set
			hash_code = n.hash, hash_version = @version, updated = now(),
			duplicate = n.original is not null, duplicate_finding_id = n.original,
			active = case when n.original is not null then false when f.duplicate then not (f.is_mitigated or f.false_p or f.out_of_scope or f.risk_accepted) else f.active end,
			verified = f.verified and n.original is null,
			last_status_update = case when f.duplicate_finding_id is distinct from n.original then now() else f.last_status_update end
		from unnest(@ids::bigint[], @hashes::bytea[], @originals::bigint[]) n (id, hash, original)
		where f.id = n.id and f.product_id = @product`,
		pgx.NamedArgs{"ids": ids, "hashes": hashes, "originals": originals, "version": version, "product": product}); err != nil {
		return err
	}
	// Of other scan types some may point at what is a duplicate now.
	_, err := s.db.Exec(ctx, `
		update findings f set duplicate_finding_id = o.duplicate_finding_id
		from findings o where f.product_id = $1 and f.duplicate_finding_id = o.id and o.duplicate`, product)
	return err
}

// ProductDedupPending returns the scan types of a product whose findings still
// have identities by earlier settings.
func (s *Store) ProductDedupPending(ctx context.Context, product int64) ([]string, error) {
	return scalars[string](ctx, s.db, `select scan_type from dedup_pending where product_id = $1 order by 1`, product)
}
