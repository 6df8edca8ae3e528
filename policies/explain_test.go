package policies

import (
	"slices"
	"testing"

	"defectdojo/gate"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	f := log4j(1)
	f.EPSS = new(0.1)
	p := mustParse(t, `{metadata: {name: org}, kind: GatePolicy, spec: {rules: [{id: r, select: {delta: new, kev: true}, when: 'f.severity >= 3 && (f.kev || f.epss >= 0.2)'}]}}`)
	x, err := Explain(Inputs{Policies: []*Policy{p}, Head: []Finding{f}, Baseline: base(), Waivers: []gate.Waiver{goodWaiver()}, Now: noon}, 1)
	if err != nil {
		t.Fatal(err)
	}
	r := x.Rules[0]
	for _, want := range []Value{{"f.severity >= 3 && (f.kev || f.epss >= 0.2)", "unknown"}, {"f.severity >= 3", "true"}, {"f.kev || f.epss >= 0.2", "unknown"}, {"f.epss >= 0.2", "false"}, {"f.epss", "0.1"}, {"f.kev", "unknown"}} {
		if !slices.Contains(r.Values, want) {
			t.Errorf("no %+v in %+v", want, r.Values)
		}
	}
	for _, want := range []Value{{"severity", "true"}, {"delta", "true"}, {"kev", "unknown"}} {
		if !slices.Contains(r.Clauses, want) {
			t.Errorf("no %+v in %+v", want, r.Clauses)
		}
	}
	if len(x.Waivers) != 1 || x.Delta != gate.DeltaIntroduced {
		t.Errorf("%+v", x)
	}
	t.Log(x.Text())
	if _, err := Explain(Inputs{Now: noon}, 1); gate.KindOf(err) != gate.NotFound {
		t.Errorf("no such finding: %v", err)
	}
}
