// Package snyk_issue_api reads issues as Snyk's REST API gives them.
//
// Made by "curl -H 'Authorization: token …' 'https://api.snyk.io/rest/orgs/ORG/issues?version=2024-10-15'". The report is:
//
//	{"jsonapi": {"version": "1.0"}, "data": [{"id": "…", "type": "issue", "attributes": {
//	  "title": "…", "description": "…", "effective_severity_level": "high", "status": "open", "ignored": false, "type": "code",
//	  "key": "…", "created_at": "…", "classes": [{"id": "CWE-352", "source": "CWE"}],
//	  "problems": [{"id": "…", "source": "SNYK", "url": "…"}], "risk": {"score": {"model": "v1", "value": 829}},
//	  "coordinates": [{"is_fixable_snyk": false, "is_upgradeable": true, "remedies": [{"description": "…"}], "representations": [
//	    {"sourceLocation": {"file": "a.js", "commit_id": "…", "region": {"start": {"line": 65}, "end": {"line": 71}}}},
//	    {"dependency": {"package_name": "lodash", "package_version": "4.17.20"}}]}]}}]}
//
// An ignored issue is a false positive, as DefectDojo has it.
package snyk_issue_api

import (
	"strconv"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads the issues of Snyk's API.
var Parsers = []parsers.Parser{{
	Name:     "snyk_issue_api",
	ScanType: "Snyk Issue API Scan",
	Files:    "JSON",
	Command:  "curl -H 'Authorization: token TOKEN' 'https://api.snyk.io/rest/orgs/ORG/issues?version=2024-10-15' > issues.json",
	URL:      "https://docs.snyk.io/snyk-api/reference/issues",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("jsonapi", "data[].attributes.effective_severity_level"):
		return parsers.Sure
	case s.Has("jsonapi", "data"):
		return parsers.Likely
	}
	return parsers.No
}

type issue struct {
	ID         stream.Text `json:"id"`
	Attributes attributes  `json:"attributes"`
}

type attributes struct {
	Title       stream.Text `json:"title"`
	Description stream.Text `json:"description"`
	Severity    stream.Text `json:"effective_severity_level"`
	Status      stream.Text `json:"status"`
	Ignored     bool        `json:"ignored"`
	Type        stream.Text `json:"type"`
	Key         stream.Text `json:"key"`
	Tool        stream.Text `json:"tool"`
	CreatedAt   stream.Text `json:"created_at"`
	UpdatedAt   stream.Text `json:"updated_at"`
	Classes     []struct {
		ID     stream.Text `json:"id"`
		Source stream.Text `json:"source"`
	} `json:"classes"`
	Severities []struct {
		Vector stream.Text  `json:"vector"`
		Score  stream.Float `json:"score"`
	} `json:"severities"`
	Problems    []problem `json:"problems"`
	Coordinates []struct {
		Manually        bool             `json:"is_fixable_manually"`
		Snyk            bool             `json:"is_fixable_snyk"`
		Upstream        bool             `json:"is_fixable_upstream"`
		Patchable       bool             `json:"is_patchable"`
		Pinnable        bool             `json:"is_pinnable"`
		Upgradeable     bool             `json:"is_upgradeable"`
		Remedies        []remedy         `json:"remedies"`
		Representations []representation `json:"representations"`
	} `json:"coordinates"`
	Risk struct {
		Score struct {
			Model stream.Text `json:"model"`
			Value stream.Text `json:"value"`
		} `json:"score"`
		Factors []struct {
			Name stream.Text `json:"name"`
		} `json:"factors"`
	} `json:"risk"`
}

type problem struct {
	ID        stream.Text `json:"id"`
	Source    stream.Text `json:"source"`
	Type      stream.Text `json:"type"`
	URL       stream.Text `json:"url"`
	UpdatedAt stream.Text `json:"updated_at"`
}

type remedy struct {
	Description stream.Text `json:"description"`
}

type representation struct {
	Path   stream.Text `json:"resourcePath"`
	Source struct {
		File   stream.Text `json:"file"`
		Commit stream.Text `json:"commit_id"`
		Region struct {
			Start point `json:"start"`
			End   point `json:"end"`
		} `json:"region"`
	} `json:"sourceLocation"`
	Dependency struct {
		Name    stream.Text `json:"package_name"`
		Version stream.Text `json:"package_version"`
	} `json:"dependency"`
}

type point struct {
	Line stream.Int `json:"line"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Snyk"
	return stream.JSON(in, stream.Object(stream.Fields{
		"data": stream.Each(func(i issue) error {
			out.Emit(observation(i))
			return nil
		}),
	}, "data"))
}

func observation(i issue) gate.Observation {
	a := i.Attributes
	o := gate.Observation{
		Title:        string(a.Title),
		Severity:     gate.ParseSeverity(string(a.Severity)),
		UniqueID:     string(i.ID),
		RuleID:       string(a.Key),
		Date:         parsers.ParseDate(string(a.CreatedAt)),
		FixAvailable: new(false),
	}
	for _, c := range a.Classes {
		if c.Source == "CWE" || c.Source == "" {
			parsers.SetCWEs(&o, c.ID)
		}
	}
	setCVSS(&o, a)
	var links []string
	for _, p := range a.Problems {
		o.VulnerabilityIDs = append(o.VulnerabilityIDs, string(p.ID))
		links = append(links, string(p.URL))
	}
	o.References = parsers.Lines(links...)
	if score := a.Risk.Score; score.Value != "" {
		o.SeverityJustification = "Risk score " + string(score.Value) + " of Snyk's model " + string(score.Model)
	}
	setStatus(&o, a)
	setPlace(&o, a)
	o.Description, o.Impact = description(a), impact(i)
	return o
}

// setCVSS takes the first vector of each version of CVSS with the score beside it,
// which is Snyk's or the NVD's.
func setCVSS(o *gate.Observation, a attributes) {
	for _, s := range a.Severities {
		if s.Score.F == 0 {
			continue
		}
		has3, has4 := o.CVSSv3 != "", o.CVSSv4 != ""
		parsers.SetCVSS(o, string(s.Vector))
		if !has3 && o.CVSSv3 != "" {
			o.CVSSv3Score = s.Score.Ptr()
		}
		if !has4 && o.CVSSv4 != "" {
			o.CVSSv4Score = s.Score.Ptr()
		}
	}
}

func setStatus(o *gate.Observation, a attributes) {
	if a.Ignored {
		o.FalsePositive, o.Verified = true, true
	}
	if strings.EqualFold(string(a.Status), "resolved") {
		o.Mitigated, o.Verified = true, true
	}
	if a.Ignored || !strings.EqualFold(string(a.Status), "open") {
		o.Active = new(false)
	}
}

// isCode tells whether it is an issue of the code and not of a package.
func (a attributes) isCode() bool { return a.Type == "code" }

// setPlace takes the first file of an issue of the code, and the last package of
// another, as DefectDojo does. A package stands in the place of the file, too.
func setPlace(o *gate.Observation, a attributes) {
	var remedies []string
	for _, c := range a.Coordinates {
		if c.Manually || c.Snyk || c.Upstream || !a.isCode() && (c.Patchable || c.Pinnable || c.Upgradeable) {
			*o.FixAvailable = true
		}
		for _, r := range c.Remedies {
			remedies = append(remedies, string(r.Description))
		}
		for _, r := range c.Representations {
			if s := r.Source; a.isCode() && s.File != "" && o.FilePath == "" {
				o.FilePath, o.Line, o.EndLine = string(s.File), s.Region.Start.Line.Ptr(), s.Region.End.Line.Ptr()
			}
			if d := r.Dependency; !a.isCode() && d.Name != "" {
				o.ComponentName, o.ComponentVersion, o.FilePath = string(d.Name), string(d.Version), string(d.Name)
			}
		}
	}
	o.Mitigation = parsers.Lines(remedies...)
}

func description(a attributes) string {
	var text parsers.Text
	text.Add(parsers.First(string(a.Description), string(a.Title))).Fact("Kind of issue", string(a.Type)).Fact("Status", string(a.Status)).
		Fact("Tool", string(a.Tool)).Fact("Updated", string(a.UpdatedAt))
	return text.String()
}

// impact tells which problems the issue is made of, and all of its places.
func impact(i issue) string {
	var text parsers.Text
	for _, p := range i.Attributes.Problems {
		text.Fact("Problem", string(p.ID)).Fact("Source", strings.TrimSpace(string(p.Source)+" "+string(p.Type))).Fact("Last updated", string(p.UpdatedAt))
	}
	var places, factors []string
	for _, c := range i.Attributes.Coordinates {
		for _, r := range c.Representations {
			places = append(places, place(r))
		}
	}
	for _, f := range i.Attributes.Risk.Factors {
		factors = append(factors, string(f.Name))
	}
	text.Facts("Risk factors", factors).Facts("Places", places)
	return text.String()
}

func place(r representation) string {
	s := r.Source
	switch {
	case s.File != "":
		where := string(s.File) + ", lines " + strconv.Itoa(s.Region.Start.Line.N) + " to " + strconv.Itoa(s.Region.End.Line.N)
		if s.Commit != "" {
			where += " at commit " + string(s.Commit)
		}
		return where
	case r.Dependency.Name != "":
		return strings.TrimSpace(string(r.Dependency.Name + " " + r.Dependency.Version))
	}
	return string(r.Path)
}
