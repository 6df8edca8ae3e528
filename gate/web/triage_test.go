package web

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"defectdojo/gate"
	"defectdojo/gate/store"
)

func (b *browser) finding(id int64) gate.Finding {
	b.t.Helper()
	f, err := store.New(b.db).Finding(b.t.Context(), gate.Scope{All: true}, id)
	if err != nil {
		b.t.Fatal(err)
	}
	return f
}

func TestTriage(t *testing.T) {
	t.Parallel()
	b := shop(t).login(t, "mika") // writer of product 1, reader of product 2
	tests := []struct {
		action, note string
		text         string
		want         string // the finding's status after it
	}{
		{"verify", "", "1 finding verified.", "Active, Verified"},
		{"verify", "", "Nothing was changed", "Active, Verified"},
		{"false-positive", "", "Say why", "Active, Verified"},
		{"false-positive", "it is a test", "1 finding dismissed as false positive.", "Inactive, Mitigated, False Positive"},
		{"close", "", "Nothing was changed", "Inactive, Mitigated, False Positive"},
		{"reopen", "", "1 finding reopened.", "Active"},
		{"accept", "we live with it", "1 finding accepted.", "Inactive, Risk Accepted"},
		{"reopen", "", "1 finding reopened.", "Active"},
		{"out-of-scope", "not ours", "1 finding put out of scope.", "Inactive, Mitigated, Out Of Scope"},
		{"reopen", "", "1 finding reopened.", "Active"},
		{"close", "", "1 finding closed.", "Inactive, Mitigated"},
	}
	for _, tt := range tests {
		r := b.post("/findings/10/triage", url.Values{"action": {tt.action}, "note": {tt.note}})
		if r.code != http.StatusSeeOther || r.header.Get("Location") != "/findings/10" {
			t.Fatalf("%s: %d to %q\n%s", tt.action, r.code, r.header.Get("Location"), r.body)
		}
		page := b.get("/findings/10").body
		if !strings.Contains(page, tt.text) {
			t.Errorf("%s: the page does not say %q", tt.action, tt.text)
		}
		if got := b.finding(10).Status(); got != tt.want {
			t.Errorf("%s: the finding is %q, want %q", tt.action, got, tt.want)
		}
		if tt.note != "" && !strings.Contains(page, tt.note) {
			t.Errorf("%s: the note is not on the page", tt.action)
		}
	}
	history := b.get("/findings/10").body
	for _, want := range []string{"Closed", "Reopened", "Put out of scope", "mika"} {
		if !strings.Contains(history, want) {
			t.Errorf("the history does not say %q", want)
		}
	}
}

func TestTriage_is_for_those_who_may(t *testing.T) {
	t.Parallel()
	s := shop(t)
	mika, noor := s.login(t, "mika"), s.login(t, "noor")
	tests := []struct {
		name    string
		who     *browser
		address string
		form    url.Values
		code    int
	}{
		{"reader_of_the_product", mika, "/findings/4/triage", url.Values{"action": {"close"}}, http.StatusForbidden},
		{"foreign", mika, "/findings/3/triage", url.Values{"action": {"close"}}, http.StatusNotFound},
		{"absent", mika, "/findings/4711/triage", url.Values{"action": {"close"}}, http.StatusNotFound},
		{"unknown_action", mika, "/findings/1/triage", url.Values{"action": {"delete"}}, http.StatusBadRequest},
		{"reader_alone", noor, "/findings/9/triage", url.Values{"action": {"close"}}, http.StatusForbidden},
		{"note_on_foreign", noor, "/findings/1/notes", url.Values{"note": {"x"}}, http.StatusNotFound},
		{"note_of_a_reader", noor, "/findings/9/notes", url.Values{"note": {"a reader's note"}}, http.StatusSeeOther},
		{"to_nobody_known", mika, "/findings/1/triage", url.Values{"action": {"assign"}, "assignee": {"4711"}}, http.StatusBadRequest},
	}
	for _, tt := range tests {
		if r := tt.who.post(tt.address, tt.form); r.code != tt.code {
			t.Errorf("%s: POST %s = %d, want %d", tt.name, tt.address, r.code, tt.code)
		}
	}
	for _, id := range []int64{3, 4, 9} {
		if f := mika.finding(id); !f.Active {
			t.Errorf("finding %d was closed", id)
		}
	}
	if strings.Contains(noor.get("/findings/9").body, `action="/findings/9/triage"`) || !strings.Contains(noor.get("/findings/9").body, "a reader&#39;s note") {
		t.Error("a reader sees the buttons, or not their own note")
	}
	mika.post("/findings/bulk/apply", url.Values{"action": {"close"}, "id": {"3,4,9,10"}})
	if mika.finding(10).Active || !mika.finding(3).Active || !mika.finding(4).Active || !mika.finding(9).Active {
		t.Error("a bulk action changes what its sender may not, or not what they may")
	}
}

