// Package anchorectl_policies reads the policy evaluations that anchorectl,
// Anchore Enterprise's client, tells of an image.
//
// Made by "anchorectl image check IMAGE --detail -o json > check.json". The report
// is one object, before 1.5 an array of evaluations:
//
//	{"evaluatedTag": "shop:1", "imageDigest": "sha256:…", "policyId": "…", "evaluations": [{"evaluationTime": "2022-09-20T08:25:52Z",
//	  "status": "fail", "finalAction": "stop", "details": [{"description": "User root found as effective user, …",
//	    "gate": "dockerfile", "policyId": "RootUser", "status": "warn", "tag": "shop:1", "triggerId": "b2605c…", "triggerName": "effective_user"}]}]}
//
//	[{"detail": [{…}], "digest": "sha256:…", "lastEvaluation": "…", "status": "fail", "tag": "shop:1"}]
//
// A description may begin with a severity; else the action says it: stop is
// Critical, warn Medium, go Low.
package anchorectl_policies

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads anchorectl's JSON.
var Parsers = []parsers.Parser{{
	Name:     "anchorectl_policies",
	ScanType: "AnchoreCTL Policies Report",
	Files:    "JSON",
	Command:  "anchorectl image check IMAGE --detail -o json > check.json",
	URL:      "https://docs.anchore.com/current/docs/deployment/anchorectl/",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("evaluations", "imageDigest"), s.Has("evaluations[].finalAction"), s.Has("[].detail", "[].finalAction"), s.Has("[].detail[].triggerId"):
		return parsers.Sure
	case s.Has("[].detail"):
		return parsers.Possible
	}
	return parsers.No
}

type evaluation struct {
	Time    string    `json:"evaluationTime"`
	Last    string    `json:"lastEvaluation"`
	Tag     string    `json:"tag"`
	Status  string    `json:"status"`
	Details []outcome `json:"details"`
	Detail  []outcome `json:"detail"`
}

type outcome struct {
	Description string `json:"description"`
	Gate        string `json:"gate"`
	ImageID     string `json:"imageId"`
	PolicyID    string `json:"policyId"`
	Status      string `json:"status"`
	Tag         string `json:"tag"`
	TriggerID   string `json:"triggerId"`
	TriggerName string `json:"triggerName"`
	Allowlisted bool   `json:"allowlisted"`
	Remediation string `json:"recommendation"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "anchorectl"
	each := stream.Each(func(e evaluation) error {
		if t := parsers.ParseTime(parsers.First(e.Time, e.Last)); t.After(run.FinishedAt) {
			run.FinishedAt = t
		}
		run.Target = parsers.First(run.Target, e.Tag)
		for _, o := range append(e.Details, e.Detail...) {
			if !o.Allowlisted {
				out.Emit(o.observation(e, run.Target))
			}
		}
		return nil
	})
	return stream.JSON(in, stream.ByKind(stream.Kinds{
		'[': each,
		'{': stream.Object(stream.Fields{
			"evaluatedTag": stream.One(func(s stream.Text) error { run.Target = string(s); return nil }),
			"imageDigest":  stream.One(func(s stream.Text) error { run.Revision = string(s); return nil }),
			"evaluations":  each,
		}, "evaluations"),
	}))
}

func (p outcome) observation(e evaluation, target string) gate.Observation {
	var about parsers.Text
	about.Add(p.Description).Fact("Policy", p.PolicyID).Fact("Gate", p.Gate).Fact("Trigger", p.TriggerName).
		Fact("Action", p.Status).Fact("Image", parsers.First(p.Tag, target)).Fact("Image ID", p.ImageID)
	o := gate.Observation{
		Title:       p.PolicyID + " - gate|" + p.Gate + " - trigger|" + p.TriggerID,
		Severity:    p.severity(),
		Description: about.String(),
		Mitigation:  p.Remediation,
		References:  parsers.Lines("Policy: "+p.PolicyID, "Trigger: "+p.TriggerID),
		Check:       p.Gate + ":" + p.TriggerName,
		Date:        parsers.ParseDate(parsers.First(e.Time, e.Last)),
	}
	o.ComponentName, o.ComponentVersion = image(parsers.First(p.Tag, target))
	if id, _, _ := strings.Cut(p.TriggerID, "+"); strings.HasPrefix(id, "CVE-") {
		o.VulnerabilityIDs = []string{id}
	}
	return o
}

// severity is the word that the description begins with, or what the action says.
func (p outcome) severity() gate.Severity {
	word, _, _ := strings.Cut(p.Description, " ")
	if word == strings.ToUpper(word) && word != "" {
		if s, ok := gate.SeverityOf(word); ok {
			return s
		}
	}
	switch strings.ToLower(p.Status) {
	case "stop":
		return gate.Critical
	case "warn":
		return gate.Medium
	}
	return gate.Low
}

// image splits the name of an image into repository and tag. A registry's port
// is not a tag.
func image(tag string) (repository, version string) {
	if i := strings.LastIndexByte(tag, ':'); i > strings.LastIndexByte(tag, '/') {
		return tag[:i], tag[i+1:]
	}
	return tag, ""
}
