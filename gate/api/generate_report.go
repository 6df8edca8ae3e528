package api

import (
	"strconv"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

// maxReported bounds the findings of a report, which is one answer.
const maxReported = 10_000

// generated is a report on findings, in DefectDojo's form: what they are in, and
// all that the API tells of each.
type generated struct {
	ExecutiveSummary *summary       `json:"executive_summary"`
	ProductType      any            `json:"product_type"`
	Product          any            `json:"product"`
	Engagement       any            `json:"engagement"`
	Test             any            `json:"test"`
	ReportName       string         `json:"report_name"`
	ReportInfo       string         `json:"report_info"`
	Endpoint         any            `json:"endpoint"`
	Endpoints        []any          `json:"endpoints"`
	Findings         []any          `json:"findings"`
	User             user           `json:"user"`
	TeamName         string         `json:"team_name"`
	Title            string         `json:"title"`
	UserID           int64          `json:"user_id"`
	Host             string         `json:"host"`
	FindingNotes     []findingNotes `json:"finding_notes"`
	FindingImages    []any          `json:"finding_images"` // none: files are under findings
	FindingFiles     []any          `json:"finding_files"`
}

// summary is what a report begins with.
type summary struct {
	EngagementName        string `json:"engagement_name"`
	EngagementTargetStart *day   `json:"engagement_target_start"`
	EngagementTargetEnd   *day   `json:"engagement_target_end"`
	TestTypeName          string `json:"test_type_name"`
	TotalFindings         int    `json:"total_findings"`
}

type findingNotes struct {
	FindingID int64  `json:"finding_id"`
	Notes     []note `json:"notes"`
}

func (a *api) generateRoutes() []route {
	return []route{
		{fiber.MethodPost, "/product_types/:id/generate_report", auth.View, generate(a.productTypes(), "Product Type", "test__engagement__product__prod_type",
			func(g *generated, shown any, t gate.ProductType) string { g.ProductType = shown; return t.Name })},
		{fiber.MethodPost, "/products/:id/generate_report", auth.View, generate(a.products(), "Product", "test__engagement__product",
			func(g *generated, shown any, p gate.Product) string { g.Product = shown; return p.Name })},
		{fiber.MethodPost, "/engagements/:id/generate_report", auth.View, generate(a.engagements(), "Engagement", "test__engagement",
			func(g *generated, shown any, e gate.Engagement) string {
				g.Engagement = shown
				start, end := day(e.TargetStart), day(e.TargetEnd)
				g.ExecutiveSummary = &summary{EngagementName: e.Name, EngagementTargetStart: &start, EngagementTargetEnd: &end}
				return e.Name
			})},
		{fiber.MethodPost, "/tests/:id/generate_report", auth.View, generate(a.tests(), "Test", "test",
			func(g *generated, shown any, t gate.Test) string {
				g.Test = shown
				if v, ok := shown.(test); ok {
					g.ExecutiveSummary = &summary{TestTypeName: v.TestTypeName}
				}
				return "#" + strconv.FormatInt(t.ID, 10)
			})},
		{fiber.MethodPost, "/findings/generate_report", auth.View, func(r *request) error {
			q := r.query()
			f := findingFilter(q)
			if err := q.err(); err != nil {
				return err
			}
			return r.generate(&generated{}, "Finding", f)
		}},
	}
}

// generate makes the handler of reports on the findings in something. place puts
// that into the report and returns its name.
func generate[T any](s resource[T], kind, filter string, place func(g *generated, shown any, v T) string) func(*request) error {
	return func(r *request) error {
		v, err := s.one(r)
		if err != nil {
			return err
		}
		shown, err := s.show(r, []T{v})
		if err != nil {
			return err
		}
		var g generated
		name := place(&g, shown[0], v)
		return r.generate(&g, kind+" Report: "+name, store.FindingFilter{In: map[string][]int64{filter: {s.id(v)}}})
	}
}

// generate answers a report on findings. It changes nothing, though it is a POST.
func (r *request) generate(g *generated, name string, f store.FindingFilter) error {
	form, err := r.form()
	if err != nil {
		return err
	}
	notes, executive := false, false
	form.flag("include_finding_notes", &notes, 0)
	form.flag("include_executive_summary", &executive, 0)
	if err := form.failed(); err != nil {
		return err
	}
	if f.Scope, err = r.scope(); err != nil {
		return err
	}
	f.Today, f.Page = r.now, store.Page{Limit: maxReported}
	l, err := r.Store.Findings(r.ctx, f)
	if err != nil {
		return err
	}
	if l.Count > maxReported {
		return gate.Errorf(gate.TooLarge, "These are %d findings; a report has at most %d: narrow it, or read findings page by page.", l.Count, maxReported)
	}
	if g.Findings, err = showFindings(r, l.Rows); err != nil {
		return err
	}
	if g.ExecutiveSummary == nil && executive {
		g.ExecutiveSummary = &summary{}
	}
	if !executive {
		g.ExecutiveSummary = nil
	} else {
		g.ExecutiveSummary.TotalFindings = l.Count
	}
	for _, shown := range g.Findings {
		if v, ok := shown.(finding); ok && notes && len(v.Notes) > 0 {
			g.FindingNotes = append(g.FindingNotes, findingNotes{v.ID, v.Notes})
		}
	}
	g.ReportName, g.Title, g.User, g.UserID, g.Host = name, name, userOf(r.who.User), r.who.User.ID, r.BaseURL()
	return r.reply(fiber.StatusOK, g)
}
