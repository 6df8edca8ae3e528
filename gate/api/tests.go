package api

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/dedup"
	"defectdojo/gate/store"
)

// test is a test as the API tells it.
type test struct {
	ID                     int64          `json:"id"`
	Tags                   []string       `json:"tags"`
	TestTypeName           string         `json:"test_type_name"`
	FindingGroups          []findingGroup `json:"finding_groups"`
	ScanType               *string        `json:"scan_type"`
	Title                  *string        `json:"title"`
	Description            *string        `json:"description"`
	TargetStart            stamp          `json:"target_start"`
	TargetEnd              stamp          `json:"target_end"`
	PercentComplete        *int32         `json:"percent_complete"`
	Updated                stamp          `json:"updated"`
	Created                stamp          `json:"created"`
	Version                *string        `json:"version"`
	BuildID                *string        `json:"build_id"`
	CommitHash             *string        `json:"commit_hash"`
	BranchTag              *string        `json:"branch_tag"`
	Engagement             int64          `json:"engagement"`
	Lead                   *int64         `json:"lead"`
	TestType               int64          `json:"test_type"`
	Environment            *int64         `json:"environment"`
	APIScanConfiguration   *int64         `json:"api_scan_configuration"`
	Notes                  []note         `json:"notes"`
	Files                  []file         `json:"files"`
	DeduplicationAlgorithm string         `json:"deduplication_algorithm"`
	HashCodeFields         []dedup.Field  `json:"hash_code_fields"`
}

// findingGroup is a finding group as the API tells it.
type findingGroup struct {
	ID        int64      `json:"id"`
	Name      string     `json:"name"`
	Test      int64      `json:"test"`
	JIRAIssue *jiraIssue `json:"jira_issue"`
}

func (a *api) tests() resource[gate.Test] {
	return resource[gate.Test]{
		path: "/tests", model: "test",
		view: auth.View, add: auth.AddTest, edit: auth.EditTest, remove: auth.Delete,
		id:      func(t gate.Test) int64 { return t.ID },
		may:     func(r *request, t gate.Test) error { return r.may(t.ProductID) },
		version: func(t gate.Test) time.Time { return t.Updated },
		find: func(r *request, s *store.Store, id int64) (gate.Test, error) {
			scope, err := r.scope()
			if err != nil {
				return gate.Test{}, err
			}
			return s.Test(r.ctx, scope, id)
		},
		page:   testPage,
		fresh:  func(*request) gate.Test { return gate.Test{} },
		read:   readTest,
		mayAdd: func(r *request, t gate.Test) error { return r.may(t.ProductID) },
		made: func(t gate.Test) gate.Event {
			return gate.Event{Action: "test", ProductID: t.ProductID, EngagementID: t.EngagementID, TestID: t.ID}
		},
		insert: func(ctx context.Context, s *store.Store, t gate.Test) (gate.Test, error) {
			return s.AddManualTest(ctx, t)
		},
		update: func(ctx context.Context, s *store.Store, t gate.Test) (gate.Test, error) { return s.SaveTest(ctx, t) },
		delete: func(ctx context.Context, s *store.Store, id int64) error { return s.DeleteTest(ctx, id) },
		holds:  true,
		entry:  func(t gate.Test) (*int64, string) { return &t.ProductID, deref(t.Title) },
		gone: func(t gate.Test) gate.Event {
			return gate.Event{Action: "test", Title: deref(t.Title), ProductID: t.ProductID, EngagementID: t.EngagementID}
		},
		show: showTests,
		refers: references[gate.Test]{
			"engagement":  {a.toEngagements, func(t gate.Test) []int64 { return []int64{t.EngagementID} }},
			"test_type":   {a.toTestTypes, func(t gate.Test) []int64 { return []int64{t.TestTypeID} }},
			"environment": {a.toEnvironments, func(t gate.Test) []int64 { return ids(t.EnvironmentID) }},
			"lead":        {a.toUsers, func(t gate.Test) []int64 { return ids(t.LeadID) }},
		},
	}
}

func (a *api) testRoutes() []route {
	return append(a.tests().routes(),
		route{fiber.MethodGet, "/tests/:id/notes", auth.View, a.testNotes},
		route{fiber.MethodPost, "/tests/:id/notes", auth.AddNote, a.addTestNote},
	)
}

// seesEngagement tells whether the sender may see an engagement.
func (r *request) seesEngagement(ctx context.Context, id int64) (bool, error) {
	scope, err := r.scope()
	if err != nil {
		return false, err
	}
	_, err = r.Store.Engagement(ctx, scope, id)
	return allows(err)
}

