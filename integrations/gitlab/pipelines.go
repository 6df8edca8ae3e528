package gitlab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/xanzy/go-gitlab"

	"defectdojo/integrations"
)

// Pipeline is a pipeline.
type Pipeline struct {
	ID       int64
	Project  int64
	Status   string
	Source   string // what started it: push, merge_request_event, …
	Ref      string // a branch, a tag, or refs/merge-requests/…
	Commit   string
	Tag      bool
	User     string
	URL      string
	Updated  time.Time
	Finished bool
}

// over are the states in which a pipeline ends; one that waits for somebody to
// start a job by hand is over for us: what ran has left its reports.
var over = []string{"success", "failed", "canceled", "skipped", "manual"}

func pipeline(p *gitlab.Pipeline) Pipeline {
	out := Pipeline{
		ID: int64(p.ID), Project: int64(p.ProjectID), Status: p.Status, Source: p.Source, Ref: p.Ref, Commit: p.SHA, Tag: p.Tag, URL: p.WebURL, Finished: slices.Contains(over, p.Status),
	}
	if p.User != nil {
		out.User = p.User.Username
	}
	if p.UpdatedAt != nil {
		out.Updated = *p.UpdatedAt
	}
	return out
}

// Merge returns the number of the merge request that the pipeline is of, and
// whether it is of a merge train; 0 if it is of none.
func (p Pipeline) Merge() (number int, train bool) {
	number, kind := mergeOf(p.Ref)
	return number, kind == "train"
}

// Pipeline returns one: https://docs.gitlab.com/api/pipelines/#get-a-single-pipeline
func (c *Client) Pipeline(ctx context.Context, project, id int64) (Pipeline, error) {
	p, resp, err := c.api.Pipelines.GetPipeline(int(project), int(id), with(ctx))
	if err != nil {
		return Pipeline{}, c.failed("get pipeline", http.MethodGet, resp, err)
	}
	return pipeline(p), nil
}

// PipelinesSince lists those that changed since a time, oldest first, whose
// state is final: https://docs.gitlab.com/api/pipelines/#list-project-pipelines
func (c *Client) PipelinesSince(ctx context.Context, project int64, since time.Time) ([]Pipeline, error) {
	var out []Pipeline
	resp, err := each(10, func(o gitlab.ListOptions) (*gitlab.Response, error) {
		l, resp, err := c.api.Pipelines.ListProjectPipelines(int(project), &gitlab.ListProjectPipelinesOptions{
			ListOptions: o, UpdatedAfter: &since, OrderBy: new("updated_at"), Sort: new("asc"),
		}, with(ctx))
		for _, p := range l {
			if slices.Contains(over, p.Status) {
				v := Pipeline{ID: int64(p.ID), Project: int64(p.ProjectID), Status: p.Status, Source: p.Source, Ref: p.Ref, Commit: p.SHA, Finished: true}
				if p.UpdatedAt != nil {
					v.Updated = *p.UpdatedAt
				}
				out = append(out, v)
			}
		}
		return resp, err
	})
	return out, c.failed("list pipelines", http.MethodGet, resp, err)
}

// MaxArtifact is the size of the largest artifact that is downloaded, packed.
const MaxArtifact = 256 << 20

const downloadTimeout = 5 * time.Minute

// Job is a job that left an archive.
type Job struct {
	ID    int64
	Name  string
	Stage string
	Size  int64
}

// Jobs lists the jobs of a pipeline that left an archive; of those that were
// retried, the last: https://docs.gitlab.com/api/jobs/#list-pipeline-jobs
func (c *Client) Jobs(ctx context.Context, project, pipeline int64) ([]Job, error) {
	var out []Job
	resp, err := each(10, func(o gitlab.ListOptions) (*gitlab.Response, error) {
		l, resp, err := c.api.Jobs.ListPipelineJobs(int(project), int(pipeline), &gitlab.ListJobsOptions{ListOptions: o}, with(ctx))
		for _, j := range l {
			expired := j.ArtifactsExpireAt != nil && j.ArtifactsExpireAt.Before(c.now())
			if j.ArtifactsFile.Filename != "" && j.ErasedAt == nil && !expired {
				out = append(out, Job{int64(j.ID), j.Name, j.Stage, int64(j.ArtifactsFile.Size)})
			}
		}
		return resp, err
	})
	return out, c.failed("list jobs", http.MethodGet, resp, err)
}

// Download writes the archive of a job to w. GitLab sends it itself, or answers
// with the address of its object storage; that is given no credentials, and must
// be a host that is known: https://docs.gitlab.com/api/job_artifacts/#download-job-artifacts
func (c *Client) Download(ctx context.Context, project, job int64, w io.Writer) error {
	const op = "download artifacts"
	address := fmt.Sprintf("%s/api/v4/projects/%d/jobs/%d/artifacts", c.base, project, job)
	resp, err := c.get(ctx, c.raw, address, true)
	if err != nil {
		return c.failed(op, http.MethodGet, nil, err)
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
		_, err := io.Copy(w, resp.Body)
		return c.failed(op, http.MethodGet, nil, err)
	case http.StatusFound, http.StatusTemporaryRedirect, http.StatusSeeOther, http.StatusMovedPermanently:
	default:
		return c.failed(op, http.MethodGet, &gitlab.Response{Response: resp}, errors.New("GitLab does not give the archive"))
	}
	at, err := resp.Location()
	if err != nil || !c.keepsArtifacts(at) {
		host := "nothing"
		if at != nil {
			host = at.Host
		}
		return &integrations.Error{System: "gitlab", Op: op, Permanent: true, Err: fmt.Errorf("%s is not a host that is known to keep artifacts: add it to artifact_hosts", host)}
	}
	c.requests.Add(1)
	stored, err := c.get(ctx, c.plain, at.String(), false)
	if err != nil {
		return c.failed(op, http.MethodGet, nil, err)
	}
	defer stored.Body.Close()
	if stored.StatusCode != http.StatusOK { // the address has ended, perhaps: a new one is asked for next time
		return &integrations.Error{System: "gitlab", Op: op, Status: stored.StatusCode, Permanent: stored.StatusCode == http.StatusNotFound, Err: errors.New("the host that keeps the artifacts refuses them")}
	}
	_, err = io.Copy(w, stored.Body)
	return c.failed(op, http.MethodGet, nil, err)
}

func (c *Client) get(ctx context.Context, h *http.Client, address string, credentials bool) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", "defectdojo")
	if credentials {
		c.requests.Add(1)
		r.Header.Set("PRIVATE-TOKEN", strings.TrimSpace(c.cfg.Token))
	}
	return h.Do(r)
}

// keepsArtifacts tells whether an archive may be fetched from an address.
func (c *Client) keepsArtifacts(at *url.URL) bool {
	if at.Scheme != "https" && at.Scheme != c.base.Scheme || at.User != nil {
		return false
	}
	host := strings.ToLower(at.Hostname())
	hosts := c.cfg.Hosts
	if strings.EqualFold(c.base.Hostname(), "gitlab.com") {
		hosts = append([]string{"storage.googleapis.com", "cdn.artifacts.gitlab-static.net"}, hosts...)
	}
	return host == strings.ToLower(c.base.Hostname()) || slices.ContainsFunc(hosts, func(h string) bool {
		h = strings.ToLower(strings.TrimSpace(h))
		return h != "" && (host == h || strings.HasSuffix(host, "."+h))
	})
}
