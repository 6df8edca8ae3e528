// Package junit reads JUnit XML, in which test runners write their results and in which many scanners can write theirs
// (Checkov, tfsec, Trivy by a template, kube-score, cfn-lint, Conftest, Bats, Terratest …). DefectDojo reads no JUnit XML.
//
// Made by "checkov -d . -o junitxml > junit.xml", "conftest test -o junit FILE" and so on:
//
//	<testsuites name="…" time="1.2"><testsuite name="terraform scan" tests="2" failures="1" errors="0" timestamp="2024-05-06T04:00:00" hostname="ci">
//	  <properties><property name="…" value="…"/></properties>
//	  <testcase name="[HIGH][CKV_AWS_18] Ensure the bucket has access logging" classname="/main.tf.aws_s3_bucket.b" file="main.tf" line="7" time="0">
//	    <failure message="…" type="failure">…what was seen…</failure></testcase>
//	  <testcase name="…"><skipped message="…"/></testcase></testsuite></testsuites>
//
// A failed test and one that ended in an error are findings, the latter is a problem of the run too. The format has no severity: it is taken from where
// scanners write one, "[HIGH]" in the name, "Severity: HIGH" in the text, or the failure's type; else it is Medium. Suites may hold suites.
package junit

import (
	"encoding/xml"
	"regexp"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads JUnit XML.
var Parsers = []parsers.Parser{{
	Name:     "junit",
	ScanType: "JUnit XML Scan",
	Files:    "XML",
	Command:  "checkov -d . -o junitxml > junit.xml, or any tool that writes JUnit XML",
	URL:      "https://github.com/testmoapp/junitxml",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Root == "testsuites" || s.Root == "testsuite" {
		return parsers.Likely // a scanner of its own may write it, as Burp's Dastardly does
	}
	return parsers.No
}

// suite is what encloses the test cases that follow.
type suite struct{ name, file string }

func parse(in *stream.Input, out *parsers.Report) error {
	var s suite
	return stream.XML(in, []string{"testsuites", "testsuite"}, stream.Elements{
		"testsuites": stream.Start(func(attr func(string) string) error {
			out.Run().Tool = attr("name")
			return nil
		}),
		"*/testsuite": func(_ *stream.XMLDecoder, start xml.StartElement) error {
			s = suite{stream.Attr(start, "name"), parsers.First(stream.Attr(start, "file"), stream.Attr(start, "filepath"))}
			describe(out.Run(), start)
			return nil
		},
		"*/testcase": stream.Record(func(n *stream.Node) error {
			read(out, s, n)
			return nil
		}),
	})
}

// describe takes what the first suite says of the run.
func describe(run *gate.Run, start xml.StartElement) {
	run.Tool = parsers.First(run.Tool, stream.Attr(start, "name"))
	run.Target = parsers.First(run.Target, stream.Attr(start, "hostname"))
	if run.StartedAt.IsZero() {
		run.StartedAt = parsers.ParseTime(stream.Attr(start, "timestamp"))
	}
}

// outcomes are the elements that say that a test did not pass.
var outcomes = []struct{ element, words string }{{"failure", "failed"}, {"error", "ended in an error"}}

func read(out *parsers.Report, s suite, n *stream.Node) {
	for _, outcome := range outcomes {
		var all []*stream.Node
		for f := range n.Each(outcome.element) {
			all = append(all, f)
		}
		if len(all) == 0 {
			continue
		}
		if outcome.element == "error" {
			out.Problem("%s %s: %s", n.Attr("name"), outcome.words, all[0].Attr("message"))
		}
		out.Emit(observation(s, n, all, outcome.words))
	}
}

// brackets are the marks before a name: "[HIGH][CKV_AWS_18] Ensure …".
var brackets = regexp.MustCompile(`^(?:\s*\[([^\]]{1,64})\])+\s*`)

// mark is one of them.
var mark = regexp.MustCompile(`\[([^\]]{1,64})\]`)

// rated finds a severity in a text: "Severity: HIGH".
var rated = regexp.MustCompile(`(?im)^\W*severity\W+(critical|high|medium|moderate|low|info|informational|error|warning|note)\b`)

// position finds a place in a text: "src/a.go:7", "line 7".
var position = regexp.MustCompile(`(?m)(?:^|[\s("'])((?:[\w.-]+[/\\])*[\w.-]+\.\w{1,12}):(\d{1,7})\b|\b[Ll]ine (\d{1,7})\b`)

func observation(s suite, n *stream.Node, all []*stream.Node, outcome string) gate.Observation {
	var text, seen parsers.Text
	for _, f := range all {
		seen.Add(f.Attr("message"))
		if whole := strings.TrimSpace(f.Whole()); whole != f.Attr("message") {
			seen.Code("", whole)
		}
	}
	name, class := n.Attr("name"), n.Attr("classname")
	text.Add(seen.String()).Fact("Test", name).Fact("Class", class).Fact("Suite", s.name).Fact("Outcome", outcome).Fact("Kind of failure", all[0].Attr("type"))
	for p := range n.Each("properties/property") {
		text.Fact(p.Attr("name"), parsers.First(p.Attr("value"), p.Text()))
	}
	for _, output := range []string{"system-out", "system-err"} {
		text.Code("", n.Get(output))
	}
	file, line := place(s, n, seen.String())
	o := gate.Observation{
		Title:            title(name, class),
		Severity:         severity(n, all[0], seen.String()),
		Description:      text.String(),
		Check:            check(name, class),
		VulnerabilityIDs: parsers.CVEs(name + "\n" + seen.String()),
		FilePath:         file,
		Line:             line.Ptr(),
	}
	parsers.SetCVSS(&o, seen.String())
	return o
}

// title is the test's name without its marks, with the class it belongs to.
func title(name, class string) string {
	short := strings.TrimSpace(brackets.ReplaceAllString(name, ""))
	short = parsers.First(short, name, class, "Unnamed test")
	if class == "" || strings.Contains(short, class) {
		return short
	}
	return short + " (" + class + ")"
}

// check is the rule in the marks of a name, or what the test is called.
func check(name, class string) string {
	for _, m := range mark.FindAllStringSubmatch(brackets.FindString(name), 8) {
		if _, isSeverity := gate.SeverityOf(m[1]); !isSeverity && !strings.EqualFold(m[1], "none") {
			return m[1]
		}
	}
	return parsers.First(name, class)
}

// severity is the one that the marks of the name, a property, the failure's
// type or its text name.
func severity(n, failure *stream.Node, text string) gate.Severity {
	var words []string
	for _, m := range mark.FindAllStringSubmatch(brackets.FindString(n.Attr("name")), 8) {
		words = append(words, m[1])
	}
	for p := range n.Each("properties/property") {
		if strings.EqualFold(p.Attr("name"), "severity") {
			words = append(words, parsers.First(p.Attr("value"), p.Text()))
		}
	}
	words = append(words, failure.Attr("type"))
	if m := rated.FindStringSubmatch(text); m != nil {
		words = append(words, m[1])
	}
	for _, w := range words {
		if s, ok := gate.SeverityOf(w); ok && !strings.EqualFold(w, "none") && !strings.EqualFold(w, "error") && w != "" {
			return s
		}
	}
	return gate.Medium
}

// place is where the test says that it is, else where its text does, in the
// suite's file or the file that it is named after.
func place(s suite, n *stream.Node, text string) (string, stream.Int) {
	file, line := parsers.First(n.Attr("file"), n.Attr("filepath"), s.file), stream.ParseInt(n.Attr("line"))
	if file == "" && isFile(s.name) {
		file = s.name
	}
	if line.OK {
		return file, line
	}
	for _, m := range position.FindAllStringSubmatch(text, 20) {
		switch {
		case m[3] != "" && file != "":
			return file, stream.ParseInt(m[3])
		case m[1] != "" && (file == "" || strings.HasSuffix(file, m[1])):
			return parsers.First(file, m[1]), stream.ParseInt(m[2])
		}
	}
	return file, stream.Int{}
}

// isFile tells whether a suite is named after a file, as linters name theirs.
func isFile(name string) bool {
	end := name[strings.LastIndexAny(name, `/\`)+1:]
	dot := strings.LastIndexByte(end, '.')
	return dot > 0 && len(end)-dot <= 8 && !strings.ContainsAny(name, " \t()") && strings.ContainsAny(name, `/\`)
}
