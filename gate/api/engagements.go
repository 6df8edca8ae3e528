package api

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

var (
	engagementStatuses = []string{"Not Started", "Blocked", "Cancelled", "Completed", "In Progress", "On Hold", "Scheduled", "Waiting for Resource"}
	engagementTypes    = []string{"Interactive", "CI/CD"}
)

// engagement is an engagement as the API tells it, to clients of DefectDojo 2 and 3 both.
type engagement struct {
	ID                         int64    `json:"id"`
	Tags                       []string `json:"tags"`
	Name                       string   `json:"name"`
	Description                *string  `json:"description"`
	Version                    *string  `json:"version"`
	FirstContacted             *day     `json:"first_contacted"`
	TargetStart                day      `json:"target_start"`
	TargetEnd                  day      `json:"target_end"`
	Reason                     *string  `json:"reason"`
	Updated                    stamp    `json:"updated"`
	Created                    stamp    `json:"created"`
	Active                     bool     `json:"active"`
	Tracker                    *string  `json:"tracker"`
	TestStrategy               *string  `json:"test_strategy"`
	ThreatModel                bool     `json:"threat_model"`
	APITest                    bool     `json:"api_test"`
	PenTest                    bool     `json:"pen_test"`
	CheckList                  bool     `json:"check_list"`
	Status                     string   `json:"status"`
	Progress                   string   `json:"progress"`
	TmodelPath                 string   `json:"tmodel_path"`
	DoneTesting                bool     `json:"done_testing"`
	EngagementType             string   `json:"engagement_type"`
	BuildID                    *string  `json:"build_id"`
	CommitHash                 *string  `json:"commit_hash"`
	BranchTag                  *string  `json:"branch_tag"`
	SourceCodeManagementURI    *string  `json:"source_code_management_uri"`
	DeduplicationOnEngagement  bool     `json:"deduplication_on_engagement"`
	Lead                       *int64   `json:"lead"`
	Requester                  *int64   `json:"requester"`
	Preset                     *int64   `json:"preset"`
	ReportType                 *int64   `json:"report_type"`
	Product                    int64    `json:"product"`
	BuildServer                *int64   `json:"build_server"` // this and the next two: DefectDojo 2's names
	SourceCodeManagementServer *int64   `json:"source_code_management_server"`
	OrchestrationEngine        *int64   `json:"orchestration_engine"`
	CICDBuildServer            *int64   `json:"cicd_build_server"`
	CICDScmServer              *int64   `json:"cicd_scm_server"`
	CICDOrchestrationEngine    *int64   `json:"cicd_orchestration_engine"`
	Notes                      []note   `json:"notes"`
	Files                      []file   `json:"files"`
	RiskAcceptance             []int64  `json:"risk_acceptance"`
}

func (a *api) engagements() resource[gate.Engagement] {
	return resource[gate.Engagement]{
		path: "/engagements", model: "engagement",
		view: auth.View, add: auth.EditEngagement, edit: auth.EditEngagement, remove: auth.Delete,
		id:      func(e gate.Engagement) int64 { return e.ID },
		may:     func(r *request, e gate.Engagement) error { return r.may(e.ProductID) },
		version: func(e gate.Engagement) time.Time { return e.Updated },
		find: func(r *request, s *store.Store, id int64) (gate.Engagement, error) {
			scope, err := r.scope()
			if err != nil {
				return gate.Engagement{}, err
			}
			return s.Engagement(r.ctx, scope, id)
		},
		page: engagementPage,
		fresh: func(*request) gate.Engagement {
			return gate.Engagement{
				Active: true, ThreatModel: true, APITest: true, PenTest: true, CheckList: true, Status: "Not Started", EngagementType: "Interactive",
			}
		},
		read:   readEngagement,
		mayAdd: func(r *request, e gate.Engagement) error { return r.may(e.ProductID) },
		made: func(e gate.Engagement) gate.Event {
			return gate.Event{Action: "engagement", ProductID: e.ProductID, EngagementID: e.ID}
		},
		insert: func(ctx context.Context, s *store.Store, e gate.Engagement) (gate.Engagement, error) {
			return s.AddEngagement(ctx, e)
		},
		update: func(ctx context.Context, s *store.Store, e gate.Engagement) (gate.Engagement, error) {
			return s.UpdateEngagement(ctx, e)
		},
		delete: func(ctx context.Context, s *store.Store, id int64) error { return s.DeleteEngagement(ctx, id) },
		holds:  true,
		entry:  func(e gate.Engagement) (*int64, string) { return &e.ProductID, e.Name },
		gone: func(e gate.Engagement) gate.Event {
			return gate.Event{Action: "engagement", Title: e.Name, ProductID: e.ProductID}
		},
		show: showEngagements,
	}
}

