package qualys

import (
	"bufio"
	"regexp"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

func parseCSV(in *stream.Input, out *parsers.Report) error {
	r := bufio.NewReaderSize(in, 64<<10)
	if err := skipPreamble(r); err != nil {
		return err
	}
	merged := parsers.Merge(out)
	err := stream.Records(r, ',', []string{"QID"}, func(r stream.Row) error {
		id := r.Get("QID")
		if id == "" {
			return nil // what stands below the table
		}
		o, isNew := merged.At(id, func() *gate.Observation { return fromRow(r, id) })
		if !isNew && o.Mitigated && isActive(r) {
			o.Active, o.Mitigated = nil, false
		}
		host := parsers.First(r.Get("FQDN"), r.Get("DNS"), r.Get("IP"))
		if r.Has("VULN TITLE") {
			host = r.Get("IP")
		}
		out.Run().Target = parsers.First(out.Run().Target, host)
		o.Endpoints = append(o.Endpoints, parsers.Endpoint(host))
		return nil
	})
	if err != nil {
		return err
	}
	merged.Emit()
	return nil
}

// skipPreamble leaves out the lines about the report that some exports put
// before the header.
func skipPreamble(r *bufio.Reader) error {
	head, _ := r.Peek(64 << 10)
	at := 0
	for line := range strings.Lines(string(head)) {
		if header.MatchString(line) {
			_, err := r.Discard(at)
			return err
		}
		at += len(line)
	}
	return nil
}

// header finds the line of columns.
var header = regexp.MustCompile(`(?i)(^|,)"?QID"?,`)

func isActive(r stream.Row) bool {
	switch strings.ToLower(r.Get("Vuln Status")) {
	case "", "new", "active", "re-opened", "reopened":
		return true
	}
	return false
}

func fromRow(r stream.Row, id string) *gate.Observation {
	var text parsers.Text
	text.Add(parsers.Markdown(r.Get("THREAT"))).Fact("Kind", r.Get("TYPE")).Fact("Category", r.Get("CATEGORY")).Fact("QID", id).Fact("Status", r.Get("Vuln Status")).
		Fact("Port", strings.Trim(r.Get("PORT")+"/"+r.Get("PROTOCOL"), "/")).Fact("System", r.Get("OS", "OPERATING SYSTEM")).
		Fact("First found", r.Get("First Detected")).Fact("Last found", r.Get("Last Detected", "LAST SCAN")).
		Fact("Exploitability", r.Get("Exploitability")).Fact("Malware", r.Get("Associated Malware")).Fact("CVSS", r.Get("CVSS_BASE"))
	if result := r.Get("RESULT", "Results"); result != "" {
		text.Add("What the scanner saw:").Code("", result)
	}
	level := r.Get("Q_SEVERITY", "Severity")
	o := &gate.Observation{
		Title:            "QID-" + id + " | " + r.Get("Title", "VULN TITLE"),
		Severity:         parsers.Rank(level, 1),
		Description:      text.String(),
		Impact:           parsers.Markdown(r.Get("IMPACT")),
		Mitigation:       parsers.Markdown(r.Get("SOLUTION")),
		References:       parsers.Lines(r.Get("Vendor Reference"), r.Get("Bugtraq ID", "BUGTRAQID")),
		RuleID:           id,
		VulnerabilityIDs: parsers.CVEs(r.Get("CVE ID", "CVEID")),
		Date:             date(r),
		Verified:         true,
		FalsePositive:    strings.EqualFold(r.Get("FALSE POSITIVE STATUS"), "Approved"),
	}
	if !isActive(r) {
		status(o, r.Get("Vuln Status"), r.Get("Date Last Fixed"))
	}
	base, temporal := inParentheses(r.Get("CVSS3 Base", "CVSS3.1 Base")), inParentheses(r.Get("CVSS3 Temporal", "CVSS3.1 Temporal"))
	if base != "" {
		parsers.SetCVSS(o, "CVSS:3.0/"+strings.Trim(base+"/"+temporal, "/"))
	}
	if score := stream.ParseFloat(r.Get("CVSS3", "CVSS3.1")); score.OK && score.F > 0 {
		o.CVSSv3Score = score.Ptr()
	}
	return o
}

// date reads the day on which it was last found: month first in the report of
// hosts, day first in that of PCI.
func date(r stream.Row) gate.Date {
	day, _, _ := strings.Cut(r.Get("Last Detected"), " ")
	if m, rest, ok := strings.Cut(day, "/"); ok {
		if d, year, ok := strings.Cut(rest, "/"); ok {
			return gate.DateOf(parsers.ParseTimeDayFirst(d + "/" + m + "/" + year))
		}
	}
	return gate.DateOf(parsers.ParseTimeDayFirst(parsers.First(r.Get("Last Detected"), r.Get("LAST SCAN"))))
}

// inParentheses returns "AV:N/…" of "8.1 (AV:N/…)".
func inParentheses(s string) string {
	_, s, _ = strings.Cut(s, "(")
	s, _, _ = strings.Cut(s, ")")
	return s
}
