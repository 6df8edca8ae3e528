package tracker

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/store"
)

// closed makes a world in which finding 1 has a ticket, which people have closed.
func closed(t *testing.T, resolution string) *world {
	t.Helper()
	w := newWorld(t, 2)
	w.push(1)
	w.settle()
	w.jira.Move("SEC-1", "Done", resolution)
	w.hear("SEC-1")
	w.settle()
	return w
}

func (w *world) bodies(key string) string {
	var all []string
	for _, c := range w.issue(key).Comments {
		all = append(all, c.Body)
	}
	return strings.Join(all, "\n")
}

// Who closes a ticket claims that it is fixed; the next whole scan decides.
func TestClaimIsConfirmed(t *testing.T) {
	t.Parallel()
	w := closed(t, "Done")
	if k := w.ticket(1); k.Claim != "claimed_fixed" || !k.AgreedDone || !w.finding(1).Active {
		t.Fatalf("ticket %+v; the finding is active: %v", k, w.finding(1).Active)
	}
	for _, outcome := range []string{"failed", "partial"} {
		w.scan(outcome, false, 2)
		w.settle()
	}
	w.scan("", false) // nothing found, and it does not say that it succeeded
	w.settle()
	if k := w.ticket(1); k.Claim != "claimed_fixed" || !w.finding(1).Active {
		t.Fatalf("half a scan confirmed it: %+v", k)
	}
	w.scan("succeeded", false, 2)
	w.settle()
	w.hours(2)
	f, k := w.finding(1), w.ticket(1)
	if f.Active || !f.IsMitigated || k.Claim != "" || w.issue("SEC-1").Open() {
		t.Errorf("confirmed: active %v, mitigated %v, ticket %+v", f.Active, f.IsMitigated, k)
	}
	if c := w.bodies("SEC-1"); !strings.Contains(c, "Confirmed") || strings.Count(c, "(DefectDojo ") != 1 {
		t.Errorf("comments: %s", c)
	}
}

func TestClaimIsRefuted(t *testing.T) {
	t.Parallel()
	w := closed(t, "Done")
	w.scan("succeeded", false, 1, 2)
	w.settle()
	k := w.ticket(1)
	if i := w.issue("SEC-1"); !i.Open() || k.Claim != "" || k.AgreedDone || !w.finding(1).Active {
		t.Errorf("refuted: %s, %+v", i.Status, k)
	}
	if c := w.bodies("SEC-1"); !strings.Contains(c, "Still there: the scan of 2026-11-22") {
		t.Errorf("comments: %s", c)
	}
	w.jira.Move("SEC-1", "Done", "Done") // and again
	w.pass(time.Second)
	w.hear("SEC-1")
	w.settle()
	if k := w.ticket(1); k.Claim != "claimed_fixed" {
		t.Errorf("a second claim: %+v", k)
	}
	w.jira.Move("SEC-1", "To Do", "")
	w.hear("SEC-1")
	w.settle()
	if k := w.ticket(1); k.Claim != "" || !w.issue("SEC-1").Open() {
		t.Errorf("withdrawn: %+v", k)
	}
}

// "Won't do" asks for a waiver; refused, the ticket opens again.
func TestWontDo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	var asked []WaiverRequest
	refused := ""
	w.RequestWaiver = func(_ context.Context, r WaiverRequest) (int64, error) { asked = append(asked, r); return 77, nil }
	w.WaiverRefused = func(context.Context, int64) (string, error) { return refused, nil }
	w.push(1)
	w.settle()
	w.jira.Move("SEC-1", "Won't Do", "Won't Do")
	w.hear("SEC-1")
	w.settle()
	w.hear("SEC-1")
	w.settle()
	k := w.ticket(1)
	if len(asked) != 1 || k.Claim != "wont_do" || k.WaiverID == nil || *k.WaiverID != 77 || !w.finding(1).Active || asked[0].Reason != "JIRA: SEC-1 is Won't Do (Won't Do)" {
		t.Fatalf("asked %+v; ticket %+v", asked, k)
	}
	w.scan("succeeded", false, 1, 2)
	w.settle()
	if w.issue("SEC-1").Open() {
		t.Fatal("a scan opened what waits for a waiver")
	}
	refused = "jane refused it"
	at, err := w.Store.WantWaived(t.Context(), 77, w.clock())
	if err != nil || len(at) != 1 {
		t.Fatal(at, err)
	}
	w.hours(1)
	if k := w.ticket(1); !w.issue("SEC-1").Open() || k.Claim != "" || k.WaiverID != nil {
		t.Errorf("refused: %+v", k)
	}
}

