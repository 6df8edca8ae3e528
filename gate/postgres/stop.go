package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Stop ends the server and closes the cluster. Open transactions are rolled
// back, what was committed is written, and if that has not been done when ctx
// ends the server is made to end at once and recovers at its next start.
func (c *Cluster) Stop(ctx context.Context) error {
	c.end()
	<-c.kept
	defer c.lock.Close()
	return end(ctx, c.process.Load())
}

// StopOrphan ends the server of the cluster in dir that a killed run has left
// behind, and tells whether there was one.
func StopOrphan(ctx context.Context, dir string) (bool, error) {
	data := filepath.Join(dir, "cluster/data")
	pid := readPID(data).pid
	if !alive(pid, data) {
		return false, nil
	}
	l, err := lock(dir)
	if err != nil {
		return false, err
	}
	defer l.Close()
	return true, end(ctx, watch(pid, data))
}

// end asks ever more firmly.
// https://www.postgresql.org/docs/current/server-shutdown.html
func end(ctx context.Context, p *process) error {
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL} {
		select {
		case <-p.gone:
			return nil
		default:
		}
		if err := syscall.Kill(p.pid, s); err != nil && !errors.Is(err, os.ErrProcessDone) && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("stop PostgreSQL, process %d: %w", p.pid, err)
		}
		select {
		case <-p.gone:
			return nil
		case <-ctx.Done():
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), 6*time.Second)
		defer cancel()
	}
	<-ctx.Done()
	return errors.New("PostgreSQL does not end")
}

// halt ends a server that nobody waits for any more.
func halt(ctx context.Context, p *process) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_ = end(ctx, p)
}
