package server

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate/inbound"
	"defectdojo/gate/ingest"
	"defectdojo/gate/jobs"
	"defectdojo/gate/tracker"
	"defectdojo/integrations"
	"defectdojo/integrations/jira"
)

// wireTracker makes what keeps tickets in JIRA in step. Its workers work when
// all else is made.
func (s *Server) wireTracker() {
	s.tracker = &tracker.Tracker{
		Store: s.store, Triage: s.triage, Box: s.box, Now: now, File: s.openReport,
		HTTP:    integrations.NewClient(integrations.Options{Timeout: 30 * time.Second, Allowed: s.cfg.AllowedNet}),
		SiteURL: func() string { return s.site },
		Send:    func(ctx context.Context, tx pgx.Tx, send jobs.Send) error { return s.jobs.Send(ctx, tx, send) },
	}
}

// openReport opens a file of the blob store.
func (s *Server) openReport(ctx context.Context, sha256 []byte) (io.ReadCloser, error) {
	return s.blobs.NewReader(ctx, ingest.BlobKey(sha256), nil)
}

// jiraHooks is the kind of JIRA's webhooks.
func (s *Server) jiraHooks() inbound.Kind {
	k := inbound.JIRA()
	k.Work = func(ctx context.Context, d inbound.Delivery) (string, error) {
		e, err := jira.ParseEvent(d.Body)
		if err != nil {
			return "", &integrations.Error{System: "jira", Op: "read delivery", Permanent: true, Err: err}
		}
		ours, err := s.tracker.Heard(ctx, d.ConnectionID, e.IssueID)
		if err == nil && !ours {
			err = inbound.Ignore("the issue is none of ours")
		}
		return "the issue is looked at", err
	}
	return k
}

// maintain removes what has expired, and has each instance's worker look for
// what was lost on the way.
func (s *Server) maintain(ctx context.Context) error {
	return errors.Join(s.store.RemoveExpired(ctx, now()), s.tracker.SweepAll(ctx), s.notifier.Maintain(ctx))
}
