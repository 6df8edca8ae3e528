package anchore_engine

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// evaluation is a vulnerability as the page of an image has it.
type evaluation struct {
	ID          string       `json:"vulnerabilityId"`
	CVEs        string       `json:"cves"`
	Package     string       `json:"package"`
	Type        string       `json:"packageType"`
	Path        string       `json:"path"`
	Severity    string       `json:"severity"`
	Fix         stream.Text  `json:"fixAvailable"` // versions, or "None"
	Link        string       `json:"link"`
	Score       stream.Float `json:"nvdCvssBaseScore"`
	Description stream.Text  `json:"description"`
}

// key is what makes two records one: feeds tell of a CVE under their own ids, too.
func (e evaluation) key() string {
	return strings.Join([]string{parsers.First(e.CVEs, e.ID), e.Package, e.Type, e.Path, e.Severity}, "|")
}

func (e evaluation) observation(image string) gate.Observation {
	fix := string(e.Fix)
	if fix == "None" {
		fix = ""
	}
	var about parsers.Text
	about.Add(string(e.Description)).Fact("Package", e.Package).Fact("Type", e.Type).Fact("Path", e.Path).Fact("CVEs", e.CVEs).Fact("Image", image)
	o := gate.Observation{
		Title:            e.ID + "-" + e.Package + "(" + e.Type + ")",
		Severity:         gate.ParseSeverity(e.Severity),
		Description:      about.String(),
		Mitigation:       "No version that fixes it is known yet. See " + e.Link,
		References:       e.Link,
		VulnerabilityIDs: []string{e.ID},
		RuleID:           e.ID,
		FilePath:         e.Path,
		ComponentName:    e.Package,
		URL:              e.Link,
		FixAvailable:     new(fix != ""),
		Fix:              parsers.Fixed(strings.Split(fix, ",")...),
	}
	if fix != "" {
		o.Mitigation = "Upgrade " + e.Package + " to " + strings.ReplaceAll(fix, ",", " or ") + ". See " + e.Link
	}
	if e.Score.OK && e.Score.F >= 0 && e.Score.F <= 10 {
		o.CVSSv3Score = e.Score.Ptr()
	}
	return o
}
