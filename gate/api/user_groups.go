package api

import (
	"context"
	"slices"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

// userGroup is a group of users as the API tells it.
type userGroup struct {
	ID                       int64   `json:"id"`
	ConfigurationPermissions []int64 `json:"configuration_permissions"`
	Users                    []int64 `json:"users"`
	Name                     string  `json:"name"`
	Description              *string `json:"description"`
	Email                    *string `json:"email"`
	SocialProvider           *string `json:"social_provider"`
}

func (a *api) userGroupRoutes() []route {
	return slices.Concat(
		a.userGroups().routes(),
		[]route{
			{fiber.MethodPost, "/dojo_groups", auth.EditUsers, a.addUserGroup},
			{fiber.MethodPut, "/dojo_groups/:id", auth.EditUsers, a.editUserGroup},
			{fiber.MethodPatch, "/dojo_groups/:id", auth.EditUsers, a.editUserGroup},
			{fiber.MethodDelete, "/dojo_groups/:id", auth.EditUsers, a.removeUserGroup},
		},
		a.userGroupMembers().routes(),
		[]route{
			{fiber.MethodPost, "/dojo_group_members", auth.EditUsers, a.addUserGroupMember},
			{fiber.MethodPut, "/dojo_group_members/:id", auth.EditUsers, a.editUserGroupMember},
			{fiber.MethodPatch, "/dojo_group_members/:id", auth.EditUsers, a.editUserGroupMember},
			{fiber.MethodDelete, "/dojo_group_members/:id", auth.EditUsers, a.removeUserGroupMember},
		},
	)
}

func (a *api) userGroups() resource[store.UserGroup] {
	return resource[store.UserGroup]{
		path: "/dojo_groups", model: "group", view: auth.ViewUsers,
		id:   func(g store.UserGroup) int64 { return g.ID },
		find: func(r *request, s *store.Store, id int64) (store.UserGroup, error) { return s.UserGroup(r.ctx, id) },
		page: func(r *request, q *query) (store.List[store.UserGroup], store.Page, error) {
			p := q.page()
			l, err := r.Store.UserGroups(r.ctx, store.UserGroupFilter{
				IDs: q.number("id"), Name: q.maybe("name"), SocialProvider: q.maybe("social_provider"), Page: p,
			})
			return l, p, err
		},
		show:   showUserGroups,
		refers: references[store.UserGroup]{},
	}
}

func showUserGroups(r *request, rows []store.UserGroup) ([]any, error) {
	groups := []int64{}
	for _, g := range rows {
		groups = append(groups, g.ID)
	}
	members, err := r.Store.UserGroupMembers(r.ctx, store.UserGroupMemberFilter{Groups: groups})
	if err != nil {
		return nil, err
	}
	users := map[int64][]int64{}
	for _, m := range members.Rows {
		users[m.GroupID] = append(users[m.GroupID], m.UserID)
	}
	out := []any{}
	for _, g := range rows {
		out = append(out, userGroup{
			ID: g.ID, Name: g.Name, Description: orNil(g.Description), Email: orNil(g.Email), SocialProvider: orNil(g.SocialProvider), Users: users[g.ID],
		})
	}
	return out, nil
}

func (f *form) userGroup(g *store.UserGroup) {
	f.text("name", &g.Name, 255, required)
	f.text("description", &g.Description, 4000, nullable|blank)
	f.text("email", &g.Email, 254, nullable|blank)
	f.text("social_provider", &g.SocialProvider, 10, nullable|blank)
}

// addUserGroup serves POST /dojo_groups.
func (a *api) addUserGroup(r *request) error {
	f, err := r.form()
	if err != nil {
		return err
	}
	var g store.UserGroup
	f.userGroup(&g)
	if err := f.failed(); err != nil {
		return err
	}
	if g, err = r.People.AddGroup(r.ctx, r.peopleActor(), g); err != nil {
		return err
	}
	return a.userGroups().reply(r, fiber.StatusCreated, g)
}

// editUserGroup serves PUT and PATCH /dojo_groups/:id.
func (a *api) editUserGroup(r *request) error {
	g, err := a.userGroups().one(r)
	if err != nil {
		return err
	}
	f, err := r.form()
	if err != nil {
		return err
	}
	f.userGroup(&g)
	if err := f.failed(); err != nil {
		return err
	}
	if g, err = r.People.EditGroup(r.ctx, r.peopleActor(), g); err != nil {
		return err
	}
	return a.userGroups().reply(r, fiber.StatusOK, g)
}

// removeUserGroup serves DELETE /dojo_groups/:id.
func (a *api) removeUserGroup(r *request) error {
	g, err := a.userGroups().one(r)
	if err != nil {
		return err
	}
	if err := r.People.RemoveGroup(r.ctx, r.peopleActor(), g); err != nil {
		return err
	}
	return r.nothing()
}

// userGroupMember is a user in a group as the API tells it.
type userGroupMember struct {
	ID    int64 `json:"id"`
	Group int64 `json:"group"`
	User  int64 `json:"user"`
	Role  int64 `json:"role"`
}

func userGroupMemberOf(m store.UserGroupMember) userGroupMember {
	return userGroupMember{m.ID, m.GroupID, m.UserID, roleID(m.Role)}
}

func (a *api) userGroupMembers() resource[store.UserGroupMember] {
	return resource[store.UserGroupMember]{
		path: "/dojo_group_members", model: "group member", view: auth.ViewUsers,
		id: func(m store.UserGroupMember) int64 { return m.ID },
		find: func(r *request, s *store.Store, id int64) (store.UserGroupMember, error) {
			return s.UserGroupMember(r.ctx, id)
		},
		page: func(r *request, q *query) (store.List[store.UserGroupMember], store.Page, error) {
			p := q.page()
			l, err := r.Store.UserGroupMembers(r.ctx, store.UserGroupMemberFilter{
				IDs: q.number("id"), Groups: append(q.number("group"), q.number("group_id")...), Users: append(q.number("user"), q.number("user_id")...), Page: p,
			})
			return l, p, err
		},
		show: func(_ *request, rows []store.UserGroupMember) ([]any, error) {
			out := []any{}
			for _, m := range rows {
				out = append(out, userGroupMemberOf(m))
			}
			return out, nil
		},
		refers: references[store.UserGroupMember]{"user": {a.toUsers, func(m store.UserGroupMember) []int64 { return []int64{m.UserID} }}},
	}
}

// addUserGroupMember serves POST /dojo_group_members.
func (a *api) addUserGroupMember(r *request) error {
	f, err := r.form()
	if err != nil {
		return err
	}
	var m store.UserGroupMember
	f.reference(r.ctx, "group", &m.GroupID, required, r.kind("group"))
	f.reference(r.ctx, "user", &m.UserID, required, r.kind("user"))
	f.role(r.ctx, &m.Role)
	if err := f.failed(); err != nil {
		return err
	}
	if m, err = r.People.Join(r.ctx, r.peopleActor(), m); err != nil {
		return err
	}
	return r.reply(fiber.StatusCreated, userGroupMemberOf(m))
}

// editUserGroupMember serves PUT and PATCH /dojo_group_members/:id: the role
// alone can change.
func (a *api) editUserGroupMember(r *request) error {
	m, err := a.userGroupMembers().one(r)
	if err != nil {
		return err
	}
	f, err := r.form()
	if err != nil {
		return err
	}
	for name, is := range map[string]int64{"group": m.GroupID, "user": m.UserID} {
		id := is
		f.reference(r.ctx, name, &id, 0, func(_ context.Context, id int64) (bool, error) { return id == is, nil })
	}
	next := m.Role
	f.role(r.ctx, &next)
	if err := f.failed(); err != nil {
		return err
	}
	if m, err = r.People.RegradeInGroup(r.ctx, r.peopleActor(), m, next); err != nil {
		return err
	}
	return r.reply(fiber.StatusOK, userGroupMemberOf(m))
}

// removeUserGroupMember serves DELETE /dojo_group_members/:id.
func (a *api) removeUserGroupMember(r *request) error {
	m, err := a.userGroupMembers().one(r)
	if err != nil {
		return err
	}
	if err := r.People.Leave(r.ctx, r.peopleActor(), m); err != nil {
		return err
	}
	return r.nothing()
}
