package api

import (
	"github.com/gofiber/fiber/v2"

	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

func (a *api) intelligenceRoutes() []route {
	return []route{{fiber.MethodGet, "/intelligence", auth.ViewReference, a.intelligence}}
}

// intelSource is where a source of outside knowledge stands.
type intelSource struct {
	Source    store.IntelName `json:"source"` // epss, kev or advisories
	URL       string          `json:"url"`
	Checked   *stamp          `json:"checked"`   // the last try
	Succeeded *stamp          `json:"succeeded"` // the last one that went well
	Error     string          `json:"error"`     // why the last one did not
	Fresh     bool            `json:"fresh"`     // young enough to say no; else what is not known to be so is unknown
	Snapshot  *intelSnapshot  `json:"snapshot"`  // the one in use
}

// intelSnapshot is a dated state of a source.
type intelSnapshot struct {
	ID        int64  `json:"id"`
	Digest    string `json:"digest"` // "sha256:…" of its content
	Version   string `json:"version"`
	Published stamp  `json:"published"`
	Fetched   stamp  `json:"fetched"`
	Records   int    `json:"records"`
	Bytes     int64  `json:"bytes"`
}

// intelligence serves GET /intelligence: where EPSS, KEV and the advisories stand.
func (a *api) intelligence(r *request) error {
	q := r.query()
	p := q.page()
	if err := q.err(); err != nil {
		return err
	}
	sources, err := r.Store.IntelSources(r.ctx)
	if err != nil {
		return err
	}
	rows := []any{}
	for n, s := range sources {
		if n < p.Offset || n >= p.Offset+p.Limit {
			continue
		}
		o := intelSource{Source: s.Source, URL: s.URL, Checked: maybe[stamp](s.Checked), Succeeded: maybe[stamp](s.Succeeded), Error: s.Error}
		if i := s.Snapshot; i != nil {
			o.Fresh = i.Fresh(r.now)
			o.Snapshot = &intelSnapshot{i.ID, "sha256:" + i.Digest, i.Version, stamp(i.Published), stamp(i.Fetched), i.Records, i.Bytes}
		}
		rows = append(rows, o)
	}
	return r.listing(q, p, len(sources), rows, nil)
}
