package postgres

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// TestReach has a server that asks for passwords, as an operator's does.
func TestReach(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	hba := filepath.Join(dir, "own_hba.conf")
	write := func(name, text string) {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(dir, "custom.conf"), "hba_file = '"+hba+"'\n")
	write(hba, "local all postgres peer map=defectdojo\nlocal all all scram-sha-256\n")
	c := start(t, dir)
	admin := c.URL(superuser, "postgres")
	conn, err := pgx.Connect(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for _, sql := range []string{
		`create role plain login password 'secret'`,
		`create role maker login createdb password 'secret'`,
		`create database there owner plain`,
		`create database closed`,
		`create database latin encoding 'LATIN1' locale 'C' template template0 owner plain`,
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(sql, err)
		}
	}
	other, err := pgx.Connect(t.Context(), c.URL(superuser, "closed"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(t.Context())
	if _, err := other.Exec(t.Context(), `revoke create on schema public from public`); err != nil { // as it is from PostgreSQL 15 on
		t.Fatal(err)
	}
	address := func(role, password, database string) string {
		u, err := url.Parse(c.URL(role, database))
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		q.Set("password", password)
		u.RawQuery = q.Encode()
		return u.String()
	}

	tests := []struct {
		name  string
		s     Server
		wants []string // in the error; none: it works
	}{
		{"there", Server{URL: address("plain", "secret", "there")}, nil},
		{"makes_its_database", Server{URL: address("maker", "secret", "made")}, nil},
		{"administrator_makes_both", Server{URL: address("new", "pass'word", "fresh"), Admin: admin}, nil},
		{"administrator_makes_the_database", Server{URL: address("plain", "secret", "second"), Admin: admin}, nil},
		{"may_not_make_it", Server{URL: address("plain", "secret", "missing")}, []string{
			`there is no database "missing" at ` + c.socket,
			`sudo -u postgres psql -h ` + c.socket + ` -p 5432 -c 'create database "missing" owner "plain"'`,
			`DD_DATABASE_ADMIN_URL`,
		}},
		{"no_role", Server{URL: address("nobody", "s3cret", "missing")}, []string{
			`the role "nobody" is missing`, `create role "nobody" login password`, `create database "missing" owner "nobody"`,
		}},
		{"wrong_password", Server{URL: address("plain", "wr0ng", "there"), Admin: admin}, []string{`the role "plain" is there and may not log in`}},
		{"may_not_create_tables", Server{URL: address("plain", "secret", "closed")}, []string{
			`may not create tables`, `alter database "closed" owner to "plain"`,
		}},
		{"other_encoding", Server{URL: address("plain", "secret", "latin")}, []string{"it must be UTF8"}},
		{"does_not_answer", Server{URL: "postgres://x:s3cret@127.0.0.1:1/x", Wait: time.Millisecond}, []string{"the database at 127.0.0.1:1 does not answer"}},
		{"not_an_address", Server{URL: "postgres://x:s3cret@h:port/x"}, []string{"cannot parse"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := tt.s.Reach(context.Background())
			if len(tt.wants) == 0 && err != nil {
				t.Error(err)
			}
			for _, want := range tt.wants {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v\nwant one with %q", err, want)
				}
			}
			if err != nil && (strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "wr0ng")) {
				t.Errorf("the password is in the error: %v", err)
			}
		})
	}
}

// TestReachStarting waits for a server that starts later.
func TestReachStarting(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	c := start(t, dir)
	stop(t, c)
	said := make(chan string, 1)
	done := make(chan error)
	go func() {
		s := Server{URL: c.URL(superuser, "postgres"), Wait: time.Minute, Say: func(s string) { said <- s }}
		done <- s.Reach(context.Background())
	}()
	if got, want := <-said, "Waiting for the database at "+c.socket; got != want {
		t.Errorf("said %q, want %q", got, want)
	}
	start(t, dir)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
