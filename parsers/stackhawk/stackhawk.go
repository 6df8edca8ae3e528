// Package stackhawk reads the JSON that StackHawk's HawkScan sends when a scan
// is completed.
//
// Made by StackHawk's generic webhook, on the event "scan completed":
//
//	{"service": "StackHawk", "scanCompleted": {"scan": {"id": "…", "hawkscanVersion": "2.1.1", "env": "Development",
//	   "application": "Shop", "status": "COMPLETED", "startedTimestamp": "…", "scanURL": "…"}, "findings": [
//	  {"pluginId": "90027", "pluginName": "Cookie Slack Detector", "severity": "Low", "host": "https://shop.example.org",
//	   "paths": [{"path": "/login", "method": "GET", "status": "NEW", "pathURL": "…"}], "totalCount": "1", "findingURL": "…"}]}}
//
// A finding is a check with all paths that fail it. It is a false positive, or
// an accepted risk, when all its paths are.
package stackhawk

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads StackHawk's webhook.
var Parsers = []parsers.Parser{{
	Name:     "stackhawk",
	ScanType: "StackHawk HawkScan",
	Files:    "JSON",
	Command:  "hawk scan, with a webhook that keeps the event's JSON",
	URL:      "https://docs.stackhawk.com/workflow-integrations/webhook.html",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Has("scanCompleted.scan") && s.Value("service") == "StackHawk" {
		return parsers.Sure
	}
	return parsers.No
}

type scan struct {
	Version     stream.Text `json:"hawkscanVersion"`
	Environment stream.Text `json:"env"`
	Status      stream.Text `json:"status"`
	Application stream.Text `json:"application"`
	Started     stream.Text `json:"startedTimestamp"`
	URL         stream.Text `json:"scanURL"`
}

type finding struct {
	PluginID   stream.Text `json:"pluginId"`
	PluginName stream.Text `json:"pluginName"`
	Severity   stream.Text `json:"severity"`
	Host       stream.Text `json:"host"`
	Category   stream.Text `json:"category"`
	Count      stream.Int  `json:"totalCount"`
	URL        stream.Text `json:"findingURL"`
	Paths      []struct {
		Path   stream.Text `json:"path"`
		Method stream.Text `json:"method"`
		Status stream.Text `json:"status"`
		URL    stream.Text `json:"pathURL"`
	} `json:"paths"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	s, err := header(in)
	if err != nil {
		return err
	}
	run := out.Run()
	run.Tool, run.Version = "HawkScan", string(s.Version)
	run.Target = parsers.First(string(s.Application))
	run.StartedAt = parsers.ParseTime(string(s.Started))
	switch strings.ToUpper(string(s.Status)) {
	case "COMPLETED":
		run.Outcome = gate.Succeeded
	case "ERROR", "FAILED":
		run.Outcome = gate.Failed
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	seen := map[string]bool{}
	return stream.JSON(in, stream.Object(stream.Fields{
		"scanCompleted": stream.Object(stream.Fields{"findings": stream.Each(func(f finding) error {
			key := string(f.PluginID + " " + f.Host + " " + f.URL)
			if seen[key] {
				return nil // the webhook may list all findings twice
			}
			seen[key] = true
			out.Emit(f.observation(s))
			return nil
		})}, "findings"),
	}))
}

// header reads what stands about the scan, which may come after the findings.
func header(in *stream.Input) (scan, error) {
	var s scan
	var service stream.Text
	err := stream.JSON(in, stream.Object(stream.Fields{
		"service":       stream.Into(&service),
		"scanCompleted": stream.Object(stream.Fields{"scan": stream.Into(&s)}, "scan"),
	}, "service", "scanCompleted"))
	if err == nil && service != "StackHawk" {
		err = stream.Errorf("the report is of %q, not of StackHawk", string(service))
	}
	return s, err
}

func (f finding) observation(s scan) gate.Observation {
	o := gate.Observation{
		Title:            string(f.PluginName),
		Severity:         gate.ParseSeverity(string(f.Severity)),
		Description:      f.describe(s),
		RuleID:           string(f.PluginID),
		ComponentName:    string(s.Application),
		ComponentVersion: string(s.Environment),
		Service:          string(s.Application),
		URL:              string(f.URL),
		Date:             parsers.ParseDate(string(s.Started)),
		Occurrences:      f.Count.Ptr(),
		FalsePositive:    len(f.Paths) > 0,
		RiskAccepted:     len(f.Paths) > 0,
	}
	var steps []string
	for _, p := range f.Paths {
		o.Endpoints = append(o.Endpoints, parsers.Endpoint(string(f.Host+p.Path)))
		o.FalsePositive = o.FalsePositive && p.Status == "FALSE_POSITIVE"
		o.RiskAccepted = o.RiskAccepted && p.Status == "RISK_ACCEPTED"
		step := strings.TrimSpace(string(p.Method)+" `"+string(p.Path)+"`") + " (" + word(p.Status) + ")"
		if p.URL != "" {
			step += ": " + string(p.URL)
		}
		steps = append(steps, step)
	}
	var text parsers.Text
	if len(steps) > 0 {
		text.Add("StackHawk shows each of these requests with its response, and a curl command that repeats it:").List(steps)
	}
	o.StepsToReproduce = text.String()
	return o
}

// word writes a status, "RISK_ACCEPTED", in words.
func word(status stream.Text) string {
	return strings.ToLower(strings.ReplaceAll(string(status), "_", " "))
}

func (f finding) describe(s scan) string {
	var text parsers.Text
	text.Add(string(f.PluginName)).Fact("Category", string(f.Category)).Fact("Host", string(f.Host))
	text.Fact("Application", string(s.Application)).Fact("Environment", string(s.Environment))
	return text.Fact("In StackHawk", string(f.URL)).Fact("Scan", string(s.URL)).String()
}
