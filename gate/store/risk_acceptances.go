package store

import (
	"context"
	"time"

	"defectdojo/gate"
)

// RiskAcceptance says why, by whom and for how long the risk of findings of one
// engagement is lived with. Recommendation and Decision are DefectDojo's letters:
// A accept, V avoid, M mitigate, F fix, T transfer.
type RiskAcceptance struct {
	ID                    int64
	EngagementID          int64
	Name                  string
	Recommendation        string
	RecommendationDetails *string
	Decision              string
	DecisionDetails       *string
	AcceptedBy            *string
	OwnerID               int64
	ExpirationDate        *time.Time
	ExpirationDateWarned  *time.Time
	ExpirationDateHandled *time.Time
	ReactivateExpired     bool
	RestartSLAExpired     bool `db:"restart_sla_expired"`
	Created               time.Time
	Updated               time.Time
	FindingIDs            []int64
	NoteIDs               []int64
	ProductID             int64
}

const (
	acceptanceColumns = `r.id, r.engagement_id, r.name, r.recommendation, r.recommendation_details, r.decision, r.decision_details, r.accepted_by, r.owner_id,
		r.expiration_date, r.expiration_date_warned, r.expiration_date_handled, r.reactivate_expired, r.restart_sla_expired, r.created, r.updated,
		array(select finding_id from risk_acceptance_findings x where x.risk_acceptance_id = r.id order by 1) as finding_ids,
		array(select id from notes n where n.risk_acceptance_id = r.id and not n.private order by 1) as note_ids, e.product_id`
	acceptanceTables = `risk_acceptances r join engagements e on e.id = r.engagement_id`
)

// RiskAcceptanceFilter narrows a list of risk acceptances.
type RiskAcceptanceFilter struct {
	Scope    gate.Scope
	IDs      []int64
	Findings []int64 // those that one of these is in
	Owners   []int64
	Name     *string
	Page
}

// RiskAcceptanceList returns the risk acceptances of f, by ID.
func (s *Store) RiskAcceptanceList(ctx context.Context, f RiskAcceptanceFilter) (List[RiskAcceptance], error) {
	var w where
	w.scope("e.product_id", f.Scope)
	oneOf(&w, "r.id", f.IDs)
	oneOf(&w, "r.owner_id", f.Owners)
	optional(&w, "r.name", f.Name)
	if f.Findings != nil {
		w.and("r.id in (select risk_acceptance_id from risk_acceptance_findings where finding_id = any(?))", f.Findings)
	}
	return list[RiskAcceptance](ctx, s.db, acceptanceColumns, acceptanceTables, &w, " order by r.id", f.Page)
}

// RiskAcceptance returns a risk acceptance within scope.
func (s *Store) RiskAcceptance(ctx context.Context, scope gate.Scope, id int64) (RiskAcceptance, error) {
	var w where
	w.and("r.id = ?", id)
	w.scope("e.product_id", scope)
	return one[RiskAcceptance](ctx, s.db, "risk acceptance", `select `+acceptanceColumns+` from `+acceptanceTables+w.sql.String(), w.args...)
}

// AddRiskAcceptance adds a risk acceptance with its findings, and returns its ID.
func (s *Store) AddRiskAcceptance(ctx context.Context, r RiskAcceptance) (int64, error) {
	id, err := scalar[int64](ctx, s.db, `
		insert into risk_acceptances (engagement_id, name, recommendation, recommendation_details, decision, decision_details, accepted_by, owner_id,
			expiration_date, reactivate_expired, restart_sla_expired, created, updated)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12) returning id`,
		r.EngagementID, r.Name, r.Recommendation, r.RecommendationDetails, r.Decision, r.DecisionDetails, r.AcceptedBy, r.OwnerID,
		r.ExpirationDate, r.ReactivateExpired, r.RestartSLAExpired, r.Created)
	if err != nil {
		return 0, conflict(err)
	}
	_, err = s.db.Exec(ctx, `insert into risk_acceptance_findings (risk_acceptance_id, finding_id) select $1, unnest($2::bigint[])`, id, r.FindingIDs)
	return id, err
}

// UpdateRiskAcceptance writes what a risk acceptance is now, but for its
// findings. With another end it is told of again.
func (s *Store) UpdateRiskAcceptance(ctx context.Context, r RiskAcceptance) error {
	return exec(ctx, s.db, "risk acceptance", `
		update risk_acceptances set name = $2, recommendation = $3, recommendation_details = $4, decision = $5, decision_details = $6, accepted_by = $7,
			owner_id = $8, reactivate_expired = $10, restart_sla_expired = $11, updated = $12,
			expiration_date_warned = case when expiration_date is not distinct from $9 then expiration_date_warned end,
			expiration_date_handled = case when expiration_date is not distinct from $9 then expiration_date_handled end,
			expiration_date = $9
		where id = $1`, r.ID, r.Name, r.Recommendation, r.RecommendationDetails, r.Decision, r.DecisionDetails, r.AcceptedBy,
		r.OwnerID, r.ExpirationDate, r.ReactivateExpired, r.RestartSLAExpired, r.Updated)
}

// DeleteRiskAcceptance removes a risk acceptance. Its findings stay as they are.
func (s *Store) DeleteRiskAcceptance(ctx context.Context, id int64) error {
	return exec(ctx, s.db, "risk acceptance", `delete from risk_acceptances where id = $1`, id)
}

// EndedRiskAcceptances returns those whose time is over at now, and whose end
// nobody has dealt with.
func (s *Store) EndedRiskAcceptances(ctx context.Context, now time.Time) ([]RiskAcceptance, error) {
	return many[RiskAcceptance](ctx, s.db, `
		select `+acceptanceColumns+` from `+acceptanceTables+`
		where r.expiration_date <= $1 and r.expiration_date_handled is null order by r.id limit 500`, now)
}

// EndRiskAcceptance notes that the end of a risk acceptance is dealt with, and
// tells whether nobody was quicker.
func (s *Store) EndRiskAcceptance(ctx context.Context, id int64, now time.Time) (bool, error) {
	tag, err := s.db.Exec(ctx, `update risk_acceptances set expiration_date_handled = $2 where id = $1 and expiration_date_handled is null`, id, now)
	return err == nil && tag.RowsAffected() == 1, err
}
