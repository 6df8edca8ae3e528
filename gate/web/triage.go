package web

import (
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate/auth"
	"defectdojo/gate/store"
	"defectdojo/gate/triage"
)

// triageFinding serves POST /findings/:id/triage: an action on one finding.
func (w *web) triageFinding(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	a, err := actionOf(v)
	if err != nil {
		return err
	}
	if err := w.Auth.May(v.UserContext(), v.Principal, a.may, w.productOf(v, id)); err != nil {
		return err
	}
	o, err := v.order(a)
	if err != nil {
		return err
	}
	if a.Why && o.note.Entry == "" {
		w.flash(v, flash{Text: "Say why in the note: it will be asked later. Nothing was changed."})
		return v.backTo(id)
	}
	if err := w.act(v, a, o, []int64{id}); err != nil {
		return err
	}
	return v.backTo(id)
}

// addNote serves POST /findings/:id/notes.
func (w *web) addNote(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	if err := w.Auth.May(v.UserContext(), v.Principal, auth.AddNote, w.productOf(v, id)); err != nil {
		return err
	}
	who, err := w.actor(v, auth.AddNote)
	if err != nil {
		return err
	}
	note := triage.Note{Entry: strings.TrimSpace(v.form("note")), Private: v.form("private") != ""}
	if note.Entry == "" {
		w.flash(v, flash{Text: "The note was blank."})
		return v.backTo(id)
	}
	if _, err := w.Triage.AddNote(v.UserContext(), who, id, note); err != nil {
		return err
	}
	w.flash(v, flash{Text: "The note is there."})
	return v.backTo(id)
}

// productOf returns the product of a finding that may be seen, or 0, which nobody may touch.
func (w *web) productOf(v *visit, finding int64) int64 {
	scope, err := w.Auth.Scope(v.UserContext(), v.Principal, auth.View)
	if err != nil {
		return 0
	}
	f, err := w.Store.Finding(v.UserContext(), scope, finding)
	if err != nil {
		return 0
	}
	return f.ProductID
}

// backTo leads back to the finding, or to the list that it was looked at beside.
func (v *visit) backTo(finding int64) error {
	if back := localPath(v.form("back")); back != "/" {
		return v.Redirect(back, fiber.StatusSeeOther)
	}
	return v.Redirect("/findings/"+strconv.FormatInt(finding, 10), fiber.StatusSeeOther)
}

// Actions are those that would change the finding.
func (p findingPage) Actions() []action {
	f := p.Finding
	row := store.BulkRow{
		ID: f.ID, Severity: f.Severity, ProductID: f.ProductID, Active: f.Active, Verified: f.Verified,
		Duplicate: f.Duplicate, RiskAccepted: f.RiskAccepted, Simple: p.Simple, JIRA: p.JIRA,
	}
	var out []action
	for _, a := range append(slices.Clip(actions), push) {
		if !a.Assign && a.unless(row, order{}) == "" {
			out = append(out, a)
		}
	}
	return out
}

// Assigned tells whether the finding is somebody's.
func (p findingPage) Assigned(id int64) bool {
	return p.Finding.AssigneeID != nil && *p.Finding.AssigneeID == id
}

// BulkActions are those that make sense for a list.
func (p findingsPage) BulkActions() []action {
	var out []action
	for _, a := range actions {
		open := p.Filter.Status() == store.OpenStatus || p.Filter.Status() == store.VerifiedStatus
		if a.Name == "reopen" && open || a.Name == "out-of-scope" || a.Name == "verify" && p.Filter.Status() == store.VerifiedStatus {
			continue
		}
		out = append(out, a)
	}
	if p.JIRA {
		out = append(out, push)
	}
	return out
}
