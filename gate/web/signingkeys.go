package web

import (
	"fmt"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate/auth"
	"defectdojo/gate/signing"
	"defectdojo/gate/store"
)

// signingKeysPage is what signing-keys.html shows.
type signingKeysPage struct {
	layout
	Keys      []signing.Key
	MayChange bool
}

// signingKeys serves GET /signing-keys.
func (w *web) signingKeys(v *visit) error {
	p := signingKeysPage{layout: w.layout(v, "verdicts", "Signing keys"), MayChange: w.Auth.MayGlobal(v.Principal, auth.Configure) == nil}
	var err error
	if p.Keys, err = w.Keys.Public(v.UserContext(), v.now); err != nil {
		return err
	}
	return render(v.Ctx, "signing-keys.html", p)
}

// publicKeys serves GET /signing-keys.pem: the keys that may be trusted, for
// defectdojo-upload verify.
func (w *web) publicKeys(v *visit) error {
	all, err := w.Keys.Public(v.UserContext(), v.now)
	if err != nil {
		return err
	}
	var text []byte
	for _, k := range all {
		if k.Withdrawn == nil {
			text = append(text, k.PEM...)
		}
	}
	return download(v, "application/x-pem-file", "defectdojo-keys.pem", text)
}

// download answers with a file, which no browser shows as a page of ours.
func download(v *visit, kind, name string, content []byte) error {
	v.Set(fiber.HeaderContentType, kind)
	v.Set(fiber.HeaderContentDisposition, fmt.Sprintf("attachment; filename=%q", name))
	return v.Send(content)
}

// signingKeyPage is what signing-key.html shows: one key, and what it signed.
type signingKeyPage struct {
	layout
	Key        signing.Key
	Signatures []store.Signature
	Count      int // of them; the newest are shown
}

// signingKey serves GET /signing-keys/:id.
func (w *web) signingKey(v *visit) error {
	k, err := w.oneKey(v)
	if err != nil {
		return err
	}
	p := signingKeyPage{layout: w.layout(v, "verdicts", "Signing key "+k.ID[:12]), Key: k}
	scope, err := w.Auth.Scope(v.UserContext(), v.Principal, auth.ViewVerdict)
	if err != nil {
		return err
	}
	l, err := w.Store.Signatures(v.UserContext(), scope, k.ID, store.Page{Limit: 200})
	if err != nil {
		return err
	}
	p.Signatures, p.Count = l.Rows, l.Count
	return render(v.Ctx, "signing-key.html", p)
}

func (w *web) oneKey(v *visit) (signing.Key, error) {
	id, err := v.id()
	if err != nil {
		return signing.Key{}, err
	}
	return w.Keys.ByRow(v.UserContext(), id)
}

// publicKey serves GET /signing-keys/:id/public.pem.
func (w *web) publicKey(v *visit) error {
	k, err := w.oneKey(v)
	if err != nil {
		return err
	}
	return download(v, "application/x-pem-file", "defectdojo-"+k.ID[:12]+".pem", []byte(k.PEM))
}

// rotateKey serves POST /signing-keys/rotate.
func (w *web) rotateKey(v *visit) error {
	k, err := w.Keys.Rotate(v.UserContext(), v.Principal, v.now)
	if err != nil {
		return err
	}
	w.flash(v, flash{Text: "The key " + k.ID[:12] + " signs from now on. Those who check signatures need it: hand the new file out."})
	return v.Redirect("/signing-keys", fiber.StatusSeeOther)
}

// withdrawKey serves POST /signing-keys/:id/withdraw.
func (w *web) withdrawKey(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	if err := w.Keys.Withdraw(v.UserContext(), v.Principal, id, v.now); err != nil {
		return err
	}
	w.flash(v, flash{Text: "The key is withdrawn: it is in the file of keys no more. Take it away wherever the file was handed out."})
	return v.Redirect("/signing-keys/"+strconv.FormatInt(id, 10), fiber.StatusSeeOther)
}
