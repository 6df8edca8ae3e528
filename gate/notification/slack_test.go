package notification_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/notification"
	"defectdojo/gate/store"
	"defectdojo/integrations/integrationtest"
	"defectdojo/integrations/slack/slacktest"
)

// TestThread: an import makes one parent message and one in its thread; the next
// import only the latter, and the parent says how things are then.
func TestThread(t *testing.T) {
	t.Parallel()
	h, w := newHouse(t), slacktest.New(t)
	h.slack(w, notification.Settings{})
	h.prefer(0, notification.ScanAdded, "slack")
	h.prefer(0, notification.VerdictChanged, "slack")
	id := h.imports(1, 1, 2, 3)
	h.tell(gate.Event{Kind: gate.EventImport, ProductID: 1, EngagementID: 1, TestID: 1, ImportID: id}) // told twice
	h.drain()
	got := w.Messages()
	if len(got) != 2 || got[0].Thread != "" || got[1].Thread != got[0].TS || got[0].Channel != "CSECURITY" {
		t.Fatalf("%+v", got)
	}
	if !strings.Contains(got[0].Text, "99 open findings") || !strings.Contains(got[1].Text, "Created/Updated 3 findings for shop: main") || !strings.Contains(got[1].Blocks, "Finding &lt;3&gt; &amp; more") {
		if !strings.Contains(got[1].Blocks, `Finding \u0026lt;3\u0026gt;`) {
			t.Errorf("%s\n%s\n%s", got[0].Text, got[1].Text, got[1].Blocks)
		}
	}
	h.exec(`update findings set active = false where id = 1`)
	h.imports(1, 4)
	h.imports(2, 110)
	h.drain()
	got = w.Messages()
	if len(got) != 5 || got[2].Thread != got[0].TS || got[0].Edits != 1 || !strings.Contains(got[0].Text, "98 open findings") || got[4].Thread != got[3].TS {
		t.Fatalf("%+v", got)
	}
	h.imports(1) // nothing changed: nobody wants to hear of it
	h.drain()
	if len(w.Messages()) != 5 {
		t.Errorf("an import that changed nothing was told")
	}
	w.Remove(got[0].TS) // somebody removes the parent: a new one is made
	h.exec(`update findings set active = false where id = 2`)
	h.imports(1, 5)
	h.drain()
	if got = w.Messages(); len(got) != 6 || got[4].Thread != "" || got[5].Thread != got[4].TS {
		t.Errorf("%+v", got)
	}
}

// TestVerdicts: only one that says other than the one before it is told, and it
// is shown in the channel too.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	h, w := newHouse(t), slacktest.New(t)
	h.slack(w, notification.Settings{})
	h.prefer(0, notification.VerdictChanged, "slack")
	h.exec(`insert into verdict_inputs values ('\x00', '')`)
	for i, overall := range []string{"pass", "pass", "fail", "fail", "warn", "pass"} {
		id := get[int64](h, `insert into verdicts (product_id, engagement_id, overall, conclusive, exit_code, branch, inputs_digest, document, decided_at, replaces)
			values (1, 1, $1, true, 0, 'main', '\x00', '{"why": ["new-critical: 1 > 0"]}', $2, (select max(id) from verdicts)) returning id`, overall, begin.Add(time.Duration(i)*time.Minute))
		h.tell(gate.Event{Kind: gate.EventVerdict, ProductID: 1, EngagementID: 1, VerdictID: id})
		h.drain()
	}
	var said []string
	for _, m := range w.Messages() {
		if m.Thread != "" {
			if !m.Shout {
				t.Errorf("not shown in the channel: %s", m.Text)
			}
			said = append(said, strings.Fields(strings.TrimPrefix(m.Text, "The gate says "))[0])
		}
	}
	if strings.Join(said, " ") != "fail warn pass" {
		t.Errorf("told: %v", said)
	}
}

