package store

import (
	"context"

	"defectdojo/gate"
)

const testColumns = `id, engagement_id, product_id, test_type_id, scan_type, title, description, lead_id, target_start,
	target_end, percent_complete, environment_id, version, build_id, commit_hash, branch_tag, api_scan_configuration_id,
	tags, inherited_tags, sequence, created, updated`

// TestFilter narrows a list of tests. The names in its maps are those of
// DefectDojo's API.
type TestFilter struct {
	Scope          gate.Scope
	In             map[string][]int64  // id, engagement, test_type, …: testNumbers
	OneOf          map[string][]string // title, scan_type, version, …: testWords
	Times          map[string]Range    // target_start, …: testTimes
	Tags           TagFilter
	EngagementTags TagFilter
	ProductTags    TagFilter
	Page
}

var (
	testNumbers = columns{
		"id": "id", "engagement": "engagement_id", "engagement__product": "product_id", "test_type": "test_type_id", "lead": "lead_id",
		"environment": "environment_id", "percent_complete": "percent_complete", "api_scan_configuration": "api_scan_configuration_id",
		"notes": "array(select n.id from notes n where n.test_id = tests.id)",
	}
	testWords = columns{
		"title": "title", "scan_type": "scan_type", "version": "version", "branch_tag": "branch_tag", "build_id": "build_id",
		"commit_hash": "commit_hash",
	}
	testTimes  = columns{"target_start": "target_start", "target_end": "target_end", "created": "created", "updated": "updated"}
	testOrders = orders{
		"id": "id", "title": "title", "version": "version", "target_start": "target_start", "target_end": "target_end",
		"test_type": "(select t.name from test_types t where t.id = test_type_id)", "lead": "lead_id", "branch_tag": "branch_tag",
		"build_id": "build_id", "commit_hash": "commit_hash", "api_scan_configuration": "api_scan_configuration_id",
		"engagement": "engagement_id", "created": "created", "updated": "updated",
	}
)

// Test returns a test within scope.
func (s *Store) Test(ctx context.Context, scope gate.Scope, id int64) (gate.Test, error) {
	var w where
	w.and("id = ?", id)
	w.scope("product_id", scope)
	return one[gate.Test](ctx, s.db, "test", `select `+testColumns+` from tests`+w.sql.String(), w.args...)
}

// Tests returns the tests of f, by ID.
func (s *Store) Tests(ctx context.Context, f TestFilter) (List[gate.Test], error) {
	w := &where{}
	w.scope("product_id", f.Scope)
	err := firstError(
		numbers(w, testNumbers, f.In),
		words(w, testWords, f.OneOf),
		times(w, testTimes, f.Times),
	)
	if err != nil {
		return List[gate.Test]{}, err
	}
	f.Tags.on(w, "")
	f.EngagementTags.on(w, "engagement_id in (select id from engagements where %)")
	f.ProductTags.on(w, "product_id in (select id from products where %)")
	order, err := testOrders.by(f.Order, "id", "id")
	if err != nil {
		return List[gate.Test]{}, err
	}
	return list[gate.Test](ctx, s.db, testColumns, "tests", w, order, f.Page)
}

// AddManualTest adds a test to an engagement, whose product is the test's, and
// returns it with its ID.
func (s *Store) AddManualTest(ctx context.Context, t gate.Test) (gate.Test, error) {
	return one[gate.Test](ctx, s.db, "engagement", `
		insert into tests (engagement_id, product_id, test_type_id, scan_type, title, description, lead_id, target_start, target_end,
			percent_complete, environment_id, version, build_id, commit_hash, branch_tag, api_scan_configuration_id, tags)
		select e.id, e.product_id, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16
		from engagements e where e.id = $1
		returning `+testColumns, testValues(t)...)
}

// SaveTest writes what a test is now. It stays in its engagement.
func (s *Store) SaveTest(ctx context.Context, t gate.Test) (gate.Test, error) {
	return one[gate.Test](ctx, s.db, "test", `
		with changed as (
			update findings set test_type_id = $2 where test_id = $17 and test_type_id <> $2
		)
		update tests set test_type_id = $2, scan_type = $3, title = $4, description = $5, lead_id = $6, target_start = $7,
			target_end = $8, percent_complete = $9, environment_id = $10, version = $11, build_id = $12, commit_hash = $13,
			branch_tag = $14, api_scan_configuration_id = $15, tags = $16, updated = now()
		where id = $17 and engagement_id = $1 returning `+testColumns, append(testValues(t), t.ID)...)
}

func testValues(t gate.Test) []any {
	return []any{
		t.EngagementID, t.TestTypeID, t.ScanType, t.Title, t.Description, t.LeadID, t.TargetStart, t.TargetEnd, t.PercentComplete,
		t.EnvironmentID, t.Version, t.BuildID, t.CommitHash, t.BranchTag, t.APIScanConfigurationID, orEmpty(t.Tags),
	}
}
