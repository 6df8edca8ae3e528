// Package dotnet_vulnerable reads the JSON report of "dotnet list package
// --vulnerable", which checks the NuGet packages of .NET projects.
//
// Made by "dotnet list package --vulnerable --include-transitive --format json
// > dotnet.json" (.NET SDK 7.0.200 and later). The report is one object:
//
//	{"version": 1, "parameters": "--vulnerable --include-transitive", "sources": ["https://api.nuget.org/v3/index.json"],
//	 "problems": [{"project": "…", "level": "error", "text": "…"}],
//	 "projects": [{"path": "/src/app.csproj", "frameworks": [{"framework": "net8.0",
//	   "topLevelPackages": [{"id": "Newtonsoft.Json", "requestedVersion": "12.0.1", "resolvedVersion": "12.0.1",
//	     "vulnerabilities": [{"severity": "High", "advisoryurl": "https://github.com/advisories/GHSA-…"}]}],
//	   "transitivePackages": […]}]}]}
//
// A project without vulnerable packages has no "frameworks".
package dotnet_vulnerable

import (
	"path"
	"regexp"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads the JSON of "dotnet list package".
var Parsers = []parsers.Parser{{
	Name:     "dotnet_vulnerable",
	ScanType: "Dotnet Vulnerable Packages Scan",
	Files:    "JSON",
	Command:  "dotnet list package --vulnerable --include-transitive --format json > dotnet.json",
	URL:      "https://learn.microsoft.com/dotnet/core/tools/dotnet-list-package",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("parameters", "projects[].path") && strings.Contains(s.Value("parameters"), "--vulnerable"), s.Has("projects[].frameworks[].topLevelPackages"), s.Has("projects[].frameworks[].transitivePackages"):
		return parsers.Sure
	case s.Has("parameters", "sources", "projects"):
		return parsers.Likely
	}
	return parsers.No
}

type project struct {
	Path       string `json:"path"`
	Frameworks []struct {
		Framework  string `json:"framework"`
		TopLevel   []pack `json:"topLevelPackages"`
		Transitive []pack `json:"transitivePackages"`
	} `json:"frameworks"`
}

type pack struct {
	ID              string      `json:"id"`
	Requested       stream.Text `json:"requestedVersion"`
	Resolved        stream.Text `json:"resolvedVersion"`
	Vulnerabilities []struct {
		Severity string `json:"severity"`
		URL      string `json:"advisoryurl"`
	} `json:"vulnerabilities"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "dotnet"
	return stream.JSON(in, stream.Object(stream.Fields{
		"problems": stream.Each(func(p struct {
			Project string `json:"project"`
			Level   string `json:"level"`
			Text    string `json:"text"`
		},
		) error {
			out.Problem("%s", strings.TrimSpace(p.Level+" "+p.Project+": "+p.Text))
			return nil
		}),
		"projects": stream.Each(func(p project) error {
			for _, f := range p.Frameworks {
				emit(out, p.Path, f.Framework, "direct", f.TopLevel)
				emit(out, p.Path, f.Framework, "transitive", f.Transitive)
			}
			return nil
		}),
	}, "projects"))
}

func emit(out *parsers.Report, file, framework, kind string, packs []pack) {
	for _, p := range packs {
		version := parsers.First(string(p.Resolved), string(p.Requested))
		out.Component(gate.Component{Name: p.ID, Version: version, PURL: parsers.PURL("nuget", p.ID, version), Path: file})
		for _, v := range p.Vulnerabilities {
			id := advisory(v.URL)
			var text parsers.Text
			text.Add("The NuGet package `" + p.ID + "` " + version + ", a " + kind + " dependency of `" + file + "`, has a known vulnerability: " + id + ".")
			text.Fact("Package", p.ID).Fact("Resolved version", string(p.Resolved)).Fact("Requested version", string(p.Requested)).Fact("Dependency", kind).Fact("Project", file).Fact("Target framework", framework)
			todo := "Upgrade the reference to `" + p.ID + "` to a version that the advisory does not name."
			if kind == "transitive" {
				todo = "Upgrade the direct dependency that brings in `" + p.ID + "`, or reference a fixed version of `" + p.ID + "` in the project itself, so that it wins."
			}
			out.Emit(gate.Observation{
				Title:            p.ID + " " + version + " has a known " + strings.ToLower(v.Severity) + "-severity vulnerability",
				Severity:         gate.ParseSeverity(v.Severity),
				Description:      text.String(),
				Mitigation:       todo,
				References:       v.URL,
				VulnerabilityIDs: []string{id},
				RuleID:           id,
				ComponentName:    p.ID,
				ComponentVersion: version,
				PURL:             parsers.PURL("nuget", p.ID, version),
				URL:              v.URL,
			})
		}
	}
}

// known finds the id of an advisory in its address.
var known = regexp.MustCompile(`GHSA(-[0-9a-z]{4}){3}|CVE-\d{4}-\d{4,7}`)

func advisory(url string) string {
	if id := known.FindString(url); id != "" {
		return id
	}
	if url == "" {
		return ""
	}
	return path.Base(url)
}
