// Package tracker keeps issues in JIRA in step with findings, groups of findings
// and engagements: one open ticket for each that wants one, whatever fails when.
//
// It is a reconciler. Whatever happens here or there only notes that a ticket
// may have something to do, in the transaction in which it happened, and wakes
// a worker. The worker reads what is so, on both sides, compares it with what
// they last agreed on, and does what is missing. So the order of events, their
// loss and their repetition change nothing, and what would be done can be shown
// before it is (Plan).
//
// JIRA's create call has no idempotency key, and its search is minutes behind.
// Therefore a ticket's intent, a label, is committed before JIRA is asked; an
// answer that leaves open whether it was made is followed by searches for the
// label, and only when the last of them finds nothing is JIRA asked again, with
// the same label. A sweep closes twins, should there be any.
package tracker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/jobs"
	"defectdojo/gate/seal"
	"defectdojo/gate/store"
	"defectdojo/gate/triage"
	"defectdojo/integrations"
	"defectdojo/integrations/jira"
)

// Channel is the name of JIRA's queue and of its health.
const Channel = "jira"

// User is who does here what was done in JIRA.
const User = "JIRA"

// Tracker keeps tickets in step.
type Tracker struct {
	Store   *store.Store
	Triage  *triage.Triage
	Box     *seal.Box
	HTTP    *http.Client // integrations.NewClient's
	SiteURL func() string
	Now     func() time.Time

	// Send wakes a worker; it is jobs.Jobs.Send.
	Send func(ctx context.Context, tx pgx.Tx, s jobs.Send) error
	// Tell has it told that JIRA does not do as it should, or what somebody wrote
	// there; it is jobs.Jobs.Tell. Nil: nobody is told.
	Tell func(ctx context.Context, tx pgx.Tx, e gate.Event) error
	// File opens an attached file by its digest; nil: none is attached.
	File func(ctx context.Context, sha256 []byte) (io.ReadCloser, error)
	// RequestWaiver asks for a waiver and returns its id; WaiverRefused tells in
	// words why one does not hold: it was refused or taken back, or has ended.
	// Blank: it holds, or nobody has decided. Nil: a note says what was asked for.
	RequestWaiver func(ctx context.Context, r WaiverRequest) (int64, error)
	WaiverRefused func(ctx context.Context, id int64) (string, error)

	die   func(point string, k store.Ticket) error // tests end the worker there
	types sync.Map                                 // typeKey → cachedType
}

// WaiverRequest is what somebody in JIRA will not fix.
type WaiverRequest struct {
	Findings      []gate.Finding
	Reason        string // in words, with the ticket
	Ticket        string
	FalsePositive bool
	Actor         triage.Actor
}

// wake is the body of a job: what an instance's worker is woken for.
type wake struct {
	Instance int64 `json:"instance"`
	Sweep    bool  `json:"sweep,omitempty"` // look at everything, and for twins
}

// Wake wakes the worker of an instance, in tx.
func (t *Tracker) Wake(ctx context.Context, tx pgx.Tx, instance int64, at time.Time) error {
	return t.Send(ctx, tx, jobs.Send{Channel: Channel, Body: wake{Instance: instance}, At: at})
}

// Limits of a worker's work.
const (
	lease    = 6 * time.Minute // longer than a job may take, shorter than until it is rescued
	spell    = 2 * time.Minute // after which a worker makes way for another
	dbTime   = 10 * time.Second
	resync   = 6 * time.Hour      // a linked ticket is looked at that often, should a webhook be lost
	twinTime = 7 * 24 * time.Hour // for which twins of a ticket are looked for
)

// Work does what there is to do at an instance. It is the channel's sender.
func (t *Tracker) Work(ctx context.Context, body json.RawMessage) error {
	var w wake
	if err := json.Unmarshal(body, &w); err != nil {
		return &integrations.Error{System: Channel, Op: "read job", Permanent: true, Err: err}
	}
	inst, err := t.Store.JIRAInstance(ctx, w.Instance)
	if gate.KindOf(err) == gate.NotFound && err != nil || err == nil && !inst.Enabled {
		return nil
	}
	if err != nil {
		return err
	}
	if err := t.closed(ctx, inst.ID); err != nil {
		return err
	}
	if inst, err = t.known(ctx, inst); err != nil {
		return err
	}
	c, err := t.client(ctx, inst)
	if err != nil {
		return err
	}
	if w.Sweep {
		err = t.sweep(ctx, c, inst)
	}
	return errors.Join(err, t.drain(ctx, c, inst))
}

// closed returns an error while the instance's circuit is broken.
func (t *Tracker) closed(ctx context.Context, instance int64) error {
	now := t.Now()
	until, err := t.Store.ChannelOpenUntil(ctx, Channel, instance, now)
	if err != nil || until.IsZero() {
		return err
	}
	return &integrations.Error{System: Channel, Op: "wait", After: max(until.Sub(now), time.Second), Err: errors.New("it does not answer: it is left alone for a while")}
}

