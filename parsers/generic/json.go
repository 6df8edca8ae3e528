package generic

import (
	"encoding/base64"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// finding has every key of the format. Those without a place in an observation
// are read so that they are allowed.
type finding struct {
	Title                     stream.Text    `json:"title"`
	Severity                  stream.Text    `json:"severity"`
	Description               stream.Text    `json:"description"`
	Date                      stream.Text    `json:"date"`
	CWE                       stream.Text    `json:"cwe"`
	CWEs                      list           `json:"cwes"`
	CVE                       stream.Text    `json:"cve"`
	VulnerabilityIDs          list           `json:"vulnerability_ids"`
	CVSSv3                    stream.Text    `json:"cvssv3"`
	CVSSv3Score               stream.Float   `json:"cvssv3_score"`
	CVSSv4                    stream.Text    `json:"cvssv4"`
	CVSSv4Score               stream.Float   `json:"cvssv4_score"`
	EPSSScore                 stream.Float   `json:"epss_score"`
	EPSSPercentile            stream.Float   `json:"epss_percentile"`
	KnownExploited            flag           `json:"known_exploited"`
	RansomwareUsed            flag           `json:"ransomware_used"`
	KEVDate                   stream.Text    `json:"kev_date"`
	Mitigation                stream.Text    `json:"mitigation"`
	Impact                    stream.Text    `json:"impact"`
	StepsToReproduce          stream.Text    `json:"steps_to_reproduce"`
	SeverityJustification     stream.Text    `json:"severity_justification"`
	References                stream.Text    `json:"references"`
	Active                    flag           `json:"active"`
	Verified                  flag           `json:"verified"`
	FalsePositive             flag           `json:"false_p"`
	OutOfScope                flag           `json:"out_of_scope"`
	RiskAccepted              flag           `json:"risk_accepted"`
	UnderReview               flag           `json:"under_review"`
	IsMitigated               flag           `json:"is_mitigated"`
	Mitigated                 stream.Text    `json:"mitigated"`
	Param                     stream.Text    `json:"param"`
	Payload                   stream.Text    `json:"payload"`
	FilePath                  stream.Text    `json:"file_path"`
	Line                      stream.Int     `json:"line"`
	ComponentName             stream.Text    `json:"component_name"`
	ComponentVersion          stream.Text    `json:"component_version"`
	FixAvailable              flag           `json:"fix_available"`
	FixVersion                stream.Text    `json:"fix_version"`
	StaticFinding             flag           `json:"static_finding"`
	DynamicFinding            flag           `json:"dynamic_finding"`
	ScannerConfidence         stream.Int     `json:"scanner_confidence"`
	UniqueID                  stream.Text    `json:"unique_id_from_tool"`
	RuleID                    stream.Text    `json:"vuln_id_from_tool"`
	SASTSourceObject          stream.Text    `json:"sast_source_object"`
	SASTSinkObject            stream.Text    `json:"sast_sink_object"`
	SASTSourceLine            stream.Int     `json:"sast_source_line"`
	SASTSourceFilePath        stream.Text    `json:"sast_source_file_path"`
	Occurrences               stream.Int     `json:"nb_occurences"`
	PublishDate               stream.Text    `json:"publish_date"`
	Service                   stream.Text    `json:"service"`
	PlannedRemediationDate    stream.Text    `json:"planned_remediation_date"`
	PlannedRemediationVersion stream.Text    `json:"planned_remediation_version"`
	EffortForFixing           stream.Text    `json:"effort_for_fixing"`
	Tags                      list           `json:"tags"`
	Endpoints                 []endpoint     `json:"endpoints"`
	Files                     []file         `json:"files"`
	Duplicate                 flag           `json:"duplicate"`
	NumericalSeverity         stream.Text    `json:"numerical_severity"`
	HashCode                  stream.Text    `json:"hash_code"`
	ThreadID                  stream.Text    `json:"thread_id"`
	SASTSourceFunction        stream.Text    `json:"sast_source_function"`
	URL                       stream.Text    `json:"url"`
	Unknown                   jsontext.Value `json:",embed"`
}

type file struct {
	Title string `json:"title"`
	Data  string `json:"data"`
}

func parseJSON(in *stream.Input, out *parsers.Report) error {
	run, title := out.Run(), ""
	text := func(p *string) stream.Value {
		return stream.One(func(t stream.Text) error { *p = string(t); return nil })
	}
	err := stream.JSON(in, stream.Object(stream.Fields{
		"name":        text(&run.Tool),
		"title":       text(&title),
		"type":        text(&run.Type),
		"version":     text(&run.Version),
		"description": text(&run.Description),
		"findings": stream.Array(stream.Quick(func(c *stream.Cursor, f *finding) { f.read(c) }, func(f *finding) error {
			o, err := f.observation()
			if err != nil {
				return err
			}
			out.Emit(o)
			return nil
		})),
	}, "findings"))
	run.Tool = parsers.First(run.Tool, title, run.Type)
	return err
}

// check refuses keys that the format does not have, and findings without one
// of the three that it needs.
func (f *finding) check() error {
	if len(f.Unknown) > 2 {
		return fmt.Errorf("a finding has a key that this format does not have: %.200s", f.Unknown)
	}
	for _, k := range []struct {
		name  string
		value stream.Text
	}{{"title", f.Title}, {"severity", f.Severity}, {"description", f.Description}} {
		if strings.TrimSpace(string(k.value)) == "" {
			return fmt.Errorf("a finding has no %s", k.name)
		}
	}
	return nil
}

func (f *finding) observation() (gate.Observation, error) {
	if err := f.check(); err != nil {
		return gate.Observation{}, err
	}
	sev, err := severity(string(f.Severity))
	if err != nil {
		return gate.Observation{}, err
	}
	files, err := attachments(f.Files)
	if err != nil {
		return gate.Observation{}, err
	}
	o := gate.Observation{
		Title: string(f.Title), Severity: sev, Description: string(f.Description), Mitigation: string(f.Mitigation), Impact: string(f.Impact),
		References: string(f.References), StepsToReproduce: string(f.StepsToReproduce), SeverityJustification: string(f.SeverityJustification),
		CWE: gate.ParseCWE(string(f.CWE)), VulnerabilityIDs: f.ids(),
		RuleID: string(f.RuleID), UniqueID: string(f.UniqueID),
		EPSSScore: share(f.EPSSScore.Ptr()), EPSSPercentile: share(f.EPSSPercentile.Ptr()),
		KnownExploited: f.KnownExploited.is(true), RansomwareUsed: f.RansomwareUsed.is(true), KEVDate: gate.DateOf(parseTime(string(f.KEVDate))),
		FilePath: string(f.FilePath), Line: f.Line.Ptr(), ComponentName: string(f.ComponentName), ComponentVersion: string(f.ComponentVersion),
		Service: string(f.Service), Param: string(f.Param), Payload: string(f.Payload), URL: string(f.URL),
		SASTSourceObject: string(f.SASTSourceObject), SASTSourceLine: f.SASTSourceLine.Ptr(), SASTSourceFilePath: string(f.SASTSourceFilePath), SASTSinkObject: string(f.SASTSinkObject),
		FixAvailable: f.FixAvailable.value, FixVersion: string(f.FixVersion), EffortForFix: string(f.EffortForFixing), PlannedVersion: string(f.PlannedRemediationVersion),
		Date: gate.DateOf(parseTime(string(f.Date))), PublishDate: gate.DateOf(parseTime(string(f.PublishDate))),
		Active: f.Active.value, Verified: f.Verified.is(true), FalsePositive: f.FalsePositive.is(true), OutOfScope: f.OutOfScope.is(true),
		RiskAccepted: f.RiskAccepted.is(true), UnderReview: f.UnderReview.is(true), Mitigated: f.IsMitigated.is(true), MitigatedAt: parseTime(string(f.Mitigated)),
		ScannerConfidence: f.ScannerConfidence.Ptr(), Occurrences: f.Occurrences.Ptr(), Analysis: f.analysis(), Tags: f.Tags, Files: files,
	}
	o.CWE, o.CWEs = cwes(o.CWE, f.CWEs)
	setCVSS(&o, string(f.CVSSv3), string(f.CVSSv4), f.CVSSv3Score.Ptr(), f.CVSSv4Score.Ptr())
	for _, e := range f.Endpoints {
		o.Endpoints = append(o.Endpoints, string(e))
	}
	return o, nil
}

// ids joins the one id and the list of them.
func (f *finding) ids() []string {
	if f.CVE == "" {
		return f.VulnerabilityIDs
	}
	return append([]string{string(f.CVE)}, f.VulnerabilityIDs...)
}

// cwes joins the one weakness and the list of them. The first is the main one.
func cwes(main int, more []string) (int, []int) {
	var all []int
	if main > 0 {
		all = append(all, main)
	}
	for _, s := range more {
		if n := gate.ParseCWE(s); n > 0 && !slices.Contains(all, n) {
			all = append(all, n)
		}
	}
	if len(all) == 0 {
		return 0, nil
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return all[0], all
}

// analysis says how it was found: dynamic unless the finding says no.
func (f *finding) analysis() gate.Analysis {
	static, dynamic := f.StaticFinding.is(true), !f.DynamicFinding.is(false)
	switch {
	case static && dynamic:
		return gate.Both
	case static:
		return gate.Static
	case dynamic:
		return gate.Dynamic
	}
	return gate.Neither
}

// extensions are those of the files that may be attached.
var extensions = []string{".txt", ".pdf", ".json", ".xml", ".csv", ".yml", ".png", ".jpeg", ".jpg", ".sarif", ".xlsx", ".doc", ".html", ".js", ".nessus", ".zip", ".fpr"}

func attachments(files []file) ([]gate.File, error) {
	var out []gate.File
	for _, f := range files {
		if !slices.Contains(extensions, strings.ToLower(path.Ext(f.Title))) {
			return nil, fmt.Errorf("the file %q cannot be attached: its name ends in none of %s", f.Title, strings.Join(extensions, " "))
		}
		data, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(f.Data), ""))
		if err != nil {
			return nil, fmt.Errorf("the file %q is not Base64", f.Title)
		}
		out = append(out, gate.File{Title: f.Title, Data: data})
	}
	return out, nil
}