// TestChannelPerProduct, with its own floor, and others where everything goes.
func TestChannelPerProduct(t *testing.T) {
	t.Parallel()
	h, w := newHouse(t), slacktest.New(t)
	id := h.slack(w, notification.Settings{MinSeverity: gate.High})
	h.prefer(0, notification.ScanAdded, "slack")
	if err := h.Store.SetConnectionProduct(t.Context(), store.ConnectionProduct{ConnectionID: id, ProductID: 2, Address: "#search", MinSeverity: gate.Critical}); err != nil {
		t.Fatal(err)
	}
	h.imports(1, 4)   // low: under the floor
	h.imports(1, 2)   // high
	h.imports(2, 102) // high: under the product's floor
	h.imports(2, 103) // critical
	h.drain()
	var in []string
	for _, m := range w.Messages() {
		in = append(in, m.Channel)
	}
	if strings.Join(in, " ") != "CSECURITY CSECURITY CSEARCH CSEARCH" {
		t.Errorf("%v", in)
	}
}

// TestDigest: what comes within the window is one message, at its end.
func TestDigest(t *testing.T) {
	t.Parallel()
	h, w := newHouse(t), slacktest.New(t)
	h.slack(w, notification.Settings{DigestMinutes: 60})
	h.prefer(0, notification.ScanAdded, "slack")
	q := &queue{h: h}
	for i := range 5 {
		h.imports(1, int64(i+1))
		h.pass(10 * time.Minute)
	}
	q.run(h.clock())
	if len(w.Messages()) != 0 {
		t.Fatal("told before the window's end")
	}
	q.run(begin.Add(2 * time.Hour))
	got := w.Messages()
	if len(got) != 1 || got[0].Thread != "" || !strings.Contains(got[0].Text, "5 notifications up to 2026-11-23 08:00 UTC") {
		t.Fatalf("%+v", got)
	}
	if n := get[int](h, `select count(*) from notice_deliveries where state = 'sent'`); n != 5 {
		t.Errorf("%d deliveries are sent", n)
	}
	// A transaction that began within the window and ended after its digest.
	h.exec(`insert into notices (key, event, at, document) values ('late', 'other', $1, '{"event":"other","title":"late"}')`, begin)
	h.exec(`insert into notice_deliveries (public_id, notice_id, channel, target, address, state, digest_id) select 'late', n.id, 'slack', d.target, d.address, 'held', d.digest_id
		from notices n, (select target, address, digest_id from notice_deliveries where digest_id is not null limit 1) d where n.key = 'late'`)
	h.pass(30 * time.Minute)
	if err := h.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	q.run(h.clock().Add(time.Hour))
	if got = w.Messages(); len(got) != 2 || !strings.Contains(got[1].Text, "late") {
		t.Errorf("what came late: %+v", got)
	}
}

// TestDirect: people are found by their e-mail address, once; owners are told
// without having asked.
func TestDirect(t *testing.T) {
	t.Parallel()
	h, w := newHouse(t), slacktest.New(t, slacktest.Member{ID: "U0MIKA", Email: "mika@example.org", TeamID: slacktest.TeamID})
	h.slack(w, notification.Settings{TellOwners: true, MinSeverity: gate.Medium})
	h.prefer(0, notification.ScanAdded)
	h.prefer(3, notification.ScanAdded, "slack") // who may not see shop
	h.prefer(1, notification.ScanAdded, "slack") // whom the workspace does not know
	h.imports(1, 3)
	h.imports(1, 4) // under the floor of the connection
	q := h.drain()
	got := w.Messages()
	if len(got) != 1 || got[0].Channel != "U0MIKA" {
		t.Fatalf("%+v", got)
	}
	if q.lost != 2 || get[string](h, `select max(last_error) from notice_deliveries where user_id = 1`) != "slack: find the user: nobody in the workspace has the user's e-mail address" {
		t.Errorf("lost %d", q.lost)
	}
	h.imports(1, 3)
	h.drain()
	if n := w.Count("POST", "lookupByEmail"); n != 4 { // mika once, ada each time
		t.Errorf("%d look-ups", n)
	}
}

// TestLimits: what Slack answers with 429 waits, and all is sent in the end, by
// two nodes no quicker than one message a second.
func TestLimits(t *testing.T) {
	t.Parallel()
	h, w := newHouse(t), slacktest.New(t)
	h.slack(w, notification.Settings{})
	h.prefer(0, notification.ScanAdded, "slack")
	for i := range 20 {
		h.imports(1, int64(i+1))
	}
	w.Fail("POST", "chat.postMessage", 1, integrationtest.Fault{Status: 429, Header: http.Header{"Retry-After": {"30"}}})
	h.drain()
	if got := len(w.Messages()); got != 21 {
		t.Errorf("%d messages", got)
	}
	if took := h.clock().Sub(begin); took < 18*time.Second+30*time.Second {
		t.Errorf("21 messages with a pause of 30 s in %v", took)
	}
	if n := get[int](h, `select failures from channel_health`); n != 0 {
		t.Errorf("%d failures: to be asked to wait is none", n)
	}
}

