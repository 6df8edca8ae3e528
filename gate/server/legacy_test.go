package server

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"defectdojo/integrations/jira"
)

// post sends a webhook to one of DefectDojo's addresses, and returns the answer.
func (o *office) post(path, contentType, signature string, body []byte) (int, string) {
	o.t.Helper()
	r, err := http.NewRequestWithContext(o.t.Context(), http.MethodPost, o.url+path, bytes.NewReader(body))
	if err != nil {
		o.t.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	r.Header.Set(jira.SignatureHeader, signature)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		o.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b)
}

// TestLegacyJIRAWebhook: a JIRA that still calls the address that DefectDojo gave
// it is heard if the secret in it is right, by the instance that it is of, and is
// answered as DefectDojo does. The secret is in no line of the log. It runs by
// itself: it reads the log.
func TestLegacyJIRAWebhook(t *testing.T) { //nolint:paralleltest // see above
	log := &kept{}
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	t.Cleanup(func() { slog.SetDefault(before) })
	const secret, refused = "0d8f2c4e-1111-4a5b-hunter2", "Invalid or no secret provided to JIRA Webhook"
	o := newOffice(t)
	inst := o.instance()
	at := fmt.Sprintf("/api/v2/jira_instances/%v/", inst["id"])
	signing := fmt.Sprint(o.json(200, "POST", at+"webhook_secret/", "")["webhook_secret"])
	first := o.report("/api/v2/import-scan/", map[string]string{"product_type_name": "T", "product_name": "shop", "engagement_name": "main", "auto_create_context": "true"}, "one")
	o.json(201, "POST", "/api/v2/jira_projects/", fmt.Sprintf(`{"jira_instance":%v,"product":%v,"project_key":"SEC","push_all_issues":true}`, inst["id"], first["product_id"]))
	o.report("/api/v2/reimport-scan/", map[string]string{"test": fmt.Sprint(first["test_id"])}, "one")
	o.until("a ticket", `select count(*) = 1 from jira_issues where state = 'linked' and due is null`)
	const key = "SEC-1"
	body := func() []byte { return o.jira.Event("jira:issue_updated", key) }
	expect := func(path, contentType, signing string, status int, want string) {
		t.Helper()
		b, signature := body(), ""
		if signing != "" {
			signature = jira.Sign(b, signing)
		}
		if got, said := o.post(path, contentType, signature, b); got != status || said != want {
			t.Errorf("POST %s = %d %q, want %d %q", strings.ReplaceAll(path, secret, "…"), got, said, status, want)
		}
	}
	deliveries := func(want int) {
		t.Helper()
		var n int
		if err := o.pool.QueryRow(t.Context(), `select count(*) from webhook_deliveries where state <> 'ignored'`).Scan(&n); err != nil || n != want {
			t.Errorf("%d deliveries, want %d: %v", n, want, err)
		}
	}
	for _, path := range []string{"/jira/webhook/" + secret, "/jira/webhook/", "/jira/webhook", "/webhook/" + secret, "/webhook/"} { // nobody has opened them
		expect(path, "application/json", "", 200, refused)
	}
	o.json(400, "POST", at+"legacy_webhook/", `{"secret":"short"}`)
	o.json(200, "POST", at+"legacy_webhook/", fmt.Sprintf(`{"secret":"https://dojo.example.org/jira/webhook/%s/"}`, secret))
	for _, path := range []string{"/jira/webhook/wrong", "/jira/webhook/" + secret[:20], "/jira/webhook/", "/webhook/" + secret + "x"} {
		expect(path, "application/json", "", 200, refused)
	}
	expect("/jira/webhook/"+secret, "text/plain", "", 200, "only application/json supported")
	deliveries(0)

	o.jira.Move(key, "Done", "Done")
	expect("/jira/webhook/"+secret, "application/json", "", 200, "Success!")
	o.until("a claim", `select claim = 'claimed_fixed' from jira_issues where jira_key = $1`, key)
	deliveries(1)
	o.jira.Move(key, "To Do", "")
	expect("/webhook/"+secret+"/", "application/json", "", 200, "Success!")
	o.until("it is taken back", `select claim = '' from jira_issues where jira_key = $1`, key)
	o.jira.Move(key, "Done", "Done")
	expect("/jira/webhook/", "application/json", signing, 200, "Success!") // the old address, signed
	o.until("a claim again", `select claim = 'claimed_fixed' from jira_issues where jira_key = $1`, key)
	if got, said := o.post("/jira/webhook/"+secret, "application/json", "", []byte(`{"webhookEvent":"user_created"}`)); got != 200 || said != "Ignoring: nothing follows from this event" {
		t.Errorf("%d %q", got, said)
	}
	if resp, err := http.Get(o.url + "/jira/webhook/" + secret); err != nil || resp.StatusCode != http.StatusMethodNotAllowed { //nolint:noctx // a test
		t.Errorf("GET: %v, %v", resp, err)
	} else {
		resp.Body.Close()
	}

	// Two instances with DefectDojo's one secret: the issue says whose it is.
	other := o.json(201, "POST", "/api/v2/jira_instances/", `{"url":"https://other.example.org","username":"u","password":"p","default_issue_type":"Bug","epic_name_id":0,"open_status_key":11,
		"close_status_key":31,"info_mapping_severity":"Trivial","low_mapping_severity":"Low","medium_mapping_severity":"Medium","high_mapping_severity":"High","critical_mapping_severity":"Highest"}`)
	o.json(200, "POST", fmt.Sprintf("/api/v2/jira_instances/%v/legacy_webhook/", other["id"]), fmt.Sprintf(`{"secret":%q}`, secret))
	o.jira.Move(key, "To Do", "")
	expect("/jira/webhook/"+secret, "application/json", "", 200, "Success!")
	o.until("it is taken back again", `select claim = '' from jira_issues where jira_key = $1`, key)
	o.until("the other instance heard nothing", `select count(*) = 0 from webhook_deliveries d join jira_instances i on i.connection_id = d.connection_id where i.id = $1`, other["id"])

	for _, i := range []any{inst["id"], other["id"]} {
		o.json(200, "POST", fmt.Sprintf("/api/v2/jira_instances/%v/legacy_webhook/", i), `{"secret":""}`)
	}
	expect("/jira/webhook/"+secret, "application/json", "", 200, refused)
	limited := false
	for range 200 {
		status, _ := o.post("/jira/webhook/wrong", "application/json", "", []byte(`{}`))
		limited = limited || status == http.StatusTooManyRequests
	}
	if !limited {
		t.Error("secrets can be tried without an end")
	}
	o.leaks(log.String(), secret)
}
