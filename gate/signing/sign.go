package signing

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/store"
	"defectdojo/policies/attest"
	"defectdojo/policies/bundle"
)

// SignVerdict returns the signed in-toto statement of a verdict, and notes that
// it was signed. site is the server's address.
func (k *Keys) SignVerdict(ctx context.Context, id, product int64, v *gate.Verdict, site string, now time.Time) ([]byte, error) {
	return k.sign(ctx, store.Signature{Kind: "verdict", ObjectID: id, ProductID: product, Last: now}, func(key ed25519.PrivateKey) ([]byte, error) {
		return attest.Sign(v, site, key)
	})
}

// SignBundle returns the signed bundle of a product, and notes that it was signed.
func (k *Keys) SignBundle(ctx context.Context, product int64, b *bundle.Bundle, now time.Time) ([]byte, error) {
	return k.sign(ctx, store.Signature{Kind: "bundle", ObjectID: product, ProductID: product, Last: now}, func(key ed25519.PrivateKey) ([]byte, error) {
		return bundle.Seal(b, key)
	})
}

func (k *Keys) sign(ctx context.Context, g store.Signature, do func(ed25519.PrivateKey) ([]byte, error)) ([]byte, error) {
	key, err := k.Signer(ctx, g.Last)
	if err != nil {
		return nil, err
	}
	envelope, err := do(key)
	if err != nil {
		return nil, err
	}
	public, _ := key.Public().(ed25519.PublicKey)
	sum := sha256.Sum256(envelope)
	g.KeyID, g.Digest = attest.KeyID(public), sum[:]
	return envelope, k.Store.AddSignature(ctx, g)
}
