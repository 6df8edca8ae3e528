// Package api serves the REST API under /api/v2: DefectDojo's, in its shapes,
// and the gate's own resources beside it.
//
// Its clients are many and old, so it takes what they send (a trailing slash or
// none, numbers as text, booleans in a dozen spellings, fields that nobody
// reads any more) and answers every field that they may look for.
package api

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/connection"
	"defectdojo/gate/ingest"
	"defectdojo/gate/notification"
	"defectdojo/gate/people"
	"defectdojo/gate/policy"
	"defectdojo/gate/signing"
	"defectdojo/gate/store"
	"defectdojo/gate/tracker"
	"defectdojo/gate/triage"
	"defectdojo/gate/verdict"
	"defectdojo/gate/waiver"
)

// Root is the path under which the API is.
const Root = "/api/v2"

// Deps is what the API needs.
type Deps struct {
	Auth        *auth.Auth
	Connections *connection.Connections
	Identities  *ingest.Identities
	Import      func(context.Context, ingest.Request, ingest.Resolved, time.Time) (ingest.Result, error)
	Judge       *verdict.Judge
	Keys        *signing.Keys // that sign verdicts and bundles
	KeepFile    func(ctx context.Context, sha256 []byte, content io.Reader) error
	OpenFile    func(ctx context.Context, sha256 []byte) (io.ReadCloser, error)
	MaxReport   int64 // bytes of the largest report; 100 MiB if zero
	Notifier    *notification.Notifier
	Now         func() time.Time
	People      *people.Desk
	Policies    *policy.Desk                                                                                                     // of the server
	Retry       func(context.Context, store.ImportRow, gate.User, func(ingest.Resolved) error, time.Time) (ingest.Result, error) // of an import that failed
	Secure      bool                                                                                                             // browsers reach us over TLS: the name of their cookie says so
	SiteURL     string                                                                                                           // how people reach the pages; blank: as the sender of a request reached us
	Store       *store.Store
	Tell        func(ctx context.Context, tx pgx.Tx, e gate.Event) error // of what happened, in its transaction; nil: nobody
	Timeout     time.Duration                                            // of a request that imports nothing; a minute if zero
	Tracker     *tracker.Tracker
	Triage      *triage.Triage
	UploadDir   string // where reports are while they come in; the system's if blank
	Version     string // of the program
	Waivers     *waiver.Desk
}

// api answers requests.
type api struct{ Deps }

// route is a path and what may be done with it by whom.
type route struct {
	method string
	path   string // below Root
	do     auth.Action
	handle func(*request) error
}

// Mount adds the API's routes to r. The app that r belongs to has Error as its
// ErrorHandler, or calls it for paths below Root.
func Mount(r fiber.Router, d Deps) {
	if d.Timeout == 0 {
		d.Timeout = time.Minute
	}
	if d.MaxReport == 0 {
		d.MaxReport = 100 << 20
	}
	if d.Now == nil {
		d.Now = time.Now //nolint:forbidigo // the edge where the clock comes in
	}
	a := &api{d}
	for _, rt := range a.routes() {
		handler := a.serve(rt)
		r.Add(rt.method, Root+rt.path, handler)
		if rt.method == fiber.MethodGet {
			r.Add(fiber.MethodHead, Root+rt.path, handler)
		}
	}
}

// Permissions returns the action that each route needs, by method and path.
func Permissions() map[string]auth.Action {
	out := map[string]auth.Action{}
	for _, rt := range (&api{}).routes() {
		out[rt.method+" "+Root+rt.path] = rt.do
	}
	return out
}

// routes lists all routes. Those with a fixed word come before those with an ID.
func (a *api) routes() []route {
	var all []route
	for _, routes := range [][]route{
		a.rootRoutes(),
		a.tokenRoutes(),
		a.trustRuleRoutes(),
		a.connectionRoutes(),
		a.productTypeRoutes(),
		a.productRoutes(),
		a.engagementRoutes(),
		a.testRoutes(),
		a.testTypeRoutes(),
		a.findingRoutes(),
		a.fileRoutes(),
		a.generateRoutes(),
		a.riskAcceptanceRoutes(),
		a.userRoutes(),
		a.userGroupRoutes(),
		a.roleRoutes(),
		a.memberRoutes(),
		a.environmentRoutes(),
		a.toolRoutes(),
		a.languageRoutes(),
		a.verdictRoutes(),
		a.intelligenceRoutes(),
		a.signingRoutes(),
		a.backtestRoutes(),
		a.policyRoutes(),
		a.waiverRoutes(),
		a.scanTypeRoutes(),
		a.dedupRoutes(),
		a.importRoutes(),
		a.testImportRoutes(),
		a.metadataRoutes(),
		a.jiraRoutes(),
		a.notificationRoutes(),
		a.schemaRoutes(),
	} {
		all = append(all, routes...)
	}
	return all
}

// request is a request whose sender is known, and may do what its route says.
type request struct {
	*fiber.Ctx
	*api
	ctx context.Context //nolint:containedctx // it lives as long as the request
	who gate.Principal
	do  auth.Action
	now time.Time

	views     *gate.Scope // what the sender may see, once it was looked up
	viewTypes *gate.Scope
}

// serve returns the handler that lets only those through who may do what the
// route needs. What is on a product is checked again, on that product.
func (a *api) serve(rt route) fiber.Handler {
	return func(c *fiber.Ctx) error {
		limit := a.Timeout
		if rt.do == auth.Import || strings.HasSuffix(rt.path, "/files") {
			limit = importTime
		}
		ctx, cancel := context.WithTimeout(c.UserContext(), limit)
		defer cancel()
		c.SetUserContext(ctx)
		r := &request{Ctx: c, api: a, ctx: ctx, do: rt.do, now: a.Now()}
		if !strings.HasSuffix(rt.path, "/report") && !strings.HasSuffix(rt.path, "/:file") && !r.takesJSON() {
			return fail{status: fiber.StatusNotAcceptable, body: detail("Could not satisfy the request Accept header.")}
		}
		if rt.do != auth.Public {
			if err := r.authenticate(); err != nil {
				return err
			}
		}
		return rt.handle(r)
	}
}

// takesJSON tells whether the client takes the only form that there is.
func (r *request) takesJSON() bool {
	accept := r.Get(fiber.HeaderAccept)
	return accept == "" || r.Accepts(fiber.MIMEApplicationJSON) != ""
}

// scope returns the products that the sender may see.
func (r *request) scope() (gate.Scope, error) { return once(&r.views, r, r.Auth.Scope) }

// typeScope returns the product types that the sender may see.
func (r *request) typeScope() (gate.Scope, error) { return once(&r.viewTypes, r, r.Auth.TypeScope) }

// once looks a scope up the first time that it is wanted.
func once(kept **gate.Scope, r *request, look func(context.Context, gate.Principal, auth.Action) (gate.Scope, error)) (gate.Scope, error) {
	if *kept == nil {
		s, err := look(r.ctx, r.who, auth.View)
		if err != nil {
			return s, err
		}
		*kept = &s
	}
	return **kept, nil
}

// may returns nil if the sender may do what the route says on a product.
func (r *request) may(product int64) error { return r.Auth.May(r.ctx, r.who, r.do, product) }

// id returns the path's ID.
func (r *request) id(model string) (int64, error) {
	id, ok := parseID(r.Params("id"))
	if !ok {
		return 0, gate.Errorf(gate.NotFound, "no such %s", model)
	}
	return id, nil
}
