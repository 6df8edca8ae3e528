package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// Config says where a private cluster is and how it runs.
type Config struct {
	Dir       string               // the folder that holds all of it; made if missing
	Programs  []Installation       // what may run it, the best first; see Find
	Throwaway bool                 // a test's: fast, and lost when the machine stops
	Say       func(message string) // tells the person who waits what takes long; may be nil
}

// Cluster is a private PostgreSQL server. While one is open no other process
// can open the same folder.
type Cluster struct {
	Config
	Installation Installation // what runs it

	socket string // the folder of the socket
	owner  account
	lock   *os.File

	process atomic.Pointer[process]
	life    context.Context // ends when Stop is called
	end     context.CancelFunc
	kept    chan struct{} // closed when keep has returned
	failed  chan struct{} // closed when it was given up
	failure error
}

// ErrInUse is wrapped by Start's and StopOrphan's error when another process
// has the cluster open.
var ErrInUse = errors.New("another process is using this database")

// Start runs the cluster in cfg.Dir and returns when it answers. It makes the
// cluster if there is none, recovers it after a crash, and ends a server that a
// killed run has left behind. From then on the server is started again whenever
// it ends by itself, until Stop.
func Start(ctx context.Context, cfg Config) (*Cluster, error) {
	c := &Cluster{Config: cfg, kept: make(chan struct{}), failed: make(chan struct{})}
	if c.Say == nil {
		c.Say = func(string) {}
	}
	if err := c.open(ctx); err != nil {
		return nil, fmt.Errorf("private PostgreSQL in %s: %w", cfg.Dir, err)
	}
	if err := c.begin(ctx); err != nil {
		_ = c.lock.Close()
		return nil, fmt.Errorf("private PostgreSQL in %s: %w", cfg.Dir, err)
	}
	c.life, c.end = context.WithCancel(context.WithoutCancel(ctx))
	go c.keep()
	return c, nil
}

// URL returns the address of a database for a role, for pgx and psql alike.
func (c *Cluster) URL(role, database string) string {
	q := url.Values{"host": {c.socket}, "port": {port}, "user": {role}}
	return (&url.URL{Scheme: "postgres", Path: "/" + database, RawQuery: q.Encode()}).String()
}

// PID returns the process number of the server.
func (c *Cluster) PID() int { return c.process.Load().pid }

// Failed is closed when the server has ended and cannot be started again; then
// Err says why.
func (c *Cluster) Failed() <-chan struct{} { return c.failed }

// Err returns why the server was given up, once Failed is closed.
func (c *Cluster) Err() error { return c.failure }

// port is part of the socket's name.
const port = "5432"

// path returns the path of a file of the cluster's.
func (c *Cluster) path(name string) string { return filepath.Join(c.Dir, name) }

// data is PostgreSQL's own folder.
func (c *Cluster) data() string { return c.path("cluster/data") }

// open takes the lock, chooses the programs, and makes the folders. Those that
// PostgreSQL writes in belong to its user and to nobody else; the configuration
// stays ours.
func (c *Cluster) open(ctx context.Context) (err error) {
	if c.Dir, err = filepath.Abs(c.Dir); err != nil {
		return err
	}
	if err := os.MkdirAll(c.Dir, 0o711); err != nil { //nolint:gosec // its user has to get through
		return err
	}
	if c.lock, err = lock(c.Dir); err != nil {
		return err
	}
	if err := c.prepare(ctx); err != nil {
		_ = c.lock.Close()
		return err
	}
	return nil
}

func (c *Cluster) prepare(ctx context.Context) (err error) {
	if c.owner, err = whose(c.Dir); err != nil {
		return err
	}
	if c.socket, err = c.socketFolder(); err != nil {
		return err
	}
	for _, dir := range []string{c.path("cluster"), c.path("log"), c.socket} {
		if err := c.owner.folder(dir); err != nil {
			return err
		}
	}
	if c.Installation, err = c.choose(); err != nil {
		return err
	}
	return c.reach(ctx)
}

// choose returns the programs of the version that made the cluster, and the
// best ones if there is none yet.
func (c *Cluster) choose() (Installation, error) {
	b, err := os.ReadFile(filepath.Join(c.data(), "PG_VERSION"))
	switch {
	case err == nil:
		major, err := strconv.Atoi(strings.TrimSpace(string(b)))
		if err != nil {
			return Installation{}, fmt.Errorf("PG_VERSION: %w", err)
		}
		return of(major, c.Programs)
	case !errors.Is(err, os.ErrNotExist):
		return Installation{}, err
	case len(c.Programs) == 0:
		return Installation{}, fmt.Errorf("no PostgreSQL %d to %d is installed", oldest, newest)
	}
	return c.Programs[0], nil
}

// socketFolder returns where the socket goes: a name longer than about 100
// bytes cannot be one, so that of a deep folder is in the temporary one.
func (c *Cluster) socketFolder() (string, error) {
	if dir := c.path("run"); len(dir)+len("/.s.PGSQL.5432") <= 100 {
		return dir, nil
	}
	info, err := os.Stat(c.Dir)
	if err != nil {
		return "", err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", errors.New("the name of the folder is too long for a socket")
	}
	return filepath.Join(cmp.Or(os.Getenv("XDG_RUNTIME_DIR"), os.TempDir()), fmt.Sprintf("defectdojo-%d-%d", st.Dev, st.Ino)), nil
}

// lock makes sure that one process has dir open. The kernel gives the lock back
// when that process ends, however it ends.
func lock(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, ErrInUse
		}
		return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return f, nil
}
