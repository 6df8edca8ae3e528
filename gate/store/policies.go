package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
)

// PolicySource is the newest version of a policy that is kept on the server.
type PolicySource struct {
	Name   string
	Source string
}

// ActivePolicies returns the newest version of each policy that is switched on,
// for all products and for one.
func (s *Store) ActivePolicies(ctx context.Context, product int64) ([]PolicySource, error) {
	return many[PolicySource](ctx, s.db, `
		select distinct on (p.id) p.name, v.source
		from policies p join policy_versions v on v.policy_id = p.id
		where p.deleted is null and p.enabled and (p.product_id is null or p.product_id = $1)
		order by p.id, v.version desc`, product)
}

// Policy is a policy with its newest version.
type Policy struct {
	ID        int64
	Name      string
	ProductID *int64  // nil: for every product
	Product   *string // its name
	Enabled   bool
	Version   int
	Source    string
	Digest    []byte
	AuthorID  *int64 // of the version
	Author    string
	Comment   string
	Created   time.Time
	Updated   time.Time // when it was last changed, or switched on or off
	Written   time.Time // the version
}

const policyColumns = `p.id, p.name, p.product_id, r.name as product, p.enabled, v.version, v.source, v.digest, v.author_id, coalesce(u.username, '') as author, v.comment,
	p.created, p.updated, v.created as written`

const policyTables = `policies p
	join lateral (select * from policy_versions v where v.policy_id = p.id order by v.version desc limit 1) v on true
	left join products r on r.id = p.product_id
	left join users u on u.id = v.author_id`

// PolicyFilter selects policies: those of all products always, those of one
// product if that is in scope.
type PolicyFilter struct {
	Scope   gate.Scope
	Product *int64 // only those that judge this product
	Name    *string
	Page
}

// Policies returns the policies of f, by name.
func (s *Store) Policies(ctx context.Context, f PolicyFilter) (List[Policy], error) {
	w := policyScope(f.Scope)
	if f.Product != nil {
		w.and("(p.product_id is null or p.product_id = ?)", *f.Product)
	}
	optional(w, "p.name", f.Name)
	return list[Policy](ctx, s.db, policyColumns, policyTables, w, " order by p.name, p.id", f.Page)
}

func policyScope(scope gate.Scope) *where {
	w := &where{}
	w.and("p.deleted is null")
	if !scope.All {
		w.and("(p.product_id is null or p.product_id = any(?))", orEmpty(scope.ProductIDs))
	}
	return w
}

// Policy returns a policy that may be seen in scope.
func (s *Store) Policy(ctx context.Context, scope gate.Scope, id int64) (Policy, error) {
	w := policyScope(scope)
	w.and("p.id = ?", id)
	return one[Policy](ctx, s.db, "policy", `select `+policyColumns+` from `+policyTables+w.sql.String(), w.args...)
}

// PolicyVersion is one version of a policy.
type PolicyVersion struct {
	Version int
	Source  string
	Digest  []byte
	Author  string
	Comment string
	Created time.Time
}

// Before is the number of the version before it.
func (v PolicyVersion) Before() int { return v.Version - 1 }

// PolicyVersions returns the versions of a policy, the newest first.
func (s *Store) PolicyVersions(ctx context.Context, policy int64, p Page) (List[PolicyVersion], error) {
	var w where
	w.and("v.policy_id = ?", policy)
	return list[PolicyVersion](ctx, s.db, `v.version, v.source, v.digest, coalesce(u.username, '') as author, v.comment, v.created`,
		`policy_versions v left join users u on u.id = v.author_id`, &w, " order by v.version desc", p)
}

// AddPolicy adds a policy without a version. One of that name that was deleted
// comes back, with its versions.
func (s *Store) AddPolicy(ctx context.Context, name string, product *int64, enabled bool, now time.Time) (int64, error) {
	id, err := scalar[int64](ctx, s.db, `
		insert into policies (name, product_id, enabled, created, updated) values (@name, @product, @enabled, @now, @now)
		on conflict (name) do update set deleted = null, product_id = @product, enabled = @enabled, updated = @now where policies.deleted is not null
		returning id`, pgx.NamedArgs{"name": name, "product": product, "enabled": enabled, "now": now})
	if isNoRows(err) {
		return 0, gate.Errorf(gate.Conflict, "there is a policy of the name %s already", name)
	}
	return id, err
}

// NewPolicyVersion is a version to be added.
type NewPolicyVersion struct {
	PolicyID int64
	Source   string
	Digest   []byte
	AuthorID int64
	Comment  string
	Now      time.Time
}

// AddPolicyVersion adds a version, and returns its number.
func (s *Store) AddPolicyVersion(ctx context.Context, v NewPolicyVersion) (int, error) {
	n, err := scalar[int](ctx, s.db, `
		insert into policy_versions (policy_id, version, source, digest, author_id, comment, created)
		select @policy, coalesce(max(version), 0) + 1, @source, @digest, @author, @comment, @now from policy_versions where policy_id = @policy
		returning version`, pgx.NamedArgs{
		"policy": v.PolicyID, "source": v.Source, "digest": v.Digest, "author": v.AuthorID, "comment": v.Comment, "now": v.Now,
	})
	if err != nil {
		return 0, err
	}
	_, err = s.db.Exec(ctx, `update policies set updated = $2 where id = $1`, v.PolicyID, v.Now)
	return n, err
}

// SetPolicyEnabled switches a policy on or off.
func (s *Store) SetPolicyEnabled(ctx context.Context, id int64, enabled bool, now time.Time) error {
	return exec(ctx, s.db, "policy", `update policies set enabled = $2, updated = $3 where id = $1 and deleted is null`, id, enabled, now)
}

// DeletePolicy takes a policy away; its versions stay.
func (s *Store) DeletePolicy(ctx context.Context, id int64, now time.Time) error {
	return exec(ctx, s.db, "policy", `update policies set deleted = $2, updated = $2 where id = $1 and deleted is null`, id, now)
}
