// Package gatetest gives tests a real PostgreSQL: `go test ./...` on a machine
// that has PostgreSQL's programs needs nothing else.
package gatetest

import (
	"context"
	"crypto/rand"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// DB returns a pool on a fresh, migrated database that no other test sees. It
// is dropped when the test ends.
//
// The server is one that the test program starts for itself, and that ends
// with it; DD_TEST_DATABASE_URL, the address of an account that may create
// databases, names another.
func DB(t testing.TB) *pgxpool.Pool {
	t.Helper()
	return open(t, URL(t))
}

// Empty is DB without the migrations.
func Empty(t testing.TB) *pgxpool.Pool {
	t.Helper()
	return open(t, create(t, ""))
}

// URL returns the address of a database like DB's, for a program to open.
func URL(t testing.TB) string {
	t.Helper()
	template, err := template()
	if err != nil {
		t.Fatal(err)
	}
	return create(t, template)
}

func open(t testing.TB, address string) *pgxpool.Pool {
	t.Helper()
	cfg, err := pgxpool.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	cfg.MaxConns = 10
	pool, err := pgxpool.NewWithConfig(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// create makes a database, as a copy of template if there is one, and returns
// its address.
func create(t testing.TB, template string) string {
	t.Helper()
	s, err := server()
	if err != nil {
		t.Fatal(err)
	}
	name := "t_" + strings.ToLower(rand.Text())
	if err := s.create(context.Background(), name, template); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.exec(context.Background(), `drop database `+name+` with (force)`); err != nil {
			t.Error(err)
		}
	})
	return at(s.user, name)
}

// at returns the address of another database on the same server.
func at(address, database string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address // it has been opened before
	}
	u.Path = "/" + database
	return u.String()
}

func (s addresses) create(ctx context.Context, name, template string) error {
	sql := `create database ` + name + ` owner ` + pgx.Identifier{s.owner}.Sanitize()
	if template != "" {
		sql += ` template ` + template
		if s.version >= 150000 {
			sql += ` strategy file_copy` // a tenth of the time of the other one
		}
	}
	return s.exec(ctx, sql)
}

// exec runs a statement that needs to create or drop databases.
func (s addresses) exec(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, s.admin)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	return err
}
