package govulncheck

import (
	"fmt"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
)

const (
	maxTraces = 5  // of one vulnerability of one module
	maxFrames = 30 // of one trace
)

// note adds a finding to its group.
func (s *scan) note(f finding) {
	if len(f.Trace) == 0 {
		return
	}
	top := f.Trace[0]
	modules := s.groups[f.OSV]
	if modules == nil {
		modules = map[string]*group{}
		s.groups[f.OSV] = modules
		s.order = append(s.order, f.OSV)
	}
	g := modules[top.Module]
	if g == nil {
		g = &group{module: top.Module, version: top.Version, fixed: f.Fixed}
		modules[top.Module] = g
	}
	g.fixed = parsers.First(g.fixed, f.Fixed)
	switch {
	case top.Function != "":
		g.level = 2
		if len(g.traces) < maxTraces {
			g.traces = append(g.traces, trace(f.Trace))
		}
	case top.Package != "":
		g.level = max(g.level, 1)
	}
}

// trace writes the calls from the vulnerable function out to the program's own.
func trace(frames []frame) string {
	var lines []string
	for i, f := range frames {
		if i == maxFrames {
			lines = append(lines, fmt.Sprintf("… and %d more", len(frames)-i))
			break
		}
		name := f.Package + "." + f.Function
		if f.Receiver != "" {
			name = f.Package + "." + strings.TrimPrefix(f.Receiver, "*") + "." + f.Function
		}
		if p := f.Position; p.File != "" {
			name += fmt.Sprintf(" (%s:%d:%d)", p.File, p.Line.N, p.Column.N)
		}
		lines = append(lines, strings.TrimSpace(name))
	}
	return strings.Join(lines, "\n")
}

// levels are the severities of what is required, imported and called.
var levels = [...]gate.Severity{gate.Info, gate.Low, gate.High}

var reached = [...]string{
	"The program requires the module, and imports nothing of it that is vulnerable.",
	"The program imports a vulnerable package, and calls nothing of it that is vulnerable.",
	"The program calls vulnerable code.",
}

// emitReached puts out what was found of a vulnerability, once.
func (s *scan) emitReached(o osv) {
	modules := s.groups[o.ID]
	delete(s.groups, o.ID)
	for _, g := range sorted(modules) {
		var text parsers.Text
		text.Add(o.Summary).Add(reached[g.level])
		text.Fact("Module", g.module+" "+g.version).Fact("Fixed in", g.fixed).Facts("Also known as", o.Aliases)
		text.Section("Details", o.Details)
		for _, t := range g.traces {
			text.Add("Called by:").Code("", t)
		}
		obs := common(o)
		obs.Title = o.ID + " - " + g.module
		obs.Severity = levels[g.level]
		obs.Description = text.String()
		obs.UniqueID = o.ID + ":" + g.module
		obs.ComponentName, obs.ComponentVersion, obs.PURL = g.module, g.version, parsers.PURL("golang", g.module, g.version)
		obs.FixAvailable, obs.FixVersion = new(g.fixed != ""), g.fixed
		if g.fixed != "" {
			obs.Mitigation = "Upgrade " + g.module + " to " + g.fixed + "."
		}
		s.out.Emit(obs)
	}
}

func common(o osv) gate.Observation {
	obs := gate.Observation{Check: o.ID, URL: "https://pkg.go.dev/vuln/" + o.ID, PublishDate: parsers.ParseDate(o.Released)}
	if len(o.Aliases) > 0 {
		obs.CVE = o.Aliases[0]
	}
	var links []string
	for _, r := range o.References {
		links = append(links, strings.TrimPrefix(r.Type+": "+r.URL, ": "))
	}
	obs.References = parsers.Lines(append(links, "Database: "+obs.URL)...)
	return obs
}

// record makes a finding of an OSV record, for the first scan type: of the
// first module and package that it names.
func (s *scan) record(o osv) gate.Observation {
	obs := common(o)
	obs.Title, obs.UniqueID, obs.Impact = o.ID, o.ID, o.Details
	if sev, ok := gate.SeverityOf(string(o.Severity)); ok {
		obs.Severity = sev
	}
	var text parsers.Text
	text.Add(o.Summary)
	var introduced, fixed string
	if len(o.Affected) > 0 {
		a := o.Affected[0]
		obs.ComponentName = a.Package.Name
		obs.Title += " - " + a.Package.Name
		if imports := a.Specific.Imports; len(imports) > 0 {
			obs.FilePath = imports[0].Path
			obs.Title += " - " + imports[0].Path
			text.Facts("Vulnerable functions", imports[0].Symbols)
		}
		var ranges []string
		for _, r := range a.Ranges {
			for _, e := range r.Events {
				introduced, fixed = parsers.First(introduced, e.Introduced), parsers.First(fixed, e.Fixed)
				if e.Introduced != "" {
					ranges = append(ranges, "from "+e.Introduced)
				}
				if e.Fixed != "" {
					ranges = append(ranges, "fixed in "+e.Fixed)
				}
			}
		}
		text.Fact("Ecosystem", a.Package.Ecosystem).Fact("Package", a.Package.Name).Facts("Affected versions", ranges)
	}
	obs.ComponentVersion, obs.FixVersion, obs.FixAvailable = introduced, fixed, new(fixed != "")
	s.addFound(&obs, &text, o.ID)
	obs.PURL = parsers.PURL("golang", obs.ComponentName, "")
	obs.Description = text.String()
	return obs
}

// addFound tells whether the program has what the record is about.
func (s *scan) addFound(obs *gate.Observation, text *parsers.Text, id string) {
	groups := sorted(s.groups[id])
	if len(groups) == 0 {
		text.Add("govulncheck read this record and did not find the program to be affected.")
		return
	}
	if g := s.groups[id][obs.ComponentName]; g != nil {
		obs.ComponentVersion = g.version
	} else {
		obs.ComponentVersion = groups[0].version
	}
	for _, g := range groups {
		text.Fact("Found", g.module+" "+g.version).Add(reached[g.level])
		for _, t := range g.traces {
			text.Code("", t)
		}
	}
}
