package policies

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
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

// remedy says what ends a finding; findings of one key end together.
func remedy(f *Finding) (gate.StepKind, string) {
	switch {
	case f.isComponent() && f.FixVersion != "":
		return gate.StepUpgrade, cmp.Or(f.PURL, f.Component+"@"+f.Version) + "|" + f.Path
	case f.isComponent():
		return gate.StepReplace, cmp.Or(f.PURL, f.Component+"@"+f.Version) + "|" + f.Path
	case f.Category == Secret:
		return gate.StepRevoke, strconv.FormatInt(f.ID, 10)
	}
	return gate.StepChange, strconv.FormatInt(f.ID, 10)
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

// room is what is left of the rules' budgets, were some findings gone.
type room struct {
	limits  []budget
	members map[int][]member // finding → what it counts for
}

// budget is one limit, with how many findings still stand behind each key.
type budget struct {
	max   int
	left  map[string]int
	count int // keys with findings left
}

type member struct {
	limit int
	key   string
}

// newRoom has all findings gone.
func newRoom(rules []*ruleRun) *room {
	rm := &room{members: map[int][]member{}}
	for _, r := range rules {
		first := len(rm.limits)
		for i := range r.limits {
			l := &r.limits[i]
			b := budget{max: l.max, left: map[string]int{}}
			if r.fallback() != gate.Fail {
				b.max += l.maxUnknown
			}
			rm.limits = append(rm.limits, b)
		}
		r.all(func(at int, counted bool) {
			if !counted && r.fallback() != gate.Fail {
				return // not knowing does not fail the build
			}
			f, i := &r.pr.in.Head[at], first
			if r.rule.Ratchet != nil {
				i += slices.Index(r.ratchetKeys(), r.ratchetKey(f))
			}
			rm.members[at] = append(rm.members[at], member{i, r.rule.key(f)})
		})
	}
	return rm
}

// takeBack puts findings back if every budget still holds, and tells so.
func (rm *room) takeBack(ats []int) bool {
	rm.put(ats, 1)
	for _, at := range ats {
		for _, m := range rm.members[at] {
			if b := &rm.limits[m.limit]; b.count > b.max {
				rm.put(ats, -1)
				return false
			}
		}
	}
	return true
}

func (rm *room) put(ats []int, n int) {
	for _, at := range ats {
		for _, m := range rm.members[at] {
			b := &rm.limits[m.limit]
			before := b.left[m.key]
			b.left[m.key] = before + n
			switch {
			case before == 0:
				b.count++
			case before+n == 0:
				b.count--
			}
		}
	}
}

// scans makes the steps that bring missing evidence: the fewest tools that meet
// every requirement.
func (g *wayOut) scans() []gate.GreenStep {
	type run struct{ on, tool string }
	var runs []run
	for _, m := range g.missing {
		for _, t := range m.Scanners {
			if r := (run{m.On, t}); !slices.Contains(runs, r) {
				runs = append(runs, r)
			}
		}
	}
	enough := func(rs []run) bool {
		for _, m := range g.missing {
			n := 0
			for _, t := range m.Scanners {
				if slices.Contains(rs, run{m.On, t}) {
					n++
				}
			}
			if n < m.Need {
				return false
			}
		}
		return true
	}
	for i := range slices.Backward(runs) {
		if without := slices.Delete(slices.Clone(runs), i, i+1); enough(without) {
			runs = without
		}
	}
	steps := make([]gate.GreenStep, len(runs))
	for i, r := range runs {
		steps[i] = gate.GreenStep{Kind: gate.StepScan, Text: fmt.Sprintf("Run %s to its end on %s and upload its report", r.tool, g.e.in.place(On(r.on)))}
	}
	return steps
}

// step says an action in words.
func (g *wayOut) step(a action) gate.GreenStep {
	s := gate.GreenStep{Kind: a.kind, Findings: make([]int64, len(a.ats))}
	for i, at := range a.ats {
		s.Findings[i] = g.e.in.Head[at].ID
	}
	f := &g.e.in.Head[a.ats[0]]
	where := ""
	if f.Path != "" {
		where = " in " + f.Path
	}
	ends := ""
	if n := len(a.ats); n > 1 {
		ends = fmt.Sprintf(" (ends %s)", plural(n, "finding"))
	}
	switch a.kind {
	case gate.StepUpgrade:
		s.Text = fmt.Sprintf("Raise %s to %s%s%s", componentName(f), g.fixVersion(a), where, ends)
	case gate.StepReplace:
		s.Text = fmt.Sprintf("Replace or remove %s%s: no version with a fix is known%s", componentName(f), where, ends)
	case gate.StepRevoke:
		s.Text = fmt.Sprintf("Revoke %s, and remove it", describe(f))
	case gate.StepBase:
		s.Text = fmt.Sprintf("Scan the base of this change: of %s nothing tells whether this change brought it", plural(len(a.ats), "finding"))
	case gate.StepLearn:
		_, fields, _ := strings.Cut(a.key, "|")
		s.Text = fmt.Sprintf("Find out %s of %s: they may turn out not to count", fields, plural(len(a.ats), "finding"))
	default:
		s.Text = "Fix " + describe(f)
	}
	if a.kind != gate.StepBase && a.kind != gate.StepLearn {
		s.Command = "defectdojo-upload waiver request --fingerprint " + f.Fingerprint
	}
	return s
}

// fixVersion is the version that fixes all of an action's findings: the greatest
// of theirs.
func (g *wayOut) fixVersion(a action) string {
	best := ""
	for _, at := range a.ats {
		if v := g.e.in.Head[at].FixVersion; best == "" || compareVersions(v, best) > 0 {
			best = v
		}
	}
	return best
}

func (g *wayOut) explain(steps []gate.GreenStep) string {
	switch len(steps) {
	case 0:
		return "Nothing that can be done here: see the reasons."
	case 1:
		return "This is enough."
	}
	return fmt.Sprintf("All %d are needed; without any one of them the gate still fails.", len(steps))
}

// compareVersions compares by runs of digits and of letters: good enough to say
// which of two fixes of one package is the later.
func compareVersions(a, b string) int {
	for a != "" && b != "" {
		var x, y string
		x, a = cutChunk(a)
		y, b = cutChunk(b)
		if d := compareChunks(x, y); d != 0 {
			return d
		}
	}
	return cmp.Compare(len(a), len(b))
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

// cutChunk cuts the first run of digits, or of anything else, off.
func cutChunk(s string) (chunk, rest string) {
	i := 1
	for i < len(s) && isDigit(s[i]) == isDigit(s[0]) {
		i++
	}
	return s[:i], s[i:]
}

func compareChunks(x, y string) int {
	if isDigit(x[0]) && isDigit(y[0]) {
		x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
		return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y))
	}
	return cmp.Compare(x, y)
}
