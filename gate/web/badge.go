package web

import (
	"bytes"
	"fmt"
	"html/template"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	forms "defectdojo/policies/render"
)

// badgePath is where badges are. They are open to whoever knows the address,
// whose end is a secret of the product's.
const badgePath = "/badge/"

// badgeSVG is a badge: what, and the verdict, each in a box.
var badgeSVG = template.Must(template.New("badge").Parse(`<svg xmlns="http://www.w3.org/2000/svg" width="{{.Width}}" height="20" role="img" aria-label="gate: {{.Text}}"><title>gate: {{.Text}}</title>` +
	`<rect width="38" height="20" rx="3" fill="#3b4350"/><rect x="34" width="{{.Box}}" height="20" rx="3" fill="{{.Colour}}"/><rect x="34" width="4" height="20" fill="{{.Colour}}"/>` +
	`<g fill="#fff" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="11"><text x="6" y="14">gate</text><text x="43" y="14">{{.Text}}</text></g></svg>`))

type badge struct {
	Text, Colour string
	Width, Box   int
}

// badge serves GET /badge/:id/:signature.svg?branch=…: the newest verdict of a
// product's branch. Who has the address sees that, and nothing else.
func (w *web) badge(c *fiber.Ctx) error {
	headers(c)
	id, err := strconv.ParseInt(c.Params("id"), 10, 64)
	signature, is := strings.CutSuffix(c.Params("signature"), ".svg")
	missing := gate.Errorf(gate.NotFound, "no such badge")
	if err != nil || !is {
		return missing
	}
	ok, err := w.Keys.ValidBadge(c.UserContext(), id, signature)
	if err != nil {
		return err
	}
	if !ok {
		return missing
	}
	v, err := w.Store.BranchVerdict(c.UserContext(), id, c.Query("branch"))
	b := badge{Text: "unknown", Colour: "#5b6472"}
	switch {
	case err == nil && v.Overall == gate.Fail && !v.Conclusive:
		b = badge{Text: "undecided", Colour: "#7d5200"}
	case err == nil:
		b = badge{Text: map[gate.Decision]string{gate.Pass: "passed", gate.Warn: "warns", gate.Fail: "failed"}[v.Overall], Colour: map[gate.Decision]string{gate.Pass: "#166b3c", gate.Warn: "#7d5200", gate.Fail: "#9f1d2c"}[v.Overall]}
	case gate.KindOf(err) != gate.NotFound:
		return err
	}
	b.Box = 16 + 7*len(b.Text)
	b.Width = 34 + b.Box
	var out bytes.Buffer
	if err := badgeSVG.Execute(&out, b); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "image/svg+xml")
	c.Set(fiber.HeaderCacheControl, "public, max-age=60")
	return c.Send(out.Bytes())
}

// badgeURL is the address of a product's badge.
func (w *web) badgeURL(v *visit, product int64) (string, error) {
	signature, err := w.Keys.BadgeSignature(v.UserContext(), product)
	return fmt.Sprintf("%s%s%d/%s.svg", w.SiteURL, badgePath, product, signature), err
}

// report serves GET /verdicts/:id/report?format=…: the verdict as a file.
func (w *web) report(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	p, err := w.Store.VerdictPage(v.UserContext(), v.scope, id)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	kind, name := fiber.MIMEApplicationJSON, fmt.Sprintf("verdict-%d.intoto.json", id)
	if v.Query("format") == "intoto" {
		envelope, err := w.Keys.SignVerdict(v.UserContext(), id, p.ProductID, &p.Document, w.SiteURL, v.now)
		if err != nil {
			return err
		}
		b.Write(envelope)
	} else {
		f, err := forms.ByName(v.Query("format", "text"))
		if err != nil {
			return err
		}
		kind, name = f.Type, f.File
		if err := f.Do(&b, &p.Document); err != nil {
			return err
		}
	}
	v.Set(fiber.HeaderContentType, kind)
	v.Set(fiber.HeaderContentDisposition, fmt.Sprintf("attachment; filename=%q", name))
	return v.Send(b.Bytes())
}

// Reports are the forms in which a verdict can be had.
func (p verdictPage) Reports() []string {
	out := make([]string, 0, len(forms.Formats)+1)
	for _, f := range forms.Formats {
		out = append(out, f.Name)
	}
	if p.Document.Subject.Commit != "" || len(p.Document.Subject.ArtifactDigests) > 0 {
		out = append(out, "intoto")
	}
	return out
}

// FirstCounted is the first stored finding that counts, or 0: what a waiver
// could be asked for.
func (p verdictPage) FirstCounted() int64 {
	for _, f := range p.Document.Findings {
		if f.ID > 0 && (f.Code == gate.DispositionCounted || f.Code == gate.DispositionUnknown) {
			return f.ID
		}
	}
	return 0
}

// MayWaive tells whether a waiver could change what was done with a finding.
func (p verdictPage) MayWaive(f gate.FindingView) bool {
	return f.ID > 0 && p.SupersededBy == nil && (f.Code == gate.DispositionCounted || f.Code == gate.DispositionUnknown)
}
