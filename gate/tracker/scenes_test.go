package tracker

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"defectdojo/gate"
	"defectdojo/gate/store"
	"defectdojo/integrations/jira/jiratest"
)

// A group of findings is one ticket, as bad as the worst of them, and done when
// all are; it is not opened from there.
func TestGroup(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4)
	w.exec(`insert into finding_groups (id, name, test_id, creator_id) values (1, 'log4j', 1, 901)`)
	w.exec(`insert into finding_group_members (finding_id, group_id) values (1, 1), (2, 1), (3, 1)`)
	w.exec(`update findings set severity = 1 where id in (1, 3)`)
	w.push(1, 2, 3, 4)
	w.settle()
	if got := len(w.jira.Issues()); got != 2 {
		t.Fatalf("%d issues, want one of the group and one of finding 4", got)
	}
	var key string
	if err := w.pool.QueryRow(t.Context(), `select jira_key from jira_issues where finding_group_id = 1`).Scan(&key); err != nil {
		t.Fatal(err)
	}
	i := w.issue(key)
	if p, _ := i.Fields["priority"].(map[string]any); i.Fields["summary"] != "log4j" || p["name"] != "High" || !strings.Contains(fmt.Sprint(i.Fields["description"]), "findings/3") {
		t.Errorf("group: %+v", i.Fields)
	}
	w.act("close", 2)
	w.settle()
	if p, _ := w.issue(key).Fields["priority"].(map[string]any); p["name"] != "Low" || !w.issue(key).Open() {
		t.Errorf("the worst is closed: %v", p)
	}
	w.act("close", 1)
	w.act("close", 3)
	w.settle()
	if w.issue(key).Open() {
		t.Error("all are closed, and the ticket is open")
	}
	w.jira.Move(key, "To Do", "")
	w.hear(key)
	w.settle()
	if w.issue(key).Open() || w.finding(1).Active || !strings.Contains(w.bodies(key), "closed in DefectDojo") {
		t.Errorf("opened there: %s", w.bodies(key))
	}
}

