// Package naabu reads the JSON lines of ProjectDiscovery's naabu, which looks for open ports.
//
// Made by "naabu -host example.org -json -o naabu.json". Each line is one open port:
//
//	{"host": "example.org", "ip": "203.0.113.7", "timestamp": "2026-07-31T00:00:00Z", "port": 443, "protocol": "tcp", "tls": false}
//
// The same port comes again when a host is scanned by several names or twice: it
// counts once. Before version 2.1 the port was an object, {"Port": 443,
// "Protocol": 0, "TLS": false}. Nothing found is an empty file.
package naabu

import (
	"errors"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"

	"github.com/go-json-experiment/json/jsontext"
)

// Parsers reads naabu's JSON lines.
var Parsers = []parsers.Parser{{
	Name:     "naabu",
	ScanType: "Naabu Scan",
	Files:    "JSON lines",
	Command:  "naabu -host example.org -json -o naabu.json",
	URL:      "https://github.com/projectdiscovery/naabu",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("ip", "port", "timestamp") && !s.Has("url") && (s.Has("tls") || s.Has("port.Port")):
		return parsers.Sure
	case s.Has("ip", "port") && !s.Has("url"):
		return parsers.Possible
	}
	return parsers.No
}

type record struct {
	Host      stream.Text    `json:"host"`
	IP        stream.Text    `json:"ip"`
	Timestamp stream.Text    `json:"timestamp"`
	Port      jsontext.Value `json:"port"`
	Protocol  stream.Text    `json:"protocol"`
	TLS       stream.Text    `json:"tls"`
	CDN       stream.Text    `json:"cdn-name"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "naabu"
	seen := map[string]bool{}
	read := stream.One(func(r record) error {
		p, host := portOf(r), parsers.First(string(r.Host), string(r.IP))
		if host == "" || p.number == "" {
			return errors.New("an entry without a host or a port")
		}
		if key := host + " " + p.String(); !seen[key] {
			seen[key] = true
			out.Emit(observation(r, host, p))
		}
		return nil
	})
	return stream.JSONs(in, stream.ByKind(stream.Kinds{'{': read, '[': stream.Array(read)}))
}

type port struct{ number, protocol, tls string }

func (p port) String() string { return p.number + "/" + p.protocol }

// portOf reads the port in both of its forms.
func portOf(r record) port {
	var old struct {
		Port     stream.Text `json:"Port"`
		Protocol stream.Text `json:"Protocol"`
		TLS      stream.Text `json:"TLS"`
	}
	var number stream.Text
	p := port{protocol: parsers.First(string(r.Protocol), "tcp"), tls: string(r.TLS)}
	switch {
	case len(r.Port) == 0:
	case r.Port.Kind() == '{' && stream.Unmarshal(r.Port, &old) == nil:
		p.number, p.tls = string(old.Port), string(old.TLS)
		if old.Protocol == "1" {
			p.protocol = "udp"
		}
	case stream.Unmarshal(r.Port, &number) == nil:
		p.number = string(number)
	}
	return p
}

func observation(r record, host string, p port) gate.Observation {
	var text parsers.Text
	text.Add("The port accepts connections: check that it is meant to be reachable.").
		Fact("Host", host).Fact("Address", string(r.IP)).Fact("Port", p.String()).Fact("TLS", yesNo[p.tls]).
		Fact("CDN", string(r.CDN)).Fact("First seen", string(r.Timestamp))
	return gate.Observation{
		Title:       "Open port: " + p.String() + " on " + host,
		Severity:    gate.Info,
		Description: text.String(),
		Endpoints:   []string{parsers.HostPort("", host, p.number)},
	}
}

var yesNo = map[string]string{"true": "yes", "false": "no"}
