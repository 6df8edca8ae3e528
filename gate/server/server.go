package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"defectdojo/gate/store"
)

// How long each step of a stop may take. Together they are less than the 35
// seconds after which a stop is a failure.
const (
	drainRequests = 20 * time.Second // for requests that have begun
	drainJobs     = 5 * time.Second  // more, for jobs that have begun; then they are cancelled and put back
	cancelJobs    = 2 * time.Second
	stopDatabase  = 4 * time.Second // then the private server recovers at its next start
)

// Server is one node: the service, and the workers of the jobs.
type Server struct {
	cfg   Config
	pool  *pgxpool.Pool
	store *store.Store
	app   *fiber.App
	site  string // how people reach it

	jobs     *river.Client[pgx.Tx] // nil when this node works none
	stopping atomic.Bool
	life     context.Context // of requests: it ends only when they have had their time
	end      context.CancelFunc
}

// New builds a node on a database that has been migrated. site is the address
// at which people reach it.
func New(cfg Config, pool *pgxpool.Pool, site string) (*Server, error) {
	s := &Server{cfg: cfg, pool: pool, store: store.New(pool), site: site}
	s.life, s.end = context.WithCancel(context.Background())
	s.app = s.newApp()
	if err := s.wire(); err != nil {
		return nil, err
	}
	return s, nil
}

// Serve works the jobs and answers what connects to l, until Stop.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	if s.jobs != nil {
		if err := s.jobs.Start(context.WithoutCancel(ctx)); err != nil {
			return fmt.Errorf("start the workers: %w", err)
		}
	}
	return s.app.Listener(l)
}

// Stop lets requests and then jobs that have begun finish, and tells say what
// it does. Jobs that take too long are cancelled, and another node, or the next
// start, does them again.
func (s *Server) Stop(ctx context.Context, say func(string)) error {
	s.stopping.Store(true)
	return errors.Join(s.stopRequests(ctx, say), s.stopJobs(ctx, say))
}

func (s *Server) stopRequests(ctx context.Context, say func(string)) error {
	ctx, cancel := context.WithTimeout(ctx, drainRequests)
	defer cancel()
	defer s.end()
	if n := s.app.Server().GetOpenConnectionsCount(); n > 0 {
		say(fmt.Sprintf("Finishing the requests of %d connections", n))
	}
	err := s.app.ShutdownWithContext(ctx)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		say("Gave up on requests that did not finish")
	case err != nil && !errors.Is(err, net.ErrClosed):
		return fmt.Errorf("stop the service: %w", err)
	default:
		say("Requests: finished")
	}
	return nil
}

func (s *Server) stopJobs(ctx context.Context, say func(string)) error {
	if s.jobs == nil {
		return nil
	}
	soft, cancel := context.WithTimeout(ctx, drainJobs)
	defer cancel()
	if err := s.jobs.Stop(soft); err == nil {
		say("Jobs: finished")
		return nil
	}
	hard, cancel := context.WithTimeout(ctx, cancelJobs)
	defer cancel()
	if err := s.jobs.StopAndCancel(hard); err != nil {
		slog.ErrorContext(ctx, "jobs do not end when they are cancelled", "error", err)
	}
	say("Jobs: put back those that did not finish")
	return nil
}
