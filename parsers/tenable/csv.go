package tenable

import (
	"hash/maphash"
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// columns are the names of one value in Nessus, Security Center and
// Vulnerability Management, in this order.
var columns = map[string][]string{
	"id":         {"Plugin ID", "Plugin", "definition.id"},
	"title":      {"Name", "Plugin Name", "definition.name", "asset.name"},
	"severity":   {"Risk", "Severity", "definition.severity"},
	"host":       {"Host", "DNS Name", "IP Address", "asset.display_fqdn", "asset.host_name", "asset.display_ipv4_address", "asset.name"},
	"address":    {"IP Address", "asset.display_ipv4_address"},
	"port":       {"Port"},
	"protocol":   {"Protocol"},
	"family":     {"Family", "Plugin Family", "definition.family"},
	"synopsis":   {"Synopsis", "definition.synopsis"},
	"what":       {"Description", "definition.description"},
	"solution":   {"Solution", "definition.solution"},
	"see":        {"See Also", "definition.see_also"},
	"output":     {"Plugin Output", "Plugin Text", "output"},
	"cve":        {"CVE", "definition.cve"},
	"cpe":        {"CPE", "definition.cpe"},
	"vector":     {"CVSS V3 Vector", "CVSS v3.0 Vector", "CVSSv3 Vector"},
	"vector4":    {"CVSS v4.0 Vector", "CVSS V4 Vector", "definition.cvss4.base_vector"},
	"score":      {"CVSSv3", "definition.cvss3.base_score"},
	"epss":       {"EPSS Score", "definition.epss.score"},
	"references": {"XREF", "Cross References", "definition.references"},
}

// facts are the columns that justify the severity, with how to call them.
var facts = []struct {
	label   string
	columns []string
}{
	{"Risk factor", []string{"Risk Factor"}},
	{"Vulnerability priority rating", []string{"VPR Score", "Vulnerability Priority Rating", "definition.vpr.score"}},
	{"EPSS score", []string{"EPSS Score"}},
	{"STIG severity", []string{"STIG Severity", "definition.stig_severity"}},
	{"CVSS 4 base score", []string{"CVSS v4.0 Base Score", "definition.cvss4.base_score"}},
	{"CVSS 4 base and threat score", []string{"CVSS v4.0 Base+Threat Score"}},
	{"CVSS 3 base score", []string{"CVSS v3.0 Base Score", "CVSS V3 Base Score", "CVSSv3", "definition.cvss3.base_score"}},
	{"CVSS 3 temporal score", []string{"CVSS v3.0 Temporal Score", "CVSS V3 Temporal Score", "definition.cvss3.temporal_score"}},
	{"CVSS 2 base score", []string{"CVSS v2.0 Base Score", "CVSS V2 Base Score", "CVSS", "definition.cvss2.base_score"}},
	{"Metasploit", []string{"Metasploit"}},
	{"Core Impact", []string{"Core Impact"}},
	{"CANVAS", []string{"CANVAS"}},
	{"Exploit", []string{"Exploit?", "definition.exploitability_ease"}},
}

// row reads a CSV row by the names of columns.
type row struct{ stream.Row }

func (r row) get(name string) string {
	for _, c := range columns[name] {
		if v := r.Get(c); v != "" {
			return v
		}
	}
	return ""
}

// parseCSV reads the table twice: a finding has a row for each of its CVE ids,
// which may stand anywhere, and only these are held in memory.
func parseCSV(in *stream.Input, out *parsers.Report) error {
	seed, pending, more := maphash.MakeSeed(), map[uint64]bool{}, map[uint64][]string{}
	err := rows(in, func(r row) error {
		k := maphash.String(seed, r.key())
		switch {
		case pending[k]:
			if ids := r.cves(); len(ids) > 0 {
				more[k] = append(more[k], ids...)
			}
		case len(pending) > in.Limits().Observations:
			return gate.Errorf(gate.TooLarge, "the report holds more than %d findings", in.Limits().Observations)
		default:
			pending[k] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	return rows(in, func(r row) error {
		if k := maphash.String(seed, r.key()); pending[k] {
			pending[k] = false
			out.Emit(fromRow(r, more[k]))
		}
		return nil
	})
}

// rows gives the rows that name a plugin.
func rows(in *stream.Input, each func(row) error) error {
	checked := false
	return stream.CSV(in, nil, func(s stream.Row) error {
		if !checked {
			if !known(s) {
				return stream.Errorf("the columns are not those of a Tenable export: there is none for the plugin's id and its name")
			}
			checked = true
		}
		if r := (row{s}); r.get("title") != "" {
			return each(r)
		}
		return nil
	})
}

// known tells whether the columns are Tenable's.
func known(r stream.Row) bool {
	has := func(name string) bool {
		return slices.ContainsFunc(columns[name], r.Has)
	}
	return has("id") && has("title") || has("title") && has("synopsis") && has("solution")
}

// key is what rows of one finding have in common.
func (r row) key() string {
	severity := gate.ParseSeverity(r.get("severity"))
	return strings.Join([]string{severity.String(), r.get("title"), r.place(), r.get("protocol"), r.get("synopsis")}, "\x00")
}

func (r row) place() string {
	if p := r.get("port"); p != "" && p != "0" {
		return r.get("host") + ":" + p
	}
	return r.get("host")
}

func (r row) cves() []string {
	ids := strings.FieldsFunc(r.get("cve"), func(c rune) bool { return strings.ContainsRune(",; \n", c) })
	return slices.DeleteFunc(ids, func(id string) bool { return !strings.HasPrefix(id, "CVE-") })
}

// fromRow makes the finding of its first row and the CVE ids of the others.
func fromRow(r row, more []string) gate.Observation {
	one := finding{o: r.observation(), synopsis: r.get("synopsis"), endpoints: map[string]bool{}}
	one.o.VulnerabilityIDs = append(r.cves(), more...)
	one.see(parsers.HostPort(r.get("protocol"), r.get("host"), r.get("port")), r.place(), r.get("output"))
	return one.observation()
}

func (r row) observation() gate.Observation {
	severity := gate.ParseSeverity(r.get("severity"))
	var text, refs, why parsers.Text
	text.Fact("Plugin", strings.TrimSpace(r.get("id")+" "+r.get("family"))).Fact("Address", r.get("address"))
	why.Fact("Severity", severity.String())
	for _, fact := range facts {
		why.Fact(fact.label, r.Get(fact.columns...))
	}
	why.Fact("Cross references", r.get("references"))
	for line := range strings.Lines(r.get("see")) {
		refs.Add(line)
	}
	refs.Add("https://www.tenable.com/plugins/nessus/"+r.get("id")).
		Fact("Plugin published", r.Get("Plugin Publication Date", "definition.plugin_published")).Fact("Plugin changed", r.Get("Plugin Modification Date", "definition.plugin_updated"))
	o := gate.Observation{
		Title:                 r.get("title"),
		Severity:              severity,
		Description:           text.String(),
		Impact:                parsers.First(r.get("what"), "The export does not describe the plugin."),
		Mitigation:            parsers.First(r.get("solution"), "Tenable names no solution."),
		References:            refs.String(),
		SeverityJustification: why.String(),
		Check:                 r.get("id"),
		EPSSScore:             epss(r.get("epss")),
		Exploited:             strings.Contains(r.get("references"), knownExploited),
	}
	if v := r.get("vector"); v != "" {
		if !strings.HasPrefix(v, "CVSS:") {
			v = "CVSS:3.0/" + v
		}
		parsers.SetCVSS(&o, v)
	}
	parsers.SetCVSS(&o, r.get("vector4"))
	if o.CVSSv3Score == nil {
		o.CVSSv3Score = stream.ParseFloat(r.get("score")).Ptr()
	}
	cpe, _, _ := strings.Cut(strings.TrimSpace(r.get("cpe")), "\n")
	if parts := strings.Split(cpe, ":"); len(parts) > 3 && strings.HasPrefix(cpe, "cpe:/") {
		o.ComponentName = parts[3]
		if len(parts) > 4 {
			o.ComponentVersion = parts[4]
		}
	}
	return o
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
	return &f.F
}
