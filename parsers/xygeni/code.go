package xygeni

import (
	"strconv"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// flaw is a weakness of code.
type flaw struct {
	Detector    stream.Text                   `json:"detector"`
	Kind        stream.Text                   `json:"kind"`
	Severity    stream.Text                   `json:"severity"`
	Confidence  stream.Text                   `json:"confidence"`
	Language    stream.Text                   `json:"language"`
	Location    location                      `json:"location"`
	CWE         stream.Text                   `json:"cwe"`
	CWEs        stream.OneOrMany[stream.Text] `json:"cwes"`
	Tags        stream.OneOrMany[stream.Text] `json:"tags"`
	Hash        stream.Text                   `json:"uniqueHash"`
	IssueID     stream.Text                   `json:"issueId"`
	Explanation stream.Text                   `json:"explanation"`
	Flows       []struct {
		Frames []step `json:"frames"`
		Path   []step `json:"dataPaths"`
	} `json:"codeFlows"`
}

// step is one place on the way of data.
type step struct {
	Kind           stream.Text `json:"kind"`
	Location       location    `json:"location"`
	Container      stream.Text `json:"container"`
	InjectionPoint stream.Text `json:"injectionPoint"`
	Variable       stream.Text `json:"variableName"`
}

func (f flaw) observation() gate.Observation {
	o := gate.Observation{
		Title:       parsers.First(string(f.Detector), string(f.Kind)),
		Severity:    gate.ParseSeverity(string(f.Severity)),
		Description: f.describe(),
		RuleID:      string(f.Detector),
		UniqueID:    parsers.First(string(f.Hash), string(f.IssueID)),
		FilePath:    string(f.Location.Path),
		Line:        f.Location.Begin.Ptr(),
		EndLine:     f.Location.End.Ptr(),
		Snippet:     string(f.Location.Code),
	}
	o.CWE, o.CWEs = weaknesses(f.CWE, f.CWEs)
	if len(f.Flows) > 0 {
		for _, s := range f.Flows[0].Frames {
			switch s.Kind {
			case "source":
				o.SASTSourceObject = parsers.First(string(s.InjectionPoint), string(s.Location.Code))
				o.SASTSourceLine = s.Location.Begin.Ptr()
				o.SASTSourceFilePath = string(s.Location.Path)
			case "sink":
				o.SASTSinkObject = parsers.First(o.SASTSinkObject, string(s.Location.Code), string(s.InjectionPoint))
			}
		}
	}
	return o
}

func (f flaw) describe() string {
	var text parsers.Text
	text.Add(string(f.Explanation)).Fact("Kind", strings.ReplaceAll(string(f.Kind), "_", " ")).Fact("Place", f.Location.place())
	text.Fact("Confidence", string(f.Confidence)).Code(string(f.Language), string(f.Location.Code))
	if len(f.Flows) > 0 {
		path := f.Flows[0].Path
		if len(path) == 0 {
			path = f.Flows[0].Frames
		}
		var steps []string
		for _, s := range path[:min(len(path), 50)] {
			line := string(s.Kind) + " at " + s.Location.place()
			if code := oneLine(s.Location.Code); code != "" {
				line += ": `" + code + "`"
			}
			steps = append(steps, line)
		}
		text.Add("The data goes this way:").List(steps)
	}
	return text.String()
}

// oneLine makes code fit for a list.
func oneLine(code stream.Text) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(string(code)), " "), "`", "'")
}

// secret is one that lies open in a file; Xygeni masks it itself.
type secret struct {
	Detector    stream.Text                   `json:"detector"`
	Type        stream.Text                   `json:"type"`
	Severity    stream.Text                   `json:"severity"`
	Confidence  stream.Text                   `json:"confidence"`
	Description stream.Text                   `json:"description"`
	Location    location                      `json:"location"`
	Resource    stream.Text                   `json:"resource"`
	Commit      stream.Text                   `json:"commit"`
	Tags        stream.OneOrMany[stream.Text] `json:"tags"`
	Hash        stream.Text                   `json:"uniqueHash"`
	IssueID     stream.Text                   `json:"issueId"`
}

// key is by what a secret in a file is known.
func (s secret) key() string {
	return parsers.First(string(s.Hash), string(s.IssueID), string(s.Detector)+" "+s.Location.place())
}

func (s secret) observation(lines []int) gate.Observation {
	rule := parsers.First(string(s.Detector), string(s.Type))
	var text parsers.Text
	text.Add(string(s.Description)).Fact("Type", string(s.Type)).Fact("Detector", string(s.Detector)).Fact("Place", s.Location.place())
	if len(lines) > 1 {
		var all []string
		for _, n := range lines {
			all = append(all, strconv.Itoa(n))
		}
		text.Facts("All its lines", all)
	}
	text.Fact("Commit", string(s.Commit)).Fact("Confidence", string(s.Confidence)).Code("", string(s.Location.Code))
	o := gate.Observation{
		Title:       rule,
		Severity:    gate.ParseSeverity(string(s.Severity)),
		Description: text.String(),
		Mitigation:  "Rotate the secret: revoke it and make a new one. Take it out of the file and of the repository's history, and read it from a secret store.",
		RuleID:      rule,
		UniqueID:    s.key(),
		CWE:         798,
		FilePath:    string(s.Location.Path),
		Line:        s.Location.Begin.Ptr(),
		EndLine:     s.Location.End.Ptr(),
		Snippet:     string(s.Location.Code),
	}
	for _, t := range s.Tags {
		if len(t) > 4 && strings.EqualFold(string(t[:4]), "cwe:") {
			o.CWE = gate.ParseCWE(string(t))
			break
		}
	}
	return o
}
