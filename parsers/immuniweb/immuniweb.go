// Package immuniweb reads ImmuniWeb's reports: vulnerabilities of a test as XML,
// and what its Discovery says of an attack surface as JSON.
//
// Both are exports of the portal:
//
//	<Vulnerabilities><Vulnerability><ID>6507875/467621776</ID><Name>Code Injection in /a</Name><Date>2019-05-24 12:27:24</Date><Status>new</Status>
//	  <Type>Code Injection</Type><CWE-ID>CWE-94</CWE-ID><CVE-ID></CVE-ID><CVSSv3>9.8 [CVSS:3.0/…]</CVSSv3><Risk>CRITICAL</Risk><URL>https://…</URL>
//	  <Description>…</Description><PoC>…</PoC><Remediation>…</Remediation></Vulnerability></Vulnerabilities>
//
//	{"domains": [{"id": "1", "type": "Domain", "name": "example.org", "discovered": "2021-10-30 23:59:36", "tag": "", "link": "…", "remediations": ["…"]}],
//	 "webapps": […], "mobileapps": […], "cloud": […], "network": […], "repositories": […], "incidents": [{…, "leak_name": "…"}]}
//
// Of the JSON, each remediation of an asset is a finding; there is no severity.
package immuniweb

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads ImmuniWeb's reports.
var Parsers = []parsers.Parser{{
	Name:     "immuniweb",
	ScanType: "Immuniweb Scan",
	Files:    "XML or JSON",
	Command:  "ImmuniWeb's portal: export as XML, or of Discovery as JSON",
	URL:      "https://www.immuniweb.com/",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Elements["Vulnerabilities/Vulnerability/PoC"], s.Has("domains", "webapps", "mobileapps"):
		return parsers.Sure
	case s.Root == "Vulnerabilities":
		return parsers.Likely
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "ImmuniWeb"
	b := make([]byte, 512)
	n, _ := in.Read(b)
	if err := in.Rewind(); err != nil {
		return err
	}
	if strings.HasPrefix(strings.TrimSpace(string(b[:n])), "{") {
		return parseJSON(in, out)
	}
	return stream.XML(in, []string{"Vulnerabilities"}, stream.Elements{
		"Vulnerabilities/Vulnerability": stream.Record(func(n *stream.Node) error {
			out.Emit(vulnerability(n))
			return nil
		}),
	})
}

func vulnerability(n *stream.Node) gate.Observation {
	var text parsers.Text
	text.Add(n.Get("Description")).Fact("Type", n.Get("Type")).Fact("Status", n.Get("Status")).Fact("Date", n.Get("Date")).Fact("CVSS", n.Get("CVSSv3")).Fact("Place", n.Get("URL"))
	o := gate.Observation{
		Title:            n.Get("Name"),
		Severity:         risk(n.Get("Risk")),
		Description:      text.String(),
		Mitigation:       parsers.First(n.Get("Remediation"), "The report says nothing about it."),
		Impact:           parsers.First(n.Get("Impact"), "The report does not tell the impact apart from the rest."),
		StepsToReproduce: n.Get("PoC"),
		References:       n.Get("ID"),
		Check:            n.Get("Type"),
		CWE:              gate.ParseCWE(n.Get("CWE-ID")),
		VulnerabilityIDs: parsers.CVEs(n.Get("CVE-ID")),
	}
	if e := parsers.Endpoint(n.Get("URL")); e != "" {
		o.Endpoints = []string{e}
	}
	return o
}

// risk reads ImmuniWeb's words, whose least is Warning.
func risk(word string) gate.Severity {
	if strings.EqualFold(word, "Warning") {
		return gate.Info
	}
	return gate.ParseSeverity(word)
}

// sections are the lists of the JSON.
var sections = map[string]bool{"domains": true, "webapps": true, "mobileapps": true, "cloud": true, "network": true, "repositories": true, "incidents": true}

func parseJSON(in *stream.Input, out *parsers.Report) error {
	known := false
	err := stream.JSON(in, stream.Entries(func(key string, d *stream.Decoder) error {
		if !sections[key] {
			return stream.Skip(d)
		}
		known = true
		return stream.Each(func(a asset) error {
			for _, r := range a.Remediations {
				out.Emit(a.observation(string(r)))
			}
			return nil
		})(d)
	}))
	if err == nil && !known {
		err = stream.Errorf(`there is no list as "domains" or "webapps": this is not ImmuniWeb's report`)
	}
	return err
}

type asset struct {
	ID           stream.Text                   `json:"id"`
	Section      stream.Text                   `json:"section"`
	Type         stream.Text                   `json:"type"`
	Name         stream.Text                   `json:"name"`
	Leak         stream.Text                   `json:"leak_name"`
	Discovered   stream.Text                   `json:"discovered"`
	Updated      stream.Text                   `json:"lastupdatedt"`
	Group        stream.Text                   `json:"group"`
	Tag          stream.Text                   `json:"tag"`
	Link         stream.Text                   `json:"link"`
	IP           stream.Text                   `json:"ip"`
	DNS          stream.Text                   `json:"dns_configuration"`
	Registrar    stream.Text                   `json:"domain_registrar"`
	Expires      stream.Text                   `json:"domain_expiration"`
	Software     stream.Text                   `json:"software"`
	Fingerprint  stream.Text                   `json:"fingerprinted_software"`
	Availability stream.Text                   `json:"availability"`
	Ports        stream.Text                   `json:"ports"`
	Data         stream.Text                   `json:"data"`
	Remediations stream.OneOrMany[stream.Text] `json:"remediations"`
	Examples     stream.Lenient[[]struct {
		Login    stream.Text `json:"login"`
		Password stream.Text `json:"password"`
	}] `json:"examples"`
}

func (a asset) observation(remediation string) gate.Observation {
	advice := parsers.Markdown(remediation)
	var text parsers.Text
	text.Add(advice).Fact("Asset", string(a.Name)).Fact("Type", string(a.Type)).Fact("Section", string(a.Section)).Fact("ImmuniWeb's number", string(a.ID)).Fact("Group", string(a.Group)).Fact("Link", string(a.Link)).Fact("Address", string(a.IP))
	text.Fact("Discovered", string(a.Discovered)).Fact("Last updated", string(a.Updated)).Fact("Registrar", string(a.Registrar)).Fact("Expires", string(a.Expires)).Fact("Leak", string(a.Leak))
	for _, f := range []struct {
		name string
		json stream.Text
	}{{"DNS", a.DNS}, {"Software", a.Software}, {"Fingerprinted software", a.Fingerprint}, {"Availability", a.Availability}, {"Ports", a.Ports}, {"Details", a.Data}} {
		if len(f.json) > 2 { // neither [] nor {}
			text.Add("**"+f.name+":**").Code("json", string(f.json))
		}
	}
	var logins []string
	for _, e := range a.Examples.Value {
		logins = append(logins, string(e.Login)+" "+parsers.Mask(string(e.Password)))
	}
	if len(logins) > 0 {
		text.Add("Examples:").List(logins)
	}
	o := gate.Observation{
		Title:       string(a.Type) + ": " + string(a.Name),
		Severity:    gate.Info,
		Description: text.String(),
		Mitigation:  advice,
		Check:       string(a.Type),
		Date:        parsers.ParseDate(string(a.Discovered)),
	}
	if link := string(a.Link); link != "" {
		if !strings.Contains(link, "://") {
			link = "https://" + link
		}
		o.Endpoints = []string{parsers.Endpoint(link)}
	}
	if a.Leak != "" {
		o.Title += " - " + string(a.Leak)
	}
	if a.Tag != "" {
		o.Tags = []string{string(a.Tag)}
	}
	return o
}
