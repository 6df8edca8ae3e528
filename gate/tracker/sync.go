package tracker

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/lifecycle"
	"defectdojo/gate/store"
	"defectdojo/gate/triage"
	"defectdojo/integrations"
	"defectdojo/integrations/jira"
)

// sync brings a linked issue and what it is about in step: first what JIRA
// knows, then the status, then the fields, then what is to be said. The status
// goes before the fields, so that what is told of the one meets the other.
func (s *session) sync(ctx context.Context) error {
	if err := s.account(ctx, s.c, &s.inst); err != nil {
		return err
	}
	issue, err := s.c.Issue(ctx, s.k.JIRAID)
	if isNotFound(err) {
		return s.lost(ctx)
	}
	if err != nil {
		return err
	}
	if err := s.hear(ctx, issue); err != nil {
		return err
	}
	if err := s.agree(ctx, issue); err != nil {
		return err
	}
	var first error // a field that JIRA does not take keeps nothing else from it
	for _, step := range []func(context.Context, jira.Issue) error{s.pushFields, s.pushLabels, s.speak, s.attach} {
		switch err := step(ctx, issue); {
		case err == nil:
		case !integrations.IsPermanent(err):
			return err
		case first == nil:
			first = err
		}
	}
	if first != nil {
		return first
	}
	now := s.Now()
	s.k.Synced, s.k.Error, s.k.Failures = &now, "", 0
	return s.saveAfter(ctx)
}

// hear makes notes of the comments that other people made.
func (s *session) hear(ctx context.Context, issue jira.Issue) error {
	if s.inst.Inbound == "none" || len(s.subject.Findings) == 0 {
		return nil
	}
	var who *triage.Actor
	for _, c := range issue.Comments {
		if c.Author.ID() == s.inst.Account || strings.TrimSpace(c.Body) == "" {
			continue
		}
		if who == nil {
			a, err := s.actor(ctx, "jira-"+s.k.JIRAKey)
			if err != nil {
				return err
			}
			who = &a
		}
		if err := s.note(ctx, *who, c); err != nil {
			return err
		}
	}
	return nil
}

// note makes one comment a note, once.
func (s *session) note(ctx context.Context, who triage.Actor, c jira.Comment) error {
	author := c.Author.DisplayName
	if author == "" {
		author = c.Author.ID()
	}
	return s.Store.Tx(ctx, func(tx *store.Store, pg pgx.Tx) error {
		fresh, err := tx.HearComment(ctx, s.k.ID, c.ID, s.Now())
		if err != nil || !fresh {
			return err
		}
		var last store.Note
		for _, f := range s.subject.Findings {
			n := store.Note{FindingID: &f.ID, Entry: "(" + author + "): " + c.Body, Date: s.Now(), AuthorID: who.Who.User.ID}
			if last, err = tx.AddNote(ctx, n); err != nil {
				return err
			}
		}
		return s.tell(ctx, pg, gate.TicketCommented, last.ID)
	})
}

// agree merges both sides' status, and does what follows here and there.
func (s *session) agree(ctx context.Context, issue jira.Issue) error {
	v, scan, err := s.look(ctx, issue)
	if err != nil {
		return err
	}
	d := merge(v)
	s.k.JIRAStatus, s.k.JIRAResolution, s.k.JIRAKey = issue.Status, issue.Resolution, issue.Key.Key
	if !issue.Updated.IsZero() {
		s.k.JIRAChange = &issue.Updated
	}
	if d.Claim != "" && d.Claim != v.Claim {
		at := issue.Updated
		if at.IsZero() || at.After(s.Now()) {
			at = s.Now()
		}
		s.k.ClaimedAt, s.k.WaiverID = &at, nil
	}
	if err := s.act(ctx, d, issue); err != nil {
		return err
	}
	if err := s.died("after the findings"); err != nil {
		return err
	}
	key, text := s.remark(d, issue, scan)
	if key != "" && d.Say != notHere {
		if err := s.Store.AddTicketComment(ctx, s.k.ID, key, text); err != nil {
			return err
		}
	}
	if d.Move {
		if err := s.move(ctx, d.Agreed); err != nil {
			return err
		}
		if err := s.died("after the transition"); err != nil {
			return err
		}
	}
	s.k.Claim, s.k.AgreedDone = string(d.Claim), d.Agreed
	if d.Claim == "" {
		s.k.ClaimedAt, s.k.WaiverID = nil, nil
	}
	return s.agreed(ctx, d, v, key, text)
}

