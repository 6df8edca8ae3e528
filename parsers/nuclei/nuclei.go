// Package nuclei reads the JSON of Nuclei, the template-driven scanner.
//
// Made by "nuclei -u https://example.org -jsonl -o nuclei.jsonl", one match a
// line, or with "-json-export nuclei.json" as one array. Nothing found is an
// empty file.
//
//	{"template-id": "git-config", "template-url": "https://…", "info": {"name": "Git Configuration - Detect",
//	   "author": ["pdteam"], "tags": ["config", "git"], "description": "…", "impact": "…", "remediation": "…",
//	   "reference": ["https://…"], "severity": "medium", "classification": {"cve-id": null, "cwe-id": ["cwe-200"],
//	   "cvss-metrics": "CVSS:3.1/…", "cvss-score": 5.3, "epss-score": 0.1, "cpe": "…"}},
//	 "matcher-name": "x", "type": "http", "host": "https://example.org", "matched-at": "https://example.org/.git/config",
//	 "extracted-results": ["…"], "request": "GET …", "response": "HTTP/1.1 …", "curl-command": "curl …",
//	 "ip": "192.0.2.7", "timestamp": "2023-03-13T…", "matcher-status": true}
//
// Version 1 wrote templateID, matched, matcher_name and extracted_results, and
// lists as one text with commas. The same match on several ports of a host is
// one finding.
package nuclei

