package cyclonedx

import (
	"strings"

	"defectdojo/parsers"
)

func (v vulnerability) describe(c component, t target) string {
	var text parsers.Text
	text.Add(string(v.Description))
	if v.Detail != v.Description {
		text.Add(string(v.Detail))
	}
	if v.Description == "" && v.Detail == "" {
		text.Add("The bill of materials lists this vulnerability without a description.")
	}
	text.Fact("Vulnerability", string(v.ID)).Fact("Component", strings.TrimSpace(c.Name+" "+c.Version)).Fact("Package URL", c.PURL).Fact("File", c.Path)
	if c.Name == "" {
		text.Fact("Reference", t.Ref)
	}
	text.Fact("Source", strings.TrimSpace(string(v.Source.Name)+" "+string(v.Source.URL)))
	text.Facts("Ratings", v.ratingTexts()).Facts("Versions", t.texts()).Fact("Rejected", string(v.Rejected))
	text.Section("Analysis", v.Analysis.text())
	return text.String()
}

func (v vulnerability) ratingTexts() []string {
	var out []string
	for _, r := range v.Ratings {
		var parts []string
		for _, p := range []string{string(r.Source.Name), string(r.Severity), string(r.Score), string(r.Method), string(r.Vector), string(r.Justification)} {
			if p != "" {
				parts = append(parts, p)
			}
		}
		out = append(out, strings.Join(parts, " "))
	}
	return out
}

func (t target) texts() []string {
	var out []string
	for _, v := range t.Versions {
		out = append(out, strings.TrimSpace(parsers.First(string(v.Version), string(v.Range))+" "+string(v.Status)))
	}
	return out
}

// text writes the analysis as a sentence of VEX: the state, why, and what is done.
func (a analysis) text() string {
	var text parsers.Text
	var response []string
	for _, r := range a.Response {
		response = append(response, words(string(r)))
	}
	text.Fact("State", words(string(a.State))).Fact("Justification", words(string(a.Justification))).Facts("Response", response).Add(string(a.Detail))
	return text.String()
}

func words(s string) string { return strings.ReplaceAll(s, "_", " ") }

func (v vulnerability) mitigation() string {
	var text parsers.Text
	text.Add(string(v.Recommendation)).Section("Workaround", string(v.Workaround))
	switch v.Analysis.State {
	case "resolved", "resolved_with_pedigree", "not_affected", "false_positive":
		text.Add("The bill of materials declares this vulnerability " + words(string(v.Analysis.State)) + ". " + string(v.Analysis.Detail))
	}
	return text.String()
}

func (v vulnerability) links() string {
	var out []string
	for _, a := range v.Advisories {
		title, url := strings.TrimSpace(string(a.Title)), strings.TrimSpace(string(a.URL))
		switch {
		case url == "":
			out = append(out, title)
		case title == "":
			out = append(out, url)
		default:
			out = append(out, "["+title+"]("+url+")")
		}
	}
	return parsers.Lines(out...)
}
