package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
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
	token, err := identity(ctx, s.client, s.getenv)
	if err != nil {
		return err
	}
	got, err := s.client.Exchange(ctx, token)
	if err != nil {
		s.recall()
		return fmt.Errorf("exchange the job's identity for a token: %w", err)
	}
	if s.cmd.Product == s.build.repository && len(got.Products) == 1 {
		s.cmd.Product = got.Products[0].Name
		s.remember()
	}
	if s.cmd.Branch == "" && got.Branch != "" && got.Branch != s.build.branch {
		if s.cmd.Engagement == s.build.branch {
			s.cmd.Engagement = got.Branch
		}
		s.build.branch = got.Branch
	}
	return nil
}

// productFile is where it is kept which product the repository is.
func (s *session) productFile() string { return filepath.Join(s.cache.dir, "product") }

// remember keeps which product the server says the repository is, for when it
// cannot be asked.
func (s *session) remember() {
	if s.cmd.OnUnreachable == onFail {
		return
	}
	if err := s.cache.write(s.productFile(), []byte(s.build.repository+"\n"+s.cmd.Product+"\n")); err != nil {
		fmt.Fprintf(s.log, "which product this is could not be kept: %v\n", err)
	}
}

// recall is remember's other end.
func (s *session) recall() {
	b, err := os.ReadFile(s.productFile())
	repository, product, ok := strings.Cut(strings.TrimSuffix(string(b), "\n"), "\n")
	if err == nil && ok && repository == s.build.repository && s.cmd.Product == repository {
		s.cmd.Product = product
	}
}

// identity returns the job's identity token, for this server and no other.
func identity(ctx context.Context, cl *client.Client, getenv func(string) string) (string, error) {
	if token := getenv("DD_ID_TOKEN"); token != "" {
		return token, nil
	}
	address, err := url.Parse(getenv("ACTIONS_ID_TOKEN_REQUEST_URL"))
	if err != nil {
		return "", errors.New("ACTIONS_ID_TOKEN_REQUEST_URL is not an address")
	}
	q := address.Query()
	q.Set("audience", cl.URL)
	address.RawQuery = q.Encode()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return "", err
	}
	r.Header.Set("Authorization", "Bearer "+getenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN"))
	resp, err := cl.HTTP.Do(r)
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
