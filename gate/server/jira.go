package server

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/inbound"
	"defectdojo/gate/ingest"
	"defectdojo/gate/jobs"
	"defectdojo/gate/tracker"
	"defectdojo/gate/waiver"
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
		Tell:    s.tell,

		RequestWaiver: s.requestWaiver, WaiverRefused: s.waiverRefused,
	}
}

// ticketWaiver is how long the waiver is to be valid that a ticket asks for, if
// no policy says less: there nobody was asked.
const ticketWaiver = 90 * 24 * time.Hour

// requestWaiver asks for a waiver of what somebody in JIRA will not fix: of the
// worst finding that the ticket is about. It asks once for each ticket.
func (s *Server) requestWaiver(ctx context.Context, r tracker.WaiverRequest) (int64, error) {
	worst := slices.MaxFunc(r.Findings, func(a, b gate.Finding) int { return int(a.Severity) - int(b.Severity) })
	asked, err := s.store.WaiversForTicket(ctx, worst.ProductID, r.Ticket)
	if err != nil || len(asked) > 0 {
		return slices.Max(append(asked, 0)), err
	}
	product, err := s.store.Product(ctx, gate.Scope{All: true}, worst.ProductID)
	if err != nil {
		return 0, err
	}
	known, err := s.judge.Finding(ctx, product.ID, worst.ID)
	if err != nil {
		return 0, err
	}
	w := gate.Waiver{Match: gate.WaiverMatch{Fingerprint: known.Fingerprint}, Reason: r.Reason, Ticket: r.Ticket, ValidFrom: r.Actor.Now, Expires: r.Actor.Now.Add(ticketWaiver)}
	preview, err := s.waivers.Preview(ctx, product, 0, w)
	if err != nil {
		return 0, err
	}
	if most := preview.Terms.MaxTTL; most > 0 && most < ticketWaiver {
		w.Expires = r.Actor.Now.Add(most)
	}
	a := waiver.Actor{Who: r.Actor.Who, Now: r.Actor.Now, RequestID: r.Actor.RequestID}
	made, err := s.waivers.Request(ctx, a, waiver.Ask{Product: product, FindingID: &worst.ID, Waiver: w})
	return made.ID, err
}

// waiverRefused tells why a waiver that was asked for does not hold.
func (s *Server) waiverRefused(ctx context.Context, id int64) (string, error) {
	w, err := s.store.WaiverByID(ctx, gate.Scope{All: true}, id)
	if err != nil && gate.KindOf(err) == gate.NotFound {
		return "it was removed", nil
	}
	if err != nil {
		return "", err
	}
	state := waiver.State(&w, now())
	switch state {
	case "rejected", "revoked":
		said := w.DecidedBy + " " + state + " " + w.Name
		if w.Decision != "" {
			said += " (" + w.Decision + ")"
		}
		return said, nil
	case "expired":
		return w.Name + " has expired", nil
	}
	return "", nil
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

// maintain removes what has expired, has each instance's worker look for what
// was lost on the way, and closes the engagements that are past their end.
func (s *Server) maintain(ctx context.Context) error {
	_, err := s.triage.EndEngagements(ctx, now())
	return errors.Join(err, s.store.RemoveExpired(ctx, now()), s.triage.ExpireRisks(ctx, now()), s.tracker.SweepAll(ctx), s.notifier.Maintain(ctx), s.store.SweepBacktests(ctx, now()))
}
