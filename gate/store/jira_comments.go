package store

import (
	"context"
	"time"
)

// TicketComment is something that is to be said on a ticket, once. Key tells it
// from the others of the ticket.
type TicketComment struct {
	ID   int64  `db:"id"`
	Key  string `db:"key"`
	Body string `db:"body"`
}

// AddTicketComment has something said on a ticket, if it was not before.
func (s *Store) AddTicketComment(ctx context.Context, ticket int64, key, body string) error {
	_, err := s.db.Exec(ctx, `insert into jira_comments (jira_issue_id, key, body) values ($1, $2, $3) on conflict do nothing`, ticket, key, body)
	return err
}

// AddTicketNotes has the notes on findings said on a ticket: those that are not
// private, and not from JIRA.
func (s *Store) AddTicketNotes(ctx context.Context, ticket int64, findings []int64, jiraUser string) error {
	_, err := s.db.Exec(ctx, `
		insert into jira_comments (jira_issue_id, key, body)
		select $1, 'note-' || n.id, '(' || u.username || '): ' || n.entry from notes n join users u on u.id = n.author_id
		where n.finding_id = any($2) and not n.private and u.username <> $3
		order by n.date, n.id on conflict do nothing`, ticket, orEmpty(findings), jiraUser)
	return err
}

// UnsaidComments returns what is still to be said on a ticket.
func (s *Store) UnsaidComments(ctx context.Context, ticket int64) ([]TicketComment, error) {
	return many[TicketComment](ctx, s.db, `select id, key, body from jira_comments where jira_issue_id = $1 and comment_id = '' order by id`, ticket)
}

// SaidComment notes that something was said.
func (s *Store) SaidComment(ctx context.Context, id int64, commentID string) error {
	_, err := s.db.Exec(ctx, `update jira_comments set comment_id = $2 where id = $1`, id, commentID)
	return err
}

// HearComment notes that a comment was heard on a ticket; false: it was before,
// or it is our own.
func (s *Store) HearComment(ctx context.Context, ticket int64, commentID string, now time.Time) (bool, error) {
	tag, err := s.db.Exec(ctx, `
		insert into jira_comments (jira_issue_id, key, comment_id, created)
		select $1, 'in-' || $2::text, $2, $3 where not exists (select from jira_comments where jira_issue_id = $1 and comment_id = $2)
		on conflict do nothing`, ticket, commentID, now)
	return tag.RowsAffected() == 1, err
}
