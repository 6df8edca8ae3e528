package store

import "context"

// Contact is how a user can be reached.
type Contact struct {
	ID          int64  `db:"id"`
	Username    string `db:"username"`
	Email       string `db:"email"`
	FirstName   string `db:"first_name"`
	LastName    string `db:"last_name"`
	IsActive    bool   `db:"is_active"`
	SlackUserID string `db:"slack_user_id"`
}

const contactQuery = `
	select u.id, u.username, u.email, u.first_name, u.last_name, u.is_active, coalesce(c.slack_user_id, '') as slack_user_id
	from users u left join user_contact_infos c on c.user_id = u.id`

// Contacts returns how users can be reached.
func (s *Store) Contacts(ctx context.Context, ids []int64) ([]Contact, error) {
	return many[Contact](ctx, s.db, contactQuery+` where u.id = any($1) order by u.id`, orEmpty(ids))
}

// ContactsByName returns the active users of some names, in any letter case.
func (s *Store) ContactsByName(ctx context.Context, names []string) ([]Contact, error) {
	return many[Contact](ctx, s.db, contactQuery+` where u.is_active and lower(u.username) = any($1) order by u.id`, orEmpty(names))
}

// ContactsByEmail returns the active users of an e-mail address.
func (s *Store) ContactsByEmail(ctx context.Context, email string) ([]Contact, error) {
	return many[Contact](ctx, s.db, contactQuery+` where u.is_active and lower(u.email) = lower($1) and u.email <> '' order by u.id`, email)
}

// ContactsBySlack returns the active users who are somebody in Slack. What users
// say of themselves does not count: whoever clicks there acts as them.
func (s *Store) ContactsBySlack(ctx context.Context, slackID string) ([]Contact, error) {
	return many[Contact](ctx, s.db, contactQuery+` where u.is_active and c.slack_user_id = $1 and not c.slack_declared and $1 <> '' order by u.id`, slackID)
}

// SetSlackUser notes who a user is in Slack.
func (s *Store) SetSlackUser(ctx context.Context, user int64, slackID string) error {
	_, err := s.db.Exec(ctx, `
		insert into user_contact_infos (user_id, slack_user_id) values ($1, $2) on conflict (user_id) do update set slack_user_id = $2, slack_declared = false`, user, slackID)
	return err
}

// DeclareSlackUser notes who a user says that they are in Slack; blank: they are
// found by their e-mail address.
func (s *Store) DeclareSlackUser(ctx context.Context, user int64, slackID string) error {
	_, err := s.db.Exec(ctx, `
		insert into user_contact_infos (user_id, slack_user_id, slack_declared) values ($1, $2, $2 <> '')
		on conflict (user_id) do update set slack_user_id = $2, slack_declared = $2 <> ''
		where user_contact_infos.slack_user_id <> $2`, user, slackID)
	return err
}
