package postgres

import (
	"cmp"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Installation is one set of PostgreSQL's programs on this machine.
type Installation struct {
	Bin     string // the folder that holds postgres and initdb
	Version string // "15.18"
	Major   int    // 15
}

// places are the folders where PostgreSQL's programs are, by who packages them.
var places = []string{
	"/usr/lib/postgresql/*/bin",                          // Debian, Ubuntu
	"/usr/pgsql-*/bin",                                   // PostgreSQL's own RPMs
	"/usr/libexec/postgresql*",                           // Alpine
	"/usr/local/pgsql/bin",                               // built by hand
	"/usr/local/bin",                                     // FreeBSD, the official container image
	"/opt/homebrew/opt/postgresql*/bin",                  // Homebrew on Apple's processors
	"/usr/local/opt/postgresql*/bin",                     // Homebrew on Intel's
	"/Applications/Postgres.app/Contents/Versions/*/bin", // Postgres.app
}

// Find returns the installations on this machine that the project supports,
// the newest first. It looks in the folders given, then in PATH, then in the
// places where packages put them.
func Find(ctx context.Context, bins ...string) []Installation {
	for _, program := range []string{"postgres", "pg_config"} {
		if path, err := exec.LookPath(program); err == nil {
			if path, err = filepath.EvalSymlinks(path); err == nil { // PATH often holds only links
				bins = append(bins, filepath.Dir(path))
			}
		}
	}
	for _, pattern := range places {
		found, _ := filepath.Glob(pattern) // the patterns are fine
		bins = append(bins, found...)
	}
	return inspect(ctx, bins)
}

// inspect returns what is installed in bins, the newest first; of equal ones
// the first stays first.
func inspect(ctx context.Context, bins []string) []Installation {
	var all []Installation
	seen := map[string]bool{}
	for _, bin := range bins {
		if seen[bin] {
			continue
		}
		seen[bin] = true
		if in, err := look(ctx, bin); err == nil && in.Major >= oldest && in.Major <= newest {
			all = append(all, in)
		}
	}
	slices.SortStableFunc(all, func(a, b Installation) int { return cmp.Compare(b.Major, a.Major) })
	return all
}

// versioned finds the version in "postgres (PostgreSQL) 15.18 (Debian …)" and
// "postgres (PostgreSQL) 18beta1".
var versioned = regexp.MustCompile(`\(PostgreSQL\) (([0-9]+)[0-9a-z.]*)`)

// look asks the programs in bin for their version. Both must be there: a
// package of the client alone has neither.
func look(ctx context.Context, bin string) (Installation, error) {
	if _, err := exec.LookPath(filepath.Join(bin, "initdb")); err != nil {
		return Installation{}, err
	}
	out, err := exec.CommandContext(ctx, filepath.Join(bin, "postgres"), "--version").Output() //nolint:gosec // where the operator or a package has it
	if err != nil {
		return Installation{}, err
	}
	m := versioned.FindStringSubmatch(string(out))
	if m == nil {
		return Installation{}, fmt.Errorf("%s/postgres --version: %q", bin, out)
	}
	major, err := strconv.Atoi(m[2])
	return Installation{Bin: bin, Version: m[1], Major: major}, err
}

// of returns the installation with that major version.
func of(major int, all []Installation) (Installation, error) {
	i := slices.IndexFunc(all, func(in Installation) bool { return in.Major == major })
	if i >= 0 {
		return all[i], nil
	}
	var have []string
	for _, in := range all {
		have = append(have, fmt.Sprintf("%s in %s", in.Version, in.Bin))
	}
	return Installation{}, fmt.Errorf("the database was made by PostgreSQL %d, which is not installed here (found: %s): install it, or move the database with pg_upgrade",
		major, cmp.Or(strings.Join(have, ", "), "none"))
}
