package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate/postgres"
)

// TestMaintain judges again and refreshes beside a running node, and without one.
func TestMaintain(t *testing.T) {
	t.Parallel()
	kev := filepath.Join(t.TempDir(), "kev.json")
	if err := os.WriteFile(kev, []byte(`{"catalogVersion": "2026.11.20", "dateReleased": "2026-11-20T15:00:00Z", "count": 1, "vulnerabilities": [{"cveID": "CVE-2021-44228", "dateAdded": "2021-12-10"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	h := newHost(t, "DD_KEV_URL=file://"+kev, "DD_EPSS_URL=http://10.255.255.1/epss")
	srv := h.start()
	ci := srv.pipeline(h)
	for n, r := range []string{report(t, oldFinding), report(t, oldFinding, newFinding)} {
		if code, stdout, stderr := ci.run("defectdojo-upload", "--product", "shop", "--branch", "main", "--commit", string(rune('a'+n)), r); code != n {
			t.Fatalf("upload: exit code %d\n%s%s", code, stdout, stderr)
		}
	}
	check := func(want int, says []string, args ...string) {
		t.Helper()
		code, stdout, stderr := h.run("defectdojo", args...)
		if code != want {
			t.Errorf("%q: exit code %d, want %d\n%s%s", args, code, want, stdout, stderr)
		}
		contains(t, stdout+stderr, says...)
	}
	check(1, []string{"epss: failed: 10.255.255.1", "private network", "kev: ", "advisories: off"}, "intel", "refresh")
	check(0, []string{"2 verdicts judged again", "0 came out differently"}, "replay", "--all", "--since", "30d")
	address, err := postgres.Running(filepath.Join(h.data, "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	db, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close(context.Background()) })
	if _, err := db.Exec(t.Context(), `update verdicts set document = jsonb_set(document, '{overall}', '"pass"') where id = 2`); err != nil {
		t.Fatal(err)
	}
	db.Close(t.Context())
	if code, stdout, stderr := h.run("defectdojo-stop"); code != 0 {
		t.Fatalf("stop: %d\n%s%s", code, stdout, stderr)
	}
	check(0, []string{"1 verdict judged again"}, "replay", "1")
	check(1, []string{`verdict 2: overall: kept "pass", now "fail"`, "1 came out differently"}, "replay", "1", "2")
	check(1, []string{"no such verdict"}, "replay", "4711")
	check(2, []string{"name verdicts, or use --all"}, "replay")
	check(2, []string{"--since"}, "replay", "--all", "--since", "soon")
}
