package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a PostgreSQL server of the operator's own, and the database on it.
type Server struct {
	URL   string               // of the database
	Admin string               // address of an account that may create roles and databases; "" if there is none
	Wait  time.Duration        // for a server that does not answer: it may be starting, too
	Say   func(message string) // tells the person who waits what takes long; may be nil
}

// Reach returns when the database answers and is one that we can use. A role or
// a database that is missing is made, if the account, or the administrator's,
// may; otherwise the error says what to run.
func (s Server) Reach(ctx context.Context) error {
	cfg, err := pgx.ParseConfig(s.URL)
	if err != nil {
		return err
	}
	if cfg.Database == "" { // as PostgreSQL itself reads it
		cfg.Database = cfg.User
	}
	conn, err := s.connect(ctx, cfg)
	switch code(err) {
	case noDatabase:
		err = s.addDatabase(ctx, cfg)
	case invalidPassword, invalidAuth:
		err = s.addRole(ctx, cfg, err)
	}
	if err != nil {
		return err
	}
	if conn == nil {
		if conn, err = s.connect(ctx, cfg); err != nil {
			return err
		}
	}
	defer conn.Close(ctx)
	return usable(ctx, conn)
}

// connect waits for a server that is not there yet.
func (s Server) connect(ctx context.Context, cfg *pgx.ConnConfig) (*pgx.Conn, error) {
	wait, cancel := context.WithTimeout(ctx, s.Wait)
	defer cancel()
	for n := 0; ; n++ {
		one, end := context.WithTimeout(ctx, 10*time.Second)
		conn, err := pgx.ConnectConfig(one, cfg)
		end()
		if err == nil {
			return conn, nil
		}
		if c := code(err); c != "" && c != startingUp {
			return nil, fmt.Errorf("database at %s: %w", place(cfg), err)
		}
		if n == 0 && s.Say != nil {
			s.Say("Waiting for the database at " + place(cfg))
		}
		if pause(wait, 500*time.Millisecond) != nil {
			return nil, fmt.Errorf("the database at %s does not answer: %w", place(cfg), err)
		}
	}
}

// addDatabase makes the database that cfg names.
func (s Server) addDatabase(ctx context.Context, cfg *pgx.ConnConfig) error {
	conn, err := s.administrator(ctx, cfg)
	if err == nil {
		defer conn.Close(ctx)
		err = createDatabase(ctx, conn, cfg.Database, cfg.User)
	}
	if err == nil {
		s.say("Created the database " + cfg.Database)
		return nil
	}
	return fmt.Errorf("there is no database %q at %s, and it cannot be created with this account (%w).\n%s",
		cfg.Database, place(cfg), err, advice(cfg, databaseSQL(cfg)))
}

// addRole makes the role that cfg names, and its database. refused is how the
// server has answered the role: it does not tell a wrong password from a role
// that is not there.
func (s Server) addRole(ctx context.Context, cfg *pgx.ConnConfig, refused error) error {
	role := "create role " + pgx.Identifier{cfg.User}.Sanitize() + " login password 'the password in DD_DATABASE_URL'"
	if s.Admin == "" {
		return fmt.Errorf("%w.\nIf the password is right, then the role %q is missing.\n%s", refused, cfg.User, advice(cfg, role, databaseSQL(cfg)))
	}
	conn, err := s.administrator(ctx, cfg)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	var there bool
	if err := conn.QueryRow(ctx, "select exists (select from pg_roles where rolname = $1)", cfg.User).Scan(&there); err != nil {
		return err
	}
	if there {
		return fmt.Errorf("the role %q is there and may not log in like this: %w", cfg.User, refused)
	}
	if err := createRole(ctx, conn, cfg.User, cfg.Password); err != nil {
		return fmt.Errorf("%w.\n%s", err, advice(cfg, role, databaseSQL(cfg)))
	}
	s.say("Created the role " + cfg.User)
	// Who is no superuser gives a database only to a role that they belong to.
	_, _ = conn.Exec(ctx, "grant "+pgx.Identifier{cfg.User}.Sanitize()+" to current_user")
	return s.addDatabase(ctx, cfg)
}

// administrator connects with the account that may create things: the
// administrator's if one is given, else the account itself, to a database that
// is always there.
func (s Server) administrator(ctx context.Context, cfg *pgx.ConnConfig) (*pgx.Conn, error) {
	if s.Admin != "" {
		admin, err := pgx.ParseConfig(s.Admin)
		if err != nil {
			return nil, err
		}
		return s.connect(ctx, admin)
	}
	var errs []error
	for _, name := range []string{"postgres", "template1"} {
		other := cfg.Copy()
		other.Database = name
		conn, err := s.connect(ctx, other)
		if err == nil {
			return conn, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

func (s Server) say(message string) {
	if s.Say != nil {
		s.Say(message)
	}
}

func databaseSQL(cfg *pgx.ConnConfig) string {
	return "create database " + pgx.Identifier{cfg.Database}.Sanitize() + " owner " + pgx.Identifier{cfg.User}.Sanitize()
}

// advice says what an administrator has to run.
func advice(cfg *pgx.ConnConfig, sqls ...string) string {
	psql := "psql -h " + cfg.Host + " -p " + strconv.Itoa(int(cfg.Port)) + " -U postgres"
	if strings.HasPrefix(cfg.Host, "/") {
		psql = "sudo -u postgres " + strings.TrimSuffix(psql, " -U postgres")
	}
	var b strings.Builder
	b.WriteString("Run this as an administrator of that server:\n")
	for _, sql := range sqls {
		fmt.Fprintf(&b, "    %s -c %s\n", psql, quote(sql))
	}
	b.WriteString("or set DD_DATABASE_ADMIN_URL to the address of an account that may, and start again.")
	return b.String()
}

// quote writes an argument for a shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// place names a server without a secret.
func place(cfg *pgx.ConnConfig) string {
	if strings.HasPrefix(cfg.Host, "/") {
		return cfg.Host
	}
	return net.JoinHostPort(cfg.Host, strconv.Itoa(int(cfg.Port)))
}

// usable tells why the database is not one for us.
func usable(ctx context.Context, conn *pgx.Conn) error {
	const sql = `select current_setting('server_version_num')::int, current_setting('server_version'), current_setting('server_encoding'),
		pg_is_in_recovery(), has_schema_privilege(current_user, 'public', 'create'), current_user::text, current_database()::text`
	var (
		number                        int
		version, encoding, role, name string
		standby, creates              bool
	)
	if err := conn.QueryRow(ctx, sql).Scan(&number, &version, &encoding, &standby, &creates, &role, &name); err != nil {
		return err
	}
	at := place(conn.Config())
	switch {
	case number < oldest*10000:
		return fmt.Errorf("the server at %s is PostgreSQL %s; it must be %d or newer", at, version, oldest)
	case encoding != "UTF8":
		return fmt.Errorf("the database %q at %s is encoded in %s; it must be UTF8", name, at, encoding)
	case standby:
		return fmt.Errorf("the server at %s is a standby, which cannot be written to: name the primary", at)
	case !creates:
		return fmt.Errorf("the role %q may not create tables in the database %q.\n%s", role, name,
			advice(conn.Config(), "alter database "+pgx.Identifier{name}.Sanitize()+" owner to "+pgx.Identifier{role}.Sanitize()))
	}
	return nil
}
