package policies

import (
	"path"
	"slices"
	"strings"

	"defectdojo/gate"
)

// origins tells of each finding why it is here.
type origins struct {
	in       *Inputs
	active   map[string]bool // fingerprints in the baseline
	closed   map[string]bool
	purls    map[string]bool
	changed  map[string][]string // paths, by their last element
	drifted  map[string]bool     // tools of another version or ruleset than at the baseline
	covered  map[string]bool     // tools with a complete run at the baseline
	sameTree bool                // head and baseline are one commit
}

// newOrigins indexes the baseline.
func newOrigins(in *Inputs) *origins {
	o := &origins{in: in}
	b := in.Baseline
	if b == nil {
		return o
	}
	o.active = make(map[string]bool, len(b.Findings))
	for i := range b.Findings {
		o.active[b.Findings[i].Fingerprint] = true
	}
	o.closed, o.purls, o.changed = set(b.Closed), set(b.Inventory), byName(b.Changed)
	o.covered = make(map[string]bool, len(b.Scanners))
	for _, s := range b.Scanners {
		o.covered[ToolKey(s)] = true
	}
	o.drifted = in.drifted()
	o.sameTree = b.Commit != "" && b.Commit == in.Context.HeadCommit
	return o
}

func set(words []string) map[string]bool {
	m := make(map[string]bool, len(words))
	for _, w := range words {
		m[w] = true
	}
	return m
}

// drifted finds the tools whose version or ruleset differs between head and baseline.
func (in *Inputs) drifted() map[string]bool {
	type edition struct{ version, ruleset string }
	base, out := map[string][]edition{}, map[string]bool{}
	for i := range in.Runs {
		if r := &in.Runs[i]; r.at(in, OnBase) {
			base[ToolKey(r.Tool)] = append(base[ToolKey(r.Tool)], edition{r.Version, r.Ruleset})
		}
	}
	for i := range in.Runs {
		r := &in.Runs[i]
		if was := base[ToolKey(r.Tool)]; r.at(in, OnHead) && len(was) > 0 && !slices.Contains(was, edition{r.Version, r.Ruleset}) {
			out[ToolKey(r.Tool)] = true
		}
	}
	return out
}

// of says why a finding is here: the first that is true.
func (o *origins) of(f *Finding) gate.Delta {
	b := o.in.Baseline
	if b != nil && o.active[f.Fingerprint] {
		return gate.DeltaExisting
	}
	if b != nil && o.closed[f.Fingerprint] {
		return gate.DeltaReopened
	}
	if b == nil || !o.covered[ToolKey(f.Scanner)] {
		return gate.DeltaNoBaseline
	}
	if f.isComponent() {
		if o.wasThere(f) {
			return gate.DeltaDisclosed
		}
		return gate.DeltaIntroduced
	}
	if o.drifts(f) {
		return gate.DeltaRuleDrift
	}
	return gate.DeltaIntroduced
}

// wasThere tells whether a finding's component was in the baseline in the same
// version. Where the inventory is not known, a dependency that an untouched file
// brings in was.
func (o *origins) wasThere(f *Finding) bool {
	if o.sameTree || f.PURL != "" && o.purls[f.PURL] {
		return true
	}
	b := o.in.Baseline
	return b.Inventory == nil && b.Changed != nil && f.Category == Dependency && f.Path != "" && !o.touched(f.Path)
}

// drifts tells whether a finding in code comes from a change of the scanner: its
// version or ruleset differs, and the code was there.
func (o *origins) drifts(f *Finding) bool {
	if o.sameTree {
		return true
	}
	if !o.drifted[ToolKey(f.Scanner)] {
		return false
	}
	b := o.in.Baseline
	if b.Changed != nil && f.Path != "" && !o.touched(f.Path) {
		return true
	}
	was := f.Path
	if old, ok := b.Renames[was]; ok {
		was = old
	}
	return f.ContextHash != "" && slices.Contains(strings.Fields(b.Contexts[was]), f.ContextHash)
}

// byName lists paths by their last element.
func byName(paths []string) map[string][]string {
	out := map[string][]string{}
	for _, p := range paths {
		out[path.Base(p)] = append(out[path.Base(p)], p)
	}
	return out
}

// touched tells whether the change may touch a file. Scanners name it from where
// they run: "app/main.py" may be "/src/app/main.py" or "main.py" to them.
func (o *origins) touched(file string) bool {
	file = strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(file, `\`, "/")), "/")
	return slices.ContainsFunc(o.changed[path.Base(file)], func(c string) bool {
		return c == file || strings.HasSuffix(file, "/"+c) || strings.HasSuffix(c, "/"+file)
	})
}

// fixed counts the baseline's findings that are gone: of scanners that looked, if
// it is known which did. A scan that failed fixes nothing.
func (o *origins) fixed() int {
	if o.in.Baseline == nil {
		return 0
	}
	here := make(map[string]bool, len(o.in.Head))
	for i := range o.in.Head {
		if f := &o.in.Head[i]; f.Status != Mitigated && f.Status != Inactive {
			here[f.Fingerprint] = true
		}
	}
	looked := map[string]bool{}
	for i := range o.in.Runs {
		if r := &o.in.Runs[i]; r.at(o.in, OnHead) && (r.Outcome == gate.Unsaid || r.Outcome == gate.Succeeded) {
			looked[ToolKey(r.Tool)] = true
		}
	}
	n := 0
	for i := range o.in.Baseline.Findings {
		f := &o.in.Baseline.Findings[i]
		if f.Status.before().open() && !here[f.Fingerprint] && (len(o.in.Runs) == 0 || looked[ToolKey(f.Scanner)]) {
			n++
		}
	}
	return n
}
