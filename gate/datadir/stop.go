package datadir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"defectdojo/gate/postgres"
)

const (
	stopWait   = 34 * time.Second // how long Stop waits: longer than a node may take
	orphanWait = 25 * time.Second // for a database alone
)

// Stop stops the node that uses the data folder dir, and its private
// database, and writes to out what it did. That nothing runs is not an error.
func Stop(ctx context.Context, dir string, out io.Writer) error {
	f, held, err := tryLock(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		fmt.Fprintf(out, "Nothing to stop: there is no %s\n", dir)
		return nil
	case err != nil:
		return fmt.Errorf("%w (DD_DATA_DIR names the data folder; stop it as the user who started it)", err)
	case held:
		return stopNode(ctx, dir, out)
	}
	defer f.Close()
	left, err := stopOrphan(ctx, dir)
	if err != nil {
		return err
	}
	if left {
		fmt.Fprintln(out, "DefectDojo was not running; stopped the private PostgreSQL that it had left behind")
		return nil
	}
	fmt.Fprintf(out, "Nothing to stop: DefectDojo is not running on %s\n", dir)
	return nil
}

// stopNode asks the node to stop and passes on what it says until it has.
func stopNode(ctx context.Context, dir string, out io.Writer) error {
	pid := read(dir).PID
	if pid <= 0 {
		return errors.New("DefectDojo is just starting: try again")
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("stop process %d: %w", pid, err)
	}
	fmt.Fprintf(out, "Stopping DefectDojo, process %d\n", pid)
	ctx, cancel := context.WithTimeout(ctx, stopWait)
	defer cancel()
	seen := 0
	for {
		f, held, err := tryLock(dir)
		seen += pass(out, reportFile(dir), seen)
		if err != nil {
			return err
		}
		if !held {
			_ = f.Close()
			fmt.Fprintln(out, "DefectDojo has stopped")
			return nil
		}
		select {
		case <-ctx.Done():
			_ = syscall.Kill(pid, syscall.SIGTERM) // the second one ends it at once
			return fmt.Errorf("process %d did not stop in time: told it to end at once; the next start recovers", pid)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// reportFile is where a node says what it does while it stops.
func reportFile(dir string) string { return filepath.Join(dir, "stop.log") }

// pass copies what is new in file to out, and returns how much that was.
func pass(out io.Writer, file string, seen int) int {
	b, err := os.ReadFile(file)
	if err != nil || len(b) < seen {
		return 0
	}
	_, _ = out.Write(b[seen:])
	return len(b) - seen
}

// Report returns a say that also writes to the report of this stop, and what
// ends that.
func (d *Folder) Report(say func(string)) (both func(string), done func()) {
	f, err := os.OpenFile(reportFile(d.dir), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return say, func() {}
	}
	return func(text string) {
		say(text)
		fmt.Fprintln(f, "  "+text)
	}, func() { _ = f.Close() }
}

// stopOrphan ends a private database that a killed node has left behind.
func stopOrphan(ctx context.Context, dir string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, orphanWait)
	defer cancel()
	return postgres.StopOrphan(ctx, filepath.Clean(Postgres(dir)))
}
