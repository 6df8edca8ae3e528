package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"defectdojo/gate/datadir"
	"defectdojo/gate/gatetest"
	"defectdojo/gate/seal"
)

var bin string // the folder of the programs under test

// TestMain removes the programs that build has made.
func TestMain(m *testing.M) {
	code := m.Run()
	if bin != "" {
		os.RemoveAll(bin)
	}
	os.Exit(code)
}

// build makes the programs as users get them, but that the server can be told
// to die at a point of its work (see package fault).
var build = sync.OnceValue(func() error {
	var err error
	if bin, err = os.MkdirTemp("", "defectdojo-bin-"); err != nil {
		return err
	}
	out, err := exec.Command("go", "build", "-tags", "faults", "-o", bin+"/", "defectdojo/cmd/defectdojo", "defectdojo/cmd/defectdojo-stop", "defectdojo/cmd/defectdojo-upload").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
})

// host is a data folder, and the programs' environment.
type host struct {
	t    *testing.T
	data string
	env  []string
}

// newHost returns a host with an empty data folder that PostgreSQL's user can
// get to. Whatever is left running on it is stopped when the test ends.
func newHost(t *testing.T, env ...string) host {
	t.Helper()
	if err := build(); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("/dev/shm", "defectdojo-test-") //nolint:usetesting // in memory, for a cluster is a thousand files; and open to its user
	if err != nil {
		dir, err = os.MkdirTemp("", "defectdojo-test-") //nolint:usetesting // as above
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data")
	h := host{t, data, append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "DD_DATA_DIR=" + data, "DD_LISTEN=127.0.0.1:0", "DD_EPSS_URL=off", "DD_KEV_URL=off", "DD_OSV_URL=off", "DD_POSTGRES_BIN=" + os.Getenv("DD_POSTGRES_BIN"),
	}, env...)}
	t.Cleanup(func() {
		datadir.Stop(context.Background(), data, io.Discard)
		os.RemoveAll(dir)
	})
	return h
}

// command returns a program of ours on the host.
func (h host) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(bin, program), args...)
	cmd.Env = h.env
	return cmd
}

// run runs a program to its end and returns its exit code and what it wrote.
func (h host) run(program string, args ...string) (code int, stdout, stderr string) {
	h.t.Helper()
	cmd := h.command(program, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.Run() // its code is what counts
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// foreground is a defectdojo that a test has started.
type foreground struct {
	*exec.Cmd
	welcome string // what it wrote until it served
	site    string
	rest    chan string // what it wrote after that
	log     *bytes.Buffer
}

var siteLine = regexp.MustCompile(`(?:DefectDojo is at|health is at) (http://[^\s/]+)`)

// start starts defectdojo in the foreground and returns when it serves.
func (h host) start(args ...string) *foreground {
	h.t.Helper()
	f := &foreground{Cmd: h.command("defectdojo", args...), rest: make(chan string, 1), log: &bytes.Buffer{}}
	f.Stderr = f.log
	out, err := f.StdoutPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	if err := f.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { f.Process.Kill() })
	lines := bufio.NewReader(out)
	for !strings.Contains(f.welcome, "Stop it with") {
		line, err := lines.ReadString('\n')
		f.welcome += line
		if err != nil {
			h.t.Fatalf("it does not serve: %v\n%s%s", f.Wait(), f.welcome, f.log)
		}
	}
	go func() {
		b, _ := io.ReadAll(lines)
		f.rest <- string(b)
	}()
	f.site = siteLine.FindStringSubmatch(f.welcome)[1]
	return f
}

// end sends a signal and returns the exit code.
func (f *foreground) end(s os.Signal) (code int, out string) {
	f.Process.Signal(s)
	out = <-f.rest
	f.Wait() // its code is what counts
	return f.ProcessState.ExitCode(), out
}

func (h host) status() datadir.Status {
	h.t.Helper()
	b, err := os.ReadFile(filepath.Join(h.data, "status.json"))
	if err != nil {
		h.t.Fatal(err)
	}
	var s datadir.Status
	if err := json.Unmarshal(b, &s); err != nil {
		h.t.Fatal(err)
	}
	return s
}

func ready(t *testing.T, site string) {
	t.Helper()
	resp, err := http.Get(site + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Errorf("GET %s/readyz = %d", site, resp.StatusCode)
	}
}

// contains checks that text has each of these parts.
func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q is not in:\n%s", p, text)
		}
	}
}

