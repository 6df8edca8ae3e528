package cyclonedx

import (
	"encoding/xml"
	"strings"

	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// extension is the name space of vulnerabilities before version 1.4.
const extension = "ext/vulnerability"

type componentXML struct {
	Ref      string `xml:"bom-ref,attr"`
	Name     string `xml:"name"`
	Version  string `xml:"version"`
	PURL     string `xml:"purl"`
	Licenses struct {
		License []struct {
			ID   string `xml:"id"`
			Name string `xml:"name"`
		} `xml:"license"`
		Expression []string `xml:"expression"`
	} `xml:"licenses"`
	Occurrences []struct {
		Location string `xml:"location"`
	} `xml:"evidence>occurrences>occurrence"`
	Properties []struct {
		Name string `xml:"name,attr"`
		Text string `xml:",chardata"`
	} `xml:"properties>property"`
	Components      []componentXML     `xml:"components>component"`
	Vulnerabilities []vulnerabilityXML `xml:"vulnerabilities>vulnerability"`
}

type sourceXML struct {
	NameAttr string `xml:"name,attr"`
	Name     string `xml:"name"`
	URL      string `xml:"url"`
}

func (s sourceXML) source() source {
	return source{Name: stream.Text(parsers.First(s.Name, s.NameAttr)), URL: stream.Text(strings.TrimSpace(s.URL))}
}

type vulnerabilityXML struct {
	XMLName    xml.Name
	Ref        string    `xml:"ref,attr"`
	ID         string    `xml:"id"`
	Source     sourceXML `xml:"source"`
	References []string  `xml:"references>reference>id"`
	Ratings    []struct {
		Source sourceXML `xml:"source"`
		Score  struct {
			Text string `xml:",chardata"`
			Base string `xml:"base"`
		} `xml:"score"`
		Severity      string `xml:"severity"`
		Method        string `xml:"method"`
		Vector        string `xml:"vector"`
		Justification string `xml:"justification"`
	} `xml:"ratings>rating"`
	CWEs            []string `xml:"cwes>cwe"`
	Description     string   `xml:"description"`
	Detail          string   `xml:"detail"`
	Recommendation  string   `xml:"recommendation"`
	Recommendations []string `xml:"recommendations>recommendation"`
	Workaround      string   `xml:"workaround"`
	Advisories      []struct {
		Text  string `xml:",chardata"`
		Title string `xml:"title"`
		URL   string `xml:"url"`
	} `xml:"advisories>advisory"`
	Published string `xml:"published"`
	Rejected  string `xml:"rejected"`
	Analysis  struct {
		State         string   `xml:"state"`
		Justification string   `xml:"justification"`
		Responses     []string `xml:"responses>response"`
		Detail        string   `xml:"detail"`
	} `xml:"analysis"`
	Affects []struct {
		Ref      string `xml:"ref"`
		Versions []struct {
			Version string `xml:"version"`
			Range   string `xml:"range"`
			Status  string `xml:"status"`
		} `xml:"versions>version"`
	} `xml:"affects>target"`
}

// readXML reads the bill in three passes, as readJSON does.
func (b *bill) readXML(in *stream.Input) error {
	roots, found := []string{"bom"}, false
	each := func(f func(vulnerability)) stream.Handler {
		return stream.Element(func(x vulnerabilityXML) error {
			found = true
			f(x.vulnerability(""))
			return nil
		})
	}
	err := stream.XML(in, roots, stream.Elements{"bom/vulnerabilities/vulnerability": each(func(v vulnerability) {
		for _, a := range v.Affects {
			b.need(a.Ref)
		}
	})})
	if err != nil {
		return err
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	tool := stream.Element(func(t struct {
		Name    string `xml:"name"`
		Version string `xml:"version"`
	},
	) error {
		b.tool(t.Name, t.Version)
		return nil
	})
	err = stream.XML(in, roots, stream.Elements{
		"bom/metadata/timestamp":                  stream.CharData(func(s string) error { b.timestamp(s); return nil }),
		"bom/metadata/tools/tool":                 tool,
		"bom/metadata/tools/components/component": tool,
		"bom/metadata/component":                  stream.Element(func(c componentXML) error { b.root(c.component()); return nil }),
		"bom/components/component":                stream.Element(func(c componentXML) error { b.addXML(c); return nil }),
	})
	if err != nil || !found {
		return err
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	return stream.XML(in, roots, stream.Elements{"bom/vulnerabilities/vulnerability": each(b.emitXML)})
}

// addXML takes a component, those within it, and the vulnerabilities that it
// carries itself.
func (b *bill) addXML(x componentXML) {
	c := x.component()
	b.add(c, true)
	for _, v := range x.Vulnerabilities {
		w := v.vulnerability(c.Ref)
		w.Affects = nil
		o := w.observation(c, target{}, b.date)
		o.Occurrences = new(1)
		b.out.Emit(o)
	}
	for _, inner := range x.Components {
		b.addXML(inner)
	}
}

func (b *bill) emitXML(v vulnerability) {
	targets := v.Affects
	if len(targets) == 0 {
		targets = []target{{}}
	}
	for _, t := range targets {
		o := v.observation(b.affected(t.Ref), t, b.date)
		o.Occurrences = new(1)
		b.out.Emit(o)
	}
}

func (x componentXML) component() component {
	c := component{Ref: x.Ref, Name: strings.TrimSpace(x.Name), Version: strings.TrimSpace(x.Version), PURL: strings.TrimSpace(x.PURL)}
	for _, l := range x.Licenses.License {
		if s := parsers.First(l.ID, l.Name); s != "" {
			c.Licenses = append(c.Licenses, s)
		}
	}
	c.Licenses = append(c.Licenses, x.Licenses.Expression...)
	for _, o := range x.Occurrences {
		c.Path = parsers.First(c.Path, o.Location)
	}
	var properties []propertyJSON
	for _, p := range x.Properties {
		properties = append(properties, propertyJSON{stream.Text(p.Name), stream.Text(strings.TrimSpace(p.Text))})
	}
	c.Path = parsers.First(c.Path, path(properties))
	return c
}

// vulnerability gives it the form that it has in JSON. The reference of the
// older extension names the component itself.
func (x vulnerabilityXML) vulnerability(ref string) vulnerability {
	v := vulnerability{
		ID: stream.Text(strings.TrimSpace(x.ID)), Source: x.Source.source(), Description: stream.Text(strings.TrimSpace(x.Description)), Detail: stream.Text(strings.TrimSpace(x.Detail)),
		Recommendation: stream.Text(parsers.Lines(append(x.Recommendations, x.Recommendation)...)), Workaround: stream.Text(strings.TrimSpace(x.Workaround)),
		Published: stream.Text(strings.TrimSpace(x.Published)), Rejected: stream.Text(strings.TrimSpace(x.Rejected)),
		old:      strings.Contains(x.XMLName.Space, extension) || x.Ref != "" || ref != "",
		Analysis: analysis{State: stream.Text(strings.TrimSpace(x.Analysis.State)), Justification: stream.Text(strings.TrimSpace(x.Analysis.Justification)), Detail: stream.Text(strings.TrimSpace(x.Analysis.Detail))},
	}
	for _, r := range x.Analysis.Responses {
		v.Analysis.Response = append(v.Analysis.Response, stream.Text(strings.TrimSpace(r)))
	}
	for _, id := range x.References {
		v.References = append(v.References, struct {
			ID stream.Text `json:"id"`
		}{stream.Text(strings.TrimSpace(id))})
	}
	for _, r := range x.Ratings {
		v.Ratings = append(v.Ratings, rating{
			Source: r.Source.source(), Score: stream.Text(parsers.First(r.Score.Base, r.Score.Text)), Severity: stream.Text(strings.TrimSpace(r.Severity)),
			Method: stream.Text(strings.TrimSpace(r.Method)), Vector: stream.Text(strings.TrimSpace(r.Vector)), Justification: stream.Text(strings.TrimSpace(r.Justification)),
		})
	}
	for _, c := range x.CWEs {
		v.CWEs = append(v.CWEs, stream.Text(c))
	}
	for _, a := range x.Advisories {
		v.Advisories = append(v.Advisories, advisory{stream.Text(a.Title), stream.Text(parsers.First(a.URL, a.Text))})
	}
	v.Affects = x.targets()
	return v
}

func (x vulnerabilityXML) targets() []target {
	var out []target
	for _, a := range x.Affects {
		t := target{Ref: strings.TrimSpace(a.Ref)}
		for _, w := range a.Versions {
			t.Versions = append(t.Versions, struct {
				Version stream.Text `json:"version"`
				Range   stream.Text `json:"range"`
				Status  stream.Text `json:"status"`
			}{stream.Text(w.Version), stream.Text(w.Range), stream.Text(w.Status)})
		}
		out = append(out, t)
	}
	if len(out) == 0 && x.Ref != "" {
		out = append(out, target{Ref: x.Ref})
	}
	return out
}
