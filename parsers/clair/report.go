package clair

import (
	"errors"
	"net/url"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// report is a vulnerability report of Clair 4, without its vulnerabilities: what
// ties them to packages stands after them.
type report struct {
	hash          string
	packages      map[string]pkg
	distributions map[string]distribution
	environments  map[string][]environment
	of            map[string][]string // packages, by the vulnerability's id
	vectors       map[string][]string // CVSS, by the same
	known         bool                // it is such a report
}

type pkg struct {
	Name    stream.Text `json:"name"`
	Version stream.Text `json:"version"`
	Kind    stream.Text `json:"kind"`
	Arch    stream.Text `json:"arch"`
	Source  *struct {
		Name    stream.Text `json:"name"`
		Version stream.Text `json:"version"`
	} `json:"source"`
}

type distribution struct {
	DID        stream.Text `json:"did"`
	Name       stream.Text `json:"name"`
	VersionID  stream.Text `json:"version_id"`
	PrettyName stream.Text `json:"pretty_name"`
}

type environment struct {
	DB           stream.Text `json:"package_db"`
	Layer        stream.Text `json:"introduced_in"`
	Distribution stream.Text `json:"distribution_id"`
}

type ofReport struct {
	Name        stream.Text `json:"name"`
	Description stream.Text `json:"description"`
	Issued      stream.Text `json:"issued"`
	Links       stream.Text `json:"links"` // several, with spaces between
	Severity    stream.Text `json:"severity"`
	Normalized  stream.Text `json:"normalized_severity"`
	Fixed       stream.Text `json:"fixed_in_version"`
	Updater     stream.Text `json:"updater"`
}

// readReports reads everything of the reports in a file but their
// vulnerabilities: clairctl writes one for each image, or null.
func readReports(in *stream.Input) ([]*report, error) {
	var all []*report
	err := stream.JSONs(in, orNull(func(d *stream.Decoder) error {
		r := &report{packages: map[string]pkg{}, distributions: map[string]distribution{}, environments: map[string][]environment{}, of: map[string][]string{}, vectors: map[string][]string{}}
		all = append(all, r)
		return r.read(d)
	}))
	return all, err
}

// orNull reads null as nothing.
func orNull(v stream.Value) stream.Value {
	return func(d *stream.Decoder) error {
		if d.PeekKind() == 'n' {
			return d.SkipValue()
		}
		return v(d)
	}
}

func (r *report) read(d *stream.Decoder) error {
	return stream.Object(stream.Fields{
		"manifest_hash": stream.One(func(s stream.Text) error { r.hash, r.known = string(s), true; return nil }),
		"packages":      stream.ByKind(stream.Kinds{'{': entries(r.packages), 'n': stream.Skip, '[': stream.Skip}),
		"distributions": entries(r.distributions),
		"environments":  entries(r.environments),
		"package_vulnerabilities": stream.Entries(func(id string, d *stream.Decoder) error {
			r.known = true
			return stream.Each(func(v stream.Text) error {
				r.of[string(v)] = append(r.of[string(v)], id)
				return nil
			})(d)
		}),
		"enrichments": stream.Entries(func(_ string, d *stream.Decoder) error { return stream.Array(stream.Entries(r.enrich))(d) }),
	})(d)
}

// entries reads an object of records into a map.
func entries[T any](to map[string]T) stream.Value {
	return stream.Entries(func(id string, d *stream.Decoder) error {
		return stream.One(func(v T) error { to[id] = v; return nil })(d)
	})
}

// enrich reads what an enricher knows of a vulnerability: the one of interest
// gives CVSS vectors, others something else.
func (r *report) enrich(id string, d *stream.Decoder) error {
	return stream.One(func(all stream.Lenient[[]struct {
		Vector stream.Text `json:"vectorString"`
	}],
	) error {
		for _, e := range all.Value {
			if e.Vector != "" {
				r.vectors[id] = append(r.vectors[id], string(e.Vector))
			}
		}
		return nil
	})(d)
}

// emit reads the vulnerabilities, which the reports say more of.
func emit(in *stream.Input, out *parsers.Report, all []*report) error {
	next := 0
	return stream.JSONs(in, orNull(func(d *stream.Decoder) error {
		if next == len(all) {
			return errors.New("the report changed while it was read")
		}
		r := all[next]
		next++
		if !r.known {
			return errors.New(`there is no "manifest_hash": it is no report of Clair`)
		}
		out.Begin(gate.Run{Tool: "Clair", Target: r.hash})
		for _, id := range sortedIDs(r.packages) {
			p := r.packages[id]
			out.Component(gate.Component{Name: string(p.Name), Version: string(p.Version), PURL: r.purl(id), Path: r.database(id)})
		}
		return stream.Object(stream.Fields{
			"vulnerabilities": stream.Entries(func(id string, d *stream.Decoder) error {
				return stream.One(func(v ofReport) error {
					for _, p := range r.of[id] {
						out.Emit(r.observation(v, id, p))
					}
					return nil
				})(d)
			}),
		}, "vulnerabilities")(d)
	}))
}

// observation is what a vulnerability is in a package.
func (r *report) observation(v ofReport, id, in string) gate.Observation {
	p := r.packages[in]
	name, version := string(p.Name), string(p.Version)
	fixed := fixedIn(string(v.Fixed))
	var about parsers.Text
	about.Add(string(v.Description)).Fact("Vulnerability", string(v.Name)).Fact("Package", name+" "+version).
		Fact("Architecture", string(p.Arch)).Fact("Fixed version", fixed)
	if s := p.Source; s != nil && s.Name != "" && s.Name != p.Name {
		about.Fact("Built from", strings.TrimSpace(string(s.Name)+" "+string(s.Version)))
	}
	about.Fact("Distribution", r.distribution(in)).Fact("Package database", r.database(in)).Facts("Layer", r.layers(in)).
		Fact("Severity by the source", string(v.Severity)).Fact("Source", string(v.Updater))
	o := gate.Observation{
		Title:            string(v.Name) + " - (" + name + ", " + version + ")",
		Severity:         gate.ParseSeverity(parsers.First(string(v.Normalized), string(v.Severity))),
		Description:      about.String(),
		Impact:           "The image holds " + name + " " + version + ", which is vulnerable.",
		References:       parsers.Lines(strings.Fields(string(v.Links))...),
		Check:            string(v.Name),
		VulnerabilityIDs: ids(v),
		ComponentName:    name,
		ComponentVersion: version,
		PURL:             r.purl(in),
		Fix:              fixed,
		PublishDate:      parsers.ParseDate(string(v.Issued)),
	}
	if fixed != "" {
		o.Mitigation = "Update " + name + " to " + fixed + "."
	}
	parsers.SetCVSS(&o, r.vectors[id]...)
	parsers.SetCVSS(&o, string(v.Severity))                                         // some sources write a vector there
	if strings.EqualFold(string(v.Normalized), "Unknown") && o.CVSSv3Score != nil { // nobody but the National Vulnerability Database rates it
		o.Severity = gate.SeverityOfScore(*o.CVSSv3Score)
	}
	return o
}

// ids are the advisory, "RHSA-2024:1234: perl security update (Important)" by its
// first word, and the CVEs that it is about.
func ids(v ofReport) []string {
	var all []string
	if first, _, _ := strings.Cut(string(v.Name), " "); strings.Contains(first, "-") {
		all = append(all, strings.TrimSuffix(first, ":"))
	}
	return append(all, parsers.CVEs(string(v.Name)+" "+string(v.Links))...)
}

// fixedIn reads the version that has the fix, which is "fixed=1.2&introduced=1.0"
// where the source gives ranges.
func fixedIn(s string) string {
	if !strings.Contains(s, "=") {
		return s
	}
	q, err := url.ParseQuery(s)
	if err != nil {
		return ""
	}
	return q.Get("fixed")
}
