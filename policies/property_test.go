package policies

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"defectdojo/gate"
)

// worlds is how many random inputs each property is tried on.
var (
	worlds = flag.Int("worlds", 250, "random inputs for each property")
	update = flag.Bool("update", false, "write the README anew")
)

// world makes random inputs of which everything is known.
type world struct{ *rand.Rand }

func (w world) one(words ...string) string { return words[w.IntN(len(words))] }

func (w world) chance(percent int) bool { return w.IntN(100) < percent }

var (
	worldTools = []string{"trivy", "semgrep", "gitleaks"}
	worldWhens = []string{
		"f.kev || f.epss >= 0.2", "f.fix_available", "f.epss > 0.5 && f.cvss >= 7.0", "!(f.kev) && f.severity >= severity.high",
		`f.reachability != "unreachable"`, `f.delta == "introduced" || f.kev`, "f.kev ? f.epss > 0.1 : f.cvss > 8.0",
		`f.fix_available && f.fix_published < now - duration("240h")`, `f.epss / (f.cvss - 5.0) > 0.1`, "product.tier <= 2 || f.kev",
		`f.path.startsWith("services/") && f.direct`, "f.ransomware || f.kev && f.epss > 0.3", `"internal" in product.tags || f.kev`,
	}
)

// policy makes a random policy. It never assumes what is not known.
func (w world) policy(name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "metadata: {name: %s}\nkind: GatePolicy\nspec:\n  mode: %s\n", name, w.one("enforce", "enforce", "enforce", "warn", "audit"))
	if w.chance(20) {
		b.WriteString("  effective_from: 2026-12-01T00:00:00Z\n")
	}
	if w.chance(20) {
		b.WriteString("  scope: {when: product.tier <= 2}\n")
	}
	if w.chance(30) {
		fmt.Fprintf(&b, "  require:\n    - {id: sca, any_of: [trivy, grype], max_age: %s}\n    - {id: more, any_of: [trivy, semgrep], at_least: %d}\n", w.one("1h", "24h"), 1+w.IntN(2))
	}
	fmt.Fprintf(&b, "  defaults: {on_inconclusive: %s, grace: {from: %s}}\n", w.one("fail", "fail", "warn", "pass"), w.one("first_seen", "actionable", "fix_published"))
	fmt.Fprintf(&b, "  waivers: {approvals: {critical: 2, default: 1}, void_if: f.kev || f.epss > 0.%d}\n  rules:\n", 5+w.IntN(5))
	for i := range 1 + w.IntN(4) {
		b.WriteString("    - " + w.rule(i) + "\n")
	}
	return b.String()
}

func (w world) rule(i int) string {
	s := fmt.Sprintf("{id: r%d, level: %s, max: %d, per: %s", i, w.one("fail", "fail", "warn"), w.IntN(4), w.one(pers...))
	sel := []string{"severity_at_least: " + w.one("low", "medium", "high")}
	ratchet := w.chance(15)
	if !ratchet && w.chance(60) {
		sel = append(sel, "delta: "+w.one("new", "[introduced, disclosed]", "existing", "[introduced, reopened, disclosed, rule_drift, existing, no_baseline]"))
	}
	if w.chance(30) {
		sel = append(sel, w.one("fix_available: true", "kev: true", "epss_at_least: 0.3", "category: [dependency, secret]", "reachability: reachable"))
	}
	s += ", select: {" + strings.Join(sel, ", ") + "}"
	if w.chance(60) {
		s += fmt.Sprintf(", when: '%s'", w.one(worldWhens...))
	}
	if w.chance(40) {
		s += ", grace: " + w.one("{critical: 7d, default: 14d}", "{introduced: 2d, existing: 30d}", "{disclosed: 72h, default: 10d}")
	}
	if ratchet {
		s += ", ratchet: {by: " + w.one("severity", "total") + "}"
	}
	if w.chance(20) {
		s += ", on_inconclusive: " + w.one("fail", "warn", "pass")
	}
	return s + "}"
}

