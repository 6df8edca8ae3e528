package postgres

import "syscall"

// attributes make a child that runs as a, is asked to end with the signal death
// when we are killed, and does not get the terminal's Ctrl-C, which is for us:
// the work that is under way is finished first.
func attributes(a account, death syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Credential: a.credential(), Pdeathsig: death}
}
