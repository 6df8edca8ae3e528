package web

import (
	"bytes"
	"embed"
	"html/template"
	"path"
	"time"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
)

//go:embed pages/*.html
var pageFiles embed.FS

// pages are the templates by file name, each with the layout and the parts.
var pages = parsePages()

func parsePages() map[string]*template.Template {
	pages := map[string]*template.Template{}
	layout := template.Must(template.New("").Funcs(functions).ParseFS(pageFiles, "pages/_*.html"))
	files, err := pageFiles.ReadDir("pages")
	if err != nil {
		panic(err) // it is embedded
	}
	for _, f := range files {
		if f.Name()[0] != '_' {
			pages[f.Name()] = template.Must(template.Must(layout.Clone()).ParseFS(pageFiles, path.Join("pages", f.Name())))
		}
	}
	return pages
}

// layout is what every page knows; each page's struct begins with one.
type layout struct {
	Title   string
	Section string // the entry of the navigation that the page is under
	User    gate.User
	CSRF    string
	SiteURL string
	Query   string // what the search field holds
	Flash   flash  // what the last action did
	Here    string // the page's own address
	Now     time.Time
	Unread  int  // alerts
	Bare    bool // without navigation: nobody is logged in
}

// layout begins a page of a visit.
func (w *web) layout(v *visit, section, title string) layout {
	return layout{
		Title: title, Section: section, User: v.User, CSRF: v.CSRF, SiteURL: w.SiteURL,
		Flash: w.takeFlash(v), Here: v.OriginalURL(), Now: v.now, Unread: v.unread, Bare: v.User.ID == 0,
	}
}

// Today is the day of the visit.
func (l layout) Today() gate.Date { return gate.DateOf(l.Now.UTC()) }

// render writes a page: whole, or for htmx the parts that it swaps.
func render(c *fiber.Ctx, page string, data any) error {
	part := "layout"
	if c.Get("HX-Request") == "true" && c.Get("HX-History-Restore-Request") != "true" {
		part = "swap"
	}
	var b bytes.Buffer // whole first: a template that fails half-way must not be answered with 200
	if err := pages[page].ExecuteTemplate(&b, part, data); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return c.Send(b.Bytes())
}
