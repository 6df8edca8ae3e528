package store

import (
	"context"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
)

// JudgedProduct is what a gate knows of a product and an engagement of it.
type JudgedProduct struct {
	ID                  int64
	Name                string
	Type                string
	Tags                []string
	BusinessCriticality *string
	Lifecycle           *string
	Platform            *string
	InternetAccessible  bool
	ExternalAudience    bool
	EngagementID        int64
	EngagementName      string
	BranchTag           *string
	CommitHash          *string
	BuildID             *string
}

// JudgedProduct returns an engagement with its product.
func (s *Store) JudgedProduct(ctx context.Context, engagement int64) (JudgedProduct, error) {
	return one[JudgedProduct](ctx, s.db, "engagement", `
		select p.id, p.name, t.name as type, p.tags, p.business_criticality, p.lifecycle, p.platform, p.internet_accessible, p.external_audience,
		       e.id as engagement_id, e.name as engagement_name, e.branch_tag, e.commit_hash, e.build_id
		from engagements e join products p on p.id = e.product_id join product_types t on t.id = p.prod_type_id
		where e.id = $1`, engagement)
}

// ProductToJudge returns a product without an engagement.
func (s *Store) ProductToJudge(ctx context.Context, product int64) (JudgedProduct, error) {
	return one[JudgedProduct](ctx, s.db, "product", `
		select p.id, p.name, t.name as type, p.tags, p.business_criticality, p.lifecycle, p.platform, p.internet_accessible, p.external_audience,
		       0::bigint as engagement_id, '' as engagement_name, null::text as branch_tag, null::text as commit_hash, null::text as build_id
		from products p join product_types t on t.id = p.prod_type_id
		where p.id = $1`, product)
}

// KnownExploited returns the ids of the KEV catalogue.
func (s *Store) KnownExploited(ctx context.Context) ([]string, error) {
	return scalars[string](ctx, s.db, `select vulnerability_id from vulnerabilities where known_exploited order by 1`)
}

// BranchEngagement returns the id of the newest engagement of a product that
// stands for a branch, by its branch or its name, or that has tests of it, beside
// one; or 0.
func (s *Store) BranchEngagement(ctx context.Context, product int64, branch string, except int64) (int64, error) {
	return idOrZero(ctx, s.db, `
		select e.id from engagements e
		where e.product_id = @product and e.id <> @except
		  and (e.branch_tag = @branch or e.name = @branch or exists (select from tests t where t.engagement_id = e.id and t.ref = @ref))
		order by (e.branch_tag = @branch) desc nulls last, (e.name = @branch) desc, e.id desc limit 1`,
		pgx.NamedArgs{"product": product, "branch": branch, "except": except, "ref": gate.BranchRef(branch)})
}

// JudgedImport is one import into a test of an engagement, as evidence.
type JudgedImport struct {
	ID           int64
	TestID       int64
	TestTypeID   int64
	TestType     string
	ScanType     string
	CommitHash   string
	Branch       string
	Created      time.Time
	Outcome      gate.Outcome
	Runs         []gate.Run
	FindingCount int
	Components   int
	SHA256       []byte
	Untrusted    bool   // the change's author could decide what is in the report
	Producer     string // what made it, as proved

	InventoryDigest []byte // of the components that were listed; nil: from before that was kept
	LastID          int64  // the test's newest import
}

// JudgedImports returns the imports into tests that were done, the newest first,
// at most limit a test.
func (s *Store) JudgedImports(ctx context.Context, tests []int64, limit int) ([]JudgedImport, error) {
	return s.judgedImports(ctx, `t.id = any(@of)`, tests, limit)
}

// LastImports returns the newest import into each test of a product.
func (s *Store) LastImports(ctx context.Context, product int64) ([]JudgedImport, error) {
	return s.judgedImports(ctx, `t.product_id = @of`, product, 1)
}

