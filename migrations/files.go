package migrations

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
)

// migration is one file.
type migration struct {
	version int
	name    string // the file's
	sql     string
	sum     string // SHA-256 of sql in hex
}

// named is how a migration's file is called.
var named = regexp.MustCompile(`^([0-9]{4})_[a-z0-9_]+\.sql$`)

// read returns the migrations of files in order. Numbers may be left out, for
// work that was numbered at the start and never came; two of one number were
// written at once, and are refused.
func read(files fs.FS) ([]migration, error) {
	names, err := fs.Glob(files, "*.sql") // sorted
	if err != nil {
		return nil, err
	}
	all := make([]migration, len(names))
	for i, name := range names {
		m := named.FindStringSubmatch(name)
		if m == nil {
			return nil, fmt.Errorf("migration %s: its name is not like 0001_what_it_does.sql", name)
		}
		version, _ := strconv.Atoi(m[1])
		if i > 0 && version == all[i-1].version {
			return nil, fmt.Errorf("migration %s: %s has its number", name, all[i-1].name)
		}
		sql, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(sql)
		all[i] = migration{version, name, string(sql), hex.EncodeToString(sum[:])}
	}
	return all, nil
}
