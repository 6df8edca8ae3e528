package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
)

// ImportTarget is what an import must know of the test that it goes into.
type ImportTarget struct {
	ID                        int64
	EngagementID              int64
	EngagementName            string
	EngagementType            string
	DeduplicationOnEngagement bool
	ProductID                 int64
	ProductName               string
	ProductTags               []string
	TagInheritance            bool
	ProdTypeID                int64
	TestTypeID                int64
	TestTypeName              string
	ScanType                  string
	Sequence                  int64
	ComponentsDigest          []byte
	SLA                       SLA
}

// SLA is how many days findings of a severity have. 0: no due date.
type SLA struct {
	Days                  [5]int // by severity
	RestartOnReactivation bool
}

// Due returns the day by which a finding of a severity that was found on a day
// is to be fixed; none when there is no due date.
func (s SLA) Due(severity gate.Severity, from gate.Date) gate.Date {
	days := s.Days[severity]
	if days == 0 || from.IsZero() {
		return gate.Date{}
	}
	return from.AddDays(days)
}

// ImportEngagement is an engagement with its product's name.
type ImportEngagement struct {
	ID          int64
	Name        string
	ProductID   int64
	ProductName string
	ProdTypeID  int64
}

// ImportTest looks up where a test belongs.
func (s *Store) ImportTest(ctx context.Context, id int64) (ImportTarget, error) {
	type row struct {
		ID, EngagementID               int64
		EngagementName, EngagementType string
		DeduplicationOnEngagement      bool
		ProductID                      int64
		ProductName                    string
		ProductTags                    []string
		TagInheritance                 bool
		ProdTypeID, TestTypeID         int64
		TestTypeName, ScanType         string
		Sequence                       int64
		ComponentsDigest               []byte
		Critical, High, Medium, Low    int
		RestartSLAOnReactivation       bool `db:"restart_sla_on_reactivation"`
	}
	r, err := one[row](ctx, s.db, "test", `
		select t.id, t.engagement_id, e.name as engagement_name, e.engagement_type, e.deduplication_on_engagement,
		       p.id as product_id, p.name as product_name, p.tags as product_tags, p.enable_product_tag_inheritance as tag_inheritance, p.prod_type_id,
		       t.test_type_id, tt.name as test_type_name, coalesce(t.scan_type, tt.name) as scan_type, t.sequence, t.components_digest,
		       case when enforce_critical then c.critical else 0 end as critical, case when enforce_high then c.high else 0 end as high,
		       case when enforce_medium then c.medium else 0 end as medium, case when enforce_low then c.low else 0 end as low,
		       c.restart_sla_on_reactivation
		from tests t
		join engagements e on e.id = t.engagement_id
		join products p on p.id = e.product_id
		join test_types tt on tt.id = t.test_type_id
		join sla_configurations c on c.id = p.sla_configuration_id
		where t.id = @id`, pgx.NamedArgs{"id": id})
	if err != nil {
		return ImportTarget{}, err
	}
	return ImportTarget{
		ID: r.ID, EngagementID: r.EngagementID, EngagementName: r.EngagementName, EngagementType: r.EngagementType, DeduplicationOnEngagement: r.DeduplicationOnEngagement,
		ProductID: r.ProductID, ProductName: r.ProductName, ProductTags: r.ProductTags, TagInheritance: r.TagInheritance, ProdTypeID: r.ProdTypeID,
		TestTypeID: r.TestTypeID, TestTypeName: r.TestTypeName, ScanType: r.ScanType, Sequence: r.Sequence, ComponentsDigest: r.ComponentsDigest,
		SLA: SLA{Days: [5]int{gate.Low: r.Low, gate.Medium: r.Medium, gate.High: r.High, gate.Critical: r.Critical}, RestartOnReactivation: r.RestartSLAOnReactivation},
	}, nil
}

// ImportEngagement looks up where an engagement belongs.
func (s *Store) ImportEngagement(ctx context.Context, id int64) (ImportEngagement, error) {
	return one[ImportEngagement](ctx, s.db, "engagement", `
		select e.id, e.name, e.product_id, p.name as product_name, p.prod_type_id
		from engagements e join products p on p.id = e.product_id
		where e.id = @id`, pgx.NamedArgs{"id": id})
}

// EngagementByName returns the id of the newest engagement of that name in a product, or 0.
func (s *Store) EngagementByName(ctx context.Context, product int64, name string) (int64, error) {
	return idOrZero(ctx, s.db, `select id from engagements where product_id = @product and name = @name order by id desc limit 1`,
		pgx.NamedArgs{"product": product, "name": name})
}

