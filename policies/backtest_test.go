package policies

import (
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"strconv"
	"testing"

	"defectdojo/gate"
)

// history judges random worlds.
func history(t testing.TB, n int) []Past {
	out := make([]Past, n)
	for i := range out {
		w := world{rand.New(rand.NewPCG(uint64(i), 99))}
		in := w.hide(w.inputs(t))
		in.Context.Product.Name = fmt.Sprintf("product-%d", i%7)
		v := evaluate(t, in)
		out[i] = Past{ID: v.ID, Team: fmt.Sprintf("team-%d", i%3), Inputs: in, Overall: v.Overall}
	}
	return out
}

func each(past []Past) iter.Seq2[Past, error] {
	return func(yield func(Past, error) bool) {
		for _, p := range past {
			if !yield(p, nil) {
				return
			}
		}
	}
}

// TestBacktestOfTheActivePolicies reproduces history exactly.
func TestBacktestOfTheActivePolicies(t *testing.T) {
	t.Parallel()
	past := history(t, 200)
	b, err := RunBacktest(nil, nil, each(past))
	if err != nil || b.Verdicts != 200 || len(b.Newly)+len(b.NoLonger) != 0 || b.Before[gate.Fail] != b.After[gate.Fail] || b.Before[gate.Warn] != b.After[gate.Warn] {
		t.Errorf("%v: %s, %+v", err, b.Sentence(), b.Before)
	}
	for i := range past {
		one, err := RunBacktest(past[i].Inputs.Policies, nil, each(past[i:i+1]))
		if err != nil || one.After[past[i].Overall] != 1 {
			t.Fatalf("verdict %s: %v, %+v", past[i].ID, err, one)
		}
	}
}

func TestBacktestCandidate(t *testing.T) {
	t.Parallel()
	old := mustParse(t, "{kind: GatePolicy, metadata: {name: org}, spec: {rules: [{id: critical, select: {severity: critical}, max: 0}]}}")
	candidate := mustParse(t, "{kind: GatePolicy, metadata: {name: org}, spec: {rules: [{id: secret, select: {category: secret}, max: 0}, {id: code, select: {category: code, severity: high}, max: 0}]}}")
	var past []Past
	for i, fs := range [][]Finding{{log4j(1)}, {key("")}, {code(gate.High), key("")}, {}, {log4j(1), code(gate.High)}} {
		in := Inputs{Policies: []*Policy{old}, Head: fs, Now: noon, Context: Context{Product: Product{Name: fmt.Sprintf("p%d", i%2)}, PullRequest: i}}
		past = append(past, Past{ID: strconv.Itoa(i), Inputs: in, Overall: evaluate(t, in).Overall})
	}
	b, err := RunBacktest([]*Policy{candidate}, nil, each(past))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := b.Sentence(), "would have blocked 3 of 5 verdicts: newly 2, no longer 1"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if b.Newly[0].Verdict != "1" || b.NoLonger[0].Verdict != "0" || len(b.Newly[0].Why) == 0 {
		t.Errorf("%+v, %+v", b.Newly, b.NoLonger)
	}
	if want := (Tally{"org/code", 2, 1, 0}); len(b.ByRule) != 2 || b.ByRule[0] != want {
		t.Errorf("by rule %+v, want first %+v", b.ByRule, want)
	}
	if want := (Tally{"p0", 2, 1, 1}); b.ByProduct[0] != want {
		t.Errorf("by product %+v, want first %+v", b.ByProduct, want)
	}
	b, err = RunBacktest(nil, []string{"org"}, each(past))
	if err != nil || b.After[gate.Pass] != 5 {
		t.Errorf("without the policy: %v, %+v", err, b.After)
	}
	broken := errors.New("broken")
	if _, err := RunBacktest(nil, nil, func(yield func(Past, error) bool) { yield(Past{}, broken) }); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}
