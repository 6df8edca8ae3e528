package postgres

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	kB = 1 << 10
	mB = 1 << 20
	gB = 1 << 30
)

// machine is what there is to use. A zero is not known.
type machine struct {
	memory int64 // bytes that this process may use
	disk   int64 // bytes free where the cluster is
	shm    int64 // bytes free in /dev/shm
}

// measure looks at the machine and at the disk of dir.
func measure(dir string) machine {
	return machine{memory: memory(), disk: free(dir), shm: free("/dev/shm")}
}

// memory is the machine's, or the limit of the control group: a container
// often sees the whole machine's.
func memory() int64 {
	m := physical()
	for _, limit := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		b, _ := os.ReadFile(limit)
		if n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64); err == nil && n > 0 && (m == 0 || n < m) {
			m = n
		}
	}
	return m
}

// free returns how much this user may write to the disk of path.
func free(path string) int64 {
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err != nil {
		return 0
	}
	return int64(fs.Bavail) * int64(fs.Bsize) //nolint:gosec,unconvert // no disk is that large; the types differ by system
}
