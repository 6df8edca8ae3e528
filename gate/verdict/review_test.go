package verdict_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"defectdojo/gate"
	"defectdojo/gate/store"
	"defectdojo/gate/verdict"
)

// review has a product's verdicts judged again at a time, for a cause.
func (p *pipeline) review(product int64, at time.Time) {
	p.t.Helper()
	if _, err := p.store.QueueReviews(p.t.Context(), []int64{product}, "test", at); err != nil {
		p.t.Fatal(err)
	}
	if err := p.judger.Review(p.t.Context(), product, at); err != nil {
		p.t.Fatal(err)
	}
}

// last returns the verdict of an engagement that stands.
func (p *pipeline) last(engagement int64) store.StoredVerdict {
	p.t.Helper()
	v, err := p.store.EngagementVerdict(p.t.Context(), engagement)
	if err != nil {
		p.t.Fatal(err)
	}
	return v
}

// waive approves a waiver of a vulnerability.
func (p *pipeline) waive(product int64, w gate.Waiver) {
	p.t.Helper()
	ctx := p.t.Context()
	boss, err := p.store.AddUser(ctx, store.Account{User: gate.User{Username: "boss", IsActive: true}})
	if err != nil {
		p.t.Fatal(err)
	}
	id, err := p.store.AddWaiver(ctx, store.NewWaiver{ProductID: product, Document: w, RequestedBy: p.user.ID, Needed: 1, Now: p.clock})
	if err == nil {
		err = p.store.AddWaiverApproval(ctx, id, boss.ID, p.clock)
	}
	if err == nil {
		err = p.store.SetWaiverState(ctx, id, "approved", nil, "", p.clock)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

const strict = "rules: [{id: no-critical, select: {severity: critical}, max: 0}]\nwaivers: {void_if: f.kev}"

// TestReview follows a verdict whose waiver ends, which nobody has judged: it
// flips once, and is told once. Promise 3.
func TestReview(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	p.policy("strict", "rules: [{id: no-critical, select: {severity: critical}, max: 0}]")
	e := p.upload("CycloneDX Scan", "main", "c1", bom([]string{"a"}, "a"))
	expires := p.clock.Add(10 * 24 * time.Hour)
	product := p.judge(verdict.Request{EngagementID: e, Branch: "main", Commit: "c1"}).ProductID
	p.waive(product, gate.Waiver{Match: gate.WaiverMatch{Vulnerability: "CVE-2026-1010", PURL: "pkg:npm/a"}, Reason: "r", Expires: expires})
	told := len(p.told)
	steps := []struct {
		name    string
		at      time.Time
		want    gate.Decision
		told    int
		written bool
	}{
		{"the waiver is there", p.clock.Add(time.Minute), gate.Pass, 1, true},
		{"nothing changed", p.clock.Add(time.Hour), gate.Pass, 1, false},
		{"just before its end", expires.Add(-time.Second), gate.Pass, 1, false},
		{"at its end", expires, gate.Fail, 2, true},
		{"after it", expires.Add(24 * time.Hour), gate.Fail, 2, false},
	}
	id := p.last(e).ID
	for _, s := range steps {
		p.review(product, s.at)
		v := p.last(e)
		if v.Document.Overall != s.want || len(p.told)-told != s.told || (v.ID != id) != s.written {
			t.Errorf("%s: %s, told %d times, written %v; want %s, %d, %v; why %q", s.name, v.Document.Overall, len(p.told)-told, v.ID != id, s.want, s.told, s.written, v.Document.Why)
		}
		if s.written && (!v.Announce || !p.told[len(p.told)-1].Flipped || v.Cause != "test") {
			t.Errorf("%s: announce %v, cause %s, event %+v", s.name, v.Announce, v.Cause, p.told[len(p.told)-1])
		}
		id = v.ID
	}
	due, err := p.store.ExpiredVerdicts(t.Context(), expires.Add(1000*time.Hour), 10)
	if err != nil || len(due) != 0 {
		t.Errorf("what has been looked at is due again: %v, %v", due, err)
	}
}

// TestExpired: a verdict is due when its time has run out, and only then.
func TestExpired(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	p.policy("strict", "rules: [{id: no-critical, select: {severity: critical}, max: 0}]")
	e := p.upload("CycloneDX Scan", "main", "c1", bom([]string{"a"}, "a"))
	expires := p.clock.Add(10 * 24 * time.Hour)
	product := p.judge(verdict.Request{EngagementID: e, Branch: "main", Commit: "c1"}).ProductID
	p.waive(product, gate.Waiver{Match: gate.WaiverMatch{Vulnerability: "CVE-2026-1010", PURL: "pkg:npm/a"}, Reason: "r", Expires: expires})
	p.review(product, p.clock.Add(time.Minute))
	for at, want := range map[time.Time]int{expires.Add(-time.Second): 0, expires: 1} {
		if due, err := p.store.ExpiredVerdicts(t.Context(), at, 10); err != nil || len(due) != want {
			t.Errorf("at %s: %v are due, %v, want %d", at, due, err, want)
		}
	}
}

// TestTripwire: a new KEV catalogue voids a waiver and flips the verdict, which
// says so. Promise 8.
func TestTripwire(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	p.policy("strict", strict)
	kev := func(id int, at time.Time) {
		t.Helper()
		if _, err := p.pool.Exec(t.Context(), `
			insert into intel_snapshots (id, source, digest, version, published, url, records, bytes, fetched) values ($1, 'kev', sha256($2), $3, $4, 'file:///kev.json', 1, 9, $4)`,
			id, fmt.Append(nil, id), fmt.Sprint("v", id), at); err != nil {
			t.Fatal(err)
		}
		if _, err := p.pool.Exec(t.Context(), `insert into intel_sources (source, snapshot_id) values ('kev', $1) on conflict (source) do update set snapshot_id = $1`, id); err != nil {
			t.Fatal(err)
		}
	}
	kev(1, p.clock)
	e := p.upload("CycloneDX Scan", "main", "c1", bom([]string{"a"}, "a"))
	product := p.judge(verdict.Request{EngagementID: e, Branch: "main", Commit: "c1"}).ProductID
	p.waive(product, gate.Waiver{Match: gate.WaiverMatch{Vulnerability: "CVE-2026-1010", PURL: "pkg:npm/a"}, Reason: "r", Expires: p.clock.Add(100 * time.Hour)})
	p.review(product, p.clock.Add(time.Minute))
	if v := p.last(e).Document; v.Overall != gate.Pass {
		t.Fatalf("%s: %q, %+v", v.Overall, v.Why, v.Waivers)
	}
	kev(2, p.clock)
	if _, err := p.pool.Exec(t.Context(), `
		insert into vulnerabilities (vulnerability_id, known_exploited) values ('CVE-2026-1010', true)
		on conflict (vulnerability_id) do update set known_exploited = true`); err != nil {
		t.Fatal(err)
	}
	p.review(product, p.clock.Add(2*time.Minute))
	v := p.last(e)
	if v.Document.Overall != gate.Fail || len(v.Document.Waivers) != 1 || v.Document.Waivers[0].State != gate.WaiverVoided || !strings.Contains(v.Document.Waivers[0].Reason, "f.kev") {
		t.Errorf("%s: %q, %+v", v.Document.Overall, v.Document.Why, v.Document.Waivers)
	}
}

// TestReviewsGather: however often a product is queued, one review is done, and
// what is queued while it runs is done after it.
func TestReviewsGather(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	e := p.upload("CycloneDX Scan", "main", "c1", bom([]string{"a"}, "a"))
	product := p.judge(verdict.Request{EngagementID: e, Branch: "main", Commit: "c1"}).ProductID
	for i := range 3 {
		fresh, err := p.store.QueueReviews(t.Context(), []int64{product, 4711}, fmt.Sprint("c", i), p.clock)
		if err != nil || len(fresh) != map[bool]int{true: 1}[i == 0] {
			t.Errorf("%d: fresh %v, %v", i, fresh, err)
		}
	}
	causes, err := p.store.TakeReview(t.Context(), product)
	if err != nil || len(causes) != 3 {
		t.Errorf("causes %q, %v", causes, err)
	}
	if again, err := p.store.TakeReview(t.Context(), product); err != nil || again != nil {
		t.Errorf("taken twice: %q, %v", again, err)
	}
	if fresh, err := p.store.QueueReviews(t.Context(), []int64{product}, "x", p.clock); err != nil || len(fresh) != 1 {
		t.Errorf("after it was taken: %v, %v", fresh, err)
	}
}

// many judges builds of several branches, and returns how many.
func many(p *pipeline, n int) {
	for i := range n {
		branch := fmt.Sprint("b", i%7)
		rules := []string{"r1", "r2", "r3"}[:1+(i/7)%3]
		e := p.upload("SARIF", branch, fmt.Sprint("c", i), sarif(fmt.Sprint(1+i/20), i%11 != 5, rules...))
		r := verdict.Request{EngagementID: e, Branch: branch, Commit: fmt.Sprint("c", i), Changed: []string{"a.go"}}
		if i%3 == 1 {
			r.TargetBranch, r.PullRequest = "b0", i
		}
		p.judge(r)
	}
}

// verdicts is how many verdicts the tests of the past look at: few, or with
// DD_LONG_TESTS=1 a thousand.
func verdicts() int {
	if os.Getenv("DD_LONG_TESTS") != "" {
		return 1000
	}
	return 60
}

// TestReplayMany: stored verdicts come out again the same, byte for byte, and a
// changed input is noticed. Promise 4.
func TestReplayMany(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	p.policy("org", "rules:\n  - {id: new, select: {severity_at_least: medium, delta: new}, max: 0}\n  - {id: all, level: warn, max: 1}")
	n := verdicts()
	many(p, n)
	list, err := p.store.Verdicts(t.Context(), store.VerdictFilter{Scope: gate.Scope{All: true}, Page: store.Page{Limit: n + 1}})
	if err != nil || len(list.Rows) != n {
		t.Fatalf("%d verdicts, %v", len(list.Rows), err)
	}
	decisions := map[gate.Decision]int{}
	for _, v := range list.Rows {
		kept, again, err := p.judger.Replay(t.Context(), gate.Scope{All: true}, v.ID)
		if err != nil {
			t.Fatal(err)
		}
		a, _ := json.Marshal(kept)
		b, _ := json.Marshal(again)
		if !bytes.Equal(a, b) {
			t.Errorf("verdict %d replays otherwise:\n%s\n%s", v.ID, a, b)
		}
		decisions[kept.Overall]++
	}
	if len(decisions) < 2 {
		t.Errorf("all verdicts are alike: %v", decisions)
	}
	t.Logf("%d verdicts replayed, 0 differences: %v", n, decisions)
	if _, err := p.pool.Exec(t.Context(), `update verdict_inputs set content = set_byte(content, length(content) - 12, get_byte(content, length(content) - 12) # 1)`); err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.judger.Replay(t.Context(), gate.Scope{All: true}, list.Rows[0].ID); err == nil {
		t.Error("a changed byte of the inputs is not noticed")
	}
}

// TestBacktest: the active policy tried on the past gives history exactly, and
// another one what it would have done. Promise 6.
func TestBacktest(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	active := "rules: [{id: new, select: {severity_at_least: medium, delta: new}, max: 0}]"
	p.policy("org", active)
	n := verdicts()
	many(p, n)
	ask := func(name, source string, days int, at time.Time) store.Backtest {
		t.Helper()
		b, err := p.judger.StartBacktest(t.Context(), verdict.Actor{Who: gate.Principal{User: p.user}, Now: at}, verdict.BacktestRequest{Name: name, Source: source, Scope: gate.Scope{All: true}, Days: days})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	work := func(id int64, while time.Duration) bool {
		t.Helper()
		ticks := p.clock
		more, err := p.judger.WorkBacktest(t.Context(), id, while, func() time.Time { ticks = ticks.Add(time.Second); return ticks })
		if err != nil {
			t.Fatal(err)
		}
		return more
	}
	look := func(id int64) (store.Backtest, verdict.Backtested) {
		t.Helper()
		b, err := p.store.Backtest(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		r, err := verdict.BacktestResult(b)
		if err != nil {
			t.Fatal(err)
		}
		return b, r
	}
	try := func(name, source string) verdict.Backtested {
		t.Helper()
		b := ask(name, source, 1, p.clock)
		if work(b.ID, time.Hour) {
			t.Errorf("%s is not over", name)
		}
		b, r := look(b.ID)
		if b.State != "done" || b.Done != n || b.Total != n || b.Percent() != 100 {
			t.Errorf("%s: %s, %d of %d", name, b.State, b.Done, b.Total)
		}
		return r
	}
	same := try("org", active)
	if same.Verdicts != n || len(same.Newly)+len(same.NoLonger) != 0 || same.Before[gate.Fail] != same.After[gate.Fail] || same.Before[gate.Fail] == 0 {
		t.Errorf("the active policy: %s, %+v, %+v", same.Sentence, same.Before, same.After)
	}
	if none := try("org", "rules: [{id: none, max: 1000}]"); len(none.NoLonger) != same.Before[gate.Fail] || len(none.Newly) != 0 {
		t.Errorf("a policy that lets all through: %s", none.Sentence)
	}
	all := try("more", "rules: [{id: none, max: 0}]")
	if all.After[gate.Fail] <= same.After[gate.Fail] || len(all.NoLonger) != 0 || len(all.ByRule) == 0 || all.ByProduct[0].Name != "p" {
		t.Errorf("one policy more: %s, %+v", all.Sentence, all.ByRule)
	}
	// A node dies in the middle: another goes on where it was, and comes to the same.
	half := ask("more", "rules: [{id: none, max: 0}]", 1, p.clock)
	if !work(half.ID, 0) {
		t.Fatal("a step was all of it")
	}
	b, part := look(half.ID)
	if b.State != "running" || part.Verdicts == 0 || part.Verdicts == n {
		t.Errorf("half-way: %s, %d of %d", b.State, part.Verdicts, n)
	}
	for work(half.ID, 0) {
	}
	b, whole := look(half.ID)
	if diff := cmp.Diff(all, whole); b.State != "done" || diff != "" {
		t.Errorf("%s; in one go, and in several (-one +several):\n%s", b.State, diff)
	}
	// Cancelled in the middle: it goes no further.
	half = ask("more", "rules: [{id: none, max: 0}]", 1, p.clock)
	work(half.ID, 0)
	_, before := look(half.ID)
	if err := p.judger.CancelBacktest(t.Context(), verdict.Actor{Who: gate.Principal{User: p.user}, Now: p.clock}, half.ID); err != nil {
		t.Fatal(err)
	}
	work(half.ID, time.Hour)
	if b, after := look(half.ID); b.State != "cancelled" || after.Verdicts != before.Verdicts {
		t.Errorf("cancelled: %s, %d verdicts after %d", b.State, after.Verdicts, before.Verdicts)
	}
	none := ask("org", active, 1, p.clock.AddDate(1, 0, 0))
	work(none.ID, time.Hour)
	if b, r := look(none.ID); b.State != "done" || b.Total != 0 || r.Verdicts != 0 {
		t.Errorf("%d verdicts of a time in which there were none", r.Verdicts)
	}
}
