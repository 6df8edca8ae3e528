package web

import (
	"io"
	"slices"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
	"defectdojo/gate/waiver"
	"defectdojo/policies/vex"
)

// vexPage is what vex.html shows.
type vexPage struct {
	layout
	Documents []vexRow
	Products  []store.Choice // for which the visitor may bring one
	Product   string         // chosen, as the form sends it
	Trusted   bool
	Field     string // that is wrong
	Problem   string
}

// vexRow is a document with the name of its product.
type vexRow struct {
	store.VEXDocument

	ProductName string
	Waivers     int // that name it as their evidence
}

// vexDocuments serves GET /vex.
func (w *web) vexDocuments(v *visit) error {
	return w.showVEX(v, vexPage{Product: v.Query("product")})
}

func (w *web) showVEX(v *visit, p vexPage) error {
	ctx := v.UserContext()
	p.layout = w.layout(v, "waivers", "VEX documents")
	seen, err := w.Auth.Scope(ctx, v.Principal, auth.View)
	if err != nil {
		return err
	}
	l, err := w.Store.VEXDocuments(ctx, seen, nil, store.Page{Limit: 500})
	if err != nil {
		return err
	}
	choices, err := w.Store.FindingChoices(ctx, seen, false)
	if err != nil {
		return err
	}
	brings, err := w.Auth.Scope(ctx, v.Principal, auth.RequestWaiver)
	if err != nil {
		return err
	}
	names := map[int64]string{}
	for _, c := range choices.Products {
		names[c.ID] = c.Name
		if brings.Allows(c.ID) {
			p.Products = append(p.Products, c)
		}
	}
	used, err := w.Store.Waivers(ctx, store.WaiverFilter{Scope: seen, Page: store.Page{Limit: 10_000}})
	if err != nil {
		return err
	}
	for _, d := range l.Rows {
		row := vexRow{VEXDocument: d, ProductName: names[d.ProductID]}
		for i := range used.Rows {
			if u := &used.Rows[i]; u.ProductID == d.ProductID && slices.Contains(u.Document.Evidence, waiver.EvidenceOf(d)) {
				row.Waivers++
			}
		}
		p.Documents = append(p.Documents, row)
	}
	return render(v.Ctx, "vex.html", p)
}

// Wrong is what is wrong with a field; blank if nothing is.
func (p vexPage) Wrong(field string) string {
	if p.Field == field {
		return p.Problem
	}
	return ""
}

// addVEX serves POST /vex.
func (w *web) addVEX(v *visit) error {
	p := vexPage{Product: v.form("product"), Trusted: v.form("trusted") != ""}
	d := waiver.Document{Trusted: p.Trusted}
	d.ProductID, _ = strconv.ParseInt(p.Product, 10, 64)
	if err := w.Auth.May(v.UserContext(), v.Principal, auth.RequestWaiver, d.ProductID); err != nil {
		return err
	}
	wrong := func(field, problem string) error {
		v.Status(fiber.StatusBadRequest)
		p.Field, p.Problem = field, problem
		return w.showVEX(v, p)
	}
	if d.Trusted && w.Auth.May(v.UserContext(), v.Principal, auth.ApproveWaiver, d.ProductID) != nil {
		return wrong("trusted", "A document that holds by itself takes the right to approve waivers.")
	}
	var err error
	if d.Filename, d.Content, err = v.file("document", vex.MaxDocument); err != nil {
		return err
	}
	if len(d.Content) == 0 {
		return wrong("document", "Choose a file.")
	}
	kept, err := w.Waivers.AddVEX(v.UserContext(), w.waiverActor(v), d)
	if gate.KindOf(err) == gate.Invalid {
		return wrong("document", err.Error())
	}
	if err != nil {
		return err
	}
	w.flash(v, flash{Text: "The document is kept. Waivers can name it as their evidence."})
	return v.Redirect("/vex/"+strconv.FormatInt(kept.ID, 10), fiber.StatusSeeOther)
}

// file returns an uploaded file of a form; none is empty.
func (v *visit) file(field string, limit int64) (name string, content []byte, err error) {
	h, err := v.FormFile(field)
	if err != nil {
		return "", nil, nil //nolint:nilerr // none was chosen
	}
	f, err := h.Open()
	if err != nil {
		return "", nil, err
	}
	defer f.Close()
	content, err = io.ReadAll(io.LimitReader(f, limit+1))
	return h.Filename, content, err
}

// vexDocumentPage is what vex-document.html shows.
type vexDocumentPage struct {
	layout
	vexRow
	Digest    string // as a waiver names it
	Supports  []store.Waiver
	MayDelete bool
}

func (w *web) oneVEX(v *visit) (store.VEXDocument, error) {
	return visible(w, v, w.Store.VEXDocument)
}

// vexDocument serves GET /vex/:id.
func (w *web) vexDocument(v *visit) error {
	d, err := w.oneVEX(v)
	if err != nil {
		return err
	}
	product, err := w.Store.Product(v.UserContext(), gate.Scope{All: true}, d.ProductID)
	if err != nil {
		return err
	}
	p := vexDocumentPage{layout: w.layout(v, "waivers", "VEX document"), vexRow: vexRow{VEXDocument: d, ProductName: product.Name}, Digest: waiver.EvidenceOf(d)}
	p.MayDelete = w.Auth.May(v.UserContext(), v.Principal, auth.ApproveWaiver, d.ProductID) == nil
	if p.Supports, err = w.Waivers.Supported(v.UserContext(), d); err != nil {
		return err
	}
	return render(v.Ctx, "vex-document.html", p)
}

// vexContent serves GET /vex/:id/document: as it was brought.
func (w *web) vexContent(v *visit) error {
	d, err := w.oneVEX(v)
	if err != nil {
		return err
	}
	content, err := w.Waivers.VEXContent(v.UserContext(), d.ID)
	if err != nil {
		return err
	}
	name := d.Filename
	if name == "" {
		name = "vex-" + strconv.FormatInt(d.ID, 10) + ".json"
	}
	return download(v, fiber.MIMEApplicationJSON, name, content)
}

// deleteVEX serves POST /vex/:id/delete.
func (w *web) deleteVEX(v *visit) error {
	d, err := w.oneVEX(v)
	if err != nil {
		return err
	}
	if err := w.Auth.May(v.UserContext(), v.Principal, auth.ApproveWaiver, d.ProductID); err != nil {
		return err
	}
	if err := w.Waivers.DeleteVEX(v.UserContext(), w.waiverActor(v), d); err != nil {
		return err
	}
	w.flash(v, flash{Text: "The document is gone; waivers that name it have lost their evidence."})
	return v.Redirect("/vex", fiber.StatusSeeOther)
}

// exportVEX serves GET /products/:id/vex?format=…: the product's approved waivers
// as a VEX document of ours.
func (w *web) exportVEX(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	product, err := w.Store.Product(v.UserContext(), v.scope, id)
	if err != nil {
		return err
	}
	form := v.Query("format", "openvex")
	b, err := w.Waivers.ExportVEX(v.UserContext(), w.waiverActor(v), product, form, v.User.Username)
	if err != nil {
		return err
	}
	name := map[string]string{"openvex": ".openvex.json", "cyclonedx": ".cdx.json"}[form]
	return download(v, fiber.MIMEApplicationJSON, "product-"+strconv.FormatInt(id, 10)+name, b)
}

// Downloads are the forms in which ours can be had.
func (vexPage) Downloads() []string {
	out := make([]string, 0, len(waiver.Formats))
	for f := range waiver.Formats {
		out = append(out, f)
	}
	slices.Sort(out)
	return out
}
