package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"time"

	"defectdojo/gate/datadir"
)

// Run is a node's whole life: it starts, serves until ctx ends, and stops. What
// people should read goes to out, and what machines should to the log. serving
// is called once when the node answers.
//
// Its error is a *datadir.RunningError when the data folder is in use by another node.
func Run(ctx context.Context, cfg Config, out io.Writer, serving func() error) error {
	d, err := datadir.Claim(cfg.DataDir, time.Now()) //nolint:forbidigo // the edge of the program
	if err != nil {
		return err
	}
	defer d.Release()
	closeLog, err := openLog(cfg)
	if err != nil {
		return err
	}
	defer closeLog.Close()

	n := node{cfg: cfg, folder: d, out: out}
	if err = n.start(ctx); err == nil {
		err = n.serve(ctx, serving)
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) { // told to stop before it served
		err = nil
	}
	return errors.Join(err, n.stop()) //nolint:contextcheck // ctx has ended
}

// node is what Run has started so far.
type node struct {
	cfg    Config
	folder *datadir.Folder
	out    io.Writer
	l      net.Listener
	db     *openDatabase
	server *Server
}

func (n *node) say(text string) { fmt.Fprintln(n.out, text) }

// start gets as far as being able to answer. The port comes first: that it is
// taken is what goes wrong most.
func (n *node) start(ctx context.Context) (err error) {
	if n.l, err = listen(n.cfg); err != nil {
		return fmt.Errorf("%w (DD_LISTEN names another address)", err)
	}
	if n.cfg.BlobURL == "" {
		if err := os.MkdirAll(n.cfg.reports(), 0o700); err != nil {
			return err
		}
	}
	if n.db, err = openDB(ctx, n.cfg, n.say); err != nil {
		return err
	}
	n.server, err = New(n.cfg, n.db.pool, n.cfg.site(n.l.Addr())) //nolint:contextcheck // requests outlive the start
	return err
}

// serve answers requests until ctx ends, or something that it needs fails.
func (n *node) serve(ctx context.Context, serving func() error) error {
	first, err := n.server.firstStart(ctx)
	if err != nil {
		return err
	}
	if err := n.server.Start(ctx); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- n.server.Serve(n.l) }()
	if err := n.folder.Say(datadir.Serving, n.server.site); err != nil {
		return err
	}
	n.welcome(first)
	slog.InfoContext(ctx, "serving", "listen", n.l.Addr().String(), "site", n.server.site, "role", string(n.cfg.Role), "database", n.db.name)
	if err := serving(); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-ended:
		return fmt.Errorf("the service ended: %w", err)
	case <-n.db.failed():
		return fmt.Errorf("the database cannot be kept running: %w", n.db.cluster.Err())
	}
}

// stop ends what there is, in the order in which one part needs the next, and
// says so here and to who has asked for it.
func (n *node) stop() error {
	_ = n.folder.Say(datadir.Stopping, "")
	say, done := n.folder.Report(n.say)
	defer done()
	ctx := context.Background() // each part has its own limit
	var errs []error
	if n.server != nil {
		errs = append(errs, n.server.Stop(ctx, say))
	}
	if n.l != nil {
		_ = n.l.Close() // the service has closed it, if it was there
	}
	if n.db != nil {
		errs = append(errs, n.db.stop(ctx, say))
	}
	if n.server != nil {
		slog.InfoContext(ctx, "stopped")
	}
	return errors.Join(errs...)
}

// stop closes the database, and says whether a server was stopped.
func (db *openDatabase) stop(ctx context.Context, say func(string)) error {
	ctx, cancel := context.WithTimeout(ctx, stopDatabase)
	defer cancel()
	err := db.close(ctx)
	switch {
	case err != nil:
		return err
	case db.cluster != nil:
		say("Database: stopped the " + db.name)
	default:
		say("Database: closed the connections to " + db.name)
	}
	return nil
}
