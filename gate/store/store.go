// Package store keeps the domain in PostgreSQL. All SQL of the program is here
// and in package migrations. One file holds one table or one read model.
package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"defectdojo/gate"
)

// DB is what the queries run on: a pool, or a transaction of it.
type DB interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error)
}

// Store reads and writes the domain.
type Store struct {
	pool *pgxpool.Pool // nil inside a transaction
	tx   pgx.Tx        // nil outside
	db   DB
}

// New returns a store on pool.
func New(pool *pgxpool.Pool) *Store { return &Store{pool: pool, db: pool} }

// Tx calls f with a store in a transaction, which is committed when f returns
// nil and rolled back otherwise. The pgx.Tx serves to enqueue jobs in it.
func (s *Store) Tx(ctx context.Context, f func(*Store, pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error { return f(&Store{tx: tx, db: tx}, tx) })
}

// In returns a store in a transaction that somebody else began.
func In(tx pgx.Tx) *Store { return &Store{tx: tx, db: tx} }

// LostToAnother tells whether a transaction failed only because of another one
// at the same time: it may be tried again.
func LostToAnother(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (e.Code == "40001" || e.Code == "40P01") // serialization_failure, deadlock_detected
}

// one runs a query that must return one row; what names the thing if it does not.
func one[T any](ctx context.Context, db DB, what, sql string, args ...any) (T, error) {
	rows, _ := db.Query(ctx, sql, args...) // an error comes again from the rows
	v, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[T])
	if errors.Is(err, pgx.ErrNoRows) {
		return v, gate.Errorf(gate.NotFound, "no such %s", what)
	}
	return v, conflict(err)
}

// many runs a query that returns any number of rows.
func many[T any](ctx context.Context, db DB, sql string, args ...any) ([]T, error) {
	rows, _ := db.Query(ctx, sql, args...)
	v, err := pgx.CollectRows(rows, pgx.RowToStructByName[T])
	return v, conflict(err)
}

// scalar runs a query that returns one value.
func scalar[T any](ctx context.Context, db DB, sql string, args ...any) (T, error) {
	rows, _ := db.Query(ctx, sql, args...)
	v, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	return v, conflict(err)
}

// scalars runs a query that returns one value a row.
func scalars[T any](ctx context.Context, db DB, sql string, args ...any) ([]T, error) {
	rows, _ := db.Query(ctx, sql, args...)
	v, err := pgx.CollectRows(rows, pgx.RowTo[T])
	return v, conflict(err)
}

// isNoRows tells whether a statement that returns a row did nothing.
func isNoRows(err error) bool { return errors.Is(err, pgx.ErrNoRows) }

// conflict tells a violated constraint as what it is.
func conflict(err error) error {
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return err
	}
	switch e.Code {
	case "23505": // unique_violation
		return gate.Errorf(gate.Conflict, "%s: there is one of that name already", e.TableName)
	case "23503": // foreign_key_violation
		return gate.Errorf(gate.Conflict, "%s: something that it refers to is not there, or something refers to it", e.TableName)
	}
	return err
}
