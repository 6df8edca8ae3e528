// Package attest signs verdicts and checks signatures: DSSE envelopes
// (https://github.com/secure-systems-lab/dsse), in-toto statements and SLSA
// verification summaries, with ed25519 keys that it is handed.
package attest

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"

	"defectdojo/gate"
)

// MaxEnvelope is how long an envelope may be, in bytes.
const MaxEnvelope = 256 << 20

// Envelope is a signed payload.
type Envelope struct {
	PayloadType string      `json:"payloadType"`
	Payload     string      `json:"payload"` // base64
	Signatures  []Signature `json:"signatures"`
}

// Signature is one signature of an Envelope.
type Signature struct {
	KeyID string `json:"keyid"`
	Sig   string `json:"sig"` // base64
}

// Seal signs a payload.
func Seal(payloadType string, payload []byte, key ed25519.PrivateKey) ([]byte, error) {
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok || len(key) != ed25519.PrivateKeySize {
		return nil, gate.Errorf(gate.Invalid, "not an ed25519 key")
	}
	sig := ed25519.Sign(key, preAuth(payloadType, payload))
	return json.Marshal(Envelope{payloadType, base64.StdEncoding.EncodeToString(payload), []Signature{{KeyID(public), base64.StdEncoding.EncodeToString(sig)}}})
}

// Open checks that one of the keys signed an envelope of that type, and returns
// its payload. Nothing of an envelope is to be looked at before.
func Open(envelope []byte, payloadType string, keys []ed25519.PublicKey) ([]byte, error) {
	if len(envelope) > MaxEnvelope {
		return nil, gate.Errorf(gate.TooLarge, "an envelope may have %d bytes, not %d", MaxEnvelope, len(envelope))
	}
	var e Envelope
	if err := json.Unmarshal(envelope, &e); err != nil {
		return nil, gate.Errorf(gate.Invalid, "not a DSSE envelope: %v", err)
	}
	if e.PayloadType != payloadType {
		return nil, gate.Errorf(gate.Invalid, "the envelope holds %q, not %s", e.PayloadType, payloadType)
	}
	payload, err := decode(e.Payload)
	if err != nil {
		return nil, gate.Errorf(gate.Invalid, "the envelope's payload is not base64")
	}
	signed := preAuth(e.PayloadType, payload)
	for _, s := range e.Signatures {
		sig, err := decode(s.Sig)
		if err != nil {
			continue
		}
		for _, k := range keys { // a key id is a hint, and proves nothing
			if len(k) == ed25519.PublicKeySize && ed25519.Verify(k, signed, sig) {
				return payload, nil
			}
		}
	}
	return nil, gate.Errorf(gate.Unauthorized, "no signature by a key that is trusted")
}

// preAuth is what is signed: the pre-authentication encoding.
func preAuth(payloadType string, payload []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "DSSEv1 %d %s %d ", len(payloadType), payloadType, len(payload))
	b.Write(payload)
	return b.Bytes()
}

// decode reads base64 of either alphabet, as DSSE demands.
func decode(s string) ([]byte, error) {
	if b, err := base64.StdEncoding.DecodeString(s); err == nil {
		return b, nil
	}
	return base64.URLEncoding.DecodeString(s)
}

// KeyID names a key: the SHA-256 of it, in hex.
func KeyID(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:])
}

// ParsePrivateKey reads a private key in PEM, as "openssl genpkey -algorithm
// ed25519" writes it.
func ParsePrivateKey(text []byte) (ed25519.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, gate.Errorf(gate.Invalid, "not a key in PEM")
	}
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, gate.Errorf(gate.Invalid, "not a private key in PKCS #8")
	}
	key, ok := k.(ed25519.PrivateKey)
	if !ok {
		return nil, gate.Errorf(gate.Invalid, "not an ed25519 key")
	}
	return key, nil
}

// ParsePublicKeys reads public keys in PEM, several one after the other: an old
// one stays trusted while a new one takes its place.
func ParsePublicKeys(text []byte) ([]ed25519.PublicKey, error) {
	var keys []ed25519.PublicKey
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		k, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, gate.Errorf(gate.Invalid, "not a public key")
		}
		key, ok := k.(ed25519.PublicKey)
		if !ok {
			return nil, gate.Errorf(gate.Invalid, "not an ed25519 key")
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, gate.Errorf(gate.Invalid, "no public key in PEM")
	}
	return keys, nil
}

// PublicPEM writes a public key as ParsePublicKeys reads it.
func PublicPEM(key ed25519.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}

// PrivatePEM writes a private key as ParsePrivateKey reads it.
func PrivatePEM(key ed25519.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}
