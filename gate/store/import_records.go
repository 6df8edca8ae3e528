package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
)

// AddArtifact records a report by its content and returns its id.
func (s *Store) AddArtifact(ctx context.Context, sha256 []byte, size int64) (int64, error) {
	return s.ensure(ctx, `insert into artifacts (sha256, size) values (@sha, @size) on conflict (sha256) do nothing returning id`,
		`select id from artifacts where sha256 = @sha`, pgx.NamedArgs{"sha": sha256, "size": size})
}

// ImportRecord is one import in a test's history.
type ImportRecord struct {
	TestID, ProductID     *int64
	Type                  string // import or reimport
	State                 string // done, failed or superseded
	Error                 string
	ScanType, Filename    string
	ArtifactID            int64
	UserID                int64
	Settings              any
	Version, BuildID      *string
	CommitHash, BranchTag *string
	Runs                  []gate.Run
	Outcome               gate.Outcome
	FindingCount          int
	IdempotencyKey        string
	RequestSHA256         []byte
	Sequence              int64
	Untrusted             bool   // the change's author could decide what is in the report
	Producer              string // what made it, as proved
	Statistics            any
	InventoryDigest       []byte // of the components that it lists
	Created               time.Time
	Request               any // of one that failed: what it was asked for
}

// AddImport adds an import to the history and returns its id.
func (s *Store) AddImport(ctx context.Context, r ImportRecord) (int64, error) {
	return scalar[int64](ctx, s.db, `
		insert into test_imports (test_id, product_id, type, state, error, scan_type, filename, artifact_id, user_id, import_settings, version, build_id,
		                          commit_hash, branch_tag, runs, outcome, finding_count, idempotency_key, request_sha256, sequence, statistics, inventory_digest, created, modified,
		                          untrusted, producer, request)
		values (@test, @product, @type, @state, @error, @scan_type, @filename, @artifact, @user, @settings, coalesce(@version, ''), coalesce(@build, ''),
		        coalesce(@commit, ''), coalesce(@branch, ''), @runs, @outcome, @count, nullif(@key, ''), @request, @sequence, @statistics, @inventory, @created, @created,
		        @untrusted, @producer, @asked)
		returning id`, pgx.NamedArgs{
		"test": r.TestID, "product": r.ProductID, "type": r.Type, "state": r.State, "error": r.Error, "scan_type": r.ScanType, "filename": r.Filename,
		"artifact": r.ArtifactID, "user": r.UserID, "settings": r.Settings, "version": r.Version, "build": r.BuildID, "commit": r.CommitHash, "branch": r.BranchTag,
		"runs": orEmpty(r.Runs), "outcome": r.Outcome, "count": r.FindingCount, "key": r.IdempotencyKey, "request": r.RequestSHA256, "sequence": r.Sequence,
		"statistics": r.Statistics, "inventory": r.InventoryDigest, "created": r.Created, "untrusted": r.Untrusted, "producer": r.Producer, "asked": r.Request,
	})
}

// SetImportResponse keeps what an import was answered with.
func (s *Store) SetImportResponse(ctx context.Context, id int64, response any) error {
	_, err := s.db.Exec(ctx, `update test_imports set response = $2 where id = $1`, id, response)
	return err
}

// Answered is an import that was answered before.
type Answered struct {
	RequestSHA256 []byte
	Response      []byte
}

// AnsweredImport returns the import with an idempotency key; NotFound if there is none.
func (s *Store) AnsweredImport(ctx context.Context, key string) (Answered, error) {
	return one[Answered](ctx, s.db, "import with that idempotency key", `select request_sha256, response from test_imports where idempotency_key = $1`, key)
}

// AddImportAction records which findings an import did something to. ids are ascending.
func (s *Store) AddImportAction(ctx context.Context, id int64, action byte, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := s.db.Exec(ctx, `insert into test_import_actions (test_import_id, action, finding_ids) values ($1, $2::text::"char", $3)`, id, string(action), ids)
	return err
}

// Grouping puts a finding into a group by its name.
type Grouping struct {
	FindingID int64
	Group     string
}

