package attest

import (
	"cmp"
	"crypto/ed25519"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"defectdojo/gate"
)

// Types of what is signed.
const (
	PayloadType   = "application/vnd.in-toto+json"
	StatementType = "https://in-toto.io/Statement/v1"
	PredicateType = "https://slsa.dev/verification_summary/v1"
)

// Statement is an in-toto statement (https://github.com/in-toto/attestation).
type Statement struct {
	Type          string     `json:"_type"`
	Subject       []Resource `json:"subject"`
	PredicateType string     `json:"predicateType"`
	Predicate     Summary    `json:"predicate"`
}

// Resource names something by its digest.
type Resource struct {
	Name   string            `json:"name,omitempty"`
	URI    string            `json:"uri,omitempty"`
	Digest map[string]string `json:"digest"`
}

// Summary is a SLSA verification summary
// (https://slsa.dev/spec/v1.1/verification_summary), with the gate's own part.
type Summary struct {
	Verifier struct {
		ID string `json:"id"`
	} `json:"verifier"`
	TimeVerified       time.Time  `json:"timeVerified"`
	ResourceURI        string     `json:"resourceUri"`
	Policy             Resource   `json:"policy"`
	InputAttestations  []Resource `json:"inputAttestations"`
	VerificationResult string     `json:"verificationResult"` // PASSED or FAILED
	VerifiedLevels     []string   `json:"verifiedLevels"`
	SLSAVersion        string     `json:"slsaVersion"`
	Gate               Outcome    `json:"urn:defectdojo:gate:verdict:v1"`
}

// Outcome is the verdict in short.
type Outcome struct {
	ID          string          `json:"id"`
	Overall     gate.Decision   `json:"overall"`
	Conclusive  bool            `json:"conclusive"`
	WouldBe     gate.Decision   `json:"would_be"`
	Mode        gate.Mode       `json:"mode"`
	Exit        gate.ExitCode   `json:"exit_code"`
	Provisional bool            `json:"provisional,omitempty"`
	ValidUntil  time.Time       `json:"valid_until,omitzero"`
	Inputs      string          `json:"inputs"` // the digest of all
	Product     string          `json:"product"`
	Why         []string        `json:"why"`
	Policies    []PolicyOutcome `json:"policies"`
}

// PolicyOutcome is one policy's part.
type PolicyOutcome struct {
	Name    string        `json:"name"`
	Digest  string        `json:"digest"`
	Mode    gate.Mode     `json:"mode"`
	Overall gate.Decision `json:"overall"`
	Rules   []RuleOutcome `json:"rules"`
}

// RuleOutcome is one rule's part.
type RuleOutcome struct {
	ID       string           `json:"id"`
	Outcome  gate.RuleOutcome `json:"outcome"`
	Observed int              `json:"observed"`
	Unknown  int              `json:"unknown"`
	Max      int              `json:"max"`
}

// Sign makes the signed statement of a verdict. The verifier is the URL of the
// server that judged. Without a commit or an artifact there is nothing that the
// statement could be about.
func Sign(v *gate.Verdict, verifier string, key ed25519.PrivateKey) ([]byte, error) {
	s, err := NewStatement(v, verifier)
	if err != nil {
		return nil, err
	}
	payload, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return Seal(PayloadType, payload, key)
}

// NewStatement makes the statement of a verdict.
func NewStatement(v *gate.Verdict, verifier string) (Statement, error) {
	s := Statement{Type: StatementType, PredicateType: PredicateType, Subject: subjects(v)}
	if len(s.Subject) == 0 {
		return s, gate.Errorf(gate.Invalid, "the verdict names neither a commit nor an artifact")
	}
	p := &s.Predicate
	p.Verifier.ID, p.TimeVerified, p.SLSAVersion = verifier, v.DecidedAt, "1.1"
	p.ResourceURI = cmp.Or(v.Subject.Repository, v.Subject.Product)
	p.Policy = Resource{URI: verifier + "#policies", Digest: sha(v.Inputs.Policies)}
	for _, in := range []struct{ name, digest string }{
		{"context", v.Inputs.Context},
		{"runs", v.Inputs.Runs},
		{"findings", v.Inputs.Findings},
		{"baseline", v.Inputs.Baseline},
		{"baseline_findings", v.Inputs.BaselineFindings},
		{"waivers", v.Inputs.Waivers},
		{"vex", v.Inputs.VEX},
		{"intel", v.Inputs.Intel},
	} {
		p.InputAttestations = append(p.InputAttestations, Resource{URI: verifier + "#" + in.name, Digest: sha(in.digest)})
	}
	p.VerificationResult, p.VerifiedLevels = "PASSED", []string{"GATE_" + strings.ToUpper(string(v.Overall))}
	if v.Overall == gate.Fail {
		p.VerificationResult, p.VerifiedLevels = "FAILED", []string{"FAILED"}
	}
	p.Gate = outcome(v)
	return s, nil
}

