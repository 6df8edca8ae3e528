package inbound

import (
	"strings"
	"testing"
	"time"

	"defectdojo/integrations/jira"
)

func TestJIRA(t *testing.T) {
	t.Parallel()
	k := JIRA()
	body := []byte(`{"webhookEvent":"jira:issue_updated","issue":{"id":"10001"}}`)
	ask := func(body []byte, header map[string]string) Request {
		return Request{Header: func(name string) string { return header[name] }, Body: body}
	}
	secrets := Secrets{WebhookSecret: "new", PreviousWebhookSecret: "old"}
	for name, c := range map[string]struct {
		signature string
		secrets   Secrets
		ok        bool
	}{
		"good":     {jira.Sign(body, "new"), secrets, true},
		"previous": {jira.Sign(body, "old"), secrets, true},
		"other":    {jira.Sign(body, "older"), secrets, false},
		"blank":    {jira.Sign(body, ""), Secrets{}, false},
		"none":     {"", secrets, false},
		"spaced":   {jira.Sign([]byte(strings.ReplaceAll(string(body), ":", ": ")), "new"), secrets, false},
	} {
		if err := k.Verify(ask(body, map[string]string{jira.SignatureHeader: c.signature}), c.secrets, time.Time{}); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	for text, want := range map[string]Message{
		string(body):                            {ID: "d1", Event: "jira:issue_updated"},
		`{"webhookEvent":"sprint_created"}`:     {ID: "d1", Event: "sprint_created", Ignored: "nothing follows from this event"},
		`{"webhookEvent":"jira:issue_updated"}`: {ID: "d1", Event: "jira:issue_updated", Ignored: "it names no issue"},
		`{`:                                     {ID: "d1", Ignored: "the body is not JSON"},
	} {
		if got := k.Read(ask([]byte(text), map[string]string{jira.IdentifierHeader: "d1"})); got != want {
			t.Errorf("%s: %+v", text, got)
		}
	}
}
