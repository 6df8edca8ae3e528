package openvas

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

func readCSV(in *stream.Input, out *parsers.Report, emit func(result)) error {
	return stream.CSV(in, []string{"IP", "NVT Name", "NVT OID"}, func(r stream.Row) error {
		if r.Get("NVT Name") == "" {
			return nil
		}
		out.Run().Target = r.Get("Task Name")
		emit(result{
			name: r.Get("NVT Name"), oid: r.Get("NVT OID"), ip: r.Get("IP"), host: r.Get("Hostname"), port: r.Get("Port"), protocol: r.Get("Port Protocol"),
			severity: r.Get("Severity"), cvss: r.Get("CVSS"), qod: r.Get("QoD"), summary: r.Get("Summary"), specific: r.Get("Specific Result"),
			impact: r.Get("Impact"), insight: r.Get("Vulnerability Insight"), affected: r.Get("Affected Software/OS"),
			detection: r.Get("Vulnerability Detection Method"), product: r.Get("Product Detection Result"),
			solution: r.Get("Solution"), solutionType: r.Get("Solution Type"), cves: split(r.Get("CVEs")),
			refs: append(append(split(r.Get("Other References")), split(r.Get("CERTs"))...), split(r.Get("BIDs"))...),
			epss: r.Get("Max Severity EPSS score", "Max EPSS score"), percentile: r.Get("Max Severity EPSS percentile", "Max EPSS percentile"),
			date: r.Get("Timestamp"),
		})
		return nil
	})
}

// split cuts a list at its commas.
func split(list string) []string {
	var parts []string
	for p := range strings.SplitSeq(list, ",") {
		if p = strings.TrimSpace(p); p != "" && p != "NOCVE" && p != "NOBID" && p != "NOXREF" {
			parts = append(parts, p)
		}
	}
	return parts
}

type element struct {
	Name string `xml:"name"`
	Host struct {
		IP   string `xml:",chardata"`
		Name string `xml:"hostname"`
	} `xml:"host"`
	Port string `xml:"port"`
	NVT  struct {
		OID        string `xml:"oid,attr"`
		Tags       string `xml:"tags"`
		CVE        string `xml:"cve"` // before GMP 9
		Base       string `xml:"cvss_base"`
		Severities []struct {
			Value string `xml:"value"`
		} `xml:"severities>severity"`
		Solution struct {
			Type string `xml:"type,attr"`
			Text string `xml:",chardata"`
		} `xml:"solution"`
		Refs []struct {
			Type string `xml:"type,attr"`
			ID   string `xml:"id,attr"`
		} `xml:"refs>ref"`
	} `xml:"nvt"`
	Threat      string `xml:"threat"`
	Severity    string `xml:"severity"`
	QoD         string `xml:"qod>value"`
	Description string `xml:"description"`
}

func readXML(in *stream.Input, out *parsers.Report, emit func(result)) error {
	run := out.Run()
	known := false
	at := func(f func(string)) stream.Handler {
		return stream.CharData(func(s string) error { f(s); return nil })
	}
	elements := stream.Elements{}
	for _, prefix := range []string{"report/", "report/report/", "get_reports_response/report/report/", "get_reports_response/report/"} {
		elements[prefix+"results"] = stream.Start(func(func(string) string) error { known = true; return nil })
		elements[prefix+"results/result"] = stream.Element(func(e element) error { emit(e.result()); return nil })
		elements[prefix+"scan_start"] = at(func(s string) { run.StartedAt = parsers.ParseTime(s) })
		elements[prefix+"scan_end"] = at(func(s string) { run.FinishedAt = parsers.ParseTime(s) })
		elements[prefix+"task/target/name"] = at(func(s string) { run.Target = s })
		elements[prefix+"gmp/version"] = at(func(s string) { run.Version = "GMP " + s })
		elements[prefix+"scan_run_status"] = at(func(s string) { run.Outcome = outcomes[s] })
		elements[prefix+"errors/error"] = stream.Element(func(e struct {
			Host        string `xml:"host"`
			Description string `xml:"description"`
		},
		) error {
			out.Problem("%s: %s", strings.TrimSpace(e.Host), strings.TrimSpace(e.Description))
			return nil
		})
	}
	err := stream.XML(in, []string{"report", "get_reports_response"}, elements)
	if err == nil && !known {
		return stream.Errorf("there are no <results>")
	}
	return err
}

// outcomes are how OpenVAS says that a scan ended.
var outcomes = map[string]gate.Outcome{"Done": gate.Succeeded, "Stopped": gate.Partial, "Interrupted": gate.Partial, "Running": gate.Partial}

func (e element) result() result {
	r := result{
		name: e.Name, oid: e.NVT.OID, ip: strings.TrimSpace(e.Host.IP), host: strings.TrimSpace(e.Host.Name), severity: e.Threat,
		cvss: parsers.First(e.Severity, e.NVT.Base), qod: e.QoD, specific: e.Description,
		solution: strings.TrimSpace(e.NVT.Solution.Text), solutionType: e.NVT.Solution.Type, xml: true,
	}
	port, protocol, _ := strings.Cut(e.Port, "/")
	r.protocol = protocol
	if i := stream.ParseInt(port); i.OK {
		r.port = port
	}
	for tag := range strings.SplitSeq(e.NVT.Tags, "|") {
		name, value, _ := strings.Cut(tag, "=")
		switch value = strings.TrimSpace(value); strings.TrimSpace(name) {
		case "cvss_base_vector":
			r.vector = value
		case "summary":
			r.summary = value
		case "insight":
			r.insight = value
		case "affected":
			r.affected = value
		case "impact":
			r.impact = value
		case "vuldetect":
			r.detection = value
		case "solution":
			r.solution = parsers.First(r.solution, value)
		case "solution_type":
			r.solutionType = parsers.First(r.solutionType, value)
		}
	}
	for _, s := range e.NVT.Severities {
		r.vector = parsers.First(r.vector, s.Value)
	}
	for _, ref := range e.NVT.Refs {
		if strings.EqualFold(ref.Type, "cve") {
			r.cves = append(r.cves, ref.ID)
		} else {
			r.refs = append(r.refs, ref.ID)
		}
	}
	if len(r.cves) == 0 {
		r.cves = split(e.NVT.CVE)
	}
	return r
}
