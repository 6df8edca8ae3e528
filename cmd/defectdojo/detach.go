package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"defectdojo/gate/server"
)

// inBackground is set for a program that another one has started in the
// background. Until it serves, what it writes goes to the other's terminal.
const inBackground = "DEFECTDOJO_IN_BACKGROUND"

// served is what it writes last: the other one returns then.
var served = []byte{0}

// detach starts this program again in the background, passes on what it writes,
// and returns when it serves or has ended.
func detach(stdout, stderr io.Writer) int {
	code, err := background(stdout, stderr)
	if err != nil {
		fmt.Fprintf(stderr, "defectdojo: start in the background: %v\n", err)
		return exitFailed
	}
	return code
}

func background(stdout, stderr io.Writer) (int, error) {
	exe, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.Command(exe, os.Args[1:]...) //nolint:gosec,noctx // ourselves, and for longer than we live
	cmd.Env = append(os.Environ(), inBackground+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	errs, err := cmd.StderrPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	defer forward(cmd.Process)()
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		_, _ = io.Copy(stderr, errs)
	}()
	if follow(stdout, out) {
		return exitOK, cmd.Process.Release()
	}
	<-copied
	_ = cmd.Wait() // its code says how it ended
	return cmd.ProcessState.ExitCode(), nil
}

// forward passes a signal on to p, which is no longer the terminal's, until the
// function that it returns is called.
func forward(p *os.Process) (end func()) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		for s := range signals {
			_ = p.Signal(s)
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
	}
}

// follow copies from in to out, and tells whether in has said that it serves.
func follow(out io.Writer, in io.Reader) bool {
	buf := make([]byte, 4096)
	for {
		n, err := in.Read(buf)
		text, _, ok := bytes.Cut(buf[:n], served)
		_, _ = out.Write(text)
		if ok || err != nil {
			return ok
		}
	}
}

// letGo tells who started us that we serve, and gives the terminal back: what
// is written from now on, as by a crash, goes to a file.
func letGo(cfg server.Config) error {
	file, err := os.OpenFile(filepath.Join(cfg.DataDir, "stderr.log"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := os.Stdout.Write(served); err != nil {
		return err
	}
	for fd := 1; fd <= 2; fd++ {
		if err := unix.Dup2(int(file.Fd()), fd); err != nil {
			return err
		}
	}
	return nil
}
