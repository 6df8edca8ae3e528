package web

import (
	"slices"

	"defectdojo/gate/store"
)

// intelligencePage is what intelligence.html shows.
type intelligencePage struct {
	layout
	Sources []intelRow
	Days    int // after which a source is too old to say no
}

// intelRow is one source.
type intelRow struct {
	store.IntelSource

	Name, What string
	Fresh      bool
}

// intelNames are the sources as people know them.
var intelNames = []struct {
	source     store.IntelName
	name, what string
}{
	{store.EPSS, "EPSS", "how likely the use of a vulnerability is"},
	{store.KEV, "KEV", "vulnerabilities that are known to be exploited"},
	{store.Advisories, "OSV", "which version has the fix, and since when"},
}

// intelligence serves GET /intelligence.
func (w *web) intelligence(v *visit) error {
	had, err := w.Store.IntelSources(v.UserContext())
	if err != nil {
		return err
	}
	p := intelligencePage{layout: w.layout(v, "", "Intelligence"), Days: int(store.FreshFor.Hours() / 24)}
	for _, n := range intelNames {
		row := intelRow{Name: n.name, What: n.what}
		if i := slices.IndexFunc(had, func(s store.IntelSource) bool { return s.Source == n.source }); i >= 0 {
			row.IntelSource = had[i]
			row.Fresh = had[i].Snapshot != nil && had[i].Snapshot.Fresh(v.now)
		}
		p.Sources = append(p.Sources, row)
	}
	return render(v.Ctx, "intelligence.html", p)
}
