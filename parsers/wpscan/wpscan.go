// Package wpscan reads the JSON report of WPScan, the WordPress scanner.
//
// Made by "wpscan --url https://example.org -f json -o wpscan.json --api-token …":
//
//	{"banner": {"version": "3.8.20"}, "start_time": 1642783425, "target_url": "https://example.org/",
//	 "interesting_findings": [{"url": "…", "to_s": "Headers", "type": "headers", "found_by": "…", "confidence": 100,
//	   "references": {"url": ["…"]}, "interesting_entries": ["Server: Apache"]}],
//	 "version": {"number": "4.7.6", "status": "insecure", "vulnerabilities": [{"title": "…", "fixed_in": "4.7.7",
//	   "references": {"cve": ["2017-8295"], "url": ["…"], "wpvulndb": ["b3f2f3db-…"]}}]},
//	 "main_theme": {"slug": "…", "version": {"number": "…"}, "vulnerabilities": []},
//	 "plugins": {"akismet": {"slug": "akismet", "location": "…", "confidence": 30, "version": null, "vulnerabilities": []}},
//	 "themes": {…}, "config_backups": {…}, "vuln_api": {…}}
//
// Without an API token nothing has vulnerabilities. A scan that ended early has
// "scan_aborted" with the reason.
package wpscan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads WPScan's JSON.
var Parsers = []parsers.Parser{{
	Name:     "wpscan",
	ScanType: "Wpscan",
	Files:    "JSON",
	Command:  "wpscan --url https://example.org -f json -o wpscan.json --api-token TOKEN",
	URL:      "https://github.com/wpscanteam/wpscan",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("banner", "target_url"), s.Has("interesting_findings", "target_url"):
		return parsers.Sure
	case s.Has("interesting_findings") || s.Has("scan_aborted"):
		return parsers.Likely
	}
	return parsers.No
}

type software struct {
	Slug            string                  `json:"slug"`
	Number          string                  `json:"number"`
	Location        string                  `json:"location"`
	FoundBy         string                  `json:"found_by"`
	Confidence      stream.Int              `json:"confidence"`
	Version         stream.Lenient[version] `json:"version"`
	Latest          stream.Text             `json:"latest_version"`
	Vulnerabilities []vulnerability         `json:"vulnerabilities"`
}

type version struct {
	Number     string     `json:"number"`
	Confidence stream.Int `json:"confidence"`
}

type vulnerability struct {
	Title      string      `json:"title"`
	FixedIn    stream.Text `json:"fixed_in"`
	References references  `json:"references"`
	CVSS       stream.Lenient[struct {
		Score  stream.Text `json:"score"`
		Vector string      `json:"vector"`
	}] `json:"cvss"`
}

type references map[string]stream.OneOrMany[stream.Text]

type interesting struct {
	URL        string                        `json:"url"`
	Title      string                        `json:"to_s"`
	Type       string                        `json:"type"`
	FoundBy    string                        `json:"found_by"`
	Confidence stream.Int                    `json:"confidence"`
	References references                    `json:"references"`
	Entries    stream.OneOrMany[stream.Text] `json:"interesting_entries"`
}

// report is what was read so far: the date may stand after what it dates.
type report struct {
	out   *parsers.Report
	list  []*gate.Observation
	byKey map[string]*gate.Observation

	themes map[string]bool // slugs of those under "themes", the main one perhaps among them
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "WPScan"
	r := report{out, nil, map[string]*gate.Observation{}, map[string]bool{}}
	seconds := func(at *time.Time) stream.Value {
		return stream.One(func(n stream.Int) error {
			if n.OK {
				*at = time.Unix(int64(n.N), 0).UTC()
			}
			return nil
		})
	}
	known := false
	var core, theme *software // after the plugins, which may have the same vulnerability
	whole := func(v stream.Value) stream.Value {
		return func(d *stream.Decoder) error { known = true; return v(d) }
	}
	err := stream.JSON(in, stream.Object(stream.Fields{
		"banner": stream.One(func(b stream.Lenient[struct {
			Version string `json:"version"`
		}],
		) error {
			run.Version = b.Value.Version
			return nil
		}),
		"target_url": whole(stream.Into(&run.Target)),
		"start_time": seconds(&run.StartedAt),
		"stop_time":  seconds(&run.FinishedAt),
		"scan_aborted": stream.One(func(why stream.Text) error {
			known = true
			out.Problem("the scan was aborted: %s", string(why))
			return nil
		}),
		"interesting_findings": whole(stream.Each(r.interesting)),
		"version":              stream.Into(&core),
		"main_theme":           stream.Into(&theme),
		"plugins":              r.installed("Plugin"),
		"themes":               r.installed("Theme"),
	}))
	if err != nil {
		return err
	}
	if !known {
		return stream.Errorf("it has none of WPScan's keys: no \"target_url\", no \"interesting_findings\"")
	}
	r.vulnerable("WordPress", core)
	if theme != nil && !r.themes[theme.Slug] {
		theme.Vulnerabilities = slices.DeleteFunc(theme.Vulnerabilities, func(v vulnerability) bool { return r.byKey[v.key()] != nil })
		r.vulnerable("Theme", theme)
	}
	for _, o := range r.list {
		o.Date = gate.DateOf(run.StartedAt)
		out.Emit(*o)
	}
	return nil
}

