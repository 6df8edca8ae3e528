package inbound

import (
	"slices"
	"time"

	"defectdojo/integrations/jira"
)

// jiraEvents are the events of interest. All say the same: look at the issue.
var jiraEvents = []string{"jira:issue_created", "jira:issue_updated", "jira:issue_deleted", "comment_created", "comment_updated", "comment_deleted"}

// JIRA is the kind of JIRA's webhooks; its Work is still to be set.
func JIRA() Kind {
	return Kind{
		Name: "jira",
		Verify: func(r Request, s Secrets, _ time.Time) error {
			if !jira.Verify(r.Header(jira.SignatureHeader), r.Body, s.Webhook()...) {
				return ErrForged
			}
			return nil
		},
		Read: readJIRA,
	}
}

func readJIRA(r Request) Message {
	m := Message{ID: r.Header(jira.IdentifierHeader)}
	e, err := jira.ParseEvent(r.Body)
	switch {
	case err != nil:
		m.Ignored = "the body is not JSON"
	case !slices.Contains(jiraEvents, e.Name):
		m.Ignored = "nothing follows from this event"
	case e.IssueID == "":
		m.Ignored = "it names no issue"
	}
	m.Event = e.Name
	return m
}
