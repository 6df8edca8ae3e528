// Package waiver is how findings are taken out of the gate's counts for a while:
// somebody asks, somebody else who may approves, and it ends by itself. VEX
// documents, which support waivers, are kept here too. Who may do what, the
// caller has asked.
package waiver

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/store"
	"defectdojo/policies"
)

// Desk changes waivers.
type Desk struct {
	Store *store.Store

	// Findings returns the findings of a product as policies see them: those of
	// one engagement, or of all for 0.
	Findings func(ctx context.Context, product, engagement int64) ([]policies.Finding, error)
	// Policies returns the policies that judge a product.
	Policies func(ctx context.Context, product int64) ([]*policies.Policy, error)
	// Tell tells of a change, in its transaction: verdicts are judged again. Nil:
	// nobody is told.
	Tell func(ctx context.Context, tx pgx.Tx, e gate.Event) error
}

// Actor is who does something, when, and from where.
type Actor struct {
	Who       gate.Principal
	Now       time.Time
	RequestID string
	IP        string
}

// longest is how long a waiver may be when no policy says: the risk is looked at
// again at least once a year.
const longest = 365 * 24 * time.Hour

// Ask is a waiver that somebody asks for.
type Ask struct {
	Product    gate.Product
	Engagement int64 // whose findings tell how many it is for; 0: all of the product's
	FindingID  *int64
	VerdictID  *int64
	Waiver     gate.Waiver // without id, origin and approvals
}

// Request asks for a waiver. The error is gate.Invalid with the field that is
// wrong.
func (d *Desk) Request(ctx context.Context, a Actor, ask Ask) (store.Waiver, error) {
	w, terms, err := d.check(ctx, a, ask)
	if err != nil {
		return store.Waiver{}, err
	}
	return d.change(ctx, a, "request", func(s *store.Store) (int64, map[string]any, error) {
		id, err := s.AddWaiver(ctx, store.NewWaiver{
			ProductID: ask.Product.ID, Document: w, RequestedBy: a.Who.User.ID, Needed: terms.Approvals, FindingID: ask.FindingID, VerdictID: ask.VerdictID, Now: a.Now,
		})
		return id, map[string]any{"match": w.Match, "reason": w.Reason, "expires": w.Expires}, err
	})
}

// check completes what somebody asks for, and says what is wrong with it.
func (d *Desk) check(ctx context.Context, a Actor, ask Ask) (gate.Waiver, policies.Terms, error) {
	w := ask.Waiver
	w.ID, w.RequestedBy, w.RequestedAt, w.ApprovedBy, w.RevokedAt, w.Origin = "W-new", a.Who.User.Username, a.Now, nil, time.Time{}, gate.WaiverFromServer
	w.Match.Product = ask.Product.Name
	if w.ValidFrom.IsZero() {
		w.ValidFrom = a.Now
	}
	w.ValidFrom, w.Expires = w.ValidFrom.UTC(), w.Expires.UTC()
	if !w.Expires.IsZero() && !w.Expires.After(a.Now) {
		return w, policies.Terms{}, gate.FieldErrorf("expires", "It must end after now.")
	}
	if err := fieldOf(policies.CheckWaiver(&w)); err != nil {
		return w, policies.Terms{}, err
	}
	p, err := d.Preview(ctx, ask.Product, ask.Engagement, w)
	if err != nil {
		return w, p.Terms, err
	}
	most := p.Terms.MaxTTL
	if most == 0 || most > longest {
		most = longest
	}
	switch {
	case w.Expires.Sub(w.ValidFrom) > most:
		return w, p.Terms, gate.FieldErrorf("expires", "It may be valid for %s at most: until %s.", policies.Duration(most), w.ValidFrom.Add(most).Format(time.DateOnly))
	case w.MaxMatches > 0 && len(p.Matches) > w.MaxMatches:
		return w, p.Terms, gate.FieldErrorf("max_matches", "It is for %d findings now, which is more than that.", len(p.Matches))
	case p.Terms.Evidence && len(w.Evidence) == 0:
		return w, p.Terms, gate.FieldErrorf("evidence", "The policy asks for a VEX document that supports it.")
	}
	return w, p.Terms, nil
}

