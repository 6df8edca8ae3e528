package api

import (
	"context"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/people"
	"defectdojo/gate/store"
)

// role is a role as the API tells it, by DefectDojo's number for it.
type role struct {
	ID      int64  `json:"id"`
	Name    string `json:"name"`
	IsOwner bool   `json:"is_owner"`
}

var roles = []role{{1, "API_Importer", false}, {2, "Writer", false}, {3, "Maintainer", false}, {4, "Owner", true}, {5, "Reader", false}}

var rolesByID = map[int64]gate.Role{1: gate.Importer, 2: gate.Writer, 3: gate.Maintainer, 4: gate.Owner, 5: gate.Reader}

// roleID returns DefectDojo's number of a role.
func roleID(r gate.Role) int64 {
	for id, known := range rolesByID {
		if known == r {
			return id
		}
	}
	return 0
}

// role reads a role by its number.
func (f *form) role(ctx context.Context, into *gate.Role) {
	var id int64
	f.reference(ctx, "role", &id, required, func(_ context.Context, id int64) (bool, error) { return rolesByID[id] != "", nil })
	if r := rolesByID[id]; r != "" {
		*into = r
	}
}

// roles reads the roles that a list is narrowed to.
func (q *query) roles() []string {
	var out []string
	for _, id := range q.number("role") {
		out = append(out, string(rolesByID[id]))
	}
	return out
}

func (a *api) roleRoutes() []route {
	return slices.Concat(
		[]route{{fiber.MethodGet, "/roles", auth.ViewReference, a.roles}, {fiber.MethodGet, "/roles/:id", auth.ViewReference, a.role}},
		a.globalRoles().routes(),
		[]route{
			{fiber.MethodPost, "/global_roles", auth.EditUsers, a.addGlobalRole},
			{fiber.MethodPut, "/global_roles/:id", auth.EditUsers, a.editGlobalRole},
			{fiber.MethodPatch, "/global_roles/:id", auth.EditUsers, a.editGlobalRole},
			{fiber.MethodDelete, "/global_roles/:id", auth.EditUsers, a.removeGlobalRole},
		},
	)
}

// roles serves GET /roles.
func (a *api) roles(r *request) error {
	q := r.query()
	p := q.page()
	out := []any{}
	for _, v := range roles[min(p.Offset, len(roles)):min(p.Offset+p.Limit, len(roles))] {
		out = append(out, v)
	}
	return r.listing(q, p, len(roles), out, nil)
}

// role serves GET /roles/:id.
func (a *api) role(r *request) error {
	id, err := r.id("role")
	if err != nil {
		return err
	}
	i := slices.IndexFunc(roles, func(v role) bool { return v.ID == id })
	if i < 0 {
		return gate.Errorf(gate.NotFound, "no such role")
	}
	return r.reply(fiber.StatusOK, roles[i])
}

// globalRole is a role that somebody has everywhere, under the user's number.
type globalRole struct {
	ID    int64  `json:"id"`
	User  *int64 `json:"user"`
	Group *int64 `json:"group"` // none has one
	Role  *int64 `json:"role"`
}

func globalRoleOf(u gate.User) globalRole {
	v := globalRole{ID: u.ID, User: &u.ID}
	if u.GlobalRole != nil {
		id := roleID(*u.GlobalRole)
		v.Role = &id
	}
	return v
}

func (a *api) globalRoles() resource[gate.User] {
	return resource[gate.User]{
		path: "/global_roles", model: "global role", view: auth.ViewUsers,
		id: func(u gate.User) int64 { return u.ID },
		find: func(r *request, s *store.Store, id int64) (gate.User, error) {
			u, err := s.User(r.ctx, id)
			if err != nil || u.GlobalRole == nil {
				return u, gate.Errorf(gate.NotFound, "no such global role")
			}
			return u, nil
		},
		page: func(r *request, q *query) (store.List[gate.User], store.Page, error) {
			p := q.page()
			p.Order = nil // this list has one order
			l, err := r.Store.Users(r.ctx, store.UserFilter{HasRole: true, IDs: q.number("user"), Roles: q.roles(), Page: p})
			return l, p, err
		},
		show: func(_ *request, rows []gate.User) ([]any, error) {
			out := []any{}
			for _, u := range rows {
				out = append(out, globalRoleOf(u))
			}
			return out, nil
		},
	}
}

// addGlobalRole serves POST /global_roles.
func (a *api) addGlobalRole(r *request) error {
	f, err := r.form()
	if err != nil {
		return err
	}
	var user int64
	f.reference(r.ctx, "user", &user, required, r.kind("user"))
	return a.setGlobalRole(r, f, user, fiber.StatusCreated)
}

// editGlobalRole serves PUT and PATCH /global_roles/:id.
func (a *api) editGlobalRole(r *request) error {
	u, err := a.globalRoles().one(r)
	if err != nil {
		return err
	}
	f, err := r.form()
	if err != nil {
		return err
	}
	return a.setGlobalRole(r, f, u.ID, fiber.StatusOK)
}

func (a *api) setGlobalRole(r *request, f *form, user int64, status int) error {
	if v, ok := f.fields["group"]; ok && v.Kind() != jsontext.KindNull {
		f.problems.add("group", "A group has no role everywhere: give it one in product types, or to its members.")
	}
	var is gate.Role
	f.role(r.ctx, &is)
	if err := f.failed(); err != nil {
		return err
	}
	u, err := r.Store.User(r.ctx, user)
	if err != nil {
		return err
	}
	want := u
	if is != "" {
		want.GlobalRole = &is
	}
	if u, err = r.People.Edit(r.ctx, r.peopleActor(), u, want, ""); err != nil {
		return err
	}
	return r.reply(status, globalRoleOf(u))
}

// removeGlobalRole serves DELETE /global_roles/:id.
func (a *api) removeGlobalRole(r *request) error {
	u, err := a.globalRoles().one(r)
	if err != nil {
		return err
	}
	want := u
	want.GlobalRole = nil
	if _, err := r.People.Edit(r.ctx, r.peopleActor(), u, want, ""); err != nil {
		return err
	}
	return r.nothing()
}

// peopleActor is the sender as those know them who keep people.
func (r *request) peopleActor() people.Actor {
	return people.Actor{Who: r.who, Now: r.now, RequestID: r.GetRespHeader(fiber.HeaderXRequestID), IP: r.IP()}
}
