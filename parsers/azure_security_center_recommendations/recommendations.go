// Package azure_security_center_recommendations reads the recommendations that
// Microsoft Defender for Cloud, once Azure Security Center, exports as CSV.
//
// Made by "Download CSV report" on its page of recommendations. The columns are
//
//	exportedTimestamp,subscriptionId,subscriptionName,resourceGroup,resourceType,resourceName,resourceId,recommendationId,recommendationName,
//	recommendationDisplayName,description,remediationSteps,severity,state,notApplicableReason,firstEvaluationDate,statusChangeDate,controls,
//	azurePortalRecommendationLink,nativeCloudAccountId
//
// Only a state of Unhealthy is a finding. A recommendation about a subscription
// has its id for a resource name.
package azure_security_center_recommendations

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads the CSV of Defender for Cloud.
var Parsers = []parsers.Parser{{
	Name:     "azure_security_center_recommendations",
	ScanType: "Azure Security Center Recommendations Scan",
	Files:    "CSV",
	Command:  "Microsoft Defender for Cloud, Recommendations, Download CSV report",
	URL:      "https://learn.microsoft.com/en-us/azure/defender-for-cloud/review-security-recommendations",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.HasColumns("recommendationId", "recommendationDisplayName", "remediationSteps", "state") {
		return parsers.Sure
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Microsoft Defender for Cloud"
	return stream.CSV(in, []string{"recommendationId", "recommendationDisplayName", "severity", "state"}, func(r stream.Row) error {
		if at := parsers.ParseTime(r.Get("exportedTimestamp")); !at.IsZero() {
			run.FinishedAt = at
		}
		if strings.EqualFold(r.Get("state"), "unhealthy") {
			out.Emit(observation(r))
		}
		return nil
	})
}

// configuration is CWE-1032, the category of security misconfiguration.
const configuration = 1032

func observation(r stream.Row) gate.Observation {
	name := r.Get("resourceName")
	if name == "" || strings.EqualFold(r.Get("resourceType"), "subscription") {
		name = r.Get("subscriptionName")
	}
	var about parsers.Text
	about.Add(r.Get("recommendationDisplayName")).Add(r.Get("description")).Fact("Resource", r.Get("resourceName")).
		Fact("Kind of resource", r.Get("resourceType")).Fact("Resource group", r.Get("resourceGroup")).
		Fact("Controls", r.Get("controls")).
		Fact("Subscription", strings.TrimSpace(r.Get("subscriptionName")+" "+r.Get("subscriptionId"))).
		Fact("Account", r.Get("nativeCloudAccountId"))
	return gate.Observation{
		Title:       name + " - " + r.Get("recommendationDisplayName"),
		Severity:    gate.ParseSeverity(r.Get("severity")),
		Description: about.String(),
		Mitigation:  r.Get("remediationSteps"),
		References:  r.Get("azurePortalRecommendationLink"),
		CWE:         configuration,
		RuleID:      r.Get("recommendationName"),
		UniqueID:    r.Get("recommendationId"),
		Date:        parsers.ParseDate(parsers.First(r.Get("statusChangeDate"), r.Get("firstEvaluationDate"), r.Get("exportedTimestamp"))),
	}
}
