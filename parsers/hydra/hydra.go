// Package hydra reads the JSON report of THC-Hydra, the guesser of logins.
//
// Made by "hydra -b jsonv1 -o hydra.json -L users -P passwords ssh://192.0.2.1":
//
//	{"generator": {"software": "Hydra", "version": "v8.5", "built": "2019-03-01 14:44:22", "server": "192.0.2.1", "service": "ssh", "commandline": "…"},
//	 "results": [{"port": 22, "service": "ssh", "host": "192.0.2.1", "login": "root", "password": "toor"}],
//	 "success": true, "errormessages": ["…"], "quantityfound": 1}
//
// "built" is the time of the run. What comes last is in hand only after the
// results.
package hydra

import (
	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Hydra's JSON.
var Parsers = []parsers.Parser{{
	Name:     "hydra",
	ScanType: "Hydra Scan",
	Files:    "JSON",
	Command:  "hydra -b jsonv1 -o hydra.json -L users.txt -P passwords.txt ssh://shop.example.org",
	URL:      "https://github.com/vanhauser-thc/thc-hydra",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Value("generator.software") == "Hydra":
		return parsers.Sure
	case s.Has("generator.built", "results[]"):
		return parsers.Likely
	}
	return parsers.No
}

type generator struct {
	Software stream.Text `json:"software"`
	Version  stream.Text `json:"version"`
	Built    stream.Text `json:"built"`
	Server   stream.Text `json:"server"`
	Service  stream.Text `json:"service"`
}

type login struct {
	Host     stream.Text `json:"host"`
	Port     stream.Text `json:"port"`
	Service  stream.Text `json:"service"`
	Login    stream.Text `json:"login"`
	Password stream.Text `json:"password"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	var g generator
	run := out.Run()
	run.Tool = "Hydra"
	err := stream.JSON(in, stream.Object(stream.Fields{
		"generator": stream.Into(&g),
		"results":   stream.Array(stream.Skip),
		"errormessages": stream.Each(func(message stream.Text) error {
			out.Problem("%s", message)
			return nil
		}),
	}, "generator", "results"))
	if err != nil {
		return err
	}
	run.Version, run.Target, run.StartedAt = string(g.Version), string(g.Server), parsers.ParseTime(string(g.Built))
	if err := in.Rewind(); err != nil {
		return err
	}
	return stream.JSON(in, stream.Object(stream.Fields{"results": stream.Each(func(l login) error {
		if l.Host == "" || l.Login == "" && l.Password == "" {
			out.Problem("a result without a host or a login: port %s, login %s", l.Port, l.Login)
			return nil
		}
		l.Service = stream.Text(parsers.First(string(g.Service), string(l.Service)))
		o := l.observation()
		o.Date = gate.DateOf(run.StartedAt)
		out.Emit(o)
		return nil
	})}))
}

func (l login) observation() gate.Observation {
	var text parsers.Text
	text.Add("Hydra guessed a name and a password with which "+string(l.Host)+" lets one in.").Fact("Service", string(l.Service)).Fact("Port", string(l.Port))
	text.Fact("Name", string(l.Login)).Fact("Password", parsers.Mask(string(l.Password)))
	return gate.Observation{
		Title:       "Weak username / password combination found for " + string(l.Host),
		Severity:    gate.High,
		Description: text.String(),
		Mitigation:  "Change the password to one that is long and not in a list, slow down or lock out repeated attempts, and ask for a second factor where the service can.",
		Check:       "guessed login",
		Service:     string(l.Service),
		Endpoints:   []string{parsers.HostPort("", string(l.Host), string(l.Port))},
	}
}
