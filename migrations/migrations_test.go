package migrations_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"defectdojo/gate/gatetest"
	"defectdojo/migrations"
)

// set makes migrations out of their texts.
func set(sqls ...string) fstest.MapFS {
	files := fstest.MapFS{}
	for i, sql := range sqls {
		files[fmt.Sprintf("%04d_m.sql", i+1)] = &fstest.MapFile{Data: []byte(sql)}
	}
	return files
}

func TestUp(t *testing.T) {
	t.Parallel()
	pool := gatetest.Empty(t)
	first, err := migrations.Up(t.Context(), pool)
	if err != nil || len(first) == 0 {
		t.Fatalf("Up = %q, %v", first, err)
	}
	again, err := migrations.Up(t.Context(), pool)
	if err != nil || len(again) > 0 {
		t.Errorf("second Up = %q, %v, want nothing to do", again, err)
	}
	if _, err := pool.Exec(t.Context(), `select from river_job`); err != nil {
		t.Error(err)
	}
}

// TestUpWithGap checks that a number may be left out.
func TestUpWithGap(t *testing.T) {
	t.Parallel()
	pool := gatetest.Empty(t)
	files := fstest.MapFS{"0001_m.sql": {Data: []byte(`create table a (id bigint)`)}, "0008_m.sql": {Data: []byte(`create table b (id bigint)`)}}
	if _, err := migrations.UpFiles(t.Context(), pool, files); err != nil {
		t.Fatal(err)
	}
	if again, err := migrations.UpFiles(t.Context(), pool, files); err != nil || len(again) > 0 {
		t.Errorf("second Up = %q, %v, want nothing to do", again, err)
	}
}

func TestUpOneByOne(t *testing.T) {
	t.Parallel()
	pool := gatetest.Empty(t)
	one, two := `create table a (id bigint); insert into a values (1)`, `update a set id = id + 1; create table b (id bigint)`
	if _, err := migrations.UpFiles(t.Context(), pool, set(one)); err != nil {
		t.Fatal(err)
	}
	done, err := migrations.UpFiles(t.Context(), pool, set(one, two))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"0002_m.sql"}, done); diff != "" {
		t.Error(diff)
	}
	var id int
	if err := pool.QueryRow(t.Context(), `select id from a`).Scan(&id); err != nil || id != 2 {
		t.Errorf("id = %d, %v, want 2: each once", id, err)
	}
}

// TestUpTogether is several nodes that start at once.
func TestUpTogether(t *testing.T) {
	t.Parallel()
	pool := gatetest.Empty(t)
	files := set(`create table a (id bigint); insert into a values (1)`, `select pg_sleep(0.2); insert into a values (2)`)
	var (
		nodes sync.WaitGroup
		mu    sync.Mutex
		did   []string
	)
	for range 4 {
		nodes.Go(func() {
			done, err := migrations.UpFiles(t.Context(), pool, files)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			did = append(did, done...)
			mu.Unlock()
		})
	}
	nodes.Wait()
	var rows int
	if err := pool.QueryRow(t.Context(), `select count(*) from a`).Scan(&rows); err != nil || rows != 2 {
		t.Errorf("%d rows, %v, want 2", rows, err)
	}
	if n := strings.Count(strings.Join(did, "\n"), ".sql"); n != 2 {
		t.Errorf("the nodes ran %d migrations, want 2: %q", n, did)
	}
}

func TestUpRefuses(t *testing.T) {
	t.Parallel()
	one, two := `create table a (id bigint)`, `create table b (id bigint)`
	tests := []struct {
		name          string
		first, second fstest.MapFS
		want          string
	}{
		{"newer_database", set(one, two), set(one), "the database is newer than this program: it has had migration 0002_m.sql"},
		{"edited", set(one), set(one + ` `), "migration 0001_m.sql is not what the database has had"},
		{"another", fstest.MapFS{"0001_m.sql": {Data: []byte(one)}, "0002_m.sql": {Data: []byte(two)}}, fstest.MapFS{"0001_m.sql": {Data: []byte(one)}, "0003_m.sql": {}}, "0002_m.sql, which this program does not know"},
		{"filled_gap", fstest.MapFS{"0001_m.sql": {Data: []byte(one)}, "0003_m.sql": {}}, set(one, two, ``), "has not had migration 0002_m.sql"},
		{"two_of_a_number", set(one), fstest.MapFS{"0001_m.sql": {Data: []byte(one)}, "0001_n.sql": {}}, "0001_n.sql: 0001_m.sql has its number"},
		{"bad_name", set(one), fstest.MapFS{"1_M.sql": {}}, "its name is not like"},
		{"bad_sql", set(one), set(one, "select 1;\nselect\nnonsense"), "migration 0002_m.sql: line 3: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			pool := gatetest.Empty(t)
			if _, err := migrations.UpFiles(t.Context(), pool, tt.first); err != nil {
				t.Fatal(err)
			}
			_, err := migrations.UpFiles(t.Context(), pool, tt.second)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

// TestUpAllOrNothing checks that a migration which fails leaves no trace.
func TestUpAllOrNothing(t *testing.T) {
	t.Parallel()
	pool := gatetest.Empty(t)
	if _, err := migrations.UpFiles(t.Context(), pool, set(`create table a (id bigint); select 1/0`)); err == nil {
		t.Fatal("no error")
	}
	if _, err := migrations.UpFiles(t.Context(), pool, set(`create table a (id bigint)`)); err != nil {
		t.Errorf("after the mend: %v", err)
	}
}

func TestUpRefusesNewerRiver(t *testing.T) {
	t.Parallel()
	pool := gatetest.Empty(t)
	if _, err := migrations.UpFiles(t.Context(), pool, set()); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(t.Context(), `insert into river_migration (line, version) values ('main', 999)`); err != nil {
		t.Fatal(err)
	}
	if _, err := migrations.UpFiles(t.Context(), pool, set()); err == nil || !strings.Contains(err.Error(), "job queue is at version 999") {
		t.Errorf("error %v", err)
	}
}