// TestByScanType returns the id of the newest test of a scan type in an
// engagement, with the title if one is given, or 0. Of a line of work it is that
// line's, or else one of its branch that is nobody's yet; without one it is any,
// but for those of pull requests.
func (s *Store) TestByScanType(ctx context.Context, engagement int64, scanType, title string, l gate.Line, branch string) (int64, error) {
	return idOrZero(ctx, s.db, `
		select t.id from tests t join test_types tt on tt.id = t.test_type_id
		where t.engagement_id = @engagement and coalesce(t.scan_type, tt.name) = @scan_type and (@title = '' or t.title = @title)
		  and case when @ref = '' then t.ref not like 'refs/pull/%'
		      else t.ref = @ref and t.repository = @repository and t.component = @component
		        or t.ref = '' and t.repository = '' and t.component = '' and t.branch_tag = @branch end
		order by (t.ref = @ref) desc, t.id desc limit 1`, pgx.NamedArgs{
		"engagement": engagement, "scan_type": scanType, "title": title, "ref": l.Ref, "repository": l.Repository, "component": l.Component, "branch": branch,
	})
}

func idOrZero(ctx context.Context, db DB, sql string, args pgx.NamedArgs) (int64, error) {
	id, err := scalar[int64](ctx, db, sql, args)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	return id, err
}

// lockClass keeps our advisory locks apart from others' in the same database.
const lockClass = 7321

// LockProduct makes imports into one product wait for each other, until the
// transaction ends.
func (s *Store) LockProduct(ctx context.Context, product int64) error {
	if _, err := s.db.Exec(ctx, `select set_config('lock_timeout', '120s', true)`); err != nil {
		return err
	}
	_, err := s.db.Exec(ctx, `select pg_advisory_xact_lock($1, $2)`, lockClass, int32(product)) //nolint:gosec // two products sharing a lock only wait for each other
	return err
}

// EnsureProductType returns the id of a product type, which it creates if need be.
func (s *Store) EnsureProductType(ctx context.Context, name string) (int64, error) {
	return s.ensure(ctx, `insert into product_types (name) values (@name) on conflict (name) do nothing returning id`,
		`select id from product_types where name = @name`, pgx.NamedArgs{"name": name})
}

// EnsureProduct returns the id of a product, which it creates if need be.
func (s *Store) EnsureProduct(ctx context.Context, name string, productType int64) (int64, error) {
	return s.ensure(ctx, `
		insert into products (name, description, prod_type_id) values (@name, @name, @type) on conflict (name) do nothing returning id`,
		`select id from products where name = @name`, pgx.NamedArgs{"name": name, "type": productType})
}

// ensure inserts a row, or finds the one that is there, also when another
// transaction is inserting it at the same time: it waits for that one's end.
func (s *Store) ensure(ctx context.Context, insert, find string, args pgx.NamedArgs) (int64, error) {
	for {
		id, err := idOrZero(ctx, s.db, insert, args)
		if err != nil || id != 0 {
			return id, err
		}
		if id, err = idOrZero(ctx, s.db, find, args); err != nil || id != 0 {
			return id, err
		}
	}
}

// NewEngagement is an engagement that an import creates.
type NewEngagement struct {
	ProductID                 int64
	Name                      string
	LeadID                    int64
	Start, End                time.Time
	DeduplicationOnEngagement bool
	SourceCodeManagementURI   string
	Version, BuildID          string
	CommitHash, BranchTag     string
}

// AddCIEngagement creates a CI/CD engagement in progress. The caller holds the product's lock.
func (s *Store) AddCIEngagement(ctx context.Context, e NewEngagement) (int64, error) {
	return scalar[int64](ctx, s.db, `
		insert into engagements (product_id, name, lead_id, target_start, target_end, status, engagement_type, deduplication_on_engagement,
		                         source_code_management_uri, version, build_id, commit_hash, branch_tag)
		values (@product, @name, @lead, @start, @end, 'In Progress', 'CI/CD', @dedup,
		        nullif(@scm, ''), nullif(@version, ''), nullif(@build, ''), nullif(@commit, ''), nullif(@branch, ''))
		returning id`, pgx.NamedArgs{
		"product": e.ProductID, "name": e.Name, "lead": e.LeadID, "start": e.Start, "end": e.End, "dedup": e.DeduplicationOnEngagement,
		"scm": e.SourceCodeManagementURI, "version": e.Version, "build": e.BuildID, "commit": e.CommitHash, "branch": e.BranchTag,
	})
}

