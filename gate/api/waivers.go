package api

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
	"defectdojo/gate/waiver"
)

func (a *api) waiverRoutes() []route {
	return []route{
		{fiber.MethodGet, "/waivers", auth.View, a.waivers},
		{fiber.MethodPost, "/waivers", auth.RequestWaiver, a.requestWaiver},
		{fiber.MethodPost, "/waivers/preview", auth.RequestWaiver, a.previewWaiver},
		{fiber.MethodGet, "/waivers/:id", auth.View, a.waiver},
		{fiber.MethodPost, "/waivers/:id/approve", auth.ApproveWaiver, a.approveWaiver},
		{fiber.MethodPost, "/waivers/:id/reject", auth.ApproveWaiver, a.rejectWaiver},
		{fiber.MethodPost, "/waivers/:id/revoke", auth.ApproveWaiver, a.revokeWaiver},
		{fiber.MethodGet, "/vex_documents", auth.View, a.vexDocuments},
		{fiber.MethodPost, "/vex_documents", auth.RequestWaiver, a.addVEX},
		{fiber.MethodGet, "/vex_documents/:id", auth.View, a.vexDocument},
		{fiber.MethodDelete, "/vex_documents/:id", auth.ApproveWaiver, a.deleteVEX},
		{fiber.MethodGet, "/products/:id/vex", auth.ViewVerdict, a.exportVEX},
	}
}

// waiverView is a waiver as the API tells it.
type waiverView struct {
	ID            int64              `json:"id"`
	Name          string             `json:"name"`
	Product       int64              `json:"product"`
	ProductName   string             `json:"product_name"`
	State         string             `json:"state"`  // requested, approved, rejected, revoked
	Status        string             `json:"status"` // the same as of now: with expired, pending, expiring, active
	Match         gate.WaiverMatch   `json:"match"`
	Reason        string             `json:"reason"`
	Justification gate.Justification `json:"justification"`
	Ticket        string             `json:"ticket"`
	RequestedBy   string             `json:"requested_by"`
	ApprovedBy    []string           `json:"approved_by"`
	Needed        int                `json:"needed"` // approvals
	ValidFrom     *stamp             `json:"valid_from"`
	Expires       stamp              `json:"expires"`
	MaxMatches    int                `json:"max_matches"`
	VoidIf        string             `json:"void_if"`
	Evidence      []string           `json:"evidence"`
	Finding       *int64             `json:"finding"`
	Verdict       *int64             `json:"verdict"`
	DecidedBy     string             `json:"decided_by"` // rejected or revoked
	Decided       *stamp             `json:"decided"`
	Decision      string             `json:"decision"`
	Created       stamp              `json:"created"`
	Updated       stamp              `json:"updated"`
	Usage         *waiverUsage       `json:"usage"` // in the verdicts that stand; null: none looked at it
	URL           *string            `json:"url"`
}

type waiverUsage struct {
	Matches int `json:"matches"`
	Covered int `json:"covered"`
	Lines   int `json:"lines"` // branches
}

func (r *request) showWaiver(w store.Waiver, used map[string]store.WaiverUsage) waiverView {
	d := w.Document
	v := waiverView{
		ID: w.ID, Name: w.Name, Product: w.ProductID, ProductName: w.Product, State: w.State, Status: waiver.State(&w, r.now), Match: d.Match, Reason: d.Reason,
		Justification: d.Justification, Ticket: d.Ticket, RequestedBy: w.RequestedBy, ApprovedBy: w.ApprovedBy, Needed: w.Needed, ValidFrom: maybe[stamp](w.ValidFrom),
		Expires: stamp(w.Expires), MaxMatches: d.MaxMatches, VoidIf: d.VoidIf, Evidence: d.Evidence, Finding: w.FindingID, Verdict: w.VerdictID, DecidedBy: w.DecidedBy,
		Decided: maybe[stamp](w.Decided), Decision: w.Decision, Created: stamp(w.Created), Updated: stamp(w.Updated), URL: r.page("/waivers/", w.ID),
	}
	if u, ok := used[w.Name]; ok {
		v.Usage = &waiverUsage{u.Matches, u.Covered, u.Lines}
	}
	return v
}

// usageDays is how old a verdict may be whose use of a waiver is told.
const usageDays = 90

// replyWaiver answers with one waiver.
func (r *request) replyWaiver(status int, w store.Waiver) error {
	used, err := r.Store.WaiverUsages(r.ctx, gate.Scope{ProductIDs: []int64{w.ProductID}}, r.now.AddDate(0, 0, -usageDays))
	if err != nil {
		return err
	}
	return r.reply(status, r.showWaiver(w, used))
}

