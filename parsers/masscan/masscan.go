// Package masscan reads the JSON report of masscan, the port scanner.
//
// Made by "masscan -p1-65535 192.0.2.0/24 -oJ masscan.json", or -oD for one
// record a line:
//
//	[
//	{   "ip": "192.0.2.3",   "timestamp": "1785522037", "ports": [ {"port": 8080, "proto": "tcp", "status": "open", "reason": "syn-ack", "ttl": 64} ] }
//	,
//	{   "ip": "192.0.2.3",   "timestamp": "1785522038", "ports": [ {"port": 8080, "proto": "tcp", "service": {"name": "http", "banner": "nginx"} } ] }
//	]
//
// Nothing is written when nothing is open. Old versions write what is not JSON:
// a comma after the last record, or "{finished: 1}". Each record has its own
// line then, by which it is read.
package masscan

import (
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads masscan's JSON.
var Parsers = []parsers.Parser{{
	Name:     "masscan",
	ScanType: "Masscan Scan",
	Files:    "JSON",
	Command:  "masscan -p1-65535 192.0.2.0/24 -oJ masscan.json",
	URL:      "https://github.com/robertdavidgraham/masscan",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("[].ip", "[].ports[].port", "[].ports[].proto"), s.Has("ip", "ports[].port", "ports[].proto"):
		return parsers.Sure
	case s.Format == parsers.Empty:
		return parsers.Possible
	}
	return parsers.No
}

type record struct {
	IP        stream.Text `json:"ip"`
	Timestamp stream.Text `json:"timestamp"`
	Ports     []port      `json:"ports"`
}

type port struct {
	Port    stream.Text `json:"port"`
	Proto   stream.Text `json:"proto"`
	Status  stream.Text `json:"status"`
	Reason  stream.Text `json:"reason"`
	TTL     stream.Text `json:"ttl"`
	Service *struct {
		Name   stream.Text `json:"name"`
		Banner stream.Text `json:"banner"`
	} `json:"service"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "masscan"
	record := stream.One(func(r record) error { return put(out, r) })
	check := stream.ByKind(stream.Kinds{'[': stream.Array(stream.Skip), '{': stream.Skip})
	proper := stream.JSONs(in, check)
	if err := in.Rewind(); err != nil {
		return err
	}
	if proper == nil {
		return stream.JSONs(in, stream.ByKind(stream.Kinds{'[': stream.Array(record), '{': record}))
	}
	return byLine(in, out, proper)
}

// byLine reads a report of an old version, whose end must be there; broken is
// what keeps it from being read as JSON.
func byLine(in *stream.Input, out *parsers.Report, broken error) error {
	last := ""
	err := stream.Lines(in, func(_ int, line string) error {
		line = strings.Trim(line, " \t,")
		if line == "" {
			return nil
		}
		last = line
		if line == "[" || line == "]" || strings.HasPrefix(line, "{finished") {
			return nil
		}
		var r record
		if json.Unmarshal([]byte(line), &r, jsontext.AllowInvalidUTF8(true)) != nil {
			return broken
		}
		return put(out, r)
	})
	if err == nil && last != "]" && !strings.HasPrefix(last, "{finished") {
		return broken
	}
	return err
}

func put(out *parsers.Report, r record) error {
	if r.IP == "" {
		return stream.Errorf(`a record has no "ip": this is not masscan's report`)
	}
	at := time.Time{}
	if n := stream.ParseInt(string(r.Timestamp)); n.OK && n.N > 0 {
		at = time.Unix(int64(n.N), 0).UTC()
		if run := out.Run(); run.StartedAt.IsZero() {
			run.StartedAt = at
		}
	}
	for _, p := range r.Ports {
		if p.Status == "" && p.Service == nil || p.Status != "" && p.Status != "open" {
			continue
		}
		out.Emit(observation(r, p, at))
	}
	return nil
}

func observation(r record, p port, at time.Time) gate.Observation {
	where := string(p.Port) + "/" + string(p.Proto)
	var text parsers.Text
	text.Add("The port "+where+" of "+string(r.IP)+" is open.").Fact("Reason", string(p.Reason)).Fact("TTL", string(p.TTL))
	if !at.IsZero() {
		text.Fact("Seen at", at.Format(time.RFC3339))
	}
	if p.Service != nil {
		text.Fact("Service", string(p.Service.Name)).Code("", string(p.Service.Banner))
	}
	return gate.Observation{
		Title:       "Open port: " + where + " on " + string(r.IP),
		Severity:    gate.Info,
		Description: text.String(),
		Check:       where,
		Endpoints:   []string{parsers.HostPort("", string(r.IP), string(p.Port))},
	}
}
