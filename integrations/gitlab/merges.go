package gitlab

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/xanzy/go-gitlab"
)

// Merge is a merge request.
type Merge struct {
	Number       int // in its project
	Open         bool
	Head         string // its newest commit
	Base         string // the newest of the target branch that it was compared with
	MergeBase    string
	SourceBranch string
	TargetBranch string
	Source       int64 // the project that the change comes from
	Target       int64
	Author       string
	URL          string
	Pipeline     *Pipeline // the newest of the change; it is the source's project's if that is a fork
}

// IsFork tells whether the change comes from another project.
func (m Merge) IsFork() bool { return m.Source != m.Target }

// Merge returns a merge request: https://docs.gitlab.com/api/merge_requests/#get-single-mr
func (c *Client) Merge(ctx context.Context, project int64, number int) (Merge, error) {
	m, resp, err := c.api.MergeRequests.GetMergeRequest(int(project), number, nil, with(ctx))
	if err != nil {
		return Merge{}, c.failed("get merge request", http.MethodGet, resp, err)
	}
	return merge(m), nil
}

func merge(m *gitlab.MergeRequest) Merge {
	out := Merge{
		Number: m.IID, Open: m.State == "opened" || m.State == "locked", Head: m.SHA, Base: m.DiffRefs.StartSha, MergeBase: m.DiffRefs.BaseSha,
		SourceBranch: m.SourceBranch, TargetBranch: m.TargetBranch, Source: int64(m.SourceProjectID), Target: int64(m.TargetProjectID), URL: m.WebURL,
	}
	if m.Author != nil {
		out.Author = m.Author.Username
	}
	if m.HeadPipeline != nil {
		out.Pipeline = new(pipeline(m.HeadPipeline))
	}
	return out
}

// OpenMerges lists the open merge requests, the last changed first:
// https://docs.gitlab.com/api/merge_requests/#list-project-merge-requests
func (c *Client) OpenMerges(ctx context.Context, project int64) ([]Merge, error) {
	var out []Merge
	resp, err := each(3, func(o gitlab.ListOptions) (*gitlab.Response, error) {
		l, resp, err := c.api.MergeRequests.ListProjectMergeRequests(int(project), &gitlab.ListProjectMergeRequestsOptions{
			ListOptions: o, State: new("opened"), OrderBy: new("updated_at"), Sort: new("desc"),
		}, with(ctx))
		for _, m := range l {
			out = append(out, merge(m))
		}
		return resp, err
	})
	return out, c.failed("list merge requests", http.MethodGet, resp, err)
}

// MergeOf returns the open merge request of a branch; ok is false if there is none.
func (c *Client) MergeOf(ctx context.Context, project int64, branch string) (m Merge, ok bool, err error) {
	l, resp, err := c.api.MergeRequests.ListProjectMergeRequests(int(project), &gitlab.ListProjectMergeRequestsOptions{
		ListOptions: gitlab.ListOptions{PerPage: 20}, State: new("opened"), SourceBranch: &branch,
	}, with(ctx))
	if err != nil {
		return Merge{}, false, c.failed("find merge request", http.MethodGet, resp, err)
	}
	for _, v := range l {
		if v.SourceProjectID == v.TargetProjectID && v.SourceBranch == branch { // a list tells less than the thing itself
			m, err = c.Merge(ctx, project, v.IID)
			return m, err == nil, err
		}
	}
	return Merge{}, false, nil
}

// Changes returns the paths that a merge request touches, and the old names of
// those that it renames: https://docs.gitlab.com/api/merge_requests/#list-merge-request-diffs
func (c *Client) Changes(ctx context.Context, project int64, number int) (changed []string, renames map[string]string, err error) {
	changed, renames = []string{}, map[string]string{}
	resp, err := each(30, func(o gitlab.ListOptions) (*gitlab.Response, error) {
		l, resp, err := c.api.MergeRequests.ListMergeRequestDiffs(int(project), number, &gitlab.ListMergeRequestDiffsOptions{ListOptions: o}, with(ctx))
		for _, d := range l {
			changed = append(changed, d.NewPath)
			if d.RenamedFile {
				renames[d.NewPath] = d.OldPath
			}
		}
		return resp, err
	})
	return changed, renames, c.failed("list changes", http.MethodGet, resp, err)
}

