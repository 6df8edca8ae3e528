package api

import (
	"cmp"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/signing"
	"defectdojo/gate/verdict"
	"defectdojo/policies/bundle"
)

func (a *api) signingRoutes() []route {
	return []route{
		{fiber.MethodGet, "/keys", auth.Self, a.keys},
		{fiber.MethodGet, "/products/:id/bundle", auth.ViewVerdict, a.bundle},
		{fiber.MethodGet, "/bundle", auth.ViewVerdict, a.namedBundle},
	}
}

// key is a public key as the API tells it.
type key struct {
	KeyID     string `json:"key_id"`
	PublicKey string `json:"public_key"` // PEM
	Created   stamp  `json:"created"`
	Retired   *stamp `json:"retired"`
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
		out.PEM += k.PEM
	}
	return r.reply(fiber.StatusOK, out)
}

func showKey(k signing.Key) key {
	return key{k.ID, k.PEM, stamp(k.Created), maybe[stamp](k.Retired)}
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
	private, err := r.Keys.Signer(r.ctx, r.now)
	if err != nil {
		return err
	}
	envelope, err := bundle.Seal(b, private)
	if err != nil {
		return err
	}
	r.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	r.Set(fiber.HeaderCacheControl, "no-store")
	return r.Send(envelope)
}
