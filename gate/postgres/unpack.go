package postgres

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// unpack unpacks a package into tmp and then moves it to dir, so that what is
// there is whole.
func unpack(archive, tmp, dir string) error {
	root, err := makeRoot(tmp)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := extract(archive, root); err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	if err := links(root); err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	if err := os.Rename(tmp, dir); err != nil && !errors.Is(err, os.ErrExist) { // another process may have been quicker
		return err
	}
	return nil
}

// makeRoot makes a folder that no name in an archive leads out of.
func makeRoot(dir string) (*os.Root, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // PostgreSQL's user runs what is in it
		return nil, err
	}
	return os.OpenRoot(dir)
}

// extract writes the files of the package's native folder. All have been
// checked by the archive's sum.
func extract(archive string, root *os.Root) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(h.Name, "package/")
		if h.Typeflag != tar.TypeReg || !strings.HasPrefix(name, "native/") {
			continue
		}
		if err := put(root, name, os.FileMode(h.Mode)&0o755, r); err != nil { //nolint:gosec // its lowest bits
			return err
		}
	}
}

func put(root *os.Root, name string, mode os.FileMode, r io.Reader) error {
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := root.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := io.Copy(f, r); err != nil {
		return err
	}
	return f.Close()
}

// links makes the symbolic links of the libraries, which a package of npm's
// cannot hold: they are listed in a file instead.
func links(root *os.Root) error {
	b, err := root.ReadFile("native/pg-symlinks.json")
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var list []struct{ Source, Target string } // the file, and the link to it
	if err := json.Unmarshal(b, &list); err != nil {
		return err
	}
	for _, l := range list {
		to, err := filepath.Rel(filepath.Dir(l.Target), l.Source)
		if err != nil {
			return err
		}
		if err := root.Symlink(to, l.Target); err != nil {
			return err
		}
	}
	return nil
}
