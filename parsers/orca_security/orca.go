// Package orca_security reads the alerts of Orca, the cloud security platform, exported as JSON or CSV.
//
// Made in Orca by "Alerts, Export". The JSON is a list:
//
//	[{"Title": "Public S3 bucket", "Category": "Data at risk", "OrcaScore": 7.5, "Status": "open", "Source": "my-bucket",
//	  "CreatedAt": "2025-02-01T…", "LastSeen": "…", "Labels": ["CSPM"],
//	  "CloudAccount": {"Name": "account-prod"}, "Inventory": {"Name": "my-bucket"}}]
//
// The CSV has the same as columns: "OrcaScore,Title,Category,Inventory,
// Inventory.Name,CloudAccount,CloudAccount.Name,Source,Status,CreatedAt,LastSeen,Labels".
package orca_security

import (
	"bufio"
	"errors"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"

	"github.com/go-json-experiment/json/jsontext"
)

// Parsers reads Orca's alerts.
var Parsers = []parsers.Parser{{
	Name:     "orca_security",
	ScanType: "Orca Security Alerts",
	Files:    "JSON, CSV",
	Command:  "Orca: Alerts, Export",
	URL:      "https://docs.orcasecurity.io",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("[].OrcaScore"), s.HasColumns("OrcaScore", "Title"):
		return parsers.Sure
	case s.Is("[]"):
		return parsers.Possible
	}
	return parsers.No
}

type named struct {
	Name stream.Text `json:"Name"`
}

type alert struct {
	Title     stream.Text                   `json:"Title"`
	Category  stream.Text                   `json:"Category"`
	Score     stream.Text                   `json:"OrcaScore"`
	Status    stream.Text                   `json:"Status"`
	Source    stream.Text                   `json:"Source"`
	CreatedAt stream.Text                   `json:"CreatedAt"`
	LastSeen  stream.Text                   `json:"LastSeen"`
	Labels    stream.OneOrMany[stream.Text] `json:"Labels"`
	Account   stream.Lenient[named]         `json:"CloudAccount"`
	Inventory stream.Lenient[named]         `json:"Inventory"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Orca Security"
	head, err := bufio.NewReader(in).Peek(64)
	if len(head) == 0 && err != nil {
		return stream.Errorf("the report is empty")
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	if text := strings.TrimSpace(string(head)); !strings.HasPrefix(text, "[") && !strings.HasPrefix(text, "{") {
		return stream.CSV(in, []string{"Title", "OrcaScore"}, func(r stream.Row) error {
			out.Emit(observation(ofRow(r)))
			return nil
		})
	}
	return stream.JSON(in, stream.Each(func(a alert) error {
		if a.Title == "" {
			return errors.New("an alert without a title")
		}
		out.Emit(observation(a))
		return nil
	}))
}

// ofRow reads an alert of the CSV.
func ofRow(r stream.Row) alert {
	a := alert{
		Title: field(r, "Title"), Category: field(r, "Category"), Score: field(r, "OrcaScore"), Status: field(r, "Status"),
		Source: field(r, "Source"), CreatedAt: field(r, "CreatedAt"), LastSeen: field(r, "LastSeen"), Labels: labels(r.Get("Labels")),
	}
	a.Account.Value.Name = stream.Text(parsers.First(r.Get("CloudAccount.Name"), r.Get("CloudAccount")))
	a.Inventory.Value.Name = stream.Text(parsers.First(r.Get("Inventory.Name"), r.Get("Inventory")))
	return a
}

func field(r stream.Row, name string) stream.Text { return stream.Text(r.Get(name)) }

// labels reads the labels of a cell: a list as JSON, or texts between commas.
func labels(cell string) []stream.Text {
	var list []stream.Text
	if v := jsontext.Value(cell); v.Kind() == '[' && stream.Unmarshal(v, &list) == nil {
		return list
	}
	for part := range strings.SplitSeq(strings.Trim(cell, "[]"), ",") {
		if part = strings.Trim(part, ` '"`); part != "" {
			list = append(list, stream.Text(part))
		}
	}
	return list
}

func observation(a alert) gate.Observation {
	inventory := string(a.Inventory.Value.Name)
	var text parsers.Text
	text.Fact("Alert", string(a.Title)).Fact("Category", string(a.Category)).Fact("Source", string(a.Source)).Fact("Inventory", inventory).
		Fact("Cloud account", string(a.Account.Value.Name)).Fact("Orca score", string(a.Score)).Fact("Status", string(a.Status)).
		Fact("Created", string(a.CreatedAt)).Fact("Last seen", string(a.LastSeen)).Facts("Labels", stream.Strings(a.Labels))
	o := gate.Observation{
		Title:         string(a.Title),
		Severity:      gate.SeverityOfScore(stream.ParseFloat(string(a.Score)).F),
		Description:   text.String(),
		ComponentName: inventory,
		Service:       string(a.Source),
		Date:          parsers.ParseDate(string(a.CreatedAt)),
		Tags:          stream.Strings(a.Labels),
	}
	if a.Score != "" {
		o.SeverityJustification = "OrcaScore " + string(a.Score)
	}
	if s := strings.ToLower(string(a.Status)); s != "" && s != "open" && s != "in_progress" && s != "in progress" {
		o.Active = new(false)
	}
	return o
}
