package notification_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/notification"
	"defectdojo/gate/store"
	"defectdojo/integrations/integrationtest"
)

const site = "https://gate.example.org"

// object is one as a body of a webhook names it.
func object(kind, page string, id int, more ...string) map[string]any {
	o := map[string]any{"id": float64(id), "url_ui": site + page, "url_api": fmt.Sprintf("%s/api/v2/%s/%d/", site, kind, id)}
	for i := 0; i < len(more); i += 2 {
		o[more[i]] = more[i+1]
	}
	return o
}

// TestWebhookEvents: each event has the body and the headers that DefectDojo's
// receivers know: what it is about, from the product type down to itself.
func TestWebhookEvents(t *testing.T) {
	t.Parallel()
	h, f := newHouse(t), integrationtest.New(t, nil, "")
	f.Handle("POST /hook", func(http.ResponseWriter, *http.Request) {})
	h.hook("system", f.URL+"/hook", nil)
	for _, e := range notification.Events {
		h.prefer(0, e.Name, "webhooks")
	}
	h.exec(`insert into system_settings (settings) select '{}' where not exists (select from system_settings)`)
	h.exec(`update system_settings set settings = settings || '{"disclaimer_notifications":"For employees only."}'`)
	h.exec(`update findings set reviewers = '{2}' where id = 5`)
	typ := object("product_types", "/products?type=1", 1, "name", get[string](h, `select name from product_types where id = 1`))
	product := object("products", "/products/1", 1, "name", "shop")
	engagement := object("engagements", "/findings?engagement=1", 1, "name", "main")
	test := object("tests", "/findings?test=1", 1, "title", get[string](h, `select name from test_types where id = (select min(id) from test_types)`))
	finding := object("findings", "/findings/5", 5, "title", "Finding <5> & more", "severity", get[string](h, `select (array['Info','Low','Medium','High','Critical'])[severity + 1] from findings where id = 5`))
	person := func(id int, name string) map[string]any {
		return object("users", fmt.Sprint("/users/", id), id, "username", name, "email", name+"@example.org", "first_name", "", "last_name", "")
	}
	of := func(list ...string) map[string]any { // the parts of a body, by name
		out := map[string]any{"user": nil, "disclaimer": "For employees only."}
		for _, name := range list {
			out[name] = map[string]any{"product_type": typ, "product": product, "engagement": engagement, "test": test, "finding": finding}[name]
		}
		return out
	}
	with := func(body map[string]any, more ...string) map[string]any {
		for i := 0; i < len(more); i += 2 {
			body[more[i]] = more[i+1]
		}
		return body
	}
	at := gate.Event{At: begin, ProductTypeID: 1, ProductID: 1, EngagementID: 1, TestID: 1, ActorID: 1, FindingIDs: []int64{5}}
	did := func(kind gate.EventKind, action, title string) gate.Event {
		e := at
		e.Kind, e.Action, e.Title = kind, action, title
		return e
	}
	review := with(of("finding"), "title", "Review requested: Finding <5> & more", "description", "ada: asks you to look at Finding <5> & more", "url_ui", site+"/findings/5", "url_api", site+"/api/v2/findings/5/")
	review["requested_by"], review["reviewers"] = person(1, "ada"), []any{person(2, "mika")}
	review["user"] = person(2, "mika")
	typeAdded := did(gate.EventCreated, "product_type", "")
	typeAdded.ProductID, typeAdded.EngagementID, typeAdded.TestID = 0, 0, 0
	typeGone := did(gate.EventDeleted, "product_type", "Old")
	typeGone.ProductTypeID, typeGone.ProductID, typeGone.EngagementID, typeGone.TestID = 0, 0, 0, 0
	productGone := did(gate.EventDeleted, "product", "old shop")
	productGone.ProductID, productGone.EngagementID, productGone.TestID = 0, 0, 0
	mika := int64(2)
	h.hook("mika's", f.URL+"/hook", &mika)
	h.prefer(2, notification.ReviewRequested, "webhooks")
	for _, tt := range []struct {
		event string
		e     gate.Event
		want  map[string]any
	}{
		{"product_type_added", typeAdded, with(of("product_type"), "title", typ["name"].(string), "description", "The product type "+typ["name"].(string)+" was added", "url_ui", site+"/products?type=1", "url_api", site+"/api/v2/product_types/1/")},
		{"product_added", did(gate.EventCreated, "product", ""), with(of("product_type", "product"), "title", "shop", "description", "The product shop was added", "url_ui", site+"/products/1", "url_api", site+"/api/v2/products/1/")},
		{"engagement_added", did(gate.EventCreated, "engagement", ""), with(of("product_type", "product", "engagement"), "title", "Engagement created for shop: main", "description", "The engagement main was added to shop", "url_ui", site+"/findings?engagement=1", "url_api", site+"/api/v2/engagements/1/")},
		{"test_added", did(gate.EventCreated, "test", ""), with(of("product_type", "product", "engagement", "test"), "title", "Test created for shop: main: "+test["title"].(string), "description", "The test "+test["title"].(string)+" was added to main", "url_ui", site+"/findings?test=1", "url_api", site+"/api/v2/tests/1/")},
		{"finding_added", did(gate.EventTriage, "add", ""), with(of(), "title", "Finding added: Finding <5> & more", "description", "ada: Finding added: Finding <5> & more", "url_ui", site+"/findings/5", "url_api", site+"/api/v2/findings/5/")},
		{"finding_closed", did(gate.EventTriage, "close", ""), with(of(), "title", "Finding closed: Finding <5> & more", "description", "ada: Finding closed: Finding <5> & more", "url_ui", site+"/findings/5", "url_api", site+"/api/v2/findings/5/")},
		{"finding_reopened", did(gate.EventTriage, "reopen", ""), with(of(), "title", "Finding reopened: Finding <5> & more", "description", "ada: Finding reopened: Finding <5> & more", "url_ui", site+"/findings/5", "url_api", site+"/api/v2/findings/5/")},
		{"finding_deleted", did(gate.EventDeleted, "finding", "Old one"), with(of(), "title", "Deletion of Old one", "description", "ada: The finding Old one of shop was deleted", "url_ui", site+"/findings?product=1")},
		{"test_deleted", did(gate.EventDeleted, "test", "nightly"), with(of(), "title", "Deletion of nightly", "description", "ada: The test nightly of shop was deleted", "url_ui", site+"/products/1")},
		{"engagement_deleted", did(gate.EventDeleted, "engagement", "main"), with(of(), "title", "Deletion of main", "description", "ada: The engagement main of shop was deleted", "url_ui", site+"/products/1")},
		{"product_deleted", productGone, with(of(), "title", "Deletion of old shop", "description", "ada: The product old shop was deleted", "url_ui", site+"/products")},
		{"product_type_deleted", typeGone, with(of(), "title", "Deletion of Old", "description", "ada: The product type Old was deleted", "url_ui", site+"/products")},
		{"engagement_closed", did(gate.EventEngagement, "closed", ""), with(of(), "title", "Engagement closed: main", "description", "ada: The engagement main of shop was closed", "url_ui", site+"/findings?engagement=1")},
		{"engagement_reopened", did(gate.EventEngagement, "reopened", ""), with(of(), "title", "Engagement reopened: main", "description", "ada: The engagement main of shop was reopened", "url_ui", site+"/findings?engagement=1")},
		{"auto_close_engagement", did(gate.EventEngagement, "auto_closed", ""), with(of(), "title", "Engagement closed by itself: main", "description", "The engagement main of shop was past its end, and has been closed", "url_ui", site+"/findings?engagement=1")},
		{"review_requested", did(gate.EventTriage, "request_review", ""), review},
	} {
		before := len(f.Requests())
		h.tell(tt.e)
		h.drain()
		sent := f.Requests()[before:]
		if len(sent) != 1 {
			t.Errorf("%s: %d requests", tt.event, len(sent))
			continue
		}
		r := sent[0]
		for name, want := range map[string]string{
			"User-Agent": "DefectDojo-test", "X-DefectDojo-Event": tt.event, "X-DefectDojo-Instance": site, "Accept": "application/json", "Content-Type": "application/json", "X-Key": "hunter2header",
		} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", tt.event, name, got, want)
			}
		}
		var body map[string]any
		if err := json.Unmarshal(r.Body, &body); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, body); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.event, diff)
		}
	}
}

