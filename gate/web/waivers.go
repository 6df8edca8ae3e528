package web

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
	"defectdojo/gate/waiver"
)

// usageDays is how old a verdict may be whose use of a waiver is told.
const usageDays = 90

// waiversPage is what waivers.html shows.
type waiversPage struct {
	layout
	State   string
	Product *gate.Product
	Rows    []waiverRow
	chips
}

// waiverRow is a waiver with how it stands and what it does.
type waiverRow struct {
	store.Waiver
	Status string
	Of     string
	Usage  *store.WaiverUsage // nil: no verdict that stands has looked at it
}

// Unused tells whether a waiver that holds covers nothing.
func (r waiverRow) Unused() bool {
	return (r.Status == "active" || r.Status == "expiring") && (r.Usage == nil || r.Usage.Covered == 0)
}

// waiverStates are the filters of the list.
var waiverStates = []string{"requested", "active", "expiring", "unused", "expired", "rejected", "revoked"}

// waivers serves GET /waivers.
func (w *web) waivers(v *visit) error {
	p := waiversPage{layout: w.layout(v, "waivers", "Waivers"), State: v.Query("state")}
	f := store.WaiverFilter{Scope: v.scope, Page: store.Page{Limit: 1000}}
	if id, _ := strconv.ParseInt(v.Query("product"), 10, 64); id != 0 {
		product, err := w.Store.Product(v.UserContext(), v.scope, id)
		if err != nil {
			return err
		}
		p.Product, f.Numbers = &product, map[string][]int64{"product": {id}}
	}
	l, err := w.Store.Waivers(v.UserContext(), f)
	if err != nil {
		return err
	}
	used, err := w.Store.WaiverUsages(v.UserContext(), v.scope, v.now.AddDate(0, 0, -usageDays))
	if err != nil {
		return err
	}
	for i := range l.Rows {
		row := newWaiverRow(l.Rows[i], used, v.now)
		if p.State == "" || p.State == row.Status || p.State == "unused" && row.Unused() {
			p.Rows = append(p.Rows, row)
		}
	}
	for _, s := range waiverStates {
		href := "/waivers?state=" + s
		if p.Product != nil {
			href += "&product=" + strconv.FormatInt(p.Product.ID, 10)
		}
		if p.State == s {
			href = "/waivers"
		}
		p.Chips = append(p.Chips, chip{Text: s, Href: href, On: p.State == s})
	}
	return render(v.Ctx, "waivers.html", p)
}

func newWaiverRow(w store.Waiver, used map[string]store.WaiverUsage, now time.Time) waiverRow {
	r := waiverRow{Waiver: w, Status: waiver.State(&w, now), Of: waiver.Of(&w.Document.Match)}
	if u, ok := used[w.Name]; ok {
		r.Usage = &u
	}
	return r
}

// waiverPage is what waiver.html shows: one waiver.
type waiverPage struct {
	layout
	waiverRow
	MayDecide bool
	History   []store.AuditEvent
	Problem   string
	Why       string
}

// oneWaiver returns the waiver of the address, if the visitor may see it.
func (w *web) oneWaiver(v *visit) (store.Waiver, error) { return visible(w, v, w.Store.WaiverByID) }

// waiver serves GET /waivers/:id.
func (w *web) waiver(v *visit) error {
	one, err := w.oneWaiver(v)
	if err != nil {
		return err
	}
	return w.showWaiver(v, one, "", "")
}

func (w *web) showWaiver(v *visit, one store.Waiver, problem, why string) error {
	ctx := v.UserContext()
	used, err := w.Store.WaiverUsages(ctx, gate.Scope{ProductIDs: []int64{one.ProductID}}, v.now.AddDate(0, 0, -usageDays))
	if err != nil {
		return err
	}
	p := waiverPage{layout: w.layout(v, "waivers", "Waiver "+one.Name), waiverRow: newWaiverRow(one, used, v.now), Problem: problem, Why: why}
	p.MayDecide = w.Auth.May(ctx, v.Principal, auth.ApproveWaiver, one.ProductID) == nil
	if p.History, err = w.Store.AuditEvents(ctx, "waiver", one.ID, 50); err != nil {
		return err
	}
	return render(v.Ctx, "waiver.html", p)
}

