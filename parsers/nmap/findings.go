package nmap

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// host is the host that is being read.
type host struct {
	address, ptr string
	facts        [][2]string // what its description says
}

// name is how the host's endpoints call it.
func (h host) name() string { return parsers.First(h.ptr, h.address) }

// finding is a port or a vulnerability, with the hosts that have it.
type finding struct {
	o     gate.Observation
	text  parsers.Text
	size  int
	hosts int
}

// Bounds of what is kept of one finding.
const (
	maxText      = 64 << 10
	maxEndpoints = 20_000
)

func (f *finding) observation() gate.Observation {
	f.o.Description = f.text.String()
	return f.o
}

// findings gathers what is met on several hosts.
type findings struct {
	date  gate.Date
	host  host
	list  []*finding
	byKey map[string]*finding
}

func (f *findings) addAddress(n *stream.Node) error {
	kind, address := n.Attr("addrtype"), n.Attr("addr")
	if kind == "mac" {
		f.host.facts = append(f.host.facts, [2]string{"MAC address", strings.TrimSpace(address + " " + n.Attr("vendor"))})
		return nil
	}
	if f.host.address == "" {
		f.host.address = address
	}
	f.host.facts = append(f.host.facts, [2]string{"IP address", address})
	return nil
}

func (f *findings) addName(n *stream.Node) error {
	kind, name := n.Attr("type"), n.Attr("name")
	if kind == "PTR" && f.host.ptr == "" {
		f.host.ptr = name
	}
	labels := map[string]string{"PTR": "Reverse DNS name", "user": "Name as given to the scan"}
	f.host.facts = append(f.host.facts, [2]string{parsers.First(labels[kind], "Name"), name})
	return nil
}

func (f *findings) addPort(n *stream.Node) error {
	if n.At("state").Attr("state") != "open" {
		return nil
	}
	for script := range n.Each("script") {
		if script.Attr("id") == "vulners" {
			f.addVulners(n, script)
		}
	}
	place := n.Attr("portid") + "/" + n.Attr("protocol")
	one := f.at(place, gate.Observation{
		Title:      "Open port: " + place,
		RuleID:     n.At("script").Attr("id"), // what looked closer at it
		Date:       f.date,
		Impact:     "Whatever listens on the port can be reached from where the scan ran.",
		Mitigation: "Close or filter the port if nothing outside of the host needs the service.",
	})
	f.see(one, n)
	if one.size > maxText {
		return nil
	}
	f.describeHost(one)
	service := n.At("service")
	one.text.Fact("Port", place).Fact("Service", strings.TrimSpace(service.Attr("name")+" "+service.Attr("tunnel")))
	one.text.Fact("Product", strings.Join(strings.Fields(service.Attr("product")+" "+service.Attr("version")+" "+service.Attr("extrainfo")), " "))
	one.text.Fact("System", service.Attr("ostype")).Fact("CPE", service.Get("cpe"))
	for script := range n.Each("script") {
		if script.Attr("id") != "vulners" {
			one.text.Add("Script `"+script.Attr("id")+"`:").Code("", script.Attr("output"))
		}
	}
	one.size = len(one.text.String())
	return nil
}

// at returns the finding with a key, a new one if there is none.
func (f *findings) at(key string, o gate.Observation) *finding {
	if one := f.byKey[key]; one != nil {
		return one
	}
	one := &finding{o: o}
	f.byKey[key] = one
	f.list = append(f.list, one)
	return one
}

// see adds the port's place to a finding.
func (f *findings) see(one *finding, port *stream.Node) {
	one.hosts++
	e := parsers.HostPort(port.Attr("protocol"), f.host.name(), port.Attr("portid"))
	if e != "" && len(one.o.Endpoints) < maxEndpoints {
		one.o.Endpoints = append(one.o.Endpoints, e)
	}
}

func (f *findings) describeHost(one *finding) {
	if one.hosts == 1 {
		one.text.Add("The port is open.")
	}
	one.text.Section("Host "+f.host.name(), " ")
	for _, fact := range f.host.facts {
		one.text.Fact(fact[0], fact[1])
	}
}

// addVulners adds what the script "vulners" says of a port's software.
func (f *findings) addVulners(port, script *stream.Node) {
	for software := range script.Each("table") {
		cpe := software.Attr("key")
		component, version := componentOf(cpe)
		for v := range software.Each("table") {
			e := elements(v)
			if e["id"] == "" {
				continue
			}
			one := f.at("vulners\x00"+e["id"]+"\x00"+component+"\x00"+version, vulnerability(e, component, version))
			one.o.Date = f.date
			f.see(one, port)
			one.o.Occurrences = new(one.hosts)
			if one.hosts == 1 {
				describeVulnerability(one, e, cpe)
			}
		}
	}
}

// elements returns the values that a script's table holds by their keys.
func elements(table *stream.Node) map[string]string {
	m := map[string]string{}
	for e := range table.Each("elem") {
		m[e.Attr("key")] = e.Text()
	}
	return m
}

func vulnerability(e map[string]string, component, version string) gate.Observation {
	o := gate.Observation{
		Title:            e["id"],
		RuleID:           e["id"],
		ComponentName:    component,
		ComponentVersion: version,
		VulnerabilityIDs: parsers.CVEs(exactly(e["id"])),
	}
	if score := stream.ParseFloat(e["cvss"]); score.OK {
		o.Severity = gate.SeverityOfScore(score.F)
	}
	if e["type"] != "" {
		o.References = "https://vulners.com/" + e["type"] + "/" + e["id"]
	}
	return o
}

// exactly returns a text that is a CVE id and nothing more: "SUSE-CVE-2019-1"
// is the name of an exploit.
func exactly(id string) string {
	if strings.HasPrefix(strings.ToUpper(id), "CVE-") {
		return id
	}
	return ""
}

func describeVulnerability(one *finding, e map[string]string, cpe string) {
	what := "The script `vulners` lists a vulnerability of the software that the port answers with."
	if e["is_exploit"] == "true" {
		what = "The script `vulners` lists an exploit for the software that the port answers with."
	}
	one.text.Add(what).Fact("Id", e["id"]).Fact("Kind", e["type"]).Fact("CVSS", e["cvss"]).Fact("Software", cpe)
}

// componentOf reads the product and the version out of a CPE of version 2.2 or 2.3.
func componentOf(cpe string) (name, version string) {
	parts := strings.Split(strings.TrimPrefix(strings.TrimPrefix(cpe, "cpe:2.3:"), "cpe:/"), ":")
	if len(parts) > 2 {
		name = parts[2]
	}
	if len(parts) > 3 && parts[3] != "*" && parts[3] != "-" {
		version = parts[3]
	}
	return name, version
}
