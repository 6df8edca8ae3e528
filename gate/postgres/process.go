package postgres

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a running program: our child, or a postmaster that an earlier run
// left behind.
type process struct {
	pid  int
	gone chan struct{} // closed when it has ended
	err  error         // how, once gone is closed
}

// spawn starts cmd, which ends when we do. The kernel ties the child's life to
// the thread that started it, so that thread does nothing else until it is over.
func spawn(cmd *exec.Cmd, a account, death syscall.Signal) (*process, error) {
	cmd.SysProcAttr = attributes(a, death)
	p := &process{gone: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.gone)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	p.pid = cmd.Process.Pid
	return p, nil
}

// watch waits for the end of a process that is not our child.
func watch(pid int, data string) *process {
	p := &process{pid: pid, gone: make(chan struct{})}
	go func() {
		for alive(pid, data) {
			time.Sleep(100 * time.Millisecond)
		}
		p.err = fmt.Errorf("process %d has ended", pid)
		close(p.gone)
	}()
	return p
}

// pidFile is what a postmaster writes beside its data, line by line.
// https://github.com/postgres/postgres/blob/master/src/include/utils/pidfile.h
type pidFile struct {
	pid    int
	status string // starting, stopping, ready, standby
}

// readPID returns what data/postmaster.pid says, zero when there is none.
func readPID(data string) pidFile {
	b, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return pidFile{}
	}
	lines := strings.Split(string(b), "\n")
	pid, _ := strconv.Atoi(strings.TrimSpace(lines[0]))
	f := pidFile{pid: max(pid, 0)}
	if len(lines) > 7 {
		f.status = strings.TrimSpace(lines[7])
	}
	return f
}

// alive tells whether that process is a postmaster on data. A number alone says
// little: after a crash another process may have it, and in a container it
// usually does. A postmaster's working folder is its data.
func alive(pid int, data string) bool {
	if pid <= 0 {
		return false
	}
	if _, err := os.Stat("/proc/self/cwd"); err != nil { // no procfs, as on macOS
		err := syscall.Kill(pid, 0)
		return err == nil || err == syscall.EPERM
	}
	cwd, err := os.Stat(fmt.Sprintf("/proc/%d/cwd", pid))
	if err != nil {
		return false
	}
	here, err := os.Stat(data)
	return err == nil && os.SameFile(cwd, here)
}

// tail returns the end of a log, for an error to show.
func tail(file string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	lines := bytes.Split(bytes.TrimSpace(b), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-8):], []byte("\n")))
}
