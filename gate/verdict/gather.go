package verdict

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/dedup"
	"defectdojo/gate/store"
	"defectdojo/parsers/all"
	"defectdojo/policies"
)

// history bounds how many imports of a test are looked at.
const history = 20

// gathering collects the inputs of one verdict.
type gathering struct {
	store   *store.Store
	request Request
	product store.JudgedProduct
	now     time.Time

	imports []int64 // that are judged
	tests   map[int64]testFacts
}

// testFacts are what findings of a test have in common.
type testFacts struct {
	scanner   string
	scanType  string
	algorithm dedup.Algorithm
}

// inputs gathers everything that the verdict rests on.
func (g *gathering) inputs(ctx context.Context) (policies.Inputs, error) {
	in := policies.Inputs{Context: g.context(), Now: g.now}
	var err error
	if in.Policies, err = g.policies(ctx); err != nil {
		return in, err
	}
	imports, err := g.store.JudgedImports(ctx, g.product.EngagementID, history)
	if err != nil {
		return in, err
	}
	g.learnTests(imports)
	current := g.current(imports, in.Context.HeadCommit)
	for _, i := range imports {
		if slices.Contains(current, i.ID) {
			g.imports = append(g.imports, i.ID)
			in.Runs = append(in.Runs, g.run(i, imports, policies.OnHead))
		}
	}
	found, err := collect(g.store.JudgedFindings(ctx, g.product.EngagementID))
	if err != nil {
		return in, err
	}
	for i := range found {
		if f := &found[i]; !f.Flags.IsMitigated || f.Flags.FalseP || f.Flags.OutOfScope {
			in.Head = append(in.Head, g.finding(f))
		}
	}
	if target := in.Context.TargetBranch; target != "" && target != in.Context.Branch {
		err = g.targetBaseline(ctx, &in, target)
	} else {
		err = g.previousBaseline(ctx, &in, imports, current, found)
	}
	return in, err
}

