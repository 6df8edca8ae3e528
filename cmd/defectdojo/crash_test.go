package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate/fault"
)

// TestKilledImports kills the server and its database at random moments of
// imports: each is there whole or not at all, and the next start goes on.
func TestKilledImports(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	srv := h.start()
	ci := srv.pipeline(h)
	path := manyFindings(t, 4000)
	kills := 4
	if os.Getenv("DD_LONG_TESTS") != "" {
		kills = 50
	}
	for n := range kills {
		upload := ci.command("defectdojo-upload", "--product", fmt.Sprint("shop", n), "--timeout", "3s", path)
		if err := upload.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(50+97*n%700) * time.Millisecond)
		srv.Process.Kill()
		srv.Wait()
		if n%2 == 0 {
			signalDatabase(t, h, syscall.SIGKILL) // as a power cut does
		}
		upload.Wait()
		srv = h.start()
		ci.env[1] = "DD_URL=" + srv.site
		// What was cut off is sent again, as a pipeline does.
		if code, stdout, stderr := ci.run("defectdojo-upload", "--product", fmt.Sprint("shop", n), path); code != 0 {
			t.Errorf("kill %d: the next upload: exit code %d\n%s%s", n, code, stdout, stderr)
		} else if !strings.Contains(stderr, "4000 open") && !strings.Contains(stderr, "4000 unchanged") {
			t.Errorf("kill %d: not all findings are there once:\n%s", n, stderr)
		}
	}
	h.run("defectdojo-stop")
	if code, stdout, stderr := h.run("defectdojo", "fsck"); code != 0 {
		t.Errorf("fsck after %d kills: %d\n%s%s", kills, code, stdout, stderr)
	}
}

// signalDatabase sends a signal to the private server of a host.
func signalDatabase(t *testing.T, h host, signal syscall.Signal) {
	t.Helper()
	found, _ := filepath.Glob(filepath.Join(h.data, "postgres", "*", "data", "postmaster.pid"))
	for _, f := range found {
		b, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		var pid int
		if _, err := fmt.Sscan(string(b), &pid); err == nil {
			syscall.Kill(pid, signal)
		}
	}
}

// manyFindings is a report that takes several chunks to store.
func manyFindings(t *testing.T, n int) string {
	t.Helper()
	many := make([]finding, n)
	for i := range many {
		many[i] = finding{fmt.Sprintf("CVE-2024-%d", 10000+i), fmt.Sprintf("package-%d", i), "1.0.0", "1.0.1", "HIGH"}
	}
	return report(t, many...)
}

