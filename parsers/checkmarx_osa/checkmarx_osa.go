// Package checkmarx_osa reads the reports of Checkmarx OSA, its analysis of
// open-source libraries.
//
// Made by the endpoints /cxrestapi/osa/vulnerabilities and /osa/libraries: the
// report is an array of both answers, vulnerabilities and libraries.
//
//	[[{"id": "2A3E…", "cveName": "CVE-2020-25649", "score": 7.5, "severity": {"name": "High"}, "publishDate": "2020-12-03T17:15:00",
//	   "url": "…", "description": "…", "recommendations": "Upgrade to 2.10.5.1", "libraryId": "76F5…",
//	   "state": {"id": 1, "name": "TO_VERIFY"}}],
//	 [{"id": "76F5…", "name": "com.fasterxml.jackson.core:jackson-databind", "version": "2.10.2", "newestVersion": "2.12.1",
//	   "confidenceLevel": 100}]]
//
// Vulnerabilities name their library by its id, and stand before it: a report is
// read twice.
package checkmarx_osa

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads OSA's JSON.
var Parsers = []parsers.Parser{{
	Name:     "checkmarx_osa",
	ScanType: "Checkmarx OSA",
	Files:    "JSON",
	Command:  `curl "$CX/cxrestapi/osa/vulnerabilities?scanId=$ID" and ".../osa/libraries?scanId=$ID", both in an array`,
	URL:      "https://docs.checkmarx.com/en/34965-8155-osa--rest--apis.html",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("[][].cveName", "[][].libraryId"), s.Has("[].cveName", "[].libraryId"):
		return parsers.Sure
	case s.Format == parsers.JSON && strings.Join(strings.Fields(string(s.Head)), "") == "[[],[]]":
		return parsers.Likely
	}
	return parsers.No
}

// item is a vulnerability or a library: only the former names a library.
type item struct {
	ID        stream.Text `json:"id"`
	LibraryID stream.Text `json:"libraryId"`

	CVE            stream.Text  `json:"cveName"`
	Score          stream.Float `json:"score"`
	Published      stream.Text  `json:"publishDate"`
	URL            stream.Text  `json:"url"`
	Description    stream.Text  `json:"description"`
	Recommendation stream.Text  `json:"recommendations"`
	Source         stream.Text  `json:"sourceFileName"`
	Severity       struct {
		Name stream.Text `json:"name"`
	} `json:"severity"`
	State struct {
		Name stream.Text `json:"name"`
	} `json:"state"`

	Name       stream.Text `json:"name"`
	Version    stream.Text `json:"version"`
	Newest     stream.Text `json:"newestVersion"`
	Confidence stream.Int  `json:"confidenceLevel"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Checkmarx OSA"
	libraries := map[stream.Text]item{}
	err := walk(in, func(i item) {
		if i.LibraryID == "" && i.Name != "" {
			libraries[i.ID] = i
			out.Component(gate.Component{Name: string(i.Name), Version: string(i.Version)})
		}
	})
	if err != nil {
		return err
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	return walk(in, func(i item) {
		if i.LibraryID != "" || i.CVE != "" {
			out.Emit(i.observation(libraries[i.LibraryID]))
		}
	})
}

func walk(in *stream.Input, f func(item)) error {
	one := stream.One(func(i item) error {
		f(i)
		return nil
	})
	return stream.JSON(in, stream.Array(stream.ByKind(stream.Kinds{'{': one, '[': stream.Array(one)})))
}

// noCWE is what DefectDojo gives all of them: the category of using components
// with known vulnerabilities.
const noCWE = 1035

func (i item) observation(l item) gate.Observation {
	var t parsers.Text
	t.Add(string(i.Description)).
		Fact("Library", strings.TrimSpace(string(l.Name+" "+l.Version))).
		Fact("Newest version", string(l.Newest)).
		Fact("File", string(i.Source)).
		Fact("State", strings.ToLower(strings.ReplaceAll(string(i.State.Name), "_", " ")))
	o := gate.Observation{
		Title:             strings.TrimSpace(string(l.Name+" "+l.Version)) + " | " + string(i.CVE),
		Severity:          gate.ParseSeverity(string(i.Severity.Name)),
		Description:       t.String(),
		Mitigation:        string(i.Recommendation),
		References:        string(i.URL),
		CWE:               noCWE,
		VulnerabilityIDs:  []string{string(i.CVE)},
		Check:             string(i.CVE),
		UniqueID:          string(i.ID),
		CVSSv3Score:       i.Score.Ptr(),
		ComponentName:     string(l.Name),
		ComponentVersion:  string(l.Version),
		PublishDate:       parsers.ParseDate(string(i.Published)),
		ScannerConfidence: confidence(l.Confidence),
	}
	switch strings.ToUpper(string(i.State.Name)) {
	case "NOT_EXPLOITABLE":
		o.FalsePositive, o.Active = true, new(false)
	case "CONFIRMED", "URGENT":
		o.Verified = true
	}
	return o
}

// confidence is DefectDojo's scale, 1 certain and 10 tentative, of Checkmarx's percentage.
func confidence(percent stream.Int) *int {
	if !percent.OK {
		return nil
	}
	return new(max(1, min(10, 10-percent.N/10)))
}
