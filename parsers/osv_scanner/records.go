package osv_scanner

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// records is the parser of OSV's own records, which DefectDojo does not read:
// one, an array, one a line, or the answer of api.osv.dev, {"vulns": […]}.
// Each package that a record names as affected is a finding; no version of it
// is known, unless the record lists a single one.
var records = parsers.Parser{
	Name:     "osv_scanner",
	ScanType: "OSV Records Scan",
	Files:    "JSON or JSON lines",
	Command:  `curl -d '{"package": {"purl": "pkg:pypi/django@2.0.0"}}' https://api.osv.dev/v1/query > osv.json`,
	URL:      "https://ossf.github.io/osv-schema/",
	Analysis: gate.Static,
	Detect:   detectRecords,
	Parse:    parseRecords,
}

func detectRecords(s *parsers.Sample) parsers.Likeness {
	for _, at := range []string{"", "[].", "vulns[]."} {
		switch {
		case s.Has(at+"id", at+"modified", at+"affected[].package") && !s.Has(at+"tool"):
			return parsers.Sure
		case s.Has(at+"id", at+"modified", at+"schema_version"), s.Has(at+"id", at+"affected[].ranges[].events"):
			return parsers.Likely
		}
	}
	if s.Is("{}") || s.Is(`{"vulns":[]}`) || s.Is("[]") {
		return parsers.Possible
	}
	return parsers.No
}

func parseRecords(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "OSV"
	one, empty := stream.One(func(r record) error { return r.emit(out) }), true
	err := stream.JSONs(in, func(d *stream.Decoder) error {
		empty = false
		return stream.ByKind(stream.Kinds{
			'{': stream.One(func(raw jsontext.Value) error { return either(raw, out) }),
			'[': stream.Array(one),
		})(d)
	})
	if err == nil && empty {
		return stream.Errorf("the report is empty")
	}
	return err
}

// either reads an answer of the API or a record: an object is one or the other.
func either(raw jsontext.Value, out *parsers.Report) error {
	var answer struct {
		Vulns *[]record   `json:"vulns"`
		ID    stream.Text `json:"id"`
	}
	if err := stream.Unmarshal(raw, &answer); err != nil {
		return err
	}
	if answer.Vulns == nil && answer.ID == "" && strings.Join(strings.Fields(string(raw)), "") == "{}" {
		return nil // how the API says that it knows of none
	}
	if answer.Vulns == nil {
		var r record
		if err := stream.Unmarshal(raw, &r); err != nil {
			return err
		}
		return r.emit(out)
	}
	for _, r := range *answer.Vulns {
		if err := r.emit(out); err != nil {
			return err
		}
	}
	return nil
}

type record struct {
	vulnerability
	Upstream []string `json:"upstream"`
	Related  []string `json:"related"`
}

// emit puts out a finding for each package that is affected, the first time it is named.
func (r record) emit(out *parsers.Report) error {
	if r.ID == "" {
		return stream.Errorf(`no "id": this is no OSV record`)
	}
	seen := map[string]bool{}
	for _, a := range r.Affected {
		key := a.Package.Ecosystem + "\x00" + a.Package.Name
		if seen[key] {
			continue
		}
		seen[key] = true
		out.Emit(r.observation(a))
	}
	if len(r.Affected) == 0 {
		out.Emit(r.observation(affected{}))
	}
	return nil
}

func (r record) observation(a affected) gate.Observation {
	var p pack
	p.Package.Name, p.Package.Ecosystem = a.Package.Name, a.Package.Ecosystem
	if len(a.Versions) == 1 {
		p.Package.Version = string(a.Versions[0])
	}
	v := r.vulnerability
	v.Details = "" // comes last
	o := observation(source{}, p, v)
	o.Title = strings.TrimSpace(r.ID + " " + p.Package.Name)
	o.RuleID, o.Check = r.ID, ""
	o.PURL = parsers.First(a.Package.PURL, o.PURL)
	o.VulnerabilityIDs = slices.Concat(o.VulnerabilityIDs, r.Aliases, r.Upstream)
	for _, s := range slices.Concat(r.Severity, a.Severity) {
		parsers.SetCVSS(&o, string(s.Score))
	}
	r.weigh(&o, a)
	o.FixAvailable = new(o.Fix != "")
	if r.Withdrawn != "" {
		o.Active = new(false)
	}
	var text parsers.Text
	o.Description = text.Add(o.Description).Facts("Affected versions", r.ranges(a)).Facts("Related", r.Related).Fact("Changed", r.Modified).
		Section("Details", r.Details).String()
	return o
}

// weigh adds the weaknesses that GitHub's database names by ids alone.
func (r record) weigh(o *gate.Observation, a affected) {
	o.NoCWE = false
	parsers.SetCWEs(o, slices.Concat(r.DatabaseSpecific.Value.CWEIDs, a.DatabaseSpecific.Value.CWEIDs)...)
}

// ranges are the affected versions of a package, in words.
func (r record) ranges(of affected) []string {
	var list []string
	for _, a := range r.Affected {
		if a.Package.Name != of.Package.Name || a.Package.Ecosystem != of.Package.Ecosystem {
			continue
		}
		for _, g := range a.Ranges {
			list = append(list, span(g.Events)...)
		}
	}
	return list
}

// span writes the events of a range: from where to where.
func span(events []change) []string {
	var list []string
	from := ""
	for _, e := range events {
		switch {
		case e.Introduced != "":
			from = string(e.Introduced)
		case e.Fixed != "":
			list, from = append(list, "from "+from+" until "+string(e.Fixed)+" (fixed)"), ""
		case e.Last != "":
			list, from = append(list, "from "+from+" to "+string(e.Last)+" (the last)"), ""
		}
	}
	if from != "" {
		list = append(list, "from "+from)
	}
	return list
}