// TestFirstStart is what somebody sees who has nothing yet.
func TestFirstStart(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	begin := time.Now()
	f := h.start()
	t.Logf("serving after %v", time.Since(begin))
	ready(t, f.site)
	contains(t, f.welcome, "Creating a private PostgreSQL", "log in as  admin", "DD_URL="+f.site+" DD_TOKEN=gate_", "defectdojo-upload --product demo ")
	password := regexp.MustCompile(`password +(\S{16,}) +\(shown this once\)`).FindStringSubmatch(f.welcome)
	if password == nil {
		t.Fatalf("no password in:\n%s", f.welcome)
	}

	code, out, _ := h.run("defectdojo")
	if want := fmt.Sprintf("DefectDojo is running: process %d, %s (%s)\n", f.Process.Pid, f.site, h.data); code != 0 || out != want {
		t.Errorf("second start: code %d, %q, want 0, %q", code, out, want)
	}
	code, out = f.end(os.Interrupt)
	if code != 0 {
		t.Errorf("code %d after Ctrl-C: %s", code, f.log)
	}
	contains(t, out, "Requests: finished", "Database: stopped the private PostgreSQL")
	for _, secret := range []string{password[1], regexp.MustCompile(`gate_\S+`).FindString(f.welcome)} {
		if strings.Contains(f.log.String(), secret) {
			t.Errorf("the log has a secret:\n%s", f.log)
		}
	}

	again := h.start()
	if strings.Contains(again.welcome, "password") || strings.Contains(again.welcome, "Creating") {
		t.Errorf("the second start began anew:\n%s", again.welcome)
	}
	if code, _ := again.end(syscall.SIGTERM); code != 0 {
		t.Errorf("code %d after SIGTERM", code)
	}
}

func TestDetach(t *testing.T) {
	t.Parallel()
	h := newHost(t, "DD_ADMIN_PASSWORD=correct horse battery")
	code, out, errs := h.run("defectdojo", "--detach")
	if code != 0 {
		t.Fatalf("code %d\n%s%s", code, out, errs)
	}
	contains(t, out, "DefectDojo is at ", "the one in DD_ADMIN_PASSWORD", filepath.Join(h.data, "defectdojo.log"))
	if strings.ContainsRune(out, 0) {
		t.Error("the mark is shown")
	}
	ready(t, h.status().Site)

	code, out, _ = h.run("defectdojo", "-d")
	if code != 0 {
		t.Errorf("second start: code %d", code)
	}
	contains(t, out, fmt.Sprintf("DefectDojo is running: process %d, %s", h.status().PID, h.status().Site))

	code, out, errs = h.run("defectdojo-stop")
	if code != 0 || errs != "" {
		t.Errorf("defectdojo-stop: code %d, %s", code, errs)
	}
	contains(t, out, "Stopping DefectDojo, process ", "Requests: finished", "Database: stopped the private PostgreSQL", "DefectDojo has stopped")

	code, out, errs = h.run("defectdojo-stop")
	if code != 0 || errs != "" {
		t.Errorf("second defectdojo-stop: code %d, %s", code, errs)
	}
	contains(t, out, "Nothing to stop: DefectDojo is not running")
}

func TestStopNothing(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	code, out, errs := h.run("defectdojo-stop", "--data-dir", h.data+"/none")
	if code != 0 || errs != "" {
		t.Errorf("code %d, %s", code, errs)
	}
	contains(t, out, "Nothing to stop: there is no ")
}

