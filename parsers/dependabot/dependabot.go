// Package dependabot reads GitHub's Dependabot alerts as its REST API lists them, of a repository, an organization or an enterprise. DefectDojo
// reads those of the GraphQL API alone: package github_vulnerability.
//
// Made by "gh api --paginate repos/OWNER/REPO/dependabot/alerts > alerts.json", an array, or an array of pages with --slurp:
//
//	[{"number": 2, "state": "open", "html_url": "https://github.com/o/r/security/dependabot/2", "created_at": "2022-06-15T07:43:03Z",
//	  "dependency": {"package": {"ecosystem": "pip", "name": "django"}, "manifest_path": "requirements.txt", "scope": "runtime", "relationship": "direct"},
//	  "security_advisory": {"ghsa_id": "GHSA-rf4j-j272-fj86", "cve_id": "CVE-2018-6188", "summary": "…", "description": "…", "severity": "high",
//	    "cvss_severities": {"cvss_v3": {"vector_string": "CVSS:3.0/…", "score": 7.5}}, "epss": {"percentage": 0.00045, "percentile": 0.16},
//	    "cwes": [{"cwe_id": "CWE-200", "name": "…"}], "identifiers": [{"type": "GHSA", "value": "…"}], "references": [{"url": "…"}]},
//	  "security_vulnerability": {"package": {…}, "severity": "high", "vulnerable_version_range": ">= 2.0.0, < 2.0.2", "first_patched_version": {"identifier": "2.0.2"}},
//	  "repository": {"full_name": "o/r"}}]
//
// An alert that was fixed is mitigated; one that was dismissed is not active, and is a false positive or an accepted risk where the reason says so.
package dependabot

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Dependabot alerts.
var Parsers = []parsers.Parser{{
	Name:     "dependabot",
	ScanType: "GitHub Dependabot Alerts Scan",
	Files:    "JSON",
	Command:  "gh api --paginate repos/OWNER/REPO/dependabot/alerts > alerts.json",
	URL:      "https://docs.github.com/rest/dependabot/alerts",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	for _, at := range []string{"[].", "[][].", ""} {
		if s.Has(at+"security_advisory", at+"security_vulnerability", at+"dependency") {
			return parsers.Sure
		}
	}
	if s.Is("[]") {
		return parsers.Possible
	}
	return parsers.No
}

type alert struct {
	Number       stream.Text `json:"number"`
	State        stream.Text `json:"state"`
	HTMLURL      stream.Text `json:"html_url"`
	Created      stream.Text `json:"created_at"`
	Fixed        stream.Text `json:"fixed_at"`
	Dismissed    stream.Text `json:"dismissed_at"`
	AutoDismiss  stream.Text `json:"auto_dismissed_at"`
	Reason       stream.Text `json:"dismissed_reason"`
	Comment      stream.Text `json:"dismissed_comment"`
	Dependency   dependency  `json:"dependency"`
	Advisory     *advisory   `json:"security_advisory"`
	Affected     affected    `json:"security_vulnerability"`
	OfRepository struct {
		FullName stream.Text `json:"full_name"`
	} `json:"repository"`
}

type dependency struct {
	Package      pack        `json:"package"`
	Manifest     stream.Text `json:"manifest_path"`
	Scope        stream.Text `json:"scope"`
	Relationship stream.Text `json:"relationship"`
}

type pack struct {
	Ecosystem stream.Text `json:"ecosystem"`
	Name      stream.Text `json:"name"`
}

type affected struct {
	Package  pack        `json:"package"`
	Severity stream.Text `json:"severity"`
	Range    stream.Text `json:"vulnerable_version_range"`
	Patched  struct {
		Version stream.Text `json:"identifier"`
	} `json:"first_patched_version"`
}

type rating struct {
	Vector stream.Text `json:"vector_string"`
}

type advisory struct {
	GHSA           stream.Text `json:"ghsa_id"`
	CVE            stream.Text `json:"cve_id"`
	Summary        stream.Text `json:"summary"`
	Description    stream.Text `json:"description"`
	Severity       stream.Text `json:"severity"`
	Classification stream.Text `json:"classification"`
	CVSS           rating      `json:"cvss"`
	Severities     struct {
		V3 rating `json:"cvss_v3"`
		V4 rating `json:"cvss_v4"`
	} `json:"cvss_severities"`
	EPSS stream.OneOrMany[struct {
		Percentage stream.Float `json:"percentage"`
		Percentile stream.Float `json:"percentile"`
	}] `json:"epss"`
	CWEs []struct {
		ID   stream.Text `json:"cwe_id"`
		Name stream.Text `json:"name"`
	} `json:"cwes"`
	Identifiers []struct {
		Value stream.Text `json:"value"`
	} `json:"identifiers"`
	References []struct {
		URL stream.Text `json:"url"`
	} `json:"references"`
	Published stream.Text `json:"published_at"`
	Withdrawn stream.Text `json:"withdrawn_at"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "GitHub Dependabot"
	one := stream.One(func(a alert) error {
		if a.Advisory == nil {
			return stream.Errorf(`no "security_advisory": this is no Dependabot alert`)
		}
		if run.Target == "" {
			run.Target, _, _ = strings.Cut(string(a.HTMLURL), "/security/")
		}
		out.Emit(observation(a))
		return nil
	})
	return stream.JSON(in, stream.ByKind(stream.Kinds{'{': one, '[': stream.Array(stream.ByKind(stream.Kinds{'{': one, '[': stream.Array(one)}))}))
}

// types are the package URL types of GitHub's ecosystems.
var types = map[string]string{
	"npm": "npm", "pip": "pypi", "maven": "maven", "nuget": "nuget", "composer": "composer", "rubygems": "gem", "go": "golang", "rust": "cargo", "pub": "pub",
	"actions": "github", "erlang": "hex", "swift": "swift",
}

func observation(a alert) gate.Observation {
	v := *a.Advisory
	name := parsers.First(string(a.Dependency.Package.Name), string(a.Affected.Package.Name))
	kind := strings.ToLower(parsers.First(string(a.Dependency.Package.Ecosystem), string(a.Affected.Package.Ecosystem)))
	o := gate.Observation{
		Title:            parsers.First(string(v.Summary), string(v.GHSA)) + " (" + name + ")",
		Severity:         gate.ParseSeverity(parsers.First(string(a.Affected.Severity), string(v.Severity))),
		Description:      describe(a, name, kind),
		Mitigation:       mitigation(a, name),
		References:       v.links(string(a.HTMLURL)),
		RuleID:           parsers.First(string(v.GHSA), string(v.CVE)),
		UniqueID:         string(a.HTMLURL),
		URL:              string(a.HTMLURL),
		VulnerabilityIDs: v.ids(),
		FilePath:         string(a.Dependency.Manifest),
		ComponentName:    name,
		ComponentVersion: exact(string(a.Affected.Range)),
		Service:          string(a.OfRepository.FullName),
		FixVersion:       string(a.Affected.Patched.Version),
		FixAvailable:     new(a.Affected.Patched.Version != ""),
		Date:             parsers.ParseDate(string(a.Created)),
		PublishDate:      parsers.ParseDate(string(v.Published)),
	}
	o.PURL = parsers.PURL(types[kind], name, o.ComponentVersion)
	if v.Classification == "malware" {
		o.Severity = gate.Critical
	}
	parsers.SetCVSS(&o, string(v.Severities.V3.Vector), string(v.Severities.V4.Vector), string(v.CVSS.Vector))
	v.rate(&o)
	a.settle(&o)
	return o
}

// exact returns the version of a range of one: "= 1.2.0".
func exact(versions string) string {
	if v, ok := strings.CutPrefix(versions, "= "); ok && !strings.Contains(v, ",") {
		return v
	}
	return ""
}

// rate adds the weaknesses and the EPSS score.
func (v advisory) rate(o *gate.Observation) {
	for _, c := range v.CWEs {
		parsers.SetCWEs(o, c.ID)
	}
	for _, e := range v.EPSS {
		if e.Percentage.OK && e.Percentage.F <= 1 {
			o.EPSSScore = e.Percentage.Ptr()
		}
		if e.Percentile.OK && e.Percentile.F <= 1 {
			o.EPSSPercentile = e.Percentile.Ptr()
		}
	}
}

// settle says what became of an alert.
func (a alert) settle(o *gate.Observation) {
	switch strings.ToLower(string(a.State)) {
	case "", "open":
		return
	case "fixed":
		o.Mitigated, o.MitigatedAt = true, parsers.ParseTime(string(a.Fixed))
	case "dismissed":
		o.FalsePositive = a.Reason == "inaccurate" || a.Reason == "not_used"
		o.RiskAccepted = a.Reason == "tolerable_risk" || a.Reason == "no_bandwidth"
	}
	o.Active = new(false)
}

func (v advisory) ids() []string {
	ids := []string{string(v.CVE), string(v.GHSA)}
	for _, i := range v.Identifiers {
		ids = append(ids, string(i.Value))
	}
	return ids
}

func (v advisory) links(alert string) string {
	links := []string{alert}
	if v.GHSA != "" {
		links = append(links, "https://github.com/advisories/"+string(v.GHSA))
	}
	for _, r := range v.References {
		links = append(links, string(r.URL))
	}
	return parsers.Lines(links...)
}

func describe(a alert, name, kind string) string {
	v := *a.Advisory
	var text parsers.Text
	text.Add(string(v.Summary)).Fact("Package", "`"+name+"`").Fact("Ecosystem", kind).Fact("Manifest", string(a.Dependency.Manifest)).
		Fact("Affected versions", string(a.Affected.Range)).Fact("First version with the fix", string(a.Affected.Patched.Version)).
		Fact("Used for", string(a.Dependency.Scope)).Fact("How it is depended on", string(a.Dependency.Relationship)).Fact("Repository", string(a.OfRepository.FullName))
	var weak []string
	for _, c := range v.CWEs {
		weak = append(weak, strings.TrimSpace(string(c.ID+" "+c.Name)))
	}
	text.Facts("Weaknesses", weak).Fact("Alert", string(a.HTMLURL)).Fact("State", string(a.State)).Fact("Withdrawn", string(v.Withdrawn))
	text.Fact("Dismissed", strings.TrimSpace(strings.ReplaceAll(string(a.Reason), "_", " ")+" "+string(a.Comment)))
	return text.Section("Advisory", string(v.Description)).String()
}

func mitigation(a alert, name string) string {
	if p := a.Affected.Patched.Version; p != "" {
		return "Upgrade `" + name + "` to version " + string(p) + " or later."
	}
	if a.Advisory.Classification == "malware" {
		return "Remove the package, and treat every machine that installed it as compromised: rotate its keys and secrets."
	}
	return ""
}