// agreed commits what was agreed on, with the history of a claim.
func (s *session) agreed(ctx context.Context, d decision, v view, key, text string) error {
	ctx, cancel := afterwards(ctx)
	defer cancel()
	return s.Store.Tx(ctx, func(tx *store.Store, _ pgx.Tx) error {
		if key != "" && d.Say == notHere {
			if err := tx.AddTicketComment(ctx, s.k.ID, key, text); err != nil {
				return err
			}
		}
		if d.Claim != v.Claim {
			for _, f := range s.subject.Findings {
				if err := tx.AddAuditEvent(ctx, store.AuditEvent{
					At: s.Now(), Actor: User, Action: "jira_claim", Object: "finding", ObjectID: &f.ID, ProductID: &f.ProductID,
					Changes: map[string]any{"claim": [2]string{string(v.Claim), string(d.Claim)}, "ticket": [2]string{"", s.k.JIRAKey}},
				}); err != nil {
					return err
				}
			}
		}
		return tx.SaveTicket(ctx, s.k)
	})
}

// look gathers what decides.
func (s *session) look(ctx context.Context, issue jira.Issue) (view, *store.Rescan, error) {
	v := view{
		Kind: s.kind(), Base: s.k.AgreedDone, Theirs: issue.Done, Claim: meaning(s.k.Claim), Mode: s.inst.Inbound,
		Resolution: s.meaning(issue.Resolution), Open: s.isOpen(), Dismissed: s.dismissed(),
	}
	if v.Claim == fixed && v.Open && s.k.ClaimedAt != nil {
		proof, scan, err := s.proof(ctx)
		v.Proof = proof
		return v, scan, err
	}
	if v.Claim != "" && v.Open && s.k.WaiverID != nil && s.WaiverRefused != nil {
		why, err := s.WaiverRefused(ctx, *s.k.WaiverID)
		v.Refused, s.refusal = why != "", why
		return v, nil, err
	}
	return v, nil, nil
}

// isOpen tells whether there is something to fix.
func (s *session) isOpen() bool {
	if s.kind() == anEpic {
		return s.subject.Engagement.Active
	}
	return slices.ContainsFunc(s.subject.Findings, func(f gate.Finding) bool { return f.Active })
}

// dismissed tells whether something but a fix closed the finding.
func (s *session) dismissed() bool {
	return slices.ContainsFunc(s.subject.Findings, func(f gate.Finding) bool {
		return !f.Active && (f.Duplicate || f.FalseP || f.OutOfScope || f.RiskAccepted || !f.IsMitigated)
	})
}

// resolutions that say that nothing will be done, where the instance names none.
var wontDoNames = []string{"won't do", "won't fix", "wont do", "wont fix", "wontfix", "declined", "rejected"}

// meaning is what a resolution says. The instance's lists are exact, as
// DefectDojo's are.
func (s *session) meaning(resolution string) meaning {
	in := func(list *string) bool {
		return list != nil && slices.Contains(split(*list, ","), resolution)
	}
	switch {
	case resolution == "":
		return fixed
	case in(s.inst.FalsePositiveMappingResolution):
		return falsePositive
	case in(s.inst.AcceptedMappingResolution):
		return wontDo
	case s.inst.Inbound == "claim" && slices.Contains(wontDoNames, strings.ToLower(strings.ReplaceAll(resolution, "’", "'"))):
		return wontDo
	case s.inst.Inbound == "claim" && strings.EqualFold(resolution, "false positive"):
		return falsePositive
	default:
		return fixed
	}
}

// proof is what the scans since the claim say of the findings that are open:
// that one of them is there yet, or that none is.
func (s *session) proof(ctx context.Context) (proof, *store.Rescan, error) {
	result := notThere
	var told *store.Rescan
	for _, f := range s.subject.Findings {
		if !f.Active {
			continue
		}
		scan, err := s.Store.NextRescan(ctx, f, *s.k.ClaimedAt)
		if gate.KindOf(err) == gate.NotFound && err != nil {
			return noScan, nil, nil
		}
		if err != nil {
			return noScan, nil, err
		}
		if told == nil || scan.Shows {
			told = &scan
		}
		if scan.Shows {
			result = stillThere
		}
	}
	if told == nil {
		result = noScan
	}
	return result, told, nil
}

