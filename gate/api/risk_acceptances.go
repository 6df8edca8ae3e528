package api

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

// riskAcceptance is a risk acceptance as the API tells it, with its letters in words.
type riskAcceptance struct {
	ID                    int64   `json:"id"`
	Recommendation        string  `json:"recommendation"`
	Decision              string  `json:"decision"`
	Path                  string  `json:"path"`
	Name                  string  `json:"name"`
	RecommendationDetails *string `json:"recommendation_details"`
	DecisionDetails       *string `json:"decision_details"`
	AcceptedBy            *string `json:"accepted_by"`
	ExpirationDate        *stamp  `json:"expiration_date"`
	ExpirationDateWarned  *stamp  `json:"expiration_date_warned"`
	ExpirationDateHandled *stamp  `json:"expiration_date_handled"`
	ReactivateExpired     bool    `json:"reactivate_expired"`
	RestartSLAExpired     bool    `json:"restart_sla_expired"`
	Created               stamp   `json:"created"`
	Updated               stamp   `json:"updated"`
	Owner                 int64   `json:"owner"`
	AcceptedFindings      []int64 `json:"accepted_findings"`
	Notes                 []int64 `json:"notes"`
}

// treatments are DefectDojo's words for its letters.
var treatments = map[string]string{
	"A": "Accept (The risk is acknowledged, yet remains)",
	"V": "Avoid (Do not engage with whatever creates the risk)",
	"M": "Mitigate (The risk still exists, yet compensating controls make it less of a threat)",
	"F": "Fix (The risk is eradicated)",
	"T": "Transfer (The risk is transferred to a 3rd party)",
}

func riskAcceptanceOf(v store.RiskAcceptance) riskAcceptance {
	return riskAcceptance{
		ID: v.ID, Recommendation: treatments[v.Recommendation], Decision: treatments[v.Decision], Path: "No proof has been supplied", Name: v.Name,
		RecommendationDetails: v.RecommendationDetails, DecisionDetails: v.DecisionDetails, AcceptedBy: v.AcceptedBy,
		ExpirationDate: maybe[stamp](v.ExpirationDate), ExpirationDateWarned: maybe[stamp](v.ExpirationDateWarned),
		ExpirationDateHandled: maybe[stamp](v.ExpirationDateHandled), ReactivateExpired: v.ReactivateExpired, RestartSLAExpired: v.RestartSLAExpired,
		Created: stamp(v.Created), Updated: stamp(v.Updated), Owner: v.OwnerID, AcceptedFindings: v.FindingIDs, Notes: v.NoteIDs,
	}
}

func (a *api) riskAcceptances() resource[store.RiskAcceptance] {
	return resource[store.RiskAcceptance]{
		path: "/risk_acceptance", model: "risk acceptance", view: auth.View, edit: auth.AcceptRisk,
		id:      func(v store.RiskAcceptance) int64 { return v.ID },
		may:     func(r *request, v store.RiskAcceptance) error { return r.may(v.ProductID) },
		version: func(v store.RiskAcceptance) time.Time { return v.Updated },
		entry:   func(v store.RiskAcceptance) (*int64, string) { return &v.ProductID, v.Name },
		find: func(r *request, s *store.Store, id int64) (store.RiskAcceptance, error) {
			scope, err := r.scope()
			if err != nil {
				return store.RiskAcceptance{}, err
			}
			return s.RiskAcceptance(r.ctx, scope, id)
		},
		page: func(r *request, q *query) (store.List[store.RiskAcceptance], store.Page, error) {
			p := q.page()
			scope, err := r.scope()
			if err != nil {
				return store.List[store.RiskAcceptance]{}, p, err
			}
			l, err := r.Store.RiskAcceptanceList(r.ctx, store.RiskAcceptanceFilter{
				Scope: scope, IDs: q.number("id"), Findings: q.number("accepted_findings"), Owners: q.number("owner"), Name: q.maybe("name"), Page: p,
			})
			return l, p, err
		},
		read: func(r *request, f *form, before store.RiskAcceptance, v *store.RiskAcceptance) {
			f.riskAcceptance(r, v)
			var given []int64
			f.references(r.ctx, "accepted_findings", &given, 0, r.seesFinding)
			if slices.Sort(given); given != nil && !slices.Equal(given, before.FindingIDs) {
				f.problems.add("accepted_findings", "They stay as they are: accept others by another risk acceptance, or delete this one.")
			}
			v.Updated = r.now
		},
		update: func(ctx context.Context, s *store.Store, v store.RiskAcceptance) (store.RiskAcceptance, error) {
			return v, s.UpdateRiskAcceptance(ctx, v)
		},
		show: func(_ *request, rows []store.RiskAcceptance) ([]any, error) {
			out := []any{}
			for _, v := range rows {
				out = append(out, riskAcceptanceOf(v))
			}
			return out, nil
		},
		refers: references[store.RiskAcceptance]{
			"accepted_findings": {a.toFindings, func(v store.RiskAcceptance) []int64 { return v.FindingIDs }},
			"owner":             {a.toUsers, func(v store.RiskAcceptance) []int64 { return []int64{v.OwnerID} }},
		},
	}
}