// TestJIRATrouble: what JIRA does not take is told once for each time, an outage
// once, and neither when it is over by the time that somebody would be told.
func TestJIRATrouble(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	conn := h.connect("jira", "jira", notification.Settings{}, nil)
	h.exec(`insert into jira_instances (id, url, connection_id) values (1, 'https://jira.example.org', $1)`, conn)
	h.exec(`insert into jira_projects (id, jira_instance_id, product_id, project_key) values (1, 1, 1, 'SEC')`)
	h.exec(`insert into jira_issues (id, jira_project_id, finding_id, state, error, due) values (1, 1, 5, 'failed', 'it needs a root cause', now()), (2, 1, 6, 'linked', '', now())`)
	told := func() (n int) { return get[int](h, `select count(*)::int from alerts where event = 'jira_update'`) }
	refused := gate.Event{Kind: gate.EventTicket, Action: gate.TicketRefused, ProductID: 1, EngagementID: 1, TestID: 1, TicketID: 1, ConnectionID: conn}
	h.tell(refused)
	h.tell(refused) // the same job once more
	first := told()
	if first == 0 || get[int](h, `select count(*)::int from alerts where title = 'JIRA does not take the ticket of Finding <5> & more' and description = 'it needs a root cause' and url = '/findings/5'`) != first {
		t.Errorf("%d alerts", first)
	}
	well := refused
	well.TicketID = 2
	h.tell(well)
	outage := gate.Event{Kind: gate.EventTicket, Action: gate.TicketOutage, ConnectionID: conn}
	h.tell(outage) // it answers again by now
	if told() != first {
		t.Error("what is over is told")
	}
	if err := pgx.BeginFunc(t.Context(), h.pool, func(tx pgx.Tx) error {
		for range 6 {
			if err := store.In(tx).ChannelFailed(t.Context(), "jira", 1, "502 Bad Gateway", h.clock()); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		h.tell(outage)
		h.pass(20 * 60e9)
	}
	if n := get[int](h, `select count(distinct title)::int from alerts where title = 'JIRA does not answer: https://jira.example.org' and description like '%2 tickets wait%502 Bad Gateway'`); n != 1 || told() != first+2 { // the system's and the administrator's
		t.Errorf("an outage is told %d times", told()-first)
	}
}