func (w world) finding(id int64) Finding {
	f := Finding{
		ID: id, Fingerprint: fmt.Sprintf("fp%d", w.IntN(40)+100*int(id)), Title: fmt.Sprintf("Finding %d", id), Severity: gate.Severity(w.IntN(5)), Status: Open,
		Scanner: w.one(worldTools...), Path: w.one("services/a/x.go", "services/b/y.go", "lib/z.go"), Line: int(id), FirstSeen: noon.Add(-time.Duration(w.IntN(40*24)) * time.Hour),
		EPSS: new(w.Float64()), KEV: new(w.chance(15)), CVSS: new(float64(w.IntN(101)) / 10), FixAvailable: new(w.chance(50)), Direct: new(w.chance(50)),
		Ransomware: new(w.chance(5)), Reachability: w.one("reachable", "unreachable"), FixPublished: new(noon.Add(-time.Duration(w.IntN(40*24)) * time.Hour)),
	}
	if f.Scanner != "trivy" { // what does not apply to code is not there, and not unknown
		f.EPSS, f.KEV, f.Ransomware, f.FixAvailable, f.Direct, f.Reachability = nil, nil, nil, nil, nil, ""
	}
	switch f.Scanner {
	case "trivy":
		f.Category, f.Component, f.Version = Dependency, fmt.Sprintf("lib%d", w.IntN(6)), fmt.Sprintf("1.%d.0", w.IntN(3))
		f.PURL = "pkg:npm/" + f.Component + "@" + f.Version
		f.Vulnerabilities = []string{fmt.Sprintf("CVE-2026-%d", w.IntN(12))}
		if *f.FixAvailable {
			f.FixVersion = fmt.Sprintf("2.%d.0", w.IntN(12))
		}
	case "gitleaks":
		f.Category, f.Rule = Secret, "aws-key"
	default:
		f.Category, f.Rule = Code, w.one("sqli", "xss", "ssrf")
	}
	switch w.IntN(20) {
	case 0:
		f.Status = FalsePositive
	case 1:
		f.Status, f.DuplicateOf = Duplicate, 1
	case 2:
		f.Status = Confirmed
	}
	return f
}

func (w world) waiver(i int, head []Finding) gate.Waiver {
	f := head[w.IntN(len(head))]
	v := gate.Waiver{
		ID: fmt.Sprintf("W-%d", i), RequestedBy: "dev", ApprovedBy: []string{"lead"}, ValidFrom: noon.Add(-time.Hour), Expires: noon.Add(time.Duration(w.IntN(90)-10) * time.Hour * 24),
		VoidIf: w.one("", "", "f.epss > 0.6", "f.fix_available"), MaxMatches: w.IntN(4),
	}
	if w.chance(50) {
		v.ApprovedBy = append(v.ApprovedBy, "boss")
	}
	switch {
	case f.PURL != "" && w.chance(50):
		v.Match = gate.WaiverMatch{Vulnerability: f.Vulnerabilities[0], PURL: w.one(f.PURL, strings.Split(f.PURL, "@")[0])}
	case f.Rule != "" && w.chance(50):
		v.Match = gate.WaiverMatch{Rule: f.Rule, Path: w.one(f.Path, "services/**")}
	default:
		v.Match = gate.WaiverMatch{Fingerprint: f.Fingerprint}
	}
	return v
}

// inputs makes a whole world.
func (w world) inputs(t testing.TB) Inputs {
	in := Inputs{Now: noon, Context: Context{
		Product: Product{Name: "p", Tags: []string{w.one("internal", "public")}, Tier: new(1 + w.IntN(4))},
		Event:   Event(w.one("push", "pull_request")), HeadCommit: "head",
	}}
	for i := range 1 + w.IntN(2) {
		in.Policies = append(in.Policies, mustParse(t, w.policy(fmt.Sprintf("p%d", i))))
	}
	for i := range 1 + w.IntN(14) {
		in.Head = append(in.Head, w.finding(int64(i+1)))
	}
	b := base()
	for _, f := range in.Head {
		switch {
		case w.chance(30):
			b.Findings = append(b.Findings, f)
		case w.chance(10):
			b.Closed = append(b.Closed, f.Fingerprint)
		case w.chance(20) && f.PURL != "":
			b.Inventory = append(b.Inventory, f.PURL)
		}
	}
	for i := range w.IntN(4) {
		b.Findings = append(b.Findings, w.finding(int64(100+i)))
	}
	in.Baseline = b
	for _, tool := range worldTools {
		if w.chance(85) {
			in.Runs = append(in.Runs, Run{Tool: tool, Commit: "head", CompletedAt: noon.Add(-time.Duration(w.IntN(120)) * time.Minute), Results: 3})
		}
	}
	for i := range w.IntN(4) {
		in.Waivers = append(in.Waivers, w.waiver(i, in.Head))
	}
	return in
}

