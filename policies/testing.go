package policies

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"defectdojo/gate"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// Test is a test of policies: given some findings, expect a verdict. As YAML:
//
//	kind: PolicyTest
//	metadata: {name: critical findings}
//	spec:
//	  policies: [org-baseline]      # names; all of the file's when not given
//	  now: 2026-11-22T12:00:00Z     # this, when not given
//	  context: {event: pull_request, product: {name: payments-api, tags: [pci]}}
//	  cases:
//	    - name: a new critical fails
//	      given:
//	        findings: [{severity: critical, delta: introduced, kev: true, age: 3d}]
//	      expect: {overall: fail, conclusive: true, rules: {new-critical: violated}}
//
// Findings, runs, waivers, context and intel are as in the JSON of Inputs. A
// finding may also have a delta, from which the baseline is made, and an age.
type Test struct {
	Name     string
	Policies []string
	Now      time.Time
	Context  Context
	Cases    []TestCase
	file     string
}

// TestCase is one case of a Test.
type TestCase struct {
	Name   string
	Given  Inputs
	Expect Expectation
	line   int
}

// Expectation is what a verdict must be. What is not given may be anything.
type Expectation struct {
	Overall      gate.Decision                  `json:"overall"`
	WouldBe      gate.Decision                  `json:"would_be"`
	Conclusive   *bool                          `json:"conclusive"`
	Exit         *gate.ExitCode                 `json:"exit"`
	Rules        map[string]gate.RuleOutcome    `json:"rules"`
	Dispositions map[int64]gate.DispositionCode `json:"dispositions"` // by finding id
	Missing      []string                       `json:"missing"`      // ids of requirements
	Why          string                         `json:"why"`          // a part of some sentence
}

// testDocument is a Test as it is written.
type testDocument struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Spec struct {
		Policies []string  `json:"policies"`
		Now      time.Time `json:"now"`
		Context  Context   `json:"context"`
		Cases    []struct {
			Name  string `json:"name"`
			Given struct {
				Findings []testFinding       `json:"findings"`
				Runs     []Run               `json:"runs"`
				Waivers  []gate.Waiver       `json:"waivers"`
				VEX      []gate.VEXStatement `json:"vex"`
				Intel    Intel               `json:"intel"`
				Context  *Context            `json:"context"`
				Baseline *bool               `json:"baseline"` // false: there is none
			} `json:"given"`
			Expect Expectation `json:"expect"`
		} `json:"cases"`
	} `json:"spec"`
}

// testFinding is a finding of a test.
type testFinding struct {
	Finding
	Delta gate.Delta `json:"delta"`
	Age   string     `json:"age"`
}

// testNow is when tests are that do not say.
var testNow = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// parseTest reads a test: YAML in form, JSON in names.
func parseTest(name string, body ast.Node, d doc) (Test, error) {
	at := placesOf(name, body, d.text)
	var loose any
	if err := yaml.NodeToValue(body, &loose); err != nil {
		return Test{}, Problems{yamlProblem(name, err)}
	}
	b, err := json.Marshal(loose)
	if err != nil {
		return Test{}, Problems{at.problem("$", "%v", err)}
	}
	var td testDocument
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&td); err != nil {
		return Test{}, Problems{at.problem("$", "%s", strings.TrimPrefix(err.Error(), "json: "))}
	}
	t := Test{Name: td.Metadata.Name, Policies: td.Spec.Policies, Now: td.Spec.Now, Context: td.Spec.Context, file: name}
	if t.Now.IsZero() {
		t.Now = testNow
	}
	for i, c := range td.Spec.Cases {
		path := fmt.Sprintf("$.spec.cases[%d]", i)
		in := Inputs{Now: t.Now, Context: t.Context, Runs: c.Given.Runs, Waivers: c.Given.Waivers, VEX: c.Given.VEX, Intel: c.Given.Intel}
		if c.Given.Context != nil {
			in.Context = *c.Given.Context
		}
		if err := in.setFindings(c.Given.Findings, c.Given.Baseline == nil || *c.Given.Baseline); err != nil {
			return Test{}, Problems{at.problem(path, "%v", err)}
		}
		t.Cases = append(t.Cases, TestCase{Name: c.Name, Given: in, Expect: c.Expect, line: at.at(path).Line + d.line})
	}
	return t, nil
}

// setFindings makes head and baseline of a test's findings.
func (in *Inputs) setFindings(fs []testFinding, based bool) error {
	b := &Baseline{Kind: "previous", Commit: "base", Scanners: []string{"scanner"}, Inventory: []string{}, Contexts: map[string]string{}}
	if in.Context.HeadCommit == "" {
		in.Context.HeadCommit = "head"
	}
	for i := range in.Runs {
		if r := &in.Runs[i]; r.Commit == "" && r.On != OnBase {
			r.Commit = in.Context.HeadCommit
		}
		if r := &in.Runs[i]; r.CompletedAt.IsZero() {
			r.CompletedAt = in.Now
		}
	}
	for i := range fs {
		f := &fs[i]
		if err := f.complete(int64(i+1), in.Now); err != nil {
			return err
		}
		if err := b.place(&f.Finding, f.Delta, in); err != nil {
			return err
		}
		in.Head = append(in.Head, f.Finding)
	}
	if based {
		in.Baseline = b
	}
	return nil
}

// complete fills in what a test does not care about.
func (f *testFinding) complete(id int64, now time.Time) error {
	if f.ID == 0 {
		f.ID = id
	}
	if f.Fingerprint == "" {
		f.Fingerprint = fmt.Sprintf("finding-%d", f.ID)
	}
	if f.Status == "" {
		f.Status = Open
	}
	if f.Scanner == "" {
		f.Scanner = "scanner"
	}
	if f.Title == "" {
		f.Title = fmt.Sprintf("finding %d", f.ID)
	}
	if f.Age != "" {
		d, err := ParseDuration(f.Age)
		if err != nil {
			return err
		}
		f.FirstSeen = now.Add(-time.Duration(d))
	}
	return nil
}

// place puts into the baseline what gives a finding its delta.
func (b *Baseline) place(f *Finding, d gate.Delta, in *Inputs) error {
	if d != gate.DeltaNoBaseline && !slices.Contains(b.Scanners, f.Scanner) {
		b.Scanners = append(b.Scanners, f.Scanner)
	}
	switch d {
	case gate.DeltaIntroduced, "":
	case gate.DeltaExisting:
		b.Findings = append(b.Findings, *f)
	case gate.DeltaReopened:
		b.Closed = append(b.Closed, f.Fingerprint)
	case gate.DeltaDisclosed:
		if f.PURL == "" {
			f.PURL = fmt.Sprintf("pkg:generic/component-%d@1", f.ID)
		}
		b.Inventory = append(b.Inventory, f.PURL)
	case gate.DeltaRuleDrift:
		f.ContextHash = f.Fingerprint
		b.Contexts[f.Path] += f.Fingerprint + " "
		in.Runs = append(in.Runs, Run{Tool: f.Scanner, Version: "before", Commit: b.Commit, CompletedAt: in.Now},
			Run{Tool: f.Scanner, Version: "after", Commit: in.Context.HeadCommit, CompletedAt: in.Now})
	case gate.DeltaNoBaseline:
		f.Scanner = "a scanner without a baseline"
	default:
		return fmt.Errorf("%q is not a delta", d)
	}
	return nil
}
