package store

import (
	"context"
	"time"
)

// Note is what somebody wrote about a finding, a test or an engagement.
// Exactly one of these has an ID.
type Note struct {
	ID           int64
	FindingID    *int64
	TestID       *int64
	EngagementID *int64
	Entry        string // Markdown
	Date         time.Time
	AuthorID     int64
	Private      bool
	Edited       bool
	EditorID     *int64
	EditTime     *time.Time
	NoteTypeID   *int64
}

const noteColumns = `id, finding_id, test_id, engagement_id, entry, date, author_id, private, edited, editor_id, edit_time, note_type_id`

// NotesOf says whose notes are wanted: those of findings, tests or engagements.
type NotesOf struct {
	FindingIDs, TestIDs, EngagementIDs []int64
	Reader                             int64 // whose own private notes are among them
	All                                bool  // private ones too
}

// Notes returns notes, the newest first.
func (s *Store) Notes(ctx context.Context, of NotesOf) ([]Note, error) {
	return many[Note](ctx, s.db, `
		select `+noteColumns+` from notes
		where (finding_id = any($1) or test_id = any($2) or engagement_id = any($3))
			and (not private or $4 or author_id = $5)
		order by date desc, id desc`, of.FindingIDs, of.TestIDs, of.EngagementIDs, of.All, of.Reader)
}

// AddNote adds a note and the first entry of its history.
func (s *Store) AddNote(ctx context.Context, n Note) (Note, error) {
	return one[Note](ctx, s.db, "note", `
		with added as (
			insert into notes (finding_id, test_id, engagement_id, entry, date, author_id, private, note_type_id)
			values ($1, $2, $3, $4, $5, $6, $7, $8) returning `+noteColumns+`
		), history as (
			insert into note_history (note_id, data, time, editor_id, note_type_id)
			select id, entry, date, author_id, note_type_id from added
		)
		select `+noteColumns+` from added`,
		n.FindingID, n.TestID, n.EngagementID, n.Entry, n.Date, n.AuthorID, n.Private, n.NoteTypeID)
}

// DeleteNote removes a note of a finding.
func (s *Store) DeleteNote(ctx context.Context, finding, note int64) error {
	return exec(ctx, s.db, "note", `delete from notes where id = $2 and finding_id = $1`, finding, note)
}
