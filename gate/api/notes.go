package api

import (
	"net/url"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate/store"
)

// note is a note as the API tells it.
type note struct {
	ID       int64    `json:"id"`
	Author   *person  `json:"author"`
	Editor   *person  `json:"editor"`
	History  []string `json:"history"`
	Entry    string   `json:"entry"`
	Date     stamp    `json:"date"`
	Private  bool     `json:"private"`
	Edited   bool     `json:"edited"`
	EditTime *stamp   `json:"edit_time"`
	NoteType *int64   `json:"note_type"`
}

// file is an attached file as the API tells it.
type file struct {
	ID    int64  `json:"id"`
	File  string `json:"file"`
	Title string `json:"title"`
}

// attached returns the notes and files of findings, tests or engagements, by
// their IDs. Private notes are for their author and superusers only.
func (r *request) attached(of store.NotesOf) (map[int64][]note, map[int64][]file, error) {
	of.Reader, of.All = r.who.User.ID, r.who.User.IsSuperuser
	rows, err := r.Store.Notes(r.ctx, of)
	if err != nil {
		return nil, nil, err
	}
	var who []int64
	for _, n := range rows {
		who = append(who, n.AuthorID)
		who = append(who, ids(n.EditorID)...)
	}
	people, err := r.people(who)
	if err != nil {
		return nil, nil, err
	}
	notes := map[int64][]note{}
	for _, n := range rows {
		owner := ownerOf(n.FindingID, n.TestID, n.EngagementID)
		notes[owner] = append(notes[owner], noteOf(n, people))
	}
	uploads, err := r.Store.Uploads(r.ctx, of)
	files := map[int64][]file{}
	for _, u := range uploads {
		owner := ownerOf(u.FindingID, u.TestID, u.EngagementID)
		files[owner] = append(files[owner], fileOf(u))
	}
	return notes, files, err
}

func ownerOf(p ...*int64) int64 { return ids(p...)[0] }

func noteOf(n store.Note, people map[int64]person) note {
	v := note{
		ID: n.ID, Entry: n.Entry, Date: stamp(n.Date), Private: n.Private, Edited: n.Edited,
		EditTime: maybe[stamp](n.EditTime), NoteType: n.NoteTypeID,
	}
	if p, ok := people[n.AuthorID]; ok {
		v.Author = &p
	}
	if n.EditorID != nil {
		if p, ok := people[*n.EditorID]; ok {
			v.Editor = &p
		}
	}
	return v
}

// readNote reads a new note from the body.
func (r *request) readNote() (store.Note, error) {
	f, err := r.form()
	if err != nil {
		return store.Note{}, err
	}
	n := store.Note{AuthorID: r.who.User.ID, Date: r.now}
	f.text("entry", &n.Entry, 0, required)
	f.flag("private", &n.Private, 0)
	f.maybeReference(r.ctx, "note_type", &n.NoteTypeID, r.kind("note_type"))
	return n, f.failed()
}

// addNote adds a note and answers it.
func (r *request) addNote(n store.Note) error {
	n, err := r.Store.AddNote(r.ctx, n)
	if err != nil {
		return err
	}
	return r.reply(fiber.StatusCreated, noteOf(n, map[int64]person{n.AuthorID: personOf(r.who.User)}))
}

// engagementNotes serves GET /engagements/:id/notes.
func (a *api) engagementNotes(r *request) error {
	e, err := a.engagements().one(r)
	if err != nil {
		return err
	}
	notes, _, err := r.attached(store.NotesOf{EngagementIDs: []int64{e.ID}})
	if err != nil {
		return err
	}
	return r.reply(fiber.StatusOK, map[string]any{"engagement_id": e.ID, "notes": notes[e.ID]})
}

// addEngagementNote serves POST /engagements/:id/notes.
func (a *api) addEngagementNote(r *request) error {
	e, err := a.engagements().allowed(r)
	if err != nil {
		return err
	}
	n, err := r.readNote()
	if err != nil {
		return err
	}
	n.EngagementID = &e.ID
	return r.addNote(n)
}

// testNotes serves GET /tests/:id/notes.
func (a *api) testNotes(r *request) error {
	t, err := a.tests().one(r)
	if err != nil {
		return err
	}
	notes, _, err := r.attached(store.NotesOf{TestIDs: []int64{t.ID}})
	if err != nil {
		return err
	}
	return r.reply(fiber.StatusOK, map[string]any{"test_id": t.ID, "notes": notes[t.ID]})
}

// addTestNote serves POST /tests/:id/notes.
func (a *api) addTestNote(r *request) error {
	t, err := a.tests().allowed(r)
	if err != nil {
		return err
	}
	n, err := r.readNote()
	if err != nil {
		return err
	}
	n.TestID = &t.ID
	return r.addNote(n)
}

// isWebAddress tells whether a text is an http or https URL, and so can be shown as a link.
func isWebAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}