// drain does one ticket after the other until none is due.
func (t *Tracker) drain(ctx context.Context, c *jira.Client, inst store.JIRAInstance) error {
	end := time.Now().Add(spell) //nolint:forbidigo // of the machine's time, whatever the clock says
	for {
		if time.Now().After(end) { //nolint:forbidigo // as above
			return t.Store.Tx(ctx, func(_ *store.Store, tx pgx.Tx) error { return t.Wake(ctx, tx, inst.ID, time.Time{}) })
		}
		now := t.Now()
		ticket, ok, err := t.Store.LeaseTicket(ctx, inst.ID, now, now.Add(lease))
		if err != nil || !ok {
			return err
		}
		if err := t.ticket(ctx, c, inst, ticket); err != nil {
			return err
		}
		if err := t.closed(ctx, inst.ID); err != nil {
			return err
		}
	}
}

// errDied is that the worker died, in a test.
var errDied = errors.New("the worker died")

// ticket does what one leased ticket needs, and releases it.
func (t *Tracker) ticket(ctx context.Context, c *jira.Client, inst store.JIRAInstance, k store.Ticket) error {
	s, err := t.open(ctx, c, inst, k)
	var due *time.Time
	if err == nil {
		due, err = s.work(ctx)
	}
	if errors.Is(err, errDied) {
		return err
	}
	ctx, cancel := afterwards(ctx)
	defer cancel()
	foreign, told := errors.AsType[*integrations.Error](err)
	switch {
	case err == nil:
		err = t.Store.ChannelWorked(ctx, Channel, inst.ID, t.Now())
	case told:
		due, err = s.failed(ctx, foreign)
	default: // ours: the job is tried again
		at := t.Now().Add(time.Minute)
		return errors.Join(err, t.release(ctx, inst.ID, k, &at))
	}
	return errors.Join(err, t.release(ctx, inst.ID, k, due))
}

// release ends a lease and has a worker woken when the ticket is due again.
func (t *Tracker) release(ctx context.Context, instance int64, k store.Ticket, due *time.Time) error {
	return t.Store.Tx(ctx, func(s *store.Store, tx pgx.Tx) error {
		if err := s.ReleaseTicket(ctx, k, due); err != nil || due == nil {
			return err
		}
		return t.Wake(ctx, tx, instance, *due)
	})
}

// afterwards returns a context for what must be written though ctx has ended:
// JIRA may have done something by then.
func afterwards(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), dbTime)
}

// Pauses after failures: of the whole instance, whose circuit breaks as well, or
// of one ticket.
const (
	firstPause   = 15 * time.Second
	longestPause = 10 * time.Minute
)

// failed notes what JIRA said against a ticket, and returns when to try again:
// never, if somebody has to change something first.
func (s *session) failed(ctx context.Context, e *integrations.Error) (*time.Time, error) {
	now, before := s.Now(), s.k.Error
	s.k.Error = integrations.Redact(e.Error(), s.hidden...)
	s.k.Failures++
	if err := s.saveFailure(ctx, e.Permanent && s.k.Error != before); err != nil {
		return nil, err
	}
	if e.Permanent { // it answers: this ticket alone is the trouble
		return nil, s.Store.ChannelWorked(ctx, Channel, s.inst.ID, now)
	}
	pause := min(firstPause<<min(s.k.Failures-1, 8), longestPause)
	due := now.Add(max(pause, e.After))
	if s.due != nil && s.due.After(now) {
		due = *s.due // the protocol knows better
	}
	if e.Status == http.StatusTooManyRequests {
		return &due, nil
	}
	if err := s.Store.ChannelFailed(ctx, Channel, s.inst.ID, s.k.Error, now); err != nil {
		return &due, err
	}
	return &due, s.tellOutage(ctx, now)
}

func (s *session) died(point string) error {
	if s.die == nil {
		return nil
	}
	return s.die(point, s.k)
}

// actor is the user JIRA, who may do anything to findings: what it is told to do
// was decided by who may do that there.
func (t *Tracker) actor(ctx context.Context, request string) (triage.Actor, error) {
	u, err := t.Store.Account(ctx, User)
	if err != nil && gate.KindOf(err) == gate.NotFound {
		u.User, err = t.Store.AddUser(ctx, store.Account{User: gate.User{Username: User}})
		if gate.KindOf(err) == gate.Conflict && err != nil { // another node was quicker
			u, err = t.Store.Account(ctx, User)
		}
	}
	if err != nil {
		return triage.Actor{}, fmt.Errorf("the user %s: %w", User, err)
	}
	return triage.Actor{Who: gate.Principal{User: u.User}, Scope: gate.Scope{All: true}, Now: t.Now(), RequestID: request}, nil
}
