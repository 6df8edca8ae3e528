package web

import (
	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

// dashboardWeeks is how far back the charts go.
const dashboardWeeks = 12

// dashboardPage is what dashboard.html shows.
type dashboardPage struct {
	layout
	Empty      bool // no report has come yet
	Stranger   bool // there is no product that may be seen
	First      firstReport
	Numbers    store.Dashboard
	Severities []severityLine
	Flow       flowChart
	Verdicts   []store.VerdictRow
	Overdue    []store.FindingRow
	Products   []store.ProductRow
}

// severityLine is a row of the table of open findings by severity.
type severityLine struct {
	Severity gate.Severity
	Open     int
	Trend    sparkline
	Change   int // against four weeks ago
	Breached int
}

// dashboard serves GET /.
func (w *web) dashboard(v *visit) error {
	p := dashboardPage{layout: w.layout(v, "overview", "Overview")}
	var err error
	if p.Numbers, err = w.Store.Dashboard(v.UserContext(), v.scope, p.Today(), dashboardWeeks); err != nil {
		return err
	}
	if p.Empty = !p.Numbers.Imports && p.Numbers.Findings == 0; p.Empty {
		if v.Query("waiting") != "" {
			return v.SendStatus(fiber.StatusNoContent) // htmx asks again
		}
		p.Stranger = !v.scope.All && len(v.scope.ProductIDs) == 0
		p.First = firstReport{URL: w.SiteURL, Token: "…", CSRF: v.CSRF}
		return render(v.Ctx, "dashboard.html", p)
	}
	p.Severities = severityLines(p.Numbers)
	p.Flow = newFlowChart(p.Numbers.Weeks)
	if err := w.dashboardLists(v, &p); err != nil {
		return err
	}
	return render(v.Ctx, "dashboard.html", p)
}

func (w *web) dashboardLists(v *visit, p *dashboardPage) error {
	const rows = 8
	ctx := v.UserContext()
	verdicts, err := w.Auth.Scope(ctx, v.Principal, auth.ViewVerdict)
	if err != nil {
		return err
	}
	if p.Verdicts, err = w.Store.VerdictRows(ctx, store.VerdictSearch{Scope: verdicts, Limit: rows}); err != nil {
		return err
	}
	if p.Products, err = w.Store.ProductRows(ctx, store.ProductSearch{Scope: v.scope, Page: store.Page{Limit: rows}}); err != nil {
		return err
	}
	overdue, err := w.Store.FindingPage(ctx, store.FindingPageQuery{
		FindingSearch: store.FindingSearch{Scope: v.scope, SLABreached: true, Today: p.Today()},
		Sort:          store.BySLA,
		Limit:         rows,
	})
	p.Overdue = overdue.Rows
	return err
}

func severityLines(d store.Dashboard) []severityLine {
	lines := make([]severityLine, 0, len(gate.Severities))
	for _, sev := range gate.Severities {
		open := make([]int, len(d.Weeks))
		for i, week := range d.Weeks {
			open[i] = week.Open[sev]
		}
		lines = append(lines, severityLine{
			Severity: sev, Open: d.Open[sev], Trend: newSparkline(open),
			Change: d.Open[sev] - open[max(0, len(open)-5)], Breached: d.Breached[sev],
		})
	}
	return lines
}