func testPage(r *request, q *query) (store.List[gate.Test], store.Page, error) {
	var none store.List[gate.Test]
	scope, err := r.scope()
	if err != nil {
		return none, store.Page{}, err
	}
	f := store.TestFilter{
		Scope:          scope,
		In:             q.numbers("id", "percent_complete", "notes"),
		OneOf:          q.exactly("title", "version", "branch_tag", "build_id", "commit_hash", "scan_type"),
		Times:          map[string]store.Range{},
		Tags:           q.tags(""),
		EngagementTags: q.tags("engagement__"),
		ProductTags:    q.tags("engagement__product__"),
		Page:           q.page(),
	}
	for name, seen := range map[string]finder{
		"engagement": r.seesEngagement, "test_type": r.kind("test_type"), "api_scan_configuration": r.kind("api_scan_configuration"),
	} {
		if f.In[name], err = q.reference(r.ctx, name, seen); err != nil {
			return none, f.Page, err
		}
	}
	for _, name := range []string{"target_start", "target_end"} {
		if t := q.instant(name); t != nil {
			end := t.Add(time.Microsecond)
			f.Times[name] = store.Range{From: t, To: &end}
		}
	}
	if err := q.err(); err != nil {
		return none, f.Page, err
	}
	l, err := r.Store.Tests(r.ctx, f)
	return l, f.Page, err
}

func readTest(r *request, f *form, before gate.Test, t *gate.Test) {
	f.reference(r.ctx, "engagement", &t.EngagementID, required, func(ctx context.Context, id int64) (bool, error) {
		if before.ID != 0 { // it stays where it is: what is in it does, too
			return id == before.EngagementID, nil
		}
		scope, err := r.scope()
		if err != nil {
			return false, err
		}
		e, err := r.Store.Engagement(ctx, scope, id)
		t.ProductID = e.ProductID
		return allows(err)
	})
	f.reference(r.ctx, "test_type", &t.TestTypeID, required, r.kind("test_type"))
	f.optional("scan_type", &t.ScanType, 0)
	f.optional("title", &t.Title, 255)
	f.optional("description", &t.Description, 0)
	f.instant("target_start", &t.TargetStart, required)
	f.instant("target_end", &t.TargetEnd, required)
	whole(f, "percent_complete", &t.PercentComplete, -1<<31, 1<<31-1)
	f.optional("version", &t.Version, 100)
	f.optional("build_id", &t.BuildID, 150)
	f.optional("commit_hash", &t.CommitHash, 150)
	f.optional("branch_tag", &t.BranchTag, 150)
	f.maybeReference(r.ctx, "lead", &t.LeadID, r.kind("user"))
	f.maybeReference(r.ctx, "environment", &t.EnvironmentID, r.kind("environment"))
	f.maybeReference(r.ctx, "api_scan_configuration", &t.APIScanConfigurationID, r.kind("api_scan_configuration"))
	f.tags(&t.Tags, 0)
}

func showTests(r *request, rows []gate.Test) ([]any, error) {
	testIDs, types := make([]int64, len(rows)), make([]int64, len(rows))
	for i, t := range rows {
		testIDs[i], types[i] = t.ID, t.TestTypeID
	}
	notes, files, err := r.attached(store.NotesOf{TestIDs: testIDs})
	if err != nil {
		return nil, err
	}
	names, err := r.testTypeNames(types)
	if err != nil {
		return nil, err
	}
	identities, err := r.identities(names)
	if err != nil {
		return nil, err
	}
	groups, err := r.Store.TestGroups(r.ctx, testIDs)
	if err != nil {
		return nil, err
	}
	byTest := map[int64][]findingGroup{}
	for _, g := range groups {
		byTest[g.TestID] = append(byTest[g.TestID], findingGroup{ID: g.ID, Name: g.Name, Test: g.TestID})
	}
	out := []any{}
	for _, t := range rows {
		v := testOf(t)
		v.TestTypeName, v.FindingGroups, v.Notes, v.Files = names[t.TestTypeID], byTest[t.ID], notes[t.ID], files[t.ID]
		same := identities[v.TestTypeName]
		v.DeduplicationAlgorithm, v.HashCodeFields = string(same.Algorithm), same.Fields
		out = append(out, v)
	}
	return out, nil
}

func testOf(t gate.Test) test {
	return test{
		ID: t.ID, Tags: t.Tags, ScanType: t.ScanType, Title: t.Title, Description: t.Description, TargetStart: stamp(t.TargetStart),
		TargetEnd: stamp(t.TargetEnd), PercentComplete: t.PercentComplete, Updated: stamp(t.Updated), Created: stamp(t.Created),
		Version: t.Version, BuildID: t.BuildID, CommitHash: t.CommitHash, BranchTag: t.BranchTag, Engagement: t.EngagementID,
		Lead: t.LeadID, TestType: t.TestTypeID, Environment: t.EnvironmentID, APIScanConfiguration: t.APIScanConfigurationID,
	}
}

// testTypeNames returns the names of test types by ID.
func (r *request) testTypeNames(ids []int64) (map[int64]string, error) {
	l, err := r.Store.TestTypes(r.ctx, store.TestTypeFilter{IDs: orEmpty(ids)})
	names := map[int64]string{}
	for _, t := range l.Rows {
		names[t.ID] = t.Name
	}
	return names, err
}
