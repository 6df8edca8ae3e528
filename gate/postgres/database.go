package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// PostgreSQL's error codes that mean something here.
// https://www.postgresql.org/docs/current/errcodes-appendix.html
const (
	startingUp        = "57P03"
	invalidPassword   = "28P01" // also when there is no such role
	invalidAuth       = "28000" // no such role, or pg_hba.conf does not let it in
	noDatabase        = "3D000"
	duplicateDatabase = "42P04"
	duplicateObject   = "42710" // a role that is there already
	notAllowed        = "42501"
	uniqueViolation   = "23505" // two that create the same thing at once
)

// Create makes the role and the database that it owns, if they are missing,
// and returns the database's address.
func (c *Cluster) Create(ctx context.Context) (string, error) {
	conn, err := pgx.Connect(ctx, c.URL(superuser, "postgres"))
	if err != nil {
		return "", fmt.Errorf("private PostgreSQL in %s: %w", c.Dir, err)
	}
	defer conn.Close(ctx)
	if err := createRole(ctx, conn, Name, ""); err != nil {
		return "", err
	}
	return c.URL(Name, Name), createDatabase(ctx, conn, Name, Name)
}

// createRole makes a role that may log in, if it is missing. A statement of
// this kind takes no parameters. The password goes as its SCRAM verifier, so
// that it is in no log of the server's.
func createRole(ctx context.Context, conn *pgx.Conn, name, password string) error {
	sql := "create role " + pgx.Identifier{name}.Sanitize() + " login"
	if password != "" {
		verifier, err := scram(password)
		if err != nil {
			return err
		}
		sql += " password '" + verifier + "'"
	}
	if _, err := conn.Exec(ctx, sql); err != nil && code(err) != duplicateObject && code(err) != uniqueViolation {
		return fmt.Errorf("create role %s: %w", name, err)
	}
	return nil
}

// createDatabase makes a database, if it is missing.
func createDatabase(ctx context.Context, conn *pgx.Conn, name, owner string) error {
	sql := "create database " + pgx.Identifier{name}.Sanitize() + " owner " + pgx.Identifier{owner}.Sanitize()
	var there bool
	if err := conn.QueryRow(ctx, "select exists (select from pg_database where datname = $1)", name).Scan(&there); err != nil || there {
		return err
	}
	if _, err := conn.Exec(ctx, sql); err != nil && code(err) != duplicateDatabase && code(err) != uniqueViolation {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	return nil
}

// code returns PostgreSQL's code of err, "" when it is not PostgreSQL's.
func code(err error) string {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code
	}
	return ""
}
