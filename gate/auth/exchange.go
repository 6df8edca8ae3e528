package auth

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/store"
)

// jobTokenLife is how long a token lives that a job gets for its identity.
const jobTokenLife = 15 * time.Minute

// Exchanged is what a job gets for its identity token.
type Exchanged struct {
	Token    string
	Expires  time.Time
	Branch   string // the one that its reports have to be of
	Products []store.TrustRule
}

// Exchange gives a job that proves who it is a token for the products that
// trust its repository. An identity token is good for one exchange.
func (a *Auth) Exchange(ctx context.Context, token string, from Client) (Exchanged, error) {
	now := a.cfg.Now()
	if err := a.issuers.failures.check(from.IP, now); err != nil {
		return Exchanged{}, err
	}
	out, err := a.exchange(ctx, strings.TrimSpace(token), from, now)
	if gate.KindOf(err) == gate.Unauthorized {
		a.issuers.failures.add(from.IP, now)
	}
	return out, err
}

func (a *Auth) exchange(ctx context.Context, token string, from Client, now time.Time) (Exchanged, error) {
	id, err := a.identify(ctx, token)
	if err != nil {
		return Exchanged{}, err
	}
	rules, err := a.store.TrustRulesFor(ctx, id.URL, id.repositoryID)
	if err != nil {
		return Exchanged{}, err
	}
	rules = slices.DeleteFunc(rules, func(r store.TrustRule) bool { return !trusts(r, id) })
	if len(rules) == 0 {
		return Exchanged{}, refused("no product trusts the jobs of repository %s of owner %s: add a trust rule with these numbers", clip(id.repositoryID, 40), clip(id.ownerID, 40))
	}
	var defaults []string
	for _, r := range rules {
		if !slices.Contains(defaults, r.DefaultBranch) {
			defaults = append(defaults, r.DefaultBranch)
		}
	}
	bounds, err := id.bounds(defaults)
	if err != nil {
		return Exchanged{}, err
	}
	out := Exchanged{Expires: now.Add(jobTokenLife), Branch: bounds.Branch, Products: rules}
	err = a.store.Tx(ctx, func(s *store.Store, _ pgx.Tx) error {
		fresh, err := s.UseIdentity(ctx, id.URL, id.id, id.expires)
		if err != nil {
			return err
		}
		if !fresh {
			return refused("it was used before")
		}
		out.Token, err = a.jobToken(ctx, s, id, rules, bounds, from, now)
		return err
	})
	return out, err
}

// trusts tells whether a rule is for a job.
func trusts(r store.TrustRule, id identity) bool {
	return r.Provider == id.Provider && r.RepositoryID == id.repositoryID && r.OwnerID == id.ownerID &&
		(r.Environment == "" || r.Environment == id.environment) && (r.Workflow == "" || r.Workflow == id.workflow)
}

// jobToken makes the token, and writes down who got it.
func (a *Auth) jobToken(ctx context.Context, s *store.Store, id identity, rules []store.TrustRule, bounds *gate.Bounds, from Client, now time.Time) (string, error) {
	user, err := s.User(ctx, rules[0].UserID)
	if err != nil {
		return "", err
	}
	var products []int64
	for _, r := range rules {
		products = append(products, r.ProductID)
		if err := s.UseTrustRule(ctx, r.ID, now); err != nil {
			return "", err
		}
	}
	text, t, err := a.addToken(ctx, s, user, NewToken{Name: bounds.Job, Scope: gate.ScopeImport, ProductIDs: products, Expires: now.Add(jobTokenLife), Bounds: bounds})
	if err != nil {
		return "", err
	}
	for _, r := range rules {
		if err := s.AddAuditEvent(ctx, store.AuditEvent{
			At: now, ActorID: &user.ID, Actor: t.PublicID, Action: "exchange", Object: "trust_rule", ObjectID: &r.ID, ProductID: &r.ProductID, IP: from.IP,
			Changes: map[string]any{
				"repository": id.repository, "repository_id": id.repositoryID, "branch": id.branch, "pull_request": id.pullRequest, "run": id.run, "actor_id": id.actorID, "commit": id.commit,
			},
		}); err != nil {
			return "", err
		}
	}
	return text, nil
}

// AddTrustRule lets the jobs of a repository upload to a product. They act as a
// user of the repository's own, who can import into the product and no more.
func (a *Auth) AddTrustRule(ctx context.Context, who gate.Principal, r store.TrustRule, from Client) (store.TrustRule, error) {
	if err := a.checkTrustRule(&r); err != nil {
		return r, err
	}
	err := a.store.Tx(ctx, func(s *store.Store, _ pgx.Tx) error {
		var err error
		if r.UserID, err = a.jobUser(ctx, s, r); err != nil {
			return err
		}
		if r.ID, err = s.AddTrustRule(ctx, r); err != nil {
			return err
		}
		if err := s.AddMemberOnce(ctx, store.Member{UserID: &r.UserID, ProductID: &r.ProductID, Role: gate.Importer}); err != nil {
			return err
		}
		if err := s.AddAuditEvent(ctx, ruleEvent("add", who, r, from, a.cfg.Now())); err != nil {
			return err
		}
		r, err = s.TrustRule(ctx, gate.Scope{All: true}, r.ID)
		return err
	})
	if gate.KindOf(err) == gate.Conflict {
		err = gate.FieldErrorf("repository_id", "the product trusts this repository already")
	}
	return r, err
}