// TestTaken has something else on the port: both ways of starting say so.
func TestTaken(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	h := newHost(t)
	for _, args := range [][]string{{"--listen", l.Addr().String()}, {"--detach", "--listen", l.Addr().String()}} {
		code, _, errs := h.run("defectdojo", args...)
		if code != 1 {
			t.Errorf("%s: code %d, want 1", args, code)
		}
		contains(t, errs, "address already in use (DD_LISTEN names another address)")
		if code, out, _ := h.run("defectdojo-stop"); code != 0 || !strings.Contains(out, "Nothing to stop") {
			t.Errorf("%s: it left something running: %s", args, out)
		}
	}
}

// TestKilled kills all of it, as an oom killer or a power cut does, three times.
func TestKilled(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	for n := range 3 {
		code, out, errs := h.run("defectdojo", "--detach")
		if code != 0 {
			t.Fatalf("start %d: code %d\n%s%s", n, code, out, errs)
		}
		if strings.Contains(out, "log in as") != (n == 0) {
			t.Errorf("start %d lost what was stored:\n%s", n, out)
		}
		ready(t, h.status().Site)
		pid, err := os.ReadFile(filepath.Join(h.data, "postgres/cluster/data/postmaster.pid"))
		if err != nil {
			t.Fatal(err)
		}
		var postmaster int
		fmt.Sscan(string(pid), &postmaster)
		syscall.Kill(h.status().PID, syscall.SIGKILL)
		if n > 0 {
			syscall.Kill(postmaster, syscall.SIGKILL)
		}
	}
	if code, _, errs := h.run("defectdojo-stop"); code != 0 {
		t.Errorf("defectdojo-stop after a kill: code %d, %s", code, errs)
	}
	h.start().end(syscall.SIGTERM) // PostgreSQL frees the memory of the killed ones when it starts
}

