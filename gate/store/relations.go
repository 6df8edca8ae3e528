package store

import (
	"context"
	"time"

	"defectdojo/gate"
)

// lookups are the tables that other rows refer to and anybody may.
var lookups = map[string]string{
	"user": "users", "group": "dojo_groups", "sla_configuration": "sla_configurations", "regulation": "regulations", "environment": "development_environments",
	"contact": "contacts", "preset": "engagement_presets", "test_type": "test_types", "note_type": "note_types",
	"cicd_infrastructure": "cicd_infrastructure", "api_scan_configuration": "product_api_scan_configurations",
	"tool_configuration": "tool_configurations", "tool_type": "tool_types",
}

// Exists tells whether there is a row of a kind: user, regulation, environment ….
func (s *Store) Exists(ctx context.Context, kind string, id int64) (bool, error) {
	table, ok := lookups[kind]
	if !ok {
		return false, gate.Errorf(gate.Internal, "no kind %q", kind)
	}
	return scalar[bool](ctx, s.db, `select exists (select from `+table+` where id = $1)`, id)
}

// lockable are the tables whose rows are read, changed and written back.
var lockable = map[string]string{
	"product type": "product_types", "product": "products", "engagement": "engagements", "test": "tests", "test type": "test_types",
	"notification": "notification_preferences", "notification webhook": "notification_webhooks", "notification channel": "connections",
	"JIRA instance": "jira_instances", "JIRA project": "jira_projects", "JIRA issue": "jira_issues", "finding": "findings", "metadata": "metadata", "environment": "development_environments", "policy": "policies", "tool type": "tool_types", "tool": "tool_configurations", "scan configuration": "product_api_scan_configurations", "waiver": "waivers", "risk acceptance": "risk_acceptances",
}

// Lock makes a row wait for this transaction: what is read of it from here on
// is what an update changes.
func (s *Store) Lock(ctx context.Context, kind string, id int64) error {
	table, ok := lockable[kind]
	if !ok {
		return gate.Errorf(gate.Internal, "no kind %q", kind)
	}
	return exec(ctx, s.db, kind, `select from `+table+` where id = $1 for update`, id)
}

// Owned is an ID that belongs to something else.
type Owned struct{ Owner, ID int64 }

// ByOwner groups rows by what they belong to.
func ByOwner(rows []Owned) map[int64][]int64 {
	m := make(map[int64][]int64)
	for _, r := range rows {
		m[r.Owner] = append(m[r.Owner], r.ID)
	}
	return m
}

// FindingLocations returns the IDs of findings' location references, in order.
func (s *Store) FindingLocations(ctx context.Context, findings []int64) ([]Owned, error) {
	return many[Owned](ctx, s.db, `
		select finding_id as owner, id from location_findings where finding_id = any($1) order by 1, 2`, orEmpty(findings))
}

// Endpoint is a place where a finding is.
type Endpoint struct {
	FindingID  int64
	LocationID int64
	Value      string // canonical text
	Status     string
}

// Endpoints returns the places of findings, in order.
func (s *Store) Endpoints(ctx context.Context, findings []int64) ([]Endpoint, error) {
	return many[Endpoint](ctx, s.db, `
		select f.finding_id, l.id as location_id, l.location_value as value, f.status
		from location_findings f join locations l on l.id = f.location_id
		where f.finding_id = any($1) order by 1, 3`, orEmpty(findings))
}

// Pair is an HTTP request and the response to it, of a finding.
type Pair struct {
	FindingID int64
	Request   []byte
	Response  []byte
}

// Pairs returns the requests and responses of findings.
func (s *Store) Pairs(ctx context.Context, findings []int64) ([]Pair, error) {
	return many[Pair](ctx, s.db, `
		select finding_id, request, response from request_response_pairs where finding_id = any($1) order by id`, orEmpty(findings))
}

// AddPair adds a request and response to a finding.
func (s *Store) AddPair(ctx context.Context, p Pair) error {
	_, err := s.db.Exec(ctx, `
		insert into request_response_pairs (finding_id, request, response) values ($1, $2, $3)`, p.FindingID, p.Request, p.Response)
	return conflict(err)
}

