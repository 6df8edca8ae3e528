// Package web serves the pages that people see: rendered here, whole without
// JavaScript, and quicker with it (htmx swaps the main part). One page is one
// file, one struct and one template.
package web

import (
	"time"

	"github.com/gofiber/fiber/v2"

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

// Deps are what the pages need.
type Deps struct {
	Auth        *auth.Auth
	Connections *connection.Connections
	Identities  *ingest.Identities
	Judge       *verdict.Judge
	Keys        *signing.Keys
	Notifier    *notification.Notifier
	Now         func() time.Time // the clock
	People      *people.Desk
	Policies    *policy.Desk
	Secure      bool   // browsers reach us over TLS: cookies say so
	SiteURL     string // where browsers and uploaders reach us: https://gate.example.org
	Store       *store.Store
	Tracker     *tracker.Tracker
	Triage      *triage.Triage
	Waivers     *waiver.Desk
}

type web struct{ Deps }

// route is one address: who may use it, and what answers.
type route struct {
	method, path string
	may          auth.Action // auth.Public: anybody
	handle       func(*visit) error
}

// routes is the one list of addresses. GET never writes; POST carries the
// session's CSRF token, which visit checks before anything else.
func (w *web) routes() []route {
	return []route{
		{fiber.MethodGet, "/login", auth.Public, w.loginForm},
		{fiber.MethodPost, "/login", auth.Public, w.login},
		{fiber.MethodPost, "/logout", auth.Self, w.logout},

		{fiber.MethodGet, "/", auth.View, w.dashboard},
		{fiber.MethodGet, "/products", auth.View, w.products},
		{fiber.MethodGet, "/products/:id", auth.View, w.product},
		{fiber.MethodGet, "/findings", auth.View, w.findings},
		{fiber.MethodGet, "/findings.csv", auth.View, w.findingsCSV},
		{fiber.MethodGet, "/findings.json", auth.View, w.findingsJSON},
		{fiber.MethodGet, "/findings/bulk", auth.View, func(v *visit) error { return v.Redirect("/findings", fiber.StatusSeeOther) }},
		{fiber.MethodPost, "/findings/bulk", auth.EditFinding, w.previewBulk},
		{fiber.MethodPost, "/findings/bulk/apply", auth.EditFinding, w.applyBulk},
		{fiber.MethodPost, "/findings/undo", auth.EditFinding, w.undo},
		{fiber.MethodGet, "/findings/:id", auth.View, w.finding},
		{fiber.MethodPost, "/findings/:id/triage", auth.EditFinding, w.triageFinding},
		{fiber.MethodPost, "/findings/:id/notes", auth.AddNote, w.addNote},
		{fiber.MethodGet, "/verdicts", auth.ViewVerdict, w.verdicts},
		{fiber.MethodGet, "/verdicts/:id", auth.ViewVerdict, w.verdict},
		{fiber.MethodGet, "/verdicts/:id/verdict.json", auth.ViewVerdict, w.verdictJSON},
		{fiber.MethodGet, "/verdicts/:id/report", auth.ViewVerdict, w.report},
		{fiber.MethodGet, "/search", auth.View, w.search},

		{fiber.MethodGet, "/policies", auth.View, w.policies},
		{fiber.MethodPost, "/policies", auth.WritePolicy, w.addPolicy},
		{fiber.MethodGet, "/policies/new", auth.WritePolicy, w.newPolicy},
		{fiber.MethodGet, "/policies/:id", auth.View, w.policy},
		{fiber.MethodPost, "/policies/:id", auth.WritePolicy, w.editPolicy},
		{fiber.MethodGet, "/policies/:id/diff", auth.View, w.policyDiff},
		{fiber.MethodGet, "/backtests", auth.WritePolicy, w.backtests},
		{fiber.MethodGet, "/backtests/:id", auth.WritePolicy, w.backtest},
		{fiber.MethodPost, "/backtests/:id/cancel", auth.WritePolicy, w.cancelBacktest},
		{fiber.MethodGet, "/waivers", auth.View, w.waivers},
		{fiber.MethodPost, "/waivers", auth.RequestWaiver, w.requestWaiver},
		{fiber.MethodGet, "/waivers/new", auth.RequestWaiver, w.newWaiver},
		{fiber.MethodGet, "/waivers/:id", auth.View, w.waiver},
		{fiber.MethodPost, "/waivers/:id", auth.ApproveWaiver, w.decideWaiver},

		{fiber.MethodGet, "/vex", auth.View, w.vexDocuments},
		{fiber.MethodPost, "/vex", auth.RequestWaiver, w.addVEX},
		{fiber.MethodGet, "/vex/:id", auth.View, w.vexDocument},
		{fiber.MethodGet, "/vex/:id/document", auth.View, w.vexContent},
		{fiber.MethodPost, "/vex/:id/delete", auth.ApproveWaiver, w.deleteVEX},
		{fiber.MethodGet, "/products/:id/vex", auth.ViewVerdict, w.exportVEX},
		{fiber.MethodGet, "/signing-keys", auth.Self, w.signingKeys},
		{fiber.MethodGet, "/signing-keys.pem", auth.Self, w.publicKeys},
		{fiber.MethodPost, "/signing-keys/rotate", auth.Configure, w.rotateKey},
		{fiber.MethodGet, "/signing-keys/:id", auth.Self, w.signingKey},
		{fiber.MethodGet, "/signing-keys/:id/public.pem", auth.Self, w.publicKey},
		{fiber.MethodPost, "/signing-keys/:id/withdraw", auth.Configure, w.withdrawKey},

		{fiber.MethodGet, "/integrations", auth.Configure, w.integrations},
		{fiber.MethodPost, "/integrations/connections", auth.Configure, w.saveConnection},
		{fiber.MethodGet, "/integrations/connections/new", auth.Configure, w.newConnection},
		{fiber.MethodGet, "/integrations/connections/:id", auth.Configure, w.connection},
		{fiber.MethodPost, "/integrations/connections/:id", auth.Configure, w.saveConnection},
		{fiber.MethodPost, "/integrations/connections/:id/test", auth.Configure, w.testConnection},
		{fiber.MethodPost, "/integrations/connections/:id/sync", auth.Configure, w.syncConnection},
		{fiber.MethodPost, "/integrations/connections/:id/secret", auth.Configure, w.renewConnectionSecret},
		{fiber.MethodPost, "/integrations/connections/:id/delete", auth.Configure, w.deleteConnection},
		{fiber.MethodPost, "/integrations/connections/:id/redeliver", auth.Configure, w.redeliver},
		{fiber.MethodPost, "/integrations/connections/:id/repositories", auth.Configure, w.mapRepository},
		{fiber.MethodPost, "/integrations/connections/:id/parts", auth.Configure, w.addPart},
		{fiber.MethodPost, "/integrations/connections/:id/parts/delete", auth.Configure, w.removePart},
		{fiber.MethodGet, "/integrations/jira", auth.ManageChannels, w.jira},
		{fiber.MethodPost, "/integrations/jira", auth.Configure, w.addJIRAInstance},
		{fiber.MethodGet, "/integrations/jira/new", auth.Configure, w.newJIRAInstance},
		{fiber.MethodPost, "/integrations/jira/projects", auth.ManageChannels, w.addJIRAProject},
		{fiber.MethodGet, "/integrations/jira/projects/new", auth.ManageChannels, w.newJIRAProject},
		{fiber.MethodGet, "/integrations/jira/projects/:id", auth.ManageChannels, w.jiraProject},
		{fiber.MethodPost, "/integrations/jira/projects/:id", auth.ManageChannels, w.editJIRAProject},
		{fiber.MethodPost, "/integrations/jira/projects/:id/test", auth.ManageChannels, w.testJIRAProject},
		{fiber.MethodPost, "/integrations/jira/projects/:id/delete", auth.ManageChannels, w.deleteJIRAProject},
		{fiber.MethodGet, "/integrations/jira/projects/:id/plan", auth.View, w.jiraPlan},
		{fiber.MethodPost, "/integrations/jira/projects/:id/push", auth.EditFinding, w.pushPlan},
		{fiber.MethodGet, "/integrations/jira/:id", auth.Configure, w.jiraInstance},
		{fiber.MethodPost, "/integrations/jira/:id", auth.Configure, w.editJIRAInstance},
		{fiber.MethodPost, "/integrations/jira/:id/test", auth.Configure, w.testJIRAInstance},
		{fiber.MethodPost, "/integrations/jira/:id/secret", auth.Configure, w.renewJIRASecret},
		{fiber.MethodPost, "/integrations/jira/:id/legacy", auth.Configure, w.saveJIRALegacy},
		{fiber.MethodPost, "/integrations/jira/:id/delete", auth.Configure, w.deleteJIRAInstance},

		{fiber.MethodGet, "/alerts", auth.Self, w.alerts},
		{fiber.MethodPost, "/alerts/read", auth.Self, w.readAlerts},
		{fiber.MethodPost, "/alerts/clear", auth.Self, w.clearAlerts},
		{fiber.MethodGet, "/notifications", auth.Self, w.notifications},
		{fiber.MethodPost, "/notifications", auth.Self, w.saveNotifications},
		{fiber.MethodPost, "/notifications/calendar", auth.ManageNotices, w.saveCalendar},
		{fiber.MethodPost, "/notifications/slack", auth.Self, w.saveSlack},
		{fiber.MethodGet, "/integrations/channels", auth.ManageNotices, w.channels},
		{fiber.MethodPost, "/integrations/channels", auth.ManageNotices, w.addChannel},
		{fiber.MethodGet, "/integrations/channels/new", auth.ManageNotices, w.newChannel},
		{fiber.MethodGet, "/integrations/channels/:id", auth.ManageNotices, w.channel},
		{fiber.MethodPost, "/integrations/channels/:id", auth.ManageNotices, w.editChannel},
		{fiber.MethodPost, "/integrations/channels/:id/test", auth.ManageNotices, w.testChannel},
		{fiber.MethodPost, "/integrations/channels/:id/products", auth.ManageNotices, w.placeProduct},
		{fiber.MethodPost, "/integrations/channels/:id/delete", auth.ManageNotices, w.deleteChannel},
		{fiber.MethodPost, "/integrations/webhooks", auth.ManageNotices, w.addHook},
		{fiber.MethodGet, "/integrations/webhooks/new", auth.ManageNotices, w.newHook},
		{fiber.MethodGet, "/integrations/webhooks/:id", auth.ManageNotices, w.hook},
		{fiber.MethodPost, "/integrations/webhooks/:id", auth.ManageNotices, w.editHook},
		{fiber.MethodPost, "/integrations/webhooks/:id/test", auth.ManageNotices, w.testHook},
		{fiber.MethodPost, "/integrations/webhooks/:id/revive", auth.ManageNotices, w.reviveHook},
		{fiber.MethodPost, "/integrations/webhooks/:id/resend", auth.ManageNotices, w.resendHook},
		{fiber.MethodPost, "/integrations/webhooks/:id/delete", auth.ManageNotices, w.deleteHook},

		{fiber.MethodGet, "/people", auth.EditUsers, w.people},
		{fiber.MethodPost, "/people", auth.EditUsers, w.addPerson},
		{fiber.MethodGet, "/people/:id", auth.EditUsers, w.person},
		{fiber.MethodPost, "/people/:id", auth.EditUsers, w.editPerson},
		{fiber.MethodPost, "/people/:id/tokens", auth.EditUsers, w.revokePerson},
		{fiber.MethodGet, "/products/:id/members", auth.ManageMembers, w.members},
		{fiber.MethodPost, "/products/:id/members", auth.ManageMembers, w.addMember},
		{fiber.MethodPost, "/products/:id/members/:member", auth.ManageMembers, w.editMember},
		{fiber.MethodGet, "/password", auth.Self, w.passwordForm},
		{fiber.MethodPost, "/password", auth.Self, w.changePassword},
		{fiber.MethodGet, "/tokens", auth.Self, w.tokens},
		{fiber.MethodPost, "/tokens", auth.Self, w.addToken},
		{fiber.MethodPost, "/tokens/:id/revoke", auth.Self, w.revokeToken},
		{fiber.MethodGet, "/trust-rules", auth.ManageChannels, w.trustRules},
		{fiber.MethodPost, "/trust-rules", auth.ManageChannels, w.addTrustRule},
		{fiber.MethodPost, "/trust-rules/:id/delete", auth.ManageChannels, w.deleteTrustRule},
		{fiber.MethodGet, "/scan-types", auth.ViewReference, w.scanTypes},
		{fiber.MethodGet, "/scan-types/dedup", auth.Configure, w.dedup},
		{fiber.MethodPost, "/scan-types/dedup", auth.Configure, w.changeDedup},
		{fiber.MethodGet, "/intelligence", auth.ViewReference, w.intelligence},
		{fiber.MethodGet, "/keys", auth.Self, w.keys},
	}
}

// Mount adds the pages to r. Errors go to r's error handler, which hands those
// of pages to Error.
func Mount(r fiber.Router, d Deps) {
	w := &web{d}
	r.Get(assetPath+":name", asset)
	r.Get("/favicon.ico", favicon)
	r.Get(badgePath+":id/:signature", w.badge)
	for _, route := range w.routes() {
		r.Add(route.method, route.path, w.serve(route))
	}
}

// visit is one request to a page.
type visit struct {
	*fiber.Ctx
	auth.Session
	scope  gate.Scope // the products on which the route's action may be done
	now    time.Time
	unread int // alerts
}

// serve makes the handler of a route.
func (w *web) serve(r route) fiber.Handler {
	return func(c *fiber.Ctx) error {
		headers(c)
		v := &visit{Ctx: c, now: w.Now()}
		c.Locals(visitKey, v)
		if r.method == fiber.MethodPost && crossSite(c) {
			return gate.Errorf(gate.Forbidden, "This form was sent from another site, so nothing was done.")
		}
		if r.may != auth.Public {
			if err := w.admit(v, r); err != nil {
				return err
			}
		}
		return r.handle(v)
	}
}

// form returns a field of a posted form; what the address says does not count.
func (v *visit) form(name string) string {
	if f, err := v.MultipartForm(); err == nil { // it brings a file
		if all := f.Value[name]; len(all) > 0 {
			return all[0]
		}
		return ""
	}
	return string(v.Request().PostArgs().Peek(name))
}

// visitKey is where an error page finds out who is looking.
const visitKey = "web.visit"

// admit lets in whoever is logged in and may do what the route is for.
func (w *web) admit(v *visit, r route) error {
	var err error
	if v.Session, err = w.Auth.Session(v.UserContext(), v.Cookies(auth.Cookie(w.Secure))); err != nil {
		return err
	}
	if r.method == fiber.MethodPost && !v.ValidCSRF(v.form("csrf")) {
		return gate.Errorf(gate.Forbidden, "This form is too old, so nothing was done. Go back, load the page anew and send it again.")
	}
	if r.method == fiber.MethodGet {
		if v.unread, err = w.Store.UnreadAlerts(v.UserContext(), v.User.ID, v.User.IsSuperuser); err != nil {
			return err
		}
	}
	if global[r.may] {
		return w.Auth.MayGlobal(v.Principal, r.may)
	}
	v.scope, err = w.Auth.Scope(v.UserContext(), v.Principal, r.may)
	return err
}

// global are the actions of routes that are on nothing of a product.
var global = map[auth.Action]bool{auth.Self: true, auth.ViewReference: true, auth.Configure: true, auth.ManageNotices: true, auth.EditUsers: true}
