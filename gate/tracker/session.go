package tracker

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/store"
	"defectdojo/integrations"
	"defectdojo/integrations/jira"
)

// session is the work on one ticket.
type session struct {
	*Tracker

	c       *jira.Client
	inst    store.JIRAInstance
	k       store.Ticket
	p       store.JIRAProject
	subject store.TicketSubject
	hidden  []string   // secrets: never to be written
	due     *time.Time // when the protocol wants to go on
	refusal string     // why the waiver that was asked for does not hold
}

// open reads what a ticket is about.
func (t *Tracker) open(ctx context.Context, c *jira.Client, inst store.JIRAInstance, k store.Ticket) (*session, error) {
	s := &session{Tracker: t, c: c, inst: inst, k: k}
	secrets, _, err := t.secrets(ctx, t.Store, inst)
	if err != nil {
		return s, err
	}
	for _, secret := range secrets {
		s.hidden = append(s.hidden, secret)
	}
	if s.p, err = t.Store.JIRAProject(ctx, gate.Scope{All: true}, *k.ProjectID); err != nil {
		return s, err
	}
	s.subject, err = t.Store.TicketSubject(ctx, k)
	return s, err
}

func (s *session) save(ctx context.Context) error { return s.Store.SaveTicket(ctx, s.k) }

// saveAfter saves what followed from a call: also if ctx has ended since.
func (s *session) saveAfter(ctx context.Context) error {
	ctx, cancel := afterwards(ctx)
	defer cancel()
	return s.save(ctx)
}

// work brings the ticket on as far as it goes now, and returns when there is
// more to do.
func (s *session) work(ctx context.Context) (*time.Time, error) {
	switch s.k.State {
	case store.TicketSending: // whoever was at it died: JIRA may have been asked
		s.k.State = store.TicketUnknown
		if err := s.save(ctx); err != nil {
			return nil, err
		}
	case store.TicketGone: // somebody wants a new one
		s.k.State, s.k.IntentID, s.k.JIRAID, s.k.JIRAKey, s.k.Pushed, s.k.AgreedDone, s.k.Attempts = store.TicketNone, "", "", "", nil, false, 0
	}
	if s.k.State == store.TicketUnknown {
		if found, err := s.resolve(ctx); err != nil || !found && s.due != nil {
			return s.due, err
		}
	}
	if s.k.State != store.TicketLinked {
		if made, err := s.create(ctx); err != nil || !made {
			return s.due, err
		}
	}
	return nil, s.sync(ctx)
}

// whyNot tells why a new ticket is not wanted; blank: it is.
func (s *session) whyNot() string {
	switch {
	case !s.p.Enabled:
		return "the project is switched off"
	case s.kind() == anOrphan:
		return "what it was about is deleted"
	case s.kind() == anEpic && !s.p.EpicMapping:
		return "epics are switched off"
	case s.kind() == anEpic && !s.subject.Engagement.Active:
		return "the engagement is closed"
	case s.kind() == anEpic:
		return ""
	case !s.k.Asked && !s.p.PushAllIssues:
		return "nobody asked for it"
	}
	why := "the group is empty"
	for _, f := range s.subject.Findings {
		if why = Unfit(s.p, f); why == "" {
			return ""
		}
	}
	return why
}

// Unfit tells why a finding gets no ticket of a project; blank: it does.
func Unfit(p store.JIRAProject, f gate.Finding) string {
	switch {
	case f.Duplicate:
		return "it is a duplicate"
	case !f.Active:
		return "it is not active"
	case f.Severity < p.MinimumSeverity:
		return fmt.Sprintf("%s is below %s", f.Severity, p.MinimumSeverity)
	case p.OnlyVerified && !f.Verified:
		return "it is not verified"
	default:
		return ""
	}
}

func (s *session) kind() kind {
	switch {
	case s.k.FindingID != nil:
		return aFinding
	case s.k.GroupID != nil:
		return aGroup
	case s.k.EngagementID != nil:
		return anEpic
	default:
		return anOrphan
	}
}

// label is the label that tells a ticket's intent.
func label(intent string) string { return "gate-" + intent }

