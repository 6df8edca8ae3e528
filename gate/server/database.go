package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"defectdojo/gate/datadir"
	"defectdojo/gate/postgres"
	"defectdojo/migrations"
)

// openDatabase is what everything is stored in.
type openDatabase struct {
	pool    *pgxpool.Pool
	cluster *postgres.Cluster // nil for a server of the operator's own
	name    string            // for people, without a secret
}

// openDB finds or runs the server, and migrates the database.
func openDB(ctx context.Context, cfg Config, say func(string)) (db *openDatabase, err error) {
	db = &openDatabase{}
	address := cfg.DatabaseURL
	if address == "" {
		address, err = db.private(ctx, cfg, say)
	} else {
		err = postgres.Server{URL: address, Admin: cfg.DatabaseAdminURL, Wait: 30 * time.Second, Say: say}.Reach(ctx)
	}
	if err == nil {
		err = db.connect(ctx, cfg, address)
	}
	if err == nil {
		err = db.migrate(ctx, say)
	}
	if err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopDatabase)
		defer cancel()
		return nil, errors.Join(err, db.close(ctx))
	}
	return db, nil
}

func (db *openDatabase) private(ctx context.Context, cfg Config, say func(string)) (string, error) {
	programs, err := postgres.Supply{
		Bin: cfg.PostgresBin, Dir: filepath.Join(cfg.DataDir, "programs"), Forbidden: cfg.NoInstall, Source: cfg.PostgresSource, Say: say,
	}.Programs(ctx)
	if err != nil {
		return "", err
	}
	db.cluster, err = postgres.Start(ctx, postgres.Config{Dir: datadir.Postgres(cfg.DataDir), Programs: programs, Say: say})
	if err != nil {
		return "", err
	}
	db.name = "private PostgreSQL " + db.cluster.Installation.Version
	return db.cluster.Create(ctx)
}

func (db *openDatabase) connect(ctx context.Context, cfg Config, address string) error {
	pc, err := pgxpool.ParseConfig(address)
	if err != nil {
		return err
	}
	pc.MaxConns = cfg.DatabaseConns
	pc.ConnConfig.RuntimeParams["timezone"] = "UTC"
	if pc.ConnConfig.RuntimeParams["application_name"] == "" {
		pc.ConnConfig.RuntimeParams["application_name"] = "defectdojo"
	}
	if db.name == "" {
		db.name = "PostgreSQL at " + pc.ConnConfig.Host
		if !strings.HasPrefix(pc.ConnConfig.Host, "/") {
			db.name = "PostgreSQL at " + net.JoinHostPort(pc.ConnConfig.Host, strconv.Itoa(int(pc.ConnConfig.Port)))
		}
	}
	db.pool, err = pgxpool.NewWithConfig(ctx, pc)
	return err
}

func (db *openDatabase) migrate(ctx context.Context, say func(string)) error {
	done, err := migrations.Up(ctx, db.pool)
	if len(done) > 0 {
		say(fmt.Sprintf("Ran %d migrations of the database", len(done)))
	}
	return err
}

// failed is closed when a private server cannot be kept running any more.
func (db *openDatabase) failed() <-chan struct{} {
	if db.cluster == nil {
		return nil
	}
	return db.cluster.Failed()
}

// close closes the pool, and stops a private server until ctx ends.
func (db *openDatabase) close(ctx context.Context) error {
	if db.pool != nil {
		closed := make(chan struct{})
		go func() { // waits for connections that are in use
			db.pool.Close()
			close(closed)
		}()
		select {
		case <-closed:
		case <-time.After(2 * time.Second):
		}
	}
	if db.cluster == nil {
		return nil
	}
	return db.cluster.Stop(ctx)
}