// fieldOf names the field that the first problem is about.
func fieldOf(err error) error {
	ps, ok := errors.AsType[policies.Problems](err)
	if !ok {
		return err
	}
	path := ps[0].Path[strings.LastIndexByte(ps[0].Path, '.')+1:]
	message := ps[0].Message
	if strings.HasPrefix(message, "it has no expiry") || strings.HasPrefix(message, "it expires") {
		path = "expires"
	}
	return gate.FieldErrorf(path, "%s.", strings.ToUpper(message[:1])+message[1:])
}

// Preview is what a waiver would do now.
type Preview struct {
	Matches    []policies.Finding // open ones that it is for
	Severities []gate.Severity    // that these have, each once
	Terms      policies.Terms
}

// Preview tells what a waiver would be for, and what it needs.
func (d *Desk) Preview(ctx context.Context, product gate.Product, engagement int64, w gate.Waiver) (Preview, error) {
	var p Preview
	found, err := d.Findings(ctx, product.ID, engagement)
	if err != nil {
		return p, err
	}
	for i := range found {
		f := &found[i]
		if f.Status != policies.Mitigated && f.Status != policies.Duplicate && policies.Covers(&w, f) {
			p.Matches = append(p.Matches, *f)
			if !slices.Contains(p.Severities, f.Severity) {
				p.Severities = append(p.Severities, f.Severity)
			}
		}
	}
	ps, err := d.Policies(ctx, product.ID)
	p.Terms = policies.TermsOf(ps, p.Severities)
	return p, err
}

// Approve approves a waiver. Who asked for it cannot, under whatever account
// with the same address; when enough have, it holds.
func (d *Desk) Approve(ctx context.Context, a Actor, id int64) (store.Waiver, error) {
	return d.change(ctx, a, "approve", func(s *store.Store) (int64, map[string]any, error) {
		w, err := locked(ctx, s, id)
		if err != nil {
			return id, nil, err
		}
		if err := d.mayApprove(ctx, s, a, w); err != nil {
			return id, nil, err
		}
		if err := s.AddWaiverApproval(ctx, id, a.Who.User.ID, a.Now); err != nil {
			return id, nil, err
		}
		got := len(w.ApprovedByIDs) + 1
		changes := map[string]any{"approvals": [2]int{got - 1, got}, "needed": w.Needed}
		if got < w.Needed {
			return id, changes, nil
		}
		changes["state"] = [2]string{w.State, "approved"}
		return id, changes, s.SetWaiverState(ctx, id, "approved", nil, "", a.Now)
	})
}

func locked(ctx context.Context, s *store.Store, id int64) (store.Waiver, error) {
	if err := s.Lock(ctx, "waiver", id); err != nil {
		return store.Waiver{}, err
	}
	return s.WaiverByID(ctx, gate.Scope{All: true}, id)
}

func (d *Desk) mayApprove(ctx context.Context, s *store.Store, a Actor, w store.Waiver) error {
	switch {
	case w.State != "requested":
		return gate.Errorf(gate.Conflict, "%s is %s already.", w.Name, w.State)
	case !w.Expires.After(a.Now):
		return gate.Errorf(gate.Conflict, "%s has expired.", w.Name)
	case slices.Contains(w.ApprovedByIDs, a.Who.User.ID):
		return gate.Errorf(gate.Conflict, "You have approved %s already; somebody else must, too.", w.Name)
	}
	asked, err := s.User(ctx, w.RequestedByID)
	if err != nil {
		return err
	}
	if asked.ID == a.Who.User.ID || asked.Email != "" && strings.EqualFold(asked.Email, a.Who.User.Email) {
		return gate.Errorf(gate.Forbidden, "You have asked for %s: somebody else must approve it.", w.Name)
	}
	return nil
}

// Reject refuses a waiver that is asked for. Who asked may take it back so.
func (d *Desk) Reject(ctx context.Context, a Actor, id int64, why string) (store.Waiver, error) {
	return d.end(ctx, a, id, "reject", "rejected", why, "requested")
}

// Revoke ends a waiver before its time.
func (d *Desk) Revoke(ctx context.Context, a Actor, id int64, why string) (store.Waiver, error) {
	return d.end(ctx, a, id, "revoke", "revoked", why, "approved")
}

