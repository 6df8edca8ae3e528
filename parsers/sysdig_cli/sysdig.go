// Package sysdig_cli reads the CSV that Sysdig's scanner of images writes.
//
// Made by "sysdig-cli-scanner --apiurl URL IMAGE", then exported from Sysdig
// Secure under Vulnerabilities, Pipeline, as CSV:
//
//	CVE ID,CVE Severity,CVSS Score,CVSS Score Version,Package Name,Package Version,Package Path,Package Type,Fix Version,CVE URL,Vuln Disclosure Date,Vuln Fix Date,Risk Accepted,EPSS Score
//
// "sysdig-cli-scanner --output-json=scan.json" writes the result of the scan,
// with policies, packages and vulnerabilities:
//
//	{"info": {"scanTime": "…"}, "scanner": {"name": "sysdig-cli-scanner", "version": "1.22.6"},
//	 "result": {"metadata": {"pullString": "shop:2.1"}, "packages": {"REF": {"name": "openssl", "version": "3.0.1", …}},
//	   "vulnerabilities": {"REF": {"name": "CVE-2022-0778", "severity": "high", "packageRef": "REF", "fixVersion": "3.0.2", …}}}}
//
// where, in older versions, packages are an array and hold their "vulns". JSON may
// also be Sysdig's list of vulnerabilities, as in its reports:
//
//	{"data": [{"vulnName": "CVE-2022-0778", "vulnSeverity": "High", "vulnFixVersion": "1.0.1f", "packageName": "libssl1.0.0", …}]}
package sysdig_cli

