package verdict_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/store"
	"defectdojo/gate/verdict"
)

// TestAgain judges again what was kept, and says where somebody changed it.
func TestAgain(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	judge := &verdict.Judge{Store: p.store}
	p.run("main", "", "c1", finding("Old", "Critical"))
	j := p.run("main", "", "c2", finding("Old", "Critical"), finding("New", "Critical"))
	if where, err := judge.Again(t.Context(), j.ID); err != nil || len(where) > 0 {
		t.Errorf("untouched: %q, %v", where, err)
	}
	if _, err := judge.Again(t.Context(), 4711); gate.KindOf(err) != gate.NotFound {
		t.Errorf("no such verdict: %v", err)
	}
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := p.pool.Exec(t.Context(), sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec(`update verdicts set document = jsonb_set(jsonb_set(document, '{overall}', '"pass"'), '{policies,0,rules,0,observed}', '7') where id = $1`, j.ID)
	where, err := judge.Again(t.Context(), j.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{`overall: kept "pass", now "fail"`, `policies[0].rules[0].observed: kept 7, now 1`}, where); diff != "" {
		t.Error(diff)
	}

	// One byte of one input.
	var digest, packed []byte
	if err := p.pool.QueryRow(t.Context(), `select i.digest, i.content from verdict_inputs i, verdicts v where v.id = $1 and i.digest = v.inputs_digest`, j.ID).Scan(&digest, &packed); err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	fmt.Fprint(w, strings.Replace(string(text), "2026", "2027", 1))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	exec(`update verdict_inputs set content = $2 where digest = $1`, digest, b.Bytes())
	if where, err := judge.Again(t.Context(), j.ID); err != nil || len(where) != 1 || !strings.Contains(where[0], "digest") {
		t.Errorf("changed input: %q, %v", where, err)
	}
}

// TestLearns follows a finding whose CVE becomes known to be exploited.
func TestLearns(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	vulnerable := map[string]any{
		"title": "CVE-2026-0001 in lodash", "severity": "High", "description": "x", "vulnerability_ids": []string{"CVE-2026-0001"},
		"component_name": "lodash", "component_version": "4.17.20", "static_finding": true, "dynamic_finding": false,
	}
	rule := `apiVersion: gate/v1
kind: GatePolicy
metadata: {name: exploited}
spec: {rules: [{id: kev, when: f.kev || f.epss >= 0.5, max: 0}]}
`
	judge := func(commit string) verdict.Judged {
		t.Helper()
		p.policies = []verdict.Source{{Name: "p.yaml", Text: rule}}
		return p.run("main", "", commit, vulnerable)
	}
	outcome := func(j verdict.Judged) string {
		for _, pv := range j.Policies {
			if pv.Name == "exploited" {
				return string(pv.Rules[0].Outcome)
			}
		}
		return "none"
	}
	if j := judge("c1"); outcome(j) != "inconclusive" || len(j.Intel) != 0 {
		t.Errorf("nothing known: %s, %+v", outcome(j), j.Intel)
	}
	refresh := func(published time.Time, exploited ...store.Exploited) {
		t.Helper()
		at := store.IntelSnapshot{Digest: fmt.Sprintf("%02x%02x", published.Day(), len(exploited)), Published: published, Fetched: p.clock}
		for _, f := range []func(*store.Store) error{
			func(s *store.Store) error {
				n := at
				n.Source, n.Version = store.EPSS, "e"
				_, err := s.ReplaceScores(t.Context(), n, []store.Score{{CVE: "CVE-2026-0001", Score: 0.1, Percentile: 0.4}})
				return err
			},
			func(s *store.Store) error {
				n := at
				n.Source, n.Version = store.KEV, "v"
				_, err := s.ReplaceExploited(t.Context(), n, exploited)
				return err
			},
		} {
			if err := p.store.Tx(t.Context(), func(s *store.Store, _ pgx.Tx) error { return f(s) }); err != nil {
				t.Fatal(err)
			}
		}
	}
	refresh(now, store.Exploited{CVE: "CVE-2025-9999"})
	if j := judge("c2"); outcome(j) != "satisfied" || len(j.Intel) != 2 || j.Intel[1].ID != "v" {
		t.Errorf("not listed: %s, %+v", outcome(j), j.Intel)
	}
	refresh(now.AddDate(0, 0, 1), store.Exploited{CVE: "CVE-2026-0001"}, store.Exploited{CVE: "CVE-2025-9999"})
	listed := judge("c3")
	if outcome(listed) != "violated" {
		t.Errorf("listed: %s", outcome(listed))
	}
	refresh(now.AddDate(0, 0, -20), store.Exploited{CVE: "CVE-2025-9999"})
	if j := judge("c4"); outcome(j) != "inconclusive" {
		t.Errorf("too old to say no: %s", outcome(j))
	}
	again, err := (&verdict.Judge{Store: p.store}).Again(t.Context(), listed.ID)
	if err != nil || len(again) > 0 {
		t.Errorf("judged again with the intelligence of then: %q, %v", again, err)
	}
	if b, _ := json.Marshal(listed.Intel); !strings.Contains(string(b), `"2026-11-23"`) {
		t.Errorf("intel %s", b)
	}
}
