package postgres

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// install makes a folder with programs that answer as those of a version do.
func install(t *testing.T, answer string, programs ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, p := range programs {
		script := fmt.Sprintf("#!/bin/sh\necho '%s (PostgreSQL) %s'\n", p, answer)
		if err := os.WriteFile(filepath.Join(dir, p), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestInspect(t *testing.T) {
	t.Parallel()
	server := []string{"postgres", "initdb"}
	nine := install(t, "9.6.24", server...)
	fourteen := install(t, "14.9 (Debian 14.9-0+deb12u1)", server...)
	eighteen := install(t, "18beta1", server...)
	client := install(t, "17.2", "postgres")
	nineteen := install(t, "19.0", server...)

	got := inspect(t.Context(), []string{nine, fourteen, eighteen, fourteen, client, nineteen, "/nowhere"})
	want := []Installation{{eighteen, "18beta1", 18}, {fourteen, "14.9", 14}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
