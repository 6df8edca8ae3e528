package api

import (
	"context"
	"slices"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

// metadata is a name and a value of something, as the API tells it.
type metadata struct {
	ID       int64  `json:"id"`
	Product  *int64 `json:"product"`
	Endpoint *int64 `json:"endpoint"`
	Finding  *int64 `json:"finding"`
	Location *int64 `json:"location"`
	Name     string `json:"name"`
	Value    string `json:"value"`
}

func (a *api) metadata() resource[store.Metadata] {
	return resource[store.Metadata]{
		path: "/metadata", model: "metadata",
		view: auth.View, add: auth.EditMetadata, edit: auth.EditMetadata, remove: auth.EditMetadata,
		id:  func(m store.Metadata) int64 { return m.ID },
		may: mayOnMetadata,
		find: func(r *request, s *store.Store, id int64) (store.Metadata, error) {
			scope, err := r.scope()
			if err != nil {
				return store.Metadata{}, err
			}
			l, err := s.Metadatas(r.ctx, store.MetadataFilter{Scope: scope, ID: &id})
			if err == nil && len(l.Rows) == 0 {
				err = gate.Errorf(gate.NotFound, "no such metadata")
			}
			if err != nil {
				return store.Metadata{}, err
			}
			return l.Rows[0], nil
		},
		page:   metadataPage,
		fresh:  func(*request) store.Metadata { return store.Metadata{} },
		read:   readMetadata,
		mayAdd: mayOnMetadata,
		insert: func(ctx context.Context, s *store.Store, m store.Metadata) (store.Metadata, error) {
			return s.AddMetadata(ctx, m)
		},
		update: func(ctx context.Context, s *store.Store, m store.Metadata) (store.Metadata, error) {
			return s.UpdateMetadata(ctx, m)
		},
		delete: func(ctx context.Context, s *store.Store, id int64) error { return s.DeleteMetadata(ctx, id) },
		entry:  func(m store.Metadata) (*int64, string) { return m.ProductID, m.Name },
		show: func(_ *request, rows []store.Metadata) ([]any, error) {
			out := []any{}
			for _, m := range rows {
				out = append(out, metadata{m.ID, m.ProductID, nil, m.FindingID, m.LocationID, m.Name, m.Value})
			}
			return out, nil
		},
		refers: references[store.Metadata]{"finding": {a.toFindings, func(m store.Metadata) []int64 { return ids(m.FindingID) }}},
	}
}

func (a *api) metadataRoutes() []route {
	return append(a.metadata().routes(),
		route{fiber.MethodGet, "/findings/:id/metadata", auth.View, a.findingMetadata},
		route{fiber.MethodPost, "/findings/:id/metadata", auth.EditMetadata, a.addFindingMetadata},
		route{fiber.MethodPut, "/findings/:id/metadata", auth.EditMetadata, a.changeFindingMetadata},
		route{fiber.MethodDelete, "/findings/:id/metadata", auth.EditMetadata, a.removeFindingMetadata},
	)
}

// metadataProduct returns the product that rights on metadata come from.
func (r *request) metadataProduct(m store.Metadata) (int64, error) {
	scope, err := r.scope()
	if err != nil || m.ProductID != nil {
		return deref(m.ProductID), err
	}
	if m.FindingID != nil {
		f, err := r.Store.Finding(r.ctx, scope, *m.FindingID)
		return f.ProductID, err
	}
	return 0, gate.Errorf(gate.NotFound, "no such metadata") // of a location: that is of many products
}

// mayOnMetadata returns nil if the sender may do what the route says on what
// metadata belongs to.
func mayOnMetadata(r *request, m store.Metadata) error {
	product, err := r.metadataProduct(m)
	if err != nil {
		return err
	}
	return r.may(product)
}

func metadataPage(r *request, q *query) (store.List[store.Metadata], store.Page, error) {
	var none store.List[store.Metadata]
	scope, err := r.scope()
	if err != nil {
		return none, store.Page{}, err
	}
	p := q.page()
	p.Order = nil // this list has one order
	f := store.MetadataFilter{Scope: scope, Name: q.maybe("name"), Value: q.maybe("value"), Page: p}
	for name, into := range map[string]**int64{"id": &f.ID, "product": &f.ProductID, "finding": &f.FindingID, "location": &f.LocationID} {
		if v := q.number(name); len(v) > 0 {
			*into = &v[0]
		}
	}
	if err := q.err(); err != nil {
		return none, p, err
	}
	l, err := r.Store.Metadatas(r.ctx, f)
	return l, p, err
}

func readMetadata(r *request, f *form, before store.Metadata, m *store.Metadata) {
	if before.ID == 0 {
		f.maybeReference(r.ctx, "product", &m.ProductID, r.seesProduct)
		f.maybeReference(r.ctx, "finding", &m.FindingID, r.seesFinding)
		if (m.ProductID == nil) == (m.FindingID == nil) && len(f.problems) == 0 {
			f.problems.add("non_field_errors", "Metadata belongs to either a product or a finding.")
		}
	}
	f.text("name", &m.Name, 120, required)
	f.text("value", &m.Value, 300, required)
}

// findingMetadata serves GET /findings/:id/metadata.
func (a *api) findingMetadata(r *request) error {
	f, err := a.findings().one(r)
	if err != nil {
		return err
	}
	return r.replyMetadata(fiber.StatusOK, f.ID)
}

func (r *request) replyMetadata(status int, finding int64) error {
	rows, err := r.Store.FindingMetadata(r.ctx, []int64{finding})
	if err != nil {
		return err
	}
	out := []meta{}
	for _, m := range rows {
		out = append(out, meta{m.Name, m.Value})
	}
	return r.reply(status, out)
}

// addFindingMetadata serves POST /findings/:id/metadata.
func (a *api) addFindingMetadata(r *request) error {
	f, err := a.findings().allowed(r)
	if err != nil {
		return err
	}
	body, err := r.form()
	if err != nil {
		return err
	}
	m := store.Metadata{FindingID: &f.ID}
	body.text("name", &m.Name, 120, required)
	body.text("value", &m.Value, 300, required)
	if err := body.failed(); err != nil {
		return err
	}
	err = r.written("add", "metadata", &f.ProductID, m.Name, func(s *store.Store) (int64, error) {
		added, err := s.AddMetadata(r.ctx, m)
		return added.ID, err
	})
	if gate.KindOf(err) == gate.Conflict {
		return fail{fiber.StatusBadRequest, "Create failed probably because the name of the metadata already exists"}
	}
	if err != nil {
		return err
	}
	return r.reply(fiber.StatusOK, meta{m.Name, m.Value})
}

// changeFindingMetadata serves PUT /findings/:id/metadata?name=….
func (a *api) changeFindingMetadata(r *request) error {
	m, err := a.namedMetadata(r)
	if err != nil {
		return err
	}
	body, err := r.form()
	if err != nil {
		return err
	}
	body.text("name", &m.Name, 120, required)
	body.text("value", &m.Value, 300, required)
	if err := body.failed(); err != nil {
		return err
	}
	if err := r.written("edit", "metadata", m.ProductID, m.Name, func(s *store.Store) (int64, error) {
		m, err = s.UpdateMetadata(r.ctx, m)
		return m.ID, err
	}); err != nil {
		return err
	}
	return r.reply(fiber.StatusOK, meta{m.Name, m.Value})
}

// removeFindingMetadata serves DELETE /findings/:id/metadata?name=….
func (a *api) removeFindingMetadata(r *request) error {
	m, err := a.namedMetadata(r)
	if err != nil {
		return err
	}
	if err := r.written("delete", "metadata", m.ProductID, m.Name, func(s *store.Store) (int64, error) {
		return m.ID, s.DeleteMetadata(r.ctx, m.ID)
	}); err != nil {
		return err
	}
	return r.reply(fiber.StatusOK, "Metadata deleted")
}

// namedMetadata returns the metadata that the path and the query name.
func (a *api) namedMetadata(r *request) (store.Metadata, error) {
	f, err := a.findings().allowed(r)
	if err != nil {
		return store.Metadata{}, err
	}
	name := r.query().text("name")
	if name == "" {
		return store.Metadata{}, fail{fiber.StatusBadRequest, "Metadata name is required"}
	}
	rows, err := r.Store.FindingMetadata(r.ctx, []int64{f.ID})
	if err != nil {
		return store.Metadata{}, err
	}
	i := slices.IndexFunc(rows, func(m store.Metadata) bool { return m.Name == name })
	if i < 0 {
		return store.Metadata{}, gate.Errorf(gate.NotFound, "no such metadata")
	}
	return rows[i], nil
}