// Own tells whether the visitor asked for it: then others must approve.
func (p waiverPage) Own() bool { return p.RequestedByID == p.User.ID }

// decideWaiver serves POST /waivers/:id: approve, reject or revoke.
func (w *web) decideWaiver(v *visit) error {
	one, err := w.oneWaiver(v)
	if err != nil {
		return err
	}
	if err := w.Auth.May(v.UserContext(), v.Principal, auth.ApproveWaiver, one.ProductID); err != nil {
		return err
	}
	ctx, who, why := v.UserContext(), w.waiverActor(v), v.form("why")
	switch v.form("do") {
	case "approve":
		_, err = w.Waivers.Approve(ctx, who, one.ID)
	case "reject":
		_, err = w.Waivers.Reject(ctx, who, one.ID, why)
	case "revoke":
		_, err = w.Waivers.Revoke(ctx, who, one.ID, why)
	default:
		return gate.Errorf(gate.Invalid, "no such action")
	}
	if k := gate.KindOf(err); err != nil && (k == gate.Invalid || k == gate.Conflict) {
		v.Status(status(err))
		return w.showWaiver(v, one, err.Error(), why)
	}
	if err != nil {
		return err
	}
	w.flash(v, flash{Text: one.Name + ": done. Verdicts that rest on it are judged again."})
	return v.Redirect("/waivers/"+strconv.FormatInt(one.ID, 10), fiber.StatusSeeOther)
}

func (w *web) waiverActor(v *visit) waiver.Actor {
	return waiver.Actor{Who: v.Principal, Now: v.now, RequestID: requestID(v.Ctx), IP: v.IP()}
}

// waiverFormPage is what waiver-new.html shows: the form of a request.
type waiverFormPage struct {
	layout
	Product gate.Product
	Finding gate.Finding
	Verdict string
	Form    waiverForm
	Ways    []waiverWay
	Preview waiver.Preview
	Field   string // that is wrong
	Problem string
}

// waiverForm is what was typed.
type waiverForm struct{ By, Reason, Justification, Ticket, Expires, MaxMatches, VoidIf, Evidence string }

// waiverWay is what a waiver can be for.
type waiverWay struct{ By, Text string }

// newWaiver serves GET /waivers/new?finding=…&verdict=….
func (w *web) newWaiver(v *visit) error {
	return w.showWaiverForm(v, v.Query("finding"), v.Query("verdict"), waiverForm{By: waiver.ByFinding}, nil)
}

// waiverOf finds what a request is about.
func (w *web) waiverOf(v *visit, finding string) (gate.Finding, gate.Product, error) {
	id, _ := strconv.ParseInt(finding, 10, 64)
	scope, err := w.Auth.Scope(v.UserContext(), v.Principal, auth.RequestWaiver)
	if err != nil {
		return gate.Finding{}, gate.Product{}, err
	}
	f, err := w.Store.Finding(v.UserContext(), scope, id)
	if err != nil {
		return f, gate.Product{}, err
	}
	p, err := w.Store.Product(v.UserContext(), scope, f.ProductID)
	return f, p, err
}

func (w *web) showWaiverForm(v *visit, finding, verdict string, form waiverForm, wrong error) error {
	p := waiverFormPage{layout: w.layout(v, "waivers", "Ask for a waiver"), Verdict: verdict, Form: form}
	var err error
	if p.Finding, p.Product, err = w.waiverOf(v, finding); err != nil {
		return err
	}
	f, err := w.Judge.Finding(v.UserContext(), p.Product.ID, p.Finding.ID)
	if err != nil {
		return err
	}
	for _, way := range []waiverWay{{waiver.ByFinding, "this finding alone"}, {waiver.ByVulnerability, "the same vulnerability in the same component"}, {waiver.ByRule, "the same check at the same path"}} {
		if m, err := waiver.MatchOf(&f, way.By); err == nil {
			way.Text += ": " + waiver.Of(&m)
			p.Ways = append(p.Ways, way)
		}
	}
	m, err := waiver.MatchOf(&f, form.By)
	if err != nil {
		m = gate.WaiverMatch{Fingerprint: f.Fingerprint}
	}
	if p.Preview, err = w.Waivers.Preview(v.UserContext(), p.Product, p.Finding.EngagementID, gate.Waiver{Match: m}); err != nil {
		return err
	}
	if wrong != nil {
		p.Field, p.Problem = fieldName(wrong), wrong.Error()
		v.Status(fiber.StatusBadRequest)
	} else if p.Form.Expires == "" {
		p.Form.Expires = v.now.Add(p.life()).Format(time.DateOnly)
	}
	return render(v.Ctx, "waiver-new.html", p)
}