func (g *gathering) context() policies.Context {
	r, p := g.request, g.product
	c := policies.Context{
		Product: policies.Product{
			ID: p.ID, Name: p.Name, Type: p.Type, Tags: p.Tags, Criticality: deref(p.BusinessCriticality), Lifecycle: deref(p.Lifecycle), Platform: deref(p.Platform),
			InternetAccessible: p.InternetAccessible, ExternalAudience: p.ExternalAudience,
		},
		Component: r.Component, Repository: r.Repository, Event: r.Event, Branch: r.Branch, TargetBranch: r.TargetBranch, PullRequest: r.PullRequest,
		HeadCommit: r.Commit, BaseCommit: r.BaseCommit, MergeBase: r.MergeBase, Environment: r.Environment, Fork: r.Fork, Actor: r.Actor,
	}
	if c.Branch == "" {
		c.Branch = first(deref(p.BranchTag), p.EngagementName)
	}
	return c
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func first(s ...string) string {
	for _, v := range s {
		if v != "" {
			return v
		}
	}
	return ""
}

// policies returns those of the server, or the built-in one if it has none, and
// those of the repository, which can only tighten.
func (g *gathering) policies(ctx context.Context) ([]*policies.Policy, error) {
	sources, err := g.store.Policies(ctx)
	if err != nil {
		return nil, err
	}
	var list []*policies.Policy
	for _, s := range sources {
		p, err := policies.Parse(s.Name, policies.FromServer, []byte(s.Source))
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	if len(list) == 0 {
		list = append(list, policies.Default())
	}
	for _, s := range g.request.Policies {
		p, err := policies.Parse(s.Name, policies.FromRepository, []byte(s.Text))
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

func (g *gathering) learnTests(imports []store.JudgedImport) {
	if g.tests == nil {
		g.tests = map[int64]testFacts{}
	}
	for _, i := range imports {
		if _, ok := g.tests[i.TestID]; !ok {
			g.tests[i.TestID] = testFacts{scanner: scanner(i), scanType: i.ScanType, algorithm: dedup.For(i.ScanType).Algorithm}
		}
	}
}

// scanner is a test's tool, in the word that policies use: "trivy". Formats of
// many tools name theirs in the test type: "Semgrep Scan (SARIF)".
func scanner(i store.JudgedImport) string {
	if tool, _, ok := strings.Cut(i.TestType, " Scan ("); ok {
		return strings.ToLower(tool)
	}
	if p, ok := all.ByScanType(i.ScanType); ok {
		if (p.Name == "sarif" || p.Name == "generic") && len(i.Runs) > 0 && i.Runs[0].Tool != "" {
			return strings.ToLower(i.Runs[0].Tool)
		}
		return p.Name
	}
	return strings.ToLower(i.ScanType)
}

// current returns the imports that are of the change: those of its commit, or
// without a commit the newest of each test.
func (g *gathering) current(imports []store.JudgedImport, commit string) []int64 {
	var ids []int64
	ended := map[int64]bool{}   // tests whose imports of the commit are over
	for _, i := range imports { // the newest first
		if ended[i.TestID] {
			continue
		}
		switch {
		case commit == "":
			ids = append(ids, i.ID)
			ended[i.TestID] = true
		case i.CommitHash == commit:
			ids = append(ids, i.ID)
		default:
			ended[i.TestID] = true
		}
	}
	return ids
}

// run makes evidence of an import.
func (g *gathering) run(i store.JudgedImport, imports []store.JudgedImport, on policies.On) policies.Run {
	r := policies.Run{
		ID: i.ID, Tool: g.tests[i.TestID].scanner, On: on, Commit: i.CommitHash, ReportDigest: "sha256:" + hex.EncodeToString(i.SHA256),
		Outcome: i.Outcome, CompletedAt: i.Created, Results: i.FindingCount, Components: i.Components,
	}
	for _, run := range i.Runs {
		r.Version, r.Ruleset = first(r.Version, run.Version), first(r.Ruleset, run.Ruleset)
		r.Problems = append(r.Problems, run.Problems...)
	}
	for _, past := range imports {
		if past.TestID == i.TestID && past.ID < i.ID && past.Outcome != gate.Failed && past.Outcome != gate.Partial && len(r.PastResults) < 10 {
			r.PastResults = append(r.PastResults, past.FindingCount)
		}
	}
	return r
}

// targetBaseline compares with the newest reports of the branch that the change
// is to go into.
func (g *gathering) targetBaseline(ctx context.Context, in *policies.Inputs, target string) error {
	base, err := g.store.BranchEngagement(ctx, g.product.ID, target, g.product.EngagementID)
	if err != nil || base == 0 {
		return err
	}
	imports, err := g.store.JudgedImports(ctx, base, history)
	if err != nil || len(imports) == 0 {
		return err
	}
	g.learnTests(imports)
	b := &policies.Baseline{Kind: "ancestor", Branch: target, Commit: imports[0].CommitHash}
	if b.Commit != "" && (b.Commit == in.Context.MergeBase || b.Commit == in.Context.BaseCommit) {
		b.Kind = "merge_base"
	}
	seen := map[int64]bool{}
	for _, i := range imports {
		if !seen[i.TestID] {
			seen[i.TestID] = true
			run := g.run(i, imports, policies.OnBase)
			in.Runs = append(in.Runs, run)
			if run.Outcome != gate.Failed {
				b.Scanners = append(b.Scanners, run.Tool)
			}
		}
	}
	found, err := collect(g.store.JudgedFindings(ctx, base))
	if err != nil {
		return err
	}
	for i := range found {
		f := &found[i]
		if f.Flags.IsMitigated && !f.Flags.FalseP && !f.Flags.OutOfScope {
			b.Closed = append(b.Closed, g.fingerprint(f))
		} else {
			b.Findings = append(b.Findings, g.finding(f))
		}
	}
	if b.Inventory, err = g.store.Inventory(ctx, base); err != nil {
		return err
	}
	if len(b.Inventory) == 0 {
		b.Inventory = nil // no report there lists components: not known
	}
	in.Baseline = tidy(b)
	return nil
}

// previousBaseline compares with what the same branch was before the change: as
// its imports tell what they did, that is what is there now, less what they
// added and opened, and with what they closed.
func (g *gathering) previousBaseline(ctx context.Context, in *policies.Inputs, imports []store.JudgedImport, current []int64, found []store.JudgedFinding) error {
	b := &policies.Baseline{Kind: "previous", Branch: in.Context.Branch}
	had := map[int64]bool{} // tests with an import before the change
	for _, i := range imports {
		if slices.Contains(current, i.ID) || had[i.TestID] {
			continue
		}
		had[i.TestID] = true
		if b.Commit == "" {
			b.Commit = i.CommitHash
		}
		in.Runs = append(in.Runs, g.run(i, imports, policies.OnBase))
		if i.Outcome != gate.Failed {
			b.Scanners = append(b.Scanners, g.tests[i.TestID].scanner)
		}
	}
	if len(had) == 0 {
		return nil // the first scan of the branch
	}
	did, err := g.store.ImportActions(ctx, current)
	if err != nil {
		return err
	}
	added, opened, ended := set(did['N']), set(did['R']), set(did['C'])
	for i := range found {
		f := &found[i]
		isClosed := f.Flags.IsMitigated && !f.Flags.FalseP && !f.Flags.OutOfScope
		switch {
		case !had[f.TestID] || added[f.ID]:
		case opened[f.ID] || isClosed && !ended[f.ID]:
			b.Closed = append(b.Closed, g.fingerprint(f))
		default:
			b.Findings = append(b.Findings, g.finding(f))
		}
	}
	in.Baseline = tidy(b)
	return nil
}

// tidy completes a baseline: each scanner once.
func tidy(b *policies.Baseline) *policies.Baseline {
	slices.Sort(b.Scanners)
	b.Scanners = slices.Compact(b.Scanners)
	slices.Sort(b.Closed)
	b.Closed = slices.Compact(b.Closed)
	return b
}

func set(ids []int64) map[int64]bool {
	m := make(map[int64]bool, len(ids))
	for _, id := range ids {
		m[id] = true
	}
	return m
}

func collect(found func(func(store.JudgedFinding, error) bool)) ([]store.JudgedFinding, error) {
	var out []store.JudgedFinding
	for f, err := range found {
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

// fingerprint is the identity of a finding that survives a new commit.
func (g *gathering) fingerprint(f *store.JudgedFinding) string {
	t := g.tests[f.TestID]
	if f.UniqueID != "" && (t.algorithm == dedup.UniqueID || len(f.Hash) == 0) {
		return "id:" + t.scanner + ":" + f.UniqueID
	}
	return "hash:" + hex.EncodeToString(f.Hash)
}

// finding is what the policies see of a finding.
func (g *gathering) finding(f *store.JudgedFinding) policies.Finding {
	t := g.tests[f.TestID]
	out := policies.Finding{
		ID: f.ID, Fingerprint: g.fingerprint(f), Title: f.Title, Severity: f.Severity, DuplicateOf: f.DuplicateOf,
		Status: policies.Flags{
			Active: f.Flags.Active, Verified: f.Flags.Verified, FalsePositive: f.Flags.FalseP, Duplicate: f.Flags.Duplicate, OutOfScope: f.Flags.OutOfScope,
			RiskAccepted: f.Flags.RiskAccepted, UnderReview: f.UnderReview, Mitigated: f.Flags.IsMitigated,
		}.Status(),
		Category: category(t.scanType, t.scanner, f), Scanner: t.scanner, Rule: f.Rule, CWE: int(f.CWE), Vulnerabilities: f.VulnerabilityIDs, PURL: f.PURL,
		Component: f.Component, Version: f.Version, Path: f.Path, Line: int(f.Line), FirstSeen: f.Created, FixVersion: f.FixVersion, FixAvailable: f.FixAvailable,
		EPSS: f.EPSS, EPSSPercentile: f.EPSSPercentile, CVSS: f.CVSS, Tags: f.Tags,
	}
	if host, path, ok := strings.Cut(f.EndpointKey, "\x1f"); ok {
		path, _, _ = strings.Cut(path, "\x1e")
		out.Endpoint = host + "/" + path
	}
	if f.KnownExploited {
		out.KEV = new(true)
	}
	if f.Ransomware {
		out.Ransomware = new(true)
	}
	if f.Snippet != "" {
		sum := sha256.Sum256([]byte(strings.Join(strings.Fields(f.Snippet), "")))
		out.ContextHash = hex.EncodeToString(sum[:8])
	}
	if slices.Contains(f.Tags, "verified") {
		out.Verified = "active"
	}
	return out
}
