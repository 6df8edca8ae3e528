package tracker

import (
	"context"
	"path"
	"slices"
	"strings"

	"defectdojo/gate/store"
	"defectdojo/integrations/jira"
)

// mark is how a comment of ours is known again: whether it was made can be
// looked up, should its answer get lost.
func mark(key string) string { return "(DefectDojo " + key + ")" }

// speak says what is to be said, each once: a list of comments, unlike a
// search, is never behind.
func (s *session) speak(ctx context.Context, _ jira.Issue) error {
	if s.p.PushNotes {
		if err := s.Store.AddTicketNotes(ctx, s.k.ID, s.findingIDs(), User); err != nil {
			return err
		}
	}
	unsaid, err := s.Store.UnsaidComments(ctx, s.k.ID)
	if err != nil || len(unsaid) == 0 {
		return err
	}
	said, err := s.c.Comments(ctx, s.k.JIRAID)
	if err != nil {
		return err
	}
	for _, u := range unsaid {
		var id string
		if at := slices.IndexFunc(said, func(c jira.Comment) bool { return strings.HasSuffix(strings.TrimSpace(c.Body), mark(u.Key)) }); at >= 0 {
			id = said[at].ID
		} else if id, err = s.c.Comment(ctx, s.k.JIRAID, clip(u.Body, jira.MaxText-100)+"\n\n"+mark(u.Key)); err != nil {
			return err
		}
		if err := s.died("after the comment"); err != nil {
			return err
		}
		if err := s.said(ctx, u, id); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) said(ctx context.Context, u store.TicketComment, id string) error {
	ctx, cancel := afterwards(ctx)
	defer cancel()
	return s.Store.SaidComment(ctx, u.ID, id)
}

// Limits of attachments: JIRA's own default, and a number that nobody reads more of.
const (
	maxAttachment  = 10 << 20
	maxAttachments = 20
)

// attach adds the findings' files that the issue does not have, by their names.
func (s *session) attach(ctx context.Context, issue jira.Issue) error {
	if s.File == nil || !s.p.PushAttachments || len(s.subject.Findings) == 0 {
		return nil
	}
	files, err := s.Store.Uploads(ctx, store.NotesOf{FindingIDs: s.findingIDs()})
	if err != nil {
		return err
	}
	for i, f := range files {
		name := attachmentName(f)
		if i >= maxAttachments || f.Size > maxAttachment || slices.ContainsFunc(issue.Attachments, func(a jira.Attachment) bool { return a.Filename == name }) {
			continue
		}
		if err := s.attachOne(ctx, name, f.SHA256); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) attachOne(ctx context.Context, name string, sum []byte) error {
	r, err := s.File(ctx, sum)
	if err != nil {
		return err
	}
	defer r.Close()
	return s.c.Attach(ctx, s.k.JIRAID, name, r)
}

// attachmentName is a file's name at JIRA: of its content too, so that it is
// attached once.
func attachmentName(f store.Upload) string {
	name := path.Base(strings.ReplaceAll(f.Filename, `\`, "/"))
	if name == "." || name == "/" {
		name = "file"
	}
	name = strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`"<>|:*?;`, r) {
			return '_'
		}
		return r
	}, name)
	ext := path.Ext(name)
	return clip(strings.TrimSuffix(name, ext), 100) + "-" + hex8(f.SHA256) + ext
}
