package gatetest

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sys/unix"

	"defectdojo/gate/postgres"
)

// addresses are how to reach the tests' server.
type addresses struct {
	admin   string // for who may create databases
	user    string // for who uses them, as the service would
	owner   string // that role's name
	version int    // 150018 is 15.18
}

// server starts the test program's own PostgreSQL when a test first needs it.
var server = sync.OnceValues(func() (addresses, error) {
	ctx := context.Background()
	s := addresses{admin: os.Getenv("DD_TEST_DATABASE_URL")}
	s.user = s.admin
	if s.admin == "" {
		var err error
		if s, err = private(ctx); err != nil {
			return s, err
		}
	}
	conn, err := pgx.Connect(ctx, s.admin)
	if err != nil {
		return s, fmt.Errorf("DD_TEST_DATABASE_URL: %w", err)
	}
	defer conn.Close(ctx)
	s.version, err = strconv.Atoi(conn.PgConn().ParameterStatus("server_version_num"))
	if err != nil {
		err = conn.QueryRow(ctx, `select current_setting('server_version_num')::int`).Scan(&s.version)
	}
	if s.owner == "" {
		s.owner = conn.Config().User
	}
	return s, err
})

// private runs a cluster in a temporary folder until the test program ends.
func private(ctx context.Context) (addresses, error) {
	programs, err := Programs(ctx)
	if err != nil {
		return addresses{}, fmt.Errorf("the tests need a PostgreSQL server; DD_TEST_DATABASE_URL can name one: %w", err)
	}
	dir, err := os.MkdirTemp(fastFolder(), "defectdojo-test-")
	if err != nil {
		return addresses{}, err
	}
	if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // root's tests run PostgreSQL as another user
		return addresses{}, err
	}
	if err := sweepAfter(dir); err != nil {
		return addresses{}, err
	}
	c, err := postgres.Start(ctx, postgres.Config{Dir: dir, Programs: programs, Throwaway: true})
	if err != nil {
		return addresses{}, err
	}
	user, err := c.Create(ctx)
	return addresses{admin: c.URL("postgres", "postgres"), user: user, owner: postgres.Name}, err
}

// sweeper waits until its input ends, as it does when the test program ends in
// whatever way, stops the server and deletes the folder.
const sweeper = `cat >/dev/null
pidfile="$1/cluster/data/postmaster.pid"
kill -QUIT "$(head -n 1 "$pidfile" 2>/dev/null)" 2>/dev/null
n=0
while [ -e "$pidfile" ] && [ $n -lt 100 ]; do sleep 0.05; n=$((n+1)); done
rm -rf "$1"`

// Programs returns PostgreSQL's programs for tests: those in DD_POSTGRES_BIN if
// it is set, else what is installed, else what can be (see postgres.Supply).
func Programs(ctx context.Context) ([]postgres.Installation, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	return postgres.Supply{
		Bin:       os.Getenv("DD_POSTGRES_BIN"),
		Dir:       filepath.Join(cache, "defectdojo"),
		Forbidden: os.Getenv("DD_NO_INSTALL") != "",
		Source:    os.Getenv("DD_POSTGRES_DOWNLOAD_URL"),
		Say:       func(s string) { fmt.Fprintln(os.Stderr, s) },
	}.Programs(ctx)
}

// fastFolder is in memory where there is enough of it, unless TMPDIR says
// otherwise: a database is some hundred files, and making those is what a copy
// costs (0.05 s against 0.65 s, measured).
func fastFolder() string {
	const memory = "/dev/shm"
	var fs unix.Statfs_t
	if err := unix.Statfs(memory, &fs); err != nil || os.Getenv("TMPDIR") != "" {
		return ""
	}
	if int64(fs.Bavail)*int64(fs.Bsize) < 4<<30 || unix.Access(memory, unix.W_OK) != nil { //nolint:gosec,unconvert // no such size; the types differ by system
		return ""
	}
	return memory
}

// life is the sweeper's input. It is never written to, and closed by nobody
// but the system: a variable, so that the garbage collector does not.
var life io.WriteCloser //nolint:unused // held, not used

// sweepAfter runs the sweeper on dir. A test program has no last line of its
// own that could do that.
func sweepAfter(dir string) error {
	cmd := exec.Command("sh", "-c", sweeper, "sh", filepath.Clean(dir)) //nolint:gosec,noctx // the words above; it outlives us on purpose
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var err error
	if life, err = cmd.StdinPipe(); err != nil {
		return err
	}
	return cmd.Start()
}
