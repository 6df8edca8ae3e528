// Package pingcastle reads the XML report of PingCastle, which checks the health of an Active Directory.
//
// Made by "PingCastle.exe --healthcheck --server example.local", which writes ad_hc_example.local.xml.
// The parts that count:
//
//	<HealthcheckData>
//	  <EngineVersion>3.2.0.1</EngineVersion><GenerationDate>2024-06-06T13:01:09+02:00</GenerationDate>
//	  <DomainFQDN>example.local</DomainFQDN><GlobalScore>70</GlobalScore>
//	  <RiskRules><HealthcheckRiskRule>
//	    <Points>20</Points><Category>PrivilegedAccounts</Category><Model>AdminControl</Model>
//	    <RiskId>P-AdminLogin</RiskId><Rationale>…</Rationale><Details><string>…</string></Details>
//	  </HealthcheckRiskRule></RiskRules>
//	</HealthcheckData>
//
// Points say how much a rule adds to the risk's score, and so how bad it is; what
// weakens a domain controller is one degree worse.
package pingcastle

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads PingCastle's XML.
var Parsers = []parsers.Parser{{
	Name:     "pingcastle",
	ScanType: "PingCastle",
	Files:    "XML",
	Command:  "PingCastle.exe --healthcheck --server example.local",
	URL:      "https://www.pingcastle.com",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Root == "HealthcheckData" {
		return parsers.Sure
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	run, found := out.Run(), directory{}
	run.Tool = "PingCastle"
	return stream.XML(in, []string{"HealthcheckData"}, stream.Elements{
		"HealthcheckData/EngineVersion":  stream.CharData(func(s string) error { run.Version = s; return nil }),
		"HealthcheckData/GenerationDate": stream.CharData(func(s string) error { run.FinishedAt = parsers.ParseTime(s); return nil }),
		"HealthcheckData/DomainFQDN":     stream.CharData(func(s string) error { found.domain, run.Target = s, s; return nil }),
		"HealthcheckData/DomainControllers/HealthcheckDomainController": stream.Record(func(n *stream.Node) error {
			found.add(n)
			return nil
		}),
		"HealthcheckData/RiskRules/HealthcheckRiskRule": stream.Record(func(n *stream.Node) error {
			out.Emit(observation(n, found, gate.DateOf(run.FinishedAt)))
			return nil
		}),
	})
}

// directory is the domain with its controllers, which the report names before the rules.
type directory struct {
	domain      string
	controllers []string
}

// add takes a controller's name and addresses.
func (d *directory) add(n *stream.Node) {
	if len(d.controllers) > 1000 {
		return
	}
	d.controllers = append(d.controllers, parsers.Endpoint(n.Get("DCName")))
	for ip := range n.Each("IP/string") {
		d.controllers = append(d.controllers, parsers.Endpoint(ip.Text()))
	}
}

// endpoints are the controllers for a rule about them, else the domain.
func (d *directory) endpoints(risk string) []string {
	if strings.Contains(risk, "DC") && len(d.controllers) > 0 {
		return d.controllers
	}
	return []string{parsers.Endpoint(d.domain)}
}

func observation(n *stream.Node, found directory, date gate.Date) gate.Observation {
	risk, category, model := n.Get("RiskId"), n.Get("Category"), n.Get("Model")
	var details []string
	for d := range n.Each("Details/string") {
		details = append(details, d.Text())
	}
	var text parsers.Text
	text.Add(n.Get("Rationale")).Fact("Domain", found.domain).Fact("Rule", risk).Fact("Category", category).Fact("Model", model).
		Fact("Points", n.Get("Points")).List(details)
	return gate.Observation{
		Title:            "[PingCastle] " + risk + " (" + category + "/" + model + ")",
		Severity:         severity(stream.ParseInt(n.Get("Points")).N, risk),
		Description:      text.String(),
		Impact:           "It adds " + parsers.First(n.Get("Points"), "0") + " points to the domain's risk score (" + category + ").",
		Mitigation:       "See the rule " + risk + " in PingCastle's report: it names the objects and how to correct them.",
		References:       "https://www.pingcastle.com/PingCastleFiles/ad_hc_rules_list.html#" + risk,
		RuleID:           risk,
		Endpoints:        found.endpoints(risk),
		VulnerabilityIDs: parsers.CVEs(risk + " " + n.Get("Rationale")),
		Date:             date,
	}
}

// severity is by points. A rule about domain controllers is one degree worse,
// and one about the directory's LDAP never less than Medium.
func severity(points int, risk string) gate.Severity {
	s := gate.Info
	switch {
	case points >= 20:
		s = gate.Critical
	case points >= 15:
		s = gate.High
	case points >= 10:
		s = gate.Medium
	case points >= 1:
		s = gate.Low
	}
	if strings.Contains(risk, "DC") && s < gate.Critical {
		s++
	}
	if strings.Contains(risk, "LDAP") {
		s = max(s, gate.Medium)
	}
	return s
}
