package auth_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

// world is two product types with two products each, and people of all roles
// on the first product.
type world struct {
	fixture
	types    [2]int64
	products [4]int64 // 0 and 1 are of the first type
	people   map[string]gate.User
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{fixture: newFixture(t, auth.Config{}), people: map[string]gate.User{}}
	for i := range w.types {
		pt, err := w.store.AddProductType(t.Context(), gate.ProductType{Name: fmt.Sprintf("type %d", i)})
		if err != nil {
			t.Fatal(err)
		}
		w.types[i] = pt.ID
	}
	for i := range w.products {
		p, err := w.store.AddProduct(t.Context(), gate.Product{Name: fmt.Sprintf("product %d", i), ProdTypeID: w.types[i/2]})
		if err != nil {
			t.Fatal(err)
		}
		w.products[i] = p.ID
	}
	for _, r := range []gate.Role{gate.Reader, gate.Importer, gate.Writer, gate.Maintainer, gate.Owner} {
		u := w.person(t, string(r), nil)
		w.member(t, store.Member{UserID: &u.ID, ProductID: &w.products[0], Role: r})
		w.person(t, "global_"+string(r), &r)
	}
	w.person(t, "nobody", nil)
	u := w.person(t, "type_writer", nil)
	w.member(t, store.Member{UserID: &u.ID, ProductTypeID: &w.types[0], Role: gate.Writer})
	u = w.person(t, "group_reader", nil)
	g, err := w.store.AddUserGroup(t.Context(), store.UserGroup{Name: "readers"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.store.AddUserGroupMember(t.Context(), store.UserGroupMember{GroupID: g.ID, UserID: u.ID, Role: gate.Reader}); err != nil {
		t.Fatal(err)
	}
	w.member(t, store.Member{GroupID: &g.ID, ProductID: &w.products[2], Role: gate.Reader})
	root, err := w.store.AddUser(t.Context(), store.Account{User: gate.User{Username: "root", IsActive: true, IsSuperuser: true}})
	if err != nil {
		t.Fatal(err)
	}
	w.people["root"] = root
	return w
}

func (w *world) person(t *testing.T, name string, global *gate.Role) gate.User {
	t.Helper()
	u, err := w.store.AddUser(t.Context(), store.Account{User: gate.User{Username: name, IsActive: true, GlobalRole: global}})
	if err != nil {
		t.Fatal(err)
	}
	w.people[name] = u
	return u
}

func (w *world) member(t *testing.T, m store.Member) {
	t.Helper()
	if _, err := w.store.AddMember(t.Context(), m); err != nil {
		t.Fatal(err)
	}
}

// products writes a scope as the numbers of the world's products.
func (w *world) show(s gate.Scope) string {
	if s.All {
		return "all"
	}
	out := ""
	var outSb88 strings.Builder
	for i, id := range w.products {
		if s.Allows(id) {
			outSb88.WriteString(strconv.Itoa(i))
		}
	}
	out += outSb88.String()
	return out
}

func TestScope(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tests := []struct {
		who                                                  string
		view, note, imp, finding, del, product, own, verdict string
	}{
		{"reader", "0", "0", "", "", "", "", "", "0"},
		{"importer", "0", "", "0", "", "", "", "", "0"},
		{"writer", "0", "0", "0", "0", "", "", "", "0"},
		{"maintainer", "0", "0", "0", "0", "0", "0", "", "0"},
		{"owner", "0", "0", "0", "0", "0", "0", "0", "0"},
		{"global_reader", "all", "all", "", "", "", "", "", "all"},
		{"global_importer", "all", "", "all", "", "", "", "", "all"},
		{"global_owner", "all", "all", "all", "all", "all", "all", "all", "all"},
		{"type_writer", "01", "01", "01", "01", "", "", "", "01"},
		{"group_reader", "2", "2", "", "", "", "", "", "2"},
		{"nobody", "", "", "", "", "", "", "", ""},
		{"root", "all", "all", "all", "all", "all", "all", "all", "all"},
	}
	actions := []auth.Action{auth.View, auth.AddNote, auth.Import, auth.EditFinding, auth.Delete, auth.EditProduct, auth.DeleteProduct, auth.ViewVerdict}
	for _, tt := range tests {
		t.Run(tt.who, func(t *testing.T) {
			t.Parallel()
			want := []string{tt.view, tt.note, tt.imp, tt.finding, tt.del, tt.product, tt.own, tt.verdict}
			var got []string
			for _, do := range actions {
				s, err := w.Scope(t.Context(), gate.Principal{User: w.people[tt.who]}, do)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, w.show(s))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%v (-want +got):\n%s", actions, diff)
			}
		})
	}
}

func TestTokenScope(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tests := []struct {
		name, who          string
		token              gate.Token
		view, imp, finding string
	}{
		{"all", "writer", gate.Token{Scope: gate.ScopeAll}, "0", "0", "0"},
		{"read", "writer", gate.Token{Scope: gate.ScopeRead}, "0", "", ""},
		{"import", "writer", gate.Token{Scope: gate.ScopeImport}, "", "0", ""},
		{"import_of_root", "root", gate.Token{Scope: gate.ScopeImport}, "", "all", ""},
		{"root_for_one", "root", gate.Token{Scope: gate.ScopeAll, ProductIDs: []int64{w.products[3]}}, "3", "3", "3"},
		{"not_more_than_the_user", "writer", gate.Token{Scope: gate.ScopeAll, ProductIDs: []int64{w.products[0], w.products[3]}}, "0", "0", "0"},
		{"for_none", "root", gate.Token{Scope: gate.ScopeAll, ProductIDs: []int64{}}, "", "", ""},
		{"unknown_scope", "root", gate.Token{Scope: "x"}, "", "", ""},
		{"reader_imports", "reader", gate.Token{Scope: gate.ScopeImport}, "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := gate.Principal{User: w.people[tt.who], Token: &tt.token}
			for do, want := range map[auth.Action]string{auth.View: tt.view, auth.Import: tt.imp, auth.EditFinding: tt.finding} {
				s, err := w.Scope(t.Context(), p, do)
				if err != nil || w.show(s) != want {
					t.Errorf("%s: products %q, %v, want %q", do, w.show(s), err, want)
				}
			}
		})
	}
}

