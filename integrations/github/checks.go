package github

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"
)

// Limits of check runs:
// https://docs.github.com/rest/checks/runs#create-a-check-run
const (
	MaxAnnotations = 50     // in one request
	maxText        = 65_535 // characters of a summary
	maxMessage     = 64 << 10
	maxTitle       = 255
)

// Check is a check run as it should be.
type Check struct {
	Name        string
	Commit      string
	ID          int64  // of the one to change; 0 makes one
	External    string // our name for it, by which it is found again
	Conclusion  string // success, failure, neutral, cancelled …; blank: it is not over
	Title       string
	Summary     string // Markdown
	URL         string
	Annotations []Annotation // worst first
	At          time.Time    // when it was over
}

// Annotation is a remark at a line.
type Annotation struct {
	Path    string
	Line    int
	Level   string // notice, warning or failure
	Title   string
	Message string
}

// PutCheck makes or changes a check run, with as many annotations as one request
// takes, adds the rest in further ones, and returns its id.
func (c *Client) PutCheck(ctx context.Context, repo Repo, k Check) (int64, error) {
	owner, name := repo.Split()
	gh, err := c.as(ctx, owner)
	if err != nil {
		return 0, err
	}
	first, rest := k.Annotations, []Annotation(nil)
	if len(first) > MaxAnnotations {
		first, rest = first[:MaxAnnotations], first[MaxAnnotations:]
	}
	status := "completed"
	var conclusion *string
	var at *github.Timestamp
	if conclusion = &k.Conclusion; k.Conclusion == "" {
		status, conclusion = "in_progress", nil
	} else {
		at = &github.Timestamp{Time: k.At.UTC()}
	}
	var run *github.CheckRun
	var resp *github.Response
	method := http.MethodPatch
	if k.ID == 0 {
		method = http.MethodPost
		run, resp, err = gh.Checks.CreateCheckRun(ctx, owner, name, github.CreateCheckRunOptions{
			Name: k.Name, HeadSHA: k.Commit, DetailsURL: orNil(k.URL), ExternalID: &k.External, Status: &status, Conclusion: conclusion, CompletedAt: at, Output: k.output(first),
		})
	} else {
		run, resp, err = gh.Checks.UpdateCheckRun(ctx, owner, name, k.ID, github.UpdateCheckRunOptions{
			Name: k.Name, DetailsURL: orNil(k.URL), ExternalID: &k.External, Status: &status, Conclusion: conclusion, CompletedAt: at, Output: k.output(first),
		})
	}
	if err != nil {
		return 0, c.failed("write check run", method, resp, err)
	}
	for id := run.GetID(); len(rest) > 0; {
		n := min(len(rest), MaxAnnotations)
		_, resp, err := gh.Checks.UpdateCheckRun(ctx, owner, name, id, github.UpdateCheckRunOptions{Name: k.Name, Output: k.output(rest[:n])})
		if err != nil {
			return id, c.failed("add annotations", http.MethodPatch, resp, err)
		}
		rest = rest[n:]
	}
	return run.GetID(), nil
}

func (k Check) output(list []Annotation) *github.CheckRunOutput {
	o := &github.CheckRunOutput{Title: new(cut(k.Title, maxTitle)), Summary: new(cut(k.Summary, maxText))}
	for _, a := range list {
		line := max(a.Line, 1)
		o.Annotations = append(o.Annotations, &github.CheckRunAnnotation{
			Path: &a.Path, StartLine: &line, EndLine: &line, AnnotationLevel: &a.Level, Title: new(cut(a.Title, maxTitle)), Message: new(cut(a.Message, maxMessage)),
		})
	}
	return o
}

// CheckRun is a check run that is there.
type CheckRun struct {
	ID          int64 // 0: there is none
	External    string
	Annotations int
}

// FindCheck returns the newest check run of a name at a commit for which our
// name begins with a prefix:
// https://docs.github.com/rest/checks/runs#list-check-runs-for-a-git-reference
func (c *Client) FindCheck(ctx context.Context, repo Repo, commit, name, prefix string) (found CheckRun, err error) {
	owner, repoName := repo.Split()
	gh, err := c.as(ctx, owner)
	if err != nil {
		return found, err
	}
	resp, err := each(10, func(o github.ListOptions) (*github.Response, error) {
		l, resp, err := gh.Checks.ListCheckRunsForRef(ctx, owner, repoName, commit, &github.ListCheckRunsOptions{CheckName: &name, Filter: new("all"), ListOptions: o})
		if err == nil {
			for _, r := range l.CheckRuns {
				if strings.HasPrefix(r.GetExternalID(), prefix) && r.GetID() > found.ID {
					found = CheckRun{r.GetID(), r.GetExternalID(), r.GetOutput().GetAnnotationsCount()}
				}
			}
		}
		return resp, err
	})
	return found, c.failed("list check runs", http.MethodGet, resp, err)
}

// Status is a commit status.
type Status struct {
	State       string // pending, success, failure or error
	Context     string
	Description string
	URL         string
}

const maxDescription = 140

// PutStatus writes a commit status. There can be a thousand of one context at a
// commit, so the caller does not repeat itself:
// https://docs.github.com/rest/commits/statuses#create-a-commit-status
func (c *Client) PutStatus(ctx context.Context, repo Repo, commit string, s Status) error {
	owner, name := repo.Split()
	gh, err := c.as(ctx, owner)
	if err != nil {
		return err
	}
	_, resp, err := gh.Repositories.CreateStatus(ctx, owner, name, commit, &github.RepoStatus{
		State: &s.State, Context: &s.Context, Description: new(cut(s.Description, maxDescription)), TargetURL: orNil(s.URL),
	})
	return c.failed("write commit status", http.MethodPost, resp, err)
}

// Shows tells whether a commit's newest status of a context says what s says:
// https://docs.github.com/rest/commits/statuses#list-commit-statuses-for-a-reference
func (c *Client) Shows(ctx context.Context, repo Repo, commit string, s Status) (bool, error) {
	owner, name := repo.Split()
	gh, err := c.as(ctx, owner)
	if err != nil {
		return false, err
	}
	var newest *github.RepoStatus
	resp, err := each(10, func(o github.ListOptions) (*github.Response, error) { // the newest come first
		l, resp, err := gh.Repositories.ListStatuses(ctx, owner, name, commit, &o)
		for _, v := range l {
			if newest == nil && v.GetContext() == s.Context {
				newest = v
			}
		}
		if newest != nil && resp != nil {
			resp.NextPage = 0
		}
		return resp, err
	})
	same := newest.GetState() == s.State && newest.GetDescription() == cut(s.Description, maxDescription)
	return same, c.failed("list commit statuses", http.MethodGet, resp, err)
}

func orNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// cut shortens a text to n characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}
