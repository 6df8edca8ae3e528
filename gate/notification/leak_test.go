package notification_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/jobs"
	"defectdojo/gate/notification"
	"defectdojo/gate/store"
	"defectdojo/integrations/integrationtest"
	"defectdojo/integrations/mail"
	"defectdojo/integrations/mail/mailtest"
	"defectdojo/integrations/slack/slacktest"
)

// TestNoSecretLeaks has every channel fail in every way, with receivers that
// say our secrets back to us, through the queue queue and its log; then it looks
// for the secrets in the log, the errors, the answers, and all of the database.
// They all hold the word hunter2.
func TestNoSecretLeaks(t *testing.T) {
	t.Parallel()
	h, w := newHouse(t), slacktest.New(t)
	var log safeBuffer
	hook, teams, smtp := integrationtest.New(t, nil, ""), integrationtest.New(t, nil, ""), mailtest.New(t, false)
	echo := func(rw http.ResponseWriter, r *http.Request) {
		rw.WriteHeader(http.StatusBadGateway)
		fmt.Fprintf(rw, "%s %v", r.URL, r.Header)
	}
	hook.Handle("POST /", echo)
	teams.Handle("POST /", echo)
	targets := map[string]int64{
		"slack":  h.slack(w, notification.Settings{}),
		"teams":  h.connect("msteams", "teams", notification.Settings{}, map[string]string{notification.SecretWebhookURL: teams.URL + "/hunter2teams?sig=hunter2"}),
		"hooked": h.connect("slack", "hooked", notification.Settings{Webhook: true}, map[string]string{notification.SecretWebhookURL: teams.URL + "/services/T0/B0/hunter2slack"}),
		"mail": h.connect("mail", "mail", notification.Settings{
			Address: "team@example.org", Host: smtp.Host, Port: smtp.Port, Security: mail.StartTLS, Username: mailtest.Username, From: "gate@example.org",
		}, map[string]string{notification.SecretPassword: mailtest.Password + "wrong"}),
	}
	value, secret := "hunter2header", "hunter2secret"
	saved, err := h.SaveHook(t.Context(), h.Store, notification.Hook{
		NotificationWebhook: store.NotificationWebhook{Name: "all", URL: hook.URL + "/hunter2path", Status: "active"}, HeaderValue: &value, Secret: &secret,
	})
	if err != nil {
		t.Fatal(err)
	}
	h.prefer(0, notification.ScanAdded, "slack", "msteams", "mail", "webhooks", "alert")
	faults := []integrationtest.Fault{
		{Status: 500, Body: slacktest.Token},
		{Status: 200, Body: `{"ok":false,"error":"bad ` + slacktest.Token + `"}`},
		{Reset: true},
		{Redirect: "http://127.0.0.1:1/hunter2elsewhere"},
		{Status: 404, Body: "hunter2path hunter2header"},
		{Status: 429, Body: "hunter2secret", Header: http.Header{"Retry-After": {"1"}}},
	}
	var errs []error
	for i, f := range faults {
		w.Fail("", "", 4, f)
		hook.Fail("", "", 4, f)
		f.Body = "/hunter2teams sig=hunter2 B0/hunter2slack"
		teams.Fail("", "", 4, f)
		h.imports(1, int64(i+1))
		for _, id := range targets {
			_, err := h.Test(t.Context(), id)
			errs = append(errs, err)
		}
		_, err := h.TestHook(t.Context(), saved.ID)
		errs = append(errs, err)
		if err := h.Revive(t.Context(), saved.ID); err != nil {
			t.Fatal(err)
		}
		w.Heal()
		hook.Heal()
		teams.Heal()
	}
	h.exec(`delete from channel_health`)
	queue, err := jobs.New(h.pool, jobs.Work{Followers: []jobs.Follower{h.Follow}, Senders: h.Senders(), Maintain: h.Maintain, Beat: h.Store.Beat, Leave: h.Store.Leave, Tick: h.Tick, Judge: func(context.Context, int64, int64) error { return nil }, Expire: func(context.Context) error { return nil }, Refresh: func(context.Context) error { return nil }, Reconcile: func(context.Context) error { return nil }}, slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	w.Fail("", "", 1000, faults[1])
	if err := queue.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := pgx.BeginFunc(t.Context(), h.pool, func(tx pgx.Tx) error {
		return queue.Tell(t.Context(), tx, gate.Event{Kind: gate.EventImport, ProductID: 1, EngagementID: 1, TestID: 1, ImportID: 1})
	}); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if get[int](h, `select count(distinct channel)::int from notice_deliveries where attempts > 0`) == 4 && get[int](h, `select count(*)::int from river_job where kind = 'send' and errors is not null`) > 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the queue did not try every channel in a minute")
		}
	}
	if err := queue.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{"the log": log.String(), "the errors": fmt.Sprintf("%v %+v", errors.Join(errs...), errs), "the database": h.dump()}
	for where, text := range texts {
		t.Logf("%s: %d bytes", where, len(text))
		if len(text) < 500 {
			t.Errorf("%s: too little to mean anything: %s", where, text)
		}
		for _, needle := range []string{"hunter2", "aHVudGVyM", "68756e74657232"} { // as it is, in base64, in hexadecimal
			if i := strings.Index(text, needle); i >= 0 {
				t.Errorf("%s holds a secret: …%s", where, text[max(0, i-200):min(len(text), i+60)])
			}
		}
	}
}

// dump returns all rows of all tables.
func (h *house) dump() string {
	h.t.Helper()
	var b strings.Builder
	rows, err := h.pool.Query(h.t.Context(), `select table_name::text from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE' order by 1`)
	if err != nil {
		h.t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		h.t.Fatal(err)
	}
	for _, name := range tables {
		b.WriteString(get[string](h, `select coalesce(json_agg(t)::text, '') from `+pgx.Identifier{name}.Sanitize()+` t`))
	}
	return b.String()
}
