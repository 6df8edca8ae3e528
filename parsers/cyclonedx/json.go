package cyclonedx

import (
	"strings"

	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// readJSON reads the bill in three passes: references, components, findings.
// Without vulnerabilities the last is left out.
func (b *bill) readJSON(in *stream.Input) error {
	refs := stream.Each(func(v struct {
		Affects []struct {
			Ref string `json:"ref"`
		} `json:"affects"`
	},
	) error {
		for _, a := range v.Affects {
			b.need(a.Ref)
		}
		return nil
	})
	format, found := "", false
	err := stream.JSON(in, stream.Object(stream.Fields{
		"bomFormat":   stream.Into(&format),
		"specVersion": stream.Skip,
		"vulnerabilities": func(d *stream.Decoder) error {
			found = true
			return refs(d)
		},
	}, "specVersion"))
	if err != nil {
		return err
	}
	if format != "" && format != "CycloneDX" {
		return stream.Errorf("bomFormat is %q, want \"CycloneDX\"", format)
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	err = stream.JSON(in, stream.Object(stream.Fields{
		"metadata": stream.ByKind(stream.Kinds{'n': stream.Skip, '{': stream.Object(stream.Fields{
			"timestamp": stream.One(func(t stream.Text) error { b.timestamp(string(t)); return nil }),
			"tools":     stream.One(b.tools),
			"component": b.component(b.root),
		})}),
		"components": stream.Array(b.component(func(c component) { b.add(c, true) })),
	}))
	if err != nil || !found {
		return err
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	return stream.JSON(in, stream.Object(stream.Fields{
		"vulnerabilities": stream.Each(func(v vulnerability) error {
			b.emit(v)
			return nil
		}),
	}))
}

// tools reads the list of tools, as it was up to 1.4 and is since 1.5.
func (b *bill) tools(v stream.Lenient[toolsJSON]) error {
	for _, t := range v.Value.list {
		b.tool(string(t.Name), string(t.Version))
	}
	return nil
}

type toolJSON struct {
	Name    stream.Text `json:"name"`
	Version stream.Text `json:"version"`
}

// component reads a component and those within it, each of which f gets.
func (b *bill) component(f func(component)) stream.Value {
	return func(d *stream.Decoder) error {
		var c component
		text := func(p *string) stream.Value {
			return stream.One(func(t stream.Text) error { *p = string(t); return nil })
		}
		err := stream.ByKind(stream.Kinds{
			'{': stream.Object(stream.Fields{
				"bom-ref":    text(&c.Ref),
				"name":       text(&c.Name),
				"version":    text(&c.Version),
				"purl":       text(&c.PURL),
				"licenses":   stream.One(func(l stream.OneOrMany[licenseJSON]) error { c.Licenses = licenses(l); return nil }),
				"evidence":   stream.One(func(e stream.Lenient[evidenceJSON]) error { c.Path = parsers.First(e.Value.path(), c.Path); return nil }),
				"properties": stream.One(func(l stream.OneOrMany[propertyJSON]) error { c.Path = parsers.First(c.Path, path(l)); return nil }),
				"components": stream.Array(b.component(func(c component) { b.add(c, true) })),
			}),
			'n': stream.Skip,
		})(d)
		if err == nil {
			f(c)
		}
		return err
	}
}

type licenseJSON struct {
	License struct {
		ID   stream.Text `json:"id"`
		Name stream.Text `json:"name"`
	} `json:"license"`
	Expression stream.Text `json:"expression"`
}

func licenses(list []licenseJSON) []string {
	var out []string
	for _, l := range list {
		if s := parsers.First(string(l.License.ID), string(l.License.Name), string(l.Expression)); s != "" {
			out = append(out, s)
		}
	}
	return out
}

type evidenceJSON struct {
	Occurrences []struct {
		Location string `json:"location"`
	} `json:"occurrences"`
}

func (e evidenceJSON) path() string {
	for _, o := range e.Occurrences {
		if o.Location != "" {
			return o.Location
		}
	}
	return ""
}

type propertyJSON struct {
	Name  stream.Text `json:"name"`
	Value stream.Text `json:"value"`
}

// path finds the file that brings a component in among the properties that
// syft, trivy and cdxgen write.
func path(properties []propertyJSON) string {
	for _, p := range properties {
		switch name := string(p.Name); {
		case name == "syft:location:0:path", name == "aquasecurity:trivy:FilePath", name == "SrcFile", strings.HasSuffix(name, ":location:0:path"):
			return string(p.Value)
		}
	}
	return ""
}
