// Package nikto reads the reports of Nikto, the web server scanner: XML and JSON.
//
// Made by "nikto -h https://example.org -Format xml -o nikto.xml":
//
//	<niktoscan><niktoscan version="2.1.6" scanstart="Mon Apr 26 08:33:14 2021" scanend="…">
//	  <scandetails targetip="192.0.2.7" targethostname="example.org" targetport="443" sitename="https://example.org:443/">
//	    <item id="999100" osvdbid="0" method="GET"><description>…</description><uri>/</uri>
//	      <namelink>https://example.org:443/</namelink><iplink>https://192.0.2.7:443/</iplink></item>
//	  </scandetails></niktoscan></niktoscan>
//
// or with "-Format json": one object for each host, a list of them since 2.5:
//
//	{"host": "example.org", "ip": "192.0.2.7", "port": "443", "banner": "nginx", "vulnerabilities": [
//	  {"id": "999957", "OSVDB": "0", "references": "https://…", "method": "GET", "url": "/", "msg": "…"}]}
//
// The inner niktoscan is missing in old reports. What is the same at several
// places is one finding.
package nikto

import (
	"bytes"
	"io"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Nikto's XML and JSON.
var Parsers = []parsers.Parser{{
	Name:     "nikto",
	ScanType: "Nikto Scan",
	Files:    "XML or JSON",
	Command:  "nikto -h https://example.org -Format xml -o nikto.xml",
	URL:      "https://github.com/sullo/nikto/wiki/Export-Formats",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Root == "niktoscan", s.Has("vulnerabilities[].OSVDB"), s.Has("[].vulnerabilities[].OSVDB"):
		return parsers.Sure
	case s.Has("host", "ip", "port", "banner", "vulnerabilities"), s.Has("[].host", "[].ip", "[].port", "[].banner", "[].vulnerabilities"):
		return parsers.Likely
	}
	return parsers.No
}

// findings gathers what is met at several places.
type findings struct{ merged *parsers.Merged }

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Nikto"
	head := make([]byte, 512)
	n, _ := io.ReadFull(in, head) // whatever is wrong with it is for the reader to say
	if err := in.Rewind(); err != nil {
		return err
	}
	f := &findings{parsers.Merge(out)}
	read := f.json
	if bytes.HasPrefix(bytes.TrimSpace(head[:n]), []byte("<")) {
		read = f.xml
	}
	if err := read(in, out); err != nil {
		return err
	}
	f.merged.Emit()
	return nil
}

func (f *findings) xml(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	return stream.XML(in, []string{"niktoscan"}, stream.Elements{
		"*/niktoscan": stream.Start(func(attr func(string) string) error {
			run.Version = parsers.First(run.Version, attr("version"))
			run.Description = parsers.First(run.Description, attr("options"))
			if t := parsers.ParseTime(attr("scanstart")); !t.IsZero() {
				run.StartedAt = t
			}
			if t := parsers.ParseTime(attr("scanend")); t.Year() > 1970 {
				run.FinishedAt = t
			}
			return nil
		}),
		"*/scandetails": stream.Start(func(attr func(string) string) error {
			run.Target = parsers.First(run.Target, attr("sitename"), attr("targethostname"))
			return nil
		}),
		"*/item": stream.Record(func(n *stream.Node) error {
			f.add(item{
				id: n.Attr("id"), method: n.Attr("method"), osvdb: n.Attr("osvdbid"), text: n.Get("description"), references: n.Get("references"),
				endpoint: parsers.Endpoint(parsers.First(n.Get("iplink"), n.Get("namelink"))), place: parsers.First(n.Get("namelink"), n.Get("iplink"), n.Get("uri")),
			})
			return nil
		}),
	})
}

type host struct {
	Host            stream.Text `json:"host"`
	IP              stream.Text `json:"ip"`
	Port            stream.Text `json:"port"`
	Banner          stream.Text `json:"banner"`
	Vulnerabilities *[]struct {
		ID         stream.Text `json:"id"`
		OSVDB      stream.Text `json:"OSVDB"`
		Method     stream.Text `json:"method"`
		URL        stream.Text `json:"url"`
		Message    string      `json:"msg"`
		References stream.Text `json:"references"`
	} `json:"vulnerabilities"`
}

func (f *findings) json(in *stream.Input, out *parsers.Report) error {
	one := func(h host) error {
		if h.Vulnerabilities == nil {
			return stream.Errorf("there is no \"vulnerabilities\"")
		}
		name := parsers.First(string(h.Host), string(h.IP))
		out.Run().Target = parsers.First(out.Run().Target, name)
		for _, v := range *h.Vulnerabilities {
			place := parsers.HostPort(scheme(string(h.Port)), name, string(h.Port)) + string(v.URL)
			f.add(item{string(v.ID), string(v.Method), string(v.OSVDB), v.Message, string(v.References), parsers.Endpoint(place), place})
		}
		return nil
	}
	return stream.JSON(in, stream.ByKind(stream.Kinds{'{': stream.One(one), '[': stream.Each(one)}))
}

// scheme guesses what the report does not say.
func scheme(port string) string {
	switch port {
	case "443", "8443":
		return "https"
	case "":
		return ""
	}
	return "http"
}

type item struct{ id, method, osvdb, text, references, endpoint, place string }

func (f *findings) add(i item) {
	key := i.id + "\x00" + i.text
	o, _ := f.merged.At(key, func() *gate.Observation {
		var text parsers.Text
		text.Add(i.text).Fact("Place", i.place).Fact("HTTP method", i.method).Fact("Check", i.id)
		severity := gate.Info
		if i.osvdb != "0" && i.osvdb != "" {
			text.Fact("OSVDB", i.osvdb)
			severity = gate.Medium // a vulnerability that has a name
		}
		return &gate.Observation{Title: i.text, Severity: severity, Description: text.String(), References: i.references, RuleID: i.id, Occurrences: new(0)}
	})
	*o.Occurrences++
	o.Endpoints = append(o.Endpoints, i.endpoint)
}