func (s *Store) judgedImports(ctx context.Context, condition string, of any, limit int) ([]JudgedImport, error) {
	return many[JudgedImport](ctx, s.db, `
		select i.id, i.test_id, t.test_type_id, tt.name as test_type, i.scan_type, i.commit_hash, coalesce(i.branch_tag, '') as branch, i.created, i.outcome, i.runs, i.finding_count, a.sha256, i.untrusted, i.producer,
		       i.inventory_digest, max(i.id) over (partition by i.test_id) as last_id,
		       case when i.inventory_digest is not null then coalesce((select cardinality(v.purls) from inventories v where v.digest = i.inventory_digest), 0)
		            when i.id = max(i.id) over (partition by i.test_id) then (select count(*) from components c where c.test_id = t.id)::int
		            else 0 end as components
		from tests t
		join test_types tt on tt.id = t.test_type_id
		cross join lateral (
			select * from test_imports where test_id = t.id and state = 'done' order by id desc limit @limit
		) i
		left join artifacts a on a.id = i.artifact_id
		where `+condition+`
		order by i.id desc`, pgx.NamedArgs{"of": of, "limit": limit})
}

// ImportAction is what an import did to findings: "N" for new, "C" for closed,
// "R" for opened again.
type ImportAction struct {
	ImportID   int64
	TestID     int64
	Action     string
	FindingIDs []int64
}

// ImportActions returns what imports into tests after one did, the newest first.
func (s *Store) ImportActions(ctx context.Context, tests []int64, after int64) ([]ImportAction, error) {
	return many[ImportAction](ctx, s.db, `
		select i.id as import_id, i.test_id, a.action::text as action, a.finding_ids
		from test_imports i join test_import_actions a on a.test_import_id = i.id
		where i.test_id = any($1) and i.id > $2 and a.action <> 'U'
		order by i.id desc`, tests, after)
}

// JudgedFinding is a finding as a gate sees it.
type JudgedFinding struct {
	ID               int64
	TestID           int64
	TestTypeID       int64
	Hash             []byte
	UniqueID         string
	Severity         gate.Severity
	Flags            Flags
	UnderReview      bool
	DuplicateOf      int64 // 0: none, or one that is not judged here
	Elsewhere        bool  // it is the duplicate of a finding that is not judged here, whose judgement Flags have
	Title            string
	Rule             string
	CWE              int32
	VulnerabilityIDs []string
	PURL             string
	Component        string
	Version          string
	Path             string
	Line             int32
	Snippet          string
	EndpointKey      string
	Created          time.Time
	FixVersion       string
	FixAvailable     *bool
	EPSS             *float64
	EPSSPercentile   *float64
	KnownExploited   bool
	Ransomware       bool
	CVSS             *float64
	Static           bool
	Tags             []string
}

// JudgedFindings yields the findings of tests, in no order. A duplicate of a finding
// elsewhere has that one's judgement: whoever accepted or refuted it there did so
// for the product.
func (s *Store) JudgedFindings(ctx context.Context, tests []int64) iter.Seq2[JudgedFinding, error] {
	return s.judgedFindings(ctx, `f.test_id = any($1)`, `o.test_id <> all($1)`, tests)
}

// otherEngagement is elsewhere, where no tests are named.
const otherEngagement = `o.engagement_id <> f.engagement_id`

// EngagementFindings is JudgedFindings for all tests of an engagement.
func (s *Store) EngagementFindings(ctx context.Context, engagement int64) iter.Seq2[JudgedFinding, error] {
	return s.judgedFindings(ctx, `f.test_id in (select id from tests where engagement_id = $1)`, otherEngagement, engagement)
}

// ProductFindings is JudgedFindings for all engagements of a product.
func (s *Store) ProductFindings(ctx context.Context, product int64) iter.Seq2[JudgedFinding, error] {
	return s.judgedFindings(ctx, `f.product_id = $1`, otherEngagement, product)
}

// JudgedFinding is JudgedFindings for one finding.
func (s *Store) JudgedFinding(ctx context.Context, id int64) iter.Seq2[JudgedFinding, error] {
	return s.judgedFindings(ctx, `f.id = $1`, otherEngagement, id)
}

