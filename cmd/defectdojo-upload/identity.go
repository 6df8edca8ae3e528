package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"defectdojo/gate/client"
)

// hasIdentity tells whether the job can prove who it is without a token:
// GitHub's with the permission id-token
// (https://docs.github.com/actions/reference/security/oidc), GitLab's with
// id_tokens (https://docs.gitlab.com/ci/secrets/id_token_authentication).
func hasIdentity(getenv func(string) string) bool {
	return getenv("DD_ID_TOKEN") != "" || getenv("ACTIONS_ID_TOKEN_REQUEST_URL") != "" && getenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN") != ""
}

// prove gets a token for the job's identity, if it has no other. What the server
// says of the job is what it can do: which products, and of which branch its
// reports have to be.
func (s *session) prove(ctx context.Context) error {
	if s.client.Token != "" {
		return nil
	}
	token, err := s.identity(ctx)
	if err != nil {
		return err
	}
	got, err := s.client.Exchange(ctx, token)
	if err != nil {
		return fmt.Errorf("exchange the job's identity for a token: %w", err)
	}
	if s.cmd.Product == s.build.repository && len(got.Products) == 1 {
		s.cmd.Product = got.Products[0].Name
	}
	if s.cmd.Branch == "" && got.Branch != "" && got.Branch != s.build.branch {
		if s.cmd.Engagement == s.build.branch {
			s.cmd.Engagement = got.Branch
		}
		s.build.branch = got.Branch
	}
	return nil
}

// identity returns the job's identity token, for this server and no other.
func (s *session) identity(ctx context.Context) (string, error) {
	if token := s.getenv("DD_ID_TOKEN"); token != "" {
		return token, nil
	}
	address, err := url.Parse(s.getenv("ACTIONS_ID_TOKEN_REQUEST_URL"))
	if err != nil {
		return "", errors.New("ACTIONS_ID_TOKEN_REQUEST_URL is not an address")
	}
	q := address.Query()
	q.Set("audience", s.client.URL)
	address.RawQuery = q.Encode()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return "", err
	}
	r.Header.Set("Authorization", "Bearer "+s.getenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN"))
	resp, err := s.client.HTTP.Do(r)
	if err != nil {
		return "", &client.UnreachableError{URL: "the runner's identity service", Err: errors.Unwrap(err)}
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return "", &client.UnreachableError{URL: "the runner's identity service", Err: err}
	}
	var answer struct {
		Value string `json:"value"`
	}
	if resp.StatusCode != http.StatusOK || json.Unmarshal(b, &answer) != nil || answer.Value == "" {
		return "", &client.RejectedError{Status: resp.StatusCode, Message: "GitHub gives this job no identity token: has it the permission id-token: write?"}
	}
	return answer.Value, nil
}
