// Package spotbugs reads the XML of SpotBugs, the static analyser of Java, and
// of FindBugs before it.
//
// Made by "spotbugs -xml:withMessages -output spotbugs.xml build/classes", or by
// its plugins for Maven and Gradle:
//
//	<BugCollection version="4.8.6" timestamp="1631172733365">
//	  <Project projectName="shop"/>
//	  <BugInstance type="COMMAND_INJECTION" priority="2" rank="12" category="SECURITY" cweid="78" instanceHash="…">
//	    <ShortMessage>Potential Command Injection</ShortMessage><LongMessage>…</LongMessage>
//	    <Class classname="org.example.A"/><Method classname="org.example.A" name="run"/>
//	    <SourceLine classname="org.example.A" start="95" end="95" sourcepath="org/example/A.java"/>
//	  </BugInstance>
//	  <BugPattern type="COMMAND_INJECTION" cweid="78"><ShortDescription>…</ShortDescription><Details>HTML</Details></BugPattern>
//	  <Errors><MissingClass>…</MissingClass></Errors>
//	</BugCollection>
//
// Patterns explain the instances and stand behind them, so a report is read
// twice. Messages, patterns and hashes are there with xml:withMessages only.
package spotbugs

import (
	"encoding/xml"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads SpotBugs' XML.
var Parsers = []parsers.Parser{{
	Name:     "spotbugs",
	ScanType: "SpotBugs Scan",
	Files:    "XML",
	Command:  "spotbugs -xml:withMessages -output spotbugs.xml build/classes",
	URL:      "https://spotbugs.readthedocs.io",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Root == "BugCollection" {
		return parsers.Sure
	}
	return parsers.No
}

// pattern is what SpotBugs says of a kind of bug.
type pattern struct {
	Type    string `xml:"type,attr"`
	Details string `xml:"Details"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	patterns := map[string]pattern{}
	if err := readHead(in, out, patterns); err != nil {
		return err
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	var key string // of the instance that is being put out
	return parsers.Once(in, out, func(gate.Observation) string { return key }, func(in *stream.Input, out *parsers.Report) error {
		return stream.XML(in, []string{"BugCollection"}, stream.Elements{
			"BugCollection/BugInstance": stream.Element(func(b bug) error {
				key = b.key()
				out.Emit(b.observation(patterns))
				return nil
			}),
		})
	})
}

// readHead reads what is said of the run, and the patterns.
func readHead(in *stream.Input, out *parsers.Report, patterns map[string]pattern) error {
	run := out.Run()
	run.Tool = "SpotBugs"
	return stream.XML(in, []string{"BugCollection"}, stream.Elements{
		"BugCollection": stream.Start(func(attr func(string) string) error {
			run.Version = attr("version")
			run.FinishedAt = millis(attr("analysisTimestamp"))
			return nil
		}),
		"BugCollection/Project": func(_ *stream.XMLDecoder, start xml.StartElement) error {
			run.Target = stream.Attr(start, "projectName")
			return nil
		},
		"BugCollection/BugPattern": stream.Element(func(p pattern) error {
			patterns[p.Type] = p
			return nil
		}),
		"BugCollection/Errors/MissingClass": stream.CharData(func(class string) error {
			out.Problem("the class %s was missing", class)
			return nil
		}),
		"BugCollection/Errors/Error/ErrorMessage": stream.CharData(func(text string) error {
			out.Problem("%s", text)
			return nil
		}),
	})
}
