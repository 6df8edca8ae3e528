// Package aqua reads the JSON reports of Aqua Security's scanner of images.
//
// Made by "scannercli scan --jsonfile aqua.json IMAGE", or taken from the API. It
// comes in four shapes. A scan of an image, alone, or in "results" of an array
// with one element for each image:
//
//	{"image": "shop:1", "digest": "…", "os": "debian", "version": "11", "resources": [{"resource": {"format": "deb", "name": "apt",
//	  "version": "1.8.2", "path": "…"}, "vulnerabilities": [{"name": "CVE-…", "description": "…", "aqua_severity": "high",
//	  "nvd_vectors_v3": "CVSS:3.1/…", "fix_version": "…", "epss_score": 0.1}], "sensitive_data_items": [{"type": "RSA PRIVATE KEY"}]}]}
//
// A page of the API's vulnerabilities: {"count": 1, "result": [{"name": "CVE-…", "resource": {…}, "aqua_severity": "high", …}]}.
// And the API's second version: {"image_name": "…", "cves": [{"file": "/usr/lib/x.so", "name": "CVE-…", "severity": "high",
// "score": "7.5", "solution": "…", "url": "https://…"}]}.
package aqua

import (
	"errors"
	"time"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Aqua's JSON.
var Parsers = []parsers.Parser{{
	Name:     "aqua",
	ScanType: "Aqua Scan",
	Files:    "JSON",
	Command:  "scannercli scan --jsonfile aqua.json IMAGE",
	URL:      "https://docs.aquasec.com/",
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("image_assurance_results"), s.Has("[].results.image_assurance_results"), s.Has("cves_counts"),
		s.Has("result[].aqua_severity"), s.Has("resources[].vulnerabilities[].aqua_severity"):
		return parsers.Sure
	case s.Has("resources", "vulnerability_summary"), s.Has("[].results.resources"), s.Has("cves[].name", "cves[].severity"):
		return parsers.Likely
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Aqua"
	return stream.JSON(in, stream.ByKind(stream.Kinds{
		'{': report(out),
		'[': stream.Array(report(out)),
	}))
}

// report reads a report of one of the shapes.
func report(out *parsers.Report) stream.Value {
	run := out.Run()
	return func(d *stream.Decoder) error {
		known := false
		is := func(v stream.Value) stream.Value {
			return func(d *stream.Decoder) error { known = true; return v(d) }
		}
		name := stream.One(func(s stream.Text) error { run.Target = parsers.First(run.Target, string(s)); return nil })
		err := stream.Object(stream.Fields{
			"image":        name,
			"image_name":   name,
			"digest":       stream.One(func(s stream.Text) error { run.Revision = string(s); return nil }),
			"scan_started": stream.One(func(t stream.Lenient[stamp]) error { run.StartedAt = t.Value.time(); return nil }),
			"resources":    is(resources(out)),
			"result": is(stream.Each(func(v found) error {
				out.Emit(v.observation(v.Resource, true))
				return nil
			})),
			"cves":    is(stream.Each(func(c cve) error { out.Emit(c.observation()); return nil })),
			"results": is(stream.ByKind(stream.Kinds{'{': func(d *stream.Decoder) error { return report(out)(d) }, 'n': stream.Skip})),
			"errorMsg": stream.One(func(s stream.Text) error {
				if s != "" {
					out.Problem("%s", s)
				}
				return nil
			}),
		})(d)
		if err == nil && !known {
			return errors.New(`there is none of "resources", "result", "results" and "cves"`)
		}
		return err
	}
}

// stamp is an instant as protobuf writes it.
type stamp struct {
	Seconds int64 `json:"seconds"`
	Nanos   int64 `json:"nanos"`
}

func (s stamp) time() time.Time {
	if s.Seconds <= 0 {
		return time.Time{}
	}
	return time.Unix(s.Seconds, s.Nanos).UTC()
}

// resources reads a scan of an image.
func resources(out *parsers.Report) stream.Value {
	return stream.Each(func(r struct {
		Resource        resource        `json:"resource"`
		Vulnerabilities []vulnerability `json:"vulnerabilities"`
		Secrets         []struct {
			Type string `json:"type"`
		} `json:"sensitive_data_items"`
	},
	) error {
		if r.Resource.Version != "" {
			out.Component(gate.Component{Name: r.Resource.title(), Version: r.Resource.Version, Licenses: r.Resource.licenses(), Path: r.Resource.Path})
		}
		for _, v := range r.Vulnerabilities {
			out.Emit(v.observation(r.Resource, false))
		}
		var kinds []string
		for _, s := range r.Secrets {
			kinds = append(kinds, s.Type)
		}
		if len(kinds) > 0 {
			out.Emit(r.Resource.secret(kinds))
		}
		return nil
	})
}