// GroupFindings puts findings that are in no group into groups of a test, which
// it creates.
func (s *Store) GroupFindings(ctx context.Context, test, user int64, list []Grouping) error {
	if len(list) == 0 {
		return nil
	}
	ids, names := make([]int64, len(list)), make([]string, len(list))
	for i, g := range list {
		ids[i], names[i] = g.FindingID, g.Group
	}
	_, err := s.db.Exec(ctx, `
		with wanted as (
			select * from unnest(@ids::bigint[], @names::text[]) w (finding, name)
		), added as (
			insert into finding_groups (name, test_id, creator_id)
			select distinct name, @test::bigint, @user::bigint from wanted order by name
			on conflict (test_id, name) do update set modified = now()
			returning id, name
		)
		insert into finding_group_members (finding_id, group_id)
		select w.finding, a.id from wanted w join added a using (name)
		on conflict (finding_id) do nothing`, pgx.NamedArgs{"ids": ids, "names": names, "test": test, "user": user})
	return err
}

// Exchange is an HTTP request with its response that shows a finding.
type Exchange struct {
	FindingID int64
	gate.Pair
}

// AddExchanges stores requests with their responses.
func (s *Store) AddExchanges(ctx context.Context, list []Exchange) error {
	return copyRows(ctx, s.tx, "request_response_pairs", []column[Exchange]{
		{"finding_id", func(b []byte, e Exchange) []byte { return putInt64(b, e.FindingID) }},
		{"request", func(b []byte, e Exchange) []byte { return putText(b, e.Request) }},
		{"response", func(b []byte, e Exchange) []byte { return putText(b, e.Response) }},
	}, list)
}

// Attachment is a file of a finding, whose bytes are in the blob store.
type Attachment struct {
	FindingID int64
	Title     string
	SHA256    []byte
	Size      int64
}

// AddAttachments records files of findings.
func (s *Store) AddAttachments(ctx context.Context, list []Attachment) error {
	return copyRows(ctx, s.tx, "file_uploads", []column[Attachment]{
		{"finding_id", func(b []byte, a Attachment) []byte { return putInt64(b, a.FindingID) }},
		{"title", func(b []byte, a Attachment) []byte { return putText(b, a.Title) }},
		{"filename", func(b []byte, a Attachment) []byte { return putText(b, a.Title) }},
		{"sha256", func(b []byte, a Attachment) []byte { return putBytes(b, a.SHA256) }},
		{"size", func(b []byte, a Attachment) []byte { return putInt64(b, a.Size) }},
	}, list)
}

// SetComponents makes list the inventory of a test, and keeps its package URLs
// by its digest for verdicts that compare with it later.
func (s *Store) SetComponents(ctx context.Context, test int64, digest []byte, list []gate.Component) error {
	if _, err := s.db.Exec(ctx, `
		insert into inventories (digest, purls)
		select $1, array(select distinct purl from unnest($2::text[]) purl where purl <> '' order by 1)
		on conflict do nothing`, digest, purlsOf(list)); err != nil {
		return err
	}
	if _, err := s.db.Exec(ctx, `delete from components where test_id = $1`, test); err != nil {
		return err
	}
	return copyRows(ctx, s.tx, "components", []column[gate.Component]{
		{"test_id", func(b []byte, _ gate.Component) []byte { return putInt64(b, test) }},
		{"name", func(b []byte, c gate.Component) []byte { return putText(b, c.Name) }},
		{"version", func(b []byte, c gate.Component) []byte { return putText(b, c.Version) }},
		{"purl", func(b []byte, c gate.Component) []byte { return putText(b, c.PURL) }},
		{"licenses", func(b []byte, c gate.Component) []byte { return putTexts(b, c.Licenses) }},
		{"path", func(b []byte, c gate.Component) []byte { return putText(b, c.Path) }},
	}, list)
}

func purlsOf(list []gate.Component) []string {
	out := make([]string, len(list))
	for i, c := range list {
		out[i] = c.PURL
	}
	return out
}

// TagFindings adds tags to findings.
func (s *Store) TagFindings(ctx context.Context, ids []int64, tags []string) error {
	_, err := s.db.Exec(ctx, `
		update findings set tags = (select array_agg(distinct t order by t) from unnest(tags || @tags::text[]) t), updated = now()
		where id = any(@ids) and not tags @> @tags`, pgx.NamedArgs{"ids": ids, "tags": tags})
	return err
}
