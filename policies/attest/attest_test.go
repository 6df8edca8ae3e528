package attest

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"defectdojo/gate"
	"defectdojo/policies"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// key makes the same key for the same letter.
func key(letter string) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte(letter), ed25519.SeedSize))
}

func public(letter string) ed25519.PublicKey {
	return ed25519.PublicKey(key(letter)[32:])
}

func verdict(t testing.TB, findings ...policies.Finding) *gate.Verdict {
	t.Helper()
	v, err := policies.Evaluate(policies.Inputs{
		Policies: []*policies.Policy{policies.Default()}, Head: findings, Now: noon, Baseline: &policies.Baseline{Commit: "b", Scanners: []string{"trivy"}},
		Context: policies.Context{Product: policies.Product{Name: "payments"}, HeadCommit: strings.Repeat("a", 40), Repository: "https://github.com/example/payments", ArtifactDigests: []string{"sha256:" + strings.Repeat("b", 64)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &v
}

var critical = policies.Finding{ID: 1, Fingerprint: "a", Title: "bad", Severity: gate.Critical, Status: policies.Open, Scanner: "trivy", PURL: "pkg:npm/a@1"}

func TestSignAndVerify(t *testing.T) {
	t.Parallel()
	v := verdict(t)
	envelope, err := Sign(v, "https://gate.example.org", key("k"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Verify(envelope, []ed25519.PublicKey{public("x"), public("k")})
	if err != nil {
		t.Fatal(err)
	}
	if !s.SameAs(v) || s.Predicate.VerificationResult != "PASSED" || len(s.Subject) != 2 || s.Predicate.Gate.Policies[0].Digest != policies.Default().Digest {
		t.Errorf("%+v", s)
	}
	again, err := Sign(v, "https://gate.example.org", key("k"))
	if err != nil || !bytes.Equal(again, envelope) {
		t.Error("not the same bytes twice")
	}
	good := Expect{Verifier: "https://gate.example.org", Commit: strings.Repeat("a", 40), Artifact: "sha256:" + strings.Repeat("b", 64), Product: "payments", Policy: policies.Default().Digest, Now: noon}
	if err := s.Check(good); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Expect){
		"verifier": func(e *Expect) { e.Verifier = "https://evil.example.org" }, "commit": func(e *Expect) { e.Commit = strings.Repeat("c", 40) },
		"artifact": func(e *Expect) { e.Artifact = "sha256:" + strings.Repeat("a", 64) }, "product": func(e *Expect) { e.Product = "other" },
		"policy": func(e *Expect) { e.Policy = "sha256:0" },
	} {
		e := good
		change(&e)
		if err := s.Check(e); gate.KindOf(err) != gate.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFailedVerdict(t *testing.T) {
	t.Parallel()
	envelope, err := Sign(verdict(t, critical), "x", key("k"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Verify(envelope, []ed25519.PublicKey{public("k")})
	if err != nil || s.Predicate.VerificationResult != "FAILED" {
		t.Fatalf("%v, %s", err, s.Predicate.VerificationResult)
	}
	if err := s.Check(Expect{}); err == nil || !strings.Contains(err.Error(), "new-critical") {
		t.Errorf("%v", err)
	}
	if err := s.Check(Expect{AnyEnd: true}); err != nil {
		t.Error(err)
	}
}

func TestExpired(t *testing.T) {
	t.Parallel()
	v := verdict(t)
	v.ValidUntil = noon.Add(time.Hour)
	s, err := NewStatement(v, "x")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check(Expect{Now: noon.Add(time.Hour - 1)}); err != nil {
		t.Error(err)
	}
	if err := s.Check(Expect{Now: noon.Add(time.Hour)}); err == nil {
		t.Error("accepted after its end")
	}
}

func TestNothingToBeAbout(t *testing.T) {
	t.Parallel()
	v := verdict(t)
	v.Subject.Commit, v.Subject.ArtifactDigests = "", nil
	if _, err := Sign(v, "x", key("k")); gate.KindOf(err) != gate.Invalid {
		t.Errorf("%v", err)
	}
}

// TestEveryByteCounts flips bytes all over an envelope: no change is accepted
// that changes the statement.
func TestEveryByteCounts(t *testing.T) {
	t.Parallel()
	v := verdict(t)
	envelope, err := Sign(v, "x", key("k"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := Open(envelope, PayloadType, []ed25519.PublicKey{public("k")})
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(envelope); i += 5 {
		bad := bytes.Clone(envelope)
		bad[i] ^= 1
		if got, err := Open(bad, PayloadType, []ed25519.PublicKey{public("k")}); err == nil && !bytes.Equal(got, want) {
			t.Fatalf("byte %d changed, and accepted", i)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	good, err := Seal("a/b", []byte("hello"), key("k"))
	if err != nil {
		t.Fatal(err)
	}
	var e Envelope
	if err := json.Unmarshal(good, &e); err != nil {
		t.Fatal(err)
	}
	unsigned, _ := json.Marshal(Envelope{PayloadType: e.PayloadType, Payload: e.Payload})
	renamed, _ := json.Marshal(Envelope{PayloadType: "a/c", Payload: e.Payload, Signatures: e.Signatures})
	swapped, _ := json.Marshal(Envelope{PayloadType: e.PayloadType, Payload: base64.StdEncoding.EncodeToString([]byte("other")), Signatures: e.Signatures})
	keys := []ed25519.PublicKey{public("k")}
	for name, tc := range map[string]struct {
		envelope []byte
		typ      string
		keys     []ed25519.PublicKey
		want     gate.Kind
	}{
		"no_keys":    {good, "a/b", nil, gate.Unauthorized},
		"other_key":  {good, "a/b", []ed25519.PublicKey{public("x")}, gate.Unauthorized},
		"short_key":  {good, "a/b", []ed25519.PublicKey{public("k")[:5]}, gate.Unauthorized},
		"unsigned":   {unsigned, "a/b", keys, gate.Unauthorized},
		"swapped":    {swapped, "a/b", keys, gate.Unauthorized},
		"retyped":    {renamed, "a/c", keys, gate.Unauthorized},
		"other_type": {good, "a/c", keys, gate.Invalid},
		"not_json":   {[]byte("hello"), "a/b", keys, gate.Invalid},
	} {
		if _, err := Open(tc.envelope, tc.typ, tc.keys); gate.KindOf(err) != tc.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got, err := Open(good, "a/b", keys); err != nil || string(got) != "hello" {
		t.Errorf("%q, %v", got, err)
	}
}

// TestPreAuth is the example of DSSE's own protocol description.
func TestPreAuth(t *testing.T) {
	t.Parallel()
	if got, want := string(preAuth("http://example.com/HelloWorld", []byte("hello world"))), "DSSEv1 29 http://example.com/HelloWorld 11 hello world"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestKeysInPEM(t *testing.T) {
	t.Parallel()
	private, err := PrivatePEM(key("k"))
	if err != nil {
		t.Fatal(err)
	}
	k, err := ParsePrivateKey(private)
	if err != nil || !k.Equal(key("k")) {
		t.Errorf("%v", err)
	}
	a, _ := PublicPEM(public("a"))
	b, _ := PublicPEM(public("b"))
	keys, err := ParsePublicKeys(append(a, b...))
	if err != nil || len(keys) != 2 || !keys[1].Equal(public("b")) {
		t.Errorf("%d keys, %v", len(keys), err)
	}
	for _, bad := range [][]byte{nil, []byte("x"), a} {
		if _, err := ParsePrivateKey(bad); gate.KindOf(err) != gate.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, bad := range [][]byte{nil, private} {
		if _, err := ParsePublicKeys(bad); gate.KindOf(err) != gate.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
