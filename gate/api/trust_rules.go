package api

import (
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

func (a *api) trustRuleRoutes() []route {
	return []route{
		{fiber.MethodPost, "/oidc/token", auth.Public, a.exchange},
		{fiber.MethodGet, "/trust_rules", auth.ManageChannels, a.trustRules},
		{fiber.MethodPost, "/trust_rules", auth.ManageChannels, a.addTrustRule},
		{fiber.MethodGet, "/trust_rules/:id", auth.ManageChannels, a.trustRule},
		{fiber.MethodDelete, "/trust_rules/:id", auth.ManageChannels, a.deleteTrustRule},
	}
}

// maxExchange bounds the body: an identity token has some thousand bytes.
const maxExchange = 32 << 10

// exchange serves POST /oidc/token: an upload token for the identity token of a
// CI job of GitHub or GitLab.
func (a *api) exchange(r *request) error {
	b, err := r.limitedBody(maxExchange)
	if err != nil {
		return err
	}
	var in struct {
		Token string `json:"token"`
	}
	if err := json.Unmarshal(b, &in); err != nil || in.Token == "" {
		return gate.FieldErrorf("token", "send {\"token\": …} with the job's identity token")
	}
	x, err := r.Auth.Exchange(r.ctx, in.Token, auth.Client{IP: r.IP(), UserAgent: r.Get(fiber.HeaderUserAgent)})
	if err != nil {
		return err
	}
	type product struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
	}
	products := []product{}
	for _, p := range x.Products {
		products = append(products, product{p.ProductID, p.ProductName})
	}
	return r.reply(fiber.StatusOK, map[string]any{"token": x.Token, "expires": stamp(x.Expires), "branch": x.Branch, "products": products})
}

// trustRule is one as the API tells it.
type trustRule struct {
	ID            int64  `json:"id"`
	Product       int64  `json:"product"`
	Provider      string `json:"provider"`
	Issuer        string `json:"issuer"`
	RepositoryID  string `json:"repository_id"`
	OwnerID       string `json:"owner_id"`
	Repository    string `json:"repository"`
	DefaultBranch string `json:"default_branch"`
	Environment   string `json:"environment"`
	Workflow      string `json:"workflow"`
	Created       stamp  `json:"created"`
	LastUsed      *stamp `json:"last_used"`
}

func showTrustRule(t store.TrustRule) trustRule {
	return trustRule{
		t.ID, t.ProductID, t.Provider, t.Issuer, t.RepositoryID, t.OwnerID, t.Repository, t.DefaultBranch, t.Environment, t.Workflow, stamp(t.Created), maybe[stamp](t.LastUsed),
	}
}

// trustRules serves GET /trust_rules: those of the products whose integrations
// the sender manages.
func (a *api) trustRules(r *request) error {
	scope, err := r.Auth.Scope(r.ctx, r.who, r.do)
	if err != nil {
		return err
	}
	list, err := r.Store.TrustRules(r.ctx, scope)
	if err != nil {
		return err
	}
	q := r.query()
	p := q.page()
	if err := q.err(); err != nil {
		return err
	}
	rows := []any{}
	for i, t := range list {
		if i >= p.Offset && (p.Limit == 0 || i < p.Offset+p.Limit) {
			rows = append(rows, showTrustRule(t))
		}
	}
	return r.listing(q, p, len(list), rows, nil)
}

// trustRule serves GET /trust_rules/:id.
func (a *api) trustRule(r *request) error {
	t, err := r.namedTrustRule()
	if err != nil {
		return err
	}
	return r.reply(fiber.StatusOK, showTrustRule(t))
}

func (r *request) namedTrustRule() (store.TrustRule, error) {
	id, err := r.id("trust rule")
	if err != nil {
		return store.TrustRule{}, err
	}
	t, err := r.Store.TrustRule(r.ctx, gate.Scope{All: true}, id)
	if err != nil {
		return t, err
	}
	if err := r.may(t.ProductID); err != nil {
		if gate.KindOf(err) == gate.NotFound { // whatever of it is not for them
			err = gate.Errorf(gate.NotFound, "no such trust rule")
		}
		return t, err
	}
	return t, nil
}

// addTrustRule serves POST /trust_rules.
func (a *api) addTrustRule(r *request) error {
	f, err := r.form()
	if err != nil {
		return err
	}
	var t store.TrustRule
	f.reference(r.ctx, "product", &t.ProductID, required, r.seesProduct)
	f.text("provider", &t.Provider, 20, required)
	f.text("issuer", &t.Issuer, 300, 0)
	f.text("repository_id", &t.RepositoryID, 40, required)
	f.text("owner_id", &t.OwnerID, 40, required)
	f.text("repository", &t.Repository, 300, 0)
	f.text("default_branch", &t.DefaultBranch, 200, 0)
	f.text("environment", &t.Environment, 200, 0)
	f.text("workflow", &t.Workflow, 400, 0)
	if err := f.failed(); err != nil {
		return err
	}
	if err := r.may(t.ProductID); err != nil {
		return err
	}
	t.Provider = strings.ToLower(t.Provider)
	if t, err = r.Auth.AddTrustRule(r.ctx, r.who, t, auth.Client{IP: r.IP()}); err != nil {
		return err
	}
	return r.reply(fiber.StatusCreated, showTrustRule(t))
}

// deleteTrustRule serves DELETE /trust_rules/:id.
func (a *api) deleteTrustRule(r *request) error {
	t, err := r.namedTrustRule()
	if err != nil {
		return err
	}
	if err := r.Auth.RemoveTrustRule(r.ctx, r.who, t, auth.Client{IP: r.IP()}); err != nil {
		return err
	}
	return r.nothing()
}