// An engagement's epic has its tickets below it.
func TestEpic(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.change(func(p *store.JIRAProject) { p.EpicMapping = true; p.PushAllIssues = true })
	w.scan("succeeded", false, 1)
	w.settle()
	w.hours(1)
	var epic jiratest.Issue
	for _, i := range w.jira.Issues() {
		if i.Type == "Epic" {
			epic = i
		}
	}
	if len(w.jira.Issues()) != 2 || epic.Fields["summary"] != "main" || epic.Fields["customfield_10011"] != "main" {
		t.Fatalf("issues: %+v", w.jira.Issues())
	}
	w.exec(`update findings set title = 'Finding 1, seen again'`)
	w.push(1)
	w.settle()
	parent, _ := w.issue(w.ticket(1).JIRAKey).Fields["parent"].(map[string]any)
	if parent["id"] != epic.ID {
		t.Errorf("parent: %v, the epic is %s", parent, epic.ID)
	}
	w.exec(`update engagements set active = false`)
	if err := w.PushEpic(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	w.settle()
	if w.issue(epic.Key).Open() {
		t.Error("the engagement is closed, its epic is open")
	}
}

// What the settings say is what the issue holds.
func TestContent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	labels, assignee := "security gate", "5b109f2e9729b51b54dc274d"
	w.change(func(p *store.JIRAProject) {
		p.JIRALabels, p.DefaultAssignee, p.Component, p.AddVulnerabilityIDLabel = &labels, &assignee, "api, web", true
		p.CustomFields = []byte(`{"customfield_10050":{"value":"red"}}`)
		p.SummaryTemplate = "[{{severity}}] {{title}} {{nothing}} {{.Env}} ${7*7}"
		p.DescriptionTemplate = "{{description}}\n{{?cwe}}CWE {{cwe}}\n{{link}}"
	})
	w.exec(`update findings set title = E'a\nb {{link}}', description = $1, vulnerability_ids = '{CVE-2021-44228}', tags = '{pci scope}'`,
		strings.Repeat("ü", 40_000)+" [~admin]")
	w.exec(`insert into locations (id, location_value, identity_hash) values (1, 'https://shop.example/', '\x01')`)
	w.exec(`insert into location_findings (location_id, finding_id) values (1, 1)`)
	w.exec(`insert into file_uploads (finding_id, title, filename, sha256, size) values (1, 'proof', '../../pro:of.png', '\x0102030405', 5)`)
	w.File = func(context.Context, []byte) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader("12345")), nil
	}
	w.act("look here", 1)
	w.push(1)
	w.settle()
	w.hours(2)
	i := w.issue("SEC-1")
	f := i.Fields
	if got := f["summary"]; got != "[High] a b {{link}} {{nothing}} {{.Env}} ${7*7}" {
		t.Errorf("summary: %q", got)
	}
	description, _ := f["description"].(string)
	if n := utf8.RuneCountInString(description); n > 32767 || n < 32000 || !strings.HasSuffix(description, "the whole of it is at https://gate.example/findings/1") || strings.Contains(description, "CWE") {
		t.Errorf("description of %d characters ends %q", n, description[len(description)-100:])
	}
	for _, want := range []string{"security", "gate", "Web_Shop", "CVE-2021-44228", "pci-scope"} {
		if !slices.Contains(i.Labels(), want) {
			t.Errorf("labels: %v lack %s", i.Labels(), want)
		}
	}
	who, _ := f["assignee"].(map[string]any)
	if who["accountId"] != assignee || f["duedate"] != "2026-12-20" || f["environment"] != "https://shop.example/" || fmt.Sprint(f["components"]) != "[map[name:api] map[name:web]]" || fmt.Sprint(f["customfield_10050"]) != "map[value:red]" {
		delete(f, "description")
		t.Errorf("fields: %v", f)
	}
	if !slices.Equal(i.Attachments, []string{"pro_of-01020304.png"}) {
		t.Errorf("attachments: %q", i.Attachments)
	}
	if !strings.Contains(w.bodies("SEC-1"), "(jane): look here") {
		t.Errorf("comments: %s", w.bodies("SEC-1"))
	}
	w.jira.Fault = nil
	w.exec(`update findings set severity = 4`)
	w.push(1)
	w.settle()
	if p, _ := w.issue("SEC-1").Fields["priority"].(map[string]any); p["name"] != "High" {
		t.Errorf("the priority that people may have changed is overwritten: %v", p)
	}
}

// Required fields that nobody gives are told, and nothing is asked of JIRA;
// given, the ticket is made.
func TestRequiredFields(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.jira.AddField("Bug", jiratest.Field{ID: "customfield_10077", Name: "Root cause", Required: true})
	w.push(1)
	w.settle()
	if k := w.ticket(1); k.State != store.TicketFailed || !strings.Contains(k.Error, "Root cause (customfield_10077)") || len(w.jira.Calls("POST", "/issue")) != 0 {
		t.Fatalf("ticket: %s %s", k.State, k.Error)
	}
	w.hours(3)
	if n := w.tellings(gate.TicketRefused); n != 1 {
		t.Errorf("that JIRA does not take it is told %d times in three hours", n)
	}
	w.change(func(p *store.JIRAProject) { p.CustomFields = []byte(`{"customfield_10077":"unknown"}`) })
	w.hours(1)
	if k := w.ticket(1); k.State != store.TicketLinked || k.Error != "" {
		t.Errorf("ticket: %s %s", k.State, k.Error)
	}
}

