// Package anchore_enterprise reads the policy check that Anchore makes of an image.
//
// Made by "anchore-cli --json evaluate check IMAGE --detail > check.json". The report
// nests what was checked by digest and tag; each row of the table is a finding:
//
//	[{"sha256:…": {"docker.io/shop:1": [{"last_evaluation": "2020-03-06T13:40:10Z", "policyId": "…", "status": "fail",
//	  "detail": {"policy": {"policies": [{"id": "48e6…", "name": "DefaultPolicy", …}]},
//	    "result": {"image_id": "c1d9…", "result": {"c1d9…": {"result": {
//	      "header": ["Image_Id", "Repo_Tag", "Trigger_Id", "Gate", "Trigger", "Check_Output", "Gate_Action", "Whitelisted", "Policy_Id"],
//	      "rows": [["c1d9…", "docker.io/shop:1", "41cb…", "dockerfile", "instruction", "Dockerfile directive …", "warn", false, "48e6…"]]}}}}}}]}}]
//
// The action stop is Critical, warn Medium, go Low. Whitelisted rows are accepted.
package anchore_enterprise

import (
	"regexp"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Anchore's policy checks.
var Parsers = []parsers.Parser{{
	Name:     "anchore_enterprise",
	ScanType: "Anchore Enterprise Policy Check",
	Files:    "JSON",
	Command:  "anchore-cli --json evaluate check IMAGE --detail > check.json",
	URL:      "https://docs.anchore.com/",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Format == parsers.JSON && s.Contains(`"last_evaluation"`, `"policyId"`) || s.Contains(`"Gate_Action"`, `"Trigger_Id"`) {
		return parsers.Sure
	}
	if s.Contains(`"whitelisted_images"`, `"policies"`, `"sha256:`) {
		return parsers.Likely
	}
	return parsers.No
}

type evaluation struct {
	Last   string `json:"last_evaluation"`
	Detail *struct {
		Policy struct {
			Policies []struct {
				ID   string `json:"id"`
				Name string `json:"name"`
			} `json:"policies"`
		} `json:"policy"`
		Result struct {
			ImageID string                              `json:"image_id"`
			Result  map[string]stream.Lenient[forImage] `json:"result"` // by image id; other keys hold other things
		} `json:"result"`
	} `json:"detail"`
}

type forImage struct {
	Result struct {
		Rows [][]stream.Text `json:"rows"`
	} `json:"result"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Anchore"
	evaluations := func(tag string, d *stream.Decoder) error {
		run.Target = tag
		return stream.Each(func(e evaluation) error {
			if e.Detail == nil {
				return stream.Errorf(`an evaluation has no "detail": make the report with --detail`)
			}
			run.FinishedAt = parsers.ParseTime(e.Last)
			for _, cells := range e.Detail.Result.Result[e.Detail.Result.ImageID].Value.Result.Rows {
				if r := row(cells); r.get(accepted) != "true" {
					out.Emit(r.observation(e))
				}
			}
			return nil
		})(d)
	}
	some := false
	image := stream.Entries(func(_ string, d *stream.Decoder) error {
		some = true
		return stream.Entries(evaluations)(d)
	})
	err := stream.JSON(in, stream.ByKind(stream.Kinds{'[': stream.Array(image), '{': image}))
	if err == nil && !some {
		return stream.Errorf("the report holds no image")
	}
	return err
}

// row is a row of the table.
type row []stream.Text

// The columns, as the table's header names them.
const (
	imageID = iota
	repoTag
	triggerID
	gateName
	trigger
	output
	action
	accepted
	policyID
)

func (r row) get(i int) string {
	if i < len(r) {
		return string(r[i])
	}
	return ""
}

// path finds a file in a check's words.
var path = regexp.MustCompile(`(?:^| )(/[^/ ]+(?:/[^/ ]+)*)`)

func (r row) observation(e evaluation) gate.Observation {
	policy := "unknown"
	for _, p := range e.Detail.Policy.Policies {
		if p.ID == r.get(policyID) {
			policy = p.Name
		}
	}
	var about parsers.Text
	about.Add(r.get(output)).Fact("Policy", policy).Fact("Gate", r.get(gateName)).Fact("Trigger", r.get(trigger)).
		Fact("Action", r.get(action)).Fact("Image", r.get(repoTag))
	o := gate.Observation{
		Title:       policy + " - gate|" + r.get(gateName) + " - trigger|" + r.get(triggerID),
		Severity:    severity(r.get(action)),
		Description: about.String(),
		References:  parsers.Lines("Policy: "+r.get(policyID), "Trigger: "+r.get(triggerID)),
		Check:       r.get(gateName) + ":" + r.get(trigger),
		Date:        parsers.ParseDate(e.Last),
	}
	if i := strings.LastIndexByte(r.get(repoTag), ':'); i > strings.LastIndexByte(r.get(repoTag), '/') {
		o.ComponentName, o.ComponentVersion = r.get(repoTag)[:i], r.get(repoTag)[i+1:]
	}
	if m := path.FindStringSubmatch(r.get(output)); m != nil {
		o.FilePath = m[1]
	}
	if id, _, _ := strings.Cut(r.get(triggerID), "+"); strings.HasPrefix(id, "CVE-") {
		o.VulnerabilityIDs = []string{id}
	}
	return o
}

// severity rates what Anchore does with an image that fails the check.
func severity(action string) gate.Severity {
	switch strings.ToLower(action) {
	case "stop":
		return gate.Critical
	case "warn":
		return gate.Medium
	}
	return gate.Low
}
