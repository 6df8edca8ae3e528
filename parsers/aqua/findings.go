package aqua

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// resource is a package or a file of an image.
type resource struct {
	Format   string                   `json:"format"`
	Name     string                   `json:"name"`
	Version  string                   `json:"version"`
	Path     string                   `json:"path"`
	License  string                   `json:"license"`
	Licenses stream.OneOrMany[string] `json:"licenses"`
	Layer    string                   `json:"layer"`
}

// title names the resource, by its path if it has no name.
func (r resource) title() string { return parsers.First(r.Name, r.Path) }

func (r resource) licenses() []string {
	if r.License != "" {
		return []string{r.License}
	}
	return r.Licenses
}

type vulnerability struct {
	Name               string                     `json:"name"`
	Description        string                     `json:"description"`
	Published          string                     `json:"publish_date"`
	FixVersion         string                     `json:"fix_version"`
	Solution           string                     `json:"solution"`
	NVDURL             string                     `json:"nvd_url"`
	VendorURL          string                     `json:"vendor_url"`
	VendorStatement    string                     `json:"vendor_statement"`
	VendorSeverity     string                     `json:"vendor_severity"`
	NVDSeverity        string                     `json:"nvd_severity"`
	NVDSeverityV3      string                     `json:"nvd_severity_v3"`
	NVDScore           stream.Float               `json:"nvd_score"`
	NVDScoreV3         stream.Float               `json:"nvd_score_v3"`
	NVDVectors         string                     `json:"nvd_vectors"`
	NVDVectorsV3       string                     `json:"nvd_vectors_v3"`
	AquaScore          stream.Float               `json:"aqua_score"`
	AquaSeverity       string                     `json:"aqua_severity"`
	AquaScoring        string                     `json:"aqua_scoring_system"`
	AquaVectors        string                     `json:"aqua_vectors"`
	AquaClassification string                     `json:"aqua_severity_classification"`
	EPSS               stream.Float               `json:"epss_score"`
	EPSSPercentile     stream.Float               `json:"epss_percentile"`
	Weaknesses         stream.Lenient[[]weakness] `json:"cwe_info"` // {} when there are none
}

type weakness struct {
	ID   string `json:"Id"`
	Name string `json:"name"`
}

// found is a vulnerability on a page of the API's, with its resource.
type found struct {
	vulnerability
	Resource resource `json:"resource"`
}

func (v vulnerability) observation(r resource, onPage bool) gate.Observation {
	severity, why := v.severity()
	var about, reason parsers.Text
	about.Add(v.Description).Fact("Package", strings.TrimSpace(r.title()+" "+r.Version)).Fact("Kind", r.Format)
	if onPage || r.Path != r.title() {
		about.Fact("Path", r.Path)
	}
	about.Fact("Fixed version", v.FixVersion)
	var weaknesses []string
	for _, w := range v.Weaknesses.Value {
		weaknesses = append(weaknesses, strings.TrimSpace(w.ID+" "+w.Name))
	}
	about.Facts("Weaknesses", weaknesses)
	if v.VendorStatement != v.Description {
		about.Fact("The vendor says", v.VendorStatement)
	}
	reason.Add(why).Fact("Aqua's classification", v.AquaClassification).Fact("Aqua's scoring system", v.AquaScoring).
		Fact("Aqua's vectors", v.AquaVectors).Fact("NVD's vectors", parsers.First(v.NVDVectorsV3, v.NVDVectors)).
		Fact("The vendor's severity", v.VendorSeverity)
	o := gate.Observation{
		Title:                 v.Name + " - " + r.title() + " (" + r.Version + ") ",
		Severity:              severity,
		Description:           about.String(),
		Mitigation:            parsers.First(v.Solution, v.FixVersion),
		Impact:                "Rated " + severity.String() + " by the scanner.",
		References:            parsers.Lines(v.NVDURL, v.VendorURL),
		SeverityJustification: reason.String(),
		VulnerabilityIDs:      []string{v.Name},
		EPSSScore:             v.EPSS.Ptr(),
		EPSSPercentile:        v.EPSSPercentile.Ptr(),
		ComponentName:         r.title(),
		ComponentVersion:      r.Version,
		FixAvailable:          new(v.FixVersion != ""),
		Fix:                   parsers.First(parsers.Fixed(v.FixVersion), parsers.FixedInWords(v.Solution)),
		PublishDate:           parsers.ParseDate(v.Published),
	}
	parsers.SetCVSS(&o, v.NVDVectorsV3)
	if o.CVSSv3 != "" && v.NVDScoreV3.OK {
		o.CVSSv3Score = v.NVDScoreV3.Ptr()
	}
	return o
}

