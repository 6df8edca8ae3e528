package api

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/store"
	"defectdojo/gate/triage"
)

// findingNotes serves GET /findings/:id/notes.
func (a *api) findingNotes(r *request) error {
	f, err := a.findings().one(r)
	if err != nil {
		return err
	}
	notes, _, err := r.attached(store.NotesOf{FindingIDs: []int64{f.ID}})
	if err != nil {
		return err
	}
	return r.reply(fiber.StatusOK, map[string]any{"finding_id": f.ID, "notes": notes[f.ID]})
}

// addFindingNote serves POST /findings/:id/notes.
func (a *api) addFindingNote(r *request) error {
	f, who, err := a.actOn(r)
	if err != nil {
		return err
	}
	n, err := r.readNote()
	if err != nil {
		return err
	}
	n, err = r.Triage.AddNote(r.ctx, who, f.ID, triage.Note{Entry: n.Entry, TypeID: n.NoteTypeID, Private: n.Private})
	if err != nil {
		return err
	}
	return r.reply(fiber.StatusCreated, noteOf(n, map[int64]person{n.AuthorID: personOf(r.who.User)}))
}

// removeFindingNote serves PATCH /findings/:id/remove_note: authors remove
// their own notes, superusers any.
func (a *api) removeFindingNote(r *request) error {
	f, err := a.findings().allowed(r)
	if err != nil {
		return err
	}
	body, err := r.form()
	if err != nil {
		return err
	}
	var id *int64
	whole(body, "note_id", &id, 1, 1<<62)
	if id == nil {
		return fail{fiber.StatusBadRequest, map[string]string{"error": "('note_id') parameter missing"}}
	}
	notes, err := r.Store.Notes(r.ctx, store.NotesOf{FindingIDs: []int64{f.ID}, Reader: r.who.User.ID, All: r.who.User.IsSuperuser})
	if err != nil {
		return err
	}
	i := slices.IndexFunc(notes, func(n store.Note) bool { return n.ID == *id })
	switch {
	case i < 0:
		return fail{fiber.StatusBadRequest, map[string]string{"error": "Selected Note is not assigned to this Finding"}}
	case notes[i].AuthorID != r.who.User.ID && !r.who.User.IsSuperuser:
		return fail{fiber.StatusBadRequest, map[string]string{"error": "Delete Failed, You are not the Note's author"}}
	}
	if err := r.written("delete", "note", &f.ProductID, "", func(s *store.Store) (int64, error) { return *id, s.DeleteNote(r.ctx, f.ID, *id) }); err != nil {
		return err
	}
	return r.nothing()
}

// tags is a list of tags in a body.
type tags struct {
	Tags []string `json:"tags"`
}

// findingTags serves GET /findings/:id/tags.
func (a *api) findingTags(r *request) error {
	f, err := a.findings().one(r)
	if err != nil {
		return err
	}
	return r.reply(fiber.StatusOK, tags{f.Tags})
}

// addFindingTags serves POST /findings/:id/tags.
func (a *api) addFindingTags(r *request) error {
	f, err := a.editTags(r, func(have, given []string) ([]string, error) {
		for _, t := range given {
			if !slices.Contains(have, t) {
				have = append(have, t)
			}
		}
		return have, nil
	})
	if err != nil {
		return err
	}
	return r.reply(fiber.StatusOK, tags{f.Tags})
}

// removeFindingTags serves PUT and PATCH /findings/:id/remove_tags.
func (a *api) removeFindingTags(r *request) error {
	_, err := a.editTags(r, func(have, given []string) ([]string, error) {
		if len(given) == 0 {
			return nil, fail{fiber.StatusBadRequest, map[string]string{"error": "Empty Tag List Not Allowed"}}
		}
		for _, t := range given {
			if !slices.Contains(have, t) {
				list := "['" + strings.Join(have, "', '") + "']"
				return nil, fail{fiber.StatusBadRequest, map[string]string{"error": fmt.Sprintf("'%s' is not a valid tag in list '%s'", t, list)}}
			}
		}
		return slices.DeleteFunc(have, func(t string) bool { return slices.Contains(given, t) }), nil
	})
	if err != nil {
		return err
	}
	return r.nothing()
}

// editTags changes the tags of the finding that the path names by those of the body.
func (a *api) editTags(r *request, change func(have, given []string) ([]string, error)) (gate.Finding, error) {
	body, err := r.form()
	if err != nil {
		return gate.Finding{}, err
	}
	var given []string
	body.tags(&given, required)
	for try := 1; ; try++ {
		f, who, err := a.actOn(r)
		if err != nil {
			return f, err
		}
		if err := body.failed(); err != nil {
			return f, err
		}
		want := f
		if want.Tags, err = change(slices.Clone(f.Tags), given); err != nil {
			return f, err
		}
		after, err := r.Triage.Edit(r.ctx, who, f, want)
		if err == nil || gate.KindOf(err) != gate.Conflict || try == maxTries {
			return after, err
		}
	}
}

// requestResponse serves GET /findings/:id/request_response.
func (a *api) requestResponse(r *request) error {
	f, err := a.findings().one(r)
	if err != nil {
		return err
	}
	return a.replyPairs(r, f)
}

// addRequestResponse serves POST /findings/:id/request_response.
func (a *api) addRequestResponse(r *request) error {
	f, err := a.findings().allowed(r)
	if err != nil {
		return err
	}
	body, err := r.form()
	if err != nil {
		return err
	}
	items, _ := body.items("req_resp", required)
	var pairs []store.Pair
	for _, i := range items {
		p, err := pairOf(i)
		if err != nil {
			body.problems.add("req_resp", "All list items must be of dict type with keys 'request' and 'response'")
			break
		}
		p.FindingID = f.ID
		pairs = append(pairs, p)
	}
	if err := body.failed(); err != nil {
		return err
	}
	if err := r.written("add_request_response", "finding", &f.ProductID, "", func(s *store.Store) (int64, error) {
		for _, p := range pairs {
			if err := s.AddPair(r.ctx, p); err != nil {
				return f.ID, err
			}
		}
		return f.ID, nil
	}); err != nil {
		return err
	}
	return a.replyPairs(r, f)
}

func pairOf(v jsontext.Value) (store.Pair, error) {
	if s, ok := unquote(v); ok {
		v = jsontext.Value(s)
	}
	var e struct {
		Request  *string `json:"request"`
		Response *string `json:"response"`
	}
	if err := json.Unmarshal(v, &e); err != nil {
		return store.Pair{}, err
	}
	if e.Request == nil || e.Response == nil {
		return store.Pair{}, gate.Errorf(gate.Invalid, "no request or no response")
	}
	return store.Pair{Request: []byte(*e.Request), Response: []byte(*e.Response)}, nil
}

func (a *api) replyPairs(r *request, f gate.Finding) error {
	rows, err := r.Store.Pairs(r.ctx, []int64{f.ID})
	if err != nil {
		return err
	}
	var out exchanges
	for _, p := range rows {
		out.Pairs = append(out.Pairs, exchangeOf(p))
	}
	return r.reply(fiber.StatusOK, out)
}
