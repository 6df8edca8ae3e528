// Package appcheck_web_application_scanner reads the JSON export of AppCheck.
//
// Made by the export of a scan's results:
//
//	{"items": [{"_id": "…", "title": "FTP Unencrypted Cleartext Login", "priority": "3.0-medium", "description": "…", "solution": "…",
//	   "details": {"Impact": "…", "Technical Details": "…", "Messages": "request and response"}, "cves": [], "cpe": [],
//	   "cvss_v3_vector": "CVSS:3.0/…", "first_detected_at": "…", "host": "192.0.2.1", "port": 21, "url": "https://…",
//	   "meta": {"scanning_engine": {"name": "OpenVASScanner"}}, "status": "unfixed"}], "hosts": []}
//
// Texts may begin with "[[markup]]" and hold marks as "[[code:…]]". "_meta" is
// the order of keys. An item that says the same as one before counts once.
package appcheck_web_application_scanner

import (
	"hash/maphash"
	"regexp"
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads AppCheck's JSON.
var Parsers = []parsers.Parser{{
	Name:     "appcheck_web_application_scanner",
	ScanType: "AppCheck Web Application Scanner",
	Files:    "JSON",
	Command:  "AppCheck: a scan's results, exported as JSON",
	URL:      "https://appcheck-ng.com/",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("items[].mss_confirmed"), s.Has("items[].results_set_id"), s.Has("items[].first_detected_at", "items[].priority"):
		return parsers.Sure
	case s.Has("items[]", "hosts[]"):
		return parsers.Likely
	}
	return parsers.No
}

type item struct {
	ID          stream.Text                   `json:"_id"`
	Title       stream.Text                   `json:"title"`
	Priority    stream.Text                   `json:"priority"`
	Description stream.Text                   `json:"description"`
	Solution    stream.Text                   `json:"solution"`
	Details     map[string]stream.Text        `json:"details"`
	Status      stream.Text                   `json:"status"`
	First       stream.Text                   `json:"first_detected_at"`
	Last        stream.Text                   `json:"last_detected_at"`
	CVEs        stream.OneOrMany[stream.Text] `json:"cves"`
	CPE         stream.OneOrMany[stream.Text] `json:"cpe"`
	OWASP       stream.OneOrMany[stream.Text] `json:"OWASP"`
	Vector      stream.Text                   `json:"cvss_v3_vector"`
	Vector2     stream.Text                   `json:"cvss_vector"`
	Vector4     stream.Text                   `json:"cvss_v4_vector"`
	EPSS        stream.Float                  `json:"epss_base_score"`
	URL         stream.Text                   `json:"url"`
	Host        stream.Text                   `json:"host"`
	IP          stream.Text                   `json:"ipv4_address"`
	Port        stream.Text                   `json:"port"`
	Notes       stream.Text                   `json:"notes"`
	Meta        stream.Lenient[struct {
		Engine struct {
			Name stream.Text `json:"name"`
		} `json:"scanning_engine"`
		Ports []stream.Lenient[[]stream.Text] `json:"port_table"` // of its engine for Nmap: number, protocol, state …
	}] `json:"meta"` // an empty array where there is none
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "AppCheck"
	seed, seen := maphash.MakeSeed(), map[uint64]bool{}
	return stream.JSON(in, stream.Object(stream.Fields{"items": stream.Each(func(i item) error {
		o := i.observation()
		key := maphash.String(seed, o.UniqueID+"\x00"+o.Title+"\x00"+o.Description+"\x00"+o.StepsToReproduce+strings.Join(o.Endpoints, " "))
		if !seen[key] {
			seen[key] = true
			out.Emit(o)
		}
		return nil
	})}, "items"))
}

func (i item) observation() gate.Observation {
	_, severity, _ := strings.Cut(string(i.Priority), "-")
	o := gate.Observation{
		Title:       plain(i.Title),
		Severity:    gate.ParseSeverity(severity),
		Description: i.describe(),
		Mitigation:  plain(i.Solution),
		UniqueID:    string(i.ID),
		Check:       string(i.Title),
		Date:        parsers.ParseDate(string(i.First)),
	}
	if messages := strings.TrimSpace(string(i.Details["Messages"])); messages != "" {
		var steps parsers.Text
		o.StepsToReproduce = steps.Add("These messages show it:").Code("http", messages).String()
	}
	for _, c := range i.CVEs {
		o.VulnerabilityIDs = append(o.VulnerabilityIDs, string(c))
	}
	if parts := i.cpe(); len(parts) > 4 {
		o.ComponentName = parts[4]
		if len(parts) > 5 {
			o.ComponentVersion = parts[5]
		}
	}
	o.Endpoints = i.endpoints()
	parsers.SetCVSS(&o, string(i.Vector))
	if o.CVSSv3Score != nil && *o.CVSSv3Score == 0 {
		o.CVSSv3Score = nil
	}
	return o
}

// endpoints are the item's place, or the open ports that Nmap found.
func (i item) endpoints() []string {
	host := parsers.First(string(i.Host), string(i.IP))
	var list []string
	for _, row := range i.Meta.Value.Ports {
		if len(row.Value) > 0 && i.Meta.Value.Engine.Name == "NMapScanner" {
			list = append(list, parsers.HostPort("", host, string(row.Value[0])))
		}
	}
	if len(list) > 0 {
		return list
	}
	if e := parsers.Endpoint(string(i.URL)); e != "" {
		return []string{e}
	}
	if e := parsers.HostPort("", host, string(i.Port)); e != "" {
		return []string{e}
	}
	return nil
}

// cpe returns the parts of the first CPE name, as version 2.3 has them.
func (i item) cpe() []string {
	if len(i.CPE) == 0 {
		return nil
	}
	s := string(i.CPE[0])
	if rest, ok := strings.CutPrefix(s, "cpe:/"); ok {
		s = "cpe:2.3:" + rest
	}
	return strings.Split(s, ":")
}

func (i item) describe() string {
	var text parsers.Text
	text.Add(plain(i.Description))
	var names []string
	for name := range i.Details {
		if name != "_meta" && name != "Messages" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if v := plain(i.Details[name]); strings.Contains(v, "\n") {
			text.Section(name, v)
		} else {
			text.Fact(name, v)
		}
	}
	var owasp []string
	for _, s := range i.OWASP {
		owasp = append(owasp, string(s))
	}
	return text.Fact("Scanning engine", string(i.Meta.Value.Engine.Name)).Facts("OWASP", owasp).Fact("CVSS 2", string(i.Vector2)).Fact("CVSS 4", string(i.Vector4)).Fact("Status", string(i.Status)).Fact("Last seen", string(i.Last)).Fact("Notes", string(i.Notes)).String()
}

// marks finds AppCheck's own markup, "[[code:…]]".
var marks = regexp.MustCompile(`\[\[([a-z]+):?([^\]]*)\]\]`)

// plain makes AppCheck's markup Markdown.
func plain(t stream.Text) string {
	s := strings.TrimPrefix(string(t), "[[markup]]")
	s = marks.ReplaceAllStringFunc(s, func(m string) string {
		p := marks.FindStringSubmatch(m)
		switch {
		case p[2] == "":
			return ""
		case p[1] == "code":
			return "`" + p[2] + "`"
		}
		return p[2]
	})
	return strings.TrimSpace(strings.NewReplacer("\r\n", "\n", "[[", "", "]]", "").Replace(s))
}
