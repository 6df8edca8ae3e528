package verdict

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"

	"defectdojo/gate"
	"defectdojo/gate/store"
	"defectdojo/policies"
)

// line is a line of work with its imports and findings: what a baseline is taken from.
type line struct {
	tests   []int64
	imports []store.JudgedImport // the newest first
	found   []store.JudgedFinding
}

// compare gives the inputs their baseline: of a change what the branch was that
// it is to go into, of a push what its own branch was before.
func (g *gathering) compare(ctx context.Context, in *policies.Inputs, own line, current []int64) error {
	c := &in.Context
	base, branch := own, c.Branch
	base.imports = slices.DeleteFunc(slices.Clone(own.imports), func(i store.JudgedImport) bool { return slices.Contains(current, i.ID) })
	if c.TargetBranch != "" && c.TargetBranch != c.Branch {
		var err error
		if base, err = g.target(ctx, c.TargetBranch); err != nil {
			return err
		}
		branch = c.TargetBranch
	}
	if len(base.imports) == 0 {
		return nil // nothing was scanned before
	}
	choice := policies.ChooseBaseline(c, g.tools(), g.scanned(c, base.imports, branch))
	if choice == nil {
		return nil
	}
	b := choice.Baseline()
	b.Kind = choice.Kind
	if len(g.request.Ancestors) == 0 {
		b.Distance = 0 // how far it is, nobody said
	}
	p := past{line: base, last: lastImports(choice)}
	in.Runs = append(in.Runs, g.baseRuns(&p)...)
	if err := g.rewind(ctx, &p, b); err != nil {
		return err
	}
	b.Changed, b.Renames = g.request.Changed, g.request.Renames
	in.Baseline = tidy(b)
	return nil
}

// target reads the branch that a change is to go into.
func (g *gathering) target(ctx context.Context, branch string) (line, error) {
	tests, err := g.branchTests(ctx, branch)
	if err != nil || len(tests) == 0 {
		return line{}, err
	}
	l := line{tests: tests}
	if l.imports, err = g.store.JudgedImports(ctx, tests, history); err != nil {
		return l, err
	}
	if err := g.learnTests(ctx, l.imports); err != nil {
		return l, err
	}
	l.found, err = collect(g.store.JudgedFindings(ctx, tests))
	return l, err
}

