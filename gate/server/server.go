package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/jackc/pgx/v5/pgxpool"
	"gocloud.dev/blob"

	"defectdojo/gate/auth"
	"defectdojo/gate/connection"
	"defectdojo/gate/enrich"
	"defectdojo/gate/inbound"
	"defectdojo/gate/ingest"
	"defectdojo/gate/jobs"
	"defectdojo/gate/notification"
	"defectdojo/gate/outbound"
	"defectdojo/gate/people"
	"defectdojo/gate/policy"
	"defectdojo/gate/seal"
	"defectdojo/gate/signing"
	"defectdojo/gate/store"
	"defectdojo/gate/tracker"
	"defectdojo/gate/triage"
	"defectdojo/gate/verdict"
	"defectdojo/gate/waiver"
)

// How long each step of a stop may take. Together they are less than the 35
// seconds after which a stop is a failure.
const (
	drain        = 25 * time.Second // for requests and jobs that have begun
	stopDatabase = 6 * time.Second  // then a private server recovers at its next start
)

// Server is one node: the service, and the workers of the jobs.
type Server struct {
	cfg    Config
	limits limits
	seats  *seats // of requests, for clients behind a proxy
	pool   *pgxpool.Pool
	store  *store.Store
	app    *fiber.App
	site   string // how people reach it

	auth       *auth.Auth
	box        *seal.Box // of the secrets in the database
	keys       *signing.Keys
	blobs      *blob.Bucket
	importer   *ingest.Importer
	judge      *verdict.Judge
	people     *people.Desk
	policies   *policy.Desk
	waivers    *waiver.Desk
	triage     *triage.Triage
	identities *ingest.Identities
	tracker    *tracker.Tracker
	notifier   *notification.Notifier
	hooks      *inbound.Hooks // of foreign systems
	puller     *inbound.Puller

	fromGitHub  *inbound.GitHubWork
	toGitHub    *outbound.GitHub
	fromGitLab  *inbound.GitLabWork
	toGitLab    *outbound.GitLab
	enricher    *enrich.Enricher
	jobs        *jobs.Jobs // worked by this node if its role says so
	connections *connection.Connections

	stopping atomic.Bool
	life     context.Context // of requests: it ends only when they have had their time
	end      context.CancelFunc
}

// New builds a node on a database that has been migrated. site is the address
// at which people reach it.
func New(cfg Config, pool *pgxpool.Pool, site string) (*Server, error) {
	s, err := newServer(cfg, pool, site, usual)
	if err == nil && cfg.Role.Serves() {
		s.mount()
	}
	return s, err
}

// newServer is New without the routes of people and machines.
func newServer(cfg Config, pool *pgxpool.Pool, site string, l limits) (*Server, error) {
	s := &Server{cfg: cfg, pool: pool, store: store.New(pool), site: site, limits: l, seats: &seats{each: cfg.PerClient, of: "requests"}}
	s.life, s.end = context.WithCancel(context.Background())
	s.app = s.newApp()
	if err := s.wire(); err != nil {
		return nil, err
	}
	return s, nil
}

// Start begins to work the jobs, if this node does.
func (s *Server) Start(ctx context.Context) error {
	if s.jobs == nil || !s.cfg.Role.Works() {
		return nil
	}
	if err := s.jobs.Start(context.WithoutCancel(ctx)); err != nil { // its end is Stop
		return fmt.Errorf("start the workers: %w", err)
	}
	return nil
}

// Serve answers what connects to l, until Stop.
func (s *Server) Serve(l net.Listener) error { return s.app.Listener(l) }

// Stop lets requests and jobs that have begun finish, and tells say what it
// does. No new ones begin. Both are waited for at once, so that slow ones of the
// one leave the other its time. Requests that take too long are cut off; jobs
// that do are cancelled, and another node, or the next start, does them again.
func (s *Server) Stop(ctx context.Context, say func(string)) error {
	s.stopping.Store(true)
	ctx, cancel := context.WithTimeout(ctx, s.limits.drain)
	defer cancel()
	defer s.end()
	jobs := make(chan error, 1)
	go func() { jobs <- s.stopJobs(ctx) }()
	if n := s.app.Server().GetOpenConnectionsCount(); n > 0 {
		say(fmt.Sprintf("Finishing the requests on %d connections", n))
	}
	err := s.app.ShutdownWithContext(ctx)
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	err = ended(say, "Requests", err)
	if s.jobs == nil || !s.cfg.Role.Works() {
		return err
	}
	return errors.Join(err, ended(say, "Jobs", <-jobs))
}

func (s *Server) stopJobs(ctx context.Context) error {
	if s.jobs == nil || !s.cfg.Role.Works() {
		return nil
	}
	return s.jobs.Stop(ctx)
}

// ended says how the stop of something went. That it took too long is said, and
// is no fault of the stop.
func ended(say func(string), what string, err error) error {
	switch {
	case err == nil:
		say(what + ": finished")
	case errors.Is(err, context.DeadlineExceeded):
		say(what + ": gave up on those that did not finish in time")
	default:
		return fmt.Errorf("stop the %s: %w", strings.ToLower(what), err)
	}
	return nil
}
