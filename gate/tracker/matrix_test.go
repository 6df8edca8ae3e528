package tracker

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"defectdojo/gate/store"
	"defectdojo/integrations/jira/jiratest"
)

// The matrix of what can go wrong while a ticket is made: what JIRA does with
// the first request for it, where the first worker at it dies, and how far
// JIRA's search is behind.
var (
	matrixFaults = []jiratest.Fault{jiratest.OK, jiratest.ResetBefore, jiratest.ErrorAfter, jiratest.ResetAfter, jiratest.HangAfter, jiratest.TooMany}
	matrixKills  = []string{"before the call", "during the call", "after the answer", "before the commit"}
	matrixLags   = []time.Duration{0, 10 * time.Second, 2 * time.Minute, 20 * time.Minute}
)

const matrixFindings = 20

// TestOneOpenTicket: whatever goes wrong, each finding has one open ticket in
// the end. The clock is scaled; DD_LONG_TESTS=1 does all 96 runs.
func TestOneOpenTicket(t *testing.T) {
	t.Parallel()
	var runs, good, twins atomic.Int32
	t.Cleanup(func() {
		t.Logf("%d/%d runs end with one open ticket a finding; tickets made twice, and closed again: %d", good.Load(), runs.Load(), twins.Load())
		fmt.Printf("tickets: %d/%d fault runs with 1 open ticket per finding\n", good.Load(), runs.Load())
	})
	all := os.Getenv("DD_LONG_TESTS") != ""
	n := 0
	for f, fault := range matrixFaults {
		for k, kill := range matrixKills {
			for l, lag := range matrixLags {
				if n++; !all && !inShort(f, k, l) {
					continue
				}
				name := strings.ReplaceAll(fmt.Sprintf("%s/%s/%s", or(string(fault), "ok"), kill, lag), " ", "_")
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					runs.Add(1)
					made := faultRun(t, fault, kill, lag)
					if !t.Failed() {
						good.Add(1)
					}
					twins.Add(int32(made - matrixFindings))
					if lag <= probes[len(probes)-1] && made != matrixFindings {
						t.Errorf("%d issues were made for %d findings, though the search was in time", made, matrixFindings)
					}
				})
			}
		}
	}
}

// inShort tells which cells the short test does.
func inShort(f, k, l int) bool {
	return f < 4 && k == f && l == (f+1)%4 || f >= 4 && k == f-2 && l == f-4 || f < 2 && k == 3 && l == 3
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// faultRun pushes findings through one cell of the matrix and returns how many
// issues were ever made.
func faultRun(t *testing.T, fault jiratest.Fault, kill string, lag time.Duration) int {
	t.Helper()
	w := newWorld(t, matrixFindings)
	w.jira.Lag = lag
	w.slow(10 * time.Second)
	if fault == jiratest.HangAfter {
		w.slow(400 * time.Millisecond)
	}
	var mu sync.Mutex
	asked, killed := map[string]bool{}, map[int64]bool{}
	w.jira.Fault = func(c jiratest.Call) jiratest.Fault {
		if c.Method != "POST" || c.Path != "/issue" {
			return jiratest.OK
		}
		mu.Lock()
		defer mu.Unlock()
		intent := intentOf(c)
		if asked[intent] {
			return jiratest.OK
		}
		asked[intent] = true
		if kill == "during the call" {
			w.mu.Lock()
			w.cancel()
			w.mu.Unlock()
		}
		if fault == jiratest.HangAfter {
			w.pass(30 * time.Second)
		}
		return fault
	}
	w.die = func(point string, k store.Ticket) error {
		if point != kill || killed[k.ID] {
			return nil
		}
		killed[k.ID] = true
		return errDied
	}
	ids := make([]int64, matrixFindings)
	for i := range ids {
		ids[i] = int64(i + 1)
	}
	w.push(ids...)
	w.hours(8)
	w.checkOneEach(ids)
	return len(w.jira.Issues())
}

func intentOf(c jiratest.Call) string {
	fields, _ := c.Body["fields"].(map[string]any)
	labels, _ := fields["labels"].([]any)
	for _, l := range labels {
		if s, _ := l.(string); strings.HasPrefix(s, "gate-") {
			return s
		}
	}
	return ""
}

// checkOneEach: each finding has one open issue, and knows which.
func (w *world) checkOneEach(findings []int64) {
	w.t.Helper()
	issues := w.jira.Issues()
	for _, id := range findings {
		k := w.ticket(id)
		open := slices.DeleteFunc(slices.Clone(issues), func(i jiratest.Issue) bool { return !i.Open() || !slices.Contains(i.Labels(), label(k.IntentID)) })
		if len(open) != 1 || k.State != store.TicketLinked || k.JIRAID != open[0].ID {
			w.t.Errorf("finding %d has %d open issues; its ticket is %s %s: %s", id, len(open), k.State, k.JIRAKey, k.Error)
		}
	}
}
