package tenable

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// host is the ReportHost that is being read.
type host struct{ name, fqdn, ip string }

func parseXML(in *stream.Input, out *parsers.Report) error {
	f := findings{byKey: map[string]*finding{}}
	run := out.Run()
	var h host
	err := stream.XML(in, []string{"NessusClientData_v2", "NessusClientData"}, stream.Elements{
		"*/ReportHost": stream.Start(func(attr func(string) string) error {
			h = host{name: attr("name")}
			if run.Target == "" {
				run.Target = h.name
			}
			return nil
		}),
		"*/tag": stream.Record(func(n *stream.Node) error {
			switch n.Attr("name") {
			case "host-fqdn":
				h.fqdn = n.Text()
			case "host-ip":
				h.ip = n.Text()
			case "HOST_START":
				if t := parsers.ParseTime(n.Text()); run.StartedAt.IsZero() || !t.IsZero() && t.Before(run.StartedAt) {
					run.StartedAt = t
				}
			case "HOST_END":
				if t := parsers.ParseTime(n.Text()); t.After(run.FinishedAt) {
					run.FinishedAt = t
				}
			}
			return nil
		}),
		"*/ReportItem": stream.Record(func(n *stream.Node) error {
			if n.Attr("pluginID") == "19506" {
				scanInfo(run, n.Get("plugin_output"))
			}
			f.add(h, n)
			return nil
		}),
	})
	if err != nil {
		return err
	}
	f.emit(out)
	return nil
}

// scanInfo reads what the plugin "Nessus Scan Information" prints.
func scanInfo(run *gate.Run, output string) {
	for line := range strings.Lines(output) {
		name, value, _ := strings.Cut(line, ":")
		switch strings.TrimSpace(name) {
		case "Nessus version":
			run.Version = strings.TrimSpace(value)
		case "Plugin feed version":
			run.Ruleset = strings.TrimSpace(value)
		case "Scan policy used":
			run.Description = "Policy: " + strings.TrimSpace(value)
		}
	}
}

// add adds a ReportItem.
func (f *findings) add(h host, n *stream.Node) {
	title := parsers.First(n.Attr("pluginName"), n.Get("plugin_name"))
	one, isNew := f.at(n.Attr("severity") + "\x00" + title)
	if isNew {
		one.o = fromXML(n, title)
		one.synopsis = n.Get("synopsis")
	}
	name := parsers.First(h.fqdn, h.name, h.ip)
	one.see(endpointOf(n, name), parsers.First(h.name, name)+portOf(n), n.Get("plugin_output"))
}

// portOf returns the port of a ReportItem with its colon; 0 is the host itself.
func portOf(n *stream.Node) string {
	if p := n.Attr("port"); p != "" && p != "0" {
		return ":" + p
	}
	return ""
}

func endpointOf(n *stream.Node, name string) string {
	if strings.Contains(name, "://") {
		return parsers.Endpoint(name)
	}
	service := strings.ToLower(strings.TrimRight(n.Attr("svc_name"), "?"))
	protocol := n.Attr("protocol")
	switch {
	case strings.Contains(service, "https"):
		protocol = "https"
	case strings.Contains(service, "http"), strings.Contains(service, "www"):
		protocol = "http"
	case parsers.IsScheme(service):
		protocol = service
	}
	return parsers.HostPort(protocol, name, n.Attr("port"))
}

// knownExploited is the cross reference to the catalogue of CISA.
const knownExploited = "CISA-KNOWN-EXPLOITED:"

func fromXML(n *stream.Node, title string) gate.Observation {
	var text, refs parsers.Text
	var cves []string
	for c := range n.Each("cve") {
		cves = append(cves, c.Text())
	}
	text.Facts("CVE", cves)
	text.Fact("Plugin", n.Attr("pluginID")+" ("+n.Attr("pluginFamily")+")").Fact("Risk factor", n.Get("risk_factor"))
	for _, fact := range [][2]string{
		{"CVSS 3 base score", "cvss3_base_score"},
		{"CVSS 2 base score", "cvss_base_score"},
		{"CVSS 2 vector", "cvss_vector"},
		{"Vulnerability priority rating", "vpr_score"},
		{"EPSS score", "epss_score"},
		{"Exploit available", "exploit_available"},
		{"Exploitability", "exploitability_ease"},
		{"Published", "vuln_publication_date"},
		{"Patch published", "patch_publication_date"},
		{"CPE", "cpe"},
	} {
		text.Fact(fact[0], strings.Join(strings.Fields(n.Get(fact[1])), " "))
	}
	for _, name := range []string{"see_also", "xref"} {
		for r := range n.Each(name) {
			refs.Add(strings.Join(strings.Fields(r.Text()), "\n"))
		}
	}
	o := gate.Observation{
		Title:       title,
		Severity:    parsers.Rank(n.Attr("severity"), 0),
		Description: text.String(),
		Impact:      n.Get("description"),
		Mitigation:  parsers.First(n.Get("solution"), "Tenable names no solution."),
		References:  refs.String(),
		Check:       n.Attr("pluginID"),
		CWE:         gate.ParseCWE(n.Get("cwe")),
		NoCWE:       n.Get("cwe") == "",
		PublishDate: parsers.ParseDate(n.Get("vuln_publication_date")),
		Exploited:   strings.Contains(refs.String(), knownExploited),
	}
	if len(cves) > 0 {
		o.VulnerabilityIDs = cves[:1] // as DefectDojo, whose identity of a finding has the ids; the text has them all
	}
	parsers.SetCVSS(&o, n.Get("cvss3_vector"), n.Get("cvss4_vector"))
	switch {
	case o.CVSSv3Score == nil:
		o.CVSSv3Score = stream.ParseFloat(n.Get("cvssv3")).Ptr()
	case *o.CVSSv3Score == 0:
		o.CVSSv3Score = nil
	default: // "severity" may be by version 2, as the scan was set up
		o.Severity = gate.SeverityOfScore(*o.CVSSv3Score)
	}
	return o
}
