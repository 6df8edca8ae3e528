package web

import (
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/people"
	"defectdojo/gate/store"
)

// roles are the roles that can be given, from least to most.
var roles = []gate.Role{gate.Reader, gate.Importer, gate.Writer, gate.Maintainer, gate.Owner}

// peoplePage is what people.html shows.
type peoplePage struct {
	layout
	People   []gate.User
	Form     gate.User
	Problems problemsOf
}

// personPage is what person.html shows.
type personPage struct {
	layout
	Person   gate.User // as it is
	Form     gate.User // as it is to be
	Seats    []store.Seat
	Problems problemsOf
}

// Roles are those that somebody can have everywhere.
func (peoplePage) Roles() []gate.Role { return roles }

// Roles are those that somebody can have everywhere.
func (personPage) Roles() []gate.Role { return roles }

// peopleActor is the visitor as those know them who keep people.
func peopleActor(v *visit) people.Actor {
	return people.Actor{Who: v.Principal, Now: v.now, RequestID: requestID(v.Ctx), IP: v.IP()}
}

// people serves GET /people.
func (w *web) people(v *visit) error {
	return w.showPeople(v, peoplePage{Form: gate.User{IsActive: true}, Problems: problemsOf{}})
}

func (w *web) showPeople(v *visit, p peoplePage) error {
	p.layout = w.layout(v, "integrations", "People")
	l, err := w.Store.Users(v.UserContext(), store.UserFilter{Page: store.Page{Order: []string{"username"}}})
	if err != nil {
		return err
	}
	p.People = l.Rows
	if len(p.Problems) > 0 {
		v.Status(fiber.StatusBadRequest)
	}
	return render(v.Ctx, "people.html", p)
}

// personForm reads a user from a form.
func personForm(v *visit, u gate.User) gate.User {
	u.Username, u.Email = strings.TrimSpace(v.form("username")), strings.TrimSpace(v.form("email"))
	u.FirstName, u.LastName = strings.TrimSpace(v.form("first_name")), strings.TrimSpace(v.form("last_name"))
	u.IsSuperuser, u.GlobalRole = v.form("is_superuser") != "", nil
	for _, r := range roles {
		if string(r) == v.form("global_role") {
			u.GlobalRole = &r
		}
	}
	return u
}

// addPerson serves POST /people.
func (w *web) addPerson(v *visit) error {
	u, problems := personForm(v, gate.User{IsActive: true}), problemsOf{}
	added, err := w.People.Add(v.UserContext(), peopleActor(v), u, v.form("password"))
	if err := problems.note(err, "username"); err != nil {
		return err
	}
	if len(problems) > 0 {
		return w.showPeople(v, peoplePage{Form: u, Problems: problems})
	}
	w.flash(v, flash{Text: added.Username + " is there. Products make them a member on their own page."})
	return v.Redirect("/people/"+strconv.FormatInt(added.ID, 10), fiber.StatusSeeOther)
}

// personOf returns the user of the address.
func (w *web) personOf(v *visit) (gate.User, error) {
	id, err := v.id()
	if err != nil {
		return gate.User{}, err
	}
	return w.Store.User(v.UserContext(), id)
}

// person serves GET /people/:id.
func (w *web) person(v *visit) error {
	u, err := w.personOf(v)
	if err != nil {
		return err
	}
	return w.showPerson(v, personPage{Person: u, Form: u, Problems: problemsOf{}})
}

func (w *web) showPerson(v *visit, p personPage) (err error) {
	p.layout = w.layout(v, "integrations", p.Person.Username)
	if p.Seats, err = w.Store.Seats(v.UserContext(), p.Person.ID); err != nil {
		return err
	}
	if len(p.Problems) > 0 {
		v.Status(fiber.StatusBadRequest)
	}
	return render(v.Ctx, "person.html", p)
}

// editPerson serves POST /people/:id.
func (w *web) editPerson(v *visit) error {
	before, err := w.personOf(v)
	if err != nil {
		return err
	}
	u, problems := personForm(v, before), problemsOf{}
	u.IsActive = v.form("is_active") != ""
	_, err = w.People.Edit(v.UserContext(), peopleActor(v), before, u, v.form("password"))
	if err := problems.note(err, "username"); err != nil {
		return err
	}
	if len(problems) > 0 {
		return w.showPerson(v, personPage{Person: before, Form: u, Problems: problems})
	}
	w.flash(v, flash{Text: "Saved."})
	return v.Redirect("/people/"+strconv.FormatInt(u.ID, 10), fiber.StatusSeeOther)
}

// revokePerson serves POST /people/:id/tokens: it ends all of their tokens.
func (w *web) revokePerson(v *visit) error {
	u, err := w.personOf(v)
	if err != nil {
		return err
	}
	if err := w.People.RevokeTokens(v.UserContext(), peopleActor(v), u); err != nil {
		return err
	}
	w.flash(v, flash{Text: "Their tokens are revoked."})
	return v.Redirect("/people/"+strconv.FormatInt(u.ID, 10), fiber.StatusSeeOther)
}
