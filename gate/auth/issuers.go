package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"defectdojo/gate"
)

// Issuer is who vouches for CI jobs.
type Issuer struct {
	Provider string // github or gitlab: which claims its tokens have
	URL      string // exactly as its tokens say
}

// PublicIssuers are those of github.com and gitlab.com.
var PublicIssuers = []Issuer{{"github", "https://token.actions.githubusercontent.com"}, {"gitlab", "https://gitlab.com"}}

// OIDCConfig says whose identity tokens are believed.
type OIDCConfig struct {
	Audience string       // whom they must be for: how people reach us, without a slash at the end
	Issuers  []Issuer     // beside the public ones
	Client   *http.Client // fetches their keys; nil believes nobody
}

// How long an issuer's keys are good, and how often they are asked for.
const (
	keysFresh  = time.Hour
	keysStale  = 24 * time.Hour // that is how long the last ones hold out if it does not answer
	keysPause  = time.Minute    // between two questions
	firstPause = 5 * time.Second
	maxKeys    = 1 << 20 // bytes of an answer
)

// issuers are those that are believed, with their keys.
type issuers struct {
	OIDCConfig

	byURL    map[string]*issuer
	failures failures
}

func newIssuers(c OIDCConfig) *issuers {
	c.Audience = strings.TrimSuffix(c.Audience, "/")
	all := &issuers{OIDCConfig: c, byURL: map[string]*issuer{}}
	for _, i := range slices.Concat(PublicIssuers, c.Issuers) {
		all.byURL[i.URL] = &issuer{Issuer: i, client: c.Client}
	}
	return all
}

// issuer is one, with the keys that it told last.
type issuer struct {
	Issuer

	client *http.Client

	mu         sync.Mutex
	keys       jose.JSONWebKeySet
	algorithms []jose.SignatureAlgorithm
	fetched    time.Time // when it last told them
	tried      time.Time // when it was last asked
}

// errNoKeys is that an issuer's keys cannot be had now.
var errNoKeys = &gate.Error{Kind: gate.Unavailable, Message: "the issuer's keys cannot be fetched now: try again", After: 10 * time.Second}

// key returns the key of an id, and the algorithms that the issuer signs with.
// Keys come from where the issuer's own discovery says, never from a token.
func (i *issuer) key(ctx context.Context, id string, now time.Time) (*jose.JSONWebKey, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	pause := keysPause
	if i.fetched.IsZero() {
		pause = firstPause
	}
	k := i.find(id)
	if (k == nil || now.Sub(i.fetched) > keysFresh) && now.Sub(i.tried) >= pause {
		i.tried = now
		if err := i.fetch(ctx); err != nil {
			slog.WarnContext(ctx, "issuer's keys", "issuer", i.URL, "error", err)
		} else {
			i.fetched = now
		}
		k = i.find(id)
	}
	switch {
	case i.fetched.IsZero() || now.Sub(i.fetched) > keysStale:
		return nil, errNoKeys
	case k == nil:
		return nil, refused("it was signed with a key that its issuer does not have")
	}
	return k, nil
}

// find returns the one key of an id that signs.
func (i *issuer) find(id string) *jose.JSONWebKey {
	var found *jose.JSONWebKey
	for n := range i.keys.Keys {
		k := &i.keys.Keys[n]
		if k.KeyID != id || id == "" || !k.IsPublic() || !k.Valid() || k.Use != "" && k.Use != "sig" {
			continue
		}
		if found != nil {
			return nil
		}
		found = k
	}
	return found
}

// fetch asks for the issuer's discovery document and its keys
// (https://openid.net/specs/openid-connect-discovery-1_0.html).
func (i *issuer) fetch(ctx context.Context) error {
	if i.client == nil {
		return errors.New("no identity tokens are taken")
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var doc struct {
		Issuer     string   `json:"issuer"`
		JWKS       string   `json:"jwks_uri"`
		Algorithms []string `json:"id_token_signing_alg_values_supported"`
	}
	if err := i.get(ctx, i.URL+"/.well-known/openid-configuration", &doc); err != nil {
		return err
	}
	if doc.Issuer != i.URL {
		return fmt.Errorf("its discovery says that it is %q", doc.Issuer)
	}
	self, err := url.Parse(i.URL)
	if err != nil {
		return err
	}
	where, err := url.Parse(doc.JWKS)
	if err != nil || where.Scheme != self.Scheme || where.Host != self.Host {
		return fmt.Errorf("its keys are at %q, which is not its own host", doc.JWKS)
	}
	var keys jose.JSONWebKeySet
	if err := i.get(ctx, doc.JWKS, &keys); err != nil {
		return err
	}
	if len(keys.Keys) == 0 {
		return errors.New("it tells no keys")
	}
	i.keys, i.algorithms = keys, []jose.SignatureAlgorithm{jose.RS256}
	if slices.Contains(doc.Algorithms, string(jose.ES256)) {
		i.algorithms = append(i.algorithms, jose.ES256)
	}
	return nil
}

func (i *issuer) get(ctx context.Context, address string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Accept", "application/json")
	resp, err := i.client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", address, resp.Status)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxKeys))
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}