func (a *api) riskAcceptanceRoutes() []route {
	return append(a.riskAcceptances().routes(),
		route{fiber.MethodPost, "/risk_acceptance", auth.AcceptRisk, a.addRiskAcceptance},
		route{fiber.MethodDelete, "/risk_acceptance/:id", auth.AcceptRisk, a.removeRiskAcceptance},
		route{fiber.MethodPost, "/findings/accept_risks", auth.AcceptRisk, a.acceptFindings},
		route{fiber.MethodPost, "/tests/:id/accept_risks", auth.AcceptRisk, a.acceptInTest},
		route{fiber.MethodPost, "/engagements/:id/accept_risks", auth.AcceptRisk, a.acceptInEngagement},
	)
}

// riskAcceptance reads what is said of a risk acceptance but its findings.
func (f *form) riskAcceptance(r *request, v *store.RiskAcceptance) {
	f.text("name", &v.Name, 300, required)
	f.treatment("recommendation", &v.Recommendation)
	f.optional("recommendation_details", &v.RecommendationDetails, 0)
	f.treatment("decision", &v.Decision)
	f.optional("decision_details", &v.DecisionDetails, 0)
	f.optional("accepted_by", &v.AcceptedBy, 200)
	f.maybeInstant("expiration_date", &v.ExpirationDate)
	f.flag("reactivate_expired", &v.ReactivateExpired, 0)
	f.flag("restart_sla_expired", &v.RestartSLAExpired, 0)
	f.reference(r.ctx, "owner", &v.OwnerID, 0, r.kind("user"))
}

// treatment reads one of DefectDojo's letters, or the words that it answers for them.
func (f *form) treatment(name string, into *string) {
	letter := ""
	f.oneOf(name, &letter, 0, append(slices.Collect(maps.Keys(treatments)), slices.Collect(maps.Values(treatments))...)...)
	for l, words := range treatments {
		if letter == l || letter == words {
			*into = l
		}
	}
}

// addRiskAcceptance serves POST /risk_acceptance.
func (a *api) addRiskAcceptance(r *request) error {
	f, err := r.form()
	if err != nil {
		return err
	}
	v := store.RiskAcceptance{Recommendation: "F", Decision: "A", ReactivateExpired: true, OwnerID: r.who.User.ID, Created: r.now}
	f.riskAcceptance(r, &v)
	f.references(r.ctx, "accepted_findings", &v.FindingIDs, required, r.seesFinding)
	slices.Sort(v.FindingIDs)
	v.FindingIDs = slices.Compact(v.FindingIDs)
	if err := f.failed(); err != nil {
		return err
	}
	for _, id := range v.FindingIDs { // they are seen: whether more than that is allowed, each product says
		if err := r.mayFinding(id); err != nil {
			return err
		}
	}
	who, err := r.actor()
	if err != nil {
		return err
	}
	if v, err = r.Triage.AcceptRisks(r.ctx, who, v); err != nil {
		return err
	}
	return a.riskAcceptances().reply(r, fiber.StatusCreated, v)
}

// mayFinding returns nil if the sender may do what the route says to a finding.
func (r *request) mayFinding(id int64) error {
	scope, err := r.scope()
	if err != nil {
		return err
	}
	f, err := r.Store.Finding(r.ctx, scope, id)
	if err != nil {
		return err
	}
	return r.may(f.ProductID)
}

