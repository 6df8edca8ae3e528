package gatetest

import (
	"context"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"defectdojo/migrations"
)

// template makes, once for each state of the migrations, the database that the
// tests' are copied from, and returns its name.
var template = sync.OnceValues(func() (string, error) {
	ctx := context.Background()
	s, err := server()
	if err != nil {
		return "", err
	}
	sum, err := migrations.Sum()
	if err != nil {
		return "", err
	}
	name := "template_" + sum[:16]
	conn, err := pgx.Connect(ctx, s.admin)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, `select pg_advisory_lock(hashtext($1))`, name); err != nil { // a server that is given is for all packages
		return "", err
	}
	var there bool
	if err := conn.QueryRow(ctx, `select exists (select from pg_database where datname = $1)`, name).Scan(&there); err != nil || there {
		return name, err
	}
	return name, s.migrate(ctx, name)
})

// migrate makes the template under another name first, so that one which is
// there is whole.
func (s addresses) migrate(ctx context.Context, name string) error {
	half := name + "_half"
	if err := s.exec(ctx, `drop database if exists `+half+` with (force)`); err != nil {
		return err
	}
	if err := s.create(ctx, half, ""); err != nil {
		return err
	}
	pool, err := pgxpool.New(ctx, at(s.user, half))
	if err != nil {
		return err
	}
	_, err = migrations.Up(ctx, pool)
	pool.Close()
	if err != nil {
		return err
	}
	return s.exec(ctx, `alter database `+half+` rename to `+name)
}