import (
	"bytes"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads the CSV and the JSON of Sysdig's scanner.
var Parsers = []parsers.Parser{{
	Name:     "sysdig_cli",
	ScanType: "Sysdig CLI Report",
	Files:    "CSV or JSON",
	Command:  "sysdig-cli-scanner --apiurl URL --output-json=scan.json IMAGE",
	URL:      "https://docs.sysdig.com/en/sysdig-secure/install-vulnerability-cli-scanner/",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.HasColumns("CVE ID", "CVE Severity", "CVSS Score Version", "Package Name"):
		return parsers.Sure
	case s.Value("scanner.name") == "sysdig-cli-scanner" && s.Has("result.packages"):
		return parsers.Sure
	case s.Has("scanner.name", "result.packages", "result.metadata.pullString"):
		return parsers.Likely
	case s.Has("data[].vulnName"):
		return parsers.Possible // surer: Sysdig's reports
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Sysdig"
	head := make([]byte, 512)
	n, _ := in.Read(head)
	if err := in.Rewind(); err != nil {
		return err
	}
	if t := bytes.TrimSpace(head[:n]); len(t) == 0 || t[0] == '{' || t[0] == '[' {
		return parseJSON(in, out)
	}
	return stream.CSV(in, []string{"CVE ID", "CVE Severity", "Package Name"}, func(r stream.Row) error {
		if r.Get("CVE ID") != "" {
			out.Emit(ofRow(r))
		}
		return nil
	})
}

func ofRow(r stream.Row) gate.Observation {
	id, pkg := r.Get("CVE ID"), r.Get("Package Name")
	var about parsers.Text
	about.Add(id+" is in "+strings.TrimSpace(pkg+" "+r.Get("Package Version"))+".").
		Fact("Severity", r.Get("CVE Severity")).Fact("Kind of package", r.Get("Package Type")).Fact("Path", r.Get("Package Path")).
		Fact("Published", r.Get("Vuln Disclosure Date")).Fact("Fixed version", r.Get("Fix Version")).Fact("Fixed on", r.Get("Vuln Fix Date")).
		Fact("CVSS", strings.TrimSpace(r.Get("CVSS Score Version")+" "+r.Get("CVSS Vector")+" "+r.Get("CVSS Score"))).Fact("Link", r.Get("CVE URL"))
	o := gate.Observation{
		Title:            id + " - " + pkg,
		Severity:         gate.ParseSeverity(r.Get("CVE Severity")),
		Description:      about.String(),
		References:       r.Get("CVE URL"),
		URL:              r.Get("CVE URL"),
		VulnerabilityIDs: []string{id},
		RuleID:           id,
		FilePath:         r.Get("Package Path"),
		ComponentName:    pkg,
		ComponentVersion: r.Get("Package Version"),
		EPSSScore:        stream.ParseFloat(r.Get("EPSS Score")).Ptr(),
		RiskAccepted:     strings.EqualFold(r.Get("Risk Accepted"), "true"),
		PublishDate:      parsers.ParseDate(r.Get("Vuln Disclosure Date")),
		Tags:             []string{"VulnId:" + id},
	}
	if fixed := r.Get("Fix Version"); fixed != "" {
		o.Mitigation = "Update " + pkg + " to " + fixed + "."
	}
	if strings.HasPrefix(r.Get("CVSS Score Version"), "3") {
		parsers.SetCVSS(&o, r.Get("CVSS Vector"))
		if s := stream.ParseFloat(r.Get("CVSS Score")); s.OK {
			o.CVSSv3Score = s.Ptr()
		}
	}
	return o
}

type record struct {
	Image     string      `json:"imagePullString"`
	ImageID   string      `json:"imageId"`
	OS        string      `json:"osName"`
	Vuln      string      `json:"vulnName"`
	Severity  string      `json:"vulnSeverity"`
	Link      string      `json:"vulnLink"`
	Vector    stream.Text `json:"vulnCvssVector"`
	Score     stream.Text `json:"vulnCvssScore"`
	Published stream.Text `json:"vulnDisclosureDate"`
	Exploit   stream.Text `json:"vulnExploitable"`
	Fixed     stream.Text `json:"vulnFixVersion"`
	Package   string      `json:"packageName"`
	Kind      string      `json:"packageType"`
	Path      string      `json:"packagePath"`
	Version   stream.Text `json:"packageVersion"`
	Suggested stream.Text `json:"packageSuggestedFix"`
}

// parseJSON reads Sysdig's list, or a scan's result in two passes.
func parseJSON(in *stream.Input, out *parsers.Report) error {
	list, scan, packages := false, false, map[string]pkg{}
	run := out.Run()
	err := stream.JSON(in, stream.Object(stream.Fields{
		"data": func(d *stream.Decoder) error {
			list = true
			return stream.Each(func(r record) error {
				if r.Vuln == "" {
					return stream.Errorf("a record has no vulnerability")
				}
				run.Target = r.Image
				out.Emit(r.observation())
				return nil
			})(d)
		},
		"info": stream.One(func(i struct {
			Time stream.Text `json:"scanTime"`
		},
		) error {
			run.FinishedAt = parsers.ParseTime(string(i.Time))
			return nil
		}),
		"scanner": stream.One(func(s struct {
			Name    string      `json:"name"`
			Version stream.Text `json:"version"`
		},
		) error {
			run.Tool, run.Version = parsers.First(s.Name, run.Tool), string(s.Version)
			return nil
		}),
		"result": func(d *stream.Decoder) error { scan = true; return result(out, packages, false)(d) },
	}))
	if err != nil {
		return err
	}
	if list == scan {
		return stream.Errorf(`there must be "data", a list of vulnerabilities, or "result", that of a scan`)
	}
	if list {
		return nil
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	return stream.JSON(in, stream.Object(stream.Fields{"result": result(out, packages, true)}))
}

func (r record) observation() gate.Observation {
	var about parsers.Text
	about.Add(r.Vuln+" is in "+strings.TrimSpace(r.Package+" "+string(r.Version))+".").
		Fact("Kind of package", r.Kind).Fact("Path", r.Path).Fact("Published", string(r.Published)).Fact("Fixed version", string(r.Fixed)).
		Fact("CVSS", strings.TrimSpace(string(r.Vector+" "+r.Score))).Fact("Public exploit", string(r.Exploit)).
		Fact("Image", r.Image).Fact("Operating system", r.OS).Fact("Image ID", r.ImageID)
	o := gate.Observation{
		Title:            r.Vuln + "_" + string(r.Fixed),
		Severity:         gate.ParseSeverity(r.Severity),
		Description:      about.String(),
		Mitigation:       "Sysdig knows of no version that fixes it.",
		References:       r.Link,
		VulnerabilityIDs: []string{r.Vuln},
		Check:            r.Vuln,
		ComponentName:    r.Package,
		ComponentVersion: string(r.Version),
		PublishDate:      parsers.ParseDate(string(r.Published)),
		Analysis:         gate.Both,
		Fix:              parsers.First(string(r.Fixed), string(r.Suggested)),
	}
	if v := parsers.First(string(r.Suggested), string(r.Fixed)); v != "" {
		o.Mitigation = "Update " + r.Package + " to " + v + "."
	}
	return o
}
