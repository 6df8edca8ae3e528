package slack_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"defectdojo/integrations"
	"defectdojo/integrations/integrationtest"
	"defectdojo/integrations/slack"
	"defectdojo/integrations/slack/slacktest"
)

var web = integrations.NewClient(integrations.Options{Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})

func client(w *slacktest.Workspace) *slack.Client {
	return slack.New(slack.Config{Token: slacktest.Token, APIURL: w.APIURL()}, web, time.Now)
}

func message(items int) slack.Message {
	m := slack.Message{Buttons: true, Message: integrations.Message{
		Title: "3 <!channel> & <@U1> *new*", URL: "https://gate.example.org/findings?test=1&x=2", Text: "see <https://evil.example|here>",
		Facts: []integrations.Fact{{Name: "Product", Value: "shop <b>"}}, Footer: "DefectDojo",
	}}
	for i := range items {
		m.Items = append(m.Items, integrations.Item{ID: int64(i + 1), Mark: "High", Title: "SQL <injection> | in refunds", URL: fmt.Sprintf("https://gate.example.org/findings/%d", i+1)})
	}
	return m
}

func TestPost(t *testing.T) {
	t.Parallel()
	w := slacktest.New(t)
	at, err := client(w).Post(t.Context(), "#security", message(3), "", "k1", false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client(w).Post(t.Context(), at.Channel, message(200), at.TS, "k2", true); err != nil {
		t.Fatal(err)
	}
	if err := client(w).Update(t.Context(), at, message(0)); err != nil {
		t.Fatal(err)
	}
	got := w.Messages()
	if len(got) != 2 || got[0].Edits != 1 || got[1].Thread != at.TS || !got[1].Shout {
		t.Fatalf("%+v", got)
	}
	if strings.Contains(got[1].Text, "<!channel>") || !strings.Contains(got[1].Blocks, "more") || !strings.Contains(got[1].Blocks, `"action_id":"waiver"`) {
		t.Errorf("%.500s\n%.1000s", got[1].Text, got[1].Blocks)
	}
}

// TestBlocks_random: whatever a message says, Slack takes it and it addresses nobody.
func TestBlocks_random(t *testing.T) {
	t.Parallel()
	w := slacktest.New(t)
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 1))
	pieces := []string{"<", ">", "&", "|", "*", "_", "`", "<!here>", "<@U1>", "<http://x|y>", "ü", "\n", " ", "日本", "😀", strings.Repeat("a", 500), "&amp;", "\x00", "{{x}}", `"`}
	text := func(limit int) string {
		var b strings.Builder
		for range r.IntN(limit) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		return b.String()
	}
	for range 2000 {
		m := slack.Message{Buttons: r.IntN(2) == 0, Message: integrations.Message{
			Title: text(20), Text: text(40), URL: "https://gate.example.org/" + text(4), More: r.IntN(3), Footer: text(5),
		}}
		for range r.IntN(60) {
			m.Items = append(m.Items, integrations.Item{ID: r.Int64N(3), Mark: text(3), Title: text(8), URL: "https://gate.example.org/" + text(2)})
		}
		for range r.IntN(14) {
			m.Facts = append(m.Facts, integrations.Fact{Name: text(3), Value: text(30)})
		}
		b, err := json.Marshal(m.Blocks())
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Check(m.Fallback(), string(b)); err != nil {
			t.Fatalf("seed %d: %v\n%.3000s", seed, err, b)
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	w := slacktest.New(t)
	for name, c := range map[string]struct {
		fault     integrationtest.Fault
		permanent bool
		after     time.Duration
	}{
		"limited":     {integrationtest.Fault{Status: 429, Header: http.Header{"Retry-After": {"7"}}}, false, 7 * time.Second},
		"down":        {integrationtest.Fault{Status: 503}, false, 0},
		"reset":       {integrationtest.Fault{Reset: true}, false, 0},
		"no_channel":  {integrationtest.Fault{Status: 200, Body: `{"ok":false,"error":"channel_not_found"}`}, true, 0},
		"revoked":     {integrationtest.Fault{Status: 200, Body: `{"ok":false,"error":"token_revoked"}`}, false, 0},
		"said_limit":  {integrationtest.Fault{Status: 200, Body: `{"ok":false,"error":"ratelimited"}`}, false, 30 * time.Second},
		"token_shown": {integrationtest.Fault{Status: 200, Body: `{"ok":false,"error":"bad ` + slacktest.Token + `"}`}, false, 0},
	} {
		w.Fail("", "chat.postMessage", 1, c.fault)
		_, err := client(w).Post(t.Context(), "#security", message(1), "", "k3", false)
		e, ok := errors.AsType[*integrations.Error](err)
		if !ok || e.Permanent != c.permanent || e.After != c.after {
			t.Errorf("%s: %+v", name, err)
		}
		if strings.Contains(fmt.Sprintf("%v %+v", err, err), "hunter2") {
			t.Errorf("%s shows the token: %v", name, err)
		}
		w.Heal()
	}
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	f := integrationtest.New(t, nil, "")
	f.Handle("POST /services/{rest...}", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) })
	secret := f.URL + "/services/T0/B0/hunter2hunter2"
	c := slack.New(slack.Config{WebhookURL: secret}, web, time.Now)
	if err := c.Webhook(t.Context(), message(20)); err != nil {
		t.Fatal(err)
	}
	var sent struct {
		Text   string          `json:"text"`
		Blocks json.RawMessage `json:"blocks"`
	}
	if err := json.Unmarshal(f.Requests()[0].Body, &sent); err != nil {
		t.Fatal(err)
	}
	if err := slacktest.New(t).Check(sent.Text, string(sent.Blocks)); err != nil || strings.Contains(string(sent.Blocks), "action_id") {
		t.Errorf("%v\n%s", err, sent.Blocks)
	}
	f.Fail("", "services", 1, integrationtest.Fault{Status: 429, Header: http.Header{"Retry-After": {"3"}}})
	if err := c.Webhook(t.Context(), message(0)); integrations.RetryAfter(err) != 3*time.Second {
		t.Errorf("429: %v", err)
	}
	f.Close()
	if err := c.Webhook(t.Context(), message(0)); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the address is in %v", err)
	}
}

