package api_test

import (
	"fmt"
	"strings"
	"testing"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

// TestPeople goes the way of an administrator: a user, a group, roles for both,
// and each of them taken away again. What a role gives and takes, holds at once.
func TestPeople(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p, _, _ := s.product("Shop")
	u := s.must(201, "POST", "/api/v2/users/", `{"username":"ada","email":"ada@example.org","first_name":"Ada","password":"`+password+`","configuration_permissions":[1]}`)
	if u.get("is_active") != true || u.get("is_superuser") != false || strings.Contains(u.body, "password\":") {
		t.Errorf("%s", u.body)
	}
	ada := s.token(gate.User{ID: u.id()}, auth.NewToken{})
	sees := func(want int) {
		t.Helper()
		if a := s.send(ada, "GET", fmt.Sprintf("/api/v2/products/%d/", p), ""); a.status != want {
			t.Errorf("ada gets %d, want %d", a.status, want)
		}
	}
	sees(404)
	m := s.must(201, "POST", "/api/v2/product_members/", fmt.Sprintf(`{"product":%d,"user":%d,"role":5}`, p, u.id()))
	sees(200)
	if a := s.must(400, "POST", "/api/v2/product_members/", fmt.Sprintf(`{"product":%d,"user":%d,"role":4}`, p, u.id())); a.get("non_field_errors") == nil {
		t.Errorf("twice: %s", a.body)
	}
	path := fmt.Sprintf("/api/v2/product_members/%d/", m.id())
	if a := s.must(200, "PATCH", path, `{"role":"3"}`); a.get("role") != 3.0 || a.get("user") != float64(u.id()) {
		t.Errorf("%s", a.body)
	}
	s.must(400, "PATCH", path, `{"role":9}`)
	s.must(400, "PATCH", path, `{"user":1}`)
	if a := s.get(fmt.Sprintf("/product_members/?product_id=%d&user_id=%d", p, u.id())); a.get("count") != 1.0 {
		t.Errorf("%s", a.body)
	}
	profile := s.send(ada, "GET", "/api/v2/user_profile/", "")
	if profile.get("product_member.0.role") != 3.0 || profile.get("global_role") != nil {
		t.Errorf("%s", profile.body)
	}
	s.must(204, "DELETE", path, "")
	sees(404)

	g := s.must(201, "POST", "/api/v2/dojo_groups/", `{"name":"crew","description":"d"}`)
	s.must(201, "POST", "/api/v2/product_groups/", fmt.Sprintf(`{"product":%d,"group":%d,"role":2}`, p, g.id()))
	seat := s.must(201, "POST", "/api/v2/dojo_group_members/", fmt.Sprintf(`{"group":%d,"user":%d,"role":3}`, g.id(), u.id()))
	sees(200)
	if a := s.get("/dojo_groups/?name=crew"); a.get("results.0.users.0") != float64(u.id()) {
		t.Errorf("%s", a.body)
	}
	s.must(400, "POST", "/api/v2/dojo_groups/", `{"name":"crew"}`)
	s.must(200, "PATCH", fmt.Sprintf("/api/v2/dojo_groups/%d/", g.id()), `{"email":"crew@example.org"}`)
	s.must(204, "DELETE", fmt.Sprintf("/api/v2/dojo_group_members/%d/", seat.id()), "")
	sees(404)
	s.must(201, "POST", "/api/v2/dojo_group_members/", fmt.Sprintf(`{"group":%d,"user":%d,"role":3}`, g.id(), u.id()))
	s.must(204, "DELETE", fmt.Sprintf("/api/v2/dojo_groups/%d/", g.id()), "")
	sees(404)

	s.must(201, "POST", "/api/v2/global_roles/", fmt.Sprintf(`{"user":%d,"group":null,"role":5}`, u.id()))
	sees(200)
	if a := s.get("/global_roles/?user=" + fmt.Sprint(u.id())); a.get("count") != 1.0 || a.get("results.0.role") != 5.0 {
		t.Errorf("%s", a.body)
	}
	s.must(204, "DELETE", fmt.Sprintf("/api/v2/global_roles/%d/", u.id()), "")
	sees(404)
	if a := s.get("/roles/"); a.get("count") != 5.0 || a.get("results.3.is_owner") != true {
		t.Errorf("%s", a.body)
	}

	typ := s.must(201, "POST", "/api/v2/product_type_members/", fmt.Sprintf(`{"product_type":1,"user":%d,"role":4}`, u.id()))
	sees(200)
	s.must(200, "PATCH", fmt.Sprintf("/api/v2/users/%d/", u.id()), `{"is_active":false}`)
	sees(403)
	s.must(200, "PATCH", fmt.Sprintf("/api/v2/users/%d/", u.id()), `{"is_active":true}`)
	sees(200)
	s.must(204, "POST", fmt.Sprintf("/api/v2/users/%d/reset_api_token/", u.id()), "")
	sees(403)
	s.must(204, "DELETE", fmt.Sprintf("/api/v2/users/%d/", u.id()), "")
	s.must(404, "GET", fmt.Sprintf("/api/v2/product_type_members/%d/", typ.id()), "")

	var events int
	if err := s.pool.QueryRow(t.Context(), `select count(*) from audit_events where object in ('user', 'group', 'group_member', 'member') and actor_id is not null`).Scan(&events); err != nil || events < 17 {
		t.Errorf("the history has %d entries, %v", events, err)
	}
	var told string
	if err := s.pool.QueryRow(t.Context(), `select coalesce(string_agg(changes::text, ' '), '') from audit_events`).Scan(&told); err != nil || strings.Contains(told, password) {
		t.Error("the history tells a password", err)
	}
}

// TestNobodyAboveThemselves: only owners make, change and remove owners, and
// nobody shuts themselves out or becomes more than they are.
func TestNobodyAboveThemselves(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p, _, _ := s.product("Shop")
	person := func(name string, role gate.Role) (gate.User, string, int64) {
		u := s.user(gate.User{Username: name})
		m, err := s.store.AddMember(t.Context(), store.Member{UserID: &u.ID, ProductID: &p, Role: role})
		if err != nil {
			t.Fatal(err)
		}
		return u, s.token(u, auth.NewToken{}), m.ID
	}
	_, owner, ownerSeat := person("owner", gate.Owner)
	maintainer, token, maintainerSeat := person("maintainer", gate.Maintainer)
	_, _, readerSeat := person("reader", gate.Reader)
	other := s.user(gate.User{Username: "other"})
	seat := func(id int64) string { return fmt.Sprintf("/api/v2/product_members/%d/", id) }
	for _, tt := range []struct {
		name, token, method, path, body string
		status                          int
	}{
		{"maintainer_makes_owner", token, "POST", "/api/v2/product_members/", fmt.Sprintf(`{"product":%d,"user":%d,"role":4}`, p, other.ID), 403},
		{"maintainer_raises", token, "PATCH", seat(readerSeat), `{"role":4}`, 403},
		{"maintainer_raises_themselves", token, "PATCH", seat(maintainerSeat), `{"role":4}`, 403},
		{"maintainer_lowers_owner", token, "PATCH", seat(ownerSeat), `{"role":5}`, 403},
		{"maintainer_removes_owner", token, "DELETE", seat(ownerSeat), ``, 403},
		{"maintainer_makes_writer", token, "PATCH", seat(readerSeat), `{"role":2}`, 200},
		{"owner_makes_owner", owner, "PATCH", seat(readerSeat), `{"role":4}`, 200},
		{"maintainer_makes_superuser", token, "PATCH", fmt.Sprintf("/api/v2/users/%d/", maintainer.ID), `{"is_superuser":true}`, 403},
		{"maintainer_takes_global_role", token, "POST", "/api/v2/global_roles/", fmt.Sprintf(`{"user":%d,"role":4}`, maintainer.ID), 403},
		{"root_shuts_themselves_out", s.root, "PATCH", "/api/v2/users/1/", `{"is_active":false}`, 400},
		{"root_steps_down", s.root, "PATCH", "/api/v2/users/1/", `{"is_superuser":false}`, 400},
		{"root_removes_themselves", s.root, "DELETE", "/api/v2/users/1/", ``, 400},
		{"bad_password", s.root, "POST", "/api/v2/users/", `{"username":"x","password":"short"}`, 400},
		{"colon", s.root, "POST", "/api/v2/users/", `{"username":"a:b"}`, 400},
		{"taken", s.root, "POST", "/api/v2/users/", `{"username":"owner"}`, 400},
		{"group_everywhere", s.root, "POST", "/api/v2/global_roles/", fmt.Sprintf(`{"user":%d,"group":1,"role":4}`, other.ID), 400},
	} {
		if a := s.send(tt.token, tt.method, tt.path, tt.body); a.status != tt.status {
			t.Errorf("%s: %d %s, want %d", tt.name, a.status, a.body, tt.status)
		}
	}
	// A user of whom a finding tells cannot be removed, only shut out.
	_, _, test := s.product("Other")
	s.finding(test, "SQL", "High", fmt.Sprintf(`,"reporter":%d`, other.ID))
	if a := s.send(s.root, "DELETE", fmt.Sprintf("/api/v2/users/%d/", other.ID), ""); a.status != 409 || !strings.Contains(a.body, "inactive instead") {
		t.Errorf("%d %s", a.status, a.body)
	}
}
