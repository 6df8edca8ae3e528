package auth

import (
	"cmp"
	"context"
	"crypto/rsa"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"defectdojo/gate"
)

// Limits of an identity token.
const (
	maxIdentity = 16 << 10 // bytes; GitHub's have two or three thousand
	leeway      = time.Minute
	identityAge = 10 * time.Minute // the job asked for it just now
	minKeyBits  = 2048
)

// claims are what a token says, of what counts here:
// https://docs.github.com/actions/reference/security/oidc and
// https://docs.gitlab.com/ci/secrets/id_token_authentication/#token-payload.
// sub is not among them: its form changed, and it is made of names.
type claims struct {
	Issuer   string         `json:"iss"`
	Audience jsontext.Value `json:"aud"`
	Expires  int64          `json:"exp"`
	Before   *int64         `json:"nbf"`
	Issued   int64          `json:"iat"`
	ID       string         `json:"jti"`

	Ref         string `json:"ref"`
	RefType     string `json:"ref_type"`
	Environment string `json:"environment"`
	SHA         string `json:"sha"`

	// GitHub's.
	RepositoryID string `json:"repository_id"`
	OwnerID      string `json:"repository_owner_id"`
	Repository   string `json:"repository"`
	Event        string `json:"event_name"`
	HeadRef      string `json:"head_ref"`
	BaseRef      string `json:"base_ref"`
	JobWorkflow  string `json:"job_workflow_ref"`
	RunID        string `json:"run_id"`
	RunAttempt   string `json:"run_attempt"`
	ActorID      string `json:"actor_id"`

	// GitLab's.
	ProjectID    string `json:"project_id"`
	NamespaceID  string `json:"namespace_id"`
	ProjectPath  string `json:"project_path"`
	RefPath      string `json:"ref_path"`
	RefProtected string `json:"ref_protected"`
	Source       string `json:"pipeline_source"`
	PipelineID   string `json:"pipeline_id"`
	UserID       string `json:"user_id"`
	ConfigRef    string `json:"ci_config_ref_uri"`
}

// identity is who a job is, as its issuer vouches.
type identity struct {
	Issuer

	id      string // of the token
	expires time.Time

	repositoryID, ownerID, repository string

	branch      string // the source of a pull request
	target      string // its target
	number      string // and its number
	pullRequest bool
	protected   bool // the branch is, or the provider does not say
	tag         bool // it is no branch but a tag
	environment string
	workflow    string
	commit      string // blank for a pull request: the provider's is of a merge
	run         string
	actorID     string
}

// refused is the error of a token that is not believed.
func refused(format string, args ...any) error {
	return gate.Errorf(gate.Unauthorized, "the job's identity token is refused: "+format, args...)
}

// identify returns who a token is of, if its issuer vouches for it, and it is
// for us, and fresh. Whether it was used before is still to be asked.
func (a *Auth) identify(ctx context.Context, token string) (identity, error) {
	if len(token) > maxIdentity {
		return identity{}, refused("it is too long")
	}
	// The allowlist stands here, before a key is looked for: neither "none" nor
	// an HMAC over a public key is ever tried.
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256, jose.ES256})
	if err != nil {
		return identity{}, refused("it is no token that is signed with RS256 or ES256")
	}
	var said claims
	if err := json.Unmarshal(jws.UnsafePayloadWithoutVerification(), &said); err != nil {
		return identity{}, refused("what it says cannot be read: a claim is there twice or of another type")
	}
	issuer := a.issuers.byURL[said.Issuer]
	if issuer == nil {
		return identity{}, refused("its issuer %q is not one that is trusted here", clip(said.Issuer, 200))
	}
	now := a.cfg.Now()
	if err := said.current(a.issuers.Audience, now); err != nil {
		return identity{}, err
	}
	if err := issuer.verify(ctx, jws, now); err != nil {
		return identity{}, err
	}
	return said.identity(issuer.Issuer)
}

// verify checks the signature by the issuer's key.
func (i *issuer) verify(ctx context.Context, jws *jose.JSONWebSignature, now time.Time) error {
	h := jws.Signatures[0].Protected
	key, err := i.key(ctx, h.KeyID, now)
	if err != nil {
		return err
	}
	alg := jose.SignatureAlgorithm(h.Algorithm)
	if !slices.Contains(i.algorithms, alg) || key.Algorithm != "" && key.Algorithm != h.Algorithm {
		return refused("its issuer does not sign with %s", h.Algorithm)
	}
	if k, ok := key.Key.(*rsa.PublicKey); ok && k.N.BitLen() < minKeyBits {
		return refused("its key is too short")
	}
	if _, err := jws.Verify(key); err != nil {
		return refused("its signature is wrong")
	}
	return nil
}

