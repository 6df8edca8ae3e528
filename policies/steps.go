package policies

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"defectdojo/gate"
)

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
		f := &g.e.in.Head[at]
		order, ok := compareVersions(ecosystemOf(f.PURL), f.FixVersion, best)
		switch {
		case f.FixVersion == "" || ok && order <= 0:
		case best == "" || ok:
			best = f.FixVersion
		case !slices.Contains(strings.Split(best, ", "), f.FixVersion): // which is the greater, nobody can tell
			best += ", " + f.FixVersion
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