// EnsureTestType returns the id of a test type, which it creates if need be.
// One that is there but not active is refused.
func (s *Store) EnsureTestType(ctx context.Context, name string) (int64, error) {
	type row struct {
		ID     int64
		Active bool
	}
	r, err := one[row](ctx, s.db, "test type", `select id, active from test_types where name = @name`, pgx.NamedArgs{"name": name})
	if err == nil && !r.Active {
		return 0, gate.FieldErrorf("scan_type", "the scan type %q is not active", name)
	}
	if gate.KindOf(err) == gate.NotFound {
		return s.ensure(ctx, `insert into test_types (name, dynamically_generated) values (@name, true) on conflict (name) do nothing returning id`,
			`select id from test_types where name = @name`, pgx.NamedArgs{"name": name})
	}
	return r.ID, err
}

// EnvironmentID returns the id of an environment by its name; one that is not
// there is created if create is set.
func (s *Store) EnvironmentID(ctx context.Context, name string, create bool) (int64, error) {
	find := `select id from development_environments where name = @name`
	args := pgx.NamedArgs{"name": name}
	if create {
		return s.ensure(ctx, `insert into development_environments (name) values (@name) on conflict (name) do nothing returning id`, find, args)
	}
	id, err := idOrZero(ctx, s.db, find, args)
	if err == nil && id == 0 {
		err = gate.FieldErrorf("environment", "the environment %q does not exist", name)
	}
	return id, err
}

// NewTest is a test that an import creates.
type NewTest struct {
	EngagementID, ProductID, TestTypeID int64
	ScanType                            string
	Title                               string
	Description                         string
	LeadID                              *int64
	EnvironmentID                       int64
	At                                  time.Time
	Version, BuildID                    *string
	CommitHash, BranchTag               *string
	APIScanConfigurationID              *int64
	Tags, InheritedTags                 []string
	Line                                gate.Line
}

// AddTest creates a test.
func (s *Store) AddTest(ctx context.Context, t NewTest) (int64, error) {
	return scalar[int64](ctx, s.db, `
		insert into tests (engagement_id, product_id, test_type_id, scan_type, title, description, lead_id, environment_id, target_start, target_end,
		                   percent_complete, version, build_id, commit_hash, branch_tag, api_scan_configuration_id, tags, inherited_tags, repository, component, ref)
		values (@engagement, @product, @type, @scan_type, nullif(@title, ''), nullif(@description, ''), @lead, @environment, @at, @at,
		        100, @version, @build, @commit, @branch, @api, @tags, @inherited, @repository, @component, @ref)
		returning id`, pgx.NamedArgs{
		"engagement": t.EngagementID, "product": t.ProductID, "type": t.TestTypeID, "scan_type": t.ScanType, "title": t.Title, "description": t.Description,
		"lead": t.LeadID, "environment": t.EnvironmentID, "at": t.At, "version": t.Version, "build": t.BuildID, "commit": t.CommitHash, "branch": t.BranchTag,
		"api": t.APIScanConfigurationID, "tags": orEmpty(t.Tags), "inherited": orEmpty(t.InheritedTags),
		"repository": t.Line.Repository, "component": t.Line.Component, "ref": t.Line.Ref,
	})
}

// TestUpdate is what an import changes of a test and its engagement. Nil leaves
// what is there.
type TestUpdate struct {
	TestID, EngagementID  int64
	At                    time.Time
	Version, BuildID      *string
	CommitHash, BranchTag *string
	SourceURI             string
	Tags                  []string
	Sequence              int64
	ComponentsDigest      []byte
	Line                  gate.Line // a test that is nobody's yet becomes that line's
}

// UpdateTest writes a TestUpdate. Dates only move forward.
func (s *Store) UpdateTest(ctx context.Context, u TestUpdate) error {
	_, err := s.db.Exec(ctx, `
		with t as (
			update tests set
				target_end = greatest(target_end, @at), percent_complete = 100, updated = now(), version = coalesce(@version, version), build_id = coalesce(@build, build_id),
				commit_hash = coalesce(@commit, commit_hash), branch_tag = coalesce(@branch, branch_tag), tags = coalesce(@tags, tags),
				sequence = greatest(sequence, @sequence), components_digest = coalesce(@components, components_digest),
				repository = case when ref = '' then @repository else repository end, component = case when ref = '' then @component else component end,
				ref = case when ref = '' then @ref else ref end
			where id = @test
		)
		update engagements set target_end = greatest(target_end, @at::date), updated = now()
		where id = @engagement and engagement_type = 'CI/CD'`, pgx.NamedArgs{
		"test": u.TestID, "engagement": u.EngagementID, "at": u.At, "version": u.Version, "build": u.BuildID, "commit": u.CommitHash, "branch": u.BranchTag,
		"tags": u.Tags, "sequence": u.Sequence, "components": u.ComponentsDigest, "repository": u.Line.Repository, "component": u.Line.Component, "ref": u.Line.Ref,
	})
	return err
}
