package api

import (
	"encoding/json"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/connection"
	"defectdojo/gate/store"
)

// shownRepository is a repository as the API tells it.
type shownRepository struct {
	ID            int64    `json:"id"`
	Connection    int64    `json:"connection"`
	ProviderID    int64    `json:"provider_id"`
	FullName      string   `json:"full_name"`
	Component     string   `json:"component"`
	DefaultBranch string   `json:"default_branch"`
	Product       *int64   `json:"product"`
	Artifacts     []string `json:"artifacts"`
	Paths         []string `json:"paths"`
	Lost          *stamp   `json:"lost"` // since when we may not see it
	Updated       stamp    `json:"updated"`
}

func showRepository(s store.Repository) shownRepository {
	return shownRepository{s.ID, s.ConnectionID, s.ProviderID, s.FullName, s.Component, s.DefaultBranch, s.ProductID, append([]string{}, s.Artifacts...), append([]string{}, s.Paths...), maybe[stamp](s.Lost), stamp(s.Updated)}
}

// connectionRepositories serves GET /connections/:id/repositories.
func (a *api) connectionRepositories(r *request) error {
	id, err := r.id("connection")
	if err != nil {
		return err
	}
	if _, err := r.Connections.Get(r.ctx, id); err != nil {
		return err
	}
	list, err := r.Store.Repositories(r.ctx, id)
	if err != nil {
		return err
	}
	rows := []any{}
	for _, s := range list {
		rows = append(rows, showRepository(s))
	}
	return r.all(rows)
}

// mapped is what a body says of a repository or a part of one.
type mapped struct {
	Repository int64    `json:"repository"` // that a new part is of
	Component  string   `json:"component"`  // of a new part
	Product    *int64   `json:"product"`    // null: none
	Artifacts  []string `json:"artifacts"`
	Paths      []string `json:"paths"`
}

// readMapping reads a body over what was so far.
func (r *request) readMapping(in *mapped) (connection.Mapping, error) {
	b, err := r.limitedBody(maxConnection)
	if err != nil {
		return connection.Mapping{}, err
	}
	if err := json.Unmarshal(b, in); err != nil {
		return connection.Mapping{}, gate.Errorf(gate.Invalid, "JSON request content is malformed")
	}
	m := connection.Mapping{Artifacts: in.Artifacts, Paths: in.Paths}
	if in.Product != nil {
		m.Product = *in.Product
		if _, err := r.Store.Product(r.ctx, gate.Scope{All: true}, m.Product); err != nil {
			return m, gate.FieldErrorf("product", "there is no such product")
		}
	}
	return m, nil
}

// addRepositoryPart serves POST /connections/:id/repositories: a part of a
// monorepo, with a product of its own.
func (a *api) addRepositoryPart(r *request) error {
	conn, err := r.id("connection")
	if err != nil {
		return err
	}
	if _, err := r.Connections.Get(r.ctx, conn); err != nil {
		return err
	}
	var in mapped
	m, err := r.readMapping(&in)
	if err != nil {
		return err
	}
	if whole, err := r.Store.Repository(r.ctx, in.Repository); err != nil || whole.ConnectionID != conn {
		return gate.FieldErrorf("repository", "the connection has no such repository")
	}
	id, err := r.Connections.AddPart(r.ctx, r.event(), in.Repository, in.Component, m)
	if err != nil {
		return err
	}
	return r.replyRepository(fiber.StatusCreated, id)
}

func (r *request) replyRepository(status int, id int64) error {
	s, err := r.Store.Repository(r.ctx, id)
	if err != nil {
		return err
	}
	return r.reply(status, showRepository(s))
}

// mapRepository serves PATCH /repositories/:id: which product it belongs to.
func (a *api) mapRepository(r *request) error {
	id, err := r.id("repository")
	if err != nil {
		return err
	}
	had, err := r.Store.Repository(r.ctx, id)
	if err != nil {
		return err
	}
	m, err := r.readMapping(&mapped{Product: had.ProductID, Artifacts: had.Artifacts, Paths: had.Paths})
	if err != nil {
		return err
	}
	if err := r.Connections.Map(r.ctx, r.event(), id, m); err != nil {
		return err
	}
	return r.replyRepository(fiber.StatusOK, id)
}

// removeRepositoryPart serves DELETE /repositories/:id, of a part.
func (a *api) removeRepositoryPart(r *request) error {
	id, err := r.id("repository")
	if err != nil {
		return err
	}
	if err := r.Connections.RemovePart(r.ctx, r.event(), id); err != nil {
		return err
	}
	return r.nothing()
}