// DefectDojo's own rules: a resolution accepts the risk, or says that it is
// none, and any other closes the finding.
func TestDefectDojoMapping(t *testing.T) {
	t.Parallel()
	for resolution, want := range map[string]string{"Accepted": "risk accepted", "False": "false positive", "Done": "mitigated", "accepted": "mitigated"} {
		t.Run(resolution, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 1)
			accepted, fp := "Accepted, Known", "False"
			w.changeInstance(func(i *store.JIRAInstance) {
				i.Inbound, i.AcceptedMappingResolution, i.FalsePositiveMappingResolution = "defectdojo", &accepted, &fp
			})
			w.push(1)
			w.settle()
			w.jira.Move("SEC-1", "Done", resolution)
			w.hear("SEC-1")
			w.settle()
			f := w.finding(1)
			got := map[[3]bool]string{{true, false, false}: "risk accepted", {false, true, true}: "false positive", {false, false, true}: "mitigated"}[[3]bool{f.RiskAccepted, f.FalseP, f.IsMitigated}]
			if got != want || f.Active {
				t.Errorf("the finding is %s, want %s", f.Status(), want)
			}
			w.jira.Move("SEC-1", "In Progress", "")
			w.hear("SEC-1")
			w.settle()
			if !w.finding(1).Active || !w.issue("SEC-1").Open() {
				t.Errorf("opened there: the finding is %s", w.finding(1).Status())
			}
			if k := w.ticket(1); k.AgreedDone {
				t.Errorf("ticket %+v", k)
			}
		})
	}
}

// Status and comments go both ways, each once.
func TestBothWays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.push(1)
	w.settle()
	w.act("close", 1)
	w.settle()
	if w.issue("SEC-1").Open() {
		t.Error("closed here, open there")
	}
	w.act("reopen", 1)
	w.settle()
	if !w.issue("SEC-1").Open() {
		t.Error("opened here, closed there")
	}
	w.act("seen in production", 1)
	w.jira.Say("SEC-1", "bob", "on it")
	for range 3 {
		w.hear("SEC-1")
		w.settle()
		w.hours(1)
	}
	if got := w.notes(1); !slices.Equal(got, []string{"seen in production", "(bob there): on it"}) {
		t.Errorf("notes: %q", got)
	}
	if c := w.issue("SEC-1").Comments; len(c) != 2 || !strings.HasPrefix(c[1].Body, "(jane): seen in production") && !strings.HasPrefix(c[0].Body, "(jane): seen in production") {
		t.Errorf("comments: %+v", c)
	}
	if n := w.tellings(gate.TicketCommented); n != 1 {
		t.Errorf("bob's one comment is told %d times", n)
	}
	w.act("false positive", 1)
	w.settle()
	w.jira.Move("SEC-1", "To Do", "")
	w.hear("SEC-1")
	w.settle()
	if w.issue("SEC-1").Open() || w.finding(1).Active || !strings.Contains(w.bodies("SEC-1"), "closed in DefectDojo (Inactive, Mitigated, False Positive)") {
		t.Errorf("a false positive opened there: %s, %q", w.issue("SEC-1").Status, w.bodies("SEC-1"))
	}
}

// What JIRA has no more is not made again until somebody asks.
func TestDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	w.push(1, 2)
	w.settle()
	w.jira.Remove("SEC-1")
	w.hours(8)
	if k := w.ticket(1); k.State != store.TicketGone || len(w.jira.Issues()) != 1 {
		t.Errorf("deleted there: %+v", k)
	}
	w.scan("succeeded", true, 1, 2)
	w.settle()
	if len(w.jira.Issues()) != 1 {
		t.Error("a scan made it again")
	}
	w.push(1)
	w.settle()
	if k := w.ticket(1); k.State != store.TicketLinked || len(w.jira.Issues()) != 2 {
		t.Errorf("asked for again: %+v", k)
	}
	w.exec(`delete from findings where id = 2`)
	w.hours(8)
	if i := w.issue("SEC-2"); i.Open() || !strings.Contains(w.bodies("SEC-2"), "was deleted in DefectDojo") {
		t.Errorf("deleted here: %s, %q", i.Status, w.bodies("SEC-2"))
	}
}
