package notification_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"defectdojo/gate"
	"defectdojo/gate/gatetest"
	"defectdojo/gate/jobs"
	"defectdojo/gate/notification"
	"defectdojo/gate/seal"
	"defectdojo/gate/store"
	"defectdojo/integrations"
	"defectdojo/integrations/slack/slacktest"
)

// house is a notifier on a database of its own, with workers that the test turns
// by hand: time passes when the test says so.
type house struct {
	*notification.Notifier

	t    testing.TB
	pool *pgxpool.Pool
	jobs *jobs.Jobs
	box  *seal.Box

	mu  sync.Mutex
	now time.Time
}

var begin = time.Date(2026, 11, 23, 7, 0, 0, 0, time.UTC)

// people and things: ada is an administrator, mika a writer of shop, noor sees
// nothing of it and bo is no longer active.
const fixture = `
insert into users (id, username, email, is_superuser, is_active) values
	(1, 'ada', 'ada@example.org', true, true), (2, 'mika', 'mika@example.org', false, true), (3, 'noor', 'noor@example.org', false, true), (4, 'bo', 'bo@example.org', false, false);
insert into products (id, name, description, prod_type_id, tags, product_manager_id) values (1, 'shop', '', 1, '{pci}', 2), (2, 'search', '', 1, '{}', null);
insert into members (user_id, product_id, role) values (2, 1, 'writer'), (4, 1, 'writer');
insert into engagements (id, product_id, name, target_start, target_end, branch_tag, status) select p.id, p.id, 'main', '2026-11-01', '2026-12-01', 'main', 'In Progress' from products p;
insert into tests (id, engagement_id, product_id, test_type_id, target_start, target_end) select e.id, e.id, e.product_id, (select min(id) from test_types), now(), now() from engagements e;
insert into findings (id, test_id, engagement_id, product_id, test_type_id, severity, title, reporter_id, date)
	select i, 1 + i / 100, 1 + i / 100, 1 + i / 100, 1, 1 + i % 4, 'Finding <' || i || '> & more', 1, '2026-11-20' from generate_series(1, 120) i;
`