// Note is our one note at a merge request.
type Note struct {
	Marker string // stands in the body, and in no other note of ours
	Body   string
	ID     int64 // of the note, if it is known
}

// PutNote writes our note: the one that is there is changed, whoever else copied
// its marker. It returns the note's id, and whether anything had to be written:
// https://docs.gitlab.com/api/notes/#merge-requests
func (c *Client) PutNote(ctx context.Context, project int64, number int, n Note) (id int64, written bool, err error) {
	there, err := c.findNote(ctx, project, number, n)
	if err != nil {
		return 0, false, err
	}
	if there == nil {
		made, resp, err := c.api.Notes.CreateMergeRequestNote(int(project), number, &gitlab.CreateMergeRequestNoteOptions{Body: &n.Body}, with(ctx))
		if err != nil {
			return 0, false, c.failed("write note", http.MethodPost, resp, err)
		}
		return int64(made.ID), true, nil
	}
	if there.Body == n.Body {
		return int64(there.ID), false, nil
	}
	_, resp, err := c.api.Notes.UpdateMergeRequestNote(int(project), number, there.ID, &gitlab.UpdateMergeRequestNoteOptions{Body: &n.Body}, with(ctx))
	return int64(there.ID), err == nil, c.failed("change note", http.MethodPut, resp, err)
}

// findNote returns our note; nil if there is none.
func (c *Client) findNote(ctx context.Context, project int64, number int, n Note) (*gitlab.Note, error) {
	if n.ID != 0 {
		there, resp, err := c.api.Notes.GetMergeRequestNote(int(project), number, int(n.ID), with(ctx))
		err = c.failed("read note", http.MethodGet, resp, err)
		if err == nil && there.ID == int(n.ID) {
			return there, nil
		}
		if !isStatus(err, http.StatusNotFound) {
			return nil, err
		}
	}
	self, err := c.selfID(ctx)
	if err != nil {
		return nil, err
	}
	var found *gitlab.Note
	resp, err := each(50, func(o gitlab.ListOptions) (*gitlab.Response, error) {
		l, resp, err := c.api.Notes.ListMergeRequestNotes(int(project), number, &gitlab.ListMergeRequestNotesOptions{
			ListOptions: o, OrderBy: new("created_at"), Sort: new("asc"),
		}, with(ctx))
		for _, v := range l {
			if found == nil && int64(v.Author.ID) == self && strings.Contains(v.Body, n.Marker) {
				found = v
			}
		}
		return resp, err
	})
	return found, c.failed("read notes", http.MethodGet, resp, err)
}

// Answer tells an external status check of a merge request what we think of a
// commit; passed, failed or pending. It does nothing where the merge request has
// no check of the name: https://docs.gitlab.com/api/status_checks/
func (c *Client) Answer(ctx context.Context, project int64, number int, check, commit, status string) (written bool, err error) {
	l, resp, err := c.api.ExternalStatusChecks.ListMergeStatusChecks(int(project), number, &gitlab.ListOptions{PerPage: 100}, with(ctx))
	if err = c.failed("list status checks", http.MethodGet, resp, err); err != nil {
		if isStatus(err, http.StatusNotFound) { // GitLab below Ultimate has none
			return false, nil
		}
		return false, err
	}
	for _, v := range l {
		if v.Name != check || v.Status == status {
			continue
		}
		resp, err := c.api.ExternalStatusChecks.SetExternalStatusCheckStatus(int(project), number, &gitlab.SetExternalStatusCheckStatusOptions{
			SHA: &commit, ExternalStatusCheckID: new(v.ID), Status: &status,
		}, with(ctx))
		if err = c.failed("answer status check", http.MethodPost, resp, err); err != nil {
			return written, err
		}
		written = true
	}
	return written, nil
}

// mergeOf returns the number in a ref of a merge request's pipeline, and its
// last word: head, merge (the merged result) or train.
func mergeOf(ref string) (number int, kind string) {
	rest, ok := strings.CutPrefix(ref, "refs/merge-requests/")
	if !ok {
		return 0, ""
	}
	text, kind, _ := strings.Cut(rest, "/")
	number, err := strconv.Atoi(text)
	if err != nil {
		return 0, ""
	}
	return number, kind
}
