package api

import (
	"context"
	"mime"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

// folder is what files can be put to: findings, tests and engagements.
type folder struct {
	path  string
	field string // of its ID
	edit  auth.Action

	id      func(*store.Upload) **int64       // where a file keeps what it belongs to
	see     func(*request) (int64, error)     // the ID of the one that the path names, if the sender may see it
	allowed func(*request) (int64, error)     // and if they may change it
	of      func(id int64) (of store.NotesOf) // what belongs to it
}

func (a *api) folders() []folder {
	return []folder{
		{
			"/findings", "finding_id", auth.EditFinding, func(u *store.Upload) **int64 { return &u.FindingID },
			idOf(a.findings(), resource[gate.Finding].one), idOf(a.findings(), resource[gate.Finding].allowed),
			func(id int64) store.NotesOf { return store.NotesOf{FindingIDs: []int64{id}} },
		},
		{
			"/tests", "test_id", auth.EditTest, func(u *store.Upload) **int64 { return &u.TestID },
			idOf(a.tests(), resource[gate.Test].one), idOf(a.tests(), resource[gate.Test].allowed),
			func(id int64) store.NotesOf { return store.NotesOf{TestIDs: []int64{id}} },
		},
		{
			"/engagements", "engagement_id", auth.EditEngagement, func(u *store.Upload) **int64 { return &u.EngagementID },
			idOf(a.engagements(), resource[gate.Engagement].one), idOf(a.engagements(), resource[gate.Engagement].allowed),
			func(id int64) store.NotesOf { return store.NotesOf{EngagementIDs: []int64{id}} },
		},
	}
}

func idOf[T any](s resource[T], find func(resource[T], *request) (T, error)) func(*request) (int64, error) {
	return func(r *request) (int64, error) {
		v, err := find(s, r)
		if err != nil {
			return 0, err
		}
		return s.id(v), nil
	}
}

func (a *api) fileRoutes() []route {
	var all []route
	for _, d := range a.folders() {
		all = append(all,
			route{fiber.MethodGet, d.path + "/:id/files", auth.View, d.list},
			route{fiber.MethodPost, d.path + "/:id/files", d.edit, d.add},
			route{fiber.MethodGet, d.path + "/:id/files/download/:file", auth.View, d.download},
		)
	}
	return all
}

// list serves GET /findings/:id/files and its like.
func (d folder) list(r *request) error {
	id, err := d.see(r)
	if err != nil {
		return err
	}
	rows, err := r.Store.Uploads(r.ctx, d.of(id))
	if err != nil {
		return err
	}
	files := []file{}
	for _, u := range rows {
		files = append(files, fileOf(u))
	}
	return r.reply(fiber.StatusOK, map[string]any{d.field: id, "files": files})
}

func fileOf(u store.Upload) file { return file{u.ID, u.Filename, u.Title} }

// add serves POST /findings/:id/files and its like: a form with a title and a
// file of any kind. Nobody's browser will ever show it: see download.
func (d folder) add(r *request) error {
	id, err := d.allowed(r)
	if err != nil { // before a byte of the file is read
		r.Context().SetConnectionClose()
		return err
	}
	kind, params, err := mime.ParseMediaType(r.Get(fiber.HeaderContentType))
	if err != nil || kind != fiber.MIMEMultipartForm {
		return unsupported(r.Get(fiber.HeaderContentType))
	}
	up, err := r.receive(params["boundary"])
	if err != nil { // what is left of the body would be taken for the next request
		r.Context().SetConnectionClose()
		return err
	}
	defer up.remove()
	f := &form{html: true, values: up.values, problems: problems{}}
	u := store.Upload{Filename: clipName(up.filename), SHA256: up.sum[:], Size: up.size, Created: r.now}
	*d.id(&u) = &id
	f.text("title", &u.Title, 100, required)
	if up.path == "" {
		f.problems.add("file", "No file was submitted.")
	}
	if err := f.failed(); err != nil {
		return err
	}
	content, err := os.Open(up.path)
	if err != nil {
		return err
	}
	defer content.Close()
	if err := r.KeepFile(r.ctx, u.SHA256, content); err != nil {
		return err
	}
	if err := r.written("add", "file", nil, u.Title, func(s *store.Store) (int64, error) {
		u, err = s.AddUpload(r.ctx, u)
		return u.ID, err
	}); err != nil {
		return err
	}
	return r.reply(fiber.StatusCreated, fileOf(u))
}

// clipName bounds a file's name, and keeps its ending.
func clipName(name string) string {
	name = strings.ToValidUTF8(strings.ReplaceAll(name, "\x00", ""), "_")
	if runes := []rune(name); len(runes) > 200 {
		name = string(runes[len(runes)-200:])
	}
	return name
}

// download serves GET /findings/:id/files/download/:file and its like: always as
// something to keep, never to show, for it may be a page with a script.
func (d folder) download(r *request) error {
	id, err := d.see(r)
	if err != nil {
		return err
	}
	rows, err := r.Store.Uploads(r.ctx, d.of(id))
	if err != nil {
		return err
	}
	wanted, ok := parseID(r.Params("file"))
	i := slices.IndexFunc(rows, func(u store.Upload) bool { return u.ID == wanted })
	if !ok || i < 0 { // a file of something else is none of this one
		return gate.Errorf(gate.NotFound, "no such file")
	}
	content, err := r.OpenFile(context.WithoutCancel(r.ctx), rows[i].SHA256) // it is read when the handler is done
	if err != nil {
		return err
	}
	r.Set(fiber.HeaderContentType, fiber.MIMEOctetStream)
	r.Set(fiber.HeaderContentDisposition, "attachment; filename*=UTF-8''"+url.PathEscape(rows[i].Filename))
	r.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; sandbox")
	r.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	r.Set(fiber.HeaderCacheControl, "no-store")
	return r.SendStream(content, int(rows[i].Size))
}
