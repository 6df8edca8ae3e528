package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"defectdojo/gate"
	"defectdojo/policies/attest"
)

// verifyCmd checks a signed statement.
type verifyCmd struct {
	File string `arg:"" type:"existingfile" help:"The statement: a DSSE envelope, as 'upload --output verdict.intoto.json' or /api/v2/verdicts/ID/report/?format=intoto write it."`

	Cache    string   `env:"DD_CACHE_DIR" default:".defectdojo" type:"path" help:"Folder with the keys that 'bundle' has fetched; read without --key."`
	Key      []string `env:"DD_KEY_FILE" type:"path" placeholder:"FILE" help:"Public keys of the server, in PEM, that are trusted."`
	Commit   string   `help:"The commit that it must be about."`
	Artifact string   `placeholder:"sha256:…" help:"The artifact that it must be about."`
	Product  string   `help:"The product that it must be about."`
	Verifier string   `placeholder:"URL" help:"The server that must have judged."`
	Policy   string   `placeholder:"sha256:…" help:"Digest of a policy that must have been looked at."`
	AnyEnd   bool     `help:"Accept a statement that the gate failed."`
	AnyTime  bool     `help:"Accept a verdict that is no longer valid."`
}

// Help describes the command.
func (verifyCmd) Help() string {
	return `Checks who signed a verdict, what it is about, what it says and whether that still holds. It asks no server.

Exit codes: 0 it is signed, as expected, and the gate passed; 1 the gate failed; 2 wrong usage, or no key;
3 it does not hold any more, or the gate could not decide; 4 it is not signed by a key that is trusted, or is
about something else.`
}

// Run runs the command.
func (c *verifyCmd) Run(t terminal) error {
	keys, err := cache{c.Cache, c.Key}.keys()
	if err != nil {
		return err
	}
	envelope, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	s, err := attest.Verify(envelope, keys)
	if err != nil {
		return c.refuse(t, gate.ExitRejected, err)
	}
	if err := s.Check(attest.Expect{Verifier: c.Verifier, Commit: c.Commit, Artifact: c.Artifact, Product: c.Product, Policy: c.Policy, AnyEnd: true}); err != nil {
		return c.refuse(t, gate.ExitRejected, err)
	}
	if !c.AnyEnd {
		if err := s.Check(attest.Expect{}); err != nil {
			return c.refuse(t, gate.ExitFor(gate.Fail, s.Predicate.Gate.Conclusive), err)
		}
	}
	if !c.AnyTime {
		if err := s.Check(attest.Expect{Now: time.Now(), AnyEnd: true}); err != nil { //nolint:forbidigo // the command is an edge
			return c.refuse(t, gate.ExitInconclusive, err)
		}
	}
	c.tell(t, &s)
	return nil
}

func (c *verifyCmd) refuse(t terminal, code gate.ExitCode, err error) error {
	fmt.Fprintf(t.stderr, "%s: %v\n", c.File, err)
	return exitError{code}
}

func (c *verifyCmd) tell(t terminal, s *attest.Statement) {
	p := &s.Predicate
	var about []string
	for _, r := range s.Subject {
		for algorithm, digest := range r.Digest {
			about = append(about, algorithm+":"+digest)
		}
	}
	fmt.Fprintf(t.stdout, "%s: signed; %s %s, judged %s by %s\n  about %s\n", c.File, p.Gate.Product, strings.ToUpper(string(p.Gate.Overall)),
		p.TimeVerified.UTC().Format(time.RFC3339), p.Verifier.ID, strings.Join(about, ", "))
	for _, o := range p.Gate.Policies {
		fmt.Fprintf(t.stdout, "  policy %s: %s (%s)\n", o.Name, o.Overall, o.Digest)
	}
}
