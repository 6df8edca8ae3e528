// Package checkstyle reads Checkstyle XML, which Checkstyle writes for Java and which many linters can write (ESLint, ShellCheck, Hadolint, golangci-lint,
// PHP_CodeSniffer, ktlint, detekt, RuboCop, stylelint …). DefectDojo reads no Checkstyle XML.
//
// Made by "checkstyle -f xml", "shellcheck -f checkstyle", "eslint -f checkstyle" and so on:
//
//	<checkstyle version="10.12.1"><file name="src/Main.java">
//	  <error line="7" column="13" severity="error" message="'7' is a magic number." source="com.puppycrawl.tools.checkstyle.checks.coding.MagicNumberCheck"/>
//	  <exception>…a stack trace…</exception></file></checkstyle>
//
// Its levels error, warning and info are High, Medium and Low, ShellCheck's style is Info; what has the level ignore is left out.
// An exception is a problem of the run: the file was not checked.
package checkstyle

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Checkstyle XML.
var Parsers = []parsers.Parser{{
	Name:     "checkstyle",
	ScanType: "Checkstyle XML Scan",
	Files:    "XML",
	Command:  "shellcheck -f checkstyle *.sh > checkstyle.xml, or any linter that writes Checkstyle XML",
	URL:      "https://checkstyle.org/cmdline.html",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Root == "checkstyle" {
		return parsers.Sure
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Checkstyle XML"
	file := ""
	return stream.XML(in, []string{"checkstyle"}, stream.Elements{
		"checkstyle": stream.Start(func(attr func(string) string) error { run.Version = attr("version"); return nil }),
		"checkstyle/file": stream.Start(func(attr func(string) string) error {
			file = attr("name")
			return nil
		}),
		"checkstyle/file/error": stream.Start(func(attr func(string) string) error {
			if !strings.EqualFold(attr("severity"), "ignore") {
				out.Emit(observation(file, attr))
			}
			return nil
		}),
		"checkstyle/exception":      problem(out, &file),
		"checkstyle/file/exception": problem(out, &file),
	})
}

// problem notes an exception by its first line.
func problem(out *parsers.Report, file *string) stream.Handler {
	return stream.CharData(func(text string) error {
		first, _, _ := strings.Cut(text, "\n")
		out.Problem("%s could not be checked: %s", parsers.First(*file, "A file"), strings.TrimSpace(first))
		return nil
	})
}

func observation(file string, attr func(string) string) gate.Observation {
	line := stream.ParseInt(attr("line"))
	var text parsers.Text
	place := parsers.Place(file, line.Ptr())
	if column := attr("column"); line.OK && column != "" && column != "0" {
		place += ":" + column
	}
	text.Add(attr("message")).Fact("Rule", attr("source")).Fact("Place", place).Fact("Level", attr("severity"))
	o := gate.Observation{
		Title:       title(attr("message"), attr("source")),
		Severity:    severity(attr("severity")),
		Description: text.String(),
		RuleID:      attr("source"),
		FilePath:    file,
	}
	if line.N > 0 {
		o.Line = line.Ptr()
	}
	if cwe := gate.ParseCWE(attr("source")); strings.HasPrefix(strings.ToUpper(attr("source")), "CWE") {
		o.CWE = cwe
	}
	return o
}

// severity reads a level, or the word for a severity that some write for one.
func severity(level string) gate.Severity {
	switch level = strings.ToLower(level); level {
	case "style", "hint":
		return gate.Info
	case "fatal":
		return gate.Critical
	}
	if s, ok := parsers.Level(level); ok {
		return s
	}
	if s, ok := gate.SeverityOf(level); ok && level != "" {
		return s
	}
	return gate.Medium
}

// title is the message's first line with the rule's short name.
func title(message, source string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(message), "\n")
	short := strings.TrimSuffix(source[strings.LastIndexByte(source, '.')+1:], "Check")
	switch {
	case first == "":
		return parsers.First(source, "Unnamed")
	case short == "" || strings.Contains(first, short):
		return first
	}
	return first + " (" + short + ")"
}
