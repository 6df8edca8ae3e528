package policies

import (
	"cmp"
	"fmt"
	"iter"
	"slices"

	"defectdojo/gate"
)

// Past is a verdict that was given, with the inputs that it rests on.
type Past struct {
	ID      string // of the verdict
	Team    string // whose product it is, for the report; may be empty
	Inputs  Inputs
	Overall gate.Decision // as it was
}

// Backtest is what would have been, had a policy been there.
type Backtest struct {
	Verdicts     int                   `json:"verdicts"`
	Before       map[gate.Decision]int `json:"before"`
	After        map[gate.Decision]int `json:"after"`
	Newly        []Change              `json:"newly_blocked"`
	NoLonger     []Change              `json:"no_longer_blocked"`
	Omitted      Omitted               `json:"omitted,omitzero"` // of the two lists
	Inconclusive int                   `json:"inconclusive"`     // of those that would be blocked, those that could not be decided
	ByRule       []Tally               `json:"by_rule"`          // of the candidates' rules, the verdicts that each would block
	ByProduct    []Tally               `json:"by_product"`
	ByTeam       []Tally               `json:"by_team,omitempty"`
}

// Change is a verdict that would be another.
type Change struct {
	Verdict     string        `json:"verdict"`
	Product     string        `json:"product"`
	PullRequest int           `json:"pull_request,omitempty"`
	Commit      string        `json:"commit,omitempty"`
	Before      gate.Decision `json:"before"`
	After       gate.Decision `json:"after"`
	Why         []string      `json:"why"`
}

// Omitted counts the changes that are not listed: there are too many.
type Omitted struct {
	Newly    int `json:"newly_blocked"`
	NoLonger int `json:"no_longer_blocked"`
}

// maxChanges is how many changes of a kind are listed.
const maxChanges = 1000

// Tally counts blocked verdicts under a name.
type Tally struct {
	Name     string `json:"name"`
	Blocked  int    `json:"blocked"`
	Newly    int    `json:"newly"`
	NoLonger int    `json:"no_longer"`
}

// RunBacktest judges past inputs again with candidate policies. A candidate takes
// the place of the policy of its name and origin, and is added where there is
// none. Policies named in without are left out. The verdicts come one by one, so
// that not all inputs need be in memory.
func RunBacktest(candidates []*Policy, without []string, past iter.Seq2[Past, error]) (Backtest, error) {
	b := Backtest{Before: map[gate.Decision]int{}, After: map[gate.Decision]int{}, Newly: []Change{}, NoLonger: []Change{}}
	t := tallies{rules: map[string]*Tally{}, products: map[string]*Tally{}, teams: map[string]*Tally{}}
	for p, err := range past {
		if err != nil {
			return b, err
		}
		in := p.Inputs
		in.Policies = replaced(in.Policies, candidates, without)
		v, err := Evaluate(in)
		if err != nil {
			return b, fmt.Errorf("backtest: verdict %s: %w", p.ID, err)
		}
		b.add(&p, &v, &t)
	}
	b.ByRule, b.ByProduct, b.ByTeam = sorted(t.rules), sorted(t.products), sorted(t.teams)
	return b, nil
}

// Add adds what was found over other verdicts by the same candidates.
func (b *Backtest) Add(o Backtest) {
	b.Verdicts += o.Verdicts
	b.Inconclusive += o.Inconclusive
	for to, from := range map[*map[gate.Decision]int]map[gate.Decision]int{&b.Before: o.Before, &b.After: o.After} {
		if *to == nil {
			*to = map[gate.Decision]int{}
		}
		for d, n := range from {
			(*to)[d] += n
		}
	}
	var over int
	b.Newly, over = listed(b.Newly, o.Newly)
	b.Omitted.Newly += over + o.Omitted.Newly
	b.NoLonger, over = listed(b.NoLonger, o.NoLonger)
	b.Omitted.NoLonger += over + o.Omitted.NoLonger
	b.ByRule, b.ByProduct, b.ByTeam = summed(b.ByRule, o.ByRule), summed(b.ByProduct, o.ByProduct), summed(b.ByTeam, o.ByTeam)
}

// listed adds changes to a list, and returns how many did not fit.
func listed(to, more []Change) ([]Change, int) {
	n := min(len(more), max(0, maxChanges-len(to)))
	if to == nil {
		to = []Change{}
	}
	return append(to, more[:n]...), len(more) - n
}

// summed adds tallies by name.
func summed(a, b []Tally) []Tally {
	m := map[string]*Tally{}
	for _, t := range slices.Concat(a, b) {
		if m[t.Name] == nil {
			m[t.Name] = &Tally{Name: t.Name}
		}
		m[t.Name].Blocked += t.Blocked
		m[t.Name].Newly += t.Newly
		m[t.Name].NoLonger += t.NoLonger
	}
	return sorted(m)
}

// replaced returns the policies with the candidates among them.
func replaced(ps, candidates []*Policy, without []string) []*Policy {
	out := slices.Clone(candidates)
	for _, p := range ps {
		same := func(c *Policy) bool { return c.Name == p.Name && c.Origin == p.Origin }
		if !slices.ContainsFunc(candidates, same) && !slices.Contains(without, p.Name) {
			out = append(out, p)
		}
	}
	return out
}

type tallies struct{ rules, products, teams map[string]*Tally }

// add counts one verdict.
func (b *Backtest) add(p *Past, v *gate.Verdict, t *tallies) {
	b.Verdicts++
	b.Before[p.Overall]++
	b.After[v.Overall]++
	was, is := p.Overall == gate.Fail, v.Overall == gate.Fail
	if is && !v.Conclusive {
		b.Inconclusive++
	}
	c := Change{p.ID, v.Subject.Product, v.Subject.PullRequest, v.Subject.Commit, p.Overall, v.Overall, v.Why}
	switch {
	case is && !was:
		b.Newly = append(b.Newly, c)
	case was && !is:
		b.NoLonger = append(b.NoLonger, c)
	}
	count(t.products, v.Subject.Product, was, is)
	if p.Team != "" {
		count(t.teams, p.Team, was, is)
	}
	for i := range v.Policies {
		pv := &v.Policies[i]
		for j := range pv.Rules {
			blocks := pv.Overall == gate.Fail && pv.Rules[j].Decision == gate.Fail
			count(t.rules, pv.Name+"/"+pv.Rules[j].ID, was && blocks, blocks)
		}
	}
}

func count(m map[string]*Tally, name string, was, is bool) {
	t := m[name]
	if t == nil {
		t = &Tally{Name: name}
		m[name] = t
	}
	switch {
	case is && was:
		t.Blocked++
	case is:
		t.Blocked++
		t.Newly++
	case was:
		t.NoLonger++
	}
}

// sorted lists tallies, most blocked first.
func sorted(m map[string]*Tally) []Tally {
	out := make([]Tally, 0, len(m))
	for _, t := range m {
		out = append(out, *t)
	}
	slices.SortFunc(out, func(a, b Tally) int { return cmp.Or(cmp.Compare(b.Blocked, a.Blocked), cmp.Compare(a.Name, b.Name)) })
	return out
}

// Sentence says it in one: "would have blocked 14 of 212 verdicts: newly 9, no longer 3".
func (b *Backtest) Sentence() string {
	return fmt.Sprintf("would have blocked %d of %s: newly %d, no longer %d", b.After[gate.Fail], plural(b.Verdicts, "verdict"), len(b.Newly)+b.Omitted.Newly, len(b.NoLonger)+b.Omitted.NoLonger)
}
