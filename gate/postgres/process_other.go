//go:build unix && !linux

package postgres

import "syscall"

// attributes make a child that runs as a and does not get the terminal's
// Ctrl-C. Only Linux can tie its life to ours; elsewhere the next start finds
// it running and ends it.
func attributes(a account, _ syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Credential: a.credential()}
}
