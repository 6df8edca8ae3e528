package postgres

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is a user of the operating system.
type account struct {
	name     string
	uid, gid uint32
}

// me is who this program runs as.
func me() (account, error) {
	u, err := user.Current()
	if err != nil {
		return account{}, fmt.Errorf("PostgreSQL needs this user to have a name: %w", err)
	}
	return numbers(u)
}

// whose returns the account that the cluster in dir is for. PostgreSQL refuses
// to run as root, so root runs it as the owner of the cluster that is there,
// else as the postgres that packages create, or as nobody.
func whose(dir string) (account, error) {
	if os.Geteuid() != 0 {
		return me()
	}
	if info, err := os.Stat(filepath.Join(dir, "cluster")); err == nil {
		if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid != 0 {
			return account{fmt.Sprintf("#%d", st.Uid), st.Uid, st.Gid}, nil
		}
	}
	for _, name := range []string{superuser, "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			return numbers(u)
		}
	}
	return account{}, errors.New("PostgreSQL refuses to run as root, and there is no user to run it as instead: create one called postgres")
}

func numbers(u *user.User) (account, error) {
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return account{}, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	return account{u.Username, uint32(uid), uint32(gid)}, err
}

// credential is what a process needs to run as a: nothing when that is who we
// are. It belongs to no other group.
func (a account) credential() *syscall.Credential {
	if int(a.uid) == os.Geteuid() {
		return nil
	}
	return &syscall.Credential{Uid: a.uid, Gid: a.gid}
}

// folder makes a folder that only a may enter.
func (a account) folder(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() {
		return fmt.Errorf("%s is not a folder", path)
	}
	if st.Uid == a.uid {
		return os.Chmod(path, 0o700) //nolint:gosec // a folder
	}
	if int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("%s belongs to another user (#%d)", path, st.Uid)
	}
	if err := os.Chmod(path, 0o700); err != nil { //nolint:gosec // a folder
		return err
	}
	return os.Lchown(path, int(a.uid), int(a.gid))
}
