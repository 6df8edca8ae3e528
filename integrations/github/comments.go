package github

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"

	"defectdojo/integrations"
)

// MaxComment is how many characters a comment may have.
const MaxComment = 65_536

// PutComment writes a comment at a pull request: the one of that id, else the
// one that begins with marker and is our own, else a new one. It returns its id:
// https://docs.github.com/rest/issues/comments
func (c *Client) PutComment(ctx context.Context, repo Repo, number int, id int64, marker, body string) (int64, error) {
	owner, name := repo.Split()
	gh, err := c.as(ctx, owner)
	if err != nil {
		return 0, err
	}
	body = cut(body, MaxComment)
	if id == 0 {
		if id, err = c.findComment(ctx, repo, number, marker); err != nil {
			return 0, err
		}
	}
	if id != 0 {
		_, resp, err := gh.Issues.EditComment(ctx, owner, name, id, &github.IssueComment{Body: &body})
		if err == nil || resp == nil || resp.StatusCode != http.StatusNotFound {
			return id, c.failed("edit comment", http.MethodPatch, resp, err)
		} // somebody deleted it
	}
	made, resp, err := gh.Issues.CreateComment(ctx, owner, name, number, &github.IssueComment{Body: &body})
	return made.GetID(), c.failed("write comment", http.MethodPost, resp, err)
}

// findComment returns the id of our comment at a pull request; 0 if there is
// none. One that somebody else began with our marker is not ours to edit.
func (c *Client) findComment(ctx context.Context, repo Repo, number int, marker string) (int64, error) {
	owner, name := repo.Split()
	gh, err := c.as(ctx, owner)
	if err != nil {
		return 0, err
	}
	var id int64
	resp, err := each(10, func(o github.ListOptions) (*github.Response, error) {
		l, resp, err := gh.Issues.ListComments(ctx, owner, name, number, &github.IssueListCommentsOptions{ListOptions: o})
		for _, k := range l {
			if id == 0 && strings.HasPrefix(k.GetBody(), marker) && (!c.IsApp() || k.GetUser().GetType() == "Bot") {
				id = k.GetID()
			}
		}
		return resp, err
	})
	return id, c.failed("list comments", http.MethodGet, resp, err)
}

// maxSARIF is the size of the largest upload, packed:
// https://docs.github.com/code-security/code-scanning/troubleshooting-sarif-uploads/file-too-large
const maxSARIF = 10 << 20

// UploadSARIF shows a SARIF report in the code scanning of a repository:
// https://docs.github.com/rest/code-scanning/code-scanning#upload-an-analysis-as-sarif-data
func (c *Client) UploadSARIF(ctx context.Context, repo Repo, commit, ref string, report []byte, at time.Time) error {
	const op = "upload SARIF"
	owner, name := repo.Split()
	gh, err := c.as(ctx, owner)
	if err != nil {
		return err
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(report); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	if packed.Len() > maxSARIF {
		return &integrations.Error{System: "github", Op: op, Permanent: true, Err: errTooLarge}
	}
	text := base64.StdEncoding.EncodeToString(packed.Bytes())
	_, resp, err := gh.CodeScanning.UploadSarif(ctx, owner, name, &github.SarifAnalysis{
		CommitSHA: &commit, Ref: &ref, Sarif: &text, StartedAt: &github.Timestamp{Time: at.UTC()}, ToolName: new("defectdojo"),
	})
	if _, ok := err.(*github.AcceptedError); ok { //nolint:errorlint // the library returns it as it is
		err = nil
	}
	return c.failed(op, http.MethodPost, resp, err)
}