// removeRiskAcceptance serves DELETE /risk_acceptance/:id: its findings are
// active again.
func (a *api) removeRiskAcceptance(r *request) error {
	v, err := a.riskAcceptances().allowed(r)
	if err != nil {
		return err
	}
	who, err := r.actor()
	if err != nil {
		return err
	}
	if err := r.Triage.RevokeRisks(r.ctx, who, v); err != nil {
		return err
	}
	return r.nothing()
}

// acceptFindings serves POST /findings/accept_risks.
func (a *api) acceptFindings(r *request) error {
	scope, err := r.Auth.Scope(r.ctx, r.who, r.do)
	if err != nil {
		return err
	}
	if !scope.All && len(scope.ProductIDs) == 0 {
		return gate.Errorf(gate.Forbidden, "You do not have permission to perform this action.")
	}
	return a.acceptWhere(r, store.FindingFilter{Scope: scope})
}

// acceptInTest serves POST /tests/:id/accept_risks.
func (a *api) acceptInTest(r *request) error {
	t, err := a.tests().one(r)
	if err == nil {
		err = r.may(t.ProductID)
	}
	if err != nil {
		return err
	}
	return a.acceptWhere(r, store.FindingFilter{Scope: gate.Scope{ProductIDs: []int64{t.ProductID}}, In: map[string][]int64{"test": {t.ID}}})
}

// acceptInEngagement serves POST /engagements/:id/accept_risks.
func (a *api) acceptInEngagement(r *request) error {
	e, err := a.engagements().one(r)
	if err == nil {
		err = r.may(e.ProductID)
	}
	if err != nil {
		return err
	}
	return a.acceptWhere(r, store.FindingFilter{Scope: gate.Scope{ProductIDs: []int64{e.ProductID}}, In: map[string][]int64{"test__engagement": {e.ID}}})
}

// acceptedRisk is a vulnerability that is lived with.
type acceptedRisk struct {
	VulnerabilityID string `json:"vulnerability_id"`
	Justification   string `json:"justification"`
	AcceptedBy      string `json:"accepted_by"`
}

const maxAcceptedRisks = 1000

// acceptWhere accepts the vulnerabilities that the body lists in the open
// findings of a filter: by one risk acceptance for each engagement.
func (a *api) acceptWhere(r *request, where store.FindingFilter) error {
	body, err := r.limitedBody(maxBody)
	if err != nil {
		return err
	}
	var risks []acceptedRisk
	if err := json.Unmarshal(body, &risks); err != nil {
		return problems{"non_field_errors": {"Expected a list of items with vulnerability_id, justification and accepted_by."}}
	}
	if len(risks) > maxAcceptedRisks {
		return gate.Errorf(gate.TooLarge, "These are more than %d risks.", maxAcceptedRisks)
	}
	who, err := r.actor()
	if err != nil {
		return err
	}
	out := []any{}
	for _, risk := range risks {
		if risk.VulnerabilityID == "" || risk.Justification == "" || risk.AcceptedBy == "" {
			return problems{"non_field_errors": {"Each item has a vulnerability_id, a justification and an accepted_by."}}
		}
		where.Flags, where.VulnerabilityIDs = map[string]bool{"active": true, "duplicate": false}, []string{risk.VulnerabilityID}
		l, err := r.Store.Findings(r.ctx, where)
		if err != nil {
			return err
		}
		for _, found := range byEngagement(l.Rows) {
			v, err := r.Triage.AcceptRisks(r.ctx, who, store.RiskAcceptance{
				Name: risk.VulnerabilityID, Recommendation: "F", Decision: "A", DecisionDetails: &risk.Justification, AcceptedBy: &risk.AcceptedBy,
				ReactivateExpired: true, OwnerID: r.who.User.ID, Created: r.now, FindingIDs: found,
			})
			if err != nil {
				return err
			}
			out = append(out, riskAcceptanceOf(v))
		}
	}
	return r.reply(fiber.StatusCreated, out)
}

// byEngagement returns the IDs of findings, those of one engagement together.
func byEngagement(rows []gate.Finding) [][]int64 {
	rows = slices.SortedStableFunc(slices.Values(rows), func(a, b gate.Finding) int { return cmp.Compare(a.EngagementID, b.EngagementID) })
	var out [][]int64
	for i, f := range rows {
		if i == 0 || f.EngagementID != rows[i-1].EngagementID {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], f.ID)
	}
	return out
}
