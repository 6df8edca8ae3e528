package mobsf

import (
	"slices"
	"strconv"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

type permission struct {
	Name        string      `json:"name"`
	Status      string      `json:"status"`
	Info        string      `json:"info"`
	Description string      `json:"description"`
	Reason      stream.Text `json:"reason"`
}

// permissions reads an object by name (Android) or a list (iOS).
func (f *findings) permissions() stream.Value {
	add := func(p permission) error { //nolint:unparam // as the readers below want it
		severity := gate.Info
		if p.Status == "dangerous" {
			severity = gate.High
		}
		o := finding("permissions", p.Name, severity, parsers.Lines(p.Info, p.Description))
		var text parsers.Text
		o.Description = text.Add("The app asks for the permission "+p.Name+".").Add(o.Description).Fact("Status", p.Status).Fact("Reason given", string(p.Reason)).String()
		f.add(o)
		return nil
	}
	return stream.ByKind(stream.Kinds{
		'n': stream.Skip,
		'[': stream.Each(func(p stream.Lenient[permission]) error { return add(p.Value) }),
		'{': stream.Entries(func(name string, d *stream.Decoder) error {
			return stream.One(func(p stream.Lenient[permission]) error {
				p.Value.Name = name
				return add(p.Value)
			})(d)
		}),
	})
}

// certificate reads findings of the form [severity, description, title].
func (f *findings) certificate() stream.Value {
	return object(stream.Fields{"certificate_findings": stream.Each(func(c []stream.Text) error {
		if len(c) > 2 {
			f.add(finding("certificate", string(c[2]), severityOf(string(c[0])), string(c[1])))
		}
		return nil
	})})
}

// object reads an object, and skips what is none.
func object(fields stream.Fields) stream.Value {
	return func(d *stream.Decoder) error {
		if d.PeekKind() != '{' {
			return d.SkipValue()
		}
		return stream.Object(fields)(d)
	}
}

func (f *findings) manifest() stream.Value {
	return object(stream.Fields{"manifest_findings": stream.Each(func(m struct {
		Title       string                        `json:"title"`
		Severity    string                        `json:"severity"`
		Description string                        `json:"description"`
		Component   stream.OneOrMany[stream.Text] `json:"component"`
	},
	) error {
		f.add(finding("manifest", m.Title, severityOf(m.Severity), m.Description))
		return nil
	})})
}

// rule is a check of the code, with where it met something.
type rule struct {
	Metadata *metadata                              `json:"metadata"`
	Files    stream.Lenient[map[string]stream.Text] `json:"files"`
	metadata
}

type metadata struct {
	Severity    string      `json:"severity"`
	Level       string      `json:"level"`
	Description string      `json:"description"`
	CWE         stream.Text `json:"cwe"`
	OWASP       stream.Text `json:"owasp-mobile"`
	MASVS       stream.Text `json:"masvs"`
	Reference   stream.Text `json:"ref"`
	CVSS        stream.Text `json:"cvss"`
}

// code reads rules by their names, which are the titles unless the descriptions are.
func (f *findings) code(section string, described bool) stream.Value {
	var rules stream.Value
	rules = stream.Entries(func(name string, d *stream.Decoder) error {
		if name == "findings" && d.PeekKind() == '{' {
			return rules(d)
		}
		return stream.One(func(r stream.Lenient[rule]) error {
			if r.OK && name != "summary" {
				f.add(r.Value.observation(section, name, described))
			}
			return nil
		})(d)
	})
	return func(d *stream.Decoder) error {
		if d.PeekKind() != '{' {
			return d.SkipValue()
		}
		return rules(d)
	}
}

func (r rule) observation(section, name string, described bool) gate.Observation {
	m := r.metadata
	if r.Metadata != nil {
		m = *r.Metadata
	}
	title := name
	if described && m.Description != "" {
		title = m.Description
	}
	o := finding(section, title, severityOf(parsers.First(m.Severity, m.Level)), m.Description)
	var text parsers.Text
	text.Add(o.Description).Fact("Rule", name).Fact("Weakness", string(m.CWE)).Fact("OWASP Mobile", string(m.OWASP)).Fact("OWASP MASVS", string(m.MASVS)).Fact("CVSS", string(m.CVSS))
	var files []string
	for file, lines := range r.Files.Value {
		files = append(files, "`"+file+"`: lines "+strings.ReplaceAll(string(lines), ",", ", "))
	}
	o.Description = text.Section("Files", list(files)).String()
	o.References = string(m.Reference)
	o.Check = name
	return o
}

// list returns a Markdown list in a stable order, of as many as fit.
func list(items []string) string {
	slices.Sort(items)
	if len(items) == 0 {
		return ""
	}
	more := ""
	if len(items) > 50 {
		more = "\n\n… and " + strconv.Itoa(len(items)-50) + " more."
		items = items[:50]
	}
	return "- " + strings.Join(items, "\n- ") + more
}

type check struct {
	Severity    string      `json:"severity"`
	Description string      `json:"description"`
	Detailed    string      `json:"detailed_desc"`
	CWE         stream.Text `json:"cwe"`
	OWASP       stream.Text `json:"owasp-mobile"`
	MASVS       stream.Text `json:"masvs"`
}

// binaries reads the checks of each library (Android) or of the app (iOS).
func (f *findings) binaries() stream.Value {
	return stream.ByKind(stream.Kinds{'n': stream.Skip, '"': stream.Skip, '[': stream.Array(f.library), '{': f.app()})
}

// library reads the checks of one library. Their titles are the first sentences.
func (f *findings) library(d *stream.Decoder) error {
	name := ""
	var checks []check
	err := stream.Entries(func(key string, d *stream.Decoder) error {
		if key == "name" {
			return stream.One(func(t stream.Text) error { name = string(t); return nil })(d)
		}
		return stream.One(func(c stream.Lenient[check]) error {
			if c.OK && c.Value.Description != "" {
				checks = append(checks, c.Value)
			}
			return nil
		})(d)
	})(d)
	for _, c := range checks {
		title, _, _ := strings.Cut(c.Description, ".")
		o := finding("binary", title, severityOf(c.Severity), c.Description)
		o.FilePath = name
		f.add(o)
	}
	return err
}

func (f *findings) app() stream.Value {
	var checks stream.Value
	checks = stream.Entries(func(name string, d *stream.Decoder) error {
		if name == "findings" && d.PeekKind() == '{' {
			return checks(d)
		}
		return stream.One(func(c stream.Lenient[check]) error {
			v := c.Value
			if !c.OK || v.Detailed == "" {
				return nil
			}
			o := finding("binary", v.Detailed, severityOf(v.Severity), v.Detailed)
			var text parsers.Text
			o.Description = text.Add(o.Description).Fact("Check", name).Fact("Weakness", string(v.CWE)).Fact("OWASP Mobile", string(v.OWASP)).Fact("OWASP MASVS", string(v.MASVS)).String()
			f.add(o)
			return nil
		})(d)
	})
	return checks
}