// TestKilledAtEachPoint kills the server at each point of an import and of the
// job that follows it. The pipeline sends its report again, with the same key:
// it is stored once and whole, and what should follow follows.
func TestKilledAtEachPoint(t *testing.T) {
	t.Parallel()
	points := []string{fault.BodyRead, fault.BlobStored, fault.Parsed, fault.Locked, fault.Copying, fault.Committing, fault.Committed, fault.Following}
	rounds := 1
	if os.Getenv("DD_LONG_TESTS") != "" {
		rounds = 25
	}
	address := database(t, "", "")
	h := newHost(t, "DD_DATABASE_URL="+address)
	srv := h.start()
	token := tokenIn.FindStringSubmatch(srv.welcome)[1]
	srv.end(syscall.SIGTERM)
	path := manyFindings(t, 4000)
	ci := func(f *foreground) host {
		p := h
		p.env = []string{"PATH=" + os.Getenv("PATH"), "DD_URL=" + f.site, "DD_TOKEN=" + token, "CI=true", "GITHUB_ACTIONS=true", "GITHUB_RUN_ID=7", "GITHUB_RUN_ATTEMPT=1"}
		return p
	}
	want := 0
	for round := range rounds {
		for _, point := range points {
			product := fmt.Sprint(point, round)
			doomed := h
			doomed.env = append(append([]string{}, h.env...), "DD_FAULT="+point)
			srv := doomed.start()
			upload := ci(srv).command("defectdojo-upload", "--product", product, "--timeout", "2s", path)
			if err := upload.Start(); err != nil {
				t.Fatal(err)
			}
			<-srv.rest // it has died
			srv.Wait()
			if ws, ok := srv.ProcessState.Sys().(syscall.WaitStatus); !ok || ws.Signal() != syscall.SIGKILL {
				t.Errorf("%s: the server ended with %s", point, srv.ProcessState)
			}
			upload.Wait()
			srv = h.start()
			want++
			code, stdout, stderr := ci(srv).run("defectdojo-upload", "--product", product, path)
			if code != 0 || !strings.Contains(stderr, "4000 open") && !strings.Contains(stderr, "4000 unchanged") {
				t.Errorf("%s: the next upload: exit code %d\n%s%s", point, code, stdout, stderr)
			}
			srv.end(syscall.SIGTERM)
		}
	}
	srv = h.start()
	db, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.Background())
	until(t, db, `select count(*) = 0 from river_job where kind = 'event' and state <> 'completed'`)
	var imports, findings, events int
	if err := db.QueryRow(t.Context(), `
		select (select count(*) from test_imports where state = 'done'), (select count(*) from findings),
		       (select count(*) from river_job where kind = 'event' and args -> 'event' ->> 'kind' = 'import')`).Scan(&imports, &findings, &events); err != nil {
		t.Fatal(err)
	}
	if imports != want || findings != 4000*want || events != want {
		t.Errorf("after %d kills: %d imports, %d findings, %d events", want, imports, findings, events)
	}
	srv.end(syscall.SIGTERM)
	if code, stdout, stderr := h.run("defectdojo", "fsck"); code != 0 {
		t.Errorf("fsck after %d kills: %d\n%s%s", want, code, stdout, stderr)
	}
	t.Logf("%d of %d kills left one whole import each", imports, want)
}

// until waits for a query to return true.
func until(t *testing.T, db *pgx.Conn, sql string) {
	t.Helper()
	for end := time.Now().Add(3 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		var ok bool
		if err := db.QueryRow(t.Context(), sql).Scan(&ok); err != nil {
			t.Fatal(err)
		}
		if ok {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("in three minutes this did not come true: %s", sql)
		}
	}
}

// TestDatabaseRestarts has the private database end at once, as in a crash,
// while uploads run: the node stays, and each upload ends well by itself.
func TestDatabaseRestarts(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	srv := h.start()
	ci := srv.pipeline(h, "CI=true", "GITHUB_ACTIONS=true", "GITHUB_RUN_ID=7", "GITHUB_RUN_ATTEMPT=1")
	path := manyFindings(t, 3000)
	restarts, uploads := 2, 4
	if os.Getenv("DD_LONG_TESTS") != "" {
		restarts, uploads = 20, 20
	}
	for n := range restarts {
		var wait sync.WaitGroup
		for i := range uploads {
			wait.Go(func() {
				code, stdout, stderr := ci.run("defectdojo-upload", "--product", fmt.Sprint("shop", n, "-", i), "--timeout", "2m", path)
				if code != 0 || !strings.Contains(stderr, "3000 open") && !strings.Contains(stderr, "3000 unchanged") {
					t.Errorf("restart %d, upload %d: exit code %d\n%s%s", n, i, code, stdout, stderr)
				}
			})
		}
		time.Sleep(time.Duration(300+131*n%500) * time.Millisecond) // some are at work, at different points
		signalDatabase(t, h, syscall.SIGQUIT)
		wait.Wait()
	}
	if code, _ := srv.end(syscall.SIGTERM); code != 0 {
		t.Errorf("the node ended with code %d\n%s", code, srv.log)
	}
	if code, stdout, stderr := h.run("defectdojo", "fsck"); code != 0 {
		t.Errorf("fsck after %d restarts: %d\n%s%s", restarts, code, stdout, stderr)
	}
}
