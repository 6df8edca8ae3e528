// Package cyberwatch_galeax reads the export of Cyberwatch, the vulnerability
// manager, that Galeax's tool makes of its API.
//
// Made by Galeax's cyberwatch-defectdojo exporter. The report is one object:
//
//	{"cves": [{"cve_code": "CVE-2023-42366", "cve_score": 5.5, "cve_level": "level_medium",
//	   "cve_epss": 0.00044, "cvss_v3": "CVSS:3.1/…", "cwes": {"cwe_id": ["787"], "capecs": [], "attacks": []},
//	   "servers": [{"computer_name": "web-1", "active": true, "fixed_at": null, "ignored": false,
//	     "updates": [{"current": {"product": "busybox", "version": "1.36"}, "target": {"version": "1.37"}}]}]}],
//	 "security_issues": [{"sid": "…", "level": "level_high", "title": "…", "description": "…", "servers": […]}]}
//
// A CVE is one finding for each product that an update names, and one without a
// product when none is named. It is open while any server has it.
package cyberwatch_galeax

import (
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
	Servers []server `json:"servers"`
}

type issue struct {
	ID          stream.Text   `json:"id"`
	SID         stream.Text   `json:"sid"`
	Level       stream.Text   `json:"level"`
	Title       stream.Text   `json:"title"`
	Description stream.Text   `json:"description"`
	CVEs        []stream.Text `json:"cve_announcements"`
	Servers     []server      `json:"servers"`
}

type server struct {
	Active     *bool       `json:"active"`
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
			for _, a := range affected(c.Servers) {
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

// affected groups the servers by the product and version that is affected.
func affected(servers []server) []*affection {
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
		o.Title += " - " + o.ComponentName
		o.FixVersion = string(a.target.Version)
		o.FixAvailable = new(o.FixVersion != "")
		text.Fact("Product", strings.TrimSpace(o.ComponentName+" "+o.ComponentVersion)).Fact("Fixed in", o.FixVersion)
	}
	setWeaknesses(&o, &text, c)
	parsers.SetCVSS(&o, string(c.V3))
	if o.CVSSv3 != "" && c.Score.OK {
		o.CVSSv3Score = c.Score.Ptr()
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
		case s.Active == nil && s.FixedAt == "" || s.Active != nil && *s.Active:
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
	} else if o.FixVersion != "" {
		o.Mitigation = "Update " + o.ComponentName + " to " + o.FixVersion
	}
	if !open {
		o.Active = new(false)
	} else {
		o.MitigatedAt = gate.Observation{}.MitigatedAt
	}
}

func ofIssue(i issue) gate.Observation {
	var text parsers.Text
	text.Add(string(i.Description)).Fact("Security issue", string(i.SID))
	o := gate.Observation{
		Title:            parsers.First(string(i.Title), string(i.SID)),
		Severity:         level(string(i.Level)),
		VulnerabilityIDs: stream.Strings(i.CVEs),
		Check:            string(i.SID),
	}
	setServers(&o, &text, i.Servers)
	o.Description = text.String()
	return o
}

func level(s string) gate.Severity { return gate.ParseSeverity(strings.TrimPrefix(s, "level_")) }
