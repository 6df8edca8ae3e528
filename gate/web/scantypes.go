package web

import (
	"slices"
	"strings"

	"defectdojo/gate/auth"
	"defectdojo/parsers"
	"defectdojo/parsers/all"
)

// scanTypesPage is what scan-types.html shows.
type scanTypesPage struct {
	layout
	Text    string
	Parsers []parsers.Parser
	Total   int

	MayConfigure bool // how findings are told apart
}

// scanTypes serves GET /scan-types.
func (w *web) scanTypes(v *visit) error {
	p := scanTypesPage{layout: w.layout(v, "", "Scan types"), Text: strings.TrimSpace(v.Query("q")), Total: len(all.Parsers)}
	p.MayConfigure = w.Auth.MayTry(v.Principal, auth.Configure) == nil
	text := strings.ToLower(p.Text)
	for _, parser := range all.Parsers {
		if strings.Contains(strings.ToLower(parser.ScanType+" "+parser.Name), text) {
			p.Parsers = append(p.Parsers, parser)
		}
	}
	slices.SortFunc(p.Parsers, func(a, b parsers.Parser) int {
		return strings.Compare(strings.ToLower(a.ScanType), strings.ToLower(b.ScanType))
	})
	return render(v.Ctx, "scan-types.html", p)
}
