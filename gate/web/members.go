package web

import (
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/store"
)

// membersPage is what members.html shows: who has which role in a product.
type membersPage struct {
	layout
	Product  gate.Product
	Members  []memberRow
	Users    []gate.User
	Groups   []store.UserGroup
	Who      string // of the form: u7 for a user, g7 for a group
	Role     gate.Role
	Problems problemsOf
}

// memberRow is a member with their name.
type memberRow struct {
	store.Member
	Name  string
	Group bool
}

// Roles are those that can be given.
func (membersPage) Roles() []gate.Role { return roles }

// managed returns the product of the address, whose members the visitor may manage.
func (w *web) managed(v *visit) (gate.Product, error) {
	id, err := v.id()
	if err != nil {
		return gate.Product{}, err
	}
	return w.Store.Product(v.UserContext(), v.scope, id)
}

// members serves GET /products/:id/members.
func (w *web) members(v *visit) error {
	p, err := w.managed(v)
	if err != nil {
		return err
	}
	return w.showMembers(v, membersPage{Product: p, Role: gate.Reader, Problems: problemsOf{}})
}

func (w *web) showMembers(v *visit, p membersPage) error {
	ctx := v.UserContext()
	p.layout = w.layout(v, "products", "Members of "+p.Product.Name)
	active := true
	users, err := w.Store.Users(ctx, store.UserFilter{IsActive: &active, Page: store.Page{Order: []string{"username"}}})
	if err != nil {
		return err
	}
	groups, err := w.Store.UserGroups(ctx, store.UserGroupFilter{})
	if err != nil {
		return err
	}
	p.Users, p.Groups = users.Rows, groups.Rows
	names := map[int64]string{}
	for _, u := range users.Rows {
		names[u.ID] = u.Username
	}
	for _, ofGroups := range []bool{false, true} {
		l, err := w.Store.Members(ctx, store.MemberFilter{Groups: ofGroups, Scope: v.scope, In: []int64{p.Product.ID}})
		if err != nil {
			return err
		}
		for _, m := range l.Rows {
			row := memberRow{Member: m, Group: ofGroups}
			if ofGroups {
				i := slices.IndexFunc(groups.Rows, func(g store.UserGroup) bool { return g.ID == *m.GroupID })
				row.Name = groups.Rows[i].Name
			} else if row.Name = names[*m.UserID]; row.Name == "" {
				u, err := w.Store.User(ctx, *m.UserID)
				if err != nil {
					return err
				}
				row.Name = u.Username + " (inactive)"
			}
			p.Members = append(p.Members, row)
		}
	}
	if len(p.Problems) > 0 {
		v.Status(fiber.StatusBadRequest)
	}
	return render(v.Ctx, "members.html", p)
}

// addMember serves POST /products/:id/members.
func (w *web) addMember(v *visit) error {
	p, err := w.managed(v)
	if err != nil {
		return err
	}
	m, problems := store.Member{ProductID: &p.ID, Role: gate.Role(v.form("role"))}, problemsOf{}
	who := v.form("who")
	id, err := strconv.ParseInt(strings.TrimLeft(who, "ug"), 10, 64)
	switch {
	case !slices.Contains(roles, m.Role):
		problems["role"] = "There is no such role."
	case err != nil || !strings.HasPrefix(who, "u") && !strings.HasPrefix(who, "g"):
		problems["who"] = "Choose who it is."
	case who[0] == 'u':
		m.UserID = &id
	default:
		m.GroupID = &id
	}
	if len(problems) == 0 {
		_, err = w.People.Give(v.UserContext(), peopleActor(v), m)
		if gate.KindOf(err) == gate.Forbidden {
			err = gate.FieldErrorf("role", "Only owners make owners.")
		}
		if err := problems.note(err, "who"); err != nil {
			return err
		}
	}
	if len(problems) > 0 {
		return w.showMembers(v, membersPage{Product: p, Who: who, Role: m.Role, Problems: problems})
	}
	w.flash(v, flash{Text: "The new member can work at once."})
	return v.Redirect(membersOf(p), fiber.StatusSeeOther)
}

// editMember serves POST /products/:id/members/:member: another role, or none.
func (w *web) editMember(v *visit) error {
	p, err := w.managed(v)
	if err != nil {
		return err
	}
	id, _ := strconv.ParseInt(v.Params("member"), 10, 64)
	m, err := w.memberOf(v, p, id)
	if err != nil {
		return err
	}
	text := "Saved."
	if v.form("remove") != "" {
		text, err = "The role is taken away.", w.People.Take(v.UserContext(), peopleActor(v), m)
	} else if role := gate.Role(v.form("role")); slices.Contains(roles, role) {
		_, err = w.People.Regrade(v.UserContext(), peopleActor(v), m, role)
	}
	if gate.KindOf(err) == gate.Forbidden {
		return w.showMembers(v, membersPage{Product: p, Role: gate.Reader, Problems: problemsOf{"members": "Only owners make, change and remove owners."}})
	}
	if err != nil {
		return err
	}
	w.flash(v, flash{Text: text})
	return v.Redirect(membersOf(p), fiber.StatusSeeOther)
}

// memberOf returns a member of a product: not of another.
func (w *web) memberOf(v *visit, p gate.Product, id int64) (store.Member, error) {
	for _, ofGroups := range []bool{false, true} {
		l, err := w.Store.Members(v.UserContext(), store.MemberFilter{Groups: ofGroups, Scope: v.scope, In: []int64{p.ID}, IDs: []int64{id}})
		if err != nil {
			return store.Member{}, err
		}
		if len(l.Rows) == 1 {
			return l.Rows[0], nil
		}
	}
	return store.Member{}, gate.Errorf(gate.NotFound, "no such member")
}

func membersOf(p gate.Product) string { return "/products/" + strconv.FormatInt(p.ID, 10) + "/members" }
