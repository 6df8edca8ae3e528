package migrations

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// upOurs runs those of all that the database has not had.
func upOurs(ctx context.Context, conn *pgx.Conn, all []migration) ([]string, error) {
	had, err := ran(ctx, conn)
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	if err := check(all, had); err != nil {
		return nil, err
	}
	var done []string
	for _, m := range all[len(had):] {
		if err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return run(ctx, tx, m) }); err != nil {
			return done, fmt.Errorf("migration %s: %w", m.name, err)
		}
		done = append(done, m.name)
	}
	return done, nil
}

// ran returns the migrations that the database has had, in order.
func ran(ctx context.Context, conn *pgx.Conn) ([]migration, error) {
	const table = `create table if not exists migrations (
		version integer primary key,
		name    text not null,
		sum     text not null,
		ran_at  timestamptz not null default now()
	)`
	if _, err := conn.Exec(ctx, `set client_min_messages = warning`); err != nil { // no notice that the table is there
		return nil, err
	}
	if _, err := conn.Exec(ctx, table); err != nil {
		return nil, err
	}
	rows, err := conn.Query(ctx, `select version, name, sum from migrations order by version`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (migration, error) {
		var m migration
		err := row.Scan(&m.version, &m.name, &m.sum)
		return m, err
	})
}

// check tells why a database that had these migrations is not one for this
// program.
func check(all, had []migration) error {
	for i, h := range had {
		switch {
		case i >= len(all):
			return fmt.Errorf("the database is newer than this program: it has had migration %s, and this program knows no more than %d; "+
				"start the newer version that migrated it, or restore the backup from before that", had[len(had)-1].name, newest(all))
		case h.version < all[i].version:
			return fmt.Errorf("the database has had migration %s, which this program does not know: start the version that migrated it", h.name)
		case h.version > all[i].version:
			return fmt.Errorf("the database has not had migration %s, but has had the later %s", all[i].name, had[len(had)-1].name)
		case h.sum != all[i].sum:
			return fmt.Errorf("migration %s is not what the database has had under the name %s: "+
				"one that has run is never edited; add the change as migration %04d", all[i].name, h.name, newest(all)+1)
		}
	}
	return nil
}

// newest is the number of the last migration.
func newest(all []migration) int {
	if len(all) == 0 {
		return 0
	}
	return all[len(all)-1].version
}

// run runs one migration and remembers it, both in tx.
func run(ctx context.Context, tx pgx.Tx, m migration) error {
	// The bare protocol, because a file holds many statements.
	if _, err := tx.Conn().PgConn().Exec(ctx, m.sql).ReadAll(); err != nil {
		return at(m.sql, err)
	}
	_, err := tx.Exec(ctx, `insert into migrations (version, name, sum) values ($1, $2, $3)`, m.version, m.name, m.sum)
	return err
}

// at adds to err the line of sql that PostgreSQL complains of.
func at(sql string, err error) error {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || pg.Position == 0 {
		return err
	}
	before := []rune(sql)
	before = before[:min(int(pg.Position)-1, len(before))]
	return fmt.Errorf("line %d: %w", 1+strings.Count(string(before), "\n"), err)
}
