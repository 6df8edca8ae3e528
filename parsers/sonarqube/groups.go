package sonarqube

import (
	"fmt"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
)

// groups put together the issues that "SonarQube Scan" makes one finding of.
type groups struct {
	together bool
	byKey    map[string]*group
	order    []*group
}

type group struct {
	first    gate.Observation
	count    int
	messages []string
	places   []string
}

// maxListed bounds what a group lists.
const maxListed = 500

func newGroups(together bool) *groups {
	return &groups{together: together, byKey: map[string]*group{}}
}

// add puts o out, or into its group.
func (g *groups) add(out *parsers.Report, o gate.Observation) {
	if !g.together {
		out.Emit(o)
		return
	}
	key := fmt.Sprint(o.CWE, "\x00", o.Title, "\x00", o.FilePath)
	x := g.byKey[key]
	if x == nil {
		x = &group{first: o}
		g.byKey[key] = x
		g.order = append(g.order, x)
	}
	x.count++
	if len(x.places) < maxListed {
		x.places = append(x.places, parsers.Place(o.FilePath, o.Line))
		x.messages = append(x.messages, o.Mitigation)
	}
}

func (g *groups) emit(out *parsers.Report) {
	for _, x := range g.order {
		o := x.first
		o.Occurrences, o.UniqueID, o.Line = new(x.count), "", nil
		if x.count > 1 {
			o.Mitigation = strings.Join(x.messages, "\n\n")
			o.Description += fmt.Sprintf("\n\n### All %d places\n\n- ", x.count) + strings.Join(x.places, "\n- ")
		}
		out.Emit(o)
	}
}
