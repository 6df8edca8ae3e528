package postgres

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// folder returns a folder that PostgreSQL's user can get to, also when root runs
// the tests: the parents of t.TempDir are closed.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "defectdojo-test-") //nolint:usetesting // in memory, for a cluster is a thousand files; and open to its user
	if err != nil {
		dir, err = os.MkdirTemp("", "defectdojo-test-") //nolint:usetesting // as above
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return dir
}

// programs are those in DD_POSTGRES_BIN, if it is set, or what is installed.
func programs(t *testing.T) []Installation {
	t.Helper()
	all, err := Supply{Bin: os.Getenv("DD_POSTGRES_BIN"), Forbidden: true}.Programs(t.Context())
	if err != nil {
		t.Skip(err)
	}
	return all
}

func start(t *testing.T, dir string) *Cluster {
	t.Helper()
	c, err := Start(t.Context(), Config{Dir: dir, Programs: programs(t), Throwaway: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, c) })
	return c
}

func stop(t *testing.T, c *Cluster) {
	t.Helper()
	if err := c.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

// query runs sql as the service would.
func query(t *testing.T, c *Cluster, sql string) {
	t.Helper()
	address, err := c.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Errorf("%s: %v", sql, err)
	}
}

// TestStart starts from nothing, stops, and starts again with what was stored.
// It is the one with all of a real cluster's settings.
func TestStart(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	if err := os.MkdirAll(filepath.Join(dir, "cluster/data.init/half"), 0o700); err != nil { // of a start that was killed
		t.Fatal(err)
	}
	var said []string
	cfg := Config{Dir: dir, Programs: programs(t), Say: func(s string) { said = append(said, s) }}
	c, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if len(said) != 1 || !strings.HasPrefix(said[0], "Creating a private PostgreSQL ") {
		t.Errorf("said %q", said)
	}
	query(t, c, `create extension pg_trgm; create table kept (id bigint)`)
	stop(t, c)

	if c, err = Start(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	defer stop(t, c)
	query(t, c, `select from kept`)
	for _, name := range []string{"run", "run/.s.PGSQL.5432", "cluster", "log"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		} else if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is %v, want it closed to others", name, info.Mode())
		}
	}
}

func TestStartTwice(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	start(t, dir)
	if _, err := Start(t.Context(), Config{Dir: dir, Programs: programs(t)}); !errors.Is(err, ErrInUse) {
		t.Errorf("error %v, want ErrInUse", err)
	}
	if _, err := StopOrphan(t.Context(), dir); !errors.Is(err, ErrInUse) {
		t.Errorf("StopOrphan: error %v, want ErrInUse", err)
	}
}

// TestKeep kills the server: it comes back by itself.
func TestKeep(t *testing.T) {
	t.Parallel()
	c, err := Start(t.Context(), Config{Dir: folder(t), Programs: programs(t)}) // a throwaway one may lose what it was told
	if err != nil {
		t.Fatal(err)
	}
	defer stop(t, c)
	query(t, c, `create table kept (id bigint)`)
	old := c.PID()
	if err := syscall.Kill(old, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); c.PID() == old; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it did not come back")
		}
	}
	query(t, c, `select from kept`)
}

// TestLeftBehind finds a server that a killed run has left behind.
func TestLeftBehind(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	c := start(t, dir)
	query(t, c, `create table kept (id bigint)`)
	stop(t, c)
	left, err := c.launch()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.ready(t.Context(), left); err != nil {
		t.Fatal(err)
	}
	again := start(t, dir)
	<-left.gone
	query(t, again, `select from kept`)
}

func TestStopOrphan(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	c := start(t, dir)
	stop(t, c)
	if there, err := StopOrphan(t.Context(), dir); there || err != nil {
		t.Errorf("StopOrphan = %t, %v without one", there, err)
	}
	left, err := c.launch()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.ready(t.Context(), left); err != nil {
		t.Fatal(err)
	}
	if there, err := StopOrphan(t.Context(), dir); !there || err != nil {
		t.Errorf("StopOrphan = %t, %v", there, err)
	}
	<-left.gone
	if there, err := StopOrphan(t.Context(), folder(t)); there || err != nil {
		t.Errorf("StopOrphan = %t, %v in an empty folder", there, err)
	}
}

// TestReusedNumber is a crash after which another process, here the test, has
// come to have the server's number.
func TestReusedNumber(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	c := start(t, dir)
	stop(t, c)
	for _, name := range []string{filepath.Join(c.data(), "postmaster.pid"), c.socketFile() + ".lock"} {
		if err := os.WriteFile(name, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	start(t, dir)
}

// TestDeepFolder has a name that is too long for a socket.
func TestDeepFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(folder(t), strings.Repeat("deep", 30))
	c := start(t, dir)
	query(t, c, `select 1`)
	t.Cleanup(func() { os.RemoveAll(c.socket) })
}

func TestStartRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, want string
		spoil      func(t *testing.T, cfg *Config)
	}{
		{"no_programs", "no PostgreSQL 14 to 18 is installed", func(_ *testing.T, cfg *Config) { cfg.Programs = nil }},
		{"other_version", "the database was made by PostgreSQL 9, which is not installed here (found: ", func(t *testing.T, cfg *Config) {
			data := filepath.Join(cfg.Dir, "cluster/data")
			if err := os.MkdirAll(data, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(data, "PG_VERSION"), []byte("9\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		{"file_in_the_way", "not a directory", func(t *testing.T, cfg *Config) {
			if err := os.WriteFile(filepath.Join(cfg.Dir, "x"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			cfg.Dir = filepath.Join(cfg.Dir, "x")
		}},
		{"closed_to_others", "must be able to enter the folder", func(t *testing.T, cfg *Config) {
			if os.Geteuid() != 0 {
				t.Skip("only root runs PostgreSQL as another user")
			}
			if err := os.Chmod(cfg.Dir, 0o700); err != nil {
				t.Fatal(err)
			}
			cfg.Dir = filepath.Join(cfg.Dir, "x")
		}},
		{"bad_own_settings", "nonsense", func(t *testing.T, cfg *Config) {
			if err := os.WriteFile(filepath.Join(cfg.Dir, "custom.conf"), []byte("nonsense = 1\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := Config{Dir: folder(t), Programs: programs(t), Throwaway: true}
			tt.spoil(t, &cfg)
			c, err := Start(t.Context(), cfg)
			if err == nil {
				stop(t, c)
				t.Fatal("it started")
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %q, want one with %q", err, tt.want)
			}
		})
	}
}
