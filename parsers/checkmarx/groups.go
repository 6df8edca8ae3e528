package checkmarx

import (
	"fmt"
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
)

// groups put together the results that "Checkmarx Scan" makes one finding of:
// those of a weakness and a severity in a file.
type groups struct {
	byKey map[string]*group
	order []*group
}

type group struct {
	first  gate.Observation
	count  int
	rules  []string
	places []string
	active bool
	real   bool // one of them is not a false positive
}

// maxPlaces bounds what a group's description lists.
const maxPlaces = 500

func newGroups() *groups { return &groups{byKey: map[string]*group{}} }

func (g *groups) add(o gate.Observation) {
	key := fmt.Sprint(o.CWE, "\x00", o.Severity, "\x00", o.FilePath)
	x := g.byKey[key]
	if x == nil {
		x = &group{first: o}
		g.byKey[key] = x
		g.order = append(g.order, x)
	}
	x.count++
	if !slices.Contains(x.rules, o.RuleID) {
		x.rules = append(x.rules, o.RuleID)
	}
	if x.count > 1 && len(x.places) < maxPlaces {
		title, _, _ := strings.Cut(o.Title, " (")
		x.places = append(x.places, fmt.Sprintf("%s: %s → %s", title,
			parsers.Place(o.SASTSourceFilePath, o.SASTSourceLine), parsers.Place(o.FilePath, o.Line)))
	}
	x.active = x.active || o.Active == nil
	x.real = x.real || !o.FalsePositive
	x.first.Verified = x.first.Verified || o.Verified
}

func (g *groups) emit(out *parsers.Report) {
	for _, x := range g.order {
		o := x.first
		o.RuleID = strings.Join(x.rules, ",")
		o.Occurrences = new(x.count)
		o.FalsePositive = !x.real
		o.Active = nil
		if !x.active {
			o.Active = new(false)
		}
		o.UniqueID, o.SASTSourceObject, o.SASTSinkObject, o.SASTSourceFilePath = "", "", "", ""
		o.Line, o.SASTSourceLine = nil, nil
		if len(x.places) > 0 {
			o.Description += fmt.Sprintf("\n\n### %d more in this file\n\n- ", x.count-1) + strings.Join(x.places, "\n- ")
		}
		out.Emit(o)
	}
}
