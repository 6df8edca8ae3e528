package api

import (
	"cmp"
	"encoding/hex"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/signing"
	"defectdojo/gate/verdict"
)

func (a *api) signingRoutes() []route {
	return []route{
		{fiber.MethodGet, "/keys", auth.Self, a.keys},
		{fiber.MethodPost, "/keys/rotate", auth.Configure, a.rotateKey},
		{fiber.MethodPost, "/keys/:id/withdraw", auth.Configure, a.withdrawKey},
		{fiber.MethodGet, "/keys/:id/signatures", auth.Self, a.signatures},
		{fiber.MethodGet, "/products/:id/bundle", auth.ViewVerdict, a.bundle},
		{fiber.MethodGet, "/bundle", auth.ViewVerdict, a.namedBundle},
	}
}

// key is a public key as the API tells it.
type key struct {
	ID        int64  `json:"id"`
	KeyID     string `json:"key_id"`
	PublicKey string `json:"public_key"` // PEM
	State     string `json:"state"`      // signs, retired or withdrawn
	Created   stamp  `json:"created"`
	Retired   *stamp `json:"retired"`
	Withdrawn *stamp `json:"withdrawn"` // nothing is good that it signed
}

// keyList is all keys; PEM holds those that may be trusted one after the other,
// for a file.
type keyList struct {
	Keys []key  `json:"keys"`
	PEM  string `json:"pem"`
}

// keys serves GET /keys: the public keys with which verdicts and bundles are
// signed, the one that signs now first.
func (a *api) keys(r *request) error {
	all, err := r.Keys.Public(r.ctx, r.now)
	if err != nil {
		return err
	}
	var out keyList
	for _, k := range all {
		out.Keys = append(out.Keys, showKey(k))
		if k.Withdrawn == nil {
			out.PEM += k.PEM
		}
	}
	return r.reply(fiber.StatusOK, out)
}

// rotateKey serves POST /keys/rotate: a new key signs from now on.
func (a *api) rotateKey(r *request) error {
	if err := r.Auth.MayGlobal(r.who, r.do); err != nil {
		return err
	}
	k, err := r.Keys.Rotate(r.ctx, r.who, r.now)
	if err != nil {
		return err
	}
	return r.reply(fiber.StatusCreated, showKey(k))
}

// withdrawKey serves POST /keys/:id/withdraw: nothing that the key signed is good
// any longer.
func (a *api) withdrawKey(r *request) error {
	if err := r.Auth.MayGlobal(r.who, r.do); err != nil {
		return err
	}
	id, err := r.id("signing key")
	if err != nil {
		return err
	}
	if err := r.Keys.Withdraw(r.ctx, r.who, id, r.now); err != nil {
		return err
	}
	return r.nothing()
}

// signature is something that a key has signed, as the API tells it.
type signature struct {
	Kind    string `json:"kind"` // verdict or bundle
	Verdict *int64 `json:"verdict"`
	Product int64  `json:"product"`
	Digest  string `json:"digest"` // of the newest envelope
	Times   int    `json:"times"`
	First   stamp  `json:"first"`
	Last    stamp  `json:"last"`
}

// signatures serves GET /keys/:id/signatures: what a key has signed of the
// products whose verdicts the sender may see.
func (a *api) signatures(r *request) error {
	q := r.query()
	p := q.page()
	p.Order = nil
	id, err := r.id("signing key")
	if err != nil {
		return err
	}
	k, err := r.Keys.ByRow(r.ctx, id)
	if err != nil {
		return err
	}
	scope, err := r.Auth.Scope(r.ctx, r.who, auth.ViewVerdict)
	if err != nil {
		return err
	}
	l, err := r.Store.Signatures(r.ctx, scope, k.ID, p)
	if err != nil {
		return err
	}
	rows := []any{}
	for _, s := range l.Rows {
		out := signature{Kind: s.Kind, Product: s.ProductID, Digest: "sha256:" + hex.EncodeToString(s.Digest), Times: s.Times, First: stamp(s.First), Last: stamp(s.Last)}
		if s.Kind == "verdict" {
			out.Verdict = &s.ObjectID
		}
		rows = append(rows, out)
	}
	return r.listing(q, p, l.Count, rows, nil)
}

func showKey(k signing.Key) key {
	return key{k.Row, k.ID, k.PEM, k.State(), stamp(k.Created), maybe[stamp](k.Retired), maybe[stamp](k.Withdrawn)}
}

// How long a bundle is good for, in hours.
const (
	bundleHours    = 24
	maxBundleHours = 7 * 24
)

// bundle serves GET /products/:id/bundle?branch=…&component=…&hours=…: what an
// uploader needs to judge without us, signed, as a DSSE envelope.
func (a *api) bundle(r *request) error {
	id, err := r.id("product")
	if err != nil {
		return err
	}
	return r.sendBundle(id)
}

// namedBundle serves GET /bundle?product_name=…: the same for whoever knows a
// product's name only, as pipelines do.
func (a *api) namedBundle(r *request) error {
	name := r.query().text("product_name")
	if name == "" {
		return gate.FieldErrorf("product_name", "This field is required.")
	}
	p, err := r.Store.ProductByName(r.ctx, name)
	if err != nil {
		return err
	}
	return r.sendBundle(p.ID)
}

// sendBundle answers with a product's bundle, signed.
func (r *request) sendBundle(id int64) error {
	if err := r.may(id); err != nil {
		return err
	}
	var err error
	q := r.query()
	hours := bundleHours
	if text := q.text("hours"); text != "" {
		if hours, err = strconv.Atoi(text); err != nil || hours < 1 || hours > maxBundleHours {
			return gate.FieldErrorf("hours", "Ensure this value is between 1 and %d.", maxBundleHours)
		}
	}
	b, err := r.Judge.Bundle(r.ctx, verdict.BundleRequest{
		ProductID: id, Branch: q.text("branch"), Component: q.text("component"), Server: cmp.Or(r.SiteURL, r.BaseURL()), Life: time.Duration(hours) * time.Hour,
	}, r.now)
	if err != nil {
		return err
	}
	envelope, err := r.Keys.SignBundle(r.ctx, id, b, r.now)
	if err != nil {
		return err
	}
	r.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	r.Set(fiber.HeaderCacheControl, "no-store")
	return r.Send(envelope)
}