// create makes the issue. It is in JIRA, and linked, if it returns true.
func (s *session) create(ctx context.Context) (bool, error) {
	if why := s.whyNot(); why != "" {
		if s.k.Error == "" && s.k.State == store.TicketNone {
			return false, nil
		}
		s.k.Error, s.k.State, s.k.Failures = "", store.TicketNone, 0
		return false, s.save(ctx)
	}
	w, err := s.want(ctx)
	if err != nil {
		return false, s.refused(ctx, err)
	}
	if s.k.IntentID == "" {
		s.k.IntentID = random()[:16]
	}
	fields := s.newFields(w)
	if missing := w.typ.Missing(fields); len(missing) > 0 {
		return false, s.refused(ctx, &integrations.Error{
			System: Channel, Op: "create issue", Permanent: true,
			Err: fmt.Errorf("an issue of type %s needs %s: the project's custom fields can say them", w.typ.Name, strings.Join(missing, ", ")),
		})
	}
	now := s.Now()
	s.k.State, s.k.AttemptStarted, s.k.Probes = store.TicketSending, &now, 0
	s.k.Attempts++
	if err := s.save(ctx); err != nil {
		return false, err
	}
	if err := s.died("before the call"); err != nil {
		return false, err
	}
	key, err := s.c.Create(ctx, fields)
	if err := s.died("after the answer"); err != nil {
		return false, err
	}
	if err != nil {
		return false, s.notMade(ctx, err)
	}
	s.linked(key, w.digest())
	if err := s.died("before the commit"); err != nil {
		return false, err
	}
	return true, s.saveAfter(ctx)
}

// linked notes that there is an issue.
func (s *session) linked(key jira.Key, pushed []byte) {
	now := s.Now()
	s.k.State, s.k.JIRAID, s.k.JIRAKey, s.k.JIRACreation, s.k.JIRAChange = store.TicketLinked, key.ID, key.Key, &now, &now
	s.k.Pushed, s.k.AgreedDone, s.k.Error, s.k.Failures = pushed, false, "", 0
}

// notMade says what a failed call means: that there is no issue, or that nobody knows.
func (s *session) notMade(ctx context.Context, err error) error {
	e, told := errors.AsType[*integrations.Error](err)
	switch {
	case told && !e.Unknown:
		return s.refused(ctx, err)
	case told:
		s.k.State, s.k.Error = store.TicketUnknown, e.Error()
	default: // it never left
		s.k.State = store.TicketNone
	}
	s.due = s.nextProbe()
	if err := s.died("before the commit"); err != nil {
		return err
	}
	return errors.Join(err, s.saveAfter(ctx))
}

// refused notes that JIRA did not make an issue: for good, or only now.
func (s *session) refused(ctx context.Context, err error) error {
	s.k.State = store.TicketNone
	if integrations.IsPermanent(err) {
		s.k.State = store.TicketFailed
	}
	if err := s.died("before the commit"); err != nil {
		return err
	}
	return errors.Join(err, s.saveAfter(ctx))
}

// probes are when JIRA is searched for an issue that may have been made, after
// it was asked to: its search is seconds to minutes behind.
var probes = []time.Duration{15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute}

// nextProbe is when to search next.
func (s *session) nextProbe() *time.Time {
	at := s.k.AttemptStarted.Add(probes[min(s.k.Probes, len(probes)-1)])
	return &at
}

// resolve finds out whether an issue was made. Without an answer it sets when
// to go on; when the last search has found nothing it sets nothing, and the
// issue is to be made again.
func (s *session) resolve(ctx context.Context) (bool, error) {
	for s.k.Probes < len(probes) {
		at := s.nextProbe()
		if at.After(s.Now()) {
			s.due = at
			return false, s.save(ctx)
		}
		found, err := s.c.Search(ctx, jira.WithLabels(label(s.k.IntentID)), twins)
		if err != nil {
			return false, err
		}
		if len(found) > 0 {
			s.linked(oldest(found).Key, nil)
			return true, s.saveAfter(ctx)
		}
		s.k.Probes++
		if err := s.save(ctx); err != nil {
			return false, err
		}
	}
	s.k.State = store.TicketNone
	return false, nil
}

// oldest returns the issue that was made first: of twins it is the one that stays.
func oldest(found []jira.Issue) jira.Issue {
	return slices.MinFunc(found, func(a, b jira.Issue) int { return number(a.ID) - number(b.ID) })
}

func number(id string) int {
	n := 0
	for _, c := range id {
		n = 10*n + int(c-'0')
	}
	return n
}

// lost notes that JIRA does not have the issue any more.
func (s *session) lost(ctx context.Context) error {
	s.k.State, s.k.Error = store.TicketGone, "the issue is not in JIRA any more, or we may not see it"
	return s.saveAfter(ctx)
}

func isNotFound(err error) bool {
	e, ok := errors.AsType[*integrations.Error](err)
	return ok && e.Status == http.StatusNotFound
}