// Upload is an attached file, whose bytes are in the blob store.
type Upload struct {
	ID           int64
	FindingID    *int64
	TestID       *int64
	EngagementID *int64
	Title        string
	Filename     string
	SHA256       []byte `db:"sha256"`
	Size         int64
	Created      time.Time
}

// Uploads returns the files attached to findings, tests or engagements.
func (s *Store) Uploads(ctx context.Context, of NotesOf) ([]Upload, error) {
	return many[Upload](ctx, s.db, `
		select id, finding_id, test_id, engagement_id, title, filename, sha256, size, created from file_uploads
		where finding_id = any($1) or test_id = any($2) or engagement_id = any($3) order by id`,
		of.FindingIDs, of.TestIDs, of.EngagementIDs)
}

// AddUpload records a file whose bytes are in the blob store.
func (s *Store) AddUpload(ctx context.Context, u Upload) (Upload, error) {
	return one[Upload](ctx, s.db, "file", `
		insert into file_uploads (finding_id, test_id, engagement_id, title, filename, sha256, size, created)
		values ($1, $2, $3, $4, $5, $6, $7, $8) returning id, finding_id, test_id, engagement_id, title, filename, sha256, size, created`,
		u.FindingID, u.TestID, u.EngagementID, u.Title, u.Filename, u.SHA256, u.Size, u.Created)
}

// Group is a finding group, with one of its findings when it was asked by them.
type Group struct {
	ID        int64
	Name      string
	TestID    int64
	FindingID *int64
}

// TestGroups returns the finding groups of tests.
func (s *Store) TestGroups(ctx context.Context, tests []int64) ([]Group, error) {
	return many[Group](ctx, s.db, `
		select id, name, test_id, null::bigint as finding_id from finding_groups where test_id = any($1) order by id`, orEmpty(tests))
}

// FindingGroups returns the groups that findings are in.
func (s *Store) FindingGroups(ctx context.Context, findings []int64) ([]Group, error) {
	return many[Group](ctx, s.db, `
		select g.id, g.name, g.test_id, m.finding_id
		from finding_group_members m join finding_groups g on g.id = m.group_id where m.finding_id = any($1)`, orEmpty(findings))
}

// RiskAcceptances returns the IDs of the risk acceptances of engagements.
func (s *Store) RiskAcceptances(ctx context.Context, engagements []int64) ([]Owned, error) {
	return many[Owned](ctx, s.db, `
		select engagement_id as owner, id from risk_acceptances where engagement_id = any($1) order by id`, orEmpty(engagements))
}

// JIRAIssue is the issue of a finding in JIRA.
type JIRAIssue struct {
	ID             int64
	FindingID      int64
	JIRAID         string `db:"jira_id"`
	JIRAKey        string `db:"jira_key"`
	URL            string `db:"url"` // of the JIRA instance
	JIRAProjectID  *int64 `db:"jira_project_id"`
	EngagementID   *int64
	FindingGroupID *int64
	JIRACreation   *time.Time `db:"jira_creation"`
	JIRAChange     *time.Time `db:"jira_change"`
}

// JIRAIssues returns the issues of findings.
func (s *Store) JIRAIssues(ctx context.Context, findings []int64) ([]JIRAIssue, error) {
	return many[JIRAIssue](ctx, s.db, `
		select j.id, j.finding_id, j.jira_id, j.jira_key, coalesce(i.url, '') as url, j.jira_project_id, j.engagement_id,
			j.finding_group_id, j.jira_creation, j.jira_change
		from jira_issues j
		left join jira_projects p on p.id = j.jira_project_id
		left join jira_instances i on i.id = p.jira_instance_id
		where j.finding_id = any($1) and j.jira_key <> ''`, orEmpty(findings))
}

// OwnsScanConfiguration tells whether an API scan configuration is a product's own.
func (s *Store) OwnsScanConfiguration(ctx context.Context, product, id int64) (bool, error) {
	return scalar[bool](ctx, s.db, `
		select exists (select from product_api_scan_configurations where id = $2 and product_id = $1)`, product, id)
}

// SeesLocation tells whether a location is one of a product in scope.
func (s *Store) SeesLocation(ctx context.Context, scope gate.Scope, id int64) (bool, error) {
	return scalar[bool](ctx, s.db, `
		select exists (select from location_products where location_id = $1 and ($2 or product_id = any($3)))`,
		id, scope.All, orEmpty(scope.ProductIDs))
}