// subjects lists the commit and the artifacts.
func subjects(v *gate.Verdict) []Resource {
	var out []Resource
	if c := v.Subject.Commit; c != "" {
		out = append(out, Resource{Name: cmp.Or(v.Subject.Repository, v.Subject.Product), Digest: map[string]string{"gitCommit": c}})
	}
	for _, a := range v.Subject.ArtifactDigests {
		out = append(out, Resource{Name: cmp.Or(v.Subject.Product, "artifact"), Digest: sha(a)})
	}
	return out
}

// sha makes "sha256:…" a digest set.
func sha(digest string) map[string]string {
	algorithm, hex, found := strings.Cut(digest, ":")
	if !found {
		return map[string]string{"sha256": digest}
	}
	return map[string]string{algorithm: hex}
}

func outcome(v *gate.Verdict) Outcome {
	o := Outcome{
		ID: v.ID, Overall: v.Overall, Conclusive: v.Conclusive, WouldBe: v.WouldBe, Mode: v.Mode, Exit: v.Exit, Provisional: v.Provisional,
		ValidUntil: v.ValidUntil, Inputs: v.Inputs.All, Product: v.Subject.Product, Why: v.Why,
	}
	for i := range v.Policies {
		p := &v.Policies[i]
		po := PolicyOutcome{Name: p.Name, Digest: p.Digest, Mode: p.Mode, Overall: p.Overall}
		for j := range p.Rules {
			r := &p.Rules[j]
			po.Rules = append(po.Rules, RuleOutcome{r.ID, r.Outcome, r.Observed, r.Unknown, r.Max})
		}
		o.Policies = append(o.Policies, po)
	}
	return o
}

// Expect is what a statement must say for Check to accept it. What is not given
// is not asked for.
type Expect struct {
	Verifier string
	Commit   string
	Artifact string // "sha256:…"
	Product  string
	Policy   string    // digest of a policy that must have been looked at
	Now      time.Time // the verdict must still be valid
	AnyEnd   bool      // accept a statement that the gate failed
}

// Verify checks an envelope's signature and reads the statement in it.
func Verify(envelope []byte, keys []ed25519.PublicKey) (Statement, error) {
	payload, err := Open(envelope, PayloadType, keys)
	if err != nil {
		return Statement{}, err
	}
	var s Statement
	if err := json.Unmarshal(payload, &s); err != nil {
		return s, gate.Errorf(gate.Invalid, "not an in-toto statement: %v", err)
	}
	if s.Type != StatementType || s.PredicateType != PredicateType {
		return s, gate.Errorf(gate.Invalid, "the statement is a %s of %s, not a verification summary", s.Type, s.PredicateType)
	}
	return s, nil
}

// Check says why a verified statement is not what is expected; nil if it is.
func (s *Statement) Check(e Expect) error {
	p := &s.Predicate
	switch {
	case e.Verifier != "" && p.Verifier.ID != e.Verifier:
		return gate.Errorf(gate.Invalid, "verified by %s, not by %s", p.Verifier.ID, e.Verifier)
	case e.Commit != "" && !s.about(map[string]string{"gitCommit": e.Commit}):
		return gate.Errorf(gate.Invalid, "not about commit %s", e.Commit)
	case e.Artifact != "" && !s.about(sha(e.Artifact)):
		return gate.Errorf(gate.Invalid, "not about artifact %s", e.Artifact)
	case e.Product != "" && p.Gate.Product != e.Product:
		return gate.Errorf(gate.Invalid, "about product %s, not %s", p.Gate.Product, e.Product)
	case e.Policy != "" && !slices.ContainsFunc(p.Gate.Policies, func(o PolicyOutcome) bool { return o.Digest == e.Policy }):
		return gate.Errorf(gate.Invalid, "policy %s was not looked at", e.Policy)
	case !e.Now.IsZero() && !p.Gate.ValidUntil.IsZero() && !e.Now.Before(p.Gate.ValidUntil):
		return gate.Errorf(gate.Invalid, "valid until %s only", p.Gate.ValidUntil.Format(time.RFC3339))
	case !e.AnyEnd && p.VerificationResult != "PASSED":
		return gate.Errorf(gate.Invalid, "the gate failed: %s", strings.Join(p.Gate.Why, " "))
	}
	return nil
}

// about tells whether one of the subjects has a digest.
func (s *Statement) about(digest map[string]string) bool {
	return slices.ContainsFunc(s.Subject, func(r Resource) bool {
		for algorithm, value := range digest {
			if r.Digest[algorithm] == value && value != "" {
				return true
			}
		}
		return false
	})
}

// SameAs says whether a statement is of exactly that verdict.
func (s *Statement) SameAs(v *gate.Verdict) bool {
	again, err := NewStatement(v, s.Predicate.Verifier.ID)
	if err != nil {
		return false
	}
	a, errA := json.Marshal(s)
	b, errB := json.Marshal(again)
	return errA == nil && errB == nil && string(a) == string(b)
}
