package main

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/dedup"
	"defectdojo/gate/ingest"
)

// placed writes a report of one critical finding at a line, with the scanner's
// own id for it.
func placed(t *testing.T, title string, line int, id string) string {
	t.Helper()
	b, err := json.Marshal(map[string]any{"findings": []any{map[string]any{
		"title": title, "severity": "Critical", "description": "d", "file_path": "a.go", "line": line, "static_finding": true, "unique_id_from_tool": id,
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return write(t, "report.json", string(b))
}

// TestAloneBySettings: where somebody has changed how findings are told apart,
// the uploader tells them apart as the server does.
func TestAloneBySettings(t *testing.T) {
	t.Parallel()
	const scanType = "Generic Findings Import"
	s := newSite(t)
	identities := &ingest.Identities{Store: s.store, Later: func(context.Context, pgx.Tx, string) error { return nil }}
	for _, step := range []struct {
		name  string
		set   *dedup.Settings
		title string // of what the next report shows
		line  int
		id    string
		want  gate.ExitCode
	}{
		{"built_in_moved", nil, "Old", 9, "u1", gate.ExitFailed},
		{"by_title_moved", &dedup.Settings{Algorithm: dedup.HashCode, Fields: []dedup.Field{"title"}}, "Old", 9, "u1", gate.ExitPassed},
		{"by_title_renamed", &dedup.Settings{Algorithm: dedup.HashCode, Fields: []dedup.Field{"title"}}, "Other", 1, "u1", gate.ExitFailed},
		{"by_id_renamed", &dedup.Settings{Algorithm: dedup.UniqueID, Fields: []dedup.Field{"title"}}, "Other", 9, "u1", gate.ExitPassed},
		{"by_id_other", &dedup.Settings{Algorithm: dedup.UniqueID, Fields: []dedup.Field{"title"}}, "Old", 1, "u2", gate.ExitFailed},
	} {
		who := ingest.Who{Principal: gate.Principal{User: gate.User{ID: s.user, Username: "ci"}}}
		if err := identities.Save(t.Context(), scanType, step.set, who); err != nil {
			t.Fatal(err)
		}
		if err := identities.Follow(t.Context(), scanType); err != nil {
			t.Fatal(err)
		}
		j := s.job(t)
		upload := func(args ...string) []string {
			return append([]string{"upload", "--product=" + step.name, "--branch=main", "--scan-type=" + scanType, "--on-unreachable=local", "--format=json"}, args...)
		}
		j.must(gate.ExitPassed, upload("--commit=c1", placed(t, "Old", 1, "u1"))...)
		s.proxy.fault.Store(&fault{"", "connect"})
		stdout, _ := j.must(step.want, upload("--commit=c2", placed(t, step.title, step.line, step.id))...)
		here := verdictOf(t, stdout)
		s.proxy.fault.Store(nil)
		j.must(gate.ExitPassed, "flush")
		if diff := cmp.Diff(decide(s.lastVerdict(t, step.name)), decide(here)); diff != "" {
			t.Errorf("%s (-server +here):\n%s", step.name, diff)
		}
	}
}
