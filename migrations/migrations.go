// Package migrations holds the schema: numbered .sql files, run in order, each
// once and in its own transaction. A file that has landed is never edited; what
// comes next is a new file with the next number.
package migrations

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Files are the migrations, named 0001_what_it_does.sql.
//
//go:embed *.sql
var Files embed.FS

// lock is the advisory lock that keeps nodes which start at once from migrating
// at once. It must never change: nodes of two versions may start together.
const lock int64 = 0x6465666563740001

// Up brings the pool's database to the newest schema, River's tables for the
// jobs included, and returns the names of what it ran: none when all was there.
// Of several nodes that start at once one migrates and the others wait for it.
// It refuses a database that a newer version has migrated, and one that had
// another text of a migration. The pool must allow two connections.
func Up(ctx context.Context, pool *pgxpool.Pool) ([]string, error) {
	return up(ctx, pool, Files)
}

// Sum is one text for the whole schema, River's part included: it changes
// whenever a migration does.
func Sum() (string, error) {
	all, err := read(Files)
	if err != nil {
		return "", err
	}
	m, err := river(nil)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, o := range all {
		fmt.Fprintln(sum, o.name, o.sum)
	}
	for _, r := range m.AllVersions() {
		fmt.Fprintln(sum, r.Version, r.SQLUp)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

func up(ctx context.Context, pool *pgxpool.Pool, files fs.FS) ([]string, error) {
	all, err := read(files)
	if err != nil {
		return nil, err
	}
	var done []string
	err = locked(ctx, pool, func(conn *pgx.Conn) error {
		if done, err = upOurs(ctx, conn, all); err != nil {
			return err
		}
		more, err := upRiver(ctx, pool)
		done = append(done, more...)
		return err
	})
	return done, err
}

// locked calls f with a connection that holds the lock, and closes it: the end
// of the session is what gives the lock back in every case. Time limits that a
// role or a database may have are lifted, because a migration may take long.
func locked(ctx context.Context, pool *pgxpool.Pool, f func(*pgx.Conn) error) error {
	c, err := pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	conn := c.Hijack()
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, `set statement_timeout = 0; set lock_timeout = 0; set idle_in_transaction_session_timeout = 0`); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if _, err := conn.Exec(ctx, `select pg_advisory_lock($1)`, lock); err != nil {
		return fmt.Errorf("wait for another node's migration: %w", err)
	}
	return f(conn)
}
