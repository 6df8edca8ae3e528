package github

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

	"github.com/google/go-github/v60/github"

	"defectdojo/integrations"
)

// MaxArtifact is the size of the largest artifact that is downloaded, packed.
const MaxArtifact = 256 << 20

const downloadTimeout = 5 * time.Minute

// artifactHosts are where GitHub keeps artifacts; a name beneath one is good too:
// https://docs.github.com/actions/reference/github-hosted-runners-reference
var artifactHosts = []string{"blob.core.windows.net", "actions.githubusercontent.com", "githubusercontent.com"}

// Artifact is what a run left: a zip.
type Artifact struct {
	ID      int64
	Name    string
	Size    int64
	Expired bool
	Created time.Time
}

// Artifacts lists those of a run: https://docs.github.com/rest/actions/artifacts#list-workflow-run-artifacts
func (c *Client) Artifacts(ctx context.Context, repo Repo, run int64) ([]Artifact, error) {
	owner, name := repo.Split()
	gh, err := c.as(ctx, owner)
	if err != nil {
		return nil, err
	}
	var out []Artifact
	resp, err := each(10, func(o github.ListOptions) (*github.Response, error) {
		l, resp, err := gh.Actions.ListWorkflowRunArtifacts(ctx, owner, name, run, &o)
		if err == nil {
			for _, a := range l.Artifacts {
				out = append(out, Artifact{a.GetID(), a.GetName(), a.GetSizeInBytes(), a.GetExpired(), a.GetCreatedAt().Time})
			}
		}
		return resp, err
	})
	return out, c.failed("list artifacts", http.MethodGet, resp, err)
}

// Download writes an artifact's zip to w. GitHub answers with the address of
// another host, which is good for a minute and needs no credentials; it is
// given none, and must be one that is known:
// https://docs.github.com/rest/actions/artifacts#download-an-artifact
func (c *Client) Download(ctx context.Context, repo Repo, artifact int64, w io.Writer) error {
	const op = "download artifact"
	owner, name := repo.Split()
	bearer, err := c.bearer(ctx, owner)
	if err != nil {
		return err
	}
	gh := c.with(c.raw, owner, bearer)
	req, err := gh.NewRequest(http.MethodGet, fmt.Sprintf("repos/%s/%s/actions/artifacts/%d/zip", owner, name, artifact), nil)
	if err != nil {
		return err
	}
	resp, err := gh.Client().Do(req.WithContext(ctx))
	if err != nil {
		return c.error(op, http.MethodGet, nil, err)
	}
	defer resp.Body.Close()
	if err := github.CheckResponse(resp); err != nil && resp.StatusCode != http.StatusFound {
		return c.error(op, http.MethodGet, resp, err)
	}
	at, err := url.Parse(resp.Header.Get("Location"))
	if err != nil || resp.StatusCode != http.StatusFound {
		return &integrations.Error{System: "github", Op: op, Status: resp.StatusCode, Permanent: true, Err: errors.New("GitHub did not say where the artifact is")}
	}
	return c.fetch(ctx, at, w)
}

// fetch reads an artifact from the host that keeps it.
func (c *Client) fetch(ctx context.Context, at *url.URL, w io.Writer) error {
	const op = "download artifact"
	if !c.keepsArtifacts(at) {
		return &integrations.Error{System: "github", Op: op, Permanent: true, Err: fmt.Errorf("%s is not a host that is known to keep artifacts", at.Host)}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return err
	}
	resp, err := c.plain.Do(req)
	if err != nil {
		return c.error(op, http.MethodGet, nil, hideQuery(err))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK { // the address has ended, perhaps: a new one is asked for next time
		return &integrations.Error{System: "github", Op: op, Status: resp.StatusCode, Permanent: resp.StatusCode == http.StatusNotFound, Err: errors.New("the host that keeps the artifact refuses it")}
	}
	if _, err := io.Copy(w, resp.Body); err != nil {
		return &integrations.Error{System: "github", Op: op, Err: hideQuery(err)}
	}
	return nil
}

// hideQuery takes the query out of an address in an error: it is what opens it.
func hideQuery(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("%s: %w", e.Op, e.Err)
	}
	return err
}

// keepsArtifacts tells whether an artifact may be fetched from an address.
func (c *Client) keepsArtifacts(at *url.URL) bool {
	if at.Scheme != "https" && at.Scheme != c.base.Scheme || at.User != nil {
		return false
	}
	host := strings.ToLower(at.Hostname())
	own := strings.ToLower(c.base.Hostname())
	if host == own {
		return true
	}
	hosts := c.cfg.Hosts
	if own == "api.github.com" || strings.HasSuffix(own, ".ghe.com") {
		hosts = append(slices.Clip(artifactHosts), hosts...)
	} else {
		hosts = append([]string{own}, hosts...) // subdomains of the Enterprise Server
	}
	for _, h := range hosts {
		h = strings.ToLower(strings.TrimSpace(h))
		if h != "" && (host == h || strings.HasSuffix(host, "."+h)) {
			return true
		}
	}
	return false
}
