package semgrep

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// vuln is a vulnerable dependency in the platform's answer.
type vuln struct {
	Title    stream.Text `json:"title"`
	Advisory struct {
		RuleID      stream.Text `json:"ruleId"`
		Description stream.Text `json:"description"`
		Ecosystem   stream.Text `json:"ecosystem"`
		Severity    stream.Text `json:"severity"`
		ReachableIf stream.Text `json:"reachableIf"`
		References  struct {
			CVEs  texts `json:"cveIds"`
			CWEs  texts `json:"cweIds"`
			OWASP texts `json:"owaspIds"`
			URLs  texts `json:"urls"`
		} `json:"references"`
		Announced stream.Text `json:"announcedAt"`
		Safe      []version   `json:"safeDependencies"`
	} `json:"advisory"`
	Exposure     stream.Text `json:"exposureType"`
	RepositoryID stream.Text `json:"repositoryId"`
	Repository   stream.Text `json:"repositoryName"`
	Transitivity stream.Text `json:"transitivity"`
	Matched      version     `json:"matchedDependency"`
	Closest      version     `json:"closestSafeDependency"`
	Place        struct {
		Path stream.Text `json:"path"`
		Line stream.Int  `json:"startLine"`
		URL  stream.Text `json:"url"`
	} `json:"dependencyFileLocation"`
	Triage struct {
		Status stream.Text `json:"status"`
	} `json:"triage"`
}

type version struct {
	Name    stream.Text `json:"name"`
	Version stream.Text `json:"versionSpecifier"`
}

func (v version) String() string { return strings.TrimSpace(string(v.Name + " " + v.Version)) }

// observation has the repository's number as its rule, since DefectDojo has;
// the advisory's rule is the Check.
func (v vuln) observation() gate.Observation {
	a := v.Advisory
	o := gate.Observation{
		Title:       string(v.Title),
		Severity:    severity(a.Severity),
		Description: v.description(),
		Mitigation:  v.mitigation(),
		References:  parsers.Lines(words(a.References.URLs)...),
		RuleID:      string(v.RepositoryID),
		Check:       string(a.RuleID),
		FilePath:    string(v.Place.Path),
		Line:        v.Place.Line.Ptr(),
		URL:         string(v.Place.URL),
		PublishDate: parsers.ParseDate(string(a.Announced)),
		PURL:        parsers.PURL(purlTypes[strings.ToLower(string(a.Ecosystem))], string(v.Matched.Name), string(v.Matched.Version)),
	}
	setCWE(&o, a.References.CWEs)
	return o
}

func (v vuln) description() string {
	a := v.Advisory
	var t parsers.Text
	t.Add(string(a.Description)).
		Fact("Dependency", v.Matched.String()).
		Fact("Place", parsers.Place(string(v.Place.Path), v.Place.Line.Ptr())).
		Fact("Repository", string(v.Repository)).
		Fact("Exposure", readable(v.Exposure)).
		Fact("Reachable if", string(a.ReachableIf)).
		Fact("Transitivity", readable(v.Transitivity)).
		Facts("CVE", words(a.References.CVEs)).
		Facts("Weakness", words(a.References.CWEs)).
		Facts("OWASP", words(a.References.OWASP)).
		Fact("Triage", readable(v.Triage.Status))
	return t.String()
}

func (v vuln) mitigation() string {
	var t parsers.Text
	if c := v.Closest.String(); c != "" {
		t.Add("Update to " + c + ".")
	}
	var safe []string
	for _, s := range v.Advisory.Safe {
		safe = append(safe, s.String())
	}
	return t.Facts("Safe versions", safe).String()
}

// readable makes "MANUAL_REVIEW" words.
func readable(t stream.Text) string { return strings.ToLower(strings.ReplaceAll(string(t), "_", " ")) }