// judgedFindings yields the findings of a condition. elsewhere tells whether the
// original of a duplicate is none of those that are judged.
func (s *Store) judgedFindings(ctx context.Context, condition, elsewhere string, of any) iter.Seq2[JudgedFinding, error] {
	return func(yield func(JudgedFinding, error) bool) {
		rows, err := s.db.Query(ctx, `
			select f.id, f.test_id, f.test_type_id, f.hash_code, coalesce(f.unique_id_from_tool, ''), f.severity,
			       f.active or coalesce(`+elsewhere+` and not f.is_mitigated, false), coalesce(case when `+elsewhere+` then o.verified end, f.verified),
			       f.duplicate and coalesce(not (`+elsewhere+`), true),
			       f.false_p or coalesce(`+elsewhere+` and o.false_p, false), f.out_of_scope or coalesce(`+elsewhere+` and o.out_of_scope, false),
			       f.risk_accepted or coalesce(`+elsewhere+` and o.risk_accepted, false), f.is_mitigated, f.under_review,
			       coalesce(case when not (`+elsewhere+`) then o.id end, 0), coalesce(`+elsewhere+`, false),
			       f.title, f.rule, coalesce(f.cwe, 0), f.vulnerability_ids, f.purl, coalesce(f.component_name, ''), coalesce(f.component_version, ''),
			       coalesce(f.file_path, ''), coalesce(f.line, 0), f.snippet, f.endpoint_key, coalesce(o.created, f.created),
			       coalesce(f.fix_version, ''), f.fix_available, f.epss_score, f.epss_percentile,
			       f.known_exploited, f.ransomware_used,
			       coalesce(f.cvssv4_score, f.cvssv3_score), f.static_finding, f.tags
			from findings f
			left join lateral (select * from findings o where o.id = f.duplicate_finding_id offset 0) o on f.duplicate_finding_id is not null -- by the index, however many there are
			where `+condition, of)
		if err != nil {
			yield(JudgedFinding{}, err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			var f JudgedFinding
			err := rows.Scan(&f.ID, &f.TestID, &f.TestTypeID, &f.Hash, &f.UniqueID, &f.Severity,
				&f.Flags.Active, &f.Flags.Verified, &f.Flags.Duplicate, &f.Flags.FalseP, &f.Flags.OutOfScope, &f.Flags.RiskAccepted, &f.Flags.IsMitigated, &f.UnderReview,
				&f.DuplicateOf, &f.Elsewhere, &f.Title, &f.Rule, &f.CWE, &f.VulnerabilityIDs, &f.PURL, &f.Component, &f.Version,
				&f.Path, &f.Line, &f.Snippet, &f.EndpointKey, &f.Created, &f.FixVersion, &f.FixAvailable, &f.EPSS, &f.EPSSPercentile,
				&f.KnownExploited, &f.Ransomware, &f.CVSS, &f.Static, &f.Tags)
			if !yield(f, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(JudgedFinding{}, err)
		}
	}
}

// Inventory returns the package URLs of some inventories, and those that the
// newest reports of some tests list, each once.
func (s *Store) Inventory(ctx context.Context, digests [][]byte, tests []int64) ([]string, error) {
	return scalars[string](ctx, s.db, `
		select unnest(purls) as purl from inventories where digest = any($1)
		union
		select purl from components where purl <> '' and test_id = any($2)
		order by purl`, digests, orEmpty(tests))
}

// NewVerdict is a verdict to be kept, with its inputs by digest.
type NewVerdict struct {
	ProductID            int64
	Line                 VerdictLine
	Verdict              gate.Verdict
	PullRequest, BuildID string
	Imports              []int64
	Parts                map[string][]byte // compressed, by digest
	InputsDigest         []byte
	Cause                string // what made it be judged
	Announce             bool   // it is news
	Replaces             *int64 // the verdict before it
}

// AddVerdict keeps a verdict and its inputs. Earlier verdicts of the same line
// are superseded by it.
func (s *Store) AddVerdict(ctx context.Context, v NewVerdict) (int64, error) {
	for digest, content := range v.Parts {
		if _, err := s.db.Exec(ctx, `insert into verdict_inputs (digest, content) values (decode($1, 'hex'), $2) on conflict do nothing`, digest, content); err != nil {
			return 0, err
		}
	}
	d := v.Verdict
	id, err := scalar[int64](ctx, s.db, `
		insert into verdicts (product_id, engagement_id, overall, conclusive, exit_code, branch, commit_hash, pull_request, build_id, event, inputs_digest, document,
		                      test_import_ids, decided_at, valid_until, cause, announce, replaces, repository, component, environment, ref)
		values (@product, @engagement, @overall, @conclusive, @exit, @branch, @commit, @pr, @build, @event, @inputs, @document, @imports, @decided, @valid,
		        @cause, @announce, @replaces, @repository, @component, @environment, @ref)
		returning id`, pgx.NamedArgs{
		"product": v.ProductID, "engagement": v.Line.Engagement, "overall": d.Overall, "conclusive": d.Conclusive, "exit": d.Exit, "branch": d.Subject.Branch,
		"commit": d.Subject.Commit, "pr": v.PullRequest, "build": v.BuildID, "event": d.Subject.Event, "inputs": v.InputsDigest, "document": d,
		"imports": orEmpty(v.Imports), "decided": d.DecidedAt, "valid": nullTime(d.ValidUntil),
		"cause": v.Cause, "announce": v.Announce, "replaces": v.Replaces,
		"repository": v.Line.Repository, "component": v.Line.Component, "environment": v.Line.Environment, "ref": v.Line.Ref,
	})
	if err != nil {
		return 0, err
	}
	args := v.Line.args()
	args["by"] = id
	_, err = s.db.Exec(ctx, `update verdicts set superseded_by = @by where `+sameLine+` and id < @by and superseded_by is null`, args)
	return id, err
}

func nullTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// StoredVerdict is a verdict as it was kept.
type StoredVerdict struct {
	ID           int64
	ProductID    int64
	EngagementID *int64
	Document     gate.Verdict
	InputsDigest []byte
	SupersededBy *int64
	DecidedAt    time.Time
	Cause        string
	Announce     bool
	Replaces     *int64
	Checked      *time.Time
}

const storedVerdictColumns = `id, product_id, engagement_id, document, inputs_digest, superseded_by, decided_at, cause, announce, replaces, checked`

// Verdict returns a verdict of a product in scope.
func (s *Store) Verdict(ctx context.Context, scope gate.Scope, id int64) (StoredVerdict, error) {
	var w where
	w.and("id = ?", id)
	w.scope("product_id", scope)
	return one[StoredVerdict](ctx, s.db, "verdict", `select `+storedVerdictColumns+` from verdicts`+w.sql.String(), w.args...)
}

// VerdictInput returns a part of a verdict's inputs, compressed, by its digest.
func (s *Store) VerdictInput(ctx context.Context, digest []byte) ([]byte, error) {
	return scalar[[]byte](ctx, s.db, `select content from verdict_inputs where digest = $1`, digest)
}

// IsJudged tells whether an import is part of a verdict.
func (s *Store) IsJudged(ctx context.Context, engagement, report int64) (bool, error) {
	return scalar[bool](ctx, s.db, `
		select exists (select from verdicts where engagement_id = $1 and test_import_ids @> array[$2]::bigint[])
		    or exists (select from test_imports where id = $2 and state <> 'done')`, engagement, report)
}

// IsAnswered tells whether a build asked for the verdict on a commit that an
// import is part of, and got it.
func (s *Store) IsAnswered(ctx context.Context, engagement, report int64, commit string) (bool, error) {
	return scalar[bool](ctx, s.db, `
		select exists (select from verdicts where engagement_id = $1 and test_import_ids @> array[$2]::bigint[] and commit_hash = $3 and cause = 'asked')
		    or exists (select from test_imports where id = $2 and state <> 'done')`, engagement, report, commit)
}

// NewestCommit returns the commit of the newest import into tests.
func (s *Store) NewestCommit(ctx context.Context, tests []int64) (string, error) {
	return scalar[string](ctx, s.db, `
		select coalesce((select commit_hash from test_imports where test_id = any($1) and state = 'done' order by id desc limit 1), '')`, tests)
}

// VerdictFilter selects verdicts.
type VerdictFilter struct {
	Scope   gate.Scope
	Numbers map[string][]int64 // product, engagement: any of them
	Commit  *string
	Page    Page
}

// Verdicts returns the verdicts of f, the newest first.
func (s *Store) Verdicts(ctx context.Context, f VerdictFilter) (List[StoredVerdict], error) {
	var w where
	w.scope("product_id", f.Scope)
	for name, ids := range f.Numbers {
		w.and(map[string]string{"product": "product_id", "engagement": "engagement_id"}[name]+" = any(?)", ids)
	}
	optional(&w, "commit_hash", f.Commit)
	return list[StoredVerdict](ctx, s.db, storedVerdictColumns, "verdicts", &w, " order by id desc", f.Page)
}
