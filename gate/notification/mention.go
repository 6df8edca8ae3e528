package notification

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/gate/store"
)

// mention is a user's name in a note: after a space or at the start.
var mention = regexp.MustCompile(`(?:^|\s)@([\w.@+-]+)`)

// Mentions returns the user names that a text mentions, in lower case, each once.
func Mentions(text string) []string {
	var out []string
	for _, m := range mention.FindAllStringSubmatch(text, -1) {
		if name := strings.TrimRight(strings.ToLower(m[1]), "."); name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// ofNote tells those whom a note mentions and who may see what it is about. A
// private note is told nobody.
func ofNote(ctx context.Context, s *store.Store, e gate.Event) (Notice, error) {
	note, err := s.NotedFinding(ctx, e.NoteID)
	if err != nil || note.Private {
		return Notice{}, err
	}
	mentioned, err := s.ContactsByName(ctx, Mentions(note.Entry))
	if err != nil || len(mentioned) == 0 {
		return Notice{}, err
	}
	e.ProductID, e.EngagementID, e.TestID, e.ActorID = note.ProductID, note.EngagementID, note.TestID, note.AuthorID
	n, _, err := at(ctx, s, e, UserMentioned, fmt.Sprintf("note:%d", e.NoteID))
	if err != nil {
		return n, err
	}
	who, err := s.Addressees(ctx, note.ProductID, 0, idsOf(mentioned))
	if err != nil {
		return n, err
	}
	for _, a := range who {
		if a.Sees && slices.ContainsFunc(mentioned, func(c store.Contact) bool { return c.ID == a.ID }) {
			n.To = append(n.To, a.ID)
		}
	}
	n.Only = true
	n.Path, n.Finding = fmt.Sprintf("/findings/%d", note.FindingID), &Item{note.FindingID, note.Title, note.Severity}
	n.Title = by(n.Actor, "jotted a note")
	if n.Actor != nil {
		n.Title = n.Actor.Username + " jotted a note"
	}
	n.Description = clip(note.Entry, 200)
	return n, nil
}

func idsOf(contacts []store.Contact) []int64 {
	out := make([]int64, len(contacts))
	for i, c := range contacts {
		out[i] = c.ID
	}
	return out
}