import (
	"net/url"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Nuclei's JSON.
var Parsers = []parsers.Parser{{
	Name:     "nuclei",
	ScanType: "Nuclei Scan",
	Files:    "JSON or JSON lines",
	Command:  "nuclei -u https://example.org -jsonl -o nuclei.jsonl",
	URL:      "https://docs.projectdiscovery.io/tools/nuclei/overview",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("template-id", "info", "matched-at"), s.Has("[].template-id", "[].info", "[].matched-at"), s.Has("templateID", "info", "matched"), s.Has("template-id", "matcher-status"), s.Has("[].template-id", "[].matcher-status"):
		return parsers.Sure
	case s.Has("template-id", "info"), s.Has("[].template-id", "[].info"):
		return parsers.Likely
	}
	return parsers.No
}

type match struct {
	TemplateID    string                        `json:"template-id"`
	OldTemplateID string                        `json:"templateID"`
	TemplateURL   string                        `json:"template-url"`
	Info          *info                         `json:"info"`
	Matcher       stream.Text                   `json:"matcher-name"`
	OldMatcher    stream.Text                   `json:"matcher_name"`
	Type          string                        `json:"type"`
	Host          stream.Text                   `json:"host"`
	URL           string                        `json:"url"`
	MatchedAt     string                        `json:"matched-at"`
	Matched       string                        `json:"matched"`
	Extracted     stream.OneOrMany[stream.Text] `json:"extracted-results"`
	OldExtracted  stream.OneOrMany[stream.Text] `json:"extracted_results"`
	Request       string                        `json:"request"`
	Response      string                        `json:"response"`
	Curl          string                        `json:"curl-command"`
	IP            stream.Text                   `json:"ip"`
	Timestamp     stream.Text                   `json:"timestamp"`
}

type info struct {
	Name           string                         `json:"name"`
	Tags           stream.OneOrMany[stream.Text]  `json:"tags"`
	Author         stream.OneOrMany[stream.Text]  `json:"author"`
	Description    string                         `json:"description"`
	Impact         string                         `json:"impact"`
	Remediation    string                         `json:"remediation"`
	Reference      stream.OneOrMany[stream.Text]  `json:"reference"`
	Severity       string                         `json:"severity"`
	Classification stream.Lenient[classification] `json:"classification"`
}

type classification struct {
	CVE        stream.OneOrMany[stream.Text] `json:"cve-id"`
	CWE        stream.OneOrMany[stream.Text] `json:"cwe-id"`
	CVSS       stream.Text                   `json:"cvss-metrics"`
	Score      stream.Float                  `json:"cvss-score"`
	EPSS       stream.Text                   `json:"epss-score"`
	Percentile stream.Text                   `json:"epss-percentile"`
	CPE        stream.Text                   `json:"cpe"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Nuclei"
	merged := parsers.Merge(out)
	add := func(m match) error {
		id := parsers.First(m.TemplateID, m.OldTemplateID)
		if id == "" || m.Info == nil {
			return stream.Errorf("a match has no \"template-id\" or no \"info\"")
		}
		place := parsers.First(m.MatchedAt, m.Matched, m.URL, string(m.Host))
		endpoint := parsers.Endpoint(place)
		key := strings.Join([]string{id, m.Type, m.matcher(), hostOf(endpoint)}, "\x00")
		o, isNew := merged.At(key, func() *gate.Observation { return m.observation(id, place) })
		if !isNew {
			*o.Occurrences++
		}
		o.Endpoints = append(o.Endpoints, endpoint)
		return nil
	}
	err := stream.JSONs(in, stream.ByKind(stream.Kinds{'[': stream.Each(add), '{': stream.One(add)}))
	if err != nil {
		return err
	}
	merged.Emit()
	return nil
}

// hostOf returns the host of an endpoint without its port.
func hostOf(endpoint string) string {
	if !strings.Contains(endpoint, "://") {
		endpoint = "//" + endpoint
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		return endpoint
	}
	return u.Hostname()
}

func (m match) matcher() string { return parsers.First(string(m.Matcher), string(m.OldMatcher)) }

func (m match) observation(id, place string) *gate.Observation {
	class := m.Info.Classification.Value
	o := &gate.Observation{
		Title:            m.Info.Name,
		Severity:         gate.ParseSeverity(m.Info.Severity),
		Description:      m.text(place),
		Impact:           m.Info.Impact,
		Mitigation:       m.Info.Remediation,
		References:       strings.Join(texts(m.Info.Reference), "\n"),
		StepsToReproduce: m.steps(),
		RuleID:           id,
		ComponentName:    m.matcher(),
		URL:              m.TemplateURL,
		Tags:             words(m.Info.Tags),
		Date:             parsers.ParseDate(string(m.Timestamp)),
		Occurrences:      new(1),
	}
	for _, id := range words(class.CVE) {
		o.VulnerabilityIDs = append(o.VulnerabilityIDs, strings.ToUpper(id))
	}
	parsers.SetCWEs(o, words(class.CWE)...)
	parsers.SetCVSS(o, string(class.CVSS))
	if o.CVSSv3Score != nil && *o.CVSSv3Score == 0 {
		o.CVSSv3Score = nil
	}
	if o.CVSSv3Score == nil && class.Score.OK && class.Score.F > 0 && o.CVSSv4 == "" {
		o.CVSSv3Score = class.Score.Ptr()
	}
	return o
}

func (m match) text(place string) string {
	var text parsers.Text
	text.Add(m.Info.Description)
	if found := append(texts(m.Extracted), texts(m.OldExtracted)...); len(found) > 0 {
		text.Add("**Found:**").Code("", strings.Join(found, "\n"))
	}
	class := m.Info.Classification.Value
	return text.Fact("Place", place).Fact("Address", string(m.IP)).Fact("Protocol", m.Type).Fact("Matcher", m.matcher()).
		Fact("EPSS score", string(class.EPSS)).Fact("EPSS percentile", string(class.Percentile)).Fact("CPE", string(class.CPE)).
		Facts("Template by", texts(m.Info.Author)).String()
}

// maxMessage is how much of an HTTP message is shown.
const maxMessage = 8 << 10

func (m match) steps() string {
	var text parsers.Text
	if m.Curl != "" {
		text.Add("Send the request again:").Code("sh", m.Curl)
	}
	if m.Request != "" {
		text.Add("The request:").Code("http", m.Request[:min(len(m.Request), maxMessage)])
	}
	if m.Response != "" {
		text.Add("The response:").Code("http", m.Response[:min(len(m.Response), maxMessage)])
	}
	return text.String()
}

func texts(list []stream.Text) []string {
	var out []string
	for _, t := range list {
		if t != "" {
			out = append(out, string(t))
		}
	}
	return out
}

// words returns a list that may stand as one text with commas.
func words(list []stream.Text) []string {
	var out []string
	for _, t := range list {
		for w := range strings.SplitSeq(string(t), ",") {
			if w = strings.TrimSpace(w); w != "" {
				out = append(out, w)
			}
		}
	}
	return out
}
