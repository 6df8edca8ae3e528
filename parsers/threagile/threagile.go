// Package threagile reads the risks that Threagile, the threat-modelling toolkit, derives from a model.
//
// Made by "threagile -model threagile.yaml -output out", which writes out/risks.json. The report is a list:
//
//	[{"category": "missing-authentication", "risk_status": "unchecked", "severity": "elevated", "title": "<b>Missing …</b> …",
//	  "exploitation_likelihood": "likely", "exploitation_impact": "medium", "synthetic_id": "missing-authentication@…",
//	  "most_relevant_technical_asset": "app", "most_relevant_data_asset": "", "most_relevant_trust_boundary": "",
//	  "most_relevant_shared_runtime": "", "most_relevant_communication_link": "", "data_breach_probability": "improbable",
//	  "data_breach_technical_assets": ["db"]}]
//
// A risk does not name its weakness: the category does, in Threagile's own list.
package threagile

import (
	"errors"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Threagile's risks.
var Parsers = []parsers.Parser{{
	Name:     "threagile",
	ScanType: "Threagile risks report",
	Files:    "JSON",
	Command:  "threagile -model threagile.yaml -output out (out/risks.json)",
	URL:      "https://threagile.io",
	Analysis: gate.Dynamic, // as DefectDojo has it
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("[].synthetic_id", "[].risk_status"), s.Has("[].synthetic_id", "[].exploitation_likelihood"):
		return parsers.Sure
	case s.Is("[]"):
		return parsers.Possible
	}
	return parsers.No
}

type risk struct {
	Category      stream.Text                   `json:"category"`
	Status        stream.Text                   `json:"risk_status"`
	Severity      stream.Text                   `json:"severity"`
	Likelihood    stream.Text                   `json:"exploitation_likelihood"`
	Impact        stream.Text                   `json:"exploitation_impact"`
	Title         stream.Text                   `json:"title"`
	ID            stream.Text                   `json:"synthetic_id"`
	Data          stream.Text                   `json:"most_relevant_data_asset"`
	Technical     stream.Text                   `json:"most_relevant_technical_asset"`
	Boundary      stream.Text                   `json:"most_relevant_trust_boundary"`
	Runtime       stream.Text                   `json:"most_relevant_shared_runtime"`
	Link          stream.Text                   `json:"most_relevant_communication_link"`
	BreachChance  stream.Text                   `json:"data_breach_probability"`
	BreachedAsset stream.OneOrMany[stream.Text] `json:"data_breach_technical_assets"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Threagile"
	return stream.JSON(in, stream.Each(func(r risk) error {
		if r.Category == "" || r.Title == "" || r.Severity == "" {
			return errors.New("a risk without a category, a title or a severity")
		}
		out.Emit(observation(r))
		return nil
	}))
}

// severities are those of Threagile's words.
var severities = map[string]gate.Severity{"critical": gate.Critical, "high": gate.High, "elevated": gate.High, "medium": gate.Medium, "low": gate.Low}

func observation(r risk) gate.Observation {
	asset := parsers.First(string(r.Technical), string(r.Data), string(r.Boundary), string(r.Runtime), string(r.Link))
	var text parsers.Text
	text.Add(parsers.Markdown(string(r.Title))).Fact("Category", string(r.Category)).Fact("Status", string(r.Status)).
		Fact("Likelihood", string(r.Likelihood)).Fact("Impact", string(r.Impact)).
		Fact("Technical asset", string(r.Technical)).Fact("Data asset", string(r.Data)).Fact("Trust boundary", string(r.Boundary)).
		Fact("Shared runtime", string(r.Runtime)).Fact("Communication link", string(r.Link)).
		Fact("Data breach", string(r.BreachChance)).Facts("Assets whose data may be breached", stream.Strings(r.BreachedAsset))
	o := gate.Observation{
		Title:         string(r.Category),
		Severity:      severities[string(r.Severity)],
		Description:   text.String(),
		Impact:        string(r.Impact),
		UniqueID:      string(r.ID),
		ComponentName: asset,
		Check:         string(r.Category),
		CWE:           weaknesses[string(r.Category)],
		NoCWE:         weaknesses[string(r.Category)] == 0,
	}
	setStatus(&o, string(r.Status))
	return o
}

// setStatus reads how far people have come with the risk.
func setStatus(o *gate.Observation, status string) {
	switch status {
	case "in-discussion":
		o.UnderReview = true
	case "accepted":
		o.RiskAccepted = true
	case "in-progress":
		o.Verified = true
	case "mitigated":
		o.Mitigated = true
	case "false-positive":
		o.FalsePositive = true
	}
}