func TestBulk(t *testing.T) {
	t.Parallel()
	b := shop(t).login(t, "ada")
	r := b.post("/findings/bulk", url.Values{"action": {"accept"}, "id": {"1", "2", "3", "103"}, "query": {"severity=critical"}})
	for _, want := range []string{"Accept the risk of 2 findings?", "Nothing has been changed yet", "in a product that does not allow simple risk acceptance", "not open", `name="id" value="2,1"`, `href="/findings?severity=critical"`} {
		if !strings.Contains(r.body, want) {
			t.Errorf("the preview does not say %q", want)
		}
	}
	checkPage(t, "/findings/bulk", r)
	if !b.finding(1).Active {
		t.Fatal("the preview changes something")
	}
	if r := b.post("/findings/bulk/apply", url.Values{"action": {"accept"}, "id": {"1,2"}}); r.code != http.StatusBadRequest || !strings.Contains(r.body, "Say why") || !b.finding(1).Active {
		t.Errorf("without a reason: %d", r.code)
	}
	r = b.post("/findings/bulk/apply", url.Values{"action": {"accept"}, "id": {"1,2"}, "note": {"until the move"}, "query": {"severity=critical"}})
	if r.code != http.StatusSeeOther || r.header.Get("Location") != "/findings?severity=critical" || b.finding(1).Status() != "Inactive, Verified, Risk Accepted" {
		t.Fatalf("applied: %d to %q, the finding is %s", r.code, r.header.Get("Location"), b.finding(1).Status())
	}
	page := b.get("/findings?severity=critical").body
	request := regexp.MustCompile(`name="request" value="([^"]+)"`).FindStringSubmatch(page)
	if !strings.Contains(page, "2 findings accepted.") || request == nil || !strings.Contains(page, `name="back" value="/findings?severity=critical"`) {
		t.Fatalf("the list does not say what was done, or how to undo it")
	}
	if r := b.post("/findings/undo", url.Values{"request": {request[1]}, "back": {"/findings?severity=critical"}}); r.code != http.StatusSeeOther || b.finding(1).Status() != "Active, Verified" {
		t.Errorf("undo: %d, the finding is %s", r.code, b.finding(1).Status())
	}
	if page := b.get("/findings").body; !strings.Contains(page, "2 findings are as before.") {
		t.Error("the page does not say that it was undone")
	}
}

func TestBulk_of_all_that_match(t *testing.T) {
	t.Parallel()
	b := shop(t).login(t, "ada")
	r := b.post("/findings/bulk", url.Values{"action": {"assign"}, "all": {"1"}, "id": {"1"}, "query": {"product=payments-*&severity=high"}})
	if !strings.Contains(r.body, "Assign 4 findings?") {
		t.Errorf("the preview of all says\n%s", regexp.MustCompile(`<h1>.*</h1>`).FindString(r.body))
	}
	ids := regexp.MustCompile(`name="id" value="([^"]+)"`).FindStringSubmatch(r.body)
	b.post("/findings/bulk/apply", url.Values{"action": {"assign"}, "assignee": {"2"}, "id": {ids[1]}})
	if page := b.get("/findings?assigned=2&severity=high").body; !strings.Contains(page, "4 open match") || !strings.Contains(page, "Assigned to mika") {
		t.Error("the findings are not mika's")
	}
	if r := b.post("/findings/bulk", url.Values{"action": {"close"}}); !strings.Contains(r.body, "Nothing would change") {
		t.Error("none selected is not told")
	}
}
