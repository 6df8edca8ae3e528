package store

import (
	"context"
	"time"

	"defectdojo/gate"
)

// TrustRule lets the jobs of a repository upload to a product by their identity.
type TrustRule struct {
	ID            int64      `db:"id"`
	ProductID     int64      `db:"product_id"`
	Provider      string     `db:"provider"`
	Issuer        string     `db:"issuer"`
	RepositoryID  string     `db:"repository_id"`
	OwnerID       string     `db:"owner_id"`
	Repository    string     `db:"repository"`
	DefaultBranch string     `db:"default_branch"`
	Environment   string     `db:"environment"`
	Workflow      string     `db:"workflow"`
	UserID        int64      `db:"user_id"`
	Created       time.Time  `db:"created"`
	LastUsed      *time.Time `db:"last_used"`
	ProductName   string     `db:"product_name"`
}

const trustRuleColumns = `r.id, r.product_id, r.provider, r.issuer, r.repository_id, r.owner_id, r.repository, r.default_branch, r.environment, r.workflow, r.user_id, r.created, r.last_used,
	p.name as product_name`

const trustRulesFrom = ` from trust_rules r join products p on p.id = r.product_id`

// TrustRules returns those of products in scope.
func (s *Store) TrustRules(ctx context.Context, scope gate.Scope) ([]TrustRule, error) {
	var w where
	w.scope("r.product_id", scope)
	return many[TrustRule](ctx, s.db, `select `+trustRuleColumns+trustRulesFrom+w.sql.String()+` order by p.name, r.id`, w.args...)
}

// TrustRule returns one of a product in scope.
func (s *Store) TrustRule(ctx context.Context, scope gate.Scope, id int64) (TrustRule, error) {
	var w where
	w.and("r.id = ?", id)
	w.scope("r.product_id", scope)
	return one[TrustRule](ctx, s.db, "trust rule", `select `+trustRuleColumns+trustRulesFrom+w.sql.String(), w.args...)
}

// TrustRulesFor returns the rules for a repository of an issuer.
func (s *Store) TrustRulesFor(ctx context.Context, issuer, repositoryID string) ([]TrustRule, error) {
	return many[TrustRule](ctx, s.db, `select `+trustRuleColumns+trustRulesFrom+` where r.issuer = $1 and r.repository_id = $2 order by r.id`, issuer, repositoryID)
}

// AddTrustRule adds one and returns its id.
func (s *Store) AddTrustRule(ctx context.Context, r TrustRule) (int64, error) {
	return scalar[int64](ctx, s.db, `
		insert into trust_rules (product_id, provider, issuer, repository_id, owner_id, repository, default_branch, environment, workflow, user_id)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning id`,
		r.ProductID, r.Provider, r.Issuer, r.RepositoryID, r.OwnerID, r.Repository, r.DefaultBranch, r.Environment, r.Workflow, r.UserID)
}

// DeleteTrustRule removes one, with the role that its jobs had in the product.
// The tokens that they still have end with it, and with the last rule their user.
func (s *Store) DeleteTrustRule(ctx context.Context, r TrustRule, at time.Time) error {
	if err := exec(ctx, s.db, "trust rule", `delete from trust_rules where id = $1`, r.ID); err != nil {
		return err
	}
	if _, err := s.db.Exec(ctx, `delete from members where user_id = $1 and product_id = $2`, r.UserID, r.ProductID); err != nil {
		return err
	}
	if err := s.RevokeTokens(ctx, r.UserID, at); err != nil {
		return err
	}
	_, err := s.db.Exec(ctx, `update users set is_active = false where id = $1 and not exists (select from trust_rules where user_id = $1)`, r.UserID)
	return err
}

// UseTrustRule notes that a job used one.
func (s *Store) UseTrustRule(ctx context.Context, id int64, at time.Time) error {
	_, err := s.db.Exec(ctx, `update trust_rules set last_used = $2 where id = $1`, id, at)
	return err
}

// UseIdentity notes that an identity token was used; false if it was before.
func (s *Store) UseIdentity(ctx context.Context, issuer, jti string, expires time.Time) (bool, error) {
	tag, err := s.db.Exec(ctx, `insert into identity_uses (issuer, jti, expires) values ($1, $2, $3) on conflict do nothing`, issuer, jti, expires)
	return err == nil && tag.RowsAffected() == 1, err
}
