package gatetest

import "testing"

func TestDB(t *testing.T) {
	t.Parallel()
	a, b := DB(t), DB(t)
	if _, err := a.Exec(t.Context(), `create table only_here (id bigint)`); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := b.QueryRow(t.Context(), `select count(*) from river_job`).Scan(&n); err != nil {
		t.Error("not migrated:", err)
	}
	if _, err := b.Exec(t.Context(), `select * from only_here`); err == nil {
		t.Error("two tests share a database")
	}
}