// waivers serves GET /waivers.
func (a *api) waivers(r *request) error {
	q := r.query()
	p := q.page()
	p.Order = nil // this list has one order
	f := store.WaiverFilter{Numbers: q.numbers("product", "finding", "verdict"), State: q.maybe("state"), Name: q.maybe("name"), Page: p}
	err := q.err()
	if err != nil {
		return err
	}
	if f.Scope, err = r.scope(); err != nil {
		return err
	}
	l, err := r.Store.Waivers(r.ctx, f)
	if err != nil {
		return err
	}
	used, err := r.Store.WaiverUsages(r.ctx, f.Scope, r.now.AddDate(0, 0, -usageDays))
	if err != nil {
		return err
	}
	rows := []any{}
	for _, w := range l.Rows {
		rows = append(rows, r.showWaiver(w, used))
	}
	return r.listing(q, p, l.Count, rows, nil)
}

// oneWaiver returns the waiver that the path names, if the sender may see it.
func (r *request) oneWaiver() (store.Waiver, error) {
	id, err := r.id("waiver")
	if err != nil {
		return store.Waiver{}, err
	}
	scope, err := r.scope()
	if err != nil {
		return store.Waiver{}, err
	}
	return r.Store.WaiverByID(r.ctx, scope, id)
}

// waiver serves GET /waivers/:id.
func (a *api) waiver(r *request) error {
	w, err := r.oneWaiver()
	if err != nil {
		return err
	}
	return r.replyWaiver(fiber.StatusOK, w)
}

// waiverBody is what a waiver is asked for with. What it is for is said by
// match, or is made of a finding: it alone, or with match_by "vulnerability" the
// same in its component, with "rule" the same check at its path.
type waiverBody struct {
	Product     int64  `json:"product"`
	ProductName string `json:"product_name"`
	Finding     int64  `json:"finding"`
	Verdict     int64  `json:"verdict"`
	MatchBy     string `json:"match_by"`
	Days        int    `json:"days"` // instead of expires

	Match         gate.WaiverMatch   `json:"match"`
	Reason        string             `json:"reason"`
	Justification gate.Justification `json:"justification"`
	Ticket        string             `json:"ticket"`
	ValidFrom     string             `json:"valid_from"`
	Expires       string             `json:"expires"`
	MaxMatches    int                `json:"max_matches"`
	VoidIf        string             `json:"void_if"`
	Evidence      []string           `json:"evidence"`
}

// ask reads what a waiver is asked for with.
func (r *request) ask() (waiver.Ask, error) {
	b, err := r.limitedBody(maxBody)
	if err != nil {
		return waiver.Ask{}, err
	}
	var in waiverBody
	if err := json.Unmarshal(b, &in); err != nil {
		return waiver.Ask{}, gate.Errorf(gate.Invalid, "JSON request content is malformed")
	}
	ask := waiver.Ask{Waiver: gate.Waiver{
		Match: in.Match, Reason: strings.TrimSpace(in.Reason), Justification: in.Justification, Ticket: strings.TrimSpace(in.Ticket), MaxMatches: in.MaxMatches,
		VoidIf: strings.TrimSpace(in.VoidIf), Evidence: in.Evidence,
	}}
	if err := r.askedAt(&in, &ask); err != nil {
		return ask, err
	}
	return ask, r.askedWhen(&in, &ask.Waiver)
}

// askedAt finds the product, and what the waiver is for.
func (r *request) askedAt(in *waiverBody, ask *waiver.Ask) error {
	scope, err := r.Auth.Scope(r.ctx, r.who, r.do)
	if err != nil {
		return err
	}
	if in.Finding > 0 {
		f, err := r.Store.Finding(r.ctx, scope, in.Finding)
		if err != nil {
			return unseen("finding", err)
		}
		in.Product, ask.Engagement, ask.FindingID = f.ProductID, f.EngagementID, &in.Finding
	}
	if in.Verdict > 0 {
		v, err := r.Store.Verdict(r.ctx, scope, in.Verdict)
		if err != nil {
			return unseen("verdict", err)
		}
		in.Product, ask.VerdictID = v.ProductID, &in.Verdict
		if v.EngagementID != nil {
			ask.Engagement = *v.EngagementID
		}
	}
	if in.Product == 0 && in.ProductName != "" {
		p, err := r.Store.ProductByName(r.ctx, in.ProductName)
		if err != nil {
			return unseen("product_name", err)
		}
		in.Product = p.ID
	}
	if ask.Product, err = r.Store.Product(r.ctx, scope, in.Product); err != nil {
		return unseen("product", err)
	}
	if in.Finding > 0 && ask.Waiver.Match.IsZero() {
		f, err := r.Judge.Finding(r.ctx, ask.Product.ID, in.Finding)
		if err != nil {
			return err
		}
		ask.Waiver.Match, err = waiver.MatchOf(&f, in.MatchBy)
		return err
	}
	return nil
}

// unseen tells of something that a body names and that is not there, or not for
// the sender.
func unseen(field string, err error) error {
	if gate.KindOf(err) == gate.NotFound {
		return gate.FieldErrorf(field, "Invalid pk - object does not exist.")
	}
	return err
}

