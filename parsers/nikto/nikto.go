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
	"regexp"
	"strings"

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
			f.addXML(item{
				id: n.Attr("id"), method: n.Attr("method"), osvdb: n.Attr("osvdbid"), text: n.Get("description"), references: n.Get("references"),
				endpoint: parsers.Endpoint(parsers.First(n.Get("iplink"), n.Get("namelink"))), place: parsers.First(n.Get("iplink"), n.Get("namelink"), n.Get("uri")),
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
			place := parsers.HostPort("", name, string(h.Port)) + "/" + strings.TrimPrefix(string(v.URL), "/")
			f.addJSON(item{string(v.ID), string(v.Method), string(v.OSVDB), v.Message, string(v.References), parsers.Endpoint(place), place})
		}
		return nil
	}
	return stream.JSON(in, stream.ByKind(stream.Kinds{'{': stream.One(one), '[': stream.Each(one)}))
}

type item struct{ id, method, osvdb, text, references, endpoint, place string }

// addXML adds an item of the XML. Its title is the first sentence; what is said of
// one address twice is one finding.
func (f *findings) addXML(i item) {
	key := strings.Join([]string{i.place, i.text, i.method}, "\x00")
	o, _ := f.merged.At(key, func() *gate.Observation {
		o := i.observation()
		o.Title = firstSentence(i.text)
		return o
	})
	f.count(o, i)
}

// addJSON adds an item of the JSON: what is said of several addresses is one finding,
// which then has no id of its own.
func (f *findings) addJSON(i item) {
	o, isNew := f.merged.At(i.rating().String()+i.text, func() *gate.Observation {
		o := i.observation()
		if i.named() {
			o.UniqueID = "OSVDB-" + i.osvdb
		}
		return o
	})
	if !isNew {
		o.Check, o.RuleID, o.UniqueID = parsers.First(o.Check, o.RuleID), "", ""
		o.Description += "\n\n**Also at:** " + i.place
	}
	f.count(o, i)
}

func (f *findings) count(o *gate.Observation, i item) {
	*o.Occurrences++
	o.Endpoints = append(o.Endpoints, i.endpoint)
}

// named tells whether it is a vulnerability that has a name.
func (i item) named() bool { return i.osvdb != "0" && i.osvdb != "" }

func (i item) rating() gate.Severity {
	if i.named() {
		return gate.Medium
	}
	return gate.Info
}

func (i item) observation() *gate.Observation {
	var text parsers.Text
	text.Add(i.text).Fact("Place", i.place).Fact("HTTP method", i.method).Fact("Check", i.id)
	if i.named() {
		text.Fact("OSVDB", i.osvdb)
	}
	return &gate.Observation{Title: i.text, Severity: i.rating(), Description: text.String(), References: i.references, RuleID: i.id, Occurrences: new(0)}
}

// abbreviation ends what is no sentence: "e.g.", "Mr.".
var abbreviation = regexp.MustCompile(`(?:\w\.\w.|[A-Z][a-z]\.)$`)

// firstSentence returns a text up to the first full stop or question mark that a
// space follows.
func firstSentence(text string) string {
	for i := 1; i < len(text); i++ {
		if strings.IndexByte(" \t\n\r", text[i]) >= 0 && (text[i-1] == '.' || text[i-1] == '?') && !abbreviation.MatchString(text[max(0, i-12):i]) {
			return text[:i]
		}
	}
	return text
}
