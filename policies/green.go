package policies

import (
	"cmp"
	"slices"
	"strings"

	"defectdojo/gate"
)

// action is something to do that ends findings.
type action struct {
	kind gate.StepKind
	key  string
	ats  []int // of the head
}

// stepKinds are the kinds of step, cheapest first.
var stepKinds = []gate.StepKind{gate.StepScan, gate.StepBase, gate.StepLearn, gate.StepUpgrade, gate.StepRevoke, gate.StepChange, gate.StepReplace}

// green finds the smallest set of steps after which the gate would not fail:
// none can be left out. It starts from everything that could be done and takes
// back what is not needed, dearest first.
func (e *evaluation) green(overall gate.Decision) *gate.WayToGreen {
	if overall != gate.Fail {
		return nil
	}
	g := &wayOut{e: e}
	g.collect()
	steps := g.scans()
	kept := g.minimal()
	for _, a := range kept {
		steps = append(steps, g.step(a))
	}
	way := &gate.WayToGreen{Steps: steps, Why: g.explain(steps)}
	if len(steps) > maxSteps {
		way.Steps, way.Omitted = steps[:maxSteps], len(steps)-maxSteps
	}
	return way
}

// maxSteps is how many steps a verdict tells of.
const maxSteps = 500

// wayOut is the search for the shortest way to green.
type wayOut struct {
	e       *evaluation
	rules   []*ruleRun // those that fail the build
	missing []gate.MissingScan
	actions []action
}

// blocking tells whether a policy can fail the build.
func (pr *policyRun) blocking() bool {
	return pr.mode == gate.ModeEnforce && (!pr.unsure || pr.p.Spec.Defaults.OnInconclusive == gate.Fail)
}

// collect finds what fails the build, and what could be done about it.
func (g *wayOut) collect() {
	definite, fields := map[int]bool{}, map[int][]string{}
	for _, pr := range g.e.policies {
		if !pr.blocking() {
			continue
		}
		if pr.p.Spec.Defaults.OnInconclusive == gate.Fail {
			g.missing = append(g.missing, pr.missing...)
		}
		for _, r := range pr.rules {
			if r.decision().is != gate.Fail {
				continue
			}
			g.rules = append(g.rules, r)
			for _, at := range r.counted {
				definite[at] = true
			}
			for _, u := range r.unknowns {
				if r.fallback() == gate.Fail {
					fields[u.at] = append(fields[u.at], u.fields...)
				}
			}
		}
	}
	g.act(definite, fields)
}

// act finds what could be done about each finding that counts or may count;
// findings that end together are one action.
func (g *wayOut) act(definite map[int]bool, fields map[int][]string) {
	byKey := map[string]*action{}
	add := func(kind gate.StepKind, key string, at int) {
		key = string(kind) + "|" + key
		if byKey[key] == nil {
			byKey[key] = &action{kind: kind, key: key}
		}
		byKey[key].ats = append(byKey[key].ats, at)
	}
	for at := range g.e.in.Head {
		if definite[at] {
			kind, key := remedy(&g.e.in.Head[at])
			add(kind, key, at)
		} else if missing := fields[at]; len(missing) > 0 {
			slices.Sort(missing)
			missing = slices.Compact(missing)
			kind := gate.StepLearn
			if slices.Equal(missing, []string{"delta"}) {
				kind = gate.StepBase
			}
			add(kind, strings.Join(missing, ", "), at)
		}
	}
	for _, a := range byKey {
		g.actions = append(g.actions, *a)
	}
	slices.SortFunc(g.actions, func(a, b action) int {
		return cmp.Or(cmp.Compare(slices.Index(stepKinds, a.kind), slices.Index(stepKinds, b.kind)), cmp.Compare(len(b.ats), len(a.ats)), cmp.Compare(a.key, b.key))
	})
}

// minimal takes back every action without which the build would still not fail.
func (g *wayOut) minimal() []action {
	var budgets interface{ takeBack(ats []int) bool } = newRoom(g.rules)
	if g.tooWide() && len(g.actions) <= maxTrials {
		budgets = newTrial(g)
	}
	kept := g.actions
	for before := -1; before != len(kept); { // a waiver that holds again can make room for more
		before = len(kept)
		var needed []action
		for _, a := range slices.Backward(kept) {
			if !budgets.takeBack(a.ats) {
				needed = append(needed, a)
			}
		}
		slices.Reverse(needed)
		kept = needed
	}
	return kept
}