// TestVerify: only the bytes as they came, with the right secret, within five minutes.
func TestVerify(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	const secret, body = "8f742231b10e8888abcd99yyyzzz85a5", "payload=%7B%22a%22%3A%22%C3%BC%F0%9F%98%80%22%7D"
	at := func(d time.Duration) string { return strconv.FormatInt(now.Add(d).Unix(), 10) }
	good := slacktest.Sign(secret, at(0), body)
	if err := slack.Verify(secret, at(0), good, []byte(body), now); err != nil {
		t.Fatal(err)
	}
	for d, want := range map[time.Duration]bool{-300 * time.Second: true, 60 * time.Second: true, 61 * time.Second: false, -301 * time.Second: false, 301 * time.Second: false} {
		if err := slack.Verify(secret, at(d), slacktest.Sign(secret, at(d), body), []byte(body), now); (err == nil) != want {
			t.Errorf("%v old: %v", d, err)
		}
	}
	for i := range len(good) {
		bad := []byte(good)
		bad[i] ^= 1
		if slack.Verify(secret, at(0), string(bad), []byte(body), now) == nil {
			t.Errorf("byte %d of the signature flipped", i)
		}
	}
	for name, err := range map[string]error{
		"no secret":      slack.Verify("", at(0), slacktest.Sign("", at(0), body), []byte(body), now),
		"other secret":   slack.Verify("x", at(0), good, []byte(body), now),
		"no signature":   slack.Verify(secret, at(0), "", []byte(body), now),
		"no time":        slack.Verify(secret, "", slacktest.Sign(secret, "", body), []byte(body), now),
		"padded time":    slack.Verify(secret, "0"+at(0), slacktest.Sign(secret, "0"+at(0), body), []byte(body), now),
		"other body":     slack.Verify(secret, at(0), good, []byte(body+" "), now),
		"other time":     slack.Verify(secret, at(1*time.Second), good, []byte(body), now),
		"only a version": slack.Verify(secret, at(0), "v0=", []byte(body), now),
	} {
		if err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestInteraction(t *testing.T) {
	t.Parallel()
	w := slacktest.New(t)
	i, err := slack.ReadInteraction([]byte(`{"type":"block_actions","trigger_id":"now","team":{"id":"T0GATE"},"user":{"id":"U1","team_id":"T0GATE"},"channel":{"id":"C1"},"actions":[{"type":"button","action_id":"waiver","block_id":"finding-7","value":"7"}]}`))
	if err != nil || i.Action != slack.ActionWaiver || i.Finding != 7 || i.Sent || i.Channel != "C1" {
		t.Fatalf("%+v, %v", i, err)
	}
	if err := client(w).AskForWaiver(t.Context(), i, "SQL <injection>", "2026-12-22"); err != nil || len(w.Forms()) != 1 {
		t.Fatal(err)
	}
	i.Trigger = "late"
	if err := client(w).AskForWaiver(t.Context(), i, "x", "2026-12-22"); !slack.Is(err, "expired_trigger_id") || !integrations.IsPermanent(err) {
		t.Errorf("a late click: %v", err)
	}
	i, err = slack.ReadInteraction([]byte(`{"type":"view_submission","team":{"id":"T0GATE"},"user":{"id":"U1"},"view":{"callback_id":"waiver","private_metadata":"{\"finding\":7,\"channel\":\"C1\"}","state":{"values":{"reason":{"reason":{"type":"plain_text_input","value":"The path is closed"}},"until":{"until":{"type":"datepicker","selected_date":"2026-12-22"}}}}}}`))
	if err != nil || !i.Sent || i.Finding != 7 || i.Reason != "The path is closed" || i.Until != "2026-12-22" {
		t.Errorf("%+v, %v", i, err)
	}
	for _, bad := range []string{``, `{`, `{"type":"view_submission","view":{"callback_id":"waiver","private_metadata":"x","state":{"values":{}}}}`} {
		if _, err := slack.ReadInteraction([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}
