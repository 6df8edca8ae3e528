package tenable

import (
	"hash/maphash"
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// The values of a row.
const (
	colID = iota
	colTitle
	colSeverity
	colHost
	colAddress
	colPort
	colProtocol
	colFamily
	colSynopsis
	colWhat
	colSolution
	colSee
	colOutput
	colCVE
	colCPE
	colVector
	colVector4
	colScore
	colEPSS
	colReferences
	colPublished
	colChanged
	colFacts // and those after it
)

// columns are the names of each value in Nessus, Security Center and
// Vulnerability Management, in this order.
var columns = [...][]string{
	colID:         {"Plugin ID", "Plugin", "definition.id"},
	colTitle:      {"Name", "Plugin Name", "definition.name", "asset.name"},
	colSeverity:   {"Risk", "Severity", "definition.severity"},
	colHost:       {"Host", "DNS Name", "IP Address", "asset.display_fqdn", "asset.host_name", "asset.display_ipv4_address", "asset.name"},
	colAddress:    {"IP Address", "asset.display_ipv4_address"},
	colPort:       {"Port"},
	colProtocol:   {"Protocol"},
	colFamily:     {"Family", "Plugin Family", "definition.family"},
	colSynopsis:   {"Synopsis", "definition.synopsis"},
	colWhat:       {"Description", "definition.description"},
	colSolution:   {"Solution", "definition.solution"},
	colSee:        {"See Also", "definition.see_also"},
	colOutput:     {"Plugin Output", "Plugin Text", "output"},
	colCVE:        {"CVE", "definition.cve"},
	colCPE:        {"CPE", "definition.cpe"},
	colVector:     {"CVSS V3 Vector", "CVSS v3.0 Vector", "CVSSv3 Vector"},
	colVector4:    {"CVSS v4.0 Vector", "CVSS V4 Vector", "definition.cvss4.base_vector"},
	colScore:      {"CVSSv3", "definition.cvss3.base_score"},
	colEPSS:       {"EPSS Score", "definition.epss.score"},
	colReferences: {"XREF", "Cross References", "definition.references"},
	colPublished:  {"Plugin Publication Date", "definition.plugin_published"},
	colChanged:    {"Plugin Modification Date", "definition.plugin_updated"},
	colFacts + 0:  {"Risk Factor"},
	colFacts + 1:  {"VPR Score", "Vulnerability Priority Rating", "definition.vpr.score"},
	colFacts + 2:  {"EPSS Score"},
	colFacts + 3:  {"STIG Severity", "definition.stig_severity"},
	colFacts + 4:  {"CVSS v4.0 Base Score", "definition.cvss4.base_score"},
	colFacts + 5:  {"CVSS v4.0 Base+Threat Score"},
	colFacts + 6:  {"CVSS v3.0 Base Score", "CVSS V3 Base Score", "CVSSv3", "definition.cvss3.base_score"},
	colFacts + 7:  {"CVSS v3.0 Temporal Score", "CVSS V3 Temporal Score", "definition.cvss3.temporal_score"},
	colFacts + 8:  {"CVSS v2.0 Base Score", "CVSS V2 Base Score", "CVSS", "definition.cvss2.base_score"},
	colFacts + 9:  {"Metasploit"},
	colFacts + 10: {"Core Impact"},
	colFacts + 11: {"CANVAS"},
	colFacts + 12: {"Exploit?", "definition.exploitability_ease"},
}

// facts are how to call the columns from colFacts on, which justify the severity.
var facts = [...]string{
	"Risk factor", "Vulnerability priority rating", "EPSS score", "STIG severity", "CVSS 4 base score", "CVSS 4 base and threat score", "CVSS 3 base score",
	"CVSS 3 temporal score", "CVSS 2 base score", "Metasploit", "Core Impact", "CANVAS", "Exploit",
}

// row is a CSV row with the positions of each value's columns.
type row struct {
	stream.Row
	positions *[len(columns)][]int
}

// get returns the first of a value's columns that is not blank.
func (r row) get(value int) string {
	for _, i := range r.positions[value] {
		if v := r.At(i); v != "" {
			return v
		}
	}
	return ""
}

// positions finds the columns of each value, in the order of their names.
func positions(r stream.Row) *[len(columns)][]int {
	var found [len(columns)][]int
	at := r.Columns()
	for value, names := range columns {
		for _, name := range names {
			if i, ok := at[strings.ToLower(name)]; ok {
				found[value] = append(found[value], i)
			}
		}
	}
	return &found
}

// repeated is a finding that has several rows.
type repeated struct {
	ids  []string // the CVE ids of all rows but the first
	done bool
}

// parseCSV reads the table twice: a finding has a row for each of its CVE ids,
// which may stand anywhere, and only these are held in memory.
func parseCSV(in *stream.Input, out *parsers.Report) error {
	var h maphash.Hash
	again, err := findRepeated(in, &h)
	if err != nil {
		return err
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	return rows(in, func(r row) error {
		var ids []string
		if len(again) > 0 {
			if f := again[r.key(&h)]; f != nil {
				if f.done {
					return nil
				}
				f.done, ids = true, f.ids
			}
		}
		out.Emit(fromRow(r, ids))
		return nil
	})
}

// findRepeated returns the findings that have several rows, by their keys.
func findRepeated(in *stream.Input, h *maphash.Hash) (map[uint64]*repeated, error) {
	seen, again := map[uint64]struct{}{}, map[uint64]*repeated{}
	limit := in.Limits().Observations
	return again, rows(in, func(r row) error {
		k, before := r.key(h), len(seen)
		seen[k] = struct{}{}
		if len(seen) > before {
			if len(seen) > limit+1 {
				return gate.Errorf(gate.TooLarge, "the report holds more than %d findings", limit)
			}
			return nil
		}
		if again[k] == nil {
			again[k] = &repeated{}
		}
		again[k].ids = append(again[k].ids, r.cves()...)
		return nil
	})
}

// rows gives the rows that name a plugin.
func rows(in *stream.Input, each func(row) error) error {
	var at *[len(columns)][]int
	return stream.CSV(in, nil, func(s stream.Row) error {
		if at == nil {
			if at = positions(s); !known(at) {
				return stream.Errorf("the columns are not those of a Tenable export: there is none for the plugin's id and its name")
			}
		}
		if r := (row{s, at}); r.get(colTitle) != "" {
			return each(r)
		}
		return nil
	})
}

// known tells whether the columns are Tenable's.
func known(at *[len(columns)][]int) bool {
	has := func(value int) bool { return len(at[value]) > 0 }
	return has(colID) && has(colTitle) || has(colTitle) && has(colSynopsis) && has(colSolution)
}

// key is what rows of one finding have in common.
func (r row) key(h *maphash.Hash) uint64 {
	h.Reset()
	h.WriteString(gate.ParseSeverity(r.get(colSeverity)).String())
	for _, text := range []string{r.get(colTitle), r.get(colHost), r.port(), r.get(colProtocol), r.get(colSynopsis)} {
		h.WriteString(text)
		h.WriteByte(0)
	}
	return h.Sum64()
}

// plugin names the plugin and its family.
func (r row) plugin() string {
	if f := r.get(colFamily); f != "" {
		return r.get(colID) + " " + f
	}
	return r.get(colID)
}

func (r row) place() string {
	if p := r.port(); p != "" {
		return r.get(colHost) + ":" + p
	}
	return r.get(colHost)
}

// port returns the port; 0 is the host itself.
func (r row) port() string {
	if p := r.get(colPort); p != "0" {
		return p
	}
	return ""
}

func (r row) cves() []string {
	ids := strings.FieldsFunc(r.get(colCVE), func(c rune) bool { return c == ',' || c == ';' || c == ' ' || c == '\n' })
	return slices.DeleteFunc(ids, func(id string) bool { return !strings.HasPrefix(id, "CVE-") })
}

// fromRow makes the finding of its first row and the CVE ids of the others.
func fromRow(r row, more []string) gate.Observation {
	o := r.observation()
	o.VulnerabilityIDs = append(r.cves(), more...)
	if e := parsers.HostPort(r.get(colProtocol), r.get(colHost), r.get(colPort)); e != "" {
		o.Endpoints = []string{e}
	}
	return o
}

func (r row) observation() gate.Observation {
	severity := gate.ParseSeverity(r.get(colSeverity))
	var text, refs, why parsers.Text
	text.Add(r.get(colSynopsis)).Fact("Plugin", r.plugin()).Fact("Address", r.get(colAddress))
	if output := r.get(colOutput); output != "" {
		text.Add("What the plugin printed for `"+r.place()+"`:").Code("", output)
	}
	why.Fact("Severity", severity.String())
	for i, name := range facts {
		why.Fact(name, r.get(colFacts+i))
	}
	why.Fact("Cross references", r.get(colReferences))
	for line := range strings.Lines(r.get(colSee)) {
		refs.Add(line)
	}
	refs.Add("https://www.tenable.com/plugins/nessus/"+r.get(colID)).
		Fact("Plugin published", r.get(colPublished)).Fact("Plugin changed", r.get(colChanged))
	o := gate.Observation{
		Title:                 r.get(colTitle),
		Severity:              severity,
		Description:           text.String(),
		Impact:                parsers.First(r.get(colWhat), "The export does not describe the plugin."),
		Mitigation:            parsers.First(r.get(colSolution), "Tenable names no solution."),
		References:            refs.String(),
		SeverityJustification: why.String(),
		Check:                 r.get(colID),
		EPSSScore:             epss(r.get(colEPSS)),
		Exploited:             strings.Contains(r.get(colReferences), knownExploited),
	}
	if v := r.get(colVector); v != "" {
		if !strings.HasPrefix(v, "CVSS:") {
			v = "CVSS:3.0/" + v
		}
		parsers.SetCVSS(&o, v)
	}
	parsers.SetCVSS(&o, r.get(colVector4))
	if o.CVSSv3Score == nil {
		o.CVSSv3Score = stream.ParseFloat(r.get(colScore)).Ptr()
	}
	o.ComponentName, o.ComponentVersion = component(r.get(colCPE))
	return o
}

// component reads the first of a column's names of platforms, "cpe:/a:vendor:name:version".
func component(cpes string) (name, version string) {
	cpe, _, _ := strings.Cut(cpes, "\n")
	if !strings.HasPrefix(cpe, "cpe:/") {
		return "", ""
	}
	parts := append(strings.Split(cpe, ":"), "", "", "")
	return parts[3], parts[4]
}

// epss reads a probability, which some exports write in parts of ten thousand.
func epss(s string) *float64 {
	f := stream.ParseFloat(s)
	switch {
	case !f.OK || f.F < 0 || f.F > 10_000:
		return nil
	case f.F > 1:
		f.F /= 10_000
	}
	return new(f.F)
}