func (a *api) engagementRoutes() []route {
	return append(a.engagements().routes(),
		route{fiber.MethodPost, "/engagements/:id/close", auth.EditEngagement, a.closeEngagement},
		route{fiber.MethodPost, "/engagements/:id/reopen", auth.EditEngagement, a.reopenEngagement},
		route{fiber.MethodGet, "/engagements/:id/notes", auth.View, a.engagementNotes},
		route{fiber.MethodPost, "/engagements/:id/notes", auth.AddNote, a.addEngagementNote},
	)
}

// closeEngagement serves POST /engagements/:id/close.
func (a *api) closeEngagement(r *request) error { return a.setEngagement(r, false) }

// reopenEngagement serves POST /engagements/:id/reopen.
func (a *api) reopenEngagement(r *request) error { return a.setEngagement(r, true) }

func (a *api) setEngagement(r *request, active bool) error {
	e, err := a.engagements().allowed(r)
	if err != nil {
		return err
	}
	actor, err := r.actor()
	if err != nil {
		return err
	}
	if err := r.Triage.SetEngagement(r.ctx, actor, e, active); err != nil {
		return err
	}
	return r.reply(fiber.StatusOK, struct{}{})
}

// seesProduct tells whether there is a product that the sender may see.
func (r *request) seesProduct(ctx context.Context, id int64) (bool, error) {
	scope, err := r.scope()
	if err != nil {
		return false, err
	}
	_, err = r.Store.Product(ctx, scope, id)
	return allows(err)
}

func engagementPage(r *request, q *query) (store.List[gate.Engagement], store.Page, error) {
	var none store.List[gate.Engagement]
	scope, err := r.scope()
	if err != nil {
		return none, store.Page{}, err
	}
	f := store.EngagementFilter{
		Scope:       scope,
		Flags:       q.flags("active", "threat_model", "api_test", "pen_test"),
		In:          q.numbers("id", "product__prod_type"),
		OneOf:       q.exactly("name", "version"),
		Times:       map[string]store.Range{},
		Tags:        q.tags(""),
		ProductTags: q.tags("product__"),
		Page:        q.page(),
	}
	if f.In["product"], err = q.reference(r.ctx, "product", r.seesProduct); err != nil {
		return none, f.Page, err
	}
	f.OneOf["status"] = q.choice("status", engagementStatuses...)
	q.onDay(f.Times, "target_start", "target_start")
	q.onDay(f.Times, "target_end", "target_end")
	if t := q.instant("updated"); t != nil {
		end := t.Add(time.Microsecond)
		f.Times["updated"] = store.Range{From: t, To: &end}
	}
	if err := q.err(); err != nil {
		return none, f.Page, err
	}
	l, err := r.Store.Engagements(r.ctx, f)
	return l, f.Page, err
}

