package sysdig_cli

import (
	"strconv"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// What follows reads what the scanner itself writes, by the types of Sysdig's own
// action (https://github.com/sysdiglabs/scan-action). In the newer schema
// vulnerabilities name their package, in the older packages hold them.

// pkg is a package of either schema.
type pkg struct {
	Type    string      `json:"type"`
	Name    string      `json:"name"`
	Version stream.Text `json:"version"`
	Path    string      `json:"path"`
	Vulns   []oldVuln   `json:"vulns"`
}

// vuln is a vulnerability of the newer schema.
type vuln struct {
	Name        string      `json:"name"`
	Severity    string      `json:"severity"`
	Package     string      `json:"packageRef"`
	Published   stream.Text `json:"disclosureDate"`
	Solved      stream.Text `json:"solutionDate"`
	Exploitable bool        `json:"exploitable"`
	Fixed       stream.Text `json:"fixVersion"`
	CVSS        cvss        `json:"cvssScore"`
	Provider    string      `json:"mainProvider"`
	Providers   map[string]stream.Lenient[struct {
		Published stream.Text `json:"publicationDate"`
		EPSS      struct {
			Score      stream.Float `json:"score"`
			Percentile stream.Float `json:"percentile"`
		} `json:"epssScore"`
	}] `json:"providersMetadata"`
	Accepted []stream.Text `json:"riskAcceptRefs"`
}

type cvss struct {
	Version stream.Text  `json:"version"`
	Score   stream.Float `json:"score"`
	Vector  string       `json:"vector"`
}

// oldVuln is a vulnerability of the older schema.
type oldVuln struct {
	Name     string `json:"name"`
	Severity struct {
		Value  string `json:"value"`
		Source string `json:"sourceName"`
	} `json:"severity"`
	CVSS struct {
		Value cvss `json:"value"`
	} `json:"cvssScore"`
	Published   stream.Text `json:"disclosureDate"`
	Solved      stream.Text `json:"solutionDate"`
	Exploitable bool        `json:"exploitable"`
	Fixed       stream.Text `json:"fixedInVersion"`
	ByVendor    struct {
		KEV stream.Text `json:"cisakev"`
	} `json:"publishDateByVendor"`
	Accepted []struct{} `json:"acceptedRisks"`
}

// finding is what both schemas say.
type finding struct {
	vuln
	exploited bool
	accepted  bool
}

func (v oldVuln) finding() finding {
	return finding{vuln{
		Name: v.Name, Severity: v.Severity.Value, Provider: v.Severity.Source, Published: v.Published, Solved: v.Solved,
		Exploitable: v.Exploitable, Fixed: v.Fixed, CVSS: v.CVSS.Value,
	}, v.ByVendor.KEV != "", len(v.Accepted) > 0}
}

func (v vuln) finding() finding {
	return finding{v, v.Providers["cisakev"].Value.Published != "", len(v.Accepted) > 0}
}

// result reads a scan's result: vulnerabilities in the second pass, everything
// else in the first.
func result(out *parsers.Report, packages map[string]pkg, second bool) stream.Value {
	run := out.Run()
	policies := stream.One(func(s stream.Text) error { run.Description = "Sysdig's own policies: " + string(s) + "."; return nil })
	if second {
		return stream.Object(stream.Fields{
			"packages": stream.ByKind(stream.Kinds{'n': stream.Skip, '{': stream.Skip, '[': stream.Each(func(p pkg) error {
				for _, v := range p.Vulns {
					out.Emit(v.finding().observation(p))
				}
				return nil
			})}),
			"vulnerabilities": stream.Entries(func(_ string, d *stream.Decoder) error {
				return stream.One(func(v vuln) error {
					out.Emit(v.finding().observation(packages[v.Package]))
					return nil
				})(d)
			}),
		})
	}
	return stream.Object(stream.Fields{
		"metadata": stream.One(func(m struct {
			Image  string      `json:"pullString"`
			Digest stream.Text `json:"digest"`
			ID     stream.Text `json:"imageId"`
		},
		) error {
			run.Target, run.Revision = m.Image, parsers.First(string(m.Digest), string(m.ID))
			return nil
		}),
		"packages": stream.ByKind(stream.Kinds{
			'n': stream.Skip,
			'[': stream.Each(func(p pkg) error { out.Component(p.component()); return nil }),
			'{': stream.Entries(func(ref string, d *stream.Decoder) error {
				return stream.One(func(p pkg) error {
					packages[ref] = p
					out.Component(p.component())
					return nil
				})(d)
			}),
		}),
		"policyEvaluationsResult": policies,
		"policies":                stream.ByKind(stream.Kinds{'n': stream.Skip, '{': stream.Object(stream.Fields{"globalEvaluation": policies})}),
	}, "packages")
}

// purlTypes are the package URL types of Sysdig's kinds of language packages; of
// a system's packages it does not say which system.
var purlTypes = map[string]string{
	"java": "maven", "javascript": "npm", "python": "pypi", "golang": "golang", "ruby": "gem", "php": "composer", "rust": "cargo", "c#": "nuget",
}

func (p pkg) component() gate.Component {
	return gate.Component{Name: p.Name, Version: string(p.Version), PURL: p.purl(), Path: p.Path}
}

func (p pkg) purl() string {
	return parsers.PURL(purlTypes[strings.ToLower(p.Type)], p.Name, string(p.Version))
}

// observation has the identity that DefectDojo gives to a finding of the JSON,
// which is another than that of the same finding in the CSV: the version with the
// fix is in the title, and the rule and the path are not set.
func (f finding) observation(p pkg) gate.Observation {
	var about parsers.Text
	about.Add(f.Name+" is in "+strings.TrimSpace(p.Name+" "+string(p.Version))+".").
		Fact("Severity", f.Severity).Fact("Severity by", f.Provider).Fact("Kind of package", p.Type).Fact("Path", p.Path).
		Fact("Published", string(f.Published)).Fact("Fixed version", string(f.Fixed)).Fact("Fixed on", string(f.Solved)).
		Fact("CVSS", strings.Join(strings.Fields(string(f.CVSS.Version)+" "+f.CVSS.Vector+" "+f.CVSS.Score.String()), " ")).
		Fact("Public exploit", strconv.FormatBool(f.Exploitable))
	o := gate.Observation{
		Title:            f.Name + " - " + p.Name + " - " + string(f.Fixed),
		Severity:         gate.ParseSeverity(f.Severity),
		Description:      about.String(),
		VulnerabilityIDs: []string{f.Name},
		Check:            f.Name,
		Analysis:         gate.Both,
		ComponentName:    p.Name,
		ComponentVersion: string(p.Version),
		PURL:             p.purl(),
		RiskAccepted:     f.accepted,
		Exploited:        f.exploited,
		PublishDate:      parsers.ParseDate(string(f.Published)),
		Fix:              string(f.Fixed),
	}
	if o.Fix != "" {
		o.Mitigation = "Update " + p.Name + " to " + o.Fix + "."
	}
	if strings.HasPrefix(string(f.CVSS.Version), "3") {
		parsers.SetCVSS(&o, f.CVSS.Vector)
		if f.CVSS.Score.OK {
			o.CVSSv3Score = f.CVSS.Score.Ptr()
		}
	}
	for _, name := range []string{"first", "first.org", "epss"} {
		if e := f.Providers[name].Value.EPSS; e.Score.OK {
			o.EPSSScore, o.EPSSPercentile = e.Score.Ptr(), e.Percentile.Ptr()
		}
	}
	return o
}
