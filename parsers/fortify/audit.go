package fortify

import (
	"strings"

	"defectdojo/parsers/stream"
)

// audit is what people said of findings, by their ids.
type audit map[string]verdict

type verdict struct {
	notIssue bool
	comments []string
}

// analysis is the id of the tag with which Fortify's users judge an issue.
const analysis = "87f2364f-dcd4-49e6-861d-f8d3f351686b"

func (a audit) read(in *stream.Input) error {
	return stream.XML(in, []string{"Audit"}, stream.Elements{"Audit/IssueList/Issue": stream.Element(func(i struct {
		ID         string `xml:"instanceId,attr"`
		Suppressed string `xml:"suppressed,attr"`
		Tags       []struct {
			ID    string `xml:"id,attr"`
			Value string `xml:"Value"`
		} `xml:"Tag"`
		Comments []struct {
			Content string `xml:"Content"`
			User    string `xml:"Username"`
			Time    string `xml:"Timestamp"`
		} `xml:"ThreadedComments>Comment"`
	},
	) error {
		v := verdict{notIssue: strings.EqualFold(i.Suppressed, "true")}
		for _, t := range i.Tags {
			if strings.EqualFold(t.ID, analysis) && strings.EqualFold(strings.TrimSpace(t.Value), "Not an Issue") {
				v.notIssue = true
			}
		}
		for _, c := range i.Comments {
			v.comments = append(v.comments, strings.TrimSpace(c.Time+" "+c.User+": "+c.Content))
		}
		a[i.ID] = v
		return nil
	})})
}
