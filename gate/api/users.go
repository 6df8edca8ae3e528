package api

import (
	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

// user is a user as the API tells it.
type user struct {
	ID                       int64   `json:"id"`
	Username                 string  `json:"username"`
	FirstName                string  `json:"first_name"`
	LastName                 string  `json:"last_name"`
	Email                    string  `json:"email"`
	DateJoined               stamp   `json:"date_joined"`
	LastLogin                *stamp  `json:"last_login"`
	IsActive                 bool    `json:"is_active"`
	IsStaff                  bool    `json:"is_staff"`
	IsSuperuser              bool    `json:"is_superuser"`
	TokenLastReset           *stamp  `json:"token_last_reset"`
	PasswordLastReset        *stamp  `json:"password_last_reset"`
	ConfigurationPermissions []int64 `json:"configuration_permissions"`
}

func userOf(u gate.User) user {
	return user{
		ID: u.ID, Username: u.Username, FirstName: u.FirstName, LastName: u.LastName, Email: u.Email, DateJoined: stamp(u.DateJoined),
		LastLogin: maybe[stamp](u.LastLogin), IsActive: u.IsActive, IsStaff: u.IsStaff, IsSuperuser: u.IsSuperuser,
		TokenLastReset: maybe[stamp](u.TokenLastReset), PasswordLastReset: maybe[stamp](u.PasswordLastReset),
	}
}

// profile is what a user is told of themselves.
type profile struct {
	User              user        `json:"user"`
	UserContactInfo   *any        `json:"user_contact_info"`
	GlobalRole        *globalRole `json:"global_role"`
	DojoGroupMember   []any       `json:"dojo_group_member"`
	ProductTypeMember []any       `json:"product_type_member"`
	ProductMember     []any       `json:"product_member"`
}

func (a *api) users() resource[gate.User] {
	return resource[gate.User]{
		path: "/users", model: "user", view: auth.ViewUsers,
		id:   func(u gate.User) int64 { return u.ID },
		find: func(r *request, s *store.Store, id int64) (gate.User, error) { return s.User(r.ctx, id) },
		page: userPage,
		show: func(_ *request, rows []gate.User) ([]any, error) {
			out := []any{}
			for _, u := range rows {
				out = append(out, userOf(u))
			}
			return out, nil
		},
	}
}

func (a *api) userRoutes() []route {
	return append(a.users().routes(),
		route{fiber.MethodPost, "/users", auth.EditUsers, a.addUser},
		route{fiber.MethodPut, "/users/:id", auth.EditUsers, a.editUser},
		route{fiber.MethodPatch, "/users/:id", auth.EditUsers, a.editUser},
		route{fiber.MethodDelete, "/users/:id", auth.EditUsers, a.removeUser},
		route{fiber.MethodPost, "/users/:id/reset_api_token", auth.EditUsers, a.resetToken},
		route{fiber.MethodGet, "/user_profile", auth.Self, a.userProfile},
	)
}

func userPage(r *request, q *query) (store.List[gate.User], store.Page, error) {
	f := store.UserFilter{
		Username: q.text("username"), FirstName: q.text("first_name"), LastName: q.text("last_name"), Email: q.text("email"),
		IDs: q.number("id"), IsActive: q.plainFlag("is_active"), IsSuperuser: q.plainFlag("is_superuser"), Page: q.page(),
	}
	l, err := r.Store.Users(r.ctx, f)
	return l, f.Page, err
}

// userProfile serves GET /user_profile.
func (a *api) userProfile(r *request) error {
	u := r.who.User
	v := profile{User: userOf(u), DojoGroupMember: []any{}, ProductTypeMember: []any{}, ProductMember: []any{}}
	if u.GlobalRole != nil {
		g := globalRoleOf(u)
		v.GlobalRole = &g
	}
	groups, err := r.Store.UserGroupMembers(r.ctx, store.UserGroupMemberFilter{Users: []int64{u.ID}})
	if err != nil {
		return err
	}
	for _, m := range groups.Rows {
		v.DojoGroupMember = append(v.DojoGroupMember, userGroupMemberOf(m))
	}
	for _, m := range memberships {
		if m.groups {
			continue
		}
		of, err := m.visible(r, r.Store, store.MemberFilter{Who: []int64{u.ID}})
		if err != nil {
			return err
		}
		shown, err := a.members(m).show(r, of.Rows)
		if err != nil {
			return err
		}
		if m.types {
			v.ProductTypeMember = shown
		} else {
			v.ProductMember = shown
		}
	}
	return r.reply(fiber.StatusOK, v)
}
