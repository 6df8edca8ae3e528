package api

import (
	"strconv"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/lifecycle"
	"defectdojo/gate/triage"
)

// closed is what POST /findings/:id/close answers.
type closed struct {
	IsMitigated bool   `json:"is_mitigated"`
	Mitigated   *stamp `json:"mitigated"`
	FalseP      bool   `json:"false_p"`
	OutOfScope  bool   `json:"out_of_scope"`
	Duplicate   bool   `json:"duplicate"`
	MitigatedBy *int64 `json:"mitigated_by"`
}

// closeFinding serves POST /findings/:id/close.
func (a *api) closeFinding(r *request) error {
	body, err := r.form()
	if err != nil {
		return err
	}
	f, who, err := a.actOn(r)
	if err != nil {
		return err
	}
	var how lifecycle.Closing
	body.flag("false_p", &how.FalseP, 0)
	body.flag("out_of_scope", &how.OutOfScope, 0)
	body.flag("duplicate", &how.Duplicate, 0)
	if how.IsMitigated = !how.FalseP && !how.OutOfScope && !how.Duplicate; body.has("is_mitigated") {
		body.flag("is_mitigated", &how.IsMitigated, 0)
	}
	body.maybeInstant("mitigated", &how.Mitigated)
	if !r.who.User.IsSuperuser { // when it was is not for everybody to say
		how.Mitigated = nil
	}
	n := body.note(r)
	if err := body.failed(); err != nil {
		return err
	}
	if f, err = r.Triage.Close(r.ctx, who, f.ID, how, n); err != nil {
		return err
	}
	return r.reply(fiber.StatusOK, closed{f.IsMitigated, maybe[stamp](f.Mitigated), f.FalseP, f.OutOfScope, f.Duplicate, f.MitigatedByID})
}

// note reads the note that goes with what is done.
func (f *form) note(r *request) (n triage.Note) {
	f.text("note", &n.Entry, 0, blank)
	f.maybeReference(r.ctx, "note_type", &n.TypeID, r.kind("note_type"))
	return n
}

// verifyFinding serves POST /findings/:id/verify.
func (a *api) verifyFinding(r *request) error {
	body, err := r.form()
	if err != nil {
		return err
	}
	f, who, err := a.actOn(r)
	if err != nil {
		return err
	}
	n := body.note(r)
	if err := body.failed(); err != nil {
		return err
	}
	if f, err = r.Triage.Verify(r.ctx, who, f.ID, n); err != nil {
		return err
	}
	return a.findings().reply(r, fiber.StatusOK, f)
}

// duplicates serves GET /findings/:id/duplicate: the other findings of its cluster.
func (a *api) duplicates(r *request) error {
	f, err := a.findings().one(r)
	if err != nil {
		return err
	}
	scope, err := r.scope()
	if err != nil {
		return err
	}
	rows, err := r.Store.Cluster(r.ctx, scope, f)
	if err != nil {
		return err
	}
	out, err := showFindings(r, rows)
	if err != nil {
		return err
	}
	return r.reply(fiber.StatusOK, out)
}

// resetDuplicate serves POST /findings/:id/duplicate/reset.
func (a *api) resetDuplicate(r *request) error {
	f, who, err := a.actOn(r)
	if err != nil {
		return err
	}
	if _, err := r.Triage.ResetDuplicate(r.ctx, who, f.ID); err != nil {
		return err
	}
	return r.nothing()
}

// setOriginal serves POST /findings/:id/original/:original.
func (a *api) setOriginal(r *request) error {
	f, who, err := a.actOn(r)
	if err != nil {
		return err
	}
	original, err := strconv.ParseInt(r.Params("original"), 10, 64)
	if err != nil {
		return gate.Errorf(gate.NotFound, "no such finding")
	}
	if err := r.Triage.SetOriginal(r.ctx, who, f.ID, original); err != nil {
		return err
	}
	return r.nothing()
}
