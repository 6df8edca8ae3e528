// Package cloudflare_insights reads Cloudflare's Security Insights, as the API gives them or the dashboard exports them.
//
// Made by "Security Center, Security Insights, Export" as CSV, or by the API. The JSON is a list:
//
//	[{"id": "…-security_txt_not_enabled", "issue_class": "security_txt_not_enabled", "issue_type": "configuration_suggestion",
//	  "severity": "Low", "subject": "example.org", "timestamp": "…", "since": "…", "dismissed": false,
//	  "resolve_link": "https://…", "resolve_text": "…", "payload": {}}]
//
// The CSV has the same names as columns. The API's own envelope,
// {"result": {"issues": […]}}, is read too.
package cloudflare_insights

import (
	"bufio"
	"errors"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Cloudflare's insights.
var Parsers = []parsers.Parser{{
	Name:     "cloudflare_insights",
	ScanType: "Cloudflare Insights",
	Files:    "JSON, CSV",
	Command:  "Cloudflare dashboard: Security Center, Security Insights, Export",
	URL:      "https://developers.cloudflare.com/security-center/security-insights/",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("[].issue_class", "[].issue_type", "[].subject"), s.Has("result.issues"), s.HasColumns("issue_class", "issue_type", "subject"):
		return parsers.Sure
	case s.HasColumns("issue_type", "severity"):
		return parsers.Likely
	case s.Is("[]"):
		return parsers.Possible
	}
	return parsers.No
}

type insight struct {
	Class     stream.Text `json:"issue_class"`
	Type      stream.Text `json:"issue_type"`
	Severity  stream.Text `json:"severity"`
	Subject   stream.Text `json:"subject"`
	Timestamp stream.Text `json:"timestamp"`
	Since     stream.Text `json:"since"`
	Dismissed stream.Text `json:"dismissed"`
	Link      stream.Text `json:"resolve_link"`
	Resolve   stream.Text `json:"resolve_text"`
	Insight   stream.Text `json:"insight"`
	Risk      stream.Text `json:"risk"`
	Detection stream.Text `json:"detection_method"`
	Status    stream.Text `json:"status"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Cloudflare Security Insights"
	head, _ := bufio.NewReader(in).Peek(64)
	if err := in.Rewind(); err != nil {
		return err
	}
	text := strings.TrimSpace(string(head))
	if !strings.HasPrefix(text, "[") && !strings.HasPrefix(text, "{") {
		return stream.CSV(in, []string{"issue_type", "severity"}, func(r stream.Row) error {
			out.Emit(observation(ofRow(r)))
			return nil
		})
	}
	list := stream.Each(func(i insight) error {
		if i.Type == "" && i.Class == "" {
			return errors.New("an insight without a type and a class")
		}
		out.Emit(observation(i))
		return nil
	})
	return stream.JSON(in, stream.ByKind(stream.Kinds{
		'[': list,
		'{': stream.Object(stream.Fields{"result": stream.Object(stream.Fields{"issues": list}, "issues")}, "result"),
	}))
}

func ofRow(r stream.Row) insight {
	get := func(names ...string) stream.Text { return stream.Text(r.Get(names...)) }
	return insight{
		Class: get("issue_class", "issue class", "class"), Type: get("issue_type", "issue type"), Severity: get("severity"),
		Subject: get("subject", "domain"), Timestamp: get("timestamp", "scan_performed_on", "detection"), Since: get("since"),
		Dismissed: get("dismissed"), Link: get("resolve_link"), Resolve: get("recommended_action", "resolve_text"), Status: get("status"),
		Insight: get("insight"), Risk: get("risk"), Detection: get("detection_method"),
	}
}

func observation(i insight) gate.Observation {
	var text parsers.Text
	text.Add(string(i.Insight)).Fact("Risk", string(i.Risk)).Fact("Found by", string(i.Detection)).Fact("Class of issue", string(i.Class)).Fact("Type of issue", string(i.Type)).Fact("Subject", string(i.Subject)).
		Fact("Since", string(i.Since)).Fact("Checked", string(i.Timestamp)).Fact("Status", string(i.Status))
	o := gate.Observation{
		Title:       parsers.First(title(i), "Cloudflare Insight"),
		Severity:    gate.ParseSeverity(string(i.Severity)),
		Description: text.String(),
		Mitigation:  string(i.Resolve),
		References:  parsers.First(string(i.Link), "https://developers.cloudflare.com/security-center/security-insights/"),
		Check:       string(i.Class),
		Endpoints:   []string{host(string(i.Subject))},
	}
	if strings.EqualFold(string(i.Dismissed), "true") || done[strings.ToLower(string(i.Status))] {
		o.Active = new(false)
	}
	return o
}

// done are the statuses of what needs nothing more.
var done = map[string]bool{"archived": true, "resolved": true, "mitigated": true, "closed": true, "fixed": true}

func title(i insight) string {
	if i.Type == "" || i.Subject == "" {
		return string(i.Type + i.Subject)
	}
	return string(i.Type) + ": " + string(i.Subject)
}

// host takes the host out of a subject, which is one, or an address with more.
func host(subject string) string {
	endpoint := parsers.Endpoint(subject)
	if _, rest, ok := strings.Cut(endpoint, "://"); ok {
		endpoint = rest
	}
	endpoint, _, _ = strings.Cut(endpoint, "/")
	if !strings.HasPrefix(endpoint, "[") {
		endpoint, _, _ = strings.Cut(endpoint, ":")
	}
	return endpoint
}
