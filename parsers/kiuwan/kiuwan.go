// Package kiuwan reads the CSV of Kiuwan Code Security: vulnerabilities, or all
// defects.
//
// Made by "Export, CSV" of an analysis:
//
//	Rule code,Rule,Priority,CWE,Software characteristic,Vulnerability type,Language,Effort,File,Line number,Line text,Source file,Source line number,Source line text,Muted,Normative,Status,CWE Scope,Framework
//	OPT.JAVA.SEC_JAVA.XmlEntityInjectionRule,XML entity injection,Very High,611,Security,Injection,Java,30m,src/A.java,164,reader.parse(…),src/A.java,157,String xml,No,"CWE:611,OWASP:2017:A4",none,"CWEScope:Availability",
//
// Defects have neither the column "CWE" nor "Vulnerability type". The source is
// where the data of a vulnerability comes from, the file where it does harm.
package kiuwan

import (
	"crypto/sha256"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Kiuwan's CSV.
var Parsers = []parsers.Parser{{
	Name:     "kiuwan",
	ScanType: "Kiuwan Scan",
	Files:    "CSV",
	Command:  "Kiuwan Code Security: Vulnerabilities, Export as CSV",
	URL:      "https://www.kiuwan.com/docs/",
	Analysis: gate.Both,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.HasColumns("Rule code", "Rule", "Priority", "Software characteristic"):
		return parsers.Sure
	case s.HasColumns("Rule code", "Rule", "Priority"):
		return parsers.Likely
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Kiuwan"
	seen := map[[sha256.Size]byte]bool{}
	return stream.CSV(in, []string{"Rule code", "Rule", "Priority", "File"}, func(r stream.Row) error {
		if k := key(r); !seen[k] {
			seen[k] = true
			out.Emit(observation(r))
		}
		return nil
	})
}

// key is what makes two rows one defect: they say the same of the same place.
func key(r stream.Row) [sha256.Size]byte {
	var b []byte
	for _, column := range []string{
		"Priority", "Rule", "Rule code", "Vulnerability type", "CWE Scope", "Normative", "Status", "File", "Line number", "Line text",
		"Source file", "Source line number", "Source line text",
	} {
		b = append(append(b, r.Get(column)...), 0)
	}
	return sha256.Sum256(b)
}

var priorities = map[string]gate.Severity{"very high": gate.Critical, "high": gate.High, "normal": gate.Medium, "low": gate.Low, "very low": gate.Info}

// facts are the columns that a description tells, with their names.
var facts = [][2]string{
	{"Rule code", "Rule"},
	{"Software characteristic", "Characteristic"},
	{"Vulnerability type", "Type"},
	{"Language", "Language"},
	{"Framework", "Framework"},
	{"Effort", "Effort"},
	{"Normative", "Norms"},
	{"CWE Scope", "What the weakness harms"},
	{"Status", "Status"},
	{"Muted", "Muted"},
}

func observation(r stream.Row) gate.Observation {
	line := stream.ParseInt(r.Get("Line number"))
	language := strings.ToLower(r.Get("Language"))
	var text parsers.Text
	text.Add(r.Get("Rule"))
	for _, f := range facts {
		text.Fact(f[1], strings.ReplaceAll(strings.ReplaceAll(r.Get(f[0]), "CWEScope:", ""), ",", ", "))
	}
	text.Fact("Place", parsers.Place(r.Get("File"), line.Ptr())).Code(language, r.Get("Line text"))
	if source := r.Get("Source file"); source != "" {
		text.Fact("The data comes from", parsers.Place(source, stream.ParseInt(r.Get("Source line number")).Ptr())).Code(language, r.Get("Source line text"))
	}
	return gate.Observation{
		Title:       r.Get("Rule"),
		Severity:    priorities[strings.ToLower(r.Get("Priority"))],
		Description: text.String(),
		Mitigation:  "Kiuwan tells for the rule " + r.Get("Rule code") + " how to mend it" + effort(r.Get("Effort")) + ".",
		References:  norms(r.Get("Normative"), r.Get("Rule code")),
		CWE:         gate.ParseCWE(r.Get("CWE")),
		Check:       r.Get("Rule code"),
		FilePath:    r.Get("File"),
		Line:        line.Ptr(),
		Snippet:     r.Get("Line text"),
	}
}

// effort writes how long it takes, "30m".
func effort(e string) string {
	if e == "" {
		return ""
	}
	return "; it estimates " + e
}

// norms lists the norms that a rule is of, and links those of CWE.
func norms(list, rule string) string {
	lines := []string{"Kiuwan's rule " + rule}
	for n := range strings.SplitSeq(list, ",") {
		if id, ok := strings.CutPrefix(n, "CWE:"); ok {
			n = "https://cwe.mitre.org/data/definitions/" + id + ".html"
		}
		lines = append(lines, n)
	}
	return parsers.Lines(lines...)
}
