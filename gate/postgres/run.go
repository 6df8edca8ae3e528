package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// begin makes the cluster if there is none and runs it.
func (c *Cluster) begin(ctx context.Context) error {
	if _, err := os.Stat(c.data()); errors.Is(err, os.ErrNotExist) {
		if err := c.create(ctx); err != nil {
			return err
		}
	}
	if err := c.endLeft(ctx); err != nil {
		return err
	}
	if err := c.configure(ctx); err != nil {
		return err
	}
	return c.run(ctx)
}

// endLeft ends the server that a killed run has left behind. It may be about to
// end anyway, for on Linux it is told to when we die; and only our own child is
// told so, and has the settings of today.
func (c *Cluster) endLeft(ctx context.Context) error {
	pid := readPID(c.data()).pid
	if !alive(pid, c.data()) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return end(ctx, watch(pid, c.data()))
}

// run starts the server and returns when it answers. What is left of one that
// was killed is waited for.
func (c *Cluster) run(ctx context.Context) error {
	var err error
	for range 100 {
		if err = c.try(ctx); err == nil || !leftover(err) || pause(ctx, 200*time.Millisecond) != nil {
			return err
		}
	}
	return err
}

func (c *Cluster) try(ctx context.Context) error {
	if err := c.sweep(); err != nil {
		return err
	}
	p, err := c.launch()
	if err != nil {
		return err
	}
	if err := c.ready(ctx, p); err != nil {
		return err
	}
	c.process.Store(p)
	return nil
}

// sweep removes the marks of a server that is no longer there. PostgreSQL does
// so itself, but not when some other process has come to have its number: in a
// container that is common.
func (c *Cluster) sweep() error {
	for _, name := range []string{filepath.Join(c.data(), "postmaster.pid"), c.socketFile() + ".lock", c.socketFile()} {
		if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (c *Cluster) socketFile() string { return filepath.Join(c.socket, ".s.PGSQL."+port) }

// launch starts the server itself, not pg_ctl, so that it is our child.
func (c *Cluster) launch() (*process, error) {
	out, err := os.Create(c.path("start.log"))
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := c.command("postgres", "-D", c.data(), "-c", "config_file="+c.path("server.conf"))
	cmd.Stdout, cmd.Stderr = out, out
	return spawn(cmd, c.owner, syscall.SIGINT)
}

// ready waits until the server says that it takes connections.
func (c *Cluster) ready(ctx context.Context, p *process) error {
	for n := 1; ; n++ {
		if f := readPID(c.data()); f.pid == p.pid && f.status == "ready" {
			return nil
		}
		if n == 500 {
			c.Say("PostgreSQL is recovering from a crash; this can take some minutes")
		}
		select {
		case <-p.gone:
			return fmt.Errorf("PostgreSQL did not start: %w\n%s", p.err, c.complaints())
		case <-ctx.Done():
			halt(ctx, p)
			return fmt.Errorf("PostgreSQL is not ready yet: %w\n%s", ctx.Err(), c.complaints())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// complaints returns the end of what the server wrote when it started, and of
// its log.
func (c *Cluster) complaints() string {
	text := tail(c.path("start.log"))
	logs, _ := filepath.Glob(c.path("log/*.log"))
	newest := ""
	var at time.Time
	for _, name := range logs {
		if info, err := os.Stat(name); err == nil && info.ModTime().After(at) {
			newest, at = name, info.ModTime()
		}
	}
	return strings.TrimSpace(text + "\n" + tail(newest))
}

// leftover tells whether a start failed because processes of a killed server
// have not all ended: they do within a second or so.
func leftover(err error) bool {
	return strings.Contains(err.Error(), "pre-existing shared memory block") || strings.Contains(err.Error(), "already exists")
}

// keep starts the server again whenever it ends by itself.
func (c *Cluster) keep() {
	defer close(c.kept)
	for {
		select {
		case <-c.life.Done():
			return
		case <-c.process.Load().gone:
		}
		slog.ErrorContext(c.life, "postgres ended by itself and is started again", "error", c.process.Load().err)
		if err := c.again(); err != nil && c.life.Err() == nil {
			c.failure = err
			close(c.failed)
			return
		}
	}
}

// again tries to start the server for about a minute.
func (c *Cluster) again() (err error) {
	for wait := time.Second; wait < time.Minute; wait *= 2 {
		if err = c.run(c.life); err == nil || pause(c.life, wait) != nil {
			return err
		}
		slog.ErrorContext(c.life, "postgres does not start", "error", err)
	}
	return err
}

// pause waits, or returns the error of ctx.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
