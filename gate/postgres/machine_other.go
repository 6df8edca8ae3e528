//go:build unix && !linux

package postgres

import "golang.org/x/sys/unix"

// physical asks in macOS's words; other systems do not know them, and then the
// settings are those for a small machine.
func physical() int64 {
	n, err := unix.SysctlUint64("hw.memsize")
	if err != nil {
		return 0
	}
	return int64(n) //nolint:gosec // no machine has that much
}
