// Package cyberwatch_galeax reads the export of Cyberwatch, the vulnerability
// manager, that Galeax's tool makes of its API.
//
// Made by Galeax's cyberwatch-defectdojo exporter. The report is one object:
//
//	{"cves": [{"cve_code": "CVE-2023-42366", "cve_score": 5.5, "cve_level": "level_medium",
//	   "cve_epss": 0.00044, "cvss_v3": "CVSS:3.1/…", "cwes": {"cwe_id": ["787"], "capecs": [], "attacks": []},
//	   "servers": [{"computer_name": "web-1", "active": true, "fixed_at": null, "ignored": false,
//	     "updates": [{"current": {"product": "busybox", "version": "1.36"}, "target": {"version": "1.37"}}]}],
//	   "updates_assets": {"busybox": {"assets": ["web-1"], "versions": ["1.36"]}}}],
//	 "security_issues": [{"id": 7, "sid": "…", "level": "level_high", "security_issue_title": "…",
//	   "security_issue_description": "…", "cve_announcements": [], "servers": […]}]}
//
// A CVE is one finding for each product that is named, by the exporter or by an
// update, and one without a product when none is. It is open while any server has it.
package cyberwatch_galeax

import (
	"maps"
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Galeax's export of Cyberwatch.
var Parsers = []parsers.Parser{{
	Name:     "cyberwatch_galeax",
	ScanType: "Cyberwatch scan (Galeax)",
	Files:    "JSON",
	Command:  "python3 cyberwatch_export.py --output cyberwatch.json",
	URL:      "https://cyberwatch.fr",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("cves", "security_issues"):
		return parsers.Sure
	case s.Has("cves[].cve_code"), s.Has("security_issues[].sid"):
		return parsers.Likely
	}
	return parsers.No
}

type cve struct {
	Code        stream.Text  `json:"cve_code"`
	Content     stream.Text  `json:"content"`
	Score       stream.Float `json:"cve_score"`
	Level       stream.Text  `json:"cve_level"`
	PublishedAt stream.Text  `json:"cve_published_at"`
	UpdatedAt   stream.Text  `json:"updated_at"`
	Maturity    stream.Text  `json:"exploit_code_maturity"`
	EPSS        stream.Float `json:"cve_epss"`
	V3          stream.Text  `json:"cvss_v3"`
	CWEs        stream.Lenient[struct {
		IDs     []stream.Text `json:"cwe_id"`
		CAPECs  []stream.Text `json:"capecs"`
		Attacks []stream.Text `json:"attacks"`
	}] `json:"cwes"`
	Servers  []server `json:"servers"`
	Products stream.Lenient[map[string]struct {
		Servers  []stream.Text `json:"assets"`
		Versions []stream.Text `json:"versions"`
	}] `json:"updates_assets"`
}

type issue struct {
	ID               stream.Text   `json:"id"`
	SID              stream.Text   `json:"sid"`
	Level            stream.Text   `json:"level"`
	Title            stream.Text   `json:"security_issue_title"`
	TitleOfAPI       stream.Text   `json:"title"`
	Description      stream.Text   `json:"security_issue_description"`
	DescriptionOfAPI stream.Text   `json:"description"`
	CVEs             []stream.Text `json:"cve_announcements"`
	Servers          []server      `json:"servers"`
}

type server struct {
	Active     stream.Text `json:"active"` // true, or "active" for a security issue
	FixedAt    stream.Text `json:"fixed_at"`
	DetectedAt stream.Text `json:"detected_at"`
	Ignored    bool        `json:"ignored"`
	Name       stream.Text `json:"computer_name"`
	System     stream.Text `json:"computer_os_name"`
	Status     stream.Text `json:"status"`
	Updates    []struct {
		Current stream.Lenient[product] `json:"current"`
		Target  stream.Lenient[product] `json:"target"`
	} `json:"updates"`
}

type product struct {
	Product stream.Text `json:"product"`
	Version stream.Text `json:"version"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Cyberwatch"
	return stream.JSON(in, stream.Object(stream.Fields{
		"cves": stream.Each(func(c cve) error {
			for _, a := range c.affected() {
				out.Emit(observation(c, a))
			}
			return nil
		}),
		"security_issues": stream.Each(func(i issue) error {
			out.Emit(ofIssue(i))
			return nil
		}),
	}, "cves", "security_issues"))
}

// affection is a product with the servers that have it.
type affection struct {
	current, target product
	servers         []server
}

// affected returns the products that the exporter names, with their servers, else
// those of the servers' updates.
func (c cve) affected() []*affection {
	if len(c.Products.Value) == 0 {
		return byUpdates(c.Servers)
	}
	names := map[string]server{}
	for _, s := range c.Servers {
		names[string(s.Name)] = s
	}
	var list []*affection
	for _, name := range slices.Sorted(maps.Keys(c.Products.Value)) {
		p := c.Products.Value[name]
		versions := stream.Strings(p.Versions)
		slices.Sort(versions)
		a := &affection{current: product{stream.Text(name), stream.Text(strings.Join(slices.Compact(versions), ", "))}}
		for _, n := range p.Servers {
			if s, ok := names[string(n)]; ok {
				a.servers = append(a.servers, s)
				a.target = s.target(name)
			}
		}
		list = append(list, a)
	}
	return list
}

// target returns what a product of a server is to be updated to, as far as it is said.
func (s server) target(name string) product {
	for _, u := range s.Updates {
		if string(u.Current.Value.Product) == name {
			return u.Target.Value
		}
	}
	return product{}
}

// byUpdates groups the servers by the product and version that is affected.
func byUpdates(servers []server) []*affection {
	var list []*affection
	byProduct := map[product]*affection{}
	add := func(s server, current, target product) {
		a := byProduct[current]
		if a == nil {
			a = &affection{current: current, target: target}
			byProduct[current] = a
			list = append(list, a)
		}
		if n := len(a.servers); n == 0 || a.servers[n-1].Name != s.Name {
			a.servers = append(a.servers, s)
		}
	}
	for _, s := range servers {
		if len(s.Updates) == 0 {
			add(s, product{}, product{})
		}
		for _, u := range s.Updates {
			add(s, u.Current.Value, u.Target.Value)
		}
	}
	if len(list) == 0 {
		list = append(list, &affection{})
	}
	return list
}

func observation(c cve, a *affection) gate.Observation {
	var text parsers.Text
	text.Add(string(c.Content)).
		Fact("CVSS vector", string(c.V3)).Fact("CVSS score", c.Score.String()).Fact("Published", string(c.PublishedAt)).
		Fact("Exploit code maturity", string(c.Maturity)).Fact("EPSS", c.EPSS.String())
	o := gate.Observation{
		Title:            string(c.Code),
		Severity:         level(string(c.Level)),
		VulnerabilityIDs: []string{string(c.Code)},
		EPSSScore:        c.EPSS.Ptr(),
		ComponentName:    string(a.current.Product),
		ComponentVersion: string(a.current.Version),
		PublishDate:      parsers.ParseDate(string(c.PublishedAt)),
	}
	if c.UpdatedAt != "" {
		o.References = "Updated at " + string(c.UpdatedAt)
	}
	if o.ComponentName != "" {
		o.Title += " on " + o.ComponentName
		o.Fix = string(a.target.Version)
		text.Fact("Product", strings.TrimSpace(o.ComponentName+" "+o.ComponentVersion)).Fact("Fixed in", o.Fix)
	}
	setWeaknesses(&o, &text, c)
	if v, ok := parsers.ParseCVSS(string(c.V3)); ok && v.Version[0] == '3' {
		parsers.SetCVSS(&o, v.Vector)
		o.Severity = gate.SeverityOfScore(v.Score)
	}
	setServers(&o, &text, a.servers)
	o.Description = text.String()
	return o
}

// setWeaknesses takes the first weakness as the main one; the others are its parents.
func setWeaknesses(o *gate.Observation, text *parsers.Text, c cve) {
	var names []string
	for _, id := range c.CWEs.Value.IDs {
		if n := gate.ParseCWE(string(id)); n > 0 {
			o.CWEs = append(o.CWEs, n)
			names = append(names, "CWE-"+strings.TrimPrefix(string(id), "CWE-"))
		}
	}
	if len(o.CWEs) > 0 {
		o.CWE = o.CWEs[0]
		text.Facts("Parent weaknesses", names[1:])
	}
	text.Facts("Attack patterns", stream.Strings(c.CWEs.Value.CAPECs)).Facts("MITRE ATT&CK techniques", stream.Strings(c.CWEs.Value.Attacks))
}

// setServers lists the servers, and closes the finding when it is fixed on all of them.
func setServers(o *gate.Observation, text *parsers.Text, servers []server) {
	open := len(servers) == 0
	var systems, fixed []string
	for _, s := range servers {
		o.Endpoints = append(o.Endpoints, parsers.Endpoint(string(s.Name)))
		systems = append(systems, string(s.System))
		switch {
		case s.open():
			open = open || !s.Ignored
		case s.FixedAt != "":
			fixed = append(fixed, string(s.Name)+" on "+string(s.FixedAt))
			if t := parsers.ParseTime(string(s.FixedAt)); t.After(o.MitigatedAt) {
				o.MitigatedAt = t
			}
		}
	}
	text.Facts("Operating systems", systems).Facts("Fixed", fixed)
	if len(fixed) > 0 {
		o.Mitigation = "Fixed at " + o.MitigatedAt.Format("2006-01-02T15:04:05Z07:00")
	} else if o.Fix != "" {
		o.Mitigation = "Update " + o.ComponentName + " to " + o.Fix
	}
	if !open {
		o.Active = new(false)
	} else {
		o.MitigatedAt = gate.Observation{}.MitigatedAt
	}
}

// open tells whether a server still has it; one that does not say has it until it
// is fixed.
func (s server) open() bool {
	if a := firstOf(s.Active, s.Status); a != "" {
		return a == "true" || a == "active"
	}
	return s.FixedAt == ""
}

func firstOf(a, b stream.Text) string { return strings.ToLower(parsers.First(string(a), string(b))) }

func ofIssue(i issue) gate.Observation {
	var text parsers.Text
	text.Add(parsers.First(string(i.Description), string(i.DescriptionOfAPI))).Fact("Security issue", string(i.SID))
	o := gate.Observation{
		Title:            "Security Issue - " + parsers.First(string(i.Title), string(i.TitleOfAPI), string(i.SID)),
		UniqueID:         string(i.ID),
		References:       parsers.Lines(stream.Strings(i.CVEs)...),
		Severity:         level(string(i.Level)),
		VulnerabilityIDs: stream.Strings(i.CVEs),
		Check:            string(i.SID),
	}
	setServers(&o, &text, i.Servers)
	o.Description = text.String()
	return o
}

func level(s string) gate.Severity { return gate.ParseSeverity(strings.TrimPrefix(s, "level_")) }