// hide returns the same world of which less is known.
func (w world) hide(in Inputs) Inputs {
	in.Head = slices.Clone(in.Head)
	for i := range in.Head {
		w.hideFields(&in.Head[i])
	}
	if w.chance(20) {
		in.Context.Product.Tier = nil
	}
	b := *in.Baseline
	b.Findings = slices.Clone(b.Findings)
	for i := range b.Findings {
		w.hideFields(&b.Findings[i])
	}
	in.Baseline = &b
	if w.chance(15) {
		in.Baseline = nil
	} else if w.chance(30) {
		if tool := w.one(worldTools...); slices.ContainsFunc(in.Runs, func(r Run) bool { return r.Tool == tool }) {
			w.hideTool(in.Head, &b, tool)
		}
	}
	return in
}

// hideTool makes it unknown what a scanner found in the baseline.
func (w world) hideTool(head []Finding, b *Baseline, tool string) {
	b.Scanners = slices.DeleteFunc(slices.Clone(b.Scanners), func(s string) bool { return s == tool })
	b.Findings = slices.DeleteFunc(b.Findings, func(f Finding) bool { return f.Scanner == tool })
	b.Closed = slices.DeleteFunc(slices.Clone(b.Closed), func(fp string) bool {
		return slices.ContainsFunc(head, func(f Finding) bool { return f.Fingerprint == fp && f.Scanner == tool })
	})
}

func (w world) hideFields(f *Finding) {
	hide := func(percent int, forget func()) {
		if w.chance(percent) {
			forget()
		}
	}
	hide(30, func() { f.EPSS = nil })
	hide(30, func() { f.KEV = nil })
	hide(20, func() { f.CVSS = nil })
	hide(20, func() { f.FixAvailable, f.FixVersion = nil, "" })
	hide(30, func() { f.FixPublished = nil })
	hide(20, func() { f.Direct = nil })
	hide(20, func() { f.Ransomware = nil })
	hide(20, func() { f.Reachability = "" })
}

// eachWorld runs a property over many worlds.
func eachWorld(t *testing.T, property func(t *testing.T, w world, in Inputs)) {
	t.Helper()
	n := *worlds
	if testing.Short() && n > 100 {
		n /= 10
	}
	for seed := range n {
		w := world{rand.New(rand.NewPCG(uint64(seed), 7))}
		property(t, w, w.inputs(t))
		if t.Failed() {
			t.Fatalf("in world %d", seed)
		}
	}
}

// TestUnknownNeverContradicts fills in what was not known: what was satisfied
// stays satisfied, what was violated stays violated, and a conclusive verdict
// stays as it is.
func TestUnknownNeverContradicts(t *testing.T) {
	t.Parallel()
	inconclusive := 0
	eachWorld(t, func(t *testing.T, w world, full Inputs) {
		less := w.hide(full)
		before, after := evaluate(t, less), evaluate(t, full)
		byName := map[string]gate.PolicyVerdict{}
		for _, p := range after.Policies {
			byName[p.Name] = p
		}
		for _, p := range before.Policies {
			q, applies := byName[p.Name]
			for i := range p.Rules {
				if o := p.Rules[i].Outcome; o == gate.Inconclusive {
					inconclusive++
				} else if applies && o != q.Rules[i].Outcome {
					t.Errorf("%s/%s: was %s, is %s\n%s\n%s\n%s", p.Name, p.Rules[i].ID, o, q.Rules[i].Outcome, p.Rules[i].Why, q.Rules[i].Why, full.Policies[0].Source)
				}
			}
		}
		if before.Conclusive && before.Overall != after.Overall {
			t.Errorf("conclusively %s, then %s:\n%v\n%v", before.Overall, after.Overall, before.Why, after.Why)
		}
	})
	if inconclusive < *worlds/10 {
		t.Errorf("only %d inconclusive rules: the worlds prove little", inconclusive)
	}
}

