// Package acunetix reads the reports of Acunetix, the web scanner: its XML, and
// the JSON of Acunetix 360, which is Invicti's (see package invicti).
//
// Made by Reports > Export > XML, or in 360 by Scan > Export > Vulnerabilities
// List (JSON). The XML:
//
//	<ScanGroup ExportedOn="28/02/2020, 05:13:54"><Scan><StartURL>https://example.org</StartURL>
//	  <StartTime>27/02/2020, 12:56:09</StartTime><FinishTime>…</FinishTime><Aborted>False</Aborted>
//	  <ReportItems><ReportItem id="1" color="orange"><Name>…</Name><Details>…</Details><Affects>/login</Affects>
//	    <Parameter>user</Parameter><IsFalsePositive>False</IsFalsePositive><Severity>medium</Severity><Impact>…</Impact>
//	    <Description>…</Description><Recommendation>…</Recommendation><TechnicalDetails><Request>GET …</Request></TechnicalDetails>
//	    <CWEList><CWE id="200">CWE-200</CWE></CWEList><CVSS3><Descriptor>CVSS:3.0/…</Descriptor></CVSS3>
//	    <References><Reference><Database>…</Database><URL>…</URL></Reference></References></ReportItem></ReportItems></Scan></ScanGroup>
//
// Dates are day first. Texts are HTML. Items that say the same of several places
// are one finding.
package acunetix

import (
	"bytes"
	"io"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/invicti"
	"defectdojo/parsers/stream"
)

// Parsers reads Acunetix's XML and JSON.
var Parsers = []parsers.Parser{{
	Name:     "acunetix",
	ScanType: "Acunetix Scan",
	Files:    "XML or JSON",
	Command:  "Reports > Export > XML, or Scan > Export > Vulnerabilities List (JSON)",
	URL:      "https://www.acunetix.com/support/docs/",
	Analysis: gate.Both,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Root == "ScanGroup" && (s.Elements["ScanGroup/Scan"] || s.Attrs["ExportedOn"] != "") {
		return parsers.Sure
	}
	return invicti.Detect(s, "Acunetix", "acunetix")
}

func parse(in *stream.Input, out *parsers.Report) error {
	head := make([]byte, 512)
	n, err := io.ReadFull(in, head)
	if n == 0 && err != nil {
		return stream.Errorf("the report is empty")
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	if b := bytes.TrimSpace(head[:n]); len(b) > 0 && b[0] == '<' {
		return parseXML(in, out)
	}
	return invicti.Parse(in, out, invicti.Brand{Tool: "Acunetix 360", Issue: "https://online.acunetix360.com/issues/detail/", FirstSeen: true, CVSS30: true})
}

// scan is what the report says of the run before its items.
type scan struct {
	start    string
	date     gate.Date
	merged   *parsers.Merged
	messages parsers.Messages
}

func parseXML(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Acunetix"
	s := scan{merged: parsers.Merge(out)}
	err := stream.XML(in, []string{"ScanGroup"}, stream.Elements{
		"ScanGroup/Scan/StartURL": stream.CharData(func(text string) error {
			s.start = text
			run.Target = parsers.First(run.Target, text)
			return nil
		}),
		"ScanGroup/Scan/StartTime": stream.CharData(func(text string) error {
			run.StartedAt = parsers.ParseTimeDayFirst(text)
			s.date = gate.DateOf(run.StartedAt)
			return nil
		}),
		"ScanGroup/Scan/FinishTime": stream.CharData(func(text string) error {
			run.FinishedAt = parsers.ParseTimeDayFirst(text)
			return nil
		}),
		"ScanGroup/Scan/Aborted": stream.CharData(func(text string) error {
			if strings.EqualFold(text, "true") {
				out.Problem("the scan was aborted")
			}
			return nil
		}),
		"ScanGroup/Scan/ReportItems/ReportItem": stream.Record(func(n *stream.Node) error {
			s.add(n)
			return nil
		}),
	})
	if err != nil {
		return err
	}
	s.merged.Emit()
	return nil
}

// add adds an item, to a finding that says the same if there is one.
func (s *scan) add(n *stream.Node) {
	key := n.Get("Name") + "\x00" + n.Get("Impact") + "\x00" + n.Get("Recommendation")
	o, isNew := s.merged.At(key, func() *gate.Observation { return s.observation(n) })
	if !isNew {
		*o.Occurrences++
		o.Severity = max(o.Severity, gate.ParseSeverity(n.Get("Severity")))
	}
	place := s.start
	if path := n.Get("Affects"); strings.HasPrefix(path, "/") {
		place = strings.TrimSuffix(place, "/") + path
	}
	o.Endpoints = append(o.Endpoints, parsers.Endpoint(place))
	for r := range n.Each("TechnicalDetails/Request") {
		o.RequestResponsePairs = s.messages.Add(o.RequestResponsePairs, parsers.First(r.Text(), place), n.Get("TechnicalDetails/Response"))
	}
}

func (s *scan) observation(n *stream.Node) *gate.Observation {
	var text parsers.Text
	text.Add(parsers.Markdown(n.Get("Description"))).Section("Details", parsers.Markdown(n.Get("Details"))).Section("More", parsers.Markdown(n.Get("DetailedInformation"))).
		Fact("Affects", n.Get("Affects")).Fact("Parameter", n.Get("Parameter")).Fact("Check", n.Get("ModuleName")).
		Fact("Source", strings.Trim(n.Get("AOP_SourceFile")+":"+n.Get("AOP_SourceLine"), ":"))
	var refs []string
	for r := range n.Each("References/Reference") {
		ref := r.Get("URL")
		if name := r.Get("Database"); name != "" && ref != "" {
			ref = "[" + name + "](" + ref + ")"
		}
		if ref != "" {
			refs = append(refs, "- "+ref)
		}
	}
	o := &gate.Observation{
		Title:         n.Get("Name"),
		Severity:      gate.ParseSeverity(n.Get("Severity")),
		Description:   text.String(),
		Impact:        parsers.Markdown(n.Get("Impact")),
		Mitigation:    parsers.Markdown(n.Get("Recommendation")),
		References:    strings.Join(refs, "\n"),
		Param:         n.Get("Parameter"),
		Check:         n.Get("ModuleName"),
		CWE:           gate.ParseCWE(n.Get("CWEList/CWE")),
		Date:          s.date,
		FalsePositive: strings.EqualFold(n.Get("IsFalsePositive"), "true"),
		Occurrences:   new(1),
		Analysis:      gate.Static, // as DefectDojo: without a request nothing was tried
	}
	if n.Has("TechnicalDetails/Request") {
		o.Analysis = gate.Dynamic
	}
	parsers.SetCVSS(o, n.Get("CVSS3/Descriptor"), n.Get("CVSS4/Descriptor"))
	return o
}
