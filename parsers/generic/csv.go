package generic

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// parseCSV reads the table. Rows of one severity, title and description are
// one finding with several endpoints.
func parseCSV(in *stream.Input, out *parsers.Report) error {
	type key struct {
		severity           gate.Severity
		title, description string
	}
	var order []*gate.Observation
	found := map[key]*gate.Observation{}
	err := stream.CSV(in, []string{"Title", "Severity", "Description"}, func(r stream.Row) error {
		o, err := row(r)
		if err != nil || o.Title == "" && o.Description == "" {
			return err
		}
		k := key{o.Severity, o.Title, o.Description}
		if first := found[k]; first != nil {
			first.Endpoints = append(first.Endpoints, o.Endpoints...)
			*first.Occurrences++
			return nil
		}
		if len(order) > in.Limits().Observations {
			return gate.Errorf(gate.TooLarge, "the report holds more than %d findings", in.Limits().Observations)
		}
		found[k] = &o
		order = append(order, &o)
		return nil
	})
	if err != nil {
		return err
	}
	for _, o := range order {
		out.Emit(*o)
	}
	return nil
}

func row(r stream.Row) (gate.Observation, error) {
	sev, err := severity(r.Get("Severity"))
	if err != nil {
		return gate.Observation{}, err
	}
	yes := func(columns ...string) bool { p := parseFlag(r.Get(columns...)); return p != nil && *p }
	ids := strings.FieldsFunc(r.Get("CVE")+" "+r.Get("Vulnerability Id", "vulnerability_ids"), func(c rune) bool { return c == ',' || c == ';' || c == ' ' || c == '\n' })
	o := gate.Observation{
		Title: r.Get("Title"), Severity: sev, Description: r.Get("Description"), Mitigation: r.Get("Mitigation"), Impact: r.Get("Impact"), References: r.Get("References"),
		CWE: gate.ParseCWE(r.Get("CweId", "cwe")), VulnerabilityIDs: ids, Date: gate.DateOf(parseTime(r.Get("Date"))),
		EPSSScore: share(stream.ParseFloat(r.Get("epss_score")).Ptr()), EPSSPercentile: share(stream.ParseFloat(r.Get("epss_percentile")).Ptr()),
		KnownExploited: yes("known_exploited"), RansomwareUsed: yes("ransomware_used"), KEVDate: gate.DateOf(parseTime(r.Get("kev_date"))),
		FilePath: r.Get("file_path", "FilePath"), Line: stream.ParseInt(r.Get("line")).Ptr(), ComponentName: r.Get("component_name", "ComponentName"), ComponentVersion: r.Get("component_version", "ComponentVersion"),
		FixAvailable: parseFlag(r.Get("fix_available")), FixVersion: r.Get("fix_version"),
		Active: parseFlag(r.Get("Active")), Verified: yes("Verified"), FalsePositive: yes("FalsePositive"),
		Mitigated: yes("IsMitigated"), MitigatedAt: parseTime(r.Get("MitigatedDate")), Occurrences: new(1),
	}
	if url := parsers.Endpoint(r.Get("Url")); url != "" {
		o.Endpoints = []string{url}
	}
	setCVSS(&o, r.Get("CVSSV3"), r.Get("CVSSV4"), stream.ParseFloat(r.Get("CVSSV3_score", "cvssv3score")).Ptr(), stream.ParseFloat(r.Get("CVSSV4_score", "cvssv4score")).Ptr())
	return o, nil
}
