package notification_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/notification"
	"defectdojo/gate/store"
	"defectdojo/integrations/slack"
	"defectdojo/integrations/slack/slacktest"
)

// TestInteract: whoever clicks acts as the user that they are here, and nobody
// else; a waiver is asked for, never given.
func TestInteract(t *testing.T) {
	t.Parallel()
	members := []slacktest.Member{
		{ID: "U0MIKA", Email: "Mika@example.org", TeamID: slacktest.TeamID},
		{ID: "U0NOOR", Email: "noor@example.org", TeamID: slacktest.TeamID},
		{ID: "U0GUEST", Email: "ada@example.org", TeamID: slacktest.TeamID, Guest: true},
		{ID: "U0ELSE", Email: "ada@example.org", TeamID: "T0ELSE"},
		{ID: "U0WHO", Email: "nobody@example.org", TeamID: slacktest.TeamID},
		{ID: "U0BO", Email: "bo@example.org", TeamID: slacktest.TeamID},
	}
	h, w := newHouse(t), slacktest.New(t, members...)
	id := h.slack(w, notification.Settings{})
	conn, err := h.Store.Connection(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	assigned := map[int64]int64{}
	h.Assign = func(_ context.Context, user, finding int64) error {
		if user != 2 {
			return gate.Errorf(gate.NotFound, "no such finding")
		}
		assigned[finding] = user
		return nil
	}
	var asked []notification.WaiverRequest
	h.RequestWaiver = func(_ context.Context, r notification.WaiverRequest) (string, error) {
		asked = append(asked, r)
		return "W-2026-0001", nil
	}
	click := func(user, action string) (string, error) {
		return h.Interact(t.Context(), conn, slack.Interaction{Action: action, Finding: 7, TeamID: slacktest.TeamID, UserID: user, Channel: "C1", Trigger: "now"})
	}
	for user, want := range map[string]string{
		"U0MIKA": "Finding 7 is assigned to you.", "U0NOOR": "no such finding", "U0GUEST": "nobody here has", "U0ELSE": "nobody here has", "U0WHO": "nobody here has", "U0BO": "nobody here has",
	} {
		if said, err := click(user, slack.ActionAssign); err != nil || !strings.Contains(said, want) {
			t.Errorf("%s: %q, %v", user, said, err)
		}
	}
	if len(assigned) != 1 || assigned[7] != 2 || len(w.Whispers()) != 6 {
		t.Errorf("%v, %d answers", assigned, len(w.Whispers()))
	}
	if said, err := click("U0MIKA", slack.ActionWaiver); err != nil || said != "" || len(w.Forms()) != 1 || !strings.Contains(w.Forms()[0], "2026-12-23") {
		t.Errorf("the form: %q, %v, %v", said, err, w.Forms())
	}
	if said, err := click("U0NOOR", slack.ActionWaiver); err != nil || !strings.Contains(said, "no such finding") || len(w.Forms()) != 1 {
		t.Errorf("who may not see it: %q, %v", said, err)
	}
	form := slack.Interaction{Action: slack.ActionWaiver, Sent: true, Finding: 7, TeamID: slacktest.TeamID, UserID: "U0MIKA", Channel: "C1", Reason: "The path is closed", Until: "2026-12-22"}
	if said, err := h.Interact(t.Context(), conn, form); err != nil || !strings.Contains(said, "W-2026-0001 is requested") {
		t.Errorf("the form sent: %q, %v", said, err)
	}
	if want := time.Date(2026, 12, 23, 0, 0, 0, 0, time.UTC); len(asked) != 1 || asked[0].UserID != 2 || asked[0].Reason != "The path is closed" || !asked[0].Until.Equal(want) {
		t.Errorf("%+v", asked)
	}
	form.TeamID = "T0ELSE"
	if said, err := h.Interact(t.Context(), conn, form); err != nil || !strings.Contains(said, "nobody here") || len(asked) != 1 {
		t.Errorf("another workspace: %q, %v", said, err)
	}
}

// TestCalendar: what a day brings is told once, whoever looks first.
func TestCalendar(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.prefer(0, notification.Other)
	if err := h.Store.SetNotifySettings(t.Context(), store.NotifySettings{FindingSLA: true, Active: true, RiskDays: 10, WaiverDays: 7, EngagementDays: 3, WebhookRetention: 30}); err != nil {
		t.Fatal(err)
	}
	for i, days := range []int{-8, -7, -1, 0, 3, 4} {
		h.exec(`update findings set sla_expiration_date = '2026-11-23'::date + $2::int where id = $1`, i+1, days)
	}
	h.exec(`update findings set sla_expiration_date = '2026-11-23', active = false where id = 8`)
	h.exec(`insert into engagements (id, product_id, name, target_start, target_end, status, created) values (11, 1, 'soon', '2026-11-25', '2026-12-25', 'Not Started', '2026-11-01'), (12, 1, 'stale', '2026-11-01', '2026-11-20', 'In Progress', '2026-11-01')`)
	h.exec(`insert into risk_acceptances (id, engagement_id, name, owner_id, expiration_date) values (1, 1, 'near', 1, '2026-11-30'), (2, 1, 'far', 1, '2027-11-30'), (3, 1, 'over', 1, '2026-11-22')`)
	h.exec(`insert into waivers (product_id, name, state, document, requested_by_id, expires) values (1, 'W-1', 'approved', '{}', 1, '2026-11-28'), (1, 'W-2', 'requested', '{}', 1, '2026-11-28')`)
	tick := func() map[string]int {
		if err := h.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		out := map[string]int{}
		rows, err := h.pool.Query(t.Context(), `select event, count(*)::int from notices group by 1`)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var event string
			var n int
			if err := rows.Scan(&event, &n); err != nil {
				t.Fatal(err)
			}
			out[event] = n
		}
		return out
	}
	if got := tick(); len(got) != 0 {
		t.Errorf("before 07:30: %v", got)
	}
	h.pass(45 * time.Minute)
	want := map[string]int{"sla_breach": 4, "sla_breach_combined": 3, "upcoming_engagement": 1, "stale_engagement": 1, "risk_acceptance_expiration": 2, "waiver_expiring": 1}
	for range 3 {
		got := tick()
		for event, n := range want {
			if got[event] != n {
				t.Errorf("%s: %d, want %d", event, got[event], n)
			}
		}
	}
	h.pass(24 * time.Hour) // findings are told each day of the window, the others once
	if got := tick(); got["sla_breach"] != 4+4 || got["upcoming_engagement"] != 1 || got["waiver_expiring"] != 1 || got["risk_acceptance_expiration"] != 2 {
		t.Errorf("the day after: %v", got)
	}
	if n := get[int](h, `select count(*) from risk_acceptances where expiration_date_warned is not null`); n != 1 {
		t.Errorf("%d are noted as warned of", n)
	}
}

// TestMentions: those whom a note names, and who may see the finding, are told.
func TestMentions(t *testing.T) {
	t.Parallel()
	if got := strings.Join(notification.Mentions("@Ada, see a@b.c (@no) and @mika. @mika\n@jo.doe"), " "); got != "ada mika jo.doe" {
		t.Errorf("%q", got)
	}
	h := newHouse(t)
	note := func(text string, private bool) {
		id := get[int64](h, `insert into notes (finding_id, entry, author_id, private) values (1, $1, 1, $2) returning id`, text, private)
		h.tell(gate.Event{Kind: gate.EventNote, NoteID: id, ActorID: 1})
	}
	note("@mika @noor @bo @ada please look", false)
	note("@mika in private", true)
	var told []int64
	rows, err := h.pool.Query(t.Context(), `select user_id from alerts where event = 'user_mentioned' order by 1`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		told = append(told, id)
	}
	if len(told) != 2 || told[0] != 1 || told[1] != 2 {
		t.Errorf("told: %v, want ada and mika", told)
	}
}
