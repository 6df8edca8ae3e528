package tracker

import (
	"slices"
	"strings"
	"testing"

	"defectdojo/gate/store"
)

func TestPush(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.exec(`update findings set severity = 0 where id = 2; update findings set active = false, duplicate = true, duplicate_finding_id = 1 where id = 3`)
	w.push(1, 2, 3)
	w.settle()
	issues := w.jira.Issues()
	if len(issues) != 1 {
		t.Fatalf("%d issues, want that of finding 1 alone", len(issues))
	}
	k := w.ticket(1)
	if k.State != store.TicketLinked || k.JIRAKey != "SEC-1" || k.Due != nil || k.LeasedUntil != nil || k.Error != "" {
		t.Errorf("ticket: %+v", k)
	}
	i := issues[0]
	if i.Fields["summary"] != "Finding 1" || !slices.Contains(i.Labels(), "gate-"+k.IntentID) || !strings.Contains(i.Fields["description"].(string), "https://gate.example/findings/1") {
		t.Errorf("issue: %+v", i.Fields)
	}
	if p, _ := i.Fields["priority"].(map[string]any); p["name"] != "High" {
		t.Errorf("priority: %v", i.Fields["priority"])
	}
	before := len(w.jira.Calls("", ""))
	w.push(1)
	w.settle()
	if writes := len(w.jira.Calls("POST", "")) + len(w.jira.Calls("PUT", "")); writes != 1 {
		t.Errorf("%d writes, of which one makes the issue; %d requests for a push of nothing", writes, len(w.jira.Calls("", ""))-before)
	}
}
