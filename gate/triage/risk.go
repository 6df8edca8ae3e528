package triage

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/lifecycle"
	"defectdojo/gate/store"
)

// AcceptRisks accepts the risk of findings of one engagement, with the reason
// and the end that r tells.
func (t *Triage) AcceptRisks(ctx context.Context, a Actor, r store.RiskAcceptance) (store.RiskAcceptance, error) {
	var id int64
	err := t.tx(ctx, func(s *store.Store, tx pgx.Tx) error {
		found, err := s.LockFindings(ctx, a.Scope, r.FindingIDs)
		if err != nil {
			return err
		}
		if err := acceptable(ctx, s, found, len(r.FindingIDs)); err != nil {
			return err
		}
		r.EngagementID = found[0].EngagementID
		if _, err := t.eachOf(ctx, s, tx, a, found, accepting(a, Note{})); err != nil {
			return err
		}
		id, err = s.AddRiskAcceptance(ctx, r)
		return err
	})
	if err != nil {
		return r, err
	}
	return t.Store.RiskAcceptance(ctx, a.Scope, id)
}

// acceptable tells why the risk of findings cannot be accepted together.
func acceptable(ctx context.Context, s *store.Store, found []gate.Finding, want int) error {
	if len(found) == 0 || len(found) != want {
		return gate.FieldErrorf("accepted_findings", "Not all of these findings exist.")
	}
	for _, f := range found {
		if f.EngagementID != found[0].EngagementID {
			return gate.FieldErrorf("accepted_findings", "Findings of one risk acceptance are of one engagement.")
		}
	}
	p, err := s.Product(ctx, gate.Scope{All: true}, found[0].ProductID)
	if err == nil && !p.EnableFullRiskAcceptance {
		err = gate.Errorf(gate.Invalid, "Full risk acceptance is disabled for the product %s.", p.Name)
	}
	return err
}

// RevokeRisks takes a risk acceptance back: its findings are active again.
func (t *Triage) RevokeRisks(ctx context.Context, a Actor, r store.RiskAcceptance) error {
	return t.tx(ctx, func(s *store.Store, tx pgx.Tx) error {
		if err := t.reactivate(ctx, s, tx, a, r, Note{}); err != nil {
			return err
		}
		return s.DeleteRiskAcceptance(ctx, r.ID)
	})
}

// ExpireRisks deals with the risk acceptances whose time is over: where they say
// so, their findings are active again.
func (t *Triage) ExpireRisks(ctx context.Context, now time.Time) error {
	ended, err := t.Store.EndedRiskAcceptances(ctx, now)
	if err != nil {
		return err
	}
	for _, r := range ended {
		if err := t.expire(ctx, r, now); err != nil {
			return fmt.Errorf("end risk acceptance %d: %w", r.ID, err)
		}
	}
	return nil
}

func (t *Triage) expire(ctx context.Context, r store.RiskAcceptance, now time.Time) error {
	owner, err := t.Store.User(ctx, r.OwnerID)
	if err != nil {
		return err
	}
	a := Actor{Who: gate.Principal{User: owner}, Scope: gate.Scope{All: true}, Now: now}
	return t.tx(ctx, func(s *store.Store, tx pgx.Tx) error {
		first, err := s.EndRiskAcceptance(ctx, r.ID, now)
		if err != nil || !first || !r.ReactivateExpired {
			return err
		}
		return t.reactivate(ctx, s, tx, a, r, Note{Entry: fmt.Sprintf("The risk acceptance %q has ended.", strings.TrimSpace(r.Name))})
	})
}

// reactivate makes those findings of r active that are still accepted.
func (t *Triage) reactivate(ctx context.Context, s *store.Store, tx pgx.Tx, a Actor, r store.RiskAcceptance, n Note) error {
	found, err := s.LockFindings(ctx, a.Scope, r.FindingIDs)
	if err != nil {
		return err
	}
	still := found[:0]
	for _, f := range found {
		if f.RiskAccepted {
			still = append(still, f)
		}
	}
	e := unaccepting(a, n)
	if r.RestartSLAExpired {
		e.do = func(f *gate.Finding) error {
			today := gate.DateOf(a.Now).Time()
			f.SLAStartDate = &today
			lifecycle.UnacceptRisk(f, a.by())
			return nil
		}
	}
	_, err = t.eachOf(ctx, s, tx, a, still, e)
	return err
}