func readEngagement(r *request, f *form, before gate.Engagement, e *gate.Engagement) {
	name := orNil(e.Name)
	f.optional("name", &name, 300)
	e.Name = ""
	if name != nil {
		e.Name = *name
	}
	f.reference(r.ctx, "product", &e.ProductID, required, func(ctx context.Context, id int64) (bool, error) {
		if before.ID != 0 { // it stays where it is: what is in it does, too
			return id == before.ProductID, nil
		}
		return r.seesProduct(ctx, id)
	})
	f.optional("description", &e.Description, 2000)
	f.optional("version", &e.Version, 100)
	f.maybeDate("first_contacted", &e.FirstContacted)
	f.date("target_start", &e.TargetStart, required)
	f.date("target_end", &e.TargetEnd, required)
	f.optional("reason", &e.Reason, 2000)
	f.optional("tracker", &e.Tracker, 200)
	f.optional("test_strategy", &e.TestStrategy, 200)
	f.flag("threat_model", &e.ThreatModel, 0)
	f.flag("api_test", &e.APITest, 0)
	f.flag("pen_test", &e.PenTest, 0)
	f.flag("check_list", &e.CheckList, 0)
	f.oneOf("status", &e.Status, 0, engagementStatuses...)
	f.oneOf("engagement_type", &e.EngagementType, 0, engagementTypes...)
	f.optional("build_id", &e.BuildID, 150)
	f.optional("commit_hash", &e.CommitHash, 150)
	f.optional("branch_tag", &e.BranchTag, 150)
	f.optional("source_code_management_uri", &e.SourceCodeManagementURI, 600)
	f.flag("deduplication_on_engagement", &e.DeduplicationOnEngagement, 0)
	f.maybeReference(r.ctx, "lead", &e.LeadID, r.kind("user"))
	f.maybeReference(r.ctx, "requester", &e.RequesterID, r.kind("contact"))
	f.maybeReference(r.ctx, "preset", &e.PresetID, r.kind("preset"))
	f.maybeReference(r.ctx, "cicd_build_server", &e.CICDBuildServerID, r.kind("cicd_infrastructure"))
	f.maybeReference(r.ctx, "cicd_scm_server", &e.CICDScmServerID, r.kind("cicd_infrastructure"))
	f.maybeReference(r.ctx, "cicd_orchestration_engine", &e.CICDOrchestrationEngineID, r.kind("cicd_infrastructure"))
	f.tags(&e.Tags, 0)
	if before.ID == 0 && e.TargetEnd.Before(e.TargetStart) && len(f.problems) == 0 {
		f.problems.add("non_field_errors", "Your target start date exceeds your target end date")
	}
	if e.SourceCodeManagementURI != nil && *e.SourceCodeManagementURI != "" && !isWebAddress(*e.SourceCodeManagementURI) {
		f.problems.add("source_code_management_uri", "Enter a valid URL.")
	}
}

func showEngagements(r *request, rows []gate.Engagement) ([]any, error) {
	ids := make([]int64, len(rows))
	for i, e := range rows {
		ids[i] = e.ID
	}
	notes, files, err := r.attached(store.NotesOf{EngagementIDs: ids})
	if err != nil {
		return nil, err
	}
	accepted, err := r.Store.RiskAcceptances(r.ctx, ids)
	if err != nil {
		return nil, err
	}
	acceptances := store.ByOwner(accepted)
	out := []any{}
	for _, e := range rows {
		v := engagementOf(e)
		v.Notes, v.Files, v.RiskAcceptance = notes[e.ID], files[e.ID], acceptances[e.ID]
		out = append(out, v)
	}
	return out, nil
}

func engagementOf(e gate.Engagement) engagement {
	return engagement{
		ID: e.ID, Tags: e.Tags, Name: e.Name, Description: e.Description, Version: e.Version, FirstContacted: maybe[day](e.FirstContacted),
		TargetStart: day(e.TargetStart), TargetEnd: day(e.TargetEnd), Reason: e.Reason, Updated: stamp(e.Updated), Created: stamp(e.Created),
		Active: e.Active, Tracker: e.Tracker, TestStrategy: e.TestStrategy, ThreatModel: e.ThreatModel, APITest: e.APITest, PenTest: e.PenTest,
		CheckList: e.CheckList, Status: e.Status, Progress: e.Progress, TmodelPath: e.TmodelPath, DoneTesting: e.DoneTesting,
		EngagementType: e.EngagementType, BuildID: e.BuildID, CommitHash: e.CommitHash, BranchTag: e.BranchTag,
		SourceCodeManagementURI: e.SourceCodeManagementURI, DeduplicationOnEngagement: e.DeduplicationOnEngagement,
		Lead: e.LeadID, Requester: e.RequesterID, Preset: e.PresetID, Product: e.ProductID,
		BuildServer: e.CICDBuildServerID, SourceCodeManagementServer: e.CICDScmServerID, OrchestrationEngine: e.CICDOrchestrationEngineID,
		CICDBuildServer: e.CICDBuildServerID, CICDScmServer: e.CICDScmServerID, CICDOrchestrationEngine: e.CICDOrchestrationEngineID,
	}
}
