package server

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"gocloud.dev/blob"
	_ "gocloud.dev/blob/azureblob" // DD_BLOB_URL=azblob://…
	_ "gocloud.dev/blob/fileblob"  // the folder of the data directory
	_ "gocloud.dev/blob/gcsblob"   // DD_BLOB_URL=gs://…
	_ "gocloud.dev/blob/s3blob"    // DD_BLOB_URL=s3://…

	"defectdojo/gate"
	"defectdojo/gate/api"
	"defectdojo/gate/auth"
	"defectdojo/gate/ingest"
	"defectdojo/gate/jobs"
	"defectdojo/gate/triage"
	"defectdojo/gate/web"
	"defectdojo/integrations"
	"defectdojo/parsers/stream"
)

// wire makes what the node is for. It is the one place where the parts meet: the
// use cases are made here of the store and of each other, the routes mounted on
// s.app, and the jobs told in s.jobs which functions they call.
func (s *Server) wire() error {
	s.auth = auth.New(s.store, auth.Config{OIDC: auth.OIDCConfig{
		Audience: s.site, Issuers: s.cfg.Issuers, Client: integrations.NewClient(integrations.Options{Timeout: 10 * time.Second, MaxBytes: 1 << 20, Allowed: s.cfg.AllowedNet}),
	}})
	var err error
	if s.blobs, err = blob.OpenBucket(s.life, s.cfg.Blobs()); err != nil {
		return fmt.Errorf("DD_BLOB_URL: open the store for reports: %w", err)
	}
	if s.box, err = s.openBox(s.life); err != nil {
		return err
	}
	s.identities = &ingest.Identities{Store: s.store, Later: s.jobs.Reidentify}
	s.triage = &triage.Triage{Store: s.store, Changed: s.afterTriage, Noted: s.afterNote, EngagementChanged: s.afterEngagement}
	s.wireTracker()
	s.notifier = s.newNotifier()
	if err := s.wireGate(); err != nil {
		return err
	}
	s.enricher = s.newEnricher()
	s.importer = &ingest.Importer{Store: s.store, Blobs: s.blobs, Limits: stream.Limits{}, Enqueue: s.afterImport}
	s.wirePuller()
	s.wireGitHub()
	s.wireGitLab()
	s.wireHooks()
	s.wireConnections()
	if s.jobs, err = jobs.New(s.pool, s.work(), slog.Default()); err != nil {
		return fmt.Errorf("prepare the workers: %w", err)
	}
	return nil
}

// mount puts the routes on the app: those of machines, and the pages.
func (s *Server) mount() {
	api.Mount(s.app, api.Deps{
		Auth:        s.auth,
		Connections: s.connections,
		Identities:  s.identities,
		Import:      s.importer.Import,
		Judge:       s.judge,
		KeepFile:    s.importer.KeepFile,
		Keys:        s.keys,
		MaxReport:   s.cfg.MaxReport,
		Notifier:    s.notifier,
		Now:         now,
		OpenFile:    s.importer.OpenFile,
		People:      s.people,
		Policies:    s.policies,
		Retry:       s.importer.Retry,
		Secure:      s.cfg.Secure(),
		SiteURL:     s.cfg.SiteURL,
		Store:       s.store,
		Tell:        s.tell,
		Tracker:     s.tracker,
		Triage:      s.triage,
		Waivers:     s.waivers,
	})
	s.hooks.Mount(s.app)
	web.Mount(s.app, web.Deps{
		Auth:        s.auth,
		Connections: s.connections,
		Identities:  s.identities,
		Judge:       s.judge,
		Keys:        s.keys,
		Notifier:    s.notifier,
		Now:         now,
		People:      s.people,
		Policies:    s.policies,
		Secure:      s.cfg.Secure(),
		SiteURL:     s.site,
		Store:       s.store,
		Tracker:     s.tracker,
		Triage:      s.triage,
		Waivers:     s.waivers,
	})
}

// work is what the jobs do.
func (s *Server) work() jobs.Work {
	return jobs.Work{
		Judge: func(ctx context.Context, engagement, report int64) error {
			return s.judge.JudgeLater(ctx, engagement, report, now())
		},
		Beat:       s.store.Beat,
		Leave:      s.store.Leave,
		Maintain:   s.maintain,
		Review:     func(ctx context.Context, product int64) error { return s.judge.Review(ctx, product, now()) },
		Expire:     s.expire,
		Refresh:    s.refreshIntel,
		Tick:       s.notifier.Tick,
		Followers:  []jobs.Follower{s.enrichImport, s.review, s.toGitHub.Follow, s.toGitLab.Follow, s.tracker.Follow, s.notifier.Follow},
		Senders:    s.senders(),
		Reconcile:  s.reconcile,
		Backtest:   s.backtest,
		Reidentify: func(ctx context.Context, scanType string) error { return s.identities.Follow(ctx, scanType) },
		Receivers:  s.receivers(),
	}
}

// tell has an event followed when tx has committed.
func (s *Server) tell(ctx context.Context, tx pgx.Tx, e gate.Event) error {
	return s.jobs.Tell(ctx, tx, e)
}

// afterImport puts the jobs that follow an import into its transaction.
func (s *Server) afterImport(ctx context.Context, tx pgx.Tx, r ingest.Result) error {
	if err := s.tellMade(ctx, tx, r); err != nil {
		return err
	}
	if err := s.tell(ctx, tx, gate.Event{Kind: gate.EventImport, At: now(), ProductID: r.ProductID, EngagementID: r.EngagementID, TestID: r.TestID, ImportID: r.ImportID}); err != nil {
		return err
	}
	if r.Judges {
		return nil
	}
	return s.jobs.Judge(ctx, tx, r.EngagementID, r.ImportID, now())
}

// afterTriage tells of what somebody did to findings.
func (s *Server) afterTriage(ctx context.Context, tx pgx.Tx, c triage.Change) error {
	return s.tell(ctx, tx, gate.Event{Kind: gate.EventTriage, At: c.At, Action: c.Action, ProductID: c.ProductID, FindingIDs: c.FindingIDs, ActorID: c.Who.User.ID, PushToJira: c.Action == triage.Pushing})
}

// afterEngagement tells that an engagement was closed or opened.
func (s *Server) afterEngagement(ctx context.Context, tx pgx.Tx, c triage.EngagementChange) error {
	return s.tell(ctx, tx, gate.Event{Kind: gate.EventEngagement, At: c.At, Action: c.Action, ProductID: c.Engagement.ProductID, EngagementID: c.Engagement.ID, ActorID: c.Who.User.ID})
}

// now reads the clock: the node is an edge of the program.
func now() time.Time { return time.Now() } //nolint:forbidigo // see above
