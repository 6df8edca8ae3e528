package api

import (
	"context"
	"slices"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

// membership is a kind of members: users or groups, of products or product types.
type membership struct {
	path   string
	in     string // the field that says of what: "product"
	who    string // and the one that says who: "user"
	types  bool
	groups bool
}

var memberships = []membership{
	{"/product_members", "product", "user", false, false},
	{"/product_groups", "product", "group", false, true},
	{"/product_type_members", "product_type", "user", true, false},
	{"/product_type_groups", "product_type", "group", true, true},
}

func (a *api) memberRoutes() []route {
	var all []route
	for _, m := range memberships {
		all = slices.Concat(all, a.members(m).routes(), []route{
			{fiber.MethodPost, m.path, auth.ManageMembers, func(r *request) error { return a.addMember(r, m) }},
			{fiber.MethodPut, m.path + "/:id", auth.ManageMembers, func(r *request) error { return a.editMember(r, m) }},
			{fiber.MethodPatch, m.path + "/:id", auth.ManageMembers, func(r *request) error { return a.editMember(r, m) }},
			{fiber.MethodDelete, m.path + "/:id", auth.ManageMembers, func(r *request) error { return a.removeMember(r, m) }},
		})
	}
	return all
}

func (a *api) members(m membership) resource[store.Member] {
	return resource[store.Member]{
		path: m.path, model: "member", view: auth.View,
		id: func(v store.Member) int64 { return v.ID },
		may: func(r *request, v store.Member) error {
			if m.types {
				return r.Auth.MayType(r.ctx, r.who, r.do, *v.ProductTypeID)
			}
			return r.may(*v.ProductID)
		},
		find: func(r *request, s *store.Store, id int64) (store.Member, error) {
			l, err := m.visible(r, s, store.MemberFilter{IDs: []int64{id}})
			if err == nil && len(l.Rows) == 0 {
				err = gate.Errorf(gate.NotFound, "no such member")
			}
			if err != nil {
				return store.Member{}, err
			}
			return l.Rows[0], nil
		},
		page: func(r *request, q *query) (store.List[store.Member], store.Page, error) {
			p := q.page()
			l, err := m.visible(r, r.Store, store.MemberFilter{
				IDs: q.number("id"), In: append(q.number(m.in), q.number(m.in+"_id")...), Who: append(q.number(m.who), q.number(m.who+"_id")...), Page: p,
			})
			return l, p, err
		},
		show: func(_ *request, rows []store.Member) ([]any, error) {
			out := []any{}
			for _, v := range rows {
				in, who := m.ends(&v)
				out = append(out, map[string]any{"id": v.ID, m.in: **in, m.who: **who, "role": roleID(v.Role)})
			}
			return out, nil
		},
	}
}

// ends returns where a member keeps what they are in and who they are.
func (m membership) ends(v *store.Member) (in, who **int64) {
	in, who = &v.ProductID, &v.UserID
	if m.types {
		in = &v.ProductTypeID
	}
	if m.groups {
		who = &v.GroupID
	}
	return in, who
}

// visible returns the members of f of what the sender may see.
func (m membership) visible(r *request, s *store.Store, f store.MemberFilter) (l store.List[store.Member], err error) {
	f.Types, f.Groups = m.types, m.groups
	if m.types {
		f.Scope, err = r.typeScope()
	} else {
		f.Scope, err = r.scope()
	}
	if err != nil {
		return l, err
	}
	return s.Members(r.ctx, f)
}

// sees tells whether the sender may see a product or a product type.
func (m membership) sees(r *request) finder {
	if !m.types {
		return r.seesProduct
	}
	return func(ctx context.Context, id int64) (bool, error) {
		scope, err := r.typeScope()
		if err != nil {
			return false, err
		}
		_, err = r.Store.ProductType(ctx, scope, id)
		return allows(err)
	}
}

// addMember serves POST to the path of m.
func (a *api) addMember(r *request, m membership) error {
	f, err := r.form()
	if err != nil {
		return err
	}
	var v store.Member
	in, who := m.ends(&v)
	*in, *who = new(int64), new(int64)
	f.reference(r.ctx, m.in, *in, required, m.sees(r))
	f.reference(r.ctx, m.who, *who, required, r.kind(m.who))
	f.role(r.ctx, &v.Role)
	if err := f.failed(); err != nil {
		return err
	}
	if v, err = r.People.Give(r.ctx, r.peopleActor(), v); err != nil {
		return err
	}
	return a.members(m).reply(r, fiber.StatusCreated, v)
}

// editMember serves PUT and PATCH: the role alone can change.
func (a *api) editMember(r *request, m membership) error {
	v, err := a.members(m).allowed(r)
	if err != nil {
		return err
	}
	f, err := r.form()
	if err != nil {
		return err
	}
	in, who := m.ends(&v)
	for name, is := range map[string]int64{m.in: **in, m.who: **who} {
		id := is
		f.reference(r.ctx, name, &id, 0, func(_ context.Context, id int64) (bool, error) { return id == is, nil })
	}
	next := v.Role
	f.role(r.ctx, &next)
	if err := f.failed(); err != nil {
		return err
	}
	if v, err = r.People.Regrade(r.ctx, r.peopleActor(), v, next); err != nil {
		return err
	}
	return a.members(m).reply(r, fiber.StatusOK, v)
}

// removeMember serves DELETE.
func (a *api) removeMember(r *request, m membership) error {
	v, err := a.members(m).allowed(r)
	if err != nil {
		return err
	}
	if err := r.People.Take(r.ctx, r.peopleActor(), v); err != nil {
		return err
	}
	return r.nothing()
}
