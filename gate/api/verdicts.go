package api

import (
	"cmp"
	"encoding/json"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
	"defectdojo/gate/verdict"
	"defectdojo/policies"
)

func (a *api) verdictRoutes() []route {
	return []route{
		{fiber.MethodGet, "/verdicts", auth.ViewVerdict, a.verdicts},
		{fiber.MethodPost, "/verdicts", auth.Import, a.judge},
		{fiber.MethodGet, "/verdicts/:id", auth.ViewVerdict, a.verdict},
		{fiber.MethodGet, "/verdicts/:id/report", auth.ViewVerdict, a.report},
		{fiber.MethodGet, "/verdicts/:id/explain", auth.ViewVerdict, a.explain},
	}
}

// judgeBody is what a verdict is asked for with.
type judgeBody struct {
	Engagement     int64  `json:"engagement"`
	ProductName    string `json:"product_name"` // with engagement_name instead of engagement
	EngagementName string `json:"engagement_name"`
	Event          string `json:"event"`
	Branch         string `json:"branch"`
	TargetBranch   string `json:"target_branch"`
	PullRequest    int    `json:"pull_request"`
	Commit         string `json:"commit"`
	BaseCommit     string `json:"base_commit"`
	MergeBase      string `json:"merge_base"`
	Repository     string `json:"repository"`
	Component      string `json:"component"`
	Environment    string `json:"environment"`
	BuildID        string `json:"build_id"`
	Fork           bool   `json:"fork"`
	Actor          string `json:"actor"`

	ArtifactDigests []string          `json:"artifact_digests"` // "sha256:…" of what is built
	Ancestors       []string          `json:"ancestors"`        // commits from the merge base back, the nearest first
	ChangedFiles    []string          `json:"changed_files"`    // null: not known
	RenamedFiles    map[string]string `json:"renamed_files"`    // new → old

	Policies []struct {
		Name string `json:"name"`
		Text string `json:"text"`
	} `json:"policies"`
}

// maxJudgeBody bounds the request: policies are text.
const maxJudgeBody = 1 << 20

// judged is a verdict with where people see it.
type judged struct {
	VerdictID  int64        `json:"verdict_id"`
	Product    int64        `json:"product"`
	URL        string       `json:"url"`
	Superseded *int64       `json:"superseded_by"`
	Cause      string       `json:"cause"` // asked, import, or what made it be judged again
	Verdict    gate.Verdict `json:"verdict"`
}

// judge serves POST /verdicts: it judges the newest reports of an engagement.
func (a *api) judge(r *request) error {
	b, err := r.limitedBody(maxJudgeBody)
	if err != nil {
		return err
	}
	var in judgeBody
	if err := json.Unmarshal(b, &in); err != nil {
		return gate.Errorf(gate.Invalid, "JSON request content is malformed")
	}
	if err := r.mayJudge(&in); err != nil {
		if gate.KindOf(err) == gate.NotFound { // whatever of it is not there, or not for them
			err = gate.Errorf(gate.NotFound, "no such engagement")
		}
		return err
	}
	if err := r.judgeInBounds(&in); err != nil {
		return err
	}
	ask := verdict.Request{
		EngagementID: in.Engagement, Event: policies.Event(in.Event), Branch: in.Branch, TargetBranch: in.TargetBranch, PullRequest: in.PullRequest,
		Commit: in.Commit, BaseCommit: in.BaseCommit, MergeBase: in.MergeBase, Repository: in.Repository, Component: in.Component, Environment: in.Environment,
		BuildID: in.BuildID, Fork: in.Fork, Actor: in.Actor,
		ArtifactDigests: in.ArtifactDigests, Ancestors: in.Ancestors, Changed: in.ChangedFiles, Renames: in.RenamedFiles,
	}
	for _, p := range in.Policies {
		ask.Policies = append(ask.Policies, verdict.Source{Name: p.Name, Text: p.Text})
	}
	j, err := r.Judge.Judge(r.ctx, ask, r.now)
	if err != nil {
		return err
	}
	return r.reply(fiber.StatusCreated, r.judged(store.StoredVerdict{ID: j.ID, ProductID: j.ProductID, Document: j.Verdict, Cause: verdict.Asked}))
}

// mayJudge looks the engagement up, and returns nil if the sender may have it judged.
func (r *request) mayJudge(in *judgeBody) error {
	if in.Engagement == 0 {
		var err error
		if in.Engagement, err = r.namedEngagement(in.ProductName, in.EngagementName); err != nil {
			return err
		}
	}
	product, err := r.Store.JudgedProduct(r.ctx, in.Engagement)
	if err != nil {
		return err
	}
	return r.may(product.ID)
}

// namedEngagement finds the newest engagement of a name in a product of a name.
func (r *request) namedEngagement(product, engagement string) (int64, error) {
	if product == "" || engagement == "" {
		return 0, gate.FieldErrorf("engagement", "This field is required.")
	}
	p, err := r.Store.ProductByName(r.ctx, product)
	if err != nil {
		return 0, err
	}
	id, err := r.Store.EngagementByName(r.ctx, p.ID, engagement)
	if err == nil && id == 0 {
		err = gate.Errorf(gate.NotFound, "no such engagement")
	}
	return id, err
}

func (r *request) judged(v store.StoredVerdict) judged {
	return judged{v.ID, v.ProductID, cmp.Or(r.SiteURL, r.BaseURL()) + "/verdicts/" + strconv.FormatInt(v.ID, 10), v.SupersededBy, v.Cause, v.Document}
}

// verdict returns the verdict that the path names, if the sender may see it.
func (r *request) verdict() (store.StoredVerdict, error) {
	id, err := r.id("verdict")
	if err != nil {
		return store.StoredVerdict{}, err
	}
	scope, err := r.Auth.Scope(r.ctx, r.who, auth.ViewVerdict)
	if err != nil {
		return store.StoredVerdict{}, err
	}
	return r.Store.Verdict(r.ctx, scope, id)
}

// verdict serves GET /verdicts/:id.
func (a *api) verdict(r *request) error {
	v, err := r.verdict()
	if err != nil {
		return err
	}
	return r.reply(fiber.StatusOK, r.judged(v))
}

// verdicts serves GET /verdicts: those of a product, an engagement or a commit,
// the newest first.
func (a *api) verdicts(r *request) error {
	q := r.query()
	p := q.page()
	f := store.VerdictFilter{Numbers: q.numbers("product", "engagement"), Commit: q.maybe("commit"), Page: p}
	err := q.err()
	if err != nil {
		return err
	}
	if f.Scope, err = r.Auth.Scope(r.ctx, r.who, auth.ViewVerdict); err != nil {
		return err
	}
	l, err := r.Store.Verdicts(r.ctx, f)
	if err != nil {
		return err
	}
	rows := []any{}
	for _, v := range l.Rows {
		rows = append(rows, r.judged(v))
	}
	return r.listing(q, p, l.Count, rows, nil)
}
