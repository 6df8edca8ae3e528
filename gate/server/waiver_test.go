package server

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

// TestWontDo goes the whole way, with the real waivers: "Won't Do" in JIRA asks
// for one, who answers for the product refuses it, and the ticket is open again
// and says why. Asked for again and granted, it stays closed; taken back, it
// opens again.
func TestWontDo(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	inst := o.instance()
	hook := o.json(200, "POST", fmt.Sprintf("/api/v2/jira_instances/%v/webhook_secret/", inst["id"]), "")
	url, secret := fmt.Sprint(hook["webhook_url"]), fmt.Sprint(hook["webhook_secret"])
	first := o.report("/api/v2/import-scan/", map[string]string{"product_type_name": "T", "product_name": "shop", "engagement_name": "main", "auto_create_context": "true"}, "one", "two")
	o.json(201, "POST", "/api/v2/jira_projects/", fmt.Sprintf(`{"jira_instance":%v,"product":%v,"project_key":"SEC","push_all_issues":true}`, inst["id"], first["product_id"]))
	o.report("/api/v2/reimport-scan/", map[string]string{"test": fmt.Sprint(first["test_id"])}, "one", "two")
	o.until("two tickets", `select count(*) = 2 from jira_issues where state = 'linked' and due is null`)
	o.as("owner", "owner", first["product_id"]) // who may decide, and is not who asked
	const key = "SEC-1"
	said := func() (all string) {
		for _, i := range o.jira.Issues() {
			if i.Key == key {
				for _, c := range i.Comments {
					all += c.Body + "\n"
				}
			}
		}
		return all
	}
	isOpen := func(want bool) {
		t.Helper()
		for _, i := range o.jira.Issues() {
			if i.Key == key && i.Open() != want {
				t.Errorf("%s is %s", key, i.Status)
			}
		}
	}
	wontDo := func(n int) (id int64) {
		t.Helper()
		o.jira.Move(key, "Won't Do", "Won't Do")
		o.deliver(url, secret, key, http.StatusAccepted)
		o.until("a waiver is asked for", `select count(*) = $2 and (select count(*) = 1 from jira_issues where claim = 'wont_do' and due is null and jira_key = $1) from waivers where document ->> 'ticket' = $1`, key, n)
		if err := o.pool.QueryRow(t.Context(), `select waiver_id from jira_issues where jira_key = $1`, key).Scan(&id); err != nil {
			t.Fatal(err)
		}
		isOpen(false)
		return id
	}
	finding := func(active bool) {
		t.Helper()
		o.until("the finding is as it was", `select f.active = $2 and not f.risk_accepted from jira_issues j join findings f on f.id = j.finding_id where j.jira_key = $1`, key, active)
	}

	refused := wontDo(1)
	finding(true) // it counts until somebody waives it
	o.json(200, "POST", fmt.Sprintf("/api/v2/waivers/%d/reject/", refused), `{"reason":"we do fix this"}`)
	o.until("it is open again", `select claim = '' and waiver_id is null and not agreed_done and due is null from jira_issues where jira_key = $1`, key)
	isOpen(true)
	finding(true)
	if all := said(); !strings.Contains(all, "owner rejected W-") || !strings.Contains(all, "we do fix this") {
		t.Errorf("the ticket says %q", all)
	}

	granted := wontDo(2)
	if granted == refused {
		t.Error("nobody was asked again")
	}
	o.json(200, "POST", fmt.Sprintf("/api/v2/waivers/%d/approve/", granted), `{}`)
	o.until("it was looked at", `select count(*) = 1 from waivers w, jira_issues j where w.id = $2 and w.state = 'approved' and j.jira_key = $1 and j.due is null`, key, granted)
	isOpen(false)
	o.json(200, "POST", fmt.Sprintf("/api/v2/waivers/%d/revoke/", granted), `{"reason":"exploited in the wild"}`)
	o.until("it is open once more", `select claim = '' and not agreed_done and due is null from jira_issues where jira_key = $1`, key)
	isOpen(true)
	if all := said(); strings.Count(all, "does not hold") != 2 || !strings.Contains(all, "exploited in the wild") {
		t.Errorf("the ticket says %q", all)
	}
	o.until("the second ticket was left alone", `select count(*) = 1 from jira_issues where jira_key <> $1 and claim = '' and not agreed_done`, key)
}

// as makes a user with a role in a product, who makes the requests from now on.
func (o *office) as(name, role string, product any) {
	o.t.Helper()
	u, err := o.node.store.AddUser(o.t.Context(), store.Account{User: gate.User{Username: name, IsActive: true}})
	if err != nil {
		o.t.Fatal(err)
	}
	if _, err := o.pool.Exec(o.t.Context(), `insert into members (user_id, product_id, role) values ($1, $2, $3)`, u.ID, product, role); err != nil {
		o.t.Fatal(err)
	}
	if o.token, _, err = o.node.auth.AddToken(o.t.Context(), u, auth.NewToken{Name: "t", Scope: gate.ScopeAll}); err != nil {
		o.t.Fatal(err)
	}
}
