package api

import (
	"bytes"
	"cmp"
	"fmt"
	"net/url"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/store"
	"defectdojo/policies/render"
)

// report serves GET /verdicts/:id/report?format=…: a verdict as text, json,
// markdown, html, sarif, junit, codequality, gitlab-sast, or intoto: the signed
// statement.
func (a *api) report(r *request) error {
	v, err := r.verdict()
	if err != nil {
		return err
	}
	name := cmp.Or(r.query().text("format"), "text")
	if name == "intoto" {
		return r.statement(&v)
	}
	format, err := render.ByName(name)
	if err != nil {
		return gate.FieldErrorf("format", "%s, intoto", err)
	}
	var b bytes.Buffer
	if err := format.Do(&b, &v.Document); err != nil {
		return err
	}
	return r.file(format.Type, format.File, b.Bytes())
}

// statement answers with the signed in-toto statement of a verdict.
func (r *request) statement(v *store.StoredVerdict) error {
	envelope, err := r.Keys.SignVerdict(r.ctx, v.ID, v.ProductID, &v.Document, cmp.Or(r.SiteURL, r.BaseURL()), r.now)
	if err != nil {
		return err
	}
	return r.file(fiber.MIMEApplicationJSON, fmt.Sprintf("verdict-%d.intoto.json", v.ID), envelope)
}

// file answers with a file. A browser that is led here shows none of it as a page of ours.
func (r *request) file(kind, name string, content []byte) error {
	r.Set(fiber.HeaderContentType, kind)
	r.Set(fiber.HeaderContentDisposition, fmt.Sprintf("attachment; filename=%q", name))
	r.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	r.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; sandbox")
	r.Set(fiber.HeaderCacheControl, "no-store")
	return r.Send(content)
}

// page returns the address of a thing's page.
func (r *request) page(path string, id int64) *string {
	s := cmp.Or(r.SiteURL, r.BaseURL()) + path + strconv.FormatInt(id, 10)
	if _, err := url.Parse(s); err != nil {
		return nil
	}
	return &s
}