// installed reads an object of plugins or themes.
func (r *report) installed(kind string) stream.Value {
	return func(d *stream.Decoder) error {
		if d.PeekKind() != '{' {
			return d.SkipValue() // an empty list stands for none
		}
		return stream.Entries(func(slug string, d *stream.Decoder) error {
			return stream.One(func(s *software) error {
				if s != nil && s.Slug == "" {
					s.Slug = slug
				}
				if s != nil && kind == "Theme" {
					r.themes[s.Slug] = true
				}
				r.vulnerable(kind, s)
				return nil
			})(d)
		})(d)
	}
}

// vulnerable adds the vulnerabilities of WordPress, a plugin or a theme.
func (r *report) vulnerable(kind string, s *software) {
	if s == nil {
		return
	}
	if s.Slug != "" {
		r.out.Component(gate.Component{Name: s.Slug, Version: s.Version.Value.Number})
	} else if s.Number != "" {
		r.out.Component(gate.Component{Name: "wordpress", Version: s.Number})
	}
	for _, v := range s.Vulnerabilities {
		id, key := first(v.References["wpvulndb"]), v.key()
		if have := r.byKey[key]; have != nil && have.Occurrences != nil {
			*have.Occurrences++
			continue
		}
		o := v.observation(kind, s, id)
		r.byKey[key] = o
		r.list = append(r.list, o)
	}
}

// key is by what a vulnerability is known again: its id in WPScan's database.
func (v vulnerability) key() string { return parsers.First(first(v.References["wpvulndb"]), v.Title) }

func (v vulnerability) observation(kind string, s *software, id string) *gate.Observation {
	var text parsers.Text
	text.Add(v.Title).Fact(kind, strings.TrimSpace(parsers.First(s.Slug, s.Number)+" "+s.Version.Value.Number)).
		Fact("Location", s.Location).Fact("Latest version", string(s.Latest)).Fact("Found by", s.FoundBy).Fact("CVSS", v.CVSS.Value.Vector)
	o := &gate.Observation{
		Title:             v.Title,
		Severity:          gate.Medium, // WPScan rates nothing
		Description:       text.String(),
		References:        v.References.text(),
		CWE:               1035, // a component with known vulnerabilities
		UniqueID:          id,
		ComponentName:     s.Slug,
		ComponentVersion:  s.Version.Value.Number,
		Occurrences:       new(1),
		FixAvailable:      new(v.FixedIn != ""),
		Fix:               string(v.FixedIn),
		ScannerConfidence: confidence(s.Confidence),
	}
	if v.FixedIn != "" {
		o.Mitigation = "Update to version " + string(v.FixedIn) + " or later: fixed in " + string(v.FixedIn) + "."
	}
	for _, cve := range v.References["cve"] {
		o.VulnerabilityIDs = append(o.VulnerabilityIDs, "CVE-"+strings.TrimPrefix(string(cve), "CVE-"))
	}
	return o
}

func (r *report) interesting(i interesting) error {
	var text parsers.Text
	text.Add("WPScan found something that may be of interest.").Fact("Kind", i.Type).Fact("URL", i.URL).Fact("Found by", i.FoundBy)
	var entries []string
	for _, e := range i.Entries {
		entries = append(entries, string(e))
	}
	if len(entries) > 0 {
		text.Code("", strings.Join(entries, "\n"))
	}
	r.list = append(r.list, &gate.Observation{
		Title:             "Interesting finding: " + parsers.First(i.Title, i.URL),
		Severity:          gate.Info,
		Description:       text.String(),
		References:        i.References.text(),
		Check:             i.Type,
		Endpoints:         []string{parsers.Endpoint(i.URL)},
		ScannerConfidence: confidence(i.Confidence),
	})
	return nil
}

// confidence brings WPScan's 0 to 100 to DefectDojo's scale, where 1 is certain.
func confidence(n stream.Int) *int {
	if !n.OK {
		return nil
	}
	return new(max(1, 10-n.N/10))
}

// text lists the references by their kinds.
func (r references) text() string {
	var list []string
	for _, u := range r["url"] {
		list = append(list, "- "+string(u))
	}
	for _, id := range r["cve"] {
		list = append(list, "- https://nvd.nist.gov/vuln/detail/CVE-"+strings.TrimPrefix(string(id), "CVE-"))
	}
	for _, id := range r["wpvulndb"] {
		list = append(list, "- https://wpscan.com/vulnerability/"+string(id))
	}
	for _, id := range r["youtube"] {
		list = append(list, "- "+string(id))
	}
	for _, kind := range []string{"metasploit", "exploitdb", "packetstorm", "secunia"} {
		for _, id := range r[kind] {
			list = append(list, fmt.Sprintf("- %s: %s", kind, string(id)))
		}
	}
	return strings.Join(list, "\n")
}

func first(list []stream.Text) string {
	if len(list) == 0 {
		return ""
	}
	return string(list[0])
}
