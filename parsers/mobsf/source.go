package mobsf

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// results reads mobsfscan's findings by their rules.
func (f *findings) results() stream.Value {
	type file struct {
		Path    string       `json:"file_path"`
		Lines   []stream.Int `json:"match_lines"`
		Snippet string       `json:"match_string"`
	}
	type result struct {
		Files    []file `json:"files"`
		Metadata struct {
			CWE         stream.Text `json:"cwe"`
			Description string      `json:"description"`
			MASVS       stream.Text `json:"masvs"`
			OWASP       stream.Text `json:"owasp-mobile"`
			Reference   stream.Text `json:"reference"`
			Severity    string      `json:"severity"`
		} `json:"metadata"`
	}
	return stream.Entries(func(name string, d *stream.Decoder) error {
		return stream.One(func(r result) error {
			f.out.Run().Tool = "mobsfscan"
			m := r.Metadata
			if len(r.Files) == 0 {
				r.Files = []file{{}}
			}
			for _, at := range r.Files {
				var text parsers.Text
				text.Add(strings.Join(strings.Fields(m.Description), " ")).Fact("OWASP MASVS", string(m.MASVS)).Fact("OWASP Mobile", string(m.OWASP)).Fact("Weakness", string(m.CWE)).Code("", at.Snippet)
				o := gate.Observation{
					Title:       name,
					Severity:    level(m.Severity),
					Description: text.String(),
					References:  string(m.Reference),
					CWE:         gate.ParseCWE(string(m.CWE)),
					Check:       name,
					FilePath:    at.Path,
					Snippet:     at.Snippet,
					Analysis:    gate.Dynamic, // as DefectDojo stores it
				}
				if len(at.Lines) > 0 {
					o.Line, o.EndLine = at.Lines[0].Ptr(), at.Lines[len(at.Lines)-1].Ptr()
				}
				f.add(o)
			}
			return nil
		})(d)
	})
}

// addQark adds a finding of QARK's list.
func (f *findings) addQark(q struct {
	Category    string      `json:"category"`
	Severity    string      `json:"severity"`
	Description string      `json:"description"`
	Name        string      `json:"name"`
	Line        stream.Text `json:"line_number"`
	File        string      `json:"file_object"`
	Exploit     stream.Text `json:"apk_exploit_dict"`
},
) error {
	if q.Name == "" {
		return stream.Errorf("an element of the list has no \"name\"")
	}
	f.out.Run().Tool = "QARK"
	severity := gate.Info
	switch strings.ToUpper(q.Severity) {
	case "VULNERABILITY":
		severity = gate.Medium
	case "WARNING":
		severity = gate.Low
	case "ERROR":
		severity = gate.High
	}
	o := finding(q.Category, q.Name, severity, q.Description)
	var text parsers.Text
	o.Description = text.Add(o.Description).Fact("Place (line, column)", strings.Trim(string(q.Line), "[]")).Fact("Exploit", string(q.Exploit)).String()
	o.FilePath = q.File
	f.add(o)
	return nil
}

// level reads the word of a rule of mobsfscan's.
func level(word string) gate.Severity {
	severity, _ := parsers.Level(word)
	return severity
}