// life is how long a waiver is asked for if nobody says.
func (p waiverFormPage) life() time.Duration {
	const month = 30 * 24 * time.Hour
	if most := p.Preview.Terms.MaxTTL; most > 0 && most < month {
		return most
	}
	return month
}

// MaxDays is how many days the policies allow; 0: a year.
func (p waiverFormPage) MaxDays() int { return int(p.Preview.Terms.MaxTTL.Hours() / 24) }

// Justifications are the words of VEX.
func (p waiverFormPage) Justifications() []gate.Justification { return gate.Justifications }

// requestWaiver serves POST /waivers.
func (w *web) requestWaiver(v *visit) error {
	form := waiverForm{
		By: v.form("by"), Reason: strings.TrimSpace(v.form("reason")), Justification: v.form("justification"), Ticket: strings.TrimSpace(v.form("ticket")),
		Expires: v.form("expires"), MaxMatches: strings.TrimSpace(v.form("max_matches")), VoidIf: strings.TrimSpace(v.form("void_if")), Evidence: strings.TrimSpace(v.form("evidence")),
	}
	made, err := w.askWaiver(v, form)
	if err != nil && gate.KindOf(err) == gate.Invalid {
		return w.showWaiverForm(v, v.form("finding"), v.form("verdict"), form, err)
	}
	if err != nil {
		return err
	}
	w.flash(v, flash{Text: made.Name + " is asked for. " + plural(made.Needed, "other person", "other people") + " must approve it."})
	return v.Redirect("/waivers/"+strconv.FormatInt(made.ID, 10), fiber.StatusSeeOther)
}

func (w *web) askWaiver(v *visit, form waiverForm) (store.Waiver, error) {
	finding, product, err := w.waiverOf(v, v.form("finding"))
	if err != nil {
		return store.Waiver{}, err
	}
	f, err := w.Judge.Finding(v.UserContext(), product.ID, finding.ID)
	if err != nil {
		return store.Waiver{}, err
	}
	ask := waiver.Ask{Product: product, Engagement: finding.EngagementID, FindingID: &finding.ID, Waiver: gate.Waiver{
		Reason: form.Reason, Justification: gate.Justification(form.Justification), Ticket: form.Ticket, VoidIf: form.VoidIf, Evidence: strings.Fields(form.Evidence),
	}}
	if id, _ := strconv.ParseInt(v.form("verdict"), 10, 64); id != 0 {
		if _, err := w.Store.Verdict(v.UserContext(), gate.Scope{ProductIDs: []int64{product.ID}}, id); err != nil {
			return store.Waiver{}, err
		}
		ask.VerdictID = &id
	}
	if ask.Waiver.Match, err = waiver.MatchOf(&f, form.By); err != nil {
		return store.Waiver{}, err
	}
	if day, err := time.Parse(time.DateOnly, form.Expires); err == nil {
		ask.Waiver.Expires = day
	}
	if form.MaxMatches != "" {
		if ask.Waiver.MaxMatches, err = strconv.Atoi(form.MaxMatches); err != nil {
			return store.Waiver{}, gate.FieldErrorf("max_matches", "Enter a number.")
		}
	}
	return w.Waivers.Request(v.UserContext(), w.waiverActor(v), ask)
}

// Wrong is what is wrong with a field, if that is the one.
func (p waiverFormPage) Wrong(field string) string {
	if p.Field != field {
		return ""
	}
	return p.Problem
}

// fieldName is the field that an error is about.
func fieldName(err error) string {
	if e, ok := errors.AsType[*gate.Error](err); ok {
		return e.Field
	}
	return ""
}
