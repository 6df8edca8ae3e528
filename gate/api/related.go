package api

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/gate/store"
)

// related is what related_fields=true brings with a finding: where it is.
type related struct {
	Test *relatedTest `json:"test"`
	JIRA *jiraIssue   `json:"jira"`
}

type named struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

type relatedTest struct {
	ID          int64             `json:"id"`
	Title       *string           `json:"title"`
	TestType    named             `json:"test_type"`
	Engagement  relatedEngagement `json:"engagement"`
	Environment *named            `json:"environment"`
	BranchTag   *string           `json:"branch_tag"`
	BuildID     *string           `json:"build_id"`
	CommitHash  *string           `json:"commit_hash"`
	Version     *string           `json:"version"`
}

type relatedEngagement struct {
	ID             int64          `json:"id"`
	Name           string         `json:"name"`
	Description    *string        `json:"description"`
	Product        relatedProduct `json:"product"`
	TargetStart    day            `json:"target_start"`
	TargetEnd      day            `json:"target_end"`
	BranchTag      *string        `json:"branch_tag"`
	EngagementType string         `json:"engagement_type"`
	BuildID        *string        `json:"build_id"`
	CommitHash     *string        `json:"commit_hash"`
	Version        *string        `json:"version"`
	Created        stamp          `json:"created"`
	Updated        stamp          `json:"updated"`
}

type relatedProduct struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	ProdType named  `json:"prod_type"`
}

// relatedTests returns the tests of findings, by ID, with what they are in. Who
// may see a finding may see these.
func (r *request) relatedTests(rows []gate.Finding) (map[int64]*relatedTest, error) {
	var tests, engagements, products []int64
	for _, f := range rows {
		tests, engagements, products = append(tests, f.TestID), append(engagements, f.EngagementID), append(products, f.ProductID)
	}
	all := gate.Scope{All: true}
	ts, err := r.Store.Tests(r.ctx, store.TestFilter{Scope: all, In: map[string][]int64{"id": orEmpty(tests)}})
	if err != nil {
		return nil, err
	}
	es, err := r.relatedEngagements(engagements, products)
	if err != nil {
		return nil, err
	}
	var types, environments []int64
	for _, t := range ts.Rows {
		types, environments = append(types, t.TestTypeID), append(environments, ids(t.EnvironmentID)...)
	}
	names, err := r.testTypeNames(types)
	if err != nil {
		return nil, err
	}
	envs, err := r.Store.Environments(r.ctx, store.EnvironmentFilter{IDs: orEmpty(environments)})
	if err != nil {
		return nil, err
	}
	out := map[int64]*relatedTest{}
	for _, t := range ts.Rows {
		v := &relatedTest{
			ID: t.ID, Title: t.Title, TestType: named{t.TestTypeID, names[t.TestTypeID]}, Engagement: es[t.EngagementID],
			BranchTag: t.BranchTag, BuildID: t.BuildID, CommitHash: t.CommitHash, Version: t.Version,
		}
		for _, e := range envs.Rows {
			if t.EnvironmentID != nil && *t.EnvironmentID == e.ID {
				v.Environment = &named{e.ID, e.Name}
			}
		}
		out[t.ID] = v
	}
	return out, nil
}

func (r *request) relatedEngagements(engagements, products []int64) (map[int64]relatedEngagement, error) {
	all := gate.Scope{All: true}
	es, err := r.Store.Engagements(r.ctx, store.EngagementFilter{Scope: all, In: map[string][]int64{"id": orEmpty(engagements)}})
	if err != nil {
		return nil, err
	}
	ps, err := r.Store.Products(r.ctx, store.ProductFilter{Scope: all, In: map[string][]int64{"id": orEmpty(products)}})
	if err != nil {
		return nil, err
	}
	var types []int64
	for _, p := range ps.Rows {
		types = append(types, p.ProdTypeID)
	}
	pts, err := r.Store.ProductTypes(r.ctx, store.ProductTypeFilter{Scope: all, IDs: orEmpty(types)})
	if err != nil {
		return nil, err
	}
	typeNames := map[int64]string{}
	for _, t := range pts.Rows {
		typeNames[t.ID] = t.Name
	}
	byID := map[int64]relatedProduct{}
	for _, p := range ps.Rows {
		byID[p.ID] = relatedProduct{p.ID, p.Name, named{p.ProdTypeID, typeNames[p.ProdTypeID]}}
	}
	out := map[int64]relatedEngagement{}
	for _, e := range es.Rows {
		out[e.ID] = relatedEngagement{
			ID: e.ID, Name: e.Name, Description: e.Description, Product: byID[e.ProductID], TargetStart: day(e.TargetStart),
			TargetEnd: day(e.TargetEnd), BranchTag: e.BranchTag, EngagementType: e.EngagementType, BuildID: e.BuildID,
			CommitHash: e.CommitHash, Version: e.Version, Created: stamp(e.Created), Updated: stamp(e.Updated),
		}
	}
	return out, nil
}

// valid returns bytes as text that JSON can carry.
func valid(b []byte) string { return strings.ToValidUTF8(string(b), "�") }
