package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"defectdojo/gate"
	"defectdojo/policies"
)

// explainCmd says why a finding counted, or did not.
type explainCmd struct {
	Finding string   `arg:"" help:"Its id, its fingerprint, its CVE, or a part of its title."`
	Reports []string `arg:"" optional:"" help:"Reports, judged here by the bundle in the cache: every rule is told with the value of each of its parts."`

	Verdict string `type:"existingfile" placeholder:"FILE" help:"A verdict as JSON instead, as 'upload --format json' or --output FILE.json write it."`

	subjectFlags `embed:""`

	URL      string   `env:"DD_URL" help:"The server whose bundle is used."`
	Commit   string   `env:"DD_COMMIT" help:"Commit; from the CI when not given."`
	ScanType string   `env:"DD_SCAN_TYPE" help:"Scan type of all reports; detected when not given."`
	Policy   []string `type:"existingfile" help:"Policy files of the repository."`

	cacheFlags `embed:""`
}

// Run runs the command.
func (c *explainCmd) Run(ctx context.Context, t terminal) error {
	switch {
	case c.Verdict != "" && len(c.Reports) == 0:
		return c.fromVerdict(t.stdout)
	case c.Verdict == "" && len(c.Reports) > 0:
		return c.fromReports(ctx, t)
	}
	return gate.Errorf(gate.Conflict, "give a verdict with --verdict, or reports")
}

// fromReports judges the reports here and tells every step.
func (c *explainCmd) fromReports(ctx context.Context, t terminal) error {
	u := &uploadCmd{
		Reports: c.Reports, serverFlags: serverFlags{URL: c.URL}, subjectFlags: c.subjectFlags, Commit: c.Commit, ScanType: c.ScanType, Policy: c.Policy, MinSeverity: "Info",
	}
	b := u.build(t.getenv)
	u.Product, u.Engagement = first(u.Product, b.repository), first(u.Engagement, b.branch, "default")
	if u.Product == "" || u.URL == "" {
		return gate.Errorf(gate.Conflict, "--product and --url are needed: they name the bundle")
	}
	reports, err := u.reports(ctx)
	if err != nil {
		return err
	}
	s := session{cmd: u, build: b, cache: c.cache(), now: time.Now} //nolint:forbidigo // the command is an edge
	in, err := s.evidence(ctx, reports)
	if err != nil {
		return gate.Errorf(gate.Conflict, "%v", err)
	}
	var found []policies.Finding // Explain sorts what it is given
	for i := range in.Head {
		if f := in.Head[i]; c.means(f.ID, f.Fingerprint, f.Title, f.Vulnerabilities) {
			found = append(found, f)
		}
	}
	for _, f := range found {
		x, err := policies.Explain(in, f.ID)
		if err != nil {
			return err
		}
		fmt.Fprintf(t.stdout, "%s\n%s\n", f.Title, x.Text())
	}
	return c.none(len(found))
}

// means tells whether a finding is the one that is asked about.
func (c *explainCmd) means(id int64, fingerprint, title string, vulnerabilities []string) bool {
	return strconv.FormatInt(id, 10) == c.Finding || fingerprint == c.Finding || len(c.Finding) > 2 && strings.Contains(strings.ToLower(title), strings.ToLower(c.Finding)) ||
		slices.ContainsFunc(vulnerabilities, func(v string) bool { return strings.EqualFold(v, c.Finding) })
}

func (c *explainCmd) none(found int) error {
	if found == 0 {
		return gate.Errorf(gate.Conflict, "no finding is %q", c.Finding)
	}
	return nil
}

// fromVerdict tells what a verdict says of it.
func (c *explainCmd) fromVerdict(w io.Writer) error {
	b, err := os.ReadFile(c.Verdict)
	if err != nil {
		return err
	}
	v, err := parseVerdict(b)
	if err != nil {
		return gate.Errorf(gate.Conflict, "%s: %v", c.Verdict, err)
	}
	found := 0
	for i := range v.Findings {
		if f := &v.Findings[i]; c.means(f.ID, f.Fingerprint, f.Title, f.Vulnerabilities) {
			found++
			tellFinding(w, v, f.ID, f)
		}
	}
	if id, err := strconv.ParseInt(c.Finding, 10, 64); err == nil && found == 0 {
		if _, ok := v.DispositionOf(id); ok {
			found++
			tellFinding(w, v, id, nil)
		}
	}
	return c.none(found)
}

// parseVerdict reads a verdict alone, or as the server or the uploader answer it.
func parseVerdict(b []byte) (*gate.Verdict, error) {
	var answer struct {
		Verdict *gate.Verdict `json:"verdict"`
	}
	if err := json.Unmarshal(b, &answer); err != nil {
		return nil, err
	}
	if answer.Verdict != nil {
		return answer.Verdict, nil
	}
	var v gate.Verdict
	if err := json.Unmarshal(b, &v); err != nil {
		return nil, err
	}
	if v.ID == "" {
		return nil, gate.Errorf(gate.Conflict, "it holds no verdict")
	}
	return &v, nil
}

// tellFinding writes what became of one finding, over all rules.
func tellFinding(w io.Writer, v *gate.Verdict, id int64, f *gate.FindingView) {
	if f != nil {
		fmt.Fprintf(w, "%s (%s, finding %d, %s)\n", f.Title, strings.ToLower(f.Severity.String()), id, f.Fingerprint)
		fmt.Fprintf(w, "  %s: %s\n", f.Delta, f.DeltaWhy)
	} else {
		fmt.Fprintf(w, "finding %d\n", id)
	}
	if d, ok := v.DispositionOf(id); ok {
		fmt.Fprintf(w, "  %s", d.Code)
		if d.Policy != "" {
			fmt.Fprintf(w, " by %s/%s", d.Policy, d.Rule)
		}
		if d.Detail != "" {
			fmt.Fprintf(w, ": %s", d.Detail)
		}
		if !d.Due.IsZero() {
			fmt.Fprintf(w, ", due %s", d.Due.UTC().Format(time.RFC3339))
		}
		fmt.Fprintln(w)
	}
	for i := range v.Policies {
		p := &v.Policies[i]
		for j := range p.Rules {
			if r := &p.Rules[j]; ruleHas(r, id) {
				fmt.Fprintf(w, "  %s/%s: %s, %d observed of at most %d\n", p.Name, r.ID, r.Outcome, r.Observed, r.Max)
			}
		}
	}
}

// ruleHas tells whether a rule counted a finding, or would have.
func ruleHas(r *gate.RuleVerdict, id int64) bool {
	has := func(ids []int64) bool { return slices.Contains(ids, id) }
	return has(r.Findings) || slices.ContainsFunc(r.Unknowns, func(u gate.UnknownMatch) bool { return has(u.Findings) }) ||
		slices.ContainsFunc(r.Waived, func(x gate.WaivedMatch) bool { return has(x.Findings) }) || slices.ContainsFunc(r.InGrace, func(g gate.GraceMatch) bool { return has(g.Findings) })
}
