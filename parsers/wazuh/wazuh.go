// Package wazuh reads the vulnerabilities that Wazuh found on its agents.
//
// Up to version 4.7 they come from the manager's API, "GET /vulnerability/AGENT":
//
//	{"data": {"affected_items": [{"name": "curl", "version": "7.88", "cve": "CVE-…", "cvss3_score": 6.5, "severity": "Medium",
//	   "title": "CVE-… affects curl", "condition": "Package less than 8", "detection_time": "…", "published": "2023-12-07",
//	   "external_references": ["…"], "agent_name": "web1", "agent_ip": "192.0.2.1"}], "total_affected_items": 1}, "error": 0}
//
// and from 4.8 on from the indexer, "GET /wazuh-states-vulnerabilities-*/_search":
//
//	{"hits": {"hits": [{"_source": {"agent": {"id": "001", "name": "web1"}, "package": {"name": "curl", "version": "7.88", "type": "deb"},
//	   "vulnerability": {"id": "CVE-…", "severity": "High", "description": "…", "score": {"base": 9.1}, "detected_at": "…", "reference": "…"}}}]}}
//
// As DefectDojo does, we leave out what the old form marks as "Package unfixed"
// or has no severity for.
package wazuh

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Wazuh's JSON.
var Parsers = []parsers.Parser{{
	Name:     "wazuh",
	ScanType: "Wazuh",
	Files:    "JSON",
	Command:  "curl -u NAME:PASSWORD 'https://indexer:9200/wazuh-states-vulnerabilities-*/_search?size=10000' -o wazuh.json",
	URL:      "https://documentation.wazuh.com/current/user-manual/capabilities/vulnerability-detection/",
	Analysis: gate.Both,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("data.affected_items[]", "data.total_affected_items"):
		return parsers.Sure
	case s.Has("hits.hits[]._source.vulnerability.id"), strings.Contains(s.Value("hits.hits[]._index"), "wazuh"):
		return parsers.Sure
	case s.Has("hits.hits[]"):
		return parsers.Possible
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Wazuh"
	seen := false
	err := stream.JSON(in, stream.Object(stream.Fields{
		"data": stream.Object(stream.Fields{
			"affected_items": func(d *stream.Decoder) error {
				seen = true
				return stream.Each(func(i item) error {
					if i.counts() {
						out.Emit(i.observation())
					}
					return nil
				})(d)
			},
			"failed_items": stream.Each(func(f struct {
				Error struct {
					Message stream.Text `json:"message"`
				} `json:"error"`
				ID stream.OneOrMany[stream.Text] `json:"id"`
			},
			) error {
				out.Problem("agents %v: %s", f.ID, f.Error.Message)
				return nil
			}),
		}),
		"hits": stream.Object(stream.Fields{"hits": func(d *stream.Decoder) error {
			seen = true
			return stream.Each(func(h hit) error {
				run.Version = parsers.First(run.Version, strings.TrimPrefix(string(h.Source.Agent.Version), "v"))
				out.Emit(h.Source.observation())
				return nil
			})(d)
		}}),
	}))
	if err == nil && !seen {
		err = stream.Errorf(`there is neither "data" with "affected_items" nor "hits": this is not Wazuh's answer`)
	}
	return err
}

// item is a vulnerability of the API up to version 4.7.
type item struct {
	Name       stream.Text                   `json:"name"`
	Version    stream.Text                   `json:"version"`
	CVE        stream.Text                   `json:"cve"`
	Score      stream.Float                  `json:"cvss3_score"`
	Severity   stream.Text                   `json:"severity"`
	Title      stream.Text                   `json:"title"`
	Condition  stream.Text                   `json:"condition"`
	Status     stream.Text                   `json:"status"`
	Detected   stream.Text                   `json:"detection_time"`
	Published  stream.Text                   `json:"published"`
	Updated    stream.Text                   `json:"updated"`
	Arch       stream.Text                   `json:"architecture"`
	References stream.OneOrMany[stream.Text] `json:"external_references"`
	AgentName  stream.Text                   `json:"agent_name"`
	AgentIP    stream.Text                   `json:"agent_ip"`
}

func (i item) counts() bool {
	_, rated := gate.SeverityOf(string(i.Severity))
	return rated && !strings.EqualFold(string(i.Condition), "Package unfixed")
}

func (i item) observation() gate.Observation {
	title := string(i.Title) + " (version: " + string(i.Version) + ")"
	agent := parsers.First(string(i.AgentName), string(i.AgentIP))
	sum := sha256.Sum256([]byte(title + string(i.CVE) + agent + string(i.Name) + string(i.Version)))
	var references []string
	for _, r := range i.References {
		references = append(references, string(r))
	}
	var text parsers.Text
	text.Add(string(i.Condition)).Fact("Package", string(i.Name+" "+i.Version)).Fact("Architecture", string(i.Arch)).Fact("Agent", string(i.AgentName)).Fact("Address", string(i.AgentIP))
	text.Fact("Published", string(i.Published)).Fact("Updated", string(i.Updated))
	o := gate.Observation{
		Title:            title,
		Severity:         gate.ParseSeverity(string(i.Severity)),
		Description:      text.String(),
		References:       parsers.Lines(references...),
		VulnerabilityIDs: []string{string(i.CVE)},
		Check:            string(i.CVE),
		UniqueID:         hex.EncodeToString(sum[:]),
		ComponentName:    string(i.Name),
		ComponentVersion: string(i.Version),
		CVSSv3Score:      i.Score.Ptr(),
		Date:             parsers.ParseDate(string(i.Detected)),
		PublishDate:      parsers.ParseDate(string(i.Published)),
	}
	if agent != "" {
		o.Endpoints = []string{parsers.HostPort("", agent, "")}
	}
	if fixed, ok := strings.CutPrefix(string(i.Condition), "Package less than "); ok {
		o.Mitigation = "Update " + string(i.Name) + " to version " + fixed + " or later."
	}
	return o
}

// hit is a document of the indexer, from version 4.8 on.
type hit struct {
	Source document `json:"_source"`
}

type document struct {
	Agent struct {
		ID      stream.Text `json:"id"`
		Name    stream.Text `json:"name"`
		Version stream.Text `json:"version"`
	} `json:"agent"`
	Host struct {
		OS struct {
			Full stream.Text `json:"full"`
		} `json:"os"`
	} `json:"host"`
	Package struct {
		Name    stream.Text `json:"name"`
		Version stream.Text `json:"version"`
		Type    stream.Text `json:"type"`
		Arch    stream.Text `json:"architecture"`
		Path    stream.Text `json:"path"`
	} `json:"package"`
	Vulnerability struct {
		ID          stream.Text `json:"id"`
		Description stream.Text `json:"description"`
		Severity    stream.Text `json:"severity"`
		Detected    stream.Text `json:"detected_at"`
		Published   stream.Text `json:"published_at"`
		Reference   stream.Text `json:"reference"`
		Score       struct {
			Base stream.Float `json:"base"`
		} `json:"score"`
		Scanner struct {
			Condition stream.Text `json:"condition"`
			Source    stream.Text `json:"source"`
			Reference stream.Text `json:"reference"`
		} `json:"scanner"`
	} `json:"vulnerability"`
}

func (d document) observation() gate.Observation {
	v, p := d.Vulnerability, d.Package
	var text parsers.Text
	text.Add(string(v.Description)).Fact("Package", string(p.Name+" "+p.Version)).Fact("Kind", string(p.Type)).Fact("Architecture", string(p.Arch)).Fact("Path", string(p.Path))
	text.Fact("Agent", string(d.Agent.Name)).Fact("Operating system", string(d.Host.OS.Full)).Fact("Condition", string(v.Scanner.Condition)).Fact("Source", string(v.Scanner.Source)).Fact("Wazuh's entry", string(v.Scanner.Reference))
	o := gate.Observation{
		Title:            string(v.ID) + " affects (version: " + string(p.Version) + ")",
		Severity:         gate.ParseSeverity(string(v.Severity)),
		Description:      text.String(),
		References:       string(v.Reference),
		VulnerabilityIDs: []string{string(v.ID)},
		Check:            string(v.ID),
		UniqueID:         string(v.ID) + "-" + string(d.Agent.ID),
		ComponentName:    string(p.Name),
		ComponentVersion: string(p.Version),
		CVSSv3Score:      v.Score.Base.Ptr(),
		Date:             parsers.ParseDate(string(v.Detected)),
		PublishDate:      parsers.ParseDate(string(v.Published)),
	}
	if d.Agent.Name != "" {
		o.Endpoints = []string{parsers.HostPort("", string(d.Agent.Name), "")}
	}
	return o
}
