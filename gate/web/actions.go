package web

import (
	"cmp"
	"context"
	"crypto/rand"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/lifecycle"
	"defectdojo/gate/store"
	"defectdojo/gate/triage"
)

// action is something that can be done to findings, one or many.
type action struct {
	Name   string // in addresses and forms
	Button string
	Verb   string // "Close 12 findings?"
	Done   string // "12 findings closed."
	Key    string
	Why    bool // a reason must be given: it is what an auditor will ask for
	Assign bool // it needs somebody
	may    auth.Action
	unless func(store.BulkRow, order) string // why it would not change a finding; "" if it would
	do     func(context.Context, *triage.Triage, triage.Actor, []int64, order) ([]gate.Finding, error)
}

// order is what somebody wants done.
type order struct {
	note     triage.Note
	assignee *int64
}

// actions lists them all, in the order of their buttons.
var actions = []action{
	{
		Name: "verify", Button: "Verify", Verb: "Verify", Done: "verified", may: auth.EditFinding,
		unless: func(r store.BulkRow, _ order) string {
			return cmp.Or(notOpen(r), when(r.Verified, "verified already"))
		},
		do: func(ctx context.Context, t *triage.Triage, a triage.Actor, ids []int64, o order) ([]gate.Finding, error) {
			return t.VerifyAll(ctx, a, ids, o.note)
		},
	},
	{
		Name: "close", Button: "Close", Verb: "Close", Done: "closed", Key: "c", may: auth.EditFinding,
		unless: func(r store.BulkRow, _ order) string { return notOpen(r) },
		do:     closing(lifecycle.Closing{IsMitigated: true}),
	},
	{
		Name: "accept", Button: "Accept risk", Verb: "Accept the risk of", Done: "accepted", Key: "r", Why: true, may: auth.AcceptRisk,
		unless: func(r store.BulkRow, _ order) string {
			return cmp.Or(notOpen(r), when(!r.Simple, "in a product that does not allow simple risk acceptance"))
		},
		do: func(ctx context.Context, t *triage.Triage, a triage.Actor, ids []int64, o order) ([]gate.Finding, error) {
			return t.AcceptRiskAll(ctx, a, ids, o.note)
		},
	},
	{
		Name: "false-positive", Button: "False positive", Verb: "Dismiss as false positive", Done: "dismissed as false positive", Key: "f", Why: true, may: auth.EditFinding,
		unless: func(r store.BulkRow, _ order) string { return notOpen(r) },
		do:     closing(lifecycle.Closing{FalseP: true}),
	},
	{
		Name: "out-of-scope", Button: "Out of scope", Verb: "Put out of scope", Done: "put out of scope", Why: true, may: auth.EditFinding,
		unless: func(r store.BulkRow, _ order) string { return notOpen(r) },
		do:     closing(lifecycle.Closing{OutOfScope: true}),
	},
	{
		Name: "reopen", Button: "Reopen", Verb: "Reopen", Done: "reopened", may: auth.EditFinding,
		unless: func(r store.BulkRow, _ order) string {
			return cmp.Or(when(r.Active, "open already"), when(r.Duplicate, "duplicates"))
		},
		do: func(ctx context.Context, t *triage.Triage, a triage.Actor, ids []int64, o order) ([]gate.Finding, error) {
			return t.ReopenAll(ctx, a, ids, o.note)
		},
	},
	{
		Name: "assign", Button: "Assign", Verb: "Assign", Done: "assigned", Key: "a", Assign: true, may: auth.EditFinding,
		unless: func(r store.BulkRow, o order) string {
			return when(cmp.Or(valueOf(r.AssigneeID), 0) == cmp.Or(valueOf(o.assignee), 0), "assigned so already")
		},
		do: func(ctx context.Context, t *triage.Triage, a triage.Actor, ids []int64, o order) ([]gate.Finding, error) {
			return t.AssignAll(ctx, a, ids, o.assignee)
		},
	},
	{
		Name: "review", Button: "Ask for review", Verb: "Ask for a review of", Done: "handed to a reviewer", Assign: true, may: auth.EditFinding,
		unless: func(r store.BulkRow, _ order) string { return cmp.Or(notOpen(r), when(r.Duplicate, "duplicates")) },
		do: func(ctx context.Context, t *triage.Triage, a triage.Actor, ids []int64, o order) ([]gate.Finding, error) {
			if o.assignee == nil {
				return nil, gate.FieldErrorf("assignee", "say who is to look at it")
			}
			if _, err := t.Store.User(ctx, *o.assignee); err != nil {
				return nil, gate.FieldErrorf("assignee", "there is no such person")
			}
			return t.RequestReviewAll(ctx, a, ids, []int64{*o.assignee}, o.note)
		},
	},
}

