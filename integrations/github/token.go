package github

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"

	"defectdojo/integrations"
)

// token is of an installation.
type token struct {
	text    string
	expires time.Time
}

// How long tokens are used. GitHub takes an App's own for ten minutes at most,
// and its clock may be behind ours:
// https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
const (
	appTokenLife = 9 * time.Minute
	clockSkew    = time.Minute
	freshFor     = 5 * time.Minute // an installation's token with less left is not used
)

// parseKey reads an App's private key, as GitHub gives it out.
func parseKey(text string) (*rsa.PrivateKey, error) {
	if text == "" {
		return nil, errors.New("an App needs its private key")
	}
	block, _ := pem.Decode([]byte(strings.TrimSpace(text)))
	if block == nil {
		return nil, errors.New("it is not in PEM, as the file that GitHub made is")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if k, ok := key.(*rsa.PrivateKey); err == nil && ok {
		return k, nil
	}
	return nil, errors.New("it is not an RSA key")
}

// appToken makes a token of the App itself: a JSON web token, RS256.
func (c *Client) appToken() (string, error) {
	now := c.now()
	claims, err := json.Marshal(map[string]any{"iat": now.Add(-clockSkew).Unix(), "exp": now.Add(appTokenLife).Unix(), "iss": strconv.FormatInt(c.cfg.AppID, 10)})
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + encode(claims)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, c.key, crypto.SHA256, sum[:])
	if err != nil {
		return "", errors.New("the App's private key cannot sign")
	}
	return text + "." + encode(signature), nil
}

// bearer returns what is sent as credentials for something of an owner, or of
// the App itself.
func (c *Client) bearer(ctx context.Context, owner string) (string, error) {
	if c.key == nil {
		return c.cfg.Token, nil
	}
	if owner == "" {
		return c.appToken()
	}
	for again := false; ; again = true {
		id, err := c.installation(ctx, owner)
		if err != nil {
			return "", err
		}
		text, err := c.installationToken(ctx, id)
		if e, ok := errors.AsType[*integrations.Error](err); ok && e.Status == http.StatusNotFound && !again {
			continue // that installation is gone: there may be a newer one
		}
		return text, err
	}
}

// installation returns the App's installation at an owner.
func (c *Client) installation(ctx context.Context, owner string) (int64, error) {
	c.mu.Lock()
	id := c.installations[strings.ToLower(owner)]
	c.mu.Unlock()
	if id != 0 {
		return id, nil
	}
	list, err := c.Installations(ctx)
	if err != nil {
		return 0, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, i := range list {
		if !i.Suspended {
			c.installations[strings.ToLower(i.Owner)] = i.ID
		}
	}
	if id = c.installations[strings.ToLower(owner)]; id == 0 {
		return 0, &integrations.Error{System: "github", Op: "find installation", Status: http.StatusNotFound, Permanent: true, Err: errors.New("the App is not installed at " + owner)}
	}
	return id, nil
}

// installationToken returns a token of an installation, one that is kept if it is fresh:
// https://docs.github.com/rest/apps/apps#create-an-installation-access-token-for-an-app
func (c *Client) installationToken(ctx context.Context, id int64) (string, error) {
	c.mu.Lock()
	t := c.tokens[id]
	c.mu.Unlock()
	if t.text != "" && t.expires.Sub(c.now()) > freshFor {
		return t.text, nil
	}
	gh, err := c.as(ctx, "")
	if err != nil {
		return "", err
	}
	got, resp, err := gh.Apps.CreateInstallationToken(ctx, id, &github.InstallationTokenOptions{})
	if err != nil {
		if resp != nil && resp.StatusCode == http.StatusNotFound {
			c.forget(id)
		}
		return "", c.failed("create installation token", http.MethodGet, resp, err) // harmless to repeat
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tokens[id] = token{got.GetToken(), got.GetExpiresAt().Time}
	return got.GetToken(), nil
}

// drop forgets a token that is good no more.
func (c *Client) drop(bearer string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, t := range c.tokens {
		if t.text == bearer {
			delete(c.tokens, id)
		}
	}
}

// forget drops what is known of an installation that is gone.
func (c *Client) forget(id int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.tokens, id)
	for owner, i := range c.installations {
		if i == id {
			delete(c.installations, owner)
		}
	}
}

// Installation is an App's place at an organization or a user.
type Installation struct {
	ID        int64
	Owner     string
	Suspended bool
}

// Installations lists the App's: https://docs.github.com/rest/apps/apps#list-installations-for-the-authenticated-app
func (c *Client) Installations(ctx context.Context) ([]Installation, error) {
	gh, err := c.as(ctx, "")
	if err != nil {
		return nil, err
	}
	var out []Installation
	resp, err := each(20, func(o github.ListOptions) (*github.Response, error) {
		list, resp, err := gh.Apps.ListInstallations(ctx, &o)
		for _, i := range list {
			out = append(out, Installation{i.GetID(), i.GetAccount().GetLogin(), i.SuspendedAt != nil})
		}
		return resp, err
	})
	return out, c.failed("list installations", http.MethodGet, resp, err)
}

// Account tells as whom the client speaks: the App's name, or the token's user.
func (c *Client) Account(ctx context.Context) (string, error) {
	gh, err := c.as(ctx, "")
	if err != nil {
		return "", err
	}
	if c.IsApp() {
		app, resp, err := gh.Apps.Get(ctx, "")
		return app.GetName(), c.failed("read App", http.MethodGet, resp, err)
	}
	user, resp, err := gh.Users.Get(ctx, "")
	return user.GetLogin(), c.failed("read user", http.MethodGet, resp, err)
}
