package policies

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"defectdojo/gate"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// File is what a YAML file of several documents holds.
type File struct {
	Policies []*Policy
	Waivers  []gate.Waiver
	Tests    []Test
}

// ParseFile reads a file of policies, waivers and policy tests, divided by lines
// of "---". The error is Problems, all of them.
func ParseFile(name string, origin Origin, source []byte) (File, error) {
	var out File
	var found Problems
	if len(source) > MaxSource {
		return out, Problems{{File: name, Line: 1, Column: 1, Message: fmt.Sprintf("longer than %d bytes", MaxSource)}}
	}
	for _, d := range documents(source) {
		err := out.add(name, origin, d)
		if ps, ok := err.(Problems); ok { //nolint:errorlint // never wrapped here
			for i := range ps {
				ps[i].Line += d.line
			}
			found = append(found, ps...)
		}
	}
	if len(found) > 0 {
		return File{}, found
	}
	return out, nil
}

// add parses one document by its kind.
func (f *File) add(name string, origin Origin, d doc) error {
	parsed, err := parser.ParseBytes(d.text, 0)
	if err != nil {
		return Problems{yamlProblem(name, err)}
	}
	if len(parsed.Docs) == 0 || parsed.Docs[0].Body == nil {
		return nil
	}
	body := parsed.Docs[0].Body
	var head struct {
		Kind string `yaml:"kind"`
	}
	_ = yaml.NodeToValue(body, &head) // what is wrong with it, its own parser tells
	switch head.Kind {
	case "Waiver":
		w, err := parseWaiver(name, body, d.text)
		f.Waivers = append(f.Waivers, w)
		return err
	case "PolicyTest":
		t, err := parseTest(name, body, d)
		f.Tests = append(f.Tests, t)
		return err
	}
	p, err := Parse(name, origin, d.text)
	f.Policies = append(f.Policies, p)
	return err
}

// doc is one document of a file, and how many lines there are before it.
type doc struct {
	text []byte
	line int
}

// documents divides a file at lines of "---", and leaves out empty ones.
func documents(source []byte) []doc {
	var out []doc
	var d doc
	line := 0
	flush := func() {
		if len(bytes.TrimSpace(d.text)) > 0 {
			out = append(out, d)
		}
	}
	for l := range bytes.Lines(source) {
		line++
		if strings.TrimRight(string(l), " \t\r\n") == "---" {
			flush()
			d = doc{line: line}
			continue
		}
		d.text = append(d.text, l...)
	}
	flush()
	return out
}

// waiverDocument is a waiver as it is written in YAML.
type waiverDocument struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	Metadata   struct {
		ID string `yaml:"id"`
	} `yaml:"metadata"`
	Spec struct {
		Match struct {
			Fingerprint   string `yaml:"fingerprint"`
			Vulnerability string `yaml:"vulnerability"`
			PURL          string `yaml:"purl"`
			Rule          string `yaml:"rule"`
			Path          string `yaml:"path"`
			Product       string `yaml:"product"`
			Component     string `yaml:"component"`
			Branches      list   `yaml:"branches"`
		} `yaml:"match"`
		Reason        string    `yaml:"reason"`
		Justification string    `yaml:"justification"`
		Ticket        string    `yaml:"ticket"`
		RequestedBy   string    `yaml:"requested_by"`
		RequestedAt   time.Time `yaml:"requested_at"`
		ApprovedBy    list      `yaml:"approved_by"`
		ValidFrom     time.Time `yaml:"valid_from"`
		Expires       time.Time `yaml:"expires"`
		RevokedAt     time.Time `yaml:"revoked_at"`
		MaxMatches    int       `yaml:"max_matches"`
		VoidIf        string    `yaml:"void_if"`
		Evidence      list      `yaml:"evidence"`
	} `yaml:"spec"`
}

// parseWaiver reads a waiver. Whether its approvers may approve is for the caller
// to know.
func parseWaiver(name string, body ast.Node, source []byte) (gate.Waiver, error) {
	var d waiverDocument
	if err := yaml.NodeToValue(body, &d, yaml.Strict()); err != nil {
		return gate.Waiver{}, Problems{yamlProblem(name, err)}
	}
	s, m := &d.Spec, &d.Spec.Match
	w := gate.Waiver{
		ID: d.Metadata.ID, Reason: s.Reason, Justification: gate.Justification(s.Justification), Ticket: s.Ticket, Origin: gate.WaiverFromRepository,
		RequestedBy: s.RequestedBy, RequestedAt: s.RequestedAt, ApprovedBy: s.ApprovedBy, ValidFrom: s.ValidFrom, Expires: s.Expires, RevokedAt: s.RevokedAt,
		MaxMatches: s.MaxMatches, VoidIf: s.VoidIf, Evidence: s.Evidence,
		Match: gate.WaiverMatch{
			Fingerprint: m.Fingerprint, Vulnerability: m.Vulnerability, PURL: m.PURL, Rule: m.Rule, Path: m.Path, Product: m.Product, Component: m.Component, Branches: m.Branches,
		},
	}
	p := &Policy{places: placesOf(name, body, source)}
	p.places.root = "$.spec"
	c := &inspector{p: p}
	c.waiver(&w)
	if len(c.found) > 0 {
		return gate.Waiver{}, c.found
	}
	return w, nil
}

// CheckWaiver says everything that is wrong with a waiver that came otherwise
// than as YAML; nil if nothing.
func CheckWaiver(w *gate.Waiver) error {
	c := &inspector{p: &Policy{places: places{file: w.ID}}}
	c.waiver(w)
	if len(c.found) > 0 {
		return c.found
	}
	return nil
}

func (c *inspector) waiver(w *gate.Waiver) {
	if w.ID == "" {
		c.bad("$.metadata", "needs an id")
	}
	if why := checkWaiver(w); why != "" {
		c.bad("match", "%s", why)
	}
	if strings.TrimSpace(w.Reason) == "" {
		c.bad("reason", "needs a reason")
	}
	if w.RequestedBy == "" {
		c.bad("requested_by", "needs who asks for it")
	}
	if w.MaxMatches < 0 {
		c.bad("max_matches", "must not be less than 0")
	}
	c.word("justification", string(w.Justification), texts(gate.Justifications))
	c.expression("void_if", w.VoidIf, "f", "product", "change", "now", "severity")
}
