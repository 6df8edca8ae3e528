// Package sysdig_reports reads the vulnerability reports that Sysdig Secure
// schedules, for what runs and for what is in registries.
//
// Made by "Vulnerabilities, Reporting" in Sysdig Secure, as JSON or CSV. The JSON
// report is
//
//	{"data": [{"vulnName": "CVE-2022-0778", "vulnSeverity": "High", "vulnFixVersion": "1.0.1f", "packageName": "libssl1.0.0", …}]}
//
// and since 2025 a table among the panels of a report:
//
//	{"name": "Kubernetes Workload Vulnerability Findings", "panels": [{"type": "table", "data": [{"vuln_id": "CVE-2005-2541", …}]}]}
//
// The columns of the CSV differ in their words between the two, and by what was
// scanned: "Vulnerability ID,Severity,Package name,…,K8S cluster name,…",
// "…,Registry name,…", "Vulnerability Name,Vulnerability Severity,…,Kubernetes Cluster Name,…".
package sysdig_reports

import (
	"bytes"
	"fmt"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Sysdig's JSON and CSV.
var Parsers = []parsers.Parser{{
	Name:     "sysdig_reports",
	ScanType: "Sysdig Vulnerability Report",
	Files:    "JSON or CSV",
	Command:  "Sysdig Secure: Vulnerabilities, Reporting, Download",
	URL:      "https://docs.sysdig.com/en/sysdig-secure/vulnerability-reporting/",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.HasColumns("Vulnerability ID", "Package name", "Vuln link"), s.HasColumns("Vulnerability Name", "Vulnerability Severity", "Package Name"),
		s.Has("panels[].data[].vuln_id"), s.Has("data[].vulnName"):
		return parsers.Sure
	case s.Has("panels", "schedule"):
		return parsers.Likely
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Sysdig Secure"
	head := make([]byte, 512)
	n, _ := in.Read(head)
	if err := in.Rewind(); err != nil {
		return err
	}
	if t := bytes.TrimSpace(head[:n]); len(t) == 0 || t[0] == '{' || t[0] == '[' {
		return parseJSON(in, out)
	}
	return parseCSV(in, out)
}

// vulnerability is what all of the formats say.
type vulnerability struct {
	id, severity, link, published, fixed                  string
	cvssVersion, cvssScore, cvssVector, exploit, kev      string
	pkg, version, kind, path, inUse, suggested            string
	image, os, imageID                                    string
	cluster, namespace, workload, workloadKind, container string
	registry, repository                                  string
	accepted                                              bool
}

// title names the vulnerability in the CSV's reports.
func (v vulnerability) title() string {
	if v.cluster != "" {
		return v.cluster + " - " + v.namespace + " - " + v.pkg + " - " + v.id
	}
	return v.id + " - " + v.pkg
}

func (v vulnerability) observation() gate.Observation {
	var about parsers.Text
	about.Add(v.id+" is in "+strings.TrimSpace(v.pkg+" "+v.version)+".").
		Fact("Kind of package", v.kind).Fact("Path", v.path).Fact("In use", v.inUse).
		Fact("Published", v.published).Fact("Fixed version", v.fixed).
		Fact("CVSS", strings.TrimSpace(v.cvssVersion+" "+v.cvssVector+" "+v.cvssScore)).Fact("Public exploit", v.exploit).
		Fact("Known to be exploited since", v.kev).
		Fact("Image", v.image).Fact("Operating system", v.os).Fact("Image ID", v.imageID).
		Fact("Cluster", v.cluster).Fact("Namespace", v.namespace).
		Fact("Workload", strings.TrimSpace(v.workloadKind+" "+v.workload)).Fact("Container", v.container).
		Fact("Registry", v.registry).Fact("Repository", v.repository)
	o := gate.Observation{
		Severity:         gate.ParseSeverity(v.severity),
		Description:      about.String(),
		References:       v.link,
		VulnerabilityIDs: []string{v.id},
		Check:            v.id,
		ComponentName:    v.pkg,
		ComponentVersion: v.version,
		PublishDate:      parsers.ParseDate(v.published),
		Fix:              parsers.First(v.fixed, v.suggested),
		Exploited:        !parsers.ParseDate(v.kev).IsZero(),
	}
	switch {
	case v.suggested != "":
		o.Mitigation = "Update " + v.pkg + " to " + v.suggested + ", the version that Sysdig suggests."
	case v.fixed != "":
		o.Mitigation = "Update " + v.pkg + " to " + v.fixed + "."
	}
	return o
}

func parseCSV(in *stream.Input, out *parsers.Report) error {
	return stream.CSV(in, []string{"Package name", "Package version", "CVSS score"}, func(r stream.Row) error {
		if !r.Has("Vulnerability ID") && !r.Has("Vulnerability Name") {
			return stream.Errorf(`there is no column "Vulnerability ID" or "Vulnerability Name"`)
		}
		if r.Len() != len(r.Columns()) {
			return fmt.Errorf("the record has %d fields, the header %d", r.Len(), len(r.Columns()))
		}
		v := row(r)
		o := v.observation()
		o.Title, o.RuleID, o.URL, o.FilePath = v.title(), v.id, v.link, v.path
		o.RiskAccepted = v.accepted
		if strings.HasPrefix(v.cvssVersion, "3") {
			parsers.SetCVSS(&o, v.cvssVector)
			if s := stream.ParseFloat(v.cvssScore); s.OK {
				o.CVSSv3Score = s.Ptr()
			}
		}
		if v.cluster != "" {
			o.Analysis = gate.Dynamic
		}
		o.Tags = v.tags()
		out.Emit(o)
		return nil
	})
}

func row(r stream.Row) vulnerability {
	return vulnerability{
		id: r.Get("Vulnerability ID", "Vulnerability Name"), severity: r.Get("Severity", "Vulnerability Severity"), link: r.Get("Vuln link"),
		published: r.Get("Vuln Publish date", "Disclosure Date"), fixed: r.Get("Fix version"),
		cvssVersion: r.Get("CVSS version"), cvssScore: r.Get("CVSS score"), cvssVector: r.Get("CVSS vector"),
		exploit: r.Get("Public Exploit"), kev: r.Get("CISA KEV Publish Date"),
		pkg: r.Get("Package name"), version: r.Get("Package version"), kind: r.Get("Package type"), path: r.Get("Package path"),
		inUse: r.Get("In use", "Package In Use"), suggested: r.Get("Package suggested fix"),
		image: r.Get("Image", "Image Name"), os: r.Get("OS Name"), imageID: r.Get("Image ID"),
		cluster: r.Get("K8S cluster name", "Kubernetes Cluster Name"), namespace: r.Get("K8S namespace name", "Kubernetes Namespace Name"),
		workload: r.Get("K8S workload name", "Kubernetes Workload Name"), workloadKind: r.Get("K8S workload type", "Kubernetes Workload Type"),
		container: r.Get("K8S container name", "Kubernetes Container Name"),
		registry:  r.Get("Registry name"), repository: r.Get("Registry image repository"),
		accepted: strings.EqualFold(r.Get("Risk accepted"), "true"),
	}
}

// tags are the labels by which Sysdig's users look for findings.
func (v vulnerability) tags() []string {
	var tags []string
	add := func(name, value string) {
		if value != "" {
			tags = append(tags, strings.ReplaceAll(name+":"+value, " ", "_"))
		}
	}
	if v.cluster != "" {
		add("Cluster", v.cluster)
		add("Namespace", v.namespace)
		add("WorkloadName", v.workload)
	}
	add("PackageName", v.pkg)
	add("PackageVersion", v.version)
	if v.inUse != "" {
		inUse := "False"
		if strings.EqualFold(v.inUse, "true") {
			inUse = "True"
		}
		add("InUse", inUse)
	}
	add("VulnId", v.id)
	return tags
}