// severity rates a vulnerability by the first of what is known of it, and says
// what that was.
func (v vulnerability) severity() (gate.Severity, string) {
	if v.AquaSeverity != "" {
		return gate.ParseSeverity(v.AquaSeverity), "The severity is the one that Aqua gives it: " + v.AquaSeverity + "."
	}
	for _, s := range []struct {
		who   string
		score stream.Float
	}{{"Aqua's score", v.AquaScore}, {"NVD's CVSS 3 score", v.NVDScoreV3}, {"NVD's score", v.NVDScore}} {
		if s.score.OK {
			return gate.SeverityOfScore(s.score.F), "The severity follows from " + s.who + "."
		}
	}
	for _, s := range []struct{ who, word string }{{"the vendor's", v.VendorSeverity}, {"NVD's by CVSS 3", v.NVDSeverityV3}, {"NVD's", v.NVDSeverity}} {
		if s.word != "" {
			return gate.ParseSeverity(s.word), "The severity is " + s.who + ": " + s.word + "."
		}
	}
	return gate.Info, ""
}

// secret is the finding of a file that should not be in an image.
func (r resource) secret(kinds []string) gate.Observation {
	var about parsers.Text
	about.Add("The image holds "+r.Path+", which looks like sensitive data. Whoever can pull the image has it: revoke it, then take it out.").
		Facts("Kind", kinds).Fact("File", r.Path).Fact("Layer", r.Layer)
	return gate.Observation{
		Title:            r.Name + " - " + r.Name + " (" + r.Path + ") ",
		Severity:         gate.Info, // Aqua does not rate it
		Description:      about.String(),
		VulnerabilityIDs: []string{r.Name}, // a part of DefectDojo's hash
		Check:            strings.Join(kinds, ", "),
		ComponentName:    r.Name,
	}
}

// cve is a vulnerability of the API's second version.
type cve struct {
	File            string       `json:"file"`
	Name            string       `json:"name"`
	Description     string       `json:"description"`
	Severity        string       `json:"severity"`
	Score           stream.Float `json:"score"`
	ScoreVersion    string       `json:"score_version"`
	Published       string       `json:"publishdate"`
	URL             string       `json:"url"`
	Solution        string       `json:"solution"`
	FixVersion      string       `json:"fix_version"`
	VendorStatement string       `json:"vendor_statement"`
	Acknowledged    bool         `json:"acknowledged"`
}

func (c cve) observation() gate.Observation {
	severity, ok := gate.SeverityOf(c.Severity)
	if !ok || c.Severity == "" {
		severity = gate.SeverityOfScore(c.Score.F)
	}
	var about parsers.Text
	about.Add(c.Description).Fact("File or package", c.File).Fact("Fixed version", c.FixVersion).
		Fact("Scored by", c.ScoreVersion).Fact("The vendor says", c.VendorStatement)
	if c.Acknowledged {
		about.Fact("Acknowledged", "yes, in Aqua")
	}
	return gate.Observation{
		Title:            c.Name + ": " + c.File,
		Severity:         severity,
		Description:      about.String(),
		Mitigation:       parsers.First(c.Solution, c.FixVersion, "No fix is known."),
		Impact:           "Rated " + severity.String() + " by the scanner.",
		VulnerabilityIDs: []string{c.Name},
		URL:              c.URL,
		FixAvailable:     new(c.FixVersion != "" || c.Solution != ""),
		Fix:              parsers.First(parsers.Fixed(c.FixVersion), parsers.FixedInWords(c.Solution)),
		PublishDate:      parsers.ParseDate(c.Published),
	}
}