// TestBucketOfTwoNodes: however many take at once, no more come out than go in.
func TestBucketOfTwoNodes(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	taken := 0
	for range 40 {
		wg.Go(func() {
			d, err := h.Store.TakeToken(t.Context(), "slack", "#c", 1, 3, begin)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if d == 0 {
				taken++
			}
		})
	}
	wg.Wait()
	if taken != 3 {
		t.Errorf("%d of a bucket of 3", taken)
	}
	for i, want := range []time.Duration{time.Second, 500 * time.Millisecond, 0, time.Second} {
		at := begin.Add([]time.Duration{0, 500 * time.Millisecond, time.Second, time.Second}[i])
		if d, err := h.Store.TakeToken(t.Context(), "slack", "#c", 1, 3, at); err != nil || d != want {
			t.Errorf("%d: %v, want %v, %v", i, d, want, err)
		}
	}
	if err := h.Store.StopTokens(t.Context(), "slack", "#c", begin.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if d, err := h.Store.TakeToken(t.Context(), "slack", "#c", 1, 3, begin.Add(20*time.Second)); err != nil || d != 40*time.Second {
		t.Errorf("stopped: %v, %v", d, err)
	}
}

// TestThreadOfTwoNodes: two that write to a thread at once do so one after the other.
func TestThreadOfTwoNodes(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.connect("slack", "slack", notification.Settings{}, nil)
	key := store.SlackThread{ConnectionID: get[int64](h, `select id from connections`), Channel: "#c", ProductID: 1, Branch: "main"}
	var wg sync.WaitGroup
	var mu sync.Mutex
	held := 0
	for range 20 {
		wg.Go(func() {
			_, mine, err := h.Store.HoldSlackThread(t.Context(), key, begin, begin.Add(time.Minute))
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if mine {
				held++
			}
		})
	}
	wg.Wait()
	if held != 1 {
		t.Errorf("%d hold it", held)
	}
	if _, mine, err := h.Store.HoldSlackThread(t.Context(), key, begin.Add(time.Minute), begin.Add(time.Hour)); err != nil || !mine {
		t.Errorf("who died held it for ever: %v", err)
	}
}

// TestOutage: six hours in which Slack, Teams and a webhook answer nothing lose
// nothing, are tried ever more rarely, and hold up no import.
func TestOutage(t *testing.T) {
	t.Parallel()
	h, w := newHouse(t), slacktest.New(t)
	hook := integrationtest.New(t, nil, "")
	hook.Handle("POST /", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	h.slack(w, notification.Settings{})
	h.connect("msteams", "teams", notification.Settings{}, map[string]string{notification.SecretWebhookURL: hook.URL + "/teams"})
	h.hook("all", hook.URL+"/hook", nil)
	h.prefer(0, notification.ScanAdded, "slack", "msteams", "webhooks")
	down := integrationtest.Fault{Status: 503}
	w.Fail("", "", 1_000_000, down)
	hook.Fail("", "", 1_000_000, down)
	q := &queue{h: h}
	const imports = 36
	for i := range imports { // every ten minutes
		h.imports(1, int64(i+1))
		end := begin.Add(time.Duration(i+1) * 10 * time.Minute)
		q.run(end)
		if d := end.Sub(h.clock()); d > 0 {
			h.pass(d)
		}
	}
	if h.clock().Sub(begin) < 6*time.Hour {
		t.Fatal("the outage was too short")
	}
	if n := get[int](h, `select count(*) from test_imports where state = 'done'`); n != imports {
		t.Errorf("%d imports are done", n)
	}
	if n := get[int](h, `select count(*) from notice_deliveries where state = 'queued'`); n != 4*imports || q.lost != 0 { // the fourth: what the administrator is told in Slack
		t.Errorf("%d wait, %d are lost", n, q.lost)
	}
	tries := w.Count("POST", "") + hook.Count("POST", "")
	if tries > 1500 {
		t.Errorf("%d requests in six hours of outage", tries)
	}
	t.Logf("six hours of outage: %d imports, %d deliveries waited, %d attempts", imports, 3*imports, tries)
	w.Heal()
	hook.Heal()
	hook.Forget()
	for range 24 * 60 { // the minute's work goes on
		q.run(h.clock().Add(time.Minute))
		if err := h.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(q.jobs) == 0 {
			break
		}
		h.pass(time.Minute)
	}
	if n := get[int](h, `select count(*) from notice_deliveries where state = 'sent'`); n != 3*imports {
		t.Errorf("%d of %d were sent; %d lost", n, 3*imports, q.lost)
	}
	if got := len(w.Messages()); got != imports+1 {
		t.Errorf("%d messages in Slack", got)
	}
	if teams, hooks := hook.Count("POST", "/teams"), hook.Count("POST", "/hook"); teams != imports || hooks != imports {
		t.Errorf("Teams got %d, the webhook %d", teams, hooks)
	}
	ids := map[string]bool{}
	for _, r := range hook.Requests() {
		if id := r.Header.Get("X-DefectDojo-Delivery"); id != "" {
			ids[id] = true
		}
	}
	if len(ids) != imports {
		t.Errorf("%d delivery ids", len(ids))
	}
	t.Logf("caught up %v after the outage", h.clock().Sub(begin.Add(6*time.Hour)))
}

// TestRolledBack: what did not happen is not told.
func TestRolledBack(t *testing.T) {
	t.Parallel()
	h, w := newHouse(t), slacktest.New(t)
	h.slack(w, notification.Settings{})
	h.prefer(0, notification.ScanAdded, "slack", "alert")
	id := get[int64](h, `insert into test_imports (test_id, product_id, scan_type) values (1, 1, 'Trivy Scan') returning id`)
	h.exec(`insert into test_import_actions values ($1, 'N', '{1}')`, id)
	err := pgx.BeginFunc(t.Context(), h.pool, func(tx pgx.Tx) error {
		if err := h.Follow(t.Context(), tx, gate.Event{Kind: gate.EventImport, At: begin, ProductID: 1, EngagementID: 1, TestID: 1, ImportID: id}); err != nil {
			return err
		}
		return fmt.Errorf("boom")
	})
	if err == nil || err.Error() != "boom" {
		t.Fatal(err)
	}
	if n := get[int](h, `select (select count(*) from notices) + (select count(*) from alerts) + (select count(*) from notice_deliveries) + (select count(*) from river_job)`); n != 0 {
		t.Errorf("%d rows of what did not happen", n)
	}
}

// TestLostAnswers: whatever answers get lost after Slack has posted, of the
// parent message, of the news in its thread, of a message in a channel, of a
// digest and of one to somebody, each is there once, and none is missing.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	repeated := 0
	for step := range 6 {
		h, w := newHouse(t), slacktest.New(t, slacktest.Member{ID: "U0MIKA", Email: "mika@example.org", TeamID: slacktest.TeamID})
		h.slack(w, notification.Settings{})
		h.prefer(0, notification.ScanAdded, "slack")
		h.prefer(0, notification.ProductTypeAdded, "slack")
		h.prefer(2, notification.ScanAdded, "slack")
		for range step {
			w.Fail("POST", "chat.postMessage", 1, integrationtest.Fault{Reset: true, After: true}) // done, and nobody knows
		}
		h.imports(1, 1)
		h.tell(gate.Event{Kind: gate.EventCreated, Action: "product_type", ProductTypeID: 1})
		h.drain()
		repeated += (&workspace{w}).once(t, 4)
		if n := get[int](h, `select count(*) from notice_deliveries where state = 'sent' and external_id <> ''`); n != 3 {
			t.Errorf("%d answers lost: %d deliveries are sent", step, n)
		}
	}
	t.Logf("0 to 5 lost answers: %d messages repeated, none missing", repeated)
}

// TestDeadNode: a node dies as soon as Slack has a message, at each message in
// turn: the next one finds it, and posts it no second time.
func TestDeadNode(t *testing.T) {
	t.Parallel()
	for nth := range 4 {
		h, w := newHouse(t), slacktest.New(t, slacktest.Member{ID: "U0MIKA", Email: "mika@example.org", TeamID: slacktest.TeamID})
		h.slack(w, notification.Settings{})
		h.prefer(0, notification.ScanAdded, "slack")
		h.prefer(0, notification.ProductTypeAdded, "slack")
		h.prefer(2, notification.ScanAdded, "slack")
		q := &queue{h: h}
		posted := 0
		w.Posted = func(slacktest.Message) {
			if posted++; posted == nth+1 {
				q.die()
			}
		}
		h.imports(1, 1)
		h.tell(gate.Event{Kind: gate.EventCreated, Action: "product_type", ProductTypeID: 1})
		q.run(h.clock().AddDate(0, 1, 0))
		w.Posted = nil
		if q.died != 1 {
			t.Errorf("message %d: %d nodes died", nth, q.died)
		}
		(&workspace{w}).once(t, 4)
	}
}

// TestLostAnswer_of_a_digest: what came while the answer got lost is another message.
func TestLostAnswer_of_a_digest(t *testing.T) {
	t.Parallel()
	h, w := newHouse(t), slacktest.New(t)
	h.slack(w, notification.Settings{DigestMinutes: 60})
	h.prefer(0, notification.ScanAdded, "slack")
	w.Fail("POST", "chat.postMessage", 1, integrationtest.Fault{Reset: true, After: true})
	h.imports(1, 1)
	h.imports(1, 2)
	h.drain()
	(&workspace{w}).once(t, 1)
	if n := get[int](h, `select count(*) from notice_deliveries where state = 'sent'`); n != 2 {
		t.Errorf("%d deliveries are sent", n)
	}
}

// TestLostAnswer_unseen: an app that may not read what it has written cannot
// tell; the message is there twice rather than never.
func TestLostAnswer_unseen(t *testing.T) {
	t.Parallel()
	h, w := newHouse(t), slacktest.New(t)
	w.Blind()
	h.slack(w, notification.Settings{})
	h.prefer(0, notification.ProductTypeAdded, "slack")
	w.Fail("POST", "chat.postMessage", 1, integrationtest.Fault{Reset: true, After: true})
	h.tell(gate.Event{Kind: gate.EventCreated, Action: "product_type", ProductTypeID: 1})
	h.drain()
	if n := len(w.Messages()); n != 2 {
		t.Errorf("%d messages, want the one and its repetition", n)
	}
}

// workspace is one whose messages are counted.
type workspace struct{ *slacktest.Workspace }

// once counts messages that are there more often than once, and expects none
// and so many in all.
func (w *workspace) once(t *testing.T, want int) int {
	t.Helper()
	seen, repeated := map[string]int{}, 0
	for _, m := range w.Messages() {
		if seen[m.Channel+m.Thread+m.Text]++; seen[m.Channel+m.Thread+m.Text] > 1 {
			repeated++
		}
		if m.Key == "" {
			t.Errorf("a message without a key: %s", m.Text)
		}
	}
	if repeated != 0 || len(seen) != want {
		t.Errorf("%d messages, want %d; %d repeated: %v", len(seen), want, repeated, seen)
	}
	return repeated
}

// TestDeclaredSlackUser: who somebody says that they are in Slack is where their
// messages go, and no proof of who clicks there.
func TestDeclaredSlackUser(t *testing.T) {
	t.Parallel()
	h, w := newHouse(t), slacktest.New(t) // where nobody has mika's e-mail address
	h.slack(w, notification.Settings{})
	h.prefer(2, notification.ScanAdded, "slack")
	if err := h.Store.DeclareSlackUser(t.Context(), 2, "U0ELSE"); err != nil {
		t.Fatal(err)
	}
	h.imports(1, 1)
	h.drain()
	if m := w.Messages(); len(m) != 1 || m[0].Channel != "U0ELSE" {
		t.Errorf("%+v", m)
	}
	if who, err := h.Store.ContactsBySlack(t.Context(), "U0ELSE"); err != nil || len(who) != 0 {
		t.Errorf("who clicks there acts as %+v, %v", who, err)
	}
	if err := h.Store.SetSlackUser(t.Context(), 2, "U0ELSE"); err != nil { // found by their e-mail address
		t.Fatal(err)
	}
	if who, err := h.Store.ContactsBySlack(t.Context(), "U0ELSE"); err != nil || len(who) != 1 {
		t.Errorf("who was found by their address acts as %+v, %v", who, err)
	}
}
