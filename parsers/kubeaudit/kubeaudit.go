// Package kubeaudit reads the JSON lines of kubeaudit.
//
// Made by "kubeaudit all -p json > kubeaudit.json". Each line is one finding:
//
//	{"AuditResultName": "LimitsNotSet", "Container": "app", "ResourceApiVersion": "v1", "ResourceKind": "Pod",
//	 "ResourceName": "app-1", "ResourceNamespace": "shop", "level": "warning", "msg": "Resource limits not set.", "time": "2023-…"}
//
// Other keys depend on the audit. A line without AuditResultName is the log's.
package kubeaudit

import (
	"maps"
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads kubeaudit's JSON lines.
var Parsers = []parsers.Parser{{
	Name:     "kubeaudit",
	ScanType: "Kubeaudit Scan",
	Files:    "JSON lines",
	Command:  "kubeaudit all -p json > kubeaudit.json",
	URL:      "https://github.com/Shopify/kubeaudit",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Has("AuditResultName") {
		return parsers.Sure
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "kubeaudit"
	found := false
	read := stream.One(func(m map[string]stream.Text) error {
		found = found || m["level"] != "" || m["msg"] != ""
		if m["AuditResultName"] != "" {
			found = true
			out.Emit(observation(m))
		} else if m["level"] == "error" || m["level"] == "fatal" {
			out.Problem("%s", m["msg"])
		}
		return nil
	})
	some := false
	err := stream.JSONs(in, func(d *stream.Decoder) error {
		some = true
		return stream.ByKind(stream.Kinds{'{': read, '[': stream.Array(read)})(d)
	})
	if err == nil && some && !found {
		return stream.Errorf("no line has an AuditResultName")
	}
	return err
}

// told are the keys that have facts of their own.
var told = []string{"AuditResultName", "ResourceApiVersion", "ResourceKind", "ResourceName", "ResourceNamespace", "Container", "level", "msg", "time"}

func observation(m map[string]stream.Text) gate.Observation {
	get := func(key string) string { return string(m[key]) }
	resource := strings.Trim(get("ResourceNamespace")+"/"+get("ResourceKind")+"/"+get("ResourceName"), "/")
	var text parsers.Text
	text.Add(get("msg")).Fact("Audit", get("AuditResultName")).Fact("Resource", resource).Fact("API version", get("ResourceApiVersion")).
		Fact("Container", get("Container")).Fact("Level", get("level"))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if !slices.Contains(told, key) {
			text.Fact(key, get(key))
		}
	}
	text.Fact("Time", get("time"))
	severity, known := parsers.Level(get("level"))
	if !known {
		severity = gate.Info
	}
	return gate.Observation{
		Title:        get("AuditResultName") + "_" + get("ResourceName"),
		Severity:     severity,
		Description:  text.String(),
		Mitigation:   get("msg"),
		Check:        get("AuditResultName"),
		FixAvailable: new(true),
	}
}