// tools lists the scanners that have reported, each once.
func (g *gathering) tools() []string {
	var out []string
	for _, t := range g.tests {
		out = append(out, t.scanner)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// scanned tells what commits were scanned, with how far each is from the change.
func (g *gathering) scanned(c *policies.Context, imports []store.JudgedImport, branch string) []policies.Scanned {
	var out []policies.Scanned
	at := map[string]int{}
	for _, i := range imports {
		key := i.CommitHash
		if key == "" { // each is one by itself
			key = " " + strconv.FormatInt(i.ID, 10)
		}
		n, ok := at[key]
		if !ok {
			n = len(out)
			at[key] = n
			out = append(out, policies.Scanned{Commit: i.CommitHash, Branch: branch, Distance: g.distance(c, i.CommitHash), At: i.Created})
		}
		out[n].Runs = append(out[n].Runs, g.run(i, imports, policies.OnBase))
	}
	return out
}

// distance says how many commits there are from the change's base back to one,
// as far as the request tells: what is not among the ancestors is none. Without
// ancestors all but the base itself are equally far, and the newest is nearest.
func (g *gathering) distance(c *policies.Context, commit string) int {
	base := c.MergeBase
	if c.Event == policies.MergeGroup {
		base = c.BaseCommit
	}
	if commit != "" && commit == base {
		return 0
	}
	if commit == "" || len(g.request.Ancestors) == 0 {
		return 1 + len(g.request.Ancestors)
	}
	if i := slices.Index(g.request.Ancestors, commit); i >= 0 {
		return i + 1
	}
	return -1
}

// past is a line as it was: of each scanner, up to one import.
type past struct {
	line
	last map[string]int64 // scanner → its last import that counts
}

// lastImports returns of each scanner the newest of its imports in the scan that
// was chosen for it.
func lastImports(choice *policies.Choice) map[string]int64 {
	out := map[string]int64{}
	for tool, s := range choice.Tools {
		for i := range s.Runs {
			r := &s.Runs[i]
			if policies.ToolKey(r.Tool) == policies.ToolKey(tool) && complete(r.Outcome) {
				out[tool] = max(out[tool], r.ID)
			}
		}
	}
	return out
}

// complete tells whether a scanner looked at everything, as far as it says.
func complete(o gate.Outcome) bool { return o == gate.Unsaid || o == gate.Succeeded }

// baseRuns returns of each test the run that its part of the baseline is from.
func (g *gathering) baseRuns(p *past) []policies.Run {
	var out []policies.Run
	seen := map[int64]bool{}
	for _, i := range p.imports {
		if !seen[i.TestID] && complete(i.Outcome) && p.counts(g, i) {
			seen[i.TestID] = true
			out = append(out, g.run(i, p.imports, policies.OnBase))
		}
	}
	return out
}

// counts tells whether an import is part of the past.
func (p *past) counts(g *gathering, i store.JudgedImport) bool {
	last, ok := p.last[g.tests[i.TestID].scanner]
	return ok && i.ID <= last
}

// rewind fills a baseline with what was there: what is there now, less what
// later imports added and opened, and with what they closed.
func (g *gathering) rewind(ctx context.Context, p *past, b *policies.Baseline) error {
	did, err := g.didLater(ctx, p)
	if err != nil {
		return err
	}
	contexts := map[string][]string{}
	for i := range p.found {
		f := &p.found[i]
		if _, ok := p.last[g.tests[f.TestID].scanner]; !ok {
			continue // nothing is known of that scanner then
		}
		switch action := did[f.ID]; {
		case action == 'N':
		case action == 'R' || action == 0 && closed(f):
			b.Closed = append(b.Closed, g.fingerprint(f))
		default:
			known := g.finding(f)
			b.Findings = append(b.Findings, known)
			if known.ContextHash != "" && !slices.Contains(contexts[known.Path], known.ContextHash) {
				contexts[known.Path] = append(contexts[known.Path], known.ContextHash)
			}
		}
	}
	b.Contexts = joined(contexts)
	b.Inventory, err = g.inventory(ctx, p)
	return err
}

// didLater returns what the first import after the past did to each finding: 'N'
// for new, 'C' for closed, 'R' for opened again.
func (g *gathering) didLater(ctx context.Context, p *past) (map[int64]byte, error) {
	first := int64(math.MaxInt64)
	for _, last := range p.last {
		first = min(first, last)
	}
	actions, err := g.store.ImportActions(ctx, p.tests, first)
	if err != nil {
		return nil, err
	}
	did := map[int64]byte{}
	for _, a := range actions { // the newest first: an older one has the last word
		if last, ok := p.last[g.tests[a.TestID].scanner]; ok && a.ImportID > last {
			for _, id := range a.FindingIDs {
				did[id] = a.Action[0]
			}
		}
	}
	return did, nil
}

func joined(m map[string][]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	out := make(map[string]string, len(m))
	for path, hashes := range m {
		slices.Sort(hashes)
		out[path] = strings.Join(hashes, " ")
	}
	return out
}

// inventory returns the package URLs that were there; nil if no report of then
// listed any.
func (g *gathering) inventory(ctx context.Context, p *past) ([]string, error) {
	var digests [][]byte
	current := map[int64]bool{} // tests of which nothing came since
	seen := map[int64]bool{}
	for _, i := range p.imports {
		if seen[i.TestID] || !p.counts(g, i) {
			continue
		}
		if len(i.InventoryDigest) > 0 {
			digests = append(digests, i.InventoryDigest)
		} else if i.ID == i.LastID { // from before inventories were kept
			current[i.TestID] = true
		}
		seen[i.TestID] = true
	}
	tests := make([]int64, 0, len(current))
	for t := range current {
		tests = append(tests, t)
	}
	purls, err := g.store.Inventory(ctx, digests, tests)
	if len(purls) == 0 {
		return nil, err
	}
	return purls, err
}

// tidy completes a baseline: each scanner and fingerprint once.
func tidy(b *policies.Baseline) *policies.Baseline {
	slices.Sort(b.Scanners)
	b.Scanners = slices.Compact(b.Scanners)
	slices.Sort(b.Closed)
	b.Closed = slices.Compact(b.Closed)
	return b
}
