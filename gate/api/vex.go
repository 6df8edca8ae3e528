package api

import (
	"encoding/hex"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
	"defectdojo/gate/waiver"
	"defectdojo/policies/vex"
)

// vexView is a VEX document as the API tells it.
type vexView struct {
	ID         int64               `json:"id"`
	Product    int64               `json:"product"`
	Digest     string              `json:"digest"` // that a waiver names as its evidence
	Filename   string              `json:"filename"`
	Format     string              `json:"format"`
	Trusted    bool                `json:"trusted"`
	Statements []gate.VEXStatement `json:"statements"`
	AddedBy    string              `json:"added_by"`
	Created    stamp               `json:"created"`
}

func showVEX(d store.VEXDocument) vexView {
	return vexView{d.ID, d.ProductID, "sha256:" + hex.EncodeToString(d.Digest), d.Filename, d.Format, d.Trusted, d.Statements, d.AddedBy, stamp(d.Created)}
}

// vexDocuments serves GET /vex_documents.
func (a *api) vexDocuments(r *request) error {
	q := r.query()
	p := q.page()
	p.Order = nil
	var product *int64
	if v := q.number("product"); len(v) > 0 {
		product = &v[0]
	}
	if err := q.err(); err != nil {
		return err
	}
	scope, err := r.scope()
	if err != nil {
		return err
	}
	l, err := r.Store.VEXDocuments(r.ctx, scope, product, p)
	if err != nil {
		return err
	}
	rows := []any{}
	for _, d := range l.Rows {
		rows = append(rows, showVEX(d))
	}
	return r.listing(q, p, l.Count, rows, nil)
}

// addVEX serves POST /vex_documents?product=…&filename=…&trusted=…, whose body is
// the document: OpenVEX, CycloneDX or CSAF. One that is trusted holds by itself,
// and takes the right to approve waivers; others only support them.
func (a *api) addVEX(r *request) error {
	q := r.query()
	product := q.number("product")
	if err := q.err(); err != nil {
		return err
	}
	if len(product) != 1 {
		return gate.FieldErrorf("product", "This field is required.")
	}
	scope, err := r.Auth.Scope(r.ctx, r.who, r.do)
	if err != nil {
		return err
	}
	if !scope.Allows(product[0]) {
		return gate.FieldErrorf("product", "Invalid pk \"%d\" - object does not exist.", product[0])
	}
	if _, err := r.Store.Product(r.ctx, scope, product[0]); err != nil {
		return unseen("product", err)
	}
	d := waiver.Document{ProductID: product[0], Filename: q.text("filename")}
	if t := q.plainFlag("trusted"); t != nil && *t {
		d.Trusted = true
		if err := r.Auth.May(r.ctx, r.who, auth.ApproveWaiver, d.ProductID); err != nil {
			return err
		}
	}
	if d.Content, err = r.limitedBody(vex.MaxDocument); err != nil {
		return err
	}
	kept, err := r.Waivers.AddVEX(r.ctx, r.waiverActor(), d)
	if err != nil {
		return err
	}
	return r.reply(fiber.StatusCreated, showVEX(kept))
}

func (r *request) oneVEX() (store.VEXDocument, error) {
	id, err := r.id("VEX document")
	if err != nil {
		return store.VEXDocument{}, err
	}
	scope, err := r.scope()
	if err != nil {
		return store.VEXDocument{}, err
	}
	return r.Store.VEXDocument(r.ctx, scope, id)
}

// vexDocument serves GET /vex_documents/:id.
func (a *api) vexDocument(r *request) error {
	d, err := r.oneVEX()
	if err != nil {
		return err
	}
	return r.reply(fiber.StatusOK, showVEX(d))
}

// deleteVEX serves DELETE /vex_documents/:id.
func (a *api) deleteVEX(r *request) error {
	d, err := r.oneVEX()
	if err != nil {
		return err
	}
	if err := r.may(d.ProductID); err != nil {
		return err
	}
	if err := r.Waivers.DeleteVEX(r.ctx, r.waiverActor(), d); err != nil {
		return err
	}
	return r.nothing()
}
