// Package ssh_audit reads the JSON report of ssh-audit, which examines SSH
// servers.
//
// Made by "ssh-audit --json shop.example.org":
//
//	{"banner": {"raw": "SSH-2.0-OpenSSH_7.9p1", "software": "OpenSSH_7.9p1"}, "target": "shop.example.org:22",
//	 "cves": [{"name": "CVE-2021-41617", "cvssv2": 7.0, "description": "…"}],
//	 "kex": [{"algorithm": "ecdh-sha2-nistp256", "keysize": 256, "notes": {"fail": ["…"], "warn": ["…"], "info": ["…"]}}], "key": […], "enc": […], "mac": […],
//	 "recommendations": {"critical": {"del": {"kex": [{"name": "…", "notes": ""}]}}}}
//
// With several targets (-T) it is an array of those. An algorithm is a finding
// when a note says that it fails or is to be warned of.
package ssh_audit

import (
	"strconv"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads ssh-audit's JSON.
var Parsers = []parsers.Parser{{
	Name:     "ssh_audit",
	ScanType: "SSH Audit Importer",
	Files:    "JSON",
	Command:  "ssh-audit --json shop.example.org > ssh-audit.json",
	URL:      "https://github.com/jtesta/ssh-audit",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Has("banner", "kex", "mac") || s.Has("[].banner", "[].kex", "[].mac") {
		return parsers.Sure
	}
	return parsers.No
}

type server struct {
	Banner struct {
		Raw      stream.Text `json:"raw"`
		Software stream.Text `json:"software"`
	} `json:"banner"`
	Target stream.Text `json:"target"`
	CVEs   []struct {
		Name        stream.Text  `json:"name"`
		Score       stream.Float `json:"cvssv2"`
		Description stream.Text  `json:"description"`
	} `json:"cves"`
	KEX             *[]algorithm                   `json:"kex"`
	Key             []algorithm                    `json:"key"`
	Enc             []algorithm                    `json:"enc"`
	MAC             []algorithm                    `json:"mac"`
	Recommendations stream.Lenient[recommendation] `json:"recommendations"`
}

// recommendation maps a level to an action to a kind to algorithms.
type recommendation map[string]map[string]map[string][]struct {
	Name  stream.Text `json:"name"`
	Notes stream.Text `json:"notes"`
}

type algorithm struct {
	Name    stream.Text `json:"algorithm"`
	KeySize stream.Text `json:"keysize"`
	Notes   struct {
		Fail stream.OneOrMany[stream.Text] `json:"fail"`
		Warn stream.OneOrMany[stream.Text] `json:"warn"`
		Info stream.OneOrMany[stream.Text] `json:"info"`
	} `json:"notes"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "ssh-audit"
	one := stream.One(func(s server) error {
		if s.KEX == nil {
			return stream.Errorf(`there is no "kex": this is not ssh-audit's report`)
		}
		out.Run().Target = string(s.Target)
		s.put(out)
		return nil
	})
	return stream.JSON(in, stream.ByKind(stream.Kinds{'{': one, '[': stream.Array(one)}))
}

func (s server) put(out *parsers.Report) {
	for _, c := range s.CVEs {
		var text parsers.Text
		text.Add(string(c.Description)).Fact("CVE", string(c.Name)).Fact("CVSS 2", strconv.FormatFloat(c.Score.F, 'f', 1, 64)).Fact("Banner", string(s.Banner.Raw)).Add("ssh-audit tells this from the version in the banner; a distribution may have mended it without a new version.")
		o := s.observation(string(c.Name), gate.SeverityOfScore(c.Score.F), &text)
		o.VulnerabilityIDs = []string{string(c.Name)}
		o.References = "https://nvd.nist.gov/vuln/detail/" + string(c.Name)
		o.Mitigation = "Update the SSH server."
		out.Emit(o)
	}
	for _, kind := range []struct {
		key, name string
		list      []algorithm
	}{{"kex", "key exchange", *s.KEX}, {"key", "host key", s.Key}, {"enc", "encryption", s.Enc}, {"mac", "message authentication", s.MAC}} {
		for _, a := range kind.list {
			severity := gate.Medium
			switch {
			case len(a.Notes.Fail) > 0:
				severity = gate.High
			case len(a.Notes.Warn) == 0:
				continue
			}
			var text parsers.Text
			text.Add("The server offers `"+string(a.Name)+"` for "+kind.name+".").Fact("Fails", join(a.Notes.Fail)).Fact("Warning", join(a.Notes.Warn)).Fact("Information", join(a.Notes.Info))
			text.Fact("Key size", string(a.KeySize)).Fact("Banner", string(s.Banner.Raw))
			o := s.observation(string(a.Name), severity, &text)
			o.Mitigation = s.advice(kind.key, string(a.Name))
			out.Emit(o)
		}
	}
}

func (s server) observation(name string, severity gate.Severity, text *parsers.Text) gate.Observation {
	o := gate.Observation{Title: string(s.Banner.Raw) + "_" + name, Severity: severity, Description: text.String(), Check: name}
	if e := parsers.Endpoint(string(s.Target)); e != "" {
		o.Endpoints = []string{e}
	}
	return o
}

// advice says what ssh-audit recommends about an algorithm.
func (s server) advice(kind, name string) string {
	for _, actions := range s.Recommendations.Value {
		for action, kinds := range actions {
			for _, r := range kinds[kind] {
				if string(r.Name) == name && action == "chg" {
					return "Change it: " + parsers.First(string(r.Notes), "see ssh-audit's hardening guides") + "."
				}
			}
		}
	}
	return "Take `" + name + "` out of the server's configuration."
}

func join(notes []stream.Text) string {
	var list []string
	for _, n := range notes {
		list = append(list, string(n))
	}
	return strings.Join(list, "; ")
}
