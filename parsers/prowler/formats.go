package prowler

import (
	"slices"
	"strings"

	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

type record struct {
	Message  string `json:"message"`
	Metadata struct {
		Code    string `json:"event_code"`
		Product struct {
			Version string `json:"version"`
		} `json:"product"`
	} `json:"metadata"`
	Severity     string `json:"severity"`
	Status       string `json:"status"`
	StatusCode   string `json:"status_code"`
	StatusDetail string `json:"status_detail"`
	Unmapped     struct {
		RelatedURL string                                              `json:"related_url"`
		More       stream.OneOrMany[string]                            `json:"additional_urls"`
		Notes      string                                              `json:"notes"`
		Compliance stream.Lenient[map[string]stream.OneOrMany[string]] `json:"compliance"`
	} `json:"unmapped"`
	Info *struct {
		Title   string      `json:"title"`
		Desc    string      `json:"desc"`
		Created stream.Text `json:"created_time_dt"`
	} `json:"finding_info"`
	Resources []struct {
		UID    string `json:"uid"`
		Name   string `json:"name"`
		Type   string `json:"type"`
		Region string `json:"region"`
		Group  struct {
			Name string `json:"name"`
		} `json:"group"`
	} `json:"resources"`
	Cloud struct {
		Provider string `json:"provider"`
		Region   string `json:"region"`
		Account  struct {
			UID string `json:"uid"`
		} `json:"account"`
	} `json:"cloud"`
	Remediation struct {
		Desc       string   `json:"desc"`
		References []string `json:"references"`
	} `json:"remediation"`
	Risk string `json:"risk_details"`
}

func parseJSON(in *stream.Input, out *parsers.Report, emit func(check)) error {
	return stream.JSON(in, stream.Each(func(r record) error {
		if r.Info == nil {
			return stream.Errorf(`a finding has no "finding_info"`)
		}
		out.Run().Version, out.Run().Target = r.Metadata.Product.Version, r.Cloud.Account.UID
		if r.StatusCode != "PASS" {
			emit(r.check())
		}
		return nil
	}))
}

func (r record) check() check {
	c := check{
		id: r.Metadata.Code, title: parsers.First(r.Message, r.StatusDetail, r.Info.Title), detail: r.StatusDetail, severity: r.Severity,
		description: strings.TrimSpace(r.Info.Title + "\n\n" + r.Info.Desc), provider: r.Cloud.Provider, account: r.Cloud.Account.UID,
		region: r.Cloud.Region, created: string(r.Info.Created), notes: r.Unmapped.Notes, risk: r.Risk,
		fix:   []fact{{"What to do", r.Remediation.Desc}, {"How", strings.Join(r.Remediation.References, ", ")}},
		links: append([]string{r.Unmapped.RelatedURL}, r.Unmapped.More...),
		muted: r.Status == "Suppressed", manual: r.StatusCode == "MANUAL",
	}
	if len(r.Resources) > 0 {
		k := r.Resources[0]
		c.resource, c.resourceType, c.service = parsers.First(k.UID, k.Name), k.Type, k.Group.Name
		c.region = parsers.First(c.region, k.Region)
	}
	for standard, requirements := range r.Unmapped.Compliance.Value {
		c.compliance = append(c.compliance, standard+": "+strings.Join(requirements, ", "))
	}
	slices.Sort(c.compliance)
	return c
}

func parseCSV(in *stream.Input, out *parsers.Report, emit func(check)) error {
	return stream.CSV(in, []string{"CHECK_ID", "CHECK_TITLE", "STATUS", "STATUS_EXTENDED"}, func(r stream.Row) error {
		if r.Get("STATUS") == "PASS" || r.Get("CHECK_TITLE") == "" {
			return nil
		}
		out.Run().Version, out.Run().Target = r.Get("PROWLER_VERSION"), r.Get("ACCOUNT_UID")
		emit(check{
			id: r.Get("CHECK_ID"), title: r.Get("CHECK_TITLE"), detail: r.Get("STATUS_EXTENDED"), description: r.Get("DESCRIPTION"),
			severity: r.Get("SEVERITY"), provider: r.Get("PROVIDER"), account: r.Get("ACCOUNT_UID"), service: r.Get("SERVICE_NAME"),
			region: r.Get("REGION"), resource: parsers.First(r.Get("RESOURCE_UID"), r.Get("RESOURCE_NAME")), resourceType: r.Get("RESOURCE_TYPE"),
			created: r.Get("TIMESTAMP"), notes: r.Get("NOTES"), risk: r.Get("RISK"),
			fix: []fact{
				{"What to do", r.Get("REMEDIATION_RECOMMENDATION_TEXT")},
				{"Read", r.Get("REMEDIATION_RECOMMENDATION_URL")},
				{"Command", r.Get("REMEDIATION_CODE_CLI")},
				{"Terraform", r.Get("REMEDIATION_CODE_TERRAFORM")},
				{"Infrastructure as code", r.Get("REMEDIATION_CODE_NATIVEIAC")},
				{"Otherwise", r.Get("REMEDIATION_CODE_OTHER")},
			},
			links:      append(strings.Split(r.Get("ADDITIONAL_URLS"), " | "), r.Get("RELATED_URL")),
			compliance: strings.Split(r.Get("COMPLIANCE"), " | "),
			muted:      strings.EqualFold(r.Get("MUTED"), "true"), manual: r.Get("STATUS") == "MANUAL",
		})
		return nil
	})
}
