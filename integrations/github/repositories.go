package github

import (
	"context"
	"net/http"

	"github.com/google/go-github/v60/github"
)

// Repository is what is known of one. Its ID stays when it is renamed or moved.
type Repository struct {
	ID            int64
	Name          Repo
	DefaultBranch string
	Archived      bool
}

// Repositories lists those that the App or token may see, up to two thousand at
// each owner; whole tells whether these are all:
// https://docs.github.com/rest/apps/installations#list-repositories-accessible-to-the-app-installation
func (c *Client) Repositories(ctx context.Context) (out []Repository, whole bool, err error) {
	if !c.IsApp() {
		return c.ownRepositories(ctx)
	}
	list, err := c.Installations(ctx)
	if err != nil {
		return nil, false, err
	}
	whole = true
	for _, i := range list {
		if i.Suspended {
			continue
		}
		bearer, err := c.installationToken(ctx, i.ID)
		if err != nil {
			return nil, false, err
		}
		gh := c.with(c.http, i.Owner, bearer)
		resp, err := each(20, func(o github.ListOptions) (*github.Response, error) {
			l, resp, err := gh.Apps.ListRepos(ctx, &o)
			if err == nil {
				out = append(out, repositories(l.Repositories)...)
			}
			return resp, err
		})
		if err != nil {
			return nil, false, c.failed("list repositories", http.MethodGet, resp, err)
		}
		whole = whole && resp != nil
	}
	return out, whole, nil
}

func (c *Client) ownRepositories(ctx context.Context) (out []Repository, whole bool, err error) {
	gh, err := c.as(ctx, "")
	if err != nil {
		return nil, false, err
	}
	resp, err := each(20, func(o github.ListOptions) (*github.Response, error) {
		l, resp, err := gh.Repositories.ListByAuthenticatedUser(ctx, &github.RepositoryListByAuthenticatedUserOptions{ListOptions: o})
		out = append(out, repositories(l)...)
		return resp, err
	})
	return out, resp != nil, c.failed("list repositories", http.MethodGet, resp, err)
}

func repositories(list []*github.Repository) []Repository {
	var out []Repository
	for _, r := range list {
		out = append(out, Repository{r.GetID(), Repo(r.GetFullName()), r.GetDefaultBranch(), r.GetArchived()})
	}
	return out
}

// Repository reads one: https://docs.github.com/rest/repos/repos#get-a-repository
func (c *Client) Repository(ctx context.Context, repo Repo) (Repository, error) {
	owner, name := repo.Split()
	gh, err := c.as(ctx, owner)
	if err != nil {
		return Repository{}, err
	}
	r, resp, err := gh.Repositories.Get(ctx, owner, name)
	if err != nil {
		return Repository{}, c.failed("read repository", http.MethodGet, resp, err)
	}
	return repositories([]*github.Repository{r})[0], nil
}

// maxFile bounds a file that is read.
const maxFile = 1 << 20

// File reads a file as it is at a branch or commit; nil if there is none:
// https://docs.github.com/rest/repos/contents#get-repository-content
func (c *Client) File(ctx context.Context, repo Repo, path, ref string) ([]byte, error) {
	owner, name := repo.Split()
	gh, err := c.as(ctx, owner)
	if err != nil {
		return nil, err
	}
	f, _, resp, err := gh.Repositories.GetContents(ctx, owner, name, path, &github.RepositoryContentGetOptions{Ref: ref})
	if resp != nil && resp.StatusCode == http.StatusNotFound {
		return nil, nil
	}
	if err != nil || f == nil || f.GetSize() > maxFile {
		return nil, c.failed("read file", http.MethodGet, resp, err)
	}
	text, err := f.GetContent()
	return []byte(text), err
}
