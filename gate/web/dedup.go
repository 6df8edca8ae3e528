package web

import (
	"net/url"
	"slices"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/dedup"
	"defectdojo/gate/ingest"
	"defectdojo/parsers/all"
)

// dedupPage is what dedup.html shows: how findings of one scan type are told apart.
type dedupPage struct {
	layout
	ScanType string
	Set      dedup.Settings
	BuiltIn  dedup.Settings
	Changed  bool // they are not the built-in ones
	Problem  string
	Effect   *ingest.Effect // of what was typed, if it was asked for
	Saved    bool
}

// dedupAlgorithms are the algorithms in words.
var dedupAlgorithms = []struct {
	Name dedup.Algorithm
	What string
}{
	{dedup.HashCode, "the same hash of the fields below"},
	{dedup.UniqueID, "the same id that the tool gives"},
	{dedup.UniqueIDOrHashCode, "the same id that the tool gives, or the same hash"},
	{dedup.Legacy, "the same title and place, as DefectDojo did at first"},
}

// Algorithms lists the algorithms in words.
func (dedupPage) Algorithms() any { return dedupAlgorithms }

// Fields lists what can be hashed.
func (dedupPage) Fields() []dedup.Field { return dedup.Fields }

// Hashes tells whether a field is hashed.
func (p dedupPage) Hashes(f dedup.Field) bool { return slices.Contains(p.Set.Fields, f) }

// dedup serves GET /scan-types/dedup?type=.
func (w *web) dedup(v *visit) error {
	parser, ok := all.ByScanType(v.Query("type"))
	if !ok {
		return gate.Errorf(gate.NotFound, "There is no scan type %q.", v.Query("type"))
	}
	settings, changed, err := w.Identities.Effective(v.UserContext())
	if err != nil {
		return err
	}
	return w.showDedup(v, dedupPage{ScanType: parser.ScanType, Set: settings[parser.ScanType], Changed: changed[parser.ScanType], Saved: v.Query("saved") != ""})
}

func (w *web) showDedup(v *visit, p dedupPage) error {
	p.layout, p.BuiltIn = w.layout(v, "", "Deduplication of "+p.ScanType), dedup.For(p.ScanType)
	return render(v.Ctx, "dedup.html", p)
}

// changeDedup serves POST /scan-types/dedup: it shows what settings would change,
// or stores them.
func (w *web) changeDedup(v *visit) error {
	p := dedupPage{ScanType: v.form("type"), Changed: true}
	p.Set = dedup.Settings{Algorithm: dedup.Algorithm(v.form("algorithm")), NeedsCWE: v.form("needs_cwe") != ""}
	for _, f := range v.Request().PostArgs().PeekMulti("field") {
		p.Set.Fields = append(p.Set.Fields, dedup.Field(f))
	}
	who := ingest.Who{Principal: v.Principal, RequestID: v.GetRespHeader(fiber.HeaderXRequestID), IP: v.IP()}
	var err error
	switch v.form("do") {
	case "save":
		err = w.Identities.Save(v.UserContext(), p.ScanType, &p.Set, who)
	case "reset":
		err = w.Identities.Save(v.UserContext(), p.ScanType, nil, who)
	default:
		var effect ingest.Effect
		if effect, err = w.Identities.Preview(v.UserContext(), p.ScanType, p.Set); err == nil {
			p.Effect = &effect
			return w.showDedup(v, p)
		}
	}
	if gate.KindOf(err) == gate.Invalid {
		p.Problem = err.Error()
		v.Status(fiber.StatusUnprocessableEntity)
		return w.showDedup(v, p)
	}
	if err != nil {
		return err
	}
	return v.Redirect("/scan-types/dedup?saved=1&type="+url.QueryEscape(p.ScanType), fiber.StatusSeeOther)
}
