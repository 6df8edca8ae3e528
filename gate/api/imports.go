package api

import (
	"context"
	"fmt"
	"mime"
	"os"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/fault"
	"defectdojo/gate/ingest"
)

// importTime bounds an import when the caller sets no deadline.
const importTime = 15 * time.Minute

func (a *api) importRoutes() []route {
	return []route{
		{fiber.MethodPost, "/import-scan", auth.Import, a.importScan},
		{fiber.MethodPost, "/reimport-scan", auth.Import, a.reimportScan},
	}
}

// importScan serves POST /import-scan: a report goes into a new test.
func (a *api) importScan(r *request) error { return a.importReport(r, false) }

// reimportScan serves POST /reimport-scan: a report goes into the test that the
// reports before it went to.
func (a *api) reimportScan(r *request) error { return a.importReport(r, true) }

func (a *api) importReport(r *request, again bool) error {
	kind, params, err := mime.ParseMediaType(r.Get(fiber.HeaderContentType))
	if err != nil || kind != fiber.MIMEMultipartForm {
		return unsupported(r.Get(fiber.HeaderContentType))
	}
	if err := r.mayImportAtAll(); err != nil { // before a byte of the report is read
		r.Context().SetConnectionClose()
		return err
	}
	up, err := r.receive(params["boundary"])
	if err != nil { // what is left of the body would be taken for the next request
		r.Context().SetConnectionClose()
		return err
	}
	defer up.remove()
	fault.Point(fault.BodyRead)
	in := r.readImport(up, again)
	to, err := r.target(in)
	if err != nil {
		return err
	}
	if err := r.inBounds(in.request, to); err != nil {
		return err
	}
	in.request.APIScanConfigurationID, err = r.usableScanConfiguration(in, to.ProductID)
	if err != nil {
		return err
	}
	if err := in.form.failed(); err != nil {
		return err
	}
	report, err := os.Open(up.path)
	if err != nil {
		return err
	}
	defer report.Close()
	in.request.Report = ingest.Report{Filename: up.filename, Content: report, Size: up.size, SHA256: up.sum}
	result, err := r.Import(r.ctx, in.request, to, r.now)
	if err != nil {
		return err
	}
	return r.reply(fiber.StatusCreated, in.echo(result))
}

// mayImportAtAll returns nil if there is something that the sender may import into or create.
func (r *request) mayImportAtAll() error {
	products, err := r.Auth.Scope(r.ctx, r.who, auth.Import)
	if err != nil || products.All || len(products.ProductIDs) > 0 {
		return err
	}
	types, err := r.Auth.TypeScope(r.ctx, r.who, auth.ImportProduct)
	if err != nil || types.All || len(types.ProductIDs) > 0 {
		return err
	}
	return r.Auth.MayGlobal(r.who, auth.ImportProductType)
}

// target looks up, once, where the report goes, and checks that the sender may
// put it there. The import acts on what is returned and on nothing else.
//
// What the sender may not see is told as what is not there.
func (r *request) target(in *incoming) (ingest.Resolved, error) {
	if err := r.hide(in.request); err != nil {
		return ingest.Resolved{}, err
	}
	to, err := ingest.Resolve(r.ctx, r.Store, in.request)
	if gate.KindOf(err) == gate.Invalid {
		return to, bare(err)
	}
	if err != nil {
		return to, err
	}
	return to, r.mayImport(to)
}

// mayImport returns nil if the sender may import into a target, and create what
// is missing of it.
func (r *request) mayImport(to ingest.Resolved) error {
	switch {
	case to.ProductID == 0 && to.ProductTypeID == 0:
		return r.Auth.MayGlobal(r.who, auth.ImportProductType)
	case to.ProductID == 0:
		err := r.Auth.MayType(r.ctx, r.who, auth.ImportProduct, to.ProductTypeID)
		if gate.KindOf(err) == gate.NotFound {
			return gate.Errorf(gate.Forbidden, "You do not have permission to perform this action.")
		}
		return err
	case to.EngagementID == 0:
		return r.Auth.May(r.ctx, r.who, auth.ImportEngagement, to.ProductID)
	default:
		return r.Auth.May(r.ctx, r.who, auth.Import, to.ProductID)
	}
}

// hide returns the error of a target that is not there if the one that is there
// is not for the sender's eyes.
func (r *request) hide(in ingest.Request) error {
	visible := func(product int64) (bool, error) {
		for _, do := range []auth.Action{auth.Import, auth.View} {
			if s, err := r.Auth.Scope(r.ctx, r.who, do); err != nil || s.Allows(product) {
				return err == nil, err
			}
		}
		return false, nil
	}
	all, t := gate.Scope{All: true}, in.Target
	var product int64
	absent := ""
	var err error
	switch {
	case in.Reimport && t.TestID != 0:
		var test gate.Test
		test, err = r.Store.Test(r.ctx, all, t.TestID)
		product, absent = test.ProductID, fmt.Sprintf("Test %q does not exist", strconv.FormatInt(t.TestID, 10))
	case !in.Reimport && t.EngagementID != 0:
		var e gate.Engagement
		e, err = r.Store.Engagement(r.ctx, all, t.EngagementID)
		product, absent = e.ProductID, fmt.Sprintf("Engagement %q does not exist", strconv.FormatInt(t.EngagementID, 10))
	case t.ProductName != "":
		var p gate.Product
		p, err = r.Store.ProductByName(r.ctx, t.ProductName)
		product, absent = p.ID, fmt.Sprintf("Product %q does not exist", t.ProductName)
	}
	if product == 0 || err != nil {
		if gate.KindOf(err) == gate.NotFound {
			err = nil // it is told by who looks it up for good
		}
		return err
	}
	if seen, err := visible(product); err != nil || seen {
		return err
	}
	if t.AutoCreateContext && t.TestID == 0 && t.EngagementID == 0 { // it cannot be created, nor may they know why
		return gate.Errorf(gate.Forbidden, "You do not have permission to perform this action.")
	}
	return fail{fiber.StatusBadRequest, []string{absent}}
}

// bare tells an error as DefectDojo tells those of a target: a list of texts.
func bare(err error) error { return fail{fiber.StatusBadRequest, []string{err.Error()}} }

// usableScanConfiguration returns the API scan configuration that the form
// names, if it is the product's own.
func (r *request) usableScanConfiguration(in *incoming, product int64) (*int64, error) {
	var id *int64
	in.form.maybeReference(r.ctx, "api_scan_configuration", &id, func(ctx context.Context, id int64) (bool, error) {
		return r.Store.OwnsScanConfiguration(ctx, product, id)
	})
	return id, in.form.err
}

// seesLocation tells whether a location is of a product that the sender may see.
func (r *request) seesLocation(ctx context.Context, id int64) (bool, error) {
	for _, do := range []auth.Action{auth.View, auth.Import} {
		scope, err := r.Auth.Scope(ctx, r.who, do)
		if err != nil {
			return false, err
		}
		if seen, err := r.Store.SeesLocation(ctx, scope, id); err != nil || seen {
			return seen, err
		}
	}
	return false, nil
}
