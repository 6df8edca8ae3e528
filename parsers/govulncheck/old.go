package govulncheck

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// oldReport is the report of versions before 1.0: one object with a graph of
// calls, whose nodes have numbers, and the vulnerable symbols in Vulns. Only
// symbols with a CallSink, a node in the graph, are called.
type oldReport struct {
	functions map[string]oldFunction
	modules   map[string]oldModule
	vulns     []oldVuln
}

type oldFunction struct {
	Name  string `json:"Name"`
	Pkg   string `json:"PkgPath"`
	Sites []struct {
		Parent stream.Text `json:"Parent"`
		Pos    struct {
			File   string     `json:"Filename"`
			Line   stream.Int `json:"Line"`
			Column stream.Int `json:"Column"`
		} `json:"Pos"`
	} `json:"CallSites"`
}

type oldModule struct {
	Path    string `json:"Path"`
	Version string `json:"Version"`
}

type oldVuln struct {
	OSV         osv         `json:"OSV"`
	Symbol      string      `json:"Symbol"`
	Package     string      `json:"PkgPath"`
	Module      string      `json:"ModPath"`
	CallSink    stream.Text `json:"CallSink"`
	ImportSink  stream.Text `json:"ImportSink"`
	RequireSink stream.Text `json:"RequireSink"`
}

// oldFields adds what reads the old report.
func (s *scan) oldFields(fields stream.Fields) {
	saw := func(v stream.Value) stream.Value {
		return func(d *stream.Decoder) error {
			if s.old == nil {
				s.known, s.old = true, &oldReport{functions: map[string]oldFunction{}, modules: map[string]oldModule{}}
			}
			return v(d)
		}
	}
	fields["Calls"] = saw(stream.Object(stream.Fields{"Functions": stream.Entries(func(id string, d *stream.Decoder) error {
		return stream.One(func(f oldFunction) error {
			if len(f.Sites) > 1 {
				f.Sites = slices.Clone(f.Sites[:1])
			}
			s.old.functions[id] = f
			return nil
		})(d)
	})}))
	fields["Requires"] = saw(stream.Object(stream.Fields{"Modules": stream.Entries(func(id string, d *stream.Decoder) error {
		return stream.One(func(m oldModule) error { s.old.modules[id] = m; return nil })(d)
	})}))
	fields["Vulns"] = saw(stream.Each(func(v oldVuln) error { s.old.vulns = append(s.old.vulns, v); return nil }))
}

// emitOld puts out one finding for each vulnerability.
func (s *scan) emitOld(v2 bool) {
	byID := map[string][]oldVuln{}
	var order []string
	for _, v := range s.old.vulns {
		if byID[v.OSV.ID] == nil {
			order = append(order, v.OSV.ID)
		}
		byID[v.OSV.ID] = append(byID[v.OSV.ID], v)
	}
	for _, m := range slices.Sorted(maps.Keys(s.old.modules)) {
		module := s.old.modules[m]
		s.out.Component(gate.Component{Name: module.Path, Version: module.Version, PURL: parsers.PURL("golang", module.Path, module.Version)})
	}
	for _, id := range order {
		s.out.Emit(s.old.observation(byID[id], v2))
	}
}

func (r *oldReport) observation(vulns []oldVuln, v2 bool) gate.Observation {
	v := vulns[0]
	obs := common(v.OSV)
	module := r.modules[string(v.RequireSink)]
	level := 0
	var symbols, stacks []string
	for _, w := range vulns {
		symbols = append(symbols, w.Package+"."+w.Symbol)
		switch {
		case sink(w.CallSink):
			level = 2
			stacks = append(stacks, r.stack(string(w.CallSink)))
		case sink(w.ImportSink):
			level = max(level, 1)
		}
	}
	var text parsers.Text
	text.Add(v.OSV.Details).Add(reached[level])
	text.Fact("Module", strings.TrimSpace(v.Module+" "+module.Version)).Facts("Also known as", v.OSV.Aliases).Facts("Vulnerable functions", symbols)
	obs.Title, obs.UniqueID, obs.Description = v.OSV.ID, v.OSV.ID, text.String()
	obs.Impact = strings.Join(stacks, "\n\n")
	obs.ComponentName, obs.ComponentVersion, obs.PURL = v.Module, module.Version, parsers.PURL("golang", v.Module, module.Version)
	if v2 {
		obs.Title, obs.UniqueID, obs.Severity = v.OSV.ID+" - "+v.Module, v.OSV.ID+":"+v.Module, levels[level]
	}
	return obs
}

// sink tells whether a number names a node: 0 is none.
func sink(n stream.Text) bool { return n != "" && n != "0" }

// stack walks from a called function out to the program, one call site each.
func (r *oldReport) stack(id string) string {
	var lines []string
	seen := map[string]bool{}
	for !seen[id] && len(lines) < maxFrames {
		seen[id] = true
		f, ok := r.functions[id]
		if !ok || len(f.Sites) == 0 {
			break
		}
		site := f.Sites[0]
		lines = append(lines, fmt.Sprintf("%s.%s at %s:%d:%d", f.Pkg, f.Name, site.Pos.File, site.Pos.Line.N, site.Pos.Column.N))
		id = string(site.Parent)
	}
	return strings.Join(lines, "\n")
}

// sorted returns groups in the order of their modules' names.
func sorted(groups map[string]*group) []*group {
	var out []*group
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		out = append(out, groups[name])
	}
	return out
}
