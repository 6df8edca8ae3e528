package postgres

import (
	"fmt"
	"os"
	"path/filepath"
)

// Running returns the address of the database in a private cluster that another
// process keeps running.
func Running(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	c := Cluster{Config: Config{Dir: dir}}
	if c.socket, err = c.socketFolder(); err != nil {
		return "", err
	}
	if _, err := os.Stat(c.socketFile()); err != nil {
		return "", fmt.Errorf("private PostgreSQL in %s: it does not run: %w", dir, err)
	}
	return c.URL(Name, Name), nil
}
