package migrations

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// upRiver runs the migrations of River, the job queue, that the database has
// not had (https://riverqueue.com/docs/migrations).
func upRiver(ctx context.Context, pool *pgxpool.Pool) ([]string, error) {
	m, err := river(pool)
	if err != nil {
		return nil, fmt.Errorf("migrate River: %w", err)
	}
	all := m.AllVersions()
	had, err := riverVersion(ctx, pool)
	if err != nil {
		return nil, fmt.Errorf("migrate River: %w", err)
	}
	if known := all[len(all)-1].Version; had > known {
		return nil, fmt.Errorf("the database is newer than this program: its job queue is at version %d, and this program knows no more than %d", had, known)
	}
	result, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	if err != nil {
		return nil, fmt.Errorf("migrate River: %w", err)
	}
	done := make([]string, len(result.Versions))
	for i, v := range result.Versions {
		done[i] = fmt.Sprintf("river %03d", v.Version)
	}
	return done, nil
}

// river returns River's migrator. Without a pool it only knows its versions.
func river(pool *pgxpool.Pool) (*rivermigrate.Migrator[pgx.Tx], error) {
	return rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
}

// riverVersion returns the highest of River's migrations that the database has
// had. River itself cannot tell when it is one that it does not know.
func riverVersion(ctx context.Context, pool *pgxpool.Pool) (version int, err error) {
	var there bool
	if err := pool.QueryRow(ctx, `select to_regclass('river_migration') is not null`).Scan(&there); err != nil || !there {
		return 0, err
	}
	err = pool.QueryRow(ctx, `select coalesce(max(version), 0) from river_migration`).Scan(&version)
	return version, err
}
