package policies

import (
	"fmt"
	"slices"
	"strings"

	"defectdojo/gate"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// Explanation is all that a gate thought about one finding.
type Explanation struct {
	Finding     int64             `json:"finding"`
	Fingerprint string            `json:"fingerprint"`
	Delta       gate.Delta        `json:"delta"`
	DeltaWhy    string            `json:"delta_why"`
	Rules       []RuleExplanation `json:"rules"`
	Waivers     []gate.WaiverUse  `json:"waivers,omitempty"` // those that are for it
	Skipped     []string          `json:"skipped,omitempty"` // policies that did not look at it, and why
}

// RuleExplanation is what one rule thought.
type RuleExplanation struct {
	Policy  string               `json:"policy"`
	Rule    string               `json:"rule"`
	Code    gate.DispositionCode `json:"code"`
	Detail  string               `json:"detail,omitempty"`
	Clauses []Value              `json:"clauses,omitempty"` // of the selector
	Values  []Value              `json:"values,omitempty"`  // of the expression and all its parts
	Unknown []string             `json:"unknown,omitempty"`
	Due     string               `json:"due,omitempty"`
}

// Value is a part of a rule, and what it came to.
type Value struct {
	Text  string `json:"text"`
	Value string `json:"value"`
}

// Explain tells of one finding why each rule did with it what it did.
func Explain(in Inputs, id int64) (Explanation, error) {
	in.Normalize()
	if err := in.check(); err != nil {
		return Explanation{}, err
	}
	at := slices.IndexFunc(in.Head, func(f Finding) bool { return f.ID == id })
	if at < 0 {
		return Explanation{}, gate.Errorf(gate.NotFound, "there is no finding %d", id)
	}
	e := newEvaluation(&in)
	e.run()
	f := &in.Head[at]
	x := Explanation{Finding: id, Fingerprint: f.Fingerprint, Delta: e.deltas[at], DeltaWhy: e.origins.why(f)}
	for _, pr := range e.policies {
		if !slices.Contains(pr.candidates, at) {
			x.Skipped = append(x.Skipped, fmt.Sprintf("%s: %s", pr.p.Name, e.best[at].detail))
			continue
		}
		for _, r := range pr.rules {
			rx, err := r.explain(at)
			if err != nil {
				return x, err
			}
			x.Rules = append(x.Rules, rx)
		}
		pr.ws.each(f, func(w *waiver) bool {
			if u := e.uses[w.ID]; u != nil && !slices.ContainsFunc(x.Waivers, func(k gate.WaiverUse) bool { return k.ID == u.ID }) {
				x.Waivers = append(x.Waivers, *u)
			}
			return true
		})
	}
	return x, nil
}

// explain judges one finding again, and keeps every step.
func (r *ruleRun) explain(at int) (RuleExplanation, error) {
	pr := r.pr
	pr.facts.see(&pr.in.Head[at], pr.delta(at), r.rule.assume, pr.stale)
	j := r.rule.judge(pr.vars, pr.ws, func(*waiver, gate.WaiverState, string) {})
	if r.rule.Ratchet != nil && pr.deltas[at] == gate.DeltaNoBaseline {
		j = r.unbased(j)
	}
	x := RuleExplanation{Policy: pr.p.Name, Rule: r.rule.ID, Code: j.code, Detail: j.detail, Unknown: append(j.missing.names(), j.names...)}
	if !j.due.IsZero() {
		x.Due = j.due.UTC().Format("2006-01-02T15:04:05Z")
	}
	x.Clauses = append(x.Clauses, Value{"severity", truth(r.rule.sel.severities&(1<<pr.facts.Severity) != 0).String()})
	for i := range r.rule.sel.clauses {
		c := &r.rule.sel.clauses[i]
		x.Clauses = append(x.Clauses, Value{c.name, c.match(&pr.facts).String()})
	}
	if r.rule.when != nil {
		values, err := trace(r.rule.when.text, pr.vars)
		if err != nil {
			return x, err
		}
		x.Values = values
	}
	return x, nil
}

// String writes true, false or unknown.
func (t tri) String() string { return [...]string{"false", "unknown", "true"}[t+1] }

// trace evaluates an expression to its end, without cutting anything short, and
// returns the value of each of its parts.
func trace(text string, v *vars) ([]Value, error) {
	env, err := environment()
	if err != nil {
		return nil, err
	}
	checked, issues := env.Compile(text)
	if issues.Err() != nil {
		return nil, issues.Err()
	}
	program, err := env.Program(checked, cel.EvalOptions(cel.OptExhaustiveEval), cel.CostLimit(MaxCost*10))
	if err != nil {
		return nil, err
	}
	_, details, err := program.Eval(v)
	if details == nil {
		return nil, err
	}
	var out []Value
	seen := map[string]bool{}
	tree := checked.NativeRep()
	ast.PreOrderVisit(tree.Expr(), ast.NewExprVisitor(func(x ast.Expr) {
		if x.Kind() == ast.LiteralKind || x.Kind() == ast.ListKind {
			return
		}
		part, err := cel.ExprToString(x, tree.SourceInfo())
		value, found := details.State().Value(x.ID())
		if err != nil || !found || seen[part] || strings.Contains(part, "@") {
			return
		}
		seen[part] = true
		out = append(out, Value{part, show(value)})
	}))
	return out, nil
}

// show writes a value of CEL.
func show(v ref.Val) string {
	switch v := v.(type) {
	case *types.Unknown:
		return "unknown"
	case *types.Err:
		return "error: " + v.Error()
	case types.String:
		return fmt.Sprintf("%q", string(v))
	}
	return fmt.Sprint(v.Value())
}

// why says what a finding's delta rests on.
func (o *origins) why(f *Finding) string {
	b := o.in.Baseline
	switch o.of(f) {
	case gate.DeltaExisting:
		return "its fingerprint is active in the baseline"
	case gate.DeltaReopened:
		return "its fingerprint was closed before"
	case gate.DeltaDisclosed:
		if f.PURL != "" && o.purls[f.PURL] {
			return f.PURL + " is in the baseline's inventory"
		}
		return "nothing that brings its component in has changed"
	case gate.DeltaRuleDrift:
		if o.sameTree {
			return "head and baseline are the same commit"
		}
		return "the scanner or its rules changed, and the code was there before"
	case gate.DeltaIntroduced:
		return "nothing like it is in the baseline " + short(b.Commit)
	}
	if b == nil {
		return "there is no baseline"
	}
	return "the baseline has no complete run of " + f.Scanner
}

// Text writes an explanation for people.
func (x *Explanation) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Finding %d (%s): %s: %s.\n", x.Finding, x.Fingerprint, x.Delta, x.DeltaWhy)
	for _, s := range x.Skipped {
		fmt.Fprintf(&b, "  not looked at by %s\n", s)
	}
	for _, r := range x.Rules {
		fmt.Fprintf(&b, "  %s/%s: %s", r.Policy, r.Rule, r.Code)
		if r.Detail != "" {
			fmt.Fprintf(&b, " (%s)", r.Detail)
		}
		if len(r.Unknown) > 0 {
			fmt.Fprintf(&b, ", not known: %s", strings.Join(r.Unknown, ", "))
		}
		if r.Due != "" {
			fmt.Fprintf(&b, ", due %s", r.Due)
		}
		b.WriteByte('\n')
		for _, v := range slices.Concat(r.Clauses, r.Values) {
			fmt.Fprintf(&b, "      %-10s %s\n", v.Value, v.Text)
		}
	}
	for _, w := range x.Waivers {
		fmt.Fprintf(&b, "  waiver %s: %s %s\n", w.ID, w.State, w.Reason)
	}
	return b.String()
}