func newHouse(t testing.TB) *house {
	t.Helper()
	h := &house{t: t, pool: gatetest.DB(t), box: seal.New(seal.NewKey()), now: begin}
	h.exec(fixture)
	local := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	h.Notifier = &notification.Notifier{
		Store: store.New(h.pool), Box: h.box, Client: integrations.NewClient(integrations.Options{Allowed: local, Timeout: 10 * time.Second}),
		Dial: integrations.NewDialer(local).DialContext, SiteURL: "https://gate.example.org", Version: "test", Now: h.clock,
	}
	var err error
	if h.jobs, err = jobs.New(h.pool, jobs.Work{Followers: []jobs.Follower{h.Follow}, Senders: h.Senders()}, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	h.Enqueue = h.jobs.Send
	return h
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

func (h *house) exec(sql string, args ...any) {
	h.t.Helper()
	if _, err := h.pool.Exec(h.t.Context(), sql, args...); err != nil {
		h.t.Fatal(err)
	}
}

// get returns the one value of a query.
func get[T any](h *house, sql string, args ...any) T {
	h.t.Helper()
	var v T
	if err := h.pool.QueryRow(h.t.Context(), sql, args...).Scan(&v); err != nil {
		h.t.Fatal(sql, err)
	}
	return v
}

// tell has an event followed as a worker would: its plan is one transaction.
func (h *house) tell(e gate.Event) {
	h.t.Helper()
	if e.At.IsZero() {
		e.At = h.clock()
	}
	if err := pgx.BeginFunc(h.t.Context(), h.pool, func(tx pgx.Tx) error { return h.Follow(h.t.Context(), tx, e) }); err != nil {
		h.t.Fatal(err)
	}
}

// imports stores an import with so many new findings and tells of it. It returns its id.
func (h *house) imports(product int64, findings ...int64) int64 {
	h.t.Helper()
	id := get[int64](h, `insert into test_imports (test_id, product_id, scan_type, user_id, created) values ($1, $1, 'Trivy Scan', 1, $2) returning id`, product, h.clock())
	if len(findings) > 0 {
		h.exec(`insert into test_import_actions values ($1, 'N', $2)`, id, findings)
	}
	h.tell(gate.Event{Kind: gate.EventImport, ProductID: product, EngagementID: product, TestID: product, ImportID: id})
	return id
}

// connect stores a connection.
func (h *house) connect(kind, name string, s notification.Settings, secrets map[string]string) int64 {
	h.t.Helper()
	settings, err := json.Marshal(s)
	if err != nil {
		h.t.Fatal(err)
	}
	c := store.Connection{PublicID: name + "-public", Kind: kind, Name: name, Enabled: true, Settings: settings}
	if c.Secrets, err = h.box.SealObject(store.SecretsOf(c.PublicID), secrets); err != nil {
		h.t.Fatal(err)
	}
	id, err := h.Store.AddConnection(h.t.Context(), c)
	if err != nil {
		h.t.Fatal(err)
	}
	return id
}

// slack stores a connection to a workspace.
func (h *house) slack(w *slacktest.Workspace, s notification.Settings) int64 {
	h.t.Helper()
	s.APIURL, w.Now = w.APIURL(), h.clock
	if s.Address == "" {
		s.Address = "#security"
	}
	return h.connect("slack", "slack", s, map[string]string{notification.SecretToken: slacktest.Token, notification.SecretSigning: "hunter2signing"})
}

// prefer stores the system's preferences for an event, or a user's.
func (h *house) prefer(user int64, event string, channels ...string) {
	h.t.Helper()
	r := store.NotificationRow{Events: map[string][]string{event: append([]string{}, channels...)}}
	if user != 0 {
		r.UserID = &user
	}
	if before, err := h.Store.NotificationRowOf(h.t.Context(), r.UserID, nil, false); err == nil {
		for name, c := range before.Events {
			if name != event {
				r.Events[name] = c
			}
		}
	}
	if _, err := h.Store.SetNotificationRow(h.t.Context(), r); err != nil {
		h.t.Fatal(err)
	}
}

// job is a row of the queue.
type job struct {
	id      int64
	channel string
	body    json.RawMessage
	due     time.Time
	tries   int
}

// queue is the queue as River would work it, turned by hand: it has the rules of
// package jobs, and no clock but the test's. Where two nodes work, so does it.
type queue struct {
	h    *house
	jobs []*job
	done int
	lost int
	died int

	kill context.CancelFunc // ends the node that works
	dead bool
}

// die ends the node that works now: what it learns it can write down nowhere.
func (q *queue) die() {
	q.dead = true
	q.kill()
}

// rescued is after how long another node takes over.
const rescued = 11 * time.Minute

// fetch takes the jobs that were enqueued since.
func (q *queue) fetch() {
	q.h.t.Helper()
	rows, err := q.h.pool.Query(q.h.t.Context(), `delete from river_job where kind = 'send' returning id, args ->> 'channel', args -> 'body', scheduled_at`)
	if err != nil {
		q.h.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var j job
		if err := rows.Scan(&j.id, &j.channel, &j.body, &j.due); err != nil {
			q.h.t.Fatal(err)
		}
		if time.Until(j.due).Abs() < 10*time.Minute { // by River's own clock: at once
			j.due = q.h.clock()
		}
		q.jobs = append(q.jobs, &j)
	}
}

// run works all jobs until there are none, or until a time. Time passes from one
// job to the next.
func (q *queue) run(until time.Time) {
	q.h.t.Helper()
	for range 200_000 {
		q.fetch()
		next := -1
		for i, j := range q.jobs {
			if next < 0 || j.due.Before(q.jobs[next].due) {
				next = i
			}
		}
		if next < 0 || q.jobs[next].due.After(until) {
			return
		}
		q.work(next)
	}
	q.h.t.Fatal("the queue does not become empty")
}

func (q *queue) work(i int) {
	j := q.jobs[i]
	if d := j.due.Sub(q.h.clock()); d > 0 {
		q.h.pass(d)
	}
	ctx, cancel := context.WithCancel(q.h.t.Context())
	defer cancel()
	q.kill = cancel
	err := q.h.Senders()[j.channel](ctx, j.body)
	after := integrations.RetryAfter(err)
	switch {
	case q.dead:
		q.died, q.dead = q.died+1, false
		j.due = q.h.clock().Add(rescued)
		return
	case err == nil:
		q.done++
	case integrations.IsPermanent(err):
		q.lost++
	case after > 0:
		j.due = q.h.clock().Add(after)
		return
	default:
		j.tries++
		j.due = q.h.clock().Add(min(2*time.Second<<min(j.tries, 8), 10*time.Minute))
		return
	}
	q.jobs = append(q.jobs[:i], q.jobs[i+1:]...)
}

// drain works all jobs, however far ahead they are.
func (h *house) drain() *queue {
	h.t.Helper()
	q := &queue{h: h}
	q.run(h.clock().AddDate(0, 1, 0))
	return q
}

// safeBuffer is a buffer that several may write to.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write appends.
func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

// String returns all of it.
func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
