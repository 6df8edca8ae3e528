package aws_inspector2

import (
	"strconv"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
)

func (f finding) observation() gate.Observation {
	o := gate.Observation{
		Title:     f.Title,
		Severity:  gate.ParseSeverity(f.Severity),
		UniqueID:  f.ARN,
		EPSSScore: f.EPSS.Score.Ptr(),
	}
	var about, impact, how parsers.Text
	about.Add(f.Description)
	if text := f.Remediation.Recommendation.Text; text != "None Provided" {
		how.Add(text)
	}
	how.Add(f.Remediation.Recommendation.URL)
	if f.Package != nil {
		parsers.SetCVSS(&o, f.ScoreDetails.Adjusted.Vector) // the one that Inspector counts
		f.Package.tell(&o, &about, &how)
	}
	if f.Code != nil {
		f.Code.tell(&o, &about)
	}
	if f.Network != nil {
		f.Network.tell(&about)
	}
	if f.Score.OK {
		about.Fact("Inspector's score", strconv.FormatFloat(f.Score.F, 'f', -1, 64))
	}
	about.Fact("Exploit available", f.Exploit).Fact("Fix available", f.Fix).Fact("Account", f.Account).Fact("Finding", f.ARN)
	for _, r := range f.Resources {
		r.tell(&impact)
		o.Endpoints = append(o.Endpoints, r.endpoint())
	}
	o.Description, o.Impact, o.Mitigation = about.String(), impact.String(), how.String()
	switch f.Status {
	case "CLOSED":
		o.Active, o.Mitigated = new(false), true
		o.MitigatedAt = instant(f.Last)
	case "SUPPRESSED":
		o.Active = new(false)
	}
	return o
}

// tell adds what is known of vulnerable packages. The first is the component.
func (p *packageDetails) tell(o *gate.Observation, about, how *parsers.Text) {
	o.VulnerabilityIDs = append([]string{p.ID}, p.Related...)
	o.URL = p.URL
	o.References = parsers.Lines(append([]string{p.URL}, p.References...)...)
	o.PublishDate = gate.DateOf(instant(p.Created))
	for _, c := range p.CVSS {
		if o.CVSSv3 == "" && o.CVSSv4 == "" {
			parsers.SetCVSS(o, c.Vector)
		}
	}
	var fixes []string
	for i, k := range p.Packages {
		version := string(k.Version)
		if i == 0 {
			o.ComponentName, o.ComponentVersion, o.FilePath = k.Name, version, k.Path
		}
		if k.Release != "" {
			version += "-" + string(k.Release)
		}
		about.Fact("Package", strings.TrimSpace(k.Name+" "+version+" "+k.Path)+" ("+k.Manager+")")
		fix := ""
		if k.Fixed != "" && k.Fixed != "NotAvailable" {
			if i == 0 {
				o.Fix = k.Fixed
			}
			fix = "Update " + k.Name + " to " + k.Fixed + "."
		}
		fixes = append(fixes, strings.TrimSpace(fix+" "+k.Remediation))
	}
	how.List(fixes)
	about.Fact("Source", p.Source).Fact("The vendor's severity", p.Severity)
}

// tell adds what is known of vulnerable code.
func (c *codeDetails) tell(o *gate.Observation, about *parsers.Text) {
	parsers.SetCWEs(o, c.CWEs...)
	o.Check = c.Rule
	o.FilePath = parsers.First(c.File.Path, c.File.Name)
	o.Line, o.EndLine = c.File.Start.Ptr(), c.File.End.Ptr()
	o.SASTSourceFilePath, o.SASTSourceLine = o.FilePath, o.Line
	o.References = parsers.Lines(c.References...)
	about.Fact("Detector", strings.TrimSpace(c.Detector+" "+c.DetectorID)).Fact("Rule", c.Rule).
		Facts("Weaknesses", c.CWEs).Facts("Tags", c.Tags).Fact("File", o.FilePath)
}

// tell adds what is known of an open port.
func (n *networkDetails) tell(about *parsers.Text) {
	ports := strconv.Itoa(n.Ports.Begin.N)
	if n.Ports.End.N > n.Ports.Begin.N {
		ports += "-" + strconv.Itoa(n.Ports.End.N)
	}
	about.Fact("Open port", n.Protocol+" "+ports)
	var steps []string
	for _, s := range n.Path.Steps {
		steps = append(steps, strings.TrimSpace(s.ID+" "+s.Type))
	}
	about.Facts("Way to it", steps)
}
