// Package vcg reads the results of VisualCodeGrepper, as XML or CSV.
//
// Made in VCG by "File, Export Results as XML" or "as CSV". The XML:
//
//	<CodeIssueCollection>
//	  <CodeIssue>
//	    <Priority>6</Priority><Severity>Suspicious Comment</Severity><Title>…</Title><Description>…</Description>
//	    <FileName>C:\src\a.cs</FileName><Line>21</Line><CodeLine>TODO: check</CodeLine>
//	    <Checked>False</Checked><CheckColour>LawnGreen</CheckColour>
//	  </CodeIssue>
//	</CodeIssueCollection>
//
// The CSV has the same fields in this order and no header: Priority, Severity,
// Title, Description, FileName, Line, CodeLine, Checked, CheckColour. Priority 1 is
// the worst, 6 and 7 are comments.
package vcg

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads VCG's results.
var Parsers = []parsers.Parser{{
	Name:     "vcg",
	ScanType: "VCG Scan",
	Files:    "XML, CSV",
	Command:  "VisualCodeGrepper.exe -c -l CS -t src -x results.xml",
	URL:      "https://github.com/nccgroup/VCG",
	Analysis: gate.Dynamic, // as DefectDojo has it
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Root == "CodeIssueCollection":
		return parsers.Sure
	case s.Format == parsers.CSV && len(s.Columns) >= 7 && stream.ParseInt(s.Columns[0]).OK && stream.ParseInt(s.Columns[5]).OK:
		return parsers.Possible
	}
	return parsers.No
}

// issue is what both formats say.
type issue struct{ priority, severity, title, description, file, line, code, checked string }

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "VisualCodeGrepper"
	head, _ := bufio.NewReader(in).Peek(512)
	if err := in.Rewind(); err != nil {
		return err
	}
	if text := strings.TrimSpace(string(head)); text == "" {
		return stream.Errorf("the report is empty")
	} else if !strings.HasPrefix(text, "<") {
		return table(in, out)
	}
	return stream.XML(in, []string{"CodeIssueCollection"}, stream.Elements{
		"CodeIssueCollection/CodeIssue": stream.Record(func(n *stream.Node) error {
			out.Emit(observation(issue{
				n.Get("Priority"), n.Get("Severity"), n.Get("Title"), n.Get("Description"),
				n.Get("FileName"), n.Get("Line"), n.Get("CodeLine"), n.Get("Checked"),
			}))
			return nil
		}),
	})
}

// table reads the CSV, whose rows are told by their numbers.
func table(in *stream.Input, out *parsers.Report) error {
	r := csv.NewReader(in)
	r.LazyQuotes, r.FieldsPerRecord = true, -1
	for {
		f, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(f) == 1 && strings.TrimSpace(f[0]) == "" || len(f) > 5 && strings.EqualFold(f[0], "priority") {
			continue
		}
		if len(f) < 7 || !stream.ParseInt(f[0]).OK {
			line, _ := r.FieldPos(0)
			return &stream.Error{Offset: -1, Line: line, Reason: "want nine fields, of which the first is a priority"}
		}
		i := issue{f[0], f[1], f[2], f[3], f[4], f[5], f[6], ""}
		if len(f) > 7 {
			i.checked = f[7]
		}
		out.Emit(observation(i))
	}
}

var severities = map[int]gate.Severity{1: gate.Critical, 2: gate.High, 3: gate.Medium, 4: gate.Low, 5: gate.Low}

func observation(i issue) gate.Observation {
	line := stream.ParseInt(i.line)
	var text parsers.Text
	text.Add(i.description).Fact("Severity", i.severity).Fact("Priority", i.priority).Fact("Place", parsers.Place(i.file, line.Ptr())).
		Fact("Checked", i.checked).Code("", i.code)
	return gate.Observation{
		Title:       i.title,
		Severity:    severities[stream.ParseInt(i.priority).N],
		Description: text.String(),
		Snippet:     i.code,
	}
}