// current checks whom a token is for, and its times.
func (c *claims) current(audience string, now time.Time) error {
	var to string
	if err := json.Unmarshal(c.Audience, &to); err != nil || to != audience || audience == "" {
		return refused("its audience is not %s alone", audience)
	}
	switch at := time.Unix(c.Issued, 0); {
	case c.Expires == 0 || c.Issued == 0 || c.ID == "" || len(c.ID) > 300:
		return refused("it lacks exp, iat or jti")
	case now.After(time.Unix(c.Expires, 0).Add(leeway)):
		return refused("it has expired")
	case at.After(now.Add(leeway)) || c.Before != nil && time.Unix(*c.Before, 0).After(now.Add(leeway)):
		return refused("it is of the future")
	case now.Sub(at) > identityAge+leeway:
		return refused("it is older than %s: upload in a job of its own", identityAge)
	}
	return nil
}

// identity reads the provider's claims.
func (c *claims) identity(i Issuer) (identity, error) {
	id := identity{Issuer: i, id: c.ID, expires: time.Unix(c.Expires, 0).Add(leeway), environment: c.Environment, commit: c.SHA}
	if i.Provider == "github" {
		c.github(&id)
	} else {
		c.gitlab(&id)
	}
	if _, err := strconv.ParseUint(id.repositoryID, 10, 64); err != nil || id.ownerID == "" || id.branch == "" {
		return id, refused("it does not say of which repository, owner and branch it is")
	}
	if id.pullRequest {
		id.commit = ""
	}
	return id, nil
}

// ownEvents are those of GitHub whose jobs are started by who may write to the
// repository, for what is in it. The job of any other may be fed by anybody:
// pull requests above all, but also workflow_run, issue_comment and the like,
// which run on the default branch.
var ownEvents = []string{"push", "schedule", "workflow_dispatch", "repository_dispatch", "release", "merge_group", "deployment", "create"}

func (c *claims) github(id *identity) {
	id.repositoryID, id.ownerID, id.repository, id.actorID = c.RepositoryID, c.OwnerID, c.Repository, c.ActorID
	id.run, id.protected = c.RunID+"."+c.RunAttempt, true // it does not say whether a branch is protected
	id.workflow, _, _ = strings.Cut(c.JobWorkflow, "@")
	id.branch, id.tag = branchOf(c.Ref), c.RefType == "tag"
	if slices.Contains(ownEvents, c.Event) {
		return
	}
	id.pullRequest = true
	if number, ok := strings.CutPrefix(c.Ref, "refs/pull/"); ok {
		id.number, _, _ = strings.Cut(number, "/")
	}
	id.branch, id.target = cmp.Or(c.HeadRef, id.branch), cmp.Or(c.BaseRef, id.branch)
}

// ownSources are the pipelines of GitLab that are no merge request's.
var ownSources = []string{"push", "schedule", "web", "api", "trigger", "pipeline", "parent_pipeline", "security_orchestration_policy"}

func (c *claims) gitlab(id *identity) {
	id.repositoryID, id.ownerID, id.repository, id.actorID = c.ProjectID, c.NamespaceID, c.ProjectPath, c.UserID
	id.run, id.protected, id.branch, id.tag = c.PipelineID, c.RefProtected == "true", c.Ref, c.RefType == "tag"
	id.workflow, _, _ = strings.Cut(c.ConfigRef, "@")
	number, merge := strings.CutPrefix(c.RefPath, "refs/merge-requests/")
	if merge {
		id.number, _, _ = strings.Cut(number, "/")
	}
	id.pullRequest = merge || !slices.Contains(ownSources, c.Source)
}

// branchOf returns the name of a branch or a tag.
func branchOf(ref string) string {
	return strings.TrimPrefix(strings.TrimPrefix(ref, "refs/heads/"), "refs/tags/")
}

// bounds are what a token is for that is given to a job of a repository, whose
// default branch the rules know by these names.
func (id *identity) bounds(defaults []string) (*gate.Bounds, error) {
	b := &gate.Bounds{Branch: id.branch, Commit: id.commit, PullRequest: id.pullRequest, Job: strings.TrimSpace(fmt.Sprintf("%s %s %s", id.Provider, id.repository, id.run))}
	isDefault := slices.Contains(defaults, id.branch)
	switch {
	case isDefault && !id.pullRequest && id.tag:
		return nil, refused("its tag is called as the branch that others are compared with")
	case isDefault && !id.pullRequest && !id.protected:
		return nil, refused("%s is not protected: anybody who may push could change what others are compared with", id.branch)
	case isDefault && !id.pullRequest:
		return b, nil
	}
	b.Never = slices.Clone(defaults)
	if id.target != "" && !slices.Contains(b.Never, id.target) {
		b.Never = append(b.Never, id.target)
	}
	if slices.Contains(b.Never, b.Branch) { // of a fork, whose branch is called as ours
		b.Branch = "pull/" + cmp.Or(id.number, id.branch)
	}
	return b, nil
}
