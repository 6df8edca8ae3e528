package api

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/lifecycle"
	"defectdojo/gate/triage"
)

// actor is the sender as triage knows them: with the products on which they may
// do what the route says.
func (r *request) actor() (triage.Actor, error) {
	scope, err := r.Auth.Scope(r.ctx, r.who, r.do)
	return triage.Actor{Who: r.who, Scope: scope, Now: r.now, RequestID: r.GetRespHeader(fiber.HeaderXRequestID), IP: r.IP()}, err
}

// actOn returns the finding that the path names, if the sender may do to it
// what the route says, and the sender as triage knows them.
func (a *api) actOn(r *request) (gate.Finding, triage.Actor, error) {
	f, err := a.findings().allowed(r)
	if err != nil {
		return f, triage.Actor{}, err
	}
	who, err := r.actor()
	return f, who, err
}

// addFinding serves POST /findings.
func (a *api) addFinding(r *request) error {
	body, err := r.form()
	if err != nil {
		return err
	}
	f := gate.Finding{ReporterID: r.who.User.ID, Date: gate.DateOf(r.now).Time(), DynamicFinding: true, LastStatusUpdate: r.now, Created: r.now}
	body.reference(r.ctx, "test", &f.TestID, required, func(ctx context.Context, id int64) (bool, error) {
		scope, err := r.scope()
		if err != nil {
			return false, err
		}
		t, err := r.Store.Test(ctx, scope, id)
		f.ProductID, f.EngagementID, f.TestTypeID = t.ProductID, t.EngagementID, t.TestTypeID
		return allows(err)
	})
	readFinding(r, body, gate.Finding{}, &f)
	push := body.pushes()
	if err := body.failed(); err != nil {
		return err
	}
	if err := r.may(f.ProductID); err != nil {
		return err
	}
	who, err := r.actor()
	if err != nil {
		return err
	}
	if err := r.check(nil, &f); err != nil {
		return err
	}
	if err := r.hash(&f); err != nil {
		return err
	}
	if f, err = r.Triage.Add(r.ctx, who, f); err != nil {
		return err
	}
	if err := r.push(push, f.ID); err != nil {
		return err
	}
	return a.findings().reply(r, fiber.StatusCreated, f)
}

// editFinding serves PUT and PATCH /findings/:id.
func (a *api) editFinding(r *request) error {
	body, err := r.form()
	if err != nil {
		return err
	}
	for try := 1; ; try++ {
		before, who, err := a.actOn(r)
		if err != nil {
			return err
		}
		want := before
		readFinding(r, body, before, &want)
		push := body.pushes()
		if err := body.failed(); err != nil {
			return err
		}
		if err := r.check(&before, &want); err != nil {
			return err
		}
		after, err := r.Triage.Edit(r.ctx, who, before, want)
		switch {
		case err == nil:
			if err := r.push(push, after.ID); err != nil {
				return err
			}
			return a.findings().reply(r, fiber.StatusOK, after)
		case gate.KindOf(err) != gate.Conflict || try == maxTries:
			return err
		}
	}
}

// pushes tells whether the body asks for tickets in JIRA.
func (f *form) pushes() bool {
	push := false
	f.flag("push_to_jira", &push, 0)
	return push
}

// push has findings' tickets made or updated, if that was asked for: by workers,
// so that nobody waits for JIRA. What JIRA says of it is told with the ticket.
func (r *request) push(asked bool, findings ...int64) error {
	if !asked || r.Tracker == nil {
		return nil
	}
	return r.Tracker.Push(r.ctx, findings)
}

// check refuses flags that contradict each other, and a risk accepted by a flag
// where the product does not allow that.
func (r *request) check(before, f *gate.Finding) error {
	simple := false
	if f.RiskAccepted && (before == nil || !before.RiskAccepted) {
		p, err := r.Store.Product(r.ctx, gate.Scope{All: true}, f.ProductID)
		if err != nil {
			return err
		}
		simple = p.EnableSimpleRiskAcceptance
		if err := r.Auth.May(r.ctx, r.who, "risk:accept", f.ProductID); err != nil {
			return err
		}
	}
	return lifecycle.Check(before, f, simple)
}