func (d *Desk) end(ctx context.Context, a Actor, id int64, action, state, why, from string) (store.Waiver, error) {
	why = strings.TrimSpace(why)
	if why == "" {
		return store.Waiver{}, gate.FieldErrorf("reason", "Say why: who asked for it will want to know.")
	}
	return d.change(ctx, a, action, func(s *store.Store) (int64, map[string]any, error) {
		w, err := locked(ctx, s, id)
		if err != nil {
			return id, nil, err
		}
		if w.State != from {
			return id, nil, gate.Errorf(gate.Conflict, "%s is %s: only one that is %s can be %s.", w.Name, w.State, from, state)
		}
		return id, map[string]any{"state": [2]string{w.State, state}, "why": why}, s.SetWaiverState(ctx, id, state, &a.Who.User.ID, why, a.Now)
	})
}

// change does something to a waiver with its history, tells of it, and returns
// the waiver as it is then.
func (d *Desk) change(ctx context.Context, a Actor, action string, do func(s *store.Store) (int64, map[string]any, error)) (store.Waiver, error) {
	var out store.Waiver
	err := d.Store.Tx(ctx, func(s *store.Store, tx pgx.Tx) error {
		id, changes, err := do(s)
		if err != nil {
			return err
		}
		if out, err = s.WaiverByID(ctx, gate.Scope{All: true}, id); err != nil {
			return err
		}
		if err := s.AddAuditEvent(ctx, a.audit("waiver", action, id, out.ProductID, changes)); err != nil || d.Tell == nil {
			return err
		}
		return d.Tell(ctx, tx, gate.Event{Kind: gate.EventWaiver, At: a.Now, Action: action, ProductID: out.ProductID, WaiverID: id, ActorID: a.Who.User.ID})
	})
	if err != nil {
		return store.Waiver{}, err
	}
	return out, nil
}

func (a Actor) audit(object, action string, id, product int64, changes map[string]any) store.AuditEvent {
	return store.AuditEvent{
		At: a.Now, ActorID: &a.Who.User.ID, Actor: a.Who.Name(), Action: action, Object: object, ObjectID: &id, ProductID: &product,
		Changes: changes, RequestID: a.RequestID, IP: a.IP,
	}
}

// State is how a waiver stands at a time, in the words that people see.
func State(w *store.Waiver, now time.Time) string {
	switch {
	case w.State == "rejected" || w.State == "revoked":
		return w.State
	case !w.Expires.After(now):
		return "expired"
	case w.State == "requested":
		return "requested"
	case w.ValidFrom != nil && w.ValidFrom.After(now):
		return "pending"
	case w.Expires.Before(now.Add(Soon)):
		return "expiring"
	}
	return "active"
}

// Soon is how long before its end a waiver is said to be expiring.
const Soon = 14 * 24 * time.Hour

// Of writes what a waiver is for in one line.
func Of(m *gate.WaiverMatch) string {
	var parts []string
	for _, p := range [][2]string{{"", m.Vulnerability}, {"in ", m.PURL}, {"rule ", m.Rule}, {"at ", m.Path}, {"finding ", shortened(m.Fingerprint)}, {"of ", m.Component}} {
		if p[1] != "" {
			parts = append(parts, p[0]+p[1])
		}
	}
	if len(m.Branches) > 0 {
		parts = append(parts, "on "+strings.Join(m.Branches, ", "))
	}
	return strings.Join(parts, " ")
}

func shortened(s string) string {
	if len(s) > 20 {
		return s[:20] + "…"
	}
	return s
}

// Ways in which a waiver can be for a finding.
const (
	ByFinding       = "finding"       // it alone, wherever it comes up again
	ByVulnerability = "vulnerability" // the same vulnerability in the same component
	ByRule          = "rule"          // the same check at the same path
)

// MatchOf makes what a waiver is for of a finding.
func MatchOf(f *policies.Finding, by string) (gate.WaiverMatch, error) {
	switch by {
	case "", ByFinding:
		return gate.WaiverMatch{Fingerprint: f.Fingerprint}, nil
	case ByVulnerability:
		if len(f.Vulnerabilities) == 0 || f.PURL == "" {
			return gate.WaiverMatch{}, gate.FieldErrorf("match_by", "The finding has no vulnerability id, or its component no package URL.")
		}
		return gate.WaiverMatch{Vulnerability: f.Vulnerabilities[0], PURL: f.PURL}, nil
	case ByRule:
		if f.Rule == "" || f.Path == "" {
			return gate.WaiverMatch{}, gate.FieldErrorf("match_by", "The finding has no rule, or no path.")
		}
		return gate.WaiverMatch{Rule: f.Rule, Path: f.Path}, nil
	}
	return gate.WaiverMatch{}, gate.FieldErrorf("match_by", "%q is not one of finding, vulnerability and rule.", by)
}