// Six hours of outage: the queue grows, JIRA is left alone, nothing is lost,
// and then each finding has its one ticket.
func TestOutage(t *testing.T) {
	t.Parallel()
	for _, fault := range []jiratest.Fault{jiratest.Unavailable, jiratest.ResetBefore, jiratest.Unauthorized} {
		t.Run(strings.ReplaceAll(string(fault), " ", "_"), func(t *testing.T) {
			t.Parallel()
			const findings = 30
			w := newWorld(t, findings)
			w.push(1, 2, 3)
			w.settle()
			w.jira.Fault = func(jiratest.Call) jiratest.Fault { return fault }
			before := len(w.jira.Calls("", ""))
			all := make([]int64, findings)
			for i := range all {
				all[i] = int64(i + 1)
			}
			w.push(all...)
			w.act("close", 2)
			w.act("to be told", 3)
			w.hours(6)
			calls := len(w.jira.Calls("", "")) - before
			queues, err := w.Store.TicketQueues(t.Context())
			if err != nil || len(queues) != 1 || queues[0].Due != findings {
				t.Errorf("waiting: %+v, %v", queues, err)
			}
			health, err := w.Store.Channels(t.Context())
			if err != nil || len(health) != 1 || health[0].Failures < 5 || health[0].LastError == "" {
				t.Errorf("health: %+v, %v", health, err)
			}
			if calls > 6*60 {
				t.Errorf("in six hours JIRA was asked %d times", calls)
			}
			if n := w.tellings(gate.TicketOutage); n == 0 {
				t.Error("the outage is told nobody")
			}
			w.jira.Fault = nil
			w.hours(4)
			open := slices.DeleteFunc(slices.Clone(all), func(id int64) bool { return id == 2 })
			w.checkOneEach(open)
			if w.issue(w.ticket(2).JIRAKey).Open() || !strings.Contains(w.bodies(w.ticket(3).JIRAKey), "to be told") || len(w.jira.Issues()) != findings {
				t.Errorf("after the outage: %d issues", len(w.jira.Issues()))
			}
			t.Logf("%d findings, 6 h of %s: %d requests, nothing lost", findings, fault, calls)
		})
	}
}

// What a plan says is what then happens, and making it changes nothing.
func TestPlan(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4)
	w.exec(`update findings set severity = 0 where id = 4`)
	w.push(1, 2)
	w.settle()
	w.jira.Move("SEC-1", "Done", "Done")
	w.exec(`update findings set active = false, is_mitigated = true where id = 2`)
	writes := func() int { return len(w.jira.Calls("POST", "")) + len(w.jira.Calls("PUT", "")) }
	before := writes()
	plan, err := w.Plan(t.Context(), w.proj, true)
	if err != nil || !plan.Live || writes() != before || w.ticket(1).Claim != "" {
		t.Fatalf("plan: %+v, %v", plan, err)
	}
	var got []string
	for _, p := range plan.Tickets {
		line := p.Title + ":"
		for _, s := range p.Steps {
			line += " " + s.Do
		}
		got = append(got, line+" "+p.Why)
	}
	if want := []string{"Finding 1: claim ", "Finding 2: close ", "Finding 3: create ", "Finding 4: Info is below Low"}; !slices.Equal(got, want) {
		t.Errorf("plan: %q", got)
	}
	w.push(1, 2, 3, 4)
	w.settle()
	if k := w.ticket(1); k.Claim != "claimed_fixed" || w.issue("SEC-2").Open() || w.ticket(3).State != store.TicketLinked || len(w.jira.Issues()) != 3 {
		t.Errorf("done: %+v", k)
	}
	if plan, err = w.Plan(t.Context(), w.proj, false); err != nil || plan.Changes != 0 {
		t.Errorf("a plan after it: %+v, %v", plan, err)
	}
}

// What another node holds is not touched, and an older lessee changes nothing.
func TestLease(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.push(1)
	now := w.clock()
	old, ok, err := w.Store.LeaseTicket(t.Context(), w.inst.ID, now, now.Add(time.Minute))
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if _, ok, _ := w.Store.LeaseTicket(t.Context(), w.inst.ID, now, now.Add(time.Minute)); ok {
		t.Fatal("two nodes are at one ticket")
	}
	later := now.Add(2 * time.Minute)
	if _, ok, err := w.Store.LeaseTicket(t.Context(), w.inst.ID, later, later.Add(time.Minute)); err != nil || !ok {
		t.Fatal("a dead node holds it for ever", err)
	}
	old.State = store.TicketFailed
	if err := w.Store.SaveTicket(t.Context(), old); gate.KindOf(err) != gate.Conflict {
		t.Errorf("the older lessee saves: %v", err)
	}
}