// TestHurry sends a second signal while the first waits for a request.
func TestHurry(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	f := h.start()
	c, err := net.Dial("tcp", strings.TrimPrefix(f.site, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\nonly this")
	time.Sleep(100 * time.Millisecond) // it is at work
	f.Process.Signal(syscall.SIGTERM)
	for h.status().Phase != datadir.Stopping {
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(100 * time.Millisecond)
	begin := time.Now()
	if code, _ := f.end(syscall.SIGTERM); code != 1 || time.Since(begin) > 2*time.Second {
		t.Errorf("code %d after %v", code, time.Since(begin))
	}
	h.start().end(syscall.SIGTERM)
}

func TestWrongConfig(t *testing.T) {
	t.Parallel()
	h := newHost(t, "DD_LISTEN=everywhere", "DD_ROLE=boss", "DD_ADMIN_PASSWORD=short")
	for _, args := range [][]string{nil, {"--detach"}} {
		code, _, errs := h.run("defectdojo", args...)
		if code != 2 {
			t.Errorf("code %d, want 2", code)
		}
		contains(t, errs, "DD_LISTEN: ", "DD_ROLE: ", "DD_ADMIN_PASSWORD: ", "--help")
	}
	if code, _, errs := h.run("defectdojo", "--colour"); code != 2 || !strings.Contains(errs, "--help") {
		t.Errorf("unknown flag: code %d, %s", code, errs)
	}
	if code, _, _ := h.run("defectdojo-stop", "--colour"); code != 2 {
		t.Errorf("defectdojo-stop, unknown flag: code %d", code)
	}
}

func TestCannotStart(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, env, want string }{
		{"no_folder", "DD_DATA_DIR=/dev/null/data", "the data folder cannot be made"},
		{"no_postgres", "DD_POSTGRES_BIN=/nowhere", "there is no PostgreSQL 14 to 18 in /nowhere"},
		{"no_certificate", "DD_TLS_CERT=/dev/null", "DD_TLS_CERT, DD_TLS_KEY: set both or neither"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			code, _, errs := newHost(t, tt.env).run("defectdojo")
			if code == 0 {
				t.Error("code 0")
			}
			contains(t, errs, tt.want)
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	code, out, _ := h.run("defectdojo", "--help")
	if code != 0 {
		t.Errorf("code %d", code)
	}
	contains(t, out, "--detach", "--no-install", "--role", "DD_DATABASE_URL", "DD_ADMIN_PASSWORD", "Exit codes:")
	if code, out, _ := h.run("defectdojo-stop", "--help"); code != 0 || !strings.Contains(out, "Exit codes") {
		t.Errorf("defectdojo-stop --help: code %d, %s", code, out)
	}
}

// database returns the address of one on the tests' server, for another role or
// of another name if these are given.
func database(t *testing.T, role, name string) string {
	t.Helper()
	u, err := url.Parse(gatetest.Empty(t).Config().ConnString())
	if err != nil {
		t.Fatal(err)
	}
	if q := u.Query(); role != "" {
		q.Set("user", role)
		u.RawQuery = q.Encode()
	}
	if name != "" {
		u.Path = "/" + name
	}
	return u.String()
}

// TestTwoNodes starts two nodes at once on one empty database, and then a
// worker: one of them migrates, and one makes the administrator.
func TestTwoNodes(t *testing.T) {
	t.Parallel()
	address := database(t, "", "")
	var (
		nodes [2]*foreground
		wait  sync.WaitGroup
	)
	key := "DD_CREDENTIAL_AES_256_KEY=" + seal.NewKey().String()
	hosts := [2]host{newHost(t, "DD_DATABASE_URL="+address, key), newHost(t, "DD_DATABASE_URL="+address, key)}
	for i, h := range hosts {
		wait.Go(func() { nodes[i] = h.start() })
	}
	wait.Wait()
	if t.Failed() {
		return
	}
	both := nodes[0].welcome + nodes[1].welcome
	if n := strings.Count(both, "log in as"); n != 1 {
		t.Errorf("%d administrators were made:\n%s", n, both)
	}
	if n := strings.Count(both, "Ran "); n != 1 {
		t.Errorf("%d nodes migrated:\n%s", n, both)
	}
	if code, _, errs := newHost(t, "DD_DATABASE_URL="+address).run("defectdojo"); code == 0 || !strings.Contains(errs, "DD_CREDENTIAL_AES_256_KEY") {
		t.Errorf("a node without the key of the others: code %d\n%s", code, errs)
	}
	worker := newHost(t, "DD_DATABASE_URL="+address, key).start("--role=worker")
	for _, n := range []*foreground{nodes[0], nodes[1], worker} {
		ready(t, n.site)
		code, out := n.end(syscall.SIGTERM)
		if code != 0 {
			t.Errorf("code %d: %s", code, n.log)
		}
		contains(t, out, "Database: closed the connections to PostgreSQL at ")
	}
}

// TestDatabaseURL names databases that are not there.
func TestDatabaseURL(t *testing.T) {
	t.Parallel()
	if os.Getenv("DD_TEST_DATABASE_URL") != "" {
		t.Skip("what its account may do is not known")
	}
	code, _, errs := newHost(t, "DD_DATABASE_URL="+database(t, "", "missing")).run("defectdojo")
	if code != 1 {
		t.Errorf("code %d, want 1", code)
	}
	contains(t, errs, `there is no database "missing"`, `create database "missing" owner "defectdojo"`)

	code, _, errs = newHost(t, "DD_DATABASE_URL="+database(t, "stranger", "missing")).run("defectdojo")
	if code != 1 {
		t.Errorf("code %d, want 1", code)
	}
	contains(t, errs, `create role "stranger" login`)

	f := newHost(t, "DD_DATABASE_URL="+database(t, "postgres", "made_here")).start()
	contains(t, f.welcome, "Created the database made_here")
	ready(t, f.site)
	f.end(syscall.SIGTERM)
}
