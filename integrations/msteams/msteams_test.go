package msteams_test

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"defectdojo/integrations"
	"defectdojo/integrations/integrationtest"
	"defectdojo/integrations/msteams"
)

var web = integrations.NewClient(integrations.Options{Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})

func message(items int) integrations.Message {
	m := integrations.Message{Title: "3 *new* [x](https://evil.example)", Text: strings.Repeat("a_b ", 2000), URL: "https://gate.example.org/x", Facts: []integrations.Fact{{Name: "Product", Value: "shop"}}, Footer: "DefectDojo"}
	for range items {
		m.Items = append(m.Items, integrations.Item{Mark: "High", Title: "SQL (injection) " + strings.Repeat("x", 150), URL: "https://gate.example.org/findings/(1)"})
	}
	return m
}

// TestCard: the card is one, small enough, and shows what it was given as it is.
func TestCard(t *testing.T) {
	t.Parallel()
	for _, items := range []int{0, 3, 500} {
		b, err := msteams.Card(message(items))
		if err != nil || len(b) > 28<<10 {
			t.Fatalf("%d bytes, %v", len(b), err)
		}
		var m struct {
			Type        string
			Attachments []struct {
				ContentType string
				Content     struct {
					Type, Version string
					Body          []map[string]any
					Actions       []map[string]any
				}
			}
		}
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
		c := m.Attachments[0].Content
		if m.Type != "message" || m.Attachments[0].ContentType != "application/vnd.microsoft.card.adaptive" || c.Type != "AdaptiveCard" || c.Version != "1.4" || c.Actions[0]["url"] != "https://gate.example.org/x" {
			t.Errorf("%.300s", b)
		}
		if got := c.Body[0]["text"]; got != `3 \*new\* \[x\]\(https://evil.example\)` {
			t.Errorf("title: %s", got)
		}
		if items == 500 && !strings.Contains(string(b), "more") {
			t.Error("nothing says that there are more")
		}
	}
}

func TestSend(t *testing.T) {
	t.Parallel()
	f := integrationtest.New(t, nil, "")
	f.Handle("POST /workflows/{rest...}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	c := msteams.Config{URL: f.URL + "/workflows/hunter2hunter2/invoke?sig=hunter2"}
	if status, err := msteams.Send(t.Context(), web, c, message(2), time.Now()); err != nil || status != 202 {
		t.Fatal(status, err)
	}
	for name, x := range map[string]struct {
		fault     integrationtest.Fault
		permanent bool
		after     time.Duration
	}{
		"limited":     {integrationtest.Fault{Status: 429, Header: http.Header{"Retry-After": {"5"}}}, false, 5 * time.Second},
		"old_limited": {integrationtest.Fault{Status: 200, Body: "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429"}, false, time.Minute},
		"old_failed":  {integrationtest.Fault{Status: 200, Body: "Webhook message delivery failed with error: x"}, false, 0},
		"gone":        {integrationtest.Fault{Status: 404}, true, 0},
		"down":        {integrationtest.Fault{Status: 502}, false, 0},
		"redirect":    {integrationtest.Fault{Redirect: "/elsewhere"}, true, 0},
		"reset":       {integrationtest.Fault{Reset: true}, false, 0},
	} {
		f.Fail("", "workflows", 1, x.fault)
		_, err := msteams.Send(t.Context(), web, c, message(1), time.Now())
		if err == nil || integrations.IsPermanent(err) != x.permanent || integrations.RetryAfter(err) != x.after || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
		f.Heal()
	}
}
