package server

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/notification"
	"defectdojo/integrations/jira/jiratest"
)

// TestEveryOfferedEvent: whatever people can choose to be told of, something
// that really happens sends. What happens here happens as it does for users:
// through the API, a use case, or a day that comes.
func TestEveryOfferedEvent(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.json(201, "POST", "/api/v2/notifications/", `{"template":false,"scan_added_empty":["alert"]}`) // the only one that is off until somebody wants it
	first := o.report("/api/v2/import-scan/", map[string]string{"product_type_name": "T", "product_name": "shop", "engagement_name": "main", "auto_create_context": "true"}, "one")
	product, engagement, test := first["product_id"], first["engagement_id"], first["test_id"]
	var finding int64
	if err := o.pool.QueryRow(t.Context(), `select min(id) from findings`).Scan(&finding); err != nil {
		t.Fatal(err)
	}
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := o.pool.Exec(t.Context(), sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	calendar := func() {
		t.Helper()
		if err := pgx.BeginFunc(t.Context(), o.pool, func(tx pgx.Tx) error { return o.node.notifier.Calendar(t.Context(), tx, now()) }); err != nil {
			t.Fatal(err)
		}
	}
	again := map[string]string{"test": fmt.Sprint(test)}
	due := func() {
		exec(`update system_settings set settings = settings || '{"enable_notify_sla_active":true}'`)
		exec(`update findings set sla_expiration_date = current_date where id = $1`, finding)
		calendar()
	}
	soon := fmt.Sprintf(`"target_start":%q,"target_end":%q`, now().Format("2006-01-02"), now().AddDate(0, 1, 0).Format("2006-01-02"))
	triggers := map[string]func(){
		notification.ScanAdded:      func() {}, // the report above
		notification.ScanAddedEmpty: func() { o.report("/api/v2/reimport-scan/", again, "one") },
		notification.VerdictChanged: func() {
			o.critical("/api/v2/reimport-scan/", again, "one", "worse")
			o.json(201, "POST", "/api/v2/verdicts/", fmt.Sprintf(`{"engagement":%v}`, engagement)) // else it waits for more reports
		},
		notification.SLABreach: due, notification.SLABreachCombined: due,
		notification.RiskAcceptanceExpiry: func() {
			exec(`insert into risk_acceptances (engagement_id, name, owner_id, expiration_date) values ($1, 'R', 1, now() + interval '2 days')`, engagement)
			calendar()
		},
		notification.WaiverExpiring: func() {
			exec(`insert into waivers (product_id, name, state, document, requested_by_id, expires) values ($1, 'W-77', 'approved', '{}', (select max(id) from users), now() + interval '2 days')`, product)
			calendar()
		},
		notification.WaiverChanged: func() {
			o.json(201, "POST", "/api/v2/waivers/", fmt.Sprintf(`{"finding":%d,"reason":"we live with it","expires":%q}`, finding, now().AddDate(0, 0, 20).Format("2006-01-02T15:04:05Z07:00")))
		},
		notification.UserMentioned: func() {
			o.json(201, "POST", fmt.Sprintf("/api/v2/findings/%d/notes/", finding), `{"entry":"look here @root"}`)
		},
		notification.ReviewRequested: func() {
			o.json(200, "PATCH", fmt.Sprintf("/api/v2/findings/%d/", finding), fmt.Sprintf(`{"under_review":true,"reviewers":[%d]}`, o.root))
		},
		notification.ProductTypeAdded: func() { o.json(201, "POST", "/api/v2/product_types/", `{"name":"another"}`) },
		notification.ProductAdded: func() {
			o.json(201, "POST", "/api/v2/products/", `{"name":"another","description":"d","prod_type":1}`)
		},
		notification.EngagementAdded: func() {
			o.json(201, "POST", "/api/v2/engagements/", fmt.Sprintf(`{"name":"e","product":%v,%s}`, product, soon))
		},
		notification.TestAdded: func() {
			o.json(201, "POST", "/api/v2/tests/", fmt.Sprintf(`{"title":"t","engagement":%v,"test_type":1,"environment":1,%s}`, engagement, soon))
		},
		notification.UpcomingEngagement: func() {
			exec(`insert into engagements (product_id, name, target_start, target_end, created) values ($1, 'soon', current_date + 2, current_date + 30, now() - interval '9 days')`, product)
			calendar()
		},
		notification.StaleEngagement: func() {
			exec(`insert into engagements (product_id, name, target_start, target_end, status) values ($1, 'late', current_date - 30, current_date - 2, 'In Progress')`, product)
			calendar()
		},
		notification.CloseEngagement: func() {
			e := o.json(201, "POST", "/api/v2/engagements/", fmt.Sprintf(`{"name":"short","product":%v,%s}`, product, soon))
			o.json(200, "POST", fmt.Sprintf("/api/v2/engagements/%v/close/", e["id"]), `{}`)
		},
		notification.AutoCloseEngagement: func() {
			exec(`update system_settings set settings = settings || '{"engagement_auto_close":true}'`)
			exec(`insert into engagements (product_id, name, target_start, target_end, status) values ($1, 'long past', current_date - 90, current_date - 60, 'In Progress')`, product)
			if n, err := o.node.triage.EndEngagements(t.Context(), now()); err != nil || n != 1 {
				t.Fatalf("%d engagements end: %v", n, err)
			}
		},
		notification.JiraUpdate: func() {
			o.jira.AddField("Bug", jiratest.Field{ID: "customfield_10077", Name: "Root cause", Required: true})
			inst := o.instance()
			o.json(201, "POST", "/api/v2/jira_projects/", fmt.Sprintf(`{"jira_instance":%v,"product":%v,"project_key":"SEC"}`, inst["id"], product))
			o.json(200, "PATCH", fmt.Sprintf("/api/v2/findings/%d/", finding), `{"push_to_jira":true}`)
		},
		notification.Other: func() {
			p := o.json(201, "POST", "/api/v2/products/", `{"name":"short-lived","description":"d","prod_type":1}`)
			o.call(204, "DELETE", fmt.Sprintf("/api/v2/products/%v/", p["id"]), "", nil)
		},
	}
	names := map[string][]string{notification.CloseEngagement: {notification.EngagementClosed}, notification.Other: {"product_deleted"}}
	for _, e := range notification.Offered() {
		happen, ok := triggers[e.Name]
		if !ok {
			t.Errorf("people are offered %q, and nothing here makes it happen", e.Name)
			continue
		}
		happen()
		events := append([]string{e.Name}, names[e.Name]...)
		o.until(e.Name+" is told", `select exists (select from alerts where event = any($1))`, events)
		if last := events[len(events)-1]; notification.Column(last) != e.Name {
			t.Errorf("%s is chosen by %s", last, notification.Column(last))
		}
	}
	if n := len(notification.Events) - len(notification.Offered()); n != 1 {
		t.Errorf("%d events are not offered", n)
	}
	t.Logf("%d events offered, %d told", len(notification.Offered()), len(triggers))
}

// TestEndEngagements: those at work past their end and the days of grace close,
// with a history, once; and none while nobody wants that.
func TestEndEngagements(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	if _, err := o.pool.Exec(t.Context(), `
		insert into products (id, name, description, prod_type_id) values (1, 'shop', '', 1);
		insert into engagements (id, product_id, name, target_start, target_end, status, active) values
			(1, 1, 'past', '2026-01-01', '2026-11-10', 'In Progress', true), (2, 1, 'in grace', '2026-01-01', '2026-11-18', 'In Progress', true),
			(3, 1, 'on hold', '2026-01-01', '2026-11-10', 'On Hold', true), (4, 1, 'closed', '2026-01-01', '2026-11-10', 'In Progress', false)`); err != nil {
		t.Fatal(err)
	}
	day := gate.Date{Year: 2026, Month: 11, Day: 20}.Time()
	end := func(want int) {
		t.Helper()
		if n, err := o.node.triage.EndEngagements(t.Context(), day); err != nil || n != want {
			t.Fatalf("%d end, want %d: %v", n, want, err)
		}
	}
	end(0)
	set, err := o.node.store.NotifySettings(t.Context())
	if err != nil || set.AutoClose || set.AutoCloseDays != 3 {
		t.Fatalf("%+v, %v", set, err)
	}
	set.AutoClose = true
	if err := o.node.store.SetNotifySettings(t.Context(), set); err != nil {
		t.Fatal(err)
	}
	end(1)
	end(0)
	o.until("one is closed, and its history says so", `select not active and status = 'Completed' and (select count(*) = 1 from audit_events where action = 'auto_close' and object_id = 1) from engagements where id = 1`)
	o.until("the others are as they were", `select count(*) = 3 from engagements where id > 1 and (active or id = 4)`)
}
