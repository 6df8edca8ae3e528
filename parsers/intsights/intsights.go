// Package intsights reads the alerts of IntSights, now Rapid7's Threat Command,
// as JSON of its API or CSV of its dashboard.
//
// The CSV is made by the dashboard's export of alerts:
//
//	Alert ID,Title,Description,Severity,Type,Source Date (UTC),Report Date (UTC),Network Type,Source URL,Source Name,Assets,Tags,Assignees,Remediation,Status,Closed Reason,Additional Info,Rating,Alert Link
//
// and the JSON by collecting "GET /public/v1/data/alerts/get-complete-alert/ID":
//
//	{"Alerts": [{"_id": "…", "FoundDate": "…", "Details": {"Title": "…", "Description": "…", "Severity": "High", "Type": "Phishing", "SubType": "…",
//	   "Source": {"URL": "…", "Date": "…", "NetworkType": "ClearWeb", "Type": "…"}, "Tags": [{"Name": "…"}]},
//	   "Assets": [{"Type": "Domains", "Value": "example.org"}], "Assignees": ["…"], "IsClosed": false}]}
package intsights

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads IntSights' alerts.
var Parsers = []parsers.Parser{{
	Name:     "intsights",
	ScanType: "IntSights Report",
	Files:    "JSON or CSV",
	Command:  "IntSights: Threat Command, Alerts, Export",
	URL:      "https://docs.rapid7.com/threat-command/",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.HasColumns("Alert ID", "Network Type", "Alert Link"), s.Has("Alerts[].Details.Title"):
		return parsers.Sure
	case s.Has("Alerts[]"):
		return parsers.Likely
	case s.Is("{}"):
		return parsers.Possible
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "IntSights"
	b := make([]byte, 512)
	n, _ := in.Read(b)
	if err := in.Rewind(); err != nil {
		return err
	}
	if head := strings.TrimSpace(string(b[:n])); head == "" || head[0] != '{' {
		return stream.CSV(in, []string{"Alert ID", "Title", "Severity"}, func(r stream.Row) error {
			out.Emit(ofRow(r))
			return nil
		})
	}
	return stream.JSON(in, stream.Entries(func(key string, d *stream.Decoder) error {
		if key != "Alerts" {
			return stream.Errorf(`the report has %q and not only "Alerts": it is not one of IntSights`, key)
		}
		return stream.Each(func(a alert) error {
			out.Emit(a.row().observation())
			return nil
		})(d)
	}))
}

// row is an alert of either format.
type row struct {
	id, title, description, severity, kind, sourceDate, found, network, url, source, assets, tags, assignees, remediation, status, reason, info, rating, link string
}

func ofRow(r stream.Row) gate.Observation {
	return row{
		r.Get("Alert ID"), r.Get("Title"), r.Get("Description"), r.Get("Severity"), r.Get("Type"), r.Get("Source Date (UTC)"), r.Get("Report Date (UTC)"), r.Get("Network Type"), r.Get("Source URL"), r.Get("Source Name"),
		r.Get("Assets"), r.Get("Tags"), r.Get("Assignees"), r.Get("Remediation"), r.Get("Status"), r.Get("Closed Reason"), r.Get("Additional Info"), r.Get("Rating"), r.Get("Alert Link"),
	}.observation()
}

type alert struct {
	ID      stream.Text `json:"_id"`
	Found   stream.Text `json:"FoundDate"`
	Details struct {
		Title       stream.Text `json:"Title"`
		Description stream.Text `json:"Description"`
		Severity    stream.Text `json:"Severity"`
		Type        stream.Text `json:"Type"`
		SubType     stream.Text `json:"SubType"`
		Source      struct {
			URL     stream.Text `json:"URL"`
			Name    stream.Text `json:"LeakName"`
			Date    stream.Text `json:"Date"`
			Network stream.Text `json:"NetworkType"`
		} `json:"Source"`
		Tags []struct {
			Name stream.Text `json:"Name"`
		} `json:"Tags"`
	} `json:"Details"`
	Assets []struct {
		Type  stream.Text `json:"Type"`
		Value stream.Text `json:"Value"`
	} `json:"Assets"`
	Assignees stream.OneOrMany[stream.Text] `json:"Assignees"`
	IsClosed  bool                          `json:"IsClosed"`
	Closed    stream.Lenient[struct {
		IsClosed bool `json:"IsClosed"`
	}] `json:"Closed"`
}

func (a alert) row() row {
	d := a.Details
	var assets, tags, assignees []string
	for _, x := range a.Assets {
		assets = append(assets, string(x.Value))
	}
	for _, t := range d.Tags {
		tags = append(tags, string(t.Name))
	}
	for _, s := range a.Assignees {
		assignees = append(assignees, string(s))
	}
	r := row{
		id: string(a.ID), title: string(d.Title), description: string(d.Description), severity: string(d.Severity), kind: strings.TrimSuffix(string(d.Type+", "+d.SubType), ", "),
		sourceDate: string(d.Source.Date), found: string(a.Found), network: string(d.Source.Network), url: string(d.Source.URL), source: string(d.Source.Name),
		assets: strings.Join(assets, ", "), tags: strings.Join(tags, ", "), assignees: strings.Join(assignees, ", "), status: "Open",
		link: "https://dashboard.intsights.com/#/threat-command/alerts?search=" + string(a.ID),
	}
	if a.IsClosed || a.Closed.Value.IsClosed {
		r.status = "Closed"
	}
	return r
}

func (r row) observation() gate.Observation {
	var text parsers.Text
	text.Add(parsers.Markdown(r.description)).Fact("Type", r.kind).Fact("Found at", r.found).Fact("Source", strings.TrimSpace(r.source+" "+r.url)).Fact("Date of the source", r.sourceDate).Fact("Kind of network", r.network)
	text.Fact("Assets", r.assets).Fact("Tags", r.tags).Fact("Assigned to", r.assignees).Fact("Remediation", r.remediation).Fact("Status", r.status).Fact("Closed because", r.reason).Fact("More", r.info).Fact("Rating", r.rating).Fact("Alert", r.link)
	o := gate.Observation{
		Title:       r.title,
		Severity:    gate.ParseSeverity(r.severity),
		Description: text.String(),
		References:  r.link,
		UniqueID:    r.id,
		Check:       r.kind,
		Verified:    true,
	}
	if strings.EqualFold(r.status, "Closed") {
		o.Active = new(false)
	}
	return o
}