// askedWhen reads from when to when.
func (r *request) askedWhen(in *waiverBody, w *gate.Waiver) error {
	for _, t := range []struct {
		field, text string
		into        *time.Time
	}{{"valid_from", in.ValidFrom, &w.ValidFrom}, {"expires", in.Expires, &w.Expires}} {
		if t.text == "" {
			continue
		}
		at, ok := parseInstant(t.text)
		if !ok {
			return gate.FieldErrorf(t.field, "Enter a valid date/time.")
		}
		*t.into = at
	}
	if in.Days > 0 && w.Expires.IsZero() {
		w.Expires = r.now.AddDate(0, 0, in.Days)
	}
	return nil
}

func (r *request) waiverActor() waiver.Actor {
	return waiver.Actor{Who: r.who, Now: r.now, RequestID: r.GetRespHeader(fiber.HeaderXRequestID), IP: r.IP()}
}

// requestWaiver serves POST /waivers.
func (a *api) requestWaiver(r *request) error {
	ask, err := r.ask()
	if err != nil {
		return err
	}
	w, err := r.Waivers.Request(r.ctx, r.waiverActor(), ask)
	if err != nil {
		return err
	}
	return r.replyWaiver(fiber.StatusCreated, w)
}

// previewWaiver serves POST /waivers/preview: what a waiver would be for, and
// what it needs.
func (a *api) previewWaiver(r *request) error {
	ask, err := r.ask()
	if err != nil {
		return err
	}
	p, err := r.Waivers.Preview(r.ctx, ask.Product, ask.Engagement, ask.Waiver)
	if err != nil {
		return err
	}
	ids, severities := []int64{}, []string{}
	for i := range p.Matches {
		ids = append(ids, p.Matches[i].ID)
	}
	for _, s := range p.Severities {
		severities = append(severities, s.String())
	}
	return r.reply(fiber.StatusOK, map[string]any{
		"match": ask.Waiver.Match, "matches": len(ids), "findings": ids[:min(len(ids), 100)], "severities": severities, "approvals": p.Terms.Approvals,
		"max_days": int(p.Terms.MaxTTL.Hours() / 24), "evidence": p.Terms.Evidence,
	})
}

// decide does what an approver says to the waiver that the path names.
func (r *request) decide(do func(ctx context.Context, id int64) (store.Waiver, error)) error {
	w, err := r.oneWaiver()
	if err != nil {
		return err
	}
	if err := r.may(w.ProductID); err != nil {
		return err
	}
	if w, err = do(r.ctx, w.ID); err != nil {
		return err
	}
	return r.replyWaiver(fiber.StatusOK, w)
}

// approveWaiver serves POST /waivers/:id/approve.
func (a *api) approveWaiver(r *request) error {
	return r.decide(func(ctx context.Context, id int64) (store.Waiver, error) {
		return r.Waivers.Approve(ctx, r.waiverActor(), id)
	})
}

// rejectWaiver serves POST /waivers/:id/reject.
func (a *api) rejectWaiver(r *request) error {
	why, err := r.why()
	if err != nil {
		return err
	}
	return r.decide(func(ctx context.Context, id int64) (store.Waiver, error) {
		return r.Waivers.Reject(ctx, r.waiverActor(), id, why)
	})
}

// revokeWaiver serves POST /waivers/:id/revoke.
func (a *api) revokeWaiver(r *request) error {
	why, err := r.why()
	if err != nil {
		return err
	}
	return r.decide(func(ctx context.Context, id int64) (store.Waiver, error) {
		return r.Waivers.Revoke(ctx, r.waiverActor(), id, why)
	})
}

// why reads the reason of a decision.
func (r *request) why() (string, error) {
	f, err := r.form()
	if err != nil {
		return "", err
	}
	var why string
	f.text("reason", &why, 2000, blank)
	return why, f.failed()
}

// exportVEX serves GET /products/:id/vex?format=openvex|cyclonedx: the product's
// approved waivers.
func (a *api) exportVEX(r *request) error {
	id, err := r.id("product")
	if err != nil {
		return err
	}
	if err := r.may(id); err != nil {
		return err
	}
	p, err := r.Store.Product(r.ctx, gate.Scope{All: true}, id)
	if err != nil {
		return err
	}
	form := r.query().text("format")
	if form == "" {
		form = "openvex"
	}
	b, err := r.Waivers.ExportVEX(r.ctx, r.waiverActor(), p, form, r.VEXAuthor())
	if err != nil {
		return err
	}
	return r.file(fiber.MIMEApplicationJSON, "product-"+strconv.FormatInt(id, 10)+"."+form+".json", b)
}

// VEXAuthor is who states what the server exports.
func (d Deps) VEXAuthor() string {
	if d.SiteURL != "" {
		return "DefectDojo at " + d.SiteURL
	}
	return "DefectDojo"
}
