package store_test

import (
	"testing"
	"time"

	"defectdojo/gate/gatetest"
	"defectdojo/gate/store"
)

func TestRemoveExpired(t *testing.T) {
	t.Parallel()
	pool := gatetest.DB(t)
	s := store.New(pool)
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	if _, err := pool.Exec(t.Context(), `
		with u as (insert into users (username) values ('ada') returning id)
		insert into sessions (id_hash, user_id, csrf, expires)
		select '\x01'::bytea, id, 'a', $1::timestamptz - interval '1 minute' from u union all select '\x02', id, 'b', $1::timestamptz + interval '1 minute' from u`, now); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(t.Context(), `insert into login_failures (username, ip, at) values ('a', '', $1::timestamptz - interval '2 days'), ('b', '', $1)`, now); err != nil {
		t.Fatal(err)
	}
	if err := s.RemoveExpired(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	var sessions, failures int
	if err := pool.QueryRow(t.Context(), `select (select count(*) from sessions), (select count(*) from login_failures)`).Scan(&sessions, &failures); err != nil {
		t.Fatal(err)
	}
	if sessions != 1 || failures != 1 {
		t.Errorf("%d sessions and %d failed logins are left, want one each", sessions, failures)
	}
}
