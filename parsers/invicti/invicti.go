// Package invicti reads the JSON report of Invicti, the web scanner that was
// called Netsparker, and whose engine Acunetix 360 runs too.
//
// Made by Scan > Export > Vulnerabilities List (JSON):
//
//	{"Generated": "25/06/2021 10:00 AM", "Target": {"Url": "http://example.org/", "ScanId": "…", "Initiated": "…"},
//	 "Vulnerabilities": [{"Name": "Boolean Based SQL Injection", "Type": "ConfirmedBooleanBasedSqlInjection",
//	   "Severity": "Critical", "State": "Present", "Confirmed": true, "Certainty": 100, "Url": "http://example.org/a?id=1",
//	   "Classification": {"Cwe": "89, 16", "Owasp": "A1", "Cvss": {"Vector": "CVSS:3.0/…"}, "Cvss31": {"Vector": "…"}},
//	   "Description": "<p>…", "Impact": "<div>…", "RemedialProcedure": "<div>…", "RemedialActions": "…", "RemedyReferences": "…",
//	   "ExternalReferences": "…", "ExtraInformation": [{"Name": "…", "Value": "…"}], "ProofOfConcept": "",
//	   "HttpRequest": {"Content": "GET …"}, "HttpResponse": {"Content": "HTTP/1.1 …"},
//	   "FirstSeenDate": "16/06/2021 12:30 PM", "LookupId": "…"}]}
//
// Dates are day first, in the account's format. Classification may be null. The
// state tells in words, with commas, what people decided: "Present, AcceptedRisk".
package invicti

