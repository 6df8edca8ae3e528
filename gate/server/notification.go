package server

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/ingest"
	"defectdojo/gate/jobs"
	"defectdojo/gate/notification"
	"defectdojo/gate/store"
	"defectdojo/gate/tracker"
	"defectdojo/gate/triage"
	"defectdojo/gate/waiver"
	"defectdojo/integrations"
)

// version is what this program calls itself to others.
const version = "gate"

// newNotifier makes what tells people and systems of what happened.
func (s *Server) newNotifier() *notification.Notifier {
	return &notification.Notifier{
		Store: s.store, Box: s.box, SiteURL: strings.TrimSuffix(s.site, "/"), Version: version, Now: now,
		Client:  integrations.NewClient(integrations.Options{Allowed: s.cfg.AllowedNet}),
		Dial:    integrations.NewDialer(s.cfg.AllowedNet).DialContext,
		Enqueue: func(ctx context.Context, tx pgx.Tx, m jobs.Send) error { return s.jobs.Send(ctx, tx, m) },
		Assign:  s.assignTo, RequestWaiver: s.waiverOf,
	}
}

// assignTo gives a finding to somebody, as they themselves could.
func (s *Server) assignTo(ctx context.Context, user, finding int64) error {
	u, err := s.store.User(ctx, user)
	if err != nil {
		return err
	}
	who := gate.Principal{User: u}
	scope, err := s.auth.Scope(ctx, who, auth.EditFinding)
	if err != nil {
		return err
	}
	_, err = s.triage.Assign(ctx, triage.Actor{Who: who, Scope: scope, Now: now()}, finding, &user)
	return err
}

// waiverOf asks for a waiver of one finding, as somebody themselves could.
func (s *Server) waiverOf(ctx context.Context, r notification.WaiverRequest) (string, error) {
	u, err := s.store.User(ctx, r.UserID)
	if err != nil {
		return "", err
	}
	who := gate.Principal{User: u}
	scope, err := s.auth.Scope(ctx, who, auth.RequestWaiver)
	if err != nil {
		return "", err
	}
	f, err := s.store.Finding(ctx, scope, r.FindingID)
	if err != nil {
		return "", err
	}
	product, err := s.store.Product(ctx, scope, f.ProductID)
	if err != nil {
		return "", err
	}
	judged, err := s.judge.Finding(ctx, product.ID, f.ID)
	if err != nil {
		return "", err
	}
	ask := waiver.Ask{Product: product, Engagement: f.EngagementID, FindingID: &f.ID, Waiver: gate.Waiver{Reason: r.Reason, Expires: r.Until}}
	if ask.Waiver.Match, err = waiver.MatchOf(&judged, ""); err != nil {
		return "", err
	}
	w, err := s.waivers.Request(ctx, waiver.Actor{Who: who, Now: now()}, ask)
	return w.Name, err
}

// tellMade tells of what an import has created on its way. Its test is told of
// with its findings.
func (s *Server) tellMade(ctx context.Context, tx pgx.Tx, r ingest.Result) error {
	for _, made := range []struct {
		action string
		is     bool
	}{
		{"product_type", r.Asked.ProductTypeID == 0}, {"product", r.Asked.ProductID == 0}, {"engagement", r.Asked.EngagementID == 0},
	} {
		if !made.is {
			continue
		}
		e := gate.Event{Kind: gate.EventCreated, At: now(), Action: made.action, ProductTypeID: r.ProductTypeID}
		if made.action != "product_type" {
			e.ProductID = r.ProductID
		}
		if made.action == "engagement" {
			e.EngagementID = r.EngagementID
		}
		if err := s.tell(ctx, tx, e); err != nil {
			return err
		}
	}
	return nil
}

// afterNote tells of a note in which somebody may be mentioned.
func (s *Server) afterNote(ctx context.Context, tx pgx.Tx, n store.Note) error {
	if n.Private || len(notification.Mentions(n.Entry)) == 0 {
		return nil
	}
	return s.tell(ctx, tx, gate.Event{Kind: gate.EventNote, At: n.Date, NoteID: n.ID, ActorID: n.AuthorID})
}

// senders are what sends over each channel.
func (s *Server) senders() map[string]jobs.Sender {
	all := s.notifier.Senders()
	all["github"], all["gitlab"], all[tracker.Channel] = s.toGitHub.Send, s.toGitLab.Send, s.tracker.Work
	return all
}