// act does to the findings what somebody in JIRA, or a scan, says of them.
func (s *session) act(ctx context.Context, d decision, issue jira.Issue) error {
	if d.Act == nothing {
		return nil
	}
	who, err := s.actor(ctx, "jira-"+s.k.JIRAKey)
	if err != nil {
		return err
	}
	var open, closed []int64
	for _, f := range s.subject.Findings {
		if f.Active {
			open = append(open, f.ID)
		} else if !f.Duplicate {
			closed = append(closed, f.ID)
		}
	}
	said := "JIRA: " + s.k.JIRAKey + " is " + issue.Status
	if issue.Resolution != "" {
		said += " (" + issue.Resolution + ")"
	}
	switch d.Act {
	case mitigate:
		note := triage.Note{Entry: said + "."}
		if d.Claim == fixed {
			note.Entry = "Claimed fixed in " + s.k.JIRAKey + ", and confirmed: the next whole scan does not show it."
		}
		_, err = s.Triage.CloseAll(ctx, who, open, lifecycle.Closing{IsMitigated: true}, note)
	case dismiss:
		_, err = s.Triage.CloseAll(ctx, who, open, lifecycle.Closing{IsMitigated: true, FalseP: true}, triage.Note{Entry: said + "."})
	case accept:
		_, err = s.Triage.AcceptRiskAll(ctx, who, open, triage.Note{Entry: said + "."})
	case reopen:
		_, err = s.Triage.ReopenAll(ctx, who, closed, triage.Note{Entry: said + "."})
	case askWaiver:
		err = s.askWaiver(ctx, who, d, said)
	}
	return err
}

// askWaiver asks for a waiver of the findings that somebody will not fix. If
// none can be asked for, a note says why.
func (s *session) askWaiver(ctx context.Context, who triage.Actor, d decision, said string) error {
	why := "Nobody has waived it: it counts until somebody does."
	if s.RequestWaiver != nil {
		id, err := s.RequestWaiver(ctx, WaiverRequest{Findings: s.open(), Reason: said, Ticket: s.k.JIRAKey, FalsePositive: d.Claim == falsePositive, Actor: who})
		if err == nil {
			s.k.WaiverID = &id
			return nil
		}
		if gate.KindOf(err) != gate.Invalid {
			return err
		}
		why = "No waiver could be asked for: " + err.Error()
	}
	for _, f := range s.open() {
		if _, err := s.Triage.AddNote(ctx, who, f.ID, triage.Note{Entry: said + ". " + why}); err != nil {
			return err
		}
	}
	return nil
}

// open are the findings that are open.
func (s *session) open() []gate.Finding {
	return slices.DeleteFunc(slices.Clone(s.subject.Findings), func(f gate.Finding) bool { return !f.Active })
}

// remark is what is said of a decision, and its key.
func (s *session) remark(d decision, issue jira.Issue, scan *store.Rescan) (key, text string) {
	since := ""
	if s.k.ClaimedAt != nil {
		since = strconv.FormatInt(s.k.ClaimedAt.UnixMilli(), 10)
	}
	switch d.Say {
	case refuted:
		return fmt.Sprintf("refuted-%d", scan.ImportID), fmt.Sprintf("Still there: the scan of %s found it again, so this is open again.", day(scan.Created))
	case confirmed:
		return "confirmed-" + since, "Confirmed: the finding is closed."
	case unwaived:
		return "unwaived-" + since, "The waiver does not hold: " + s.refusal + ". So this is open again."
	case claimHeard:
		return "claimed-" + since, "A waiver was asked for. Until somebody grants it, the finding counts."
	case notHere:
		return fmt.Sprintf("closed-here-%d", issue.Updated.UnixMilli()), "This is closed in DefectDojo (" + s.status() + "), where it can be opened again."
	case deleted:
		return "deleted", "What this was about was deleted in DefectDojo."
	default:
		return "", ""
	}
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

func (s *session) status() string {
	if len(s.subject.Findings) == 0 {
		return "Inactive"
	}
	return s.subject.Findings[0].Status()
}

// move takes the issue to a status that is done, or to one that is not.
func (s *session) move(ctx context.Context, done bool) error {
	ways, err := s.c.Transitions(ctx, s.k.JIRAID)
	if err != nil {
		return err
	}
	id, fields := s.inst.OpenStatusKey, s.p.ReopenTransitionFields
	if done {
		id, fields = s.inst.CloseStatusKey, s.p.CloseTransitionFields
	}
	way, ok := choose(ways, id, done)
	if !ok {
		return &integrations.Error{
			System: Channel, Op: "transition issue", Permanent: true,
			Err: fmt.Errorf("from %s nothing leads to a status that is %s", s.k.JIRAStatus, map[bool]string{true: "done", false: "not done"}[done]),
		}
	}
	return s.c.Transit(ctx, s.k.JIRAID, way.ID, fieldsOf(fields))
}

// choose returns the transition that is configured, else the first that leads there.
func choose(ways []jira.Transition, id int64, done bool) (jira.Transition, bool) {
	at := slices.IndexFunc(ways, func(w jira.Transition) bool { return w.ID == strconv.FormatInt(id, 10) })
	if at < 0 {
		at = slices.IndexFunc(ways, func(w jira.Transition) bool { return w.Done == done })
	}
	if at < 0 {
		return jira.Transition{}, false
	}
	return ways[at], true
}
