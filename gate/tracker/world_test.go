package tracker

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"defectdojo/gate"
	"defectdojo/gate/gatetest"
	"defectdojo/gate/jobs"
	"defectdojo/gate/lifecycle"
	"defectdojo/gate/seal"
	"defectdojo/gate/store"
	"defectdojo/gate/triage"
	"defectdojo/integrations"
	"defectdojo/integrations/jira/jiratest"
)

var epoch = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// world is a product with findings, a JIRA, and a clock that both go by. Its
// queue is a table, as River's is; its workers work when the clock says so.
type world struct {
	*Tracker

	t    testing.TB
	pool *pgxpool.Pool
	jira *jiratest.Server
	inst store.JIRAInstance
	proj store.JIRAProject
	jane triage.Actor

	mu     sync.Mutex
	told   []gate.Event // of tickets
	now    time.Time
	cancel context.CancelFunc // of the work under way
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// newWorld makes a world with n findings: High, active, numbered from 1.
func newWorld(t testing.TB, n int) *world {
	t.Helper()
	pool := gatetest.DB(t)
	if _, err := pool.Exec(t.Context(), `
		insert into users (id, username, is_active, is_superuser) values (901, 'jane', true, true);
		insert into products (id, name, description, prod_type_id, enable_simple_risk_acceptance) values (1, 'Web Shop', '', 1, true);
		insert into engagements (id, product_id, name, target_start, target_end) values (1, 1, 'main', now(), now());
		insert into tests (id, engagement_id, product_id, test_type_id, target_start, target_end) values (1, 1, 1, 5, now(), now());
		create table test_jobs (id bigint generated always as identity, at timestamptz, body jsonb)`); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(t.Context(), `
		insert into findings (id, test_id, engagement_id, product_id, test_type_id, reporter_id, severity, title, date, hash_code)
		select i, 1, 1, 1, 5, 901, 3, 'Finding ' || i, '2026-11-20', decode(md5(i::text), 'hex') from generate_series(1, $1::int) i`, n); err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, pool: pool, jira: jiratest.New(t), now: epoch}
	w.jira.Now = w.clock
	st := store.New(pool)
	tell := func(_ context.Context, _ pgx.Tx, e gate.Event) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.told = append(w.told, e)
		return nil
	}
	w.Tracker = &Tracker{
		Store: st, Box: seal.New(seal.NewKey()), HTTP: integrations.NewClient(integrations.Options{Allowed: loopback, Timeout: 10 * time.Second}),
		SiteURL: func() string { return "https://gate.example" }, Now: w.clock, Send: w.enqueue, Tell: tell,
	}
	w.Triage = &triage.Triage{Store: st, Changed: func(ctx context.Context, tx pgx.Tx, c triage.Change) error {
		return w.Follow(ctx, tx, gate.Event{Kind: gate.EventTriage, At: c.At, Action: c.Action, ProductID: c.ProductID, FindingIDs: c.FindingIDs})
	}}
	w.jane = triage.Actor{Who: gate.Principal{User: gate.User{ID: 901, Username: "jane", IsActive: true, IsSuperuser: true}}, Scope: gate.Scope{All: true}, Now: epoch}
	w.configure()
	return w
}

