package api

import (
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"defectdojo/gate"
	"defectdojo/gate/store"
)

// prefetch is what a client asked to be sent along: by field, by ID.
type prefetch map[string]map[string]any

// withPrefetch is one thing with what was sent along inside it.
type withPrefetch struct {
	thing    any
	prefetch prefetch
}

// MarshalJSON writes the thing's fields and "prefetch" after them.
func (w withPrefetch) MarshalJSON() ([]byte, error) {
	thing, err := json.Marshal(w.thing, json.Deterministic(true))
	if err != nil {
		return nil, err
	}
	along, err := json.Marshal(w.prefetch, json.Deterministic(true))
	if err != nil {
		return nil, err
	}
	return slices.Concat(thing[:len(thing)-1], []byte(`,"prefetch":`), along, []byte("}")), nil
}

// target is a kind of thing that others refer to, and how it is loaded: within
// what the sender may see.
type target func(r *request, ids []int64) (map[int64]any, error)

// reference is a field that refers to other things.
type reference[T any] struct {
	to  target
	ids func(T) []int64
}

// references are the fields of a thing that refer to other things.
type references[T any] map[string]reference[T]

// fetch loads what the request wants along with rows. What it may not have, or
// what there is not, is left out. A nil references fetches nil.
func (refs references[T]) fetch(r *request, q *query, rows []T) (prefetch, error) {
	if refs == nil {
		return nil, nil //nolint:nilnil // nil is what there is when none is offered
	}
	out := prefetch{}
	var fields []string
	for _, v := range q.values["prefetch"] {
		fields = append(fields, strings.Split(v, ",")...)
	}
	for _, field := range fields {
		ref, ok := refs[field]
		if !ok {
			continue
		}
		var ids []int64
		for _, row := range rows {
			ids = append(ids, ref.ids(row)...)
		}
		slices.Sort(ids)
		found, err := ref.to(r, slices.Compact(ids))
		if err != nil {
			return nil, err
		}
		if len(found) > 0 {
			out[field] = map[string]any{}
		}
		for id, v := range found {
			out[field][strconv.FormatInt(id, 10)] = v
		}
	}
	return out, nil
}

// ids turns references that may be missing into a list.
func ids(p ...*int64) []int64 {
	var out []int64
	for _, id := range p {
		if id != nil {
			out = append(out, *id)
		}
	}
	return out
}

// shown loads the things with some IDs through a resource.
func shown[T any](r *request, s resource[T], rows []T) (map[int64]any, error) {
	out := map[int64]any{}
	all, err := s.show(r, rows)
	for i, v := range all {
		out[s.id(rows[i])] = v
	}
	return out, err
}

func (a *api) toProductTypes(r *request, ids []int64) (map[int64]any, error) {
	scope, err := r.typeScope()
	if err != nil {
		return nil, err
	}
	l, err := r.Store.ProductTypes(r.ctx, store.ProductTypeFilter{Scope: scope, IDs: orEmpty(ids)})
	if err != nil {
		return nil, err
	}
	return shown(r, a.productTypes(), l.Rows)
}

func (a *api) toEngagements(r *request, ids []int64) (map[int64]any, error) {
	scope, err := r.scope()
	if err != nil {
		return nil, err
	}
	l, err := r.Store.Engagements(r.ctx, store.EngagementFilter{Scope: scope, In: map[string][]int64{"id": orEmpty(ids)}})
	if err != nil {
		return nil, err
	}
	return shown(r, a.engagements(), l.Rows)
}

func (a *api) toTests(r *request, ids []int64) (map[int64]any, error) {
	scope, err := r.scope()
	if err != nil {
		return nil, err
	}
	l, err := r.Store.Tests(r.ctx, store.TestFilter{Scope: scope, In: map[string][]int64{"id": orEmpty(ids)}})
	if err != nil {
		return nil, err
	}
	return shown(r, a.tests(), l.Rows)
}

func (a *api) toFindings(r *request, ids []int64) (map[int64]any, error) {
	scope, err := r.scope()
	if err != nil {
		return nil, err
	}
	l, err := r.Store.Findings(r.ctx, store.FindingFilter{Scope: scope, In: map[string][]int64{"id": orEmpty(ids)}})
	if err != nil {
		return nil, err
	}
	return shown(r, a.findings(), l.Rows)
}

func (a *api) toTestTypes(r *request, ids []int64) (map[int64]any, error) {
	l, err := r.Store.TestTypes(r.ctx, store.TestTypeFilter{IDs: orEmpty(ids)})
	if err != nil {
		return nil, err
	}
	return shown(r, a.testTypes(), l.Rows)
}

func (a *api) toEnvironments(r *request, ids []int64) (map[int64]any, error) {
	l, err := r.Store.Environments(r.ctx, store.EnvironmentFilter{IDs: orEmpty(ids)})
	if err != nil {
		return nil, err
	}
	return shown(r, a.environments(), l.Rows)
}

// toUsers tells of others no more than who they are.
func (a *api) toUsers(r *request, ids []int64) (map[int64]any, error) {
	people, err := r.people(ids)
	out := map[int64]any{}
	for id, p := range people {
		out[id] = p
	}
	return out, err
}

// person is a user as others see them.
type person struct {
	ID        int64  `json:"id"`
	Username  string `json:"username"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
}

func personOf(u gate.User) person { return person{u.ID, u.Username, u.FirstName, u.LastName} }

// people returns users by ID.
func (r *request) people(ids []int64) (map[int64]person, error) {
	out := map[int64]person{}
	if len(ids) == 0 {
		return out, nil
	}
	l, err := r.Store.Users(r.ctx, store.UserFilter{IDs: ids})
	for _, u := range l.Rows {
		out[u.ID] = personOf(u)
	}
	return out, err
}

func orEmpty[T any](v []T) []T {
	if v == nil {
		return []T{}
	}
	return v
}
