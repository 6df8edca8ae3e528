package server

import (
	"context"
	"errors"
	"fmt"
	"io"

	"defectdojo/gate/datadir"
	"defectdojo/gate/postgres"
)

// beside calls f with a server on the configured database that serves nothing.
// A private database that a node has running is used as it is; else it is
// started for as long as f takes.
func beside(ctx context.Context, cfg Config, out io.Writer, f func(*Server) error) (err error) {
	say := func(text string) { fmt.Fprintln(out, text) }
	d, err := datadir.Claim(cfg.DataDir, now())
	running, busy := errors.AsType[*datadir.RunningError](err)
	switch {
	case busy && running.Status.Phase != datadir.Serving:
		return err
	case busy && cfg.DatabaseURL == "":
		if cfg.DatabaseURL, err = postgres.Running(datadir.Postgres(cfg.DataDir)); err != nil {
			return err
		}
	case err != nil && !busy:
		return err
	case !busy:
		defer d.Release()
	}
	db, err := openDB(ctx, cfg, say)
	if err != nil {
		return err
	}
	defer func() {
		if e := db.close(context.WithoutCancel(ctx)); err == nil {
			err = e
		}
	}()
	s, err := New(cfg, db.pool, cfg.SiteURL) //nolint:contextcheck // nothing of it is served
	if err != nil {
		return err
	}
	defer s.end()
	return f(s)
}