// configure connects the product with the JIRA.
func (w *world) configure() {
	w.t.Helper()
	ctx := w.t.Context()
	var err error
	w.inst, err = w.SaveInstance(ctx, w.Store, store.JIRAInstance{
		URL: w.jira.URL, Username: w.jira.Username, DefaultIssueType: "Bug", InfoMappingSeverity: "Trivial", LowMappingSeverity: "Low",
		MediumMappingSeverity: "Medium", HighMappingSeverity: "High", CriticalMappingSeverity: "Highest", Inbound: "claim", Enabled: true,
		Account: w.jira.Account, Deployment: "Cloud",
	}, w.jira.Secret)
	if err != nil {
		w.t.Fatal(err)
	}
	product := int64(1)
	w.proj, err = w.Store.AddJIRAProject(ctx, store.JIRAProject{
		JIRAInstanceID: &w.inst.ID, ProductID: &product, ProjectKey: "SEC", EpicIssueTypeName: "Epic", PushNotes: true, Enabled: true, MinimumSeverity: gate.Low, PushAttachments: true,
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// tellings counts the events of tickets that were told with an action.
func (w *world) tellings(action string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.told {
		if e.Action == action {
			n++
		}
	}
	return n
}

func (w *world) change(f func(p *store.JIRAProject)) {
	w.t.Helper()
	f(&w.proj)
	var err error
	if w.proj, err = w.Store.UpdateJIRAProject(w.t.Context(), w.proj); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) changeInstance(f func(i *store.JIRAInstance)) {
	w.t.Helper()
	f(&w.inst)
	var err error
	if w.inst, err = w.Store.UpdateJIRAInstance(w.t.Context(), w.inst); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) enqueue(ctx context.Context, tx pgx.Tx, s jobs.Send) error {
	at := s.At
	if at.IsZero() {
		at = w.clock()
	}
	_, err := tx.Exec(ctx, `insert into test_jobs (at, body) values ($1, $2)`, at, s.Body)
	return err
}

// again puts a job back, as River does.
func (w *world) again(body json.RawMessage, after time.Duration) {
	if _, err := w.pool.Exec(context.WithoutCancel(w.t.Context()), `insert into test_jobs (at, body) values ($1, $2)`, w.clock().Add(after), body); err != nil {
		w.t.Fatal(err)
	}
}

// rescued is after how long River works a job again whose worker died.
const rescued = 11 * time.Minute

// run works what is due in a span of time, in order, and then the clock is at
// its end.
func (w *world) run(span time.Duration) {
	w.t.Helper()
	end := w.clock().Add(span)
	for n := 0; ; n++ {
		if n > 20_000 {
			w.t.Fatal("the workers never come to rest")
		}
		var at time.Time
		var body json.RawMessage
		err := w.pool.QueryRow(w.t.Context(), `
			delete from test_jobs where id = (select id from test_jobs where at <= $1 order by at, id limit 1) returning at, body`, end).Scan(&at, &body)
		if errors.Is(err, pgx.ErrNoRows) {
			break
		}
		if err != nil {
			w.t.Fatal(err)
		}
		if at.After(w.clock()) {
			w.pass(at.Sub(w.clock()))
		}
		w.work(body)
	}
	if end.After(w.clock()) {
		w.pass(end.Sub(w.clock()))
	}
}

func (w *world) work(body json.RawMessage) {
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	w.mu.Lock()
	w.cancel = cancel
	w.mu.Unlock()
	err := w.Work(ctx, body)
	switch {
	case err == nil:
	case errors.Is(err, errDied):
		w.again(body, rescued)
	case integrations.IsPermanent(err):
		w.t.Logf("given up: %v", err)
	case integrations.RetryAfter(err) > 0:
		w.again(body, integrations.RetryAfter(err))
	case ctx.Err() != nil: // the node was stopped: the job goes back at once
		w.again(body, time.Second)
	default:
		w.t.Logf("again: %v", err)
		w.again(body, 4*time.Second)
	}
}

// settle runs until nothing is due for a while.
func (w *world) settle() { w.t.Helper(); w.run(time.Minute) }

// hours passes hours, each with its sweep.
func (w *world) hours(n int) {
	w.t.Helper()
	for range n {
		if err := w.SweepAll(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		w.run(time.Hour)
	}
}

func (w *world) push(findings ...int64) {
	w.t.Helper()
	if err := w.Push(w.t.Context(), findings); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) ticket(finding int64) store.Ticket {
	w.t.Helper()
	var id int64
	if err := w.pool.QueryRow(w.t.Context(), `select id from jira_issues where finding_id = $1`, finding).Scan(&id); err != nil {
		w.t.Fatalf("the ticket of finding %d: %v", finding, err)
	}
	k, err := w.Store.Ticket(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return k
}

func (w *world) finding(id int64) gate.Finding {
	w.t.Helper()
	f, err := w.Store.Finding(w.t.Context(), gate.Scope{All: true}, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return f
}

func (w *world) issue(key string) jiratest.Issue {
	w.t.Helper()
	for _, i := range w.jira.Issues() {
		if i.Key == key {
			return i
		}
	}
	w.t.Fatalf("there is no issue %s", key)
	return jiratest.Issue{}
}

// hear delivers a webhook.
func (w *world) hear(key string) {
	w.t.Helper()
	if _, err := w.Heard(w.t.Context(), *w.inst.ConnectionID, w.issue(key).ID); err != nil {
		w.t.Fatal(err)
	}
}

// act does something of people's here.
func (w *world) act(do string, id int64) {
	w.t.Helper()
	a := w.jane
	a.Now = w.clock()
	var err error
	switch do {
	case "close":
		_, err = w.Triage.Close(w.t.Context(), a, id, lifecycle.Closing{IsMitigated: true}, triage.Note{})
	case "false positive":
		_, err = w.Triage.Close(w.t.Context(), a, id, lifecycle.Closing{IsMitigated: true, FalseP: true}, triage.Note{})
	case "reopen":
		_, err = w.Triage.Reopen(w.t.Context(), a, id, triage.Note{})
	case "accept":
		_, err = w.Triage.AcceptRisk(w.t.Context(), a, id, triage.Note{})
	default:
		_, err = w.Triage.AddNote(w.t.Context(), a, id, triage.Note{Entry: do})
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// scan imports a report anew that shows some findings, and not the others.
func (w *world) scan(outcome string, push bool, shown ...int64) {
	w.t.Helper()
	var id int64
	ctx := w.t.Context()
	w.pass(time.Second)
	if err := pgx.BeginFunc(ctx, w.pool, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, `
			insert into test_imports (test_id, product_id, type, state, outcome, finding_count, created, import_settings) values (1, 1, 'reimport', 'done', $1, $2, $3, jsonb_build_object('push_to_jira', $4::boolean))
			returning id`, outcome, len(shown), w.clock(), push).Scan(&id); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `insert into test_import_actions values ($1, 'U', $2)`, id, append([]int64{}, shown...)); err != nil {
			return err
		}
		return w.Follow(ctx, tx, gate.Event{Kind: gate.EventImport, ProductID: 1, EngagementID: 1, TestID: 1, ImportID: id})
	}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) notes(finding int64) []string {
	w.t.Helper()
	rows, _ := w.pool.Query(w.t.Context(), `select entry from notes where finding_id = $1 order by id`, finding)
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	if _, err := w.pool.Exec(w.t.Context(), sql, args...); err != nil {
		w.t.Fatal(err)
	}
}

// slow makes the client give up after a while, as it does after 30 seconds.
func (w *world) slow(after time.Duration) {
	w.HTTP = integrations.NewClient(integrations.Options{Allowed: loopback, Timeout: after})
	if t, ok := w.HTTP.Transport.(interface{ CloseIdleConnections() }); ok {
		w.t.Cleanup(t.CloseIdleConnections)
	}
}

func count(issues []jiratest.Issue, keep func(jiratest.Issue) bool) int {
	n := 0
	for _, i := range issues {
		if keep(i) {
			n++
		}
	}
	return n
}