// jobUser returns as whom the jobs of a repository act, whatever they upload to.
func (a *Auth) jobUser(ctx context.Context, s *store.Store, r store.TrustRule) (int64, error) {
	rules, err := s.TrustRulesFor(ctx, r.Issuer, r.RepositoryID)
	if err != nil || len(rules) > 0 {
		return firstUser(rules), err
	}
	u, err := s.AddUser(ctx, store.Account{User: gate.User{
		Username: r.Provider + ":" + r.RepositoryID + ":" + strings.ToLower(randomText(6)), FirstName: clip(r.Repository, 100), LastName: "(CI)", IsActive: true,
	}})
	return u.ID, err
}

func firstUser(rules []store.TrustRule) int64 {
	if len(rules) == 0 {
		return 0
	}
	return rules[0].UserID
}

// RemoveTrustRule ends a rule, and with it the tokens that its jobs still have.
func (a *Auth) RemoveTrustRule(ctx context.Context, who gate.Principal, r store.TrustRule, from Client) error {
	return a.store.Tx(ctx, func(s *store.Store, _ pgx.Tx) error {
		if err := s.DeleteTrustRule(ctx, r, a.cfg.Now()); err != nil {
			return err
		}
		return s.AddAuditEvent(ctx, ruleEvent("delete", who, r, from, a.cfg.Now()))
	})
}

func ruleEvent(action string, who gate.Principal, r store.TrustRule, from Client, now time.Time) store.AuditEvent {
	return store.AuditEvent{
		At: now, ActorID: &who.User.ID, Actor: who.User.Username, Action: action, Object: "trust_rule", ObjectID: &r.ID, ProductID: &r.ProductID, IP: from.IP,
		Changes: map[string]any{"issuer": r.Issuer, "repository": r.Repository, "repository_id": r.RepositoryID, "owner_id": r.OwnerID, "default_branch": r.DefaultBranch, "environment": r.Environment, "workflow": r.Workflow},
	}
}

// checkTrustRule tells what is wrong with a rule, by field, and fills in what
// follows from the rest.
func (a *Auth) checkTrustRule(r *store.TrustRule) error {
	for _, v := range []*string{&r.Provider, &r.Issuer, &r.RepositoryID, &r.OwnerID, &r.Repository, &r.DefaultBranch, &r.Environment, &r.Workflow} {
		*v = strings.TrimSpace(*v)
	}
	if r.DefaultBranch == "" {
		r.DefaultBranch = "main"
	}
	for _, i := range PublicIssuers {
		if r.Issuer == "" && r.Provider == i.Provider {
			r.Issuer = i.URL
		}
	}
	issuer := a.issuers.byURL[r.Issuer]
	switch {
	case r.Provider != "github" && r.Provider != "gitlab":
		return gate.FieldErrorf("provider", "%q is not one of github and gitlab", r.Provider)
	case issuer == nil || issuer.Provider != r.Provider:
		return gate.FieldErrorf("issuer", "%q is not an issuer of %s that is trusted here: an operator can add it to DD_OIDC_ISSUERS", r.Issuer, r.Provider)
	case !isNumber(r.RepositoryID):
		return gate.FieldErrorf("repository_id", "the ID is a number: names can be given to others")
	case !isNumber(r.OwnerID):
		return gate.FieldErrorf("owner_id", "the ID is a number: names can be given to others")
	}
	return nil
}

// TrustedIssuers lists whose identity tokens are believed.
func (a *Auth) TrustedIssuers() []Issuer { return slices.Concat(PublicIssuers, a.issuers.Issuers) }

func isNumber(s string) bool {
	return s != "" && len(s) <= 20 && strings.Trim(s, "0123456789") == ""
}

// How many tokens of an address are refused in a minute before it has to wait.
// Those that are good are not counted: many runners share an address.
const failureLimit = 30

// failures counts refused tokens by address, on this node.
type failures struct {
	mu    sync.Mutex
	since time.Time
	count map[string]int
}

func (f *failures) check(address string, now time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now.Sub(f.since) >= time.Minute || len(f.count) > 10_000 {
		f.since, f.count = now, map[string]int{}
	}
	if f.count[address] >= failureLimit {
		return &gate.Error{Kind: gate.Limited, Message: "too many identity tokens of this address were refused", After: time.Minute}
	}
	return nil
}

func (f *failures) add(address string, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.count == nil {
		f.since, f.count = now, map[string]int{}
	}
	f.count[address]++
}