// TestWayToGreenIsMinimal takes all steps and the gate does not fail; it leaves
// one out and the gate fails.
func TestWayToGreenIsMinimal(t *testing.T) {
	t.Parallel()
	ways, steps := 0, 0
	eachWorld(t, func(t *testing.T, w world, in Inputs) {
		in = w.hide(in)
		v := evaluate(t, in)
		if (v.Green != nil) != (v.Overall == gate.Fail) {
			t.Errorf("%s with way to green %+v", v.Overall, v.Green)
			return
		}
		if v.Green == nil {
			return
		}
		ways++
		steps += len(v.Green.Steps)
		if got := evaluate(t, taken(in, v.Green.Steps, -1)); got.Overall == gate.Fail {
			t.Errorf("all steps taken, and it fails:\n%v\n%+v", got.Why, v.Green.Steps)
		}
		for i := range v.Green.Steps {
			if got := evaluate(t, taken(in, v.Green.Steps, i)); got.Overall != gate.Fail {
				t.Errorf("step %d (%s) was not needed:\n%v\n%v", i, v.Green.Steps[i].Text, v.Why, got.Why)
			}
		}
	})
	t.Logf("%d ways, %d steps", ways, steps)
	if ways < *worlds/10 {
		t.Errorf("only %d ways to green: the worlds prove little", ways)
	}
}

// taken returns the inputs after all steps but one.
func taken(in Inputs, steps []gate.GreenStep, but int) Inputs {
	gone := map[int64]bool{}
	in.Runs = slices.Clone(in.Runs)
	for i, s := range steps {
		if i == but {
			continue
		}
		if s.Kind == gate.StepScan {
			tool := strings.Fields(s.Text)[1]
			in.Runs = append(in.Runs, Run{Tool: tool, Commit: "head", CompletedAt: in.Now, Results: 1})
		}
		for _, id := range s.Findings {
			gone[id] = true
		}
	}
	in.Head = slices.DeleteFunc(slices.Clone(in.Head), func(f Finding) bool { return gone[f.ID] })
	return in
}

// TestEveryFindingHasOneDisposition looks for each finding in exactly one group.
func TestEveryFindingHasOneDisposition(t *testing.T) {
	t.Parallel()
	eachWorld(t, func(t *testing.T, w world, in Inputs) {
		v := evaluate(t, w.hide(in))
		seen := map[int64]int{}
		for _, d := range v.Dispositions {
			if !slices.IsSorted(d.Findings) {
				t.Errorf("ids not in order: %v", d.Findings)
			}
			for _, id := range d.Findings {
				seen[id]++
			}
		}
		for _, f := range in.Head {
			if seen[f.ID] != 1 {
				t.Errorf("finding %d has %d dispositions", f.ID, seen[f.ID])
			}
		}
		if len(seen) != len(in.Head) {
			t.Errorf("%d findings, %d disposed of", len(in.Head), len(seen))
		}
	})
}

// TestOrderDoesNotMatter shuffles the inputs, and reads them back from JSON and
// from parts: the bytes stay the same.
func TestOrderDoesNotMatter(t *testing.T) {
	t.Parallel()
	eachWorld(t, func(t *testing.T, w world, in Inputs) {
		in = w.hide(in)
		want := verdictJSON(t, in)
		stored, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		w.Shuffle(len(in.Head), func(i, j int) { in.Head[i], in.Head[j] = in.Head[j], in.Head[i] })
		w.Shuffle(len(in.Runs), func(i, j int) { in.Runs[i], in.Runs[j] = in.Runs[j], in.Runs[i] })
		w.Shuffle(len(in.Waivers), func(i, j int) { in.Waivers[i], in.Waivers[j] = in.Waivers[j], in.Waivers[i] })
		w.Shuffle(len(in.Policies), func(i, j int) { in.Policies[i], in.Policies[j] = in.Policies[j], in.Policies[i] })
		if b := in.Baseline; b != nil {
			w.Shuffle(len(b.Findings), func(i, j int) { b.Findings[i], b.Findings[j] = b.Findings[j], b.Findings[i] })
			for _, list := range [][]string{b.Inventory, b.Closed, b.Scanners} {
				w.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			}
		}
		if got := verdictJSON(t, in); !bytes.Equal(got, want) {
			t.Errorf("shuffled:\n%s\nwant\n%s", got, want)
		}
		var back Inputs
		if err := json.Unmarshal(stored, &back); err != nil {
			t.Fatal(err)
		}
		if got := verdictJSON(t, back); !bytes.Equal(got, want) {
			t.Errorf("from JSON:\n%s\nwant\n%s", got, want)
		}
		parts, err := in.Parts()
		if err != nil {
			t.Fatal(err)
		}
		if back, err = FromParts(parts, in.Now, false); err != nil {
			t.Fatal(err)
		}
		if got := verdictJSON(t, back); !bytes.Equal(got, want) {
			t.Errorf("from parts:\n%s\nwant\n%s", got, want)
		}
	})
}

func verdictJSON(t testing.TB, in Inputs) []byte {
	b, err := json.Marshal(evaluate(t, in))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