import (
	"net/url"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Invicti's JSON.
var Parsers = []parsers.Parser{{
	Name:     "invicti",
	ScanType: "Invicti Scan",
	Files:    "JSON",
	Command:  "Scan > Export > Vulnerabilities List (JSON)",
	URL:      "https://www.invicti.com/support/vulnerabilities-list-json/",
	Analysis: gate.Both,
	Detect: func(s *parsers.Sample) parsers.Likeness {
		return Detect(s, "Invicti", "invicti.com", "Netsparker", "netsparker.com")
	},
	Parse: func(in *stream.Input, out *parsers.Report) error {
		return Parse(in, out, Brand{Tool: "Invicti"})
	},
}}

// Brand is what the products of the family do not share.
type Brand struct {
	Tool      string
	Issue     string // the address of an issue in the product, before its id
	FirstSeen bool   // a finding's date is when it was first seen, not the report's
	CVSS30    bool   // only the vector of version 3.0 counts, as to DefectDojo; the text has the others
}

// Detect tells how much a report looks like one of the family, which it does
// more when it names a brand.
func Detect(s *parsers.Sample, names ...string) parsers.Likeness {
	if !s.Has("Generated", "Target", "Vulnerabilities") {
		return parsers.No
	}
	for _, n := range names {
		if s.Contains(n) {
			return parsers.Likely
		}
	}
	return parsers.Possible
}

type vulnerability struct {
	Name               string                         `json:"Name"`
	Type               string                         `json:"Type"`
	Severity           string                         `json:"Severity"`
	State              string                         `json:"State"`
	Certainty          stream.Text                    `json:"Certainty"`
	URL                string                         `json:"Url"`
	Description        string                         `json:"Description"`
	Impact             string                         `json:"Impact"`
	RemedialProcedure  string                         `json:"RemedialProcedure"`
	RemedialActions    string                         `json:"RemedialActions"`
	RemedyReferences   string                         `json:"RemedyReferences"`
	ExternalReferences string                         `json:"ExternalReferences"`
	ProofOfConcept     string                         `json:"ProofOfConcept"`
	ExploitationSkills string                         `json:"ExploitationSkills"`
	FirstSeen          string                         `json:"FirstSeenDate"`
	LookupID           string                         `json:"LookupId"`
	Request            message                        `json:"HttpRequest"`
	Response           message                        `json:"HttpResponse"`
	Classification     stream.Lenient[classification] `json:"Classification"`
	Extra              stream.Lenient[[]struct {
		Name  stream.Text `json:"Name"`
		Value stream.Text `json:"Value"`
	}] `json:"ExtraInformation"`
}

type message struct {
	Content string `json:"Content"`
}

type classification struct {
	CWE    stream.Text `json:"Cwe"`
	OWASP  stream.Text `json:"Owasp"`
	CAPEC  stream.Text `json:"Capec"`
	WASC   stream.Text `json:"Wasc"`
	PCI    stream.Text `json:"Pci32"`
	CVSS   vector      `json:"Cvss"`
	CVSS31 vector      `json:"Cvss31"`
	CVSS40 vector      `json:"Cvss40"`
}

type vector struct {
	Vector string `json:"Vector"`
}

// Parse reads a report of the family.
func Parse(in *stream.Input, out *parsers.Report, brand Brand) error {
	run := out.Run()
	run.Tool = brand.Tool
	emit := func(v vulnerability) error {
		out.Emit(brand.observation(v, gate.DateOf(run.FinishedAt)))
		return nil
	}
	return stream.JSON(in, stream.Object(stream.Fields{
		"Generated": stream.One(func(s stream.Text) error { run.FinishedAt = parsers.ParseTimeDayFirst(string(s)); return nil }),
		"Target": stream.One(func(t struct {
			URL       string      `json:"Url"`
			Initiated stream.Text `json:"Initiated"`
		},
		) error {
			run.Target, run.StartedAt = t.URL, parsers.ParseTimeDayFirst(string(t.Initiated))
			return nil
		}),
		"Vulnerabilities": stream.Each(emit),
	}, "Vulnerabilities"))
}

func (b Brand) observation(v vulnerability, generated gate.Date) gate.Observation {
	class := v.Classification.Value
	o := gate.Observation{
		Title:       v.Name,
		Severity:    gate.ParseSeverity(v.Severity),
		Description: v.text(),
		Impact:      parsers.Markdown(v.Impact),
		Mitigation:  strings.TrimSpace(parsers.Markdown(v.RemedialProcedure) + "\n\n" + parsers.Markdown(v.RemedialActions)),
		References:  v.references(b),
		Check:       v.Type,
		Date:        generated,
		Endpoints:   []string{endpoint(v.URL)},
	}
	if first := parsers.ParseTimeDayFirst(v.FirstSeen); b.FirstSeen && !first.IsZero() {
		o.Date = gate.DateOf(first)
	}
	for id := range strings.SplitSeq(string(class.CWE), ",") {
		if cwe := gate.ParseCWE(id); cwe > 0 {
			o.CWEs = append(o.CWEs, cwe)
		}
	}
	if len(o.CWEs) > 0 {
		o.CWE = o.CWEs[0]
	} else {
		o.NoCWE = true
	}
	parsers.SetCVSS(&o, class.CVSS.Vector, class.CVSS40.Vector)
	if !b.CVSS30 {
		parsers.SetCVSS(&o, class.CVSS31.Vector)
	}
	decide(&o, v.State)
	var kept parsers.Messages
	o.RequestResponsePairs = kept.Add(nil, parsers.First(v.Request.Content, v.URL), v.Response.Content)
	return o
}

// endpoint returns the place of a URL, which may hold an attack: characters that
// are escaped for no need are written out, as DefectDojo does.
func endpoint(raw string) string {
	if plain, err := url.PathUnescape(raw); err == nil {
		raw, _, _ = strings.Cut(plain, "#")
	}
	return parsers.Endpoint(raw)
}

// decide reads the state.
func decide(o *gate.Observation, state string) {
	for word := range strings.SplitSeq(state, ",") {
		switch word = strings.TrimSpace(word); {
		case word == "FalsePositive":
			o.Active, o.FalsePositive = new(false), true
		case word == "AcceptedRisk":
			o.Active, o.RiskAccepted = new(false), true
		case strings.HasPrefix(word, "Fixed"):
			o.Active, o.Mitigated = new(false), true
		}
	}
}

func (v vulnerability) text() string {
	var text parsers.Text
	text.Add(parsers.Markdown(v.Description)).Fact("URL", v.URL)
	for _, x := range v.Extra.Value {
		text.Fact(string(x.Name), parsers.Markdown(string(x.Value)))
	}
	class := v.Classification.Value
	text.Section("Proof", parsers.Markdown(v.ProofOfConcept)).Section("What an attacker needs", parsers.Markdown(v.ExploitationSkills))
	return text.Fact("State", v.State).Fact("Certainty", string(v.Certainty)).
		Fact("OWASP", string(class.OWASP)).Fact("CAPEC", string(class.CAPEC)).Fact("WASC", string(class.WASC)).Fact("PCI DSS", string(class.PCI)).Fact("CVSS 3.1", class.CVSS31.Vector).String()
}

func (v vulnerability) references(b Brand) string {
	list := []string{parsers.Markdown(v.RemedyReferences), parsers.Markdown(v.ExternalReferences)}
	if b.Issue != "" && v.LookupID != "" {
		list = append([]string{b.Issue + v.LookupID}, list...)
	}
	return parsers.Lines(list...)
}