func TestMay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const ok = gate.Kind(-1)
	kind := func(err error) gate.Kind {
		if err == nil {
			return ok
		}
		return gate.KindOf(err)
	}
	tests := []struct {
		who     string
		do      auth.Action
		product int64
		want    gate.Kind
	}{
		{"reader", auth.View, w.products[0], ok},
		{"reader", auth.EditFinding, w.products[0], gate.Forbidden},
		{"reader", auth.View, w.products[1], gate.NotFound},
		{"owner", auth.DeleteProduct, w.products[1], gate.NotFound},
		{"root", "no such action", w.products[0], gate.Forbidden},
		{"nobody", auth.View, w.products[0], gate.NotFound},
	}
	for _, tt := range tests {
		if got := kind(w.May(t.Context(), gate.Principal{User: w.people[tt.who]}, tt.do, tt.product)); got != tt.want {
			t.Errorf("may %s %s: kind %v, want %v", tt.who, tt.do, got, tt.want)
		}
	}
	if got := kind(w.May(t.Context(), gate.Principal{}, auth.View, w.products[0])); got != gate.NotFound {
		t.Errorf("may nobody at all view: kind %v", got)
	}
	typed := []struct {
		who  string
		do   auth.Action
		typ  int64
		want gate.Kind
	}{
		{"type_writer", auth.View, w.types[0], ok},
		{"type_writer", auth.AddProduct, w.types[0], gate.Forbidden},
		{"type_writer", auth.View, w.types[1], gate.NotFound},
		{"owner", auth.View, w.types[0], gate.NotFound}, // membership does not reach upwards
		{"global_maintainer", auth.AddProduct, w.types[1], ok},
	}
	for _, tt := range typed {
		if got := kind(w.MayType(t.Context(), gate.Principal{User: w.people[tt.who]}, tt.do, tt.typ)); got != tt.want {
			t.Errorf("may %s %s of type: kind %v, want %v", tt.who, tt.do, got, tt.want)
		}
	}
	for who, want := range map[string]gate.Kind{"global_maintainer": ok, "global_writer": gate.Forbidden, "owner": gate.Forbidden, "root": ok} {
		if got := kind(w.MayGlobal(gate.Principal{User: w.people[who]}, auth.AddProductType)); got != want {
			t.Errorf("may %s add product types: kind %v, want %v", who, got, want)
		}
	}
}

// TestMembershipEndsAtOnce takes a role away and asks again.
func TestMembershipEndsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ms, err := w.store.Members(t.Context(), store.MemberFilter{Scope: gate.Scope{All: true}, In: w.products[:1]})
	if err != nil || ms.Count != 5 {
		t.Fatalf("%d members, %v", ms.Count, err)
	}
	for _, m := range ms.Rows {
		if err := w.store.DeleteMember(t.Context(), m.ID); err != nil {
			t.Fatal(err)
		}
	}
	s, err := w.Scope(t.Context(), gate.Principal{User: w.people["owner"]}, auth.View)
	if err != nil || s.All || len(s.ProductIDs) != 0 {
		t.Errorf("scope %+v, %v", s, err)
	}
}
