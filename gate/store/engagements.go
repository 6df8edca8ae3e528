package store

import (
	"context"

	"defectdojo/gate"
)

const engagementColumns = `id, product_id, name, description, version, first_contacted, target_start, target_end, lead_id,
	requester_id, preset_id, reason, active, tracker, test_strategy, threat_model, api_test, pen_test, check_list, progress,
	tmodel_path, done_testing, status, engagement_type, build_id, commit_hash, branch_tag, source_code_management_uri,
	cicd_build_server_id, cicd_scm_server_id, cicd_orchestration_engine_id, deduplication_on_engagement,
	tags, inherited_tags, created, updated`

// EngagementFilter narrows a list of engagements. The names in its maps are
// those of DefectDojo's API.
type EngagementFilter struct {
	Scope       gate.Scope
	Flags       map[string]bool     // active, threat_model, …: engagementFlags
	In          map[string][]int64  // id, product, product__prod_type, …: engagementNumbers
	OneOf       map[string][]string // name, status, version, …: engagementWords
	Times       map[string]Range    // target_start, updated, …: engagementTimes
	Tags        TagFilter
	ProductTags TagFilter
	Page
}

var (
	engagementFlags = columns{
		"active": "active", "threat_model": "threat_model", "api_test": "api_test", "pen_test": "pen_test", "check_list": "check_list",
		"deduplication_on_engagement": "deduplication_on_engagement",
	}
	engagementNumbers = columns{
		"id": "id", "product": "product_id", "lead": "lead_id", "requester": "requester_id",
		"product__prod_type": "(select p.prod_type_id from products p where p.id = product_id)",
	}
	engagementWords = columns{
		"name": "name", "status": "status", "version": "version", "engagement_type": "engagement_type",
		"branch_tag": "branch_tag", "build_id": "build_id", "commit_hash": "commit_hash",
	}
	engagementTimes  = columns{"target_start": "target_start", "target_end": "target_end", "updated": "updated", "created": "created"}
	engagementOrders = orders{
		"id": "id", "name": "name", "version": "version", "target_start": "target_start", "target_end": "target_end",
		"status": "status", "lead": "lead_id", "created": "created", "updated": "updated",
	}
)

// Engagement returns an engagement within scope.
func (s *Store) Engagement(ctx context.Context, scope gate.Scope, id int64) (gate.Engagement, error) {
	var w where
	w.and("id = ?", id)
	w.scope("product_id", scope)
	return one[gate.Engagement](ctx, s.db, "engagement", `select `+engagementColumns+` from engagements`+w.sql.String(), w.args...)
}

// Engagements returns the engagements of f, those that start last first.
func (s *Store) Engagements(ctx context.Context, f EngagementFilter) (List[gate.Engagement], error) {
	w := &where{}
	w.scope("product_id", f.Scope)
	err := firstError(
		flags(w, engagementFlags, f.Flags),
		numbers(w, engagementNumbers, f.In),
		words(w, engagementWords, f.OneOf),
		times(w, engagementTimes, f.Times),
	)
	if err != nil {
		return List[gate.Engagement]{}, err
	}
	f.Tags.on(w, "")
	f.ProductTags.on(w, "product_id in (select id from products where %)")
	order, err := engagementOrders.by(f.Order, "target_start desc", "id desc")
	if err != nil {
		return List[gate.Engagement]{}, err
	}
	return list[gate.Engagement](ctx, s.db, engagementColumns, "engagements", w, order, f.Page)
}

// AddEngagement adds an engagement and returns it with its ID. One without a
// name is named after its first day.
func (s *Store) AddEngagement(ctx context.Context, e gate.Engagement) (gate.Engagement, error) {
	return one[gate.Engagement](ctx, s.db, "engagement", `
		insert into engagements (product_id, name, description, version, first_contacted, target_start, target_end, lead_id,
			requester_id, preset_id, reason, active, tracker, test_strategy, threat_model, api_test, pen_test, check_list,
			status, engagement_type, build_id, commit_hash, branch_tag, source_code_management_uri, cicd_build_server_id,
			cicd_scm_server_id, cicd_orchestration_engine_id, deduplication_on_engagement, tags)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
			$25, $26, $27, $28, $29)
		returning `+engagementColumns, engagementValues(e)...)
}

// UpdateEngagement writes what an engagement is now. It stays in its product:
// its tests and findings carry the product's ID.
func (s *Store) UpdateEngagement(ctx context.Context, e gate.Engagement) (gate.Engagement, error) {
	return one[gate.Engagement](ctx, s.db, "engagement", `
		update engagements set name = $2, description = $3, version = $4, first_contacted = $5, target_start = $6,
			target_end = $7, lead_id = $8, requester_id = $9, preset_id = $10, reason = $11, active = $12, tracker = $13,
			test_strategy = $14, threat_model = $15, api_test = $16, pen_test = $17, check_list = $18, status = $19,
			engagement_type = $20, build_id = $21, commit_hash = $22, branch_tag = $23, source_code_management_uri = $24,
			cicd_build_server_id = $25, cicd_scm_server_id = $26, cicd_orchestration_engine_id = $27,
			deduplication_on_engagement = $28, tags = $29, updated = now()
		where id = $30 and product_id = $1 returning `+engagementColumns, append(engagementValues(e), e.ID)...)
}

func engagementValues(e gate.Engagement) []any {
	if e.Name == "" {
		e.Name = gate.DateOf(e.TargetStart).String()
	}
	return []any{
		e.ProductID, e.Name, e.Description, e.Version, e.FirstContacted, e.TargetStart, e.TargetEnd, e.LeadID,
		e.RequesterID, e.PresetID, e.Reason, e.Active, e.Tracker, e.TestStrategy, e.ThreatModel, e.APITest, e.PenTest, e.CheckList,
		e.Status, e.EngagementType, e.BuildID, e.CommitHash, e.BranchTag, e.SourceCodeManagementURI, e.CICDBuildServerID,
		e.CICDScmServerID, e.CICDOrchestrationEngineID, e.DeduplicationOnEngagement, orEmpty(e.Tags),
	}
}

// SetEngagementStatus opens or closes an engagement.
func (s *Store) SetEngagementStatus(ctx context.Context, id int64, active bool, status string) error {
	return exec(ctx, s.db, "engagement", `
		update engagements set active = $2, status = $3, updated = now() where id = $1`, id, active, status)
}