// push is an action like the others where there is a JIRA.
var push = action{
	Name: "push", Button: "Push to JIRA", Verb: "Make or update JIRA issues of", Done: "handed to JIRA's worker", may: auth.EditFinding,
	unless: func(r store.BulkRow, _ order) string {
		return cmp.Or(when(!r.JIRA, "in a product without a JIRA project"), when(r.Duplicate, "duplicates"), notOpen(r))
	},
	do: func(ctx context.Context, t *triage.Triage, a triage.Actor, ids []int64, o order) ([]gate.Finding, error) {
		return t.PushAll(ctx, a, ids, o.note)
	},
}

func notOpen(r store.BulkRow) string { return when(!r.Active, "not open") }

func when(is bool, text string) string {
	if is {
		return text
	}
	return ""
}

func valueOf(p *int64) int64 {
	if p == nil {
		return 0
	}
	return *p
}

func closing(how lifecycle.Closing) func(context.Context, *triage.Triage, triage.Actor, []int64, order) ([]gate.Finding, error) {
	return func(ctx context.Context, t *triage.Triage, a triage.Actor, ids []int64, o order) ([]gate.Finding, error) {
		return t.CloseAll(ctx, a, ids, how, o.note)
	}
}

// actionOf returns the action that a form names.
func actionOf(v *visit) (action, error) {
	name := v.form("action")
	for _, a := range append(slices.Clip(actions), push) {
		if a.Name == name {
			return a, nil
		}
	}
	return action{}, gate.FieldErrorf("action", "there is no action %q", name)
}

// order reads what a form says beside the action.
func (v *visit) order(a action) (order, error) {
	o := order{note: triage.Note{Entry: strings.TrimSpace(v.form("note"))}}
	if a.Assign && v.form("assignee") != "" {
		id, err := strconv.ParseInt(v.form("assignee"), 10, 64)
		if err != nil {
			return o, gate.FieldErrorf("assignee", "there is no such person")
		}
		o.assignee = &id
	}
	return o, nil
}

// actor is who does something, and where they may do that.
func (w *web) actor(v *visit, do auth.Action) (triage.Actor, error) {
	scope, err := w.Auth.Scope(v.UserContext(), v.Principal, do)
	id := requestID(v.Ctx)
	if id == "" {
		id = strings.ToLower(rand.Text())
		v.Set(fiber.HeaderXRequestID, id)
	}
	return triage.Actor{Who: v.Principal, Scope: scope, Now: v.now, RequestID: id, IP: v.IP()}, err
}

// act does an action to those of some findings that it would change, and says
// what it did on the next page.
func (w *web) act(v *visit, a action, o order, ids []int64) error {
	ctx := v.UserContext()
	who, err := w.actor(v, a.may)
	if err != nil {
		return err
	}
	if o.assignee != nil {
		if u, err := w.Store.User(ctx, *o.assignee); err != nil || !u.IsActive {
			return gate.FieldErrorf("assignee", "there is no such person")
		}
	}
	rows, err := w.Store.BulkRows(ctx, store.FindingSearch{Scope: who.Scope, IDs: orNone(ids)}, bulkLimit)
	if err != nil {
		return err
	}
	would, _ := a.split(rows, o)
	if len(would) == 0 {
		w.flash(v, flash{Text: "Nothing was changed: there was nothing to " + strings.ToLower(a.Button) + "."})
		return nil
	}
	done, err := a.do(ctx, w.Triage, who, idsOf(would), o)
	if err != nil {
		return err
	}
	f := flash{Text: plural(len(done), "finding", "findings") + " " + a.Done + ".", Undo: who.RequestID}
	if a.Name == push.Name { // JIRA cannot be made to forget
		f.Undo = ""
	}
	if a.Name == "reopen" { // it ends risk acceptances, which undo cannot bring back
		f.Undo = ""
	}
	w.flash(v, f)
	return nil
}

// split parts findings into those that an action would change, and the numbers
// of the others by why it would not.
func (a action) split(rows []store.BulkRow, o order) (would []store.BulkRow, not []reasonCount) {
	for _, r := range rows {
		why := a.unless(r, o)
		if why == "" {
			would = append(would, r)
			continue
		}
		not = count(not, why)
	}
	return would, not
}

type reasonCount struct {
	Why   string
	Count int
}

func count(counts []reasonCount, why string) []reasonCount {
	for i := range counts {
		if counts[i].Why == why {
			counts[i].Count++
			return counts
		}
	}
	return append(counts, reasonCount{why, 1})
}

func idsOf(rows []store.BulkRow) []int64 {
	ids := make([]int64, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	return ids
}

// orNone returns a slice that selects nothing, where nil would select all.
func orNone(ids []int64) []int64 {
	if ids == nil {
		return []int64{}
	}
	return ids
}
