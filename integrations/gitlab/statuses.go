package gitlab

import (
	"context"
	"net/http"
	"strings"

	"github.com/xanzy/go-gitlab"
)

// Status is a commit's status under a name.
type Status struct {
	Name        string // "gate/shop"
	State       string // pending, running, success, failed or canceled
	Description string
	URL         string
	Ref         string // the branch, where it is known
	Pipeline    int64  // that it joins, where it is known
}

// The states that are used.
const (
	Pending  = "pending"
	Success  = "success"
	Failed   = "failed"
	Canceled = "canceled"
)

// maxDescription is what GitLab keeps: a column of 255 characters.
const maxDescription = 255

// SetStatus sets a commit's status, and tells whether anything had to be
// written: GitLab's statuses are a state machine that answers 400 to pending
// where pending is, and so on. What is there is read first, and what cannot
// change is as it should be:
// https://docs.gitlab.com/api/commits/#set-commit-pipeline-status
func (c *Client) SetStatus(ctx context.Context, project int64, commit string, s Status) (written bool, err error) {
	s.Description = clip(s.Description, maxDescription)
	there, err := c.status(ctx, project, commit, s)
	if err != nil {
		return false, err
	}
	if there != nil && there.Status == s.State && there.Description == s.Description { // whatever its address: it leads to what says the same
		return false, nil
	}
	o := &gitlab.SetCommitStatusOptions{State: gitlab.BuildStateValue(s.State), Name: &s.Name, Description: &s.Description}
	if s.URL != "" {
		o.TargetURL = &s.URL
	}
	if s.Ref != "" {
		o.Ref = &s.Ref
	}
	if s.Pipeline != 0 {
		o.PipelineID = new(int(s.Pipeline))
	}
	_, resp, err := c.api.Commits.SetCommitStatus(int(project), commit, o, with(ctx))
	if e := c.failed("set status", http.MethodPost, resp, err); e != nil {
		if isStatus(e, http.StatusBadRequest) && strings.Contains(e.Error(), "Cannot transition status") {
			return false, nil
		}
		return false, e
	}
	return true, nil
}

// status returns the newest status of a name; nil if there is none.
func (c *Client) status(ctx context.Context, project int64, commit string, s Status) (*gitlab.CommitStatus, error) {
	o := &gitlab.GetCommitStatusesOptions{ListOptions: gitlab.ListOptions{PerPage: 100}, Name: &s.Name}
	l, resp, err := c.api.Commits.GetCommitStatuses(int(project), commit, o, with(ctx))
	if err != nil {
		return nil, c.failed("read statuses", http.MethodGet, resp, err)
	}
	var newest *gitlab.CommitStatus
	for _, v := range l {
		if v.Name == s.Name && (s.Pipeline == 0 || int64(v.PipelineId) == s.Pipeline) && (newest == nil || v.ID > newest.ID) {
			newest = v
		}
	}
	return newest, nil
}
