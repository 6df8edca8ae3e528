// Package datadir is the folder where a node keeps what is its own: one process
// has it at a time, says there how far it is, and is stopped by way of it.
package datadir

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// Path returns the data folder that v names as an absolute path; the usual one
// for "": a folder of the system for root, else of the user.
func Path(v string) (string, error) {
	if v != "" {
		return filepath.Abs(v)
	}
	if os.Geteuid() == 0 {
		return "/var/lib/defectdojo", nil
	}
	if state := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(state) {
		return filepath.Join(state, "defectdojo"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", errors.New("this user has no home folder: set it")
	}
	if runtime.GOOS == "darwin" {
		return filepath.Join(home, "Library/Application Support/defectdojo"), nil
	}
	return filepath.Join(home, ".local/state/defectdojo"), nil
}

// Postgres is where the private database of a data folder is.
func Postgres(dir string) string { return filepath.Join(dir, "postgres") }

// Status is what a running node says of itself to who starts or stops it.
type Status struct {
	PID     int       `json:"pid"`
	Phase   Phase     `json:"phase"`
	Site    string    `json:"site,omitempty"` // once it serves
	Started time.Time `json:"started"`
}

// Phase is how far a node is.
type Phase string

// The phases.
const (
	Starting Phase = "starting"
	Serving  Phase = "serving"
	Stopping Phase = "stopping"
)

// String says it in a sentence.
func (s Status) String() string {
	switch s.Phase {
	case Serving:
		return fmt.Sprintf("is running: process %d, %s", s.PID, s.Site)
	case Stopping:
		return fmt.Sprintf("is stopping: process %d", s.PID)
	}
	return fmt.Sprintf("is starting: process %d", s.PID)
}

// RunningError is the error of a start on a data folder that a node is using.
type RunningError struct {
	Dir    string
	Status Status
}

// Error says who is running.
func (e *RunningError) Error() string { return fmt.Sprintf("DefectDojo %s (%s)", e.Status, e.Dir) }

// Folder is a data folder that this process has for itself.
type Folder struct {
	dir  string
	lock *os.File
	Status
}

// Claim takes the data folder, and makes it if it is not there. The kernel gives
// it back when this process ends, however it ends.
func Claim(dir string, now time.Time) (*Folder, error) {
	mode := os.FileMode(0o700)
	if os.Geteuid() == 0 {
		mode = 0o711 // the private database's user has to get through
	}
	if err := os.MkdirAll(dir, mode); err != nil {
		return nil, fmt.Errorf("the data folder cannot be made: %w (DD_DATA_DIR names another)", err)
	}
	f, held, err := tryLock(dir)
	for n := 0; held && n < 10; n++ { // one that has just been killed may still be about to end
		time.Sleep(30 * time.Millisecond)
		f, held, err = tryLock(dir)
	}
	if errors.Is(err, os.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return nil, fmt.Errorf("the data folder cannot be written to: %w (DD_DATA_DIR names another)", err)
	}
	if err != nil {
		return nil, err
	}
	if held {
		return nil, &RunningError{dir, read(dir)}
	}
	_ = os.Remove(reportFile(dir)) // of the last stop
	d := &Folder{dir: dir, lock: f, Status: Status{PID: os.Getpid(), Phase: Starting, Started: now}}
	return d, d.write()
}

// tryLock returns the locked file, or that another process holds it.
func tryLock(dir string) (f *os.File, held bool, err error) {
	f, err = os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, false, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, false, nil
	}
	_ = f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, true, nil
	}
	return nil, false, fmt.Errorf("lock %s: %w", f.Name(), err)
}

// Say moves the node to a phase, for others to see.
func (d *Folder) Say(p Phase, site string) error {
	d.Phase, d.Site = p, site
	return d.write()
}

// write replaces the status as a whole: who reads it never sees half of it.
func (d *Folder) write() error {
	b, err := json.Marshal(d.Status)
	if err != nil {
		return err
	}
	tmp := filepath.Join(d.dir, ".status")
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, statusFile(d.dir))
}

// Release gives the folder back.
func (d *Folder) Release() {
	_ = os.Remove(statusFile(d.dir))
	_ = d.lock.Close()
}

func statusFile(dir string) string { return filepath.Join(dir, "status.json") }

// read returns what the node of dir says. A blank status is that of one which
// has only just been started.
func read(dir string) Status {
	s := Status{Phase: Starting}
	if b, err := os.ReadFile(statusFile(dir)); err == nil {
		_ = json.Unmarshal(b, &s) // ours
	}
	return s
}
