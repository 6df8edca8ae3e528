package web

import (
	"strconv"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate/store"
)

// alertsPage is what alerts.html shows.
type alertsPage struct {
	layout
	Alerts []store.Alert
	Older  int64 // the alert before which there are more; 0: there are none
}

// alertsShown is how many alerts a page has.
const alertsShown = 50

// alerts serves GET /alerts.
func (w *web) alerts(v *visit) error {
	p := alertsPage{layout: w.layout(v, "alerts", "Alerts")}
	before, _ := strconv.ParseInt(v.Query("before"), 10, 64)
	var err error
	if p.Alerts, err = w.Store.Alerts(v.UserContext(), v.User.ID, v.User.IsSuperuser, before, alertsShown+1); err != nil {
		return err
	}
	if len(p.Alerts) > alertsShown {
		p.Alerts = p.Alerts[:alertsShown]
		p.Older = p.Alerts[alertsShown-1].ID
	}
	return render(v.Ctx, "alerts.html", p)
}

// readAlerts serves POST /alerts/read: one, or all.
func (w *web) readAlerts(v *visit) error {
	id, _ := strconv.ParseInt(v.form("id"), 10, 64)
	if err := w.Store.ReadAlerts(v.UserContext(), v.User.ID, v.User.IsSuperuser, id, v.now); err != nil {
		return err
	}
	return v.Redirect("/alerts", fiber.StatusSeeOther)
}

// clearAlerts serves POST /alerts/clear: one, or all.
func (w *web) clearAlerts(v *visit) error {
	id, _ := strconv.ParseInt(v.form("id"), 10, 64)
	if err := w.Store.ClearAlerts(v.UserContext(), v.User.ID, v.User.IsSuperuser, id); err != nil {
		return err
	}
	return v.Redirect("/alerts", fiber.StatusSeeOther)
}
