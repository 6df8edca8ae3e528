// Package checkov reads the JSON report of Checkov, the checker of
// infrastructure as code.
//
// Made by "checkov -d . -o json > checkov.json". The report is one object for
// each framework that it found, in an array if there are several:
//
//	{"check_type": "terraform", "results": {"passed_checks": [], "failed_checks": [{"check_id": "CKV_AWS_161",
//	   "check_name": "…", "code_block": [[1, "resource …\n"]], "file_path": "/db.tf", "file_line_range": [1, 41],
//	   "resource": "aws_db_instance.default", "severity": null, "guideline": "https://…"}],
//	 "skipped_checks": [], "parsing_errors": ["/broken.tf"]}, "summary": {"failed": 1, "checkov_version": "3.2.0"}}
//
// When it found nothing to check, it writes the summary alone. The severity is
// null without a Prisma Cloud key; such a check counts as Medium. Files in
// parsing_errors were not checked.
package checkov

import (
	"errors"
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Checkov's JSON.
var Parsers = []parsers.Parser{{
	Name:     "checkov",
	ScanType: "Checkov Scan",
	Files:    "JSON",
	Command:  "checkov -d . -o json > checkov.json",
	URL:      "https://www.checkov.io/",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("summary.checkov_version") || s.Has("[].summary.checkov_version") || s.Has("checkov_version"),
		s.Has("check_type", "results.failed_checks"), s.Has("[].check_type", "[].results.failed_checks"):
		return parsers.Sure
	case s.Has("results.failed_checks") || s.Has("[].results.failed_checks"):
		return parsers.Likely
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "checkov"
	one := framework(out)
	return stream.JSON(in, stream.ByKind(stream.Kinds{'{': one, '[': stream.Array(one)}))
}

// framework reads what was found for one framework.
func framework(out *parsers.Report) stream.Value {
	return func(d *stream.Decoder) error {
		checkType, known := "", false
		version := func(s stream.Text) error { known = true; out.Run().Version = string(s); return nil }
		err := stream.Object(stream.Fields{
			"check_type": stream.Into(&checkType),
			"results": stream.Object(stream.Fields{
				"failed_checks": func(d *stream.Decoder) error {
					known = true
					return stream.Each(func(c check) error { out.Emit(c.observation(checkType)); return nil })(d)
				},
				"parsing_errors": stream.Each(func(file stream.Text) error {
					out.Problem("%s could not be read and was not checked", file)
					return nil
				}),
			}),
			"summary":         stream.Object(stream.Fields{"checkov_version": stream.One(version)}),
			"checkov_version": stream.One(version),
		})(d)
		if err == nil && !known {
			return errors.New(`there is neither "failed_checks" nor "checkov_version"`)
		}
		return err
	}
}

type check struct {
	CheckID     string                    `json:"check_id"`
	BCCheckID   stream.Text               `json:"bc_check_id"`
	Name        stream.Text               `json:"check_name"`
	CodeBlock   stream.Lenient[[]line]    `json:"code_block"`
	FilePath    string                    `json:"file_path"`
	LineRange   stream.Lenient[[]int]     `json:"file_line_range"`
	Resource    stream.Text               `json:"resource"`
	Severity    stream.Text               `json:"severity"`
	Category    stream.Text               `json:"bc_category"`
	Benchmarks  stream.Lenient[benchmark] `json:"benchmarks"`
	Description stream.Text               `json:"description"`
	Fixed       stream.Text               `json:"fixed_definition"`
	Guideline   stream.Text               `json:"guideline"`
	Package     *pkg                      `json:"vulnerability_details"`
}

// line is a line of code: its number and its text.
type line [2]stream.Text

// benchmark holds the recommendations that the check is for, by benchmark.
type benchmark map[string][]struct {
	Name        string `json:"name"`
	Description string `json:"description"`
}

// pkg is a vulnerable package, of the sca_package and sca_image frameworks.
type pkg struct {
	ID           stream.Text `json:"id"`
	Name         stream.Text `json:"package_name"`
	Version      stream.Text `json:"package_version"`
	Status       stream.Text `json:"status"`
	LowestFixed  stream.Text `json:"lowest_fixed_version"`
	Link         stream.Text `json:"link"`
	Vector       stream.Text `json:"vector"`
	Description  stream.Text `json:"description"`
	FixedVersion stream.Text `json:"fix_version"`
}

func (c check) observation(checkType string) gate.Observation {
	var about parsers.Text
	about.Add(parsers.First(string(c.Name), c.CheckID)).Add(string(c.Description))
	if c.Package != nil {
		about.Add(string(c.Package.Description))
	}
	about.Fact("Check", c.CheckID).Fact("Check type", checkType).Fact("Category", string(c.Category)).Fact("Resource", string(c.Resource))
	o := gate.Observation{
		Title:         parsers.First(string(c.Name), c.CheckID),
		Severity:      gate.Medium,
		Description:   about.String(),
		Mitigation:    c.mitigation(),
		References:    string(c.Guideline),
		Check:         c.CheckID,
		FilePath:      c.FilePath,
		Snippet:       c.code(),
		ComponentName: string(c.Resource),
	}
	if c.Severity != "" {
		o.Severity = gate.ParseSeverity(string(c.Severity))
	}
	if r := c.LineRange.Value; len(r) > 0 {
		o.Line, o.EndLine = &r[0], &r[len(r)-1]
	}
	if p := c.Package; p != nil {
		o.VulnerabilityIDs, o.Fix = []string{string(p.ID)}, p.fixed()
		o.References = parsers.Lines(o.References, string(p.Link))
		parsers.SetCVSS(&o, string(p.Vector))
	}
	return o
}

// fixed is the version in which the package is not vulnerable.
func (p pkg) fixed() string {
	return parsers.First(string(p.LowestFixed), string(p.FixedVersion), parsers.FixedInWords(string(p.Status)))
}

// code returns the code that the report quotes.
func (c check) code() string {
	var b strings.Builder
	for _, l := range c.CodeBlock.Value {
		b.WriteString(strings.TrimRight(string(l[1]), "\n") + "\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

// mitigation says which recommendations to follow, and what to update.
func (c check) mitigation() string {
	var how parsers.Text
	if p := c.Package; p != nil {
		if v := parsers.First(p.fixed(), string(p.Status)); v != "" {
			how.Add("Update " + string(p.Name) + " from " + string(p.Version) + ". Fixed in: " + v + ".")
		}
	}
	if c.Fixed != "" {
		how.Add("The resource as it should be:").Code("", string(c.Fixed))
	}
	var items []string
	for name, list := range c.Benchmarks.Value {
		for _, b := range list {
			items = append(items, strings.TrimSpace(name+", "+b.Name+": "+b.Description))
		}
	}
	slices.Sort(items)
	if len(items) > 0 {
		how.Add("Follow these recommendations:").List(items)
	}
	return how.String()
}
