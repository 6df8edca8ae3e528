package twistlock

import (
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// severities are the words that distributions use, beside the usual ones.
var severities = map[string]gate.Severity{"unimportant": gate.Low}

func severity(word string) gate.Severity {
	if s, ok := severities[strings.ToLower(word)]; ok {
		return s
	}
	return gate.ParseSeverity(word)
}

type vulnerability struct {
	ID             string                                 `json:"id"`
	Status         string                                 `json:"status"`
	CVSS           stream.Float                           `json:"cvss"`
	Vector         string                                 `json:"vector"`
	Description    string                                 `json:"description"`
	Severity       string                                 `json:"severity"`
	PackageName    string                                 `json:"packageName"`
	PackageVersion stream.Text                            `json:"packageVersion"`
	PackagePath    string                                 `json:"packagePath"`
	Link           string                                 `json:"link"`
	RiskFactors    stream.Lenient[map[string]stream.Text] `json:"riskFactors"`
	Discovered     string                                 `json:"discoveredDate"`
	Published      string                                 `json:"publishedDate"`
}

func (v vulnerability) observation(i image) gate.Observation {
	version := string(v.PackageVersion)
	var about, impact, why parsers.Text
	about.Add(v.Description).Fact("Package", v.PackageName).Fact("Version", version).Fact("Path", v.PackagePath)
	impact.Add("Rated "+parsers.First(v.Severity, "not")+" by the scanner.").Fact("Image", i.name).Fact("Image ID", i.id).Fact("Distribution", i.distro)
	why.Fact("Vector", v.Vector)
	if v.CVSS.OK {
		why.Fact("CVSS score", number(v.CVSS.F))
	}
	var factors []string
	for f := range v.RiskFactors.Value {
		factors = append(factors, f)
	}
	slices.Sort(factors)
	why.Facts("Risk factors", factors)
	o := gate.Observation{
		Title:                 v.ID + ": " + v.PackageName + " - " + version,
		Severity:              severity(v.Severity),
		Description:           about.String(),
		Mitigation:            mitigation(v.Status),
		Fix:                   parsers.FixedInWords(v.Status),
		Impact:                impact.String(),
		References:            v.Link,
		SeverityJustification: why.String(),
		VulnerabilityIDs:      []string{v.ID},
		FilePath:              v.PackagePath,
		ComponentName:         v.PackageName,
		ComponentVersion:      version,
		Date:                  parsers.ParseDate(v.Discovered),
		PublishDate:           parsers.ParseDate(v.Published),
	}
	parsers.SetCVSS(&o, v.Vector)
	if o.CVSSv3 != "" && v.CVSS.OK {
		o.CVSSv3Score = v.CVSS.Ptr()
	}
	return o
}

// mitigation says what the status of a vulnerability means to a person.
func mitigation(status string) string {
	switch s := strings.ToLower(status); {
	case s == "":
		return "The scanner knows of no fix yet."
	case strings.HasPrefix(s, "fixed in"):
		return "It is " + status + ": update to that version."
	}
	return "Status: " + status
}

type compliance struct {
	ID          stream.Text `json:"id"`
	Title       string      `json:"title"`
	Severity    string      `json:"severity"`
	Cause       stream.Text `json:"cause"`
	Description string      `json:"description"`
	Category    string      `json:"category"`
}

func (c compliance) observation(i image) gate.Observation {
	var about, impact parsers.Text
	about.Add(c.Title).Add(c.Description).Fact("Cause", string(c.Cause)).Fact("Category", c.Category).Fact("Check", string(c.ID))
	impact.Add("The image does not comply with the check "+string(c.ID)+".").Fact("Image", i.name).Fact("Image ID", i.id).Fact("Distribution", i.distro)
	o := gate.Observation{
		Title:                 "Compliance: " + c.Title,
		Severity:              severity(c.Severity),
		Description:           about.String(),
		Mitigation:            "Change the image so that it passes: " + parsers.First(c.Description, c.Title),
		Impact:                impact.String(),
		SeverityJustification: "Twistlock rates this check " + c.Severity + ".",
		RuleID:                string(c.ID),
		Tags:                  []string{"compliance"},
	}
	if c.Category != "" {
		o.Tags = append(o.Tags, strings.ToLower(c.Category))
	}
	return o
}
