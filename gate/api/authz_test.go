package api_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/api"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

// TestEveryRouteDeclaresItsPermission walks the app: a route that was added
// beside the list of routes, and so without a permission, fails here.
func TestEveryRouteDeclaresItsPermission(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	declared := api.Permissions()
	n := 0
	for _, r := range s.app.GetRoutes(true) {
		if r.Method == "HEAD" {
			continue
		}
		n++
		do, ok := declared[r.Method+" "+r.Path]
		if !ok || do == "" {
			t.Errorf("%s %s declares no permission", r.Method, r.Path)
		}
		if do == auth.Public && r.Path != "/api/v2/api-token-auth" && r.Path != "/api/v2/oa3/schema" && r.Path != "/api/v2/oidc/token" {
			t.Errorf("%s %s is open to all", r.Method, r.Path)
		}
		if _, known := rights[do]; !known && do != auth.Public {
			t.Errorf("%s %s needs %q, which this test does not know", r.Method, r.Path, do)
		}
		if slices.Contains([]string{"POST", "PUT", "PATCH", "DELETE"}, r.Method) && !strings.HasSuffix(r.Path, "/generate_report") && slices.Contains([]auth.Action{auth.View, auth.ViewReference, auth.ViewUsers, auth.ViewVerdict}, do) {
			t.Errorf("%s %s changes something with a right to look", r.Method, r.Path)
		}
	}
	if n != len(declared) || n < 50 {
		t.Errorf("%d routes, %d declared", n, len(declared))
	}
}

// rights are who may do what, written down once more, apart from the program:
// letters for Reader, Importer, Writer, Maintainer and Owner, "*" for everybody;
// "r" and "i" for tokens that only read or only import.
var rights = map[auth.Action]string{
	auth.View: "RIWMO r", auth.ViewVerdict: "RIWMO ri", auth.AddNote: "RWMO", auth.Import: "IWMO i", auth.EditEngagement: "IWMO", auth.EditTest: "IWMO",
	auth.AddTest: "WMO", auth.EditFinding: "WMO", auth.EditMetadata: "WMO", auth.Delete: "MO", auth.EditProduct: "MO", auth.DeleteProduct: "O", auth.AddProduct: "MO",
	auth.EditProductType: "MO", auth.DeleteProductType: "O", auth.AddProductType: "MO", auth.ViewUsers: "MO r", auth.ViewReference: "* r",
	auth.Configure: "MO", auth.ManageChannels: "MO", auth.Self: "* ri", auth.ManageNotices: "",
	auth.ManageMembers: "MO", auth.AcceptRisk: "WMO", auth.EditUsers: "",
	auth.WritePolicy: "MO", auth.RequestWaiver: "RIWMO i", auth.ApproveWaiver: "MO",
}

var onNothing = []auth.Action{auth.AddProductType, auth.ViewUsers, auth.EditUsers, auth.ViewReference, auth.Configure, auth.Self, auth.ManageNotices}

// where something is, seen from product 0, on which most principals have a role.
const (
	own = iota
	sibling
	foreign
	absent
)

var places = []string{"own", "sibling", "foreign", "absent"}

// principal is somebody with a role in each place, by its letter; S is the superuser's.
type principal struct {
	name   string
	token  string
	roles  [3]string // own, sibling, foreign
	types  [2]string // in the type of own and sibling, and in that of foreign
	global string
	scope  string // "", "r" or "i"
	dead   bool   // the token is no longer good
}

type matrix struct {
	*site
	types      [2]int64
	products   [3]int64
	engs       [3]int64
	tests      [3]int64
	findings   [3]int64
	verdicts   [3]int64
	metas      [3]int64
	imports    [3]int64
	trusts     [3]int64
	jiras      [3]int64 // JIRA projects
	tickets    [3]int64 // JIRA issues of findings of their own
	instance   int64    // a JIRA
	notices    [3]int64 // preferences, a webhook, a channel
	env        int64    // an environment that nothing uses
	generic    int64    // the test type of the reports that are imported
	policies   [3]int64
	waivers    [3]int64
	backtests  [3]int64
	vex        [3]int64
	people     []principal
	account    int64 // a user with a global role, in a group
	group      int64
	joined     int64 // as a member of the group
	languages  [3]int64
	tools      [2]int64    // a tool type and a tool
	scanned    [3]int64    // scan configurations
	accepted   [3]int64    // risk acceptances
	files      [3][3]int64 // of a finding, a test and an engagement, in each place
	members    [4][3]int64 // by membershipPaths, in each place
	connection [3]int64    // one with a repository and a delivery
}

func newMatrix(t *testing.T) *matrix {
	t.Helper()
	m := &matrix{site: newSite(t, withImporter)}
	for i := range m.types {
		m.types[i] = m.must(201, "POST", "/api/v2/product_types/", fmt.Sprintf(`{"name":"type %d"}`, i)).id()
	}
	m.generic = int64(m.get("/test_types/?name=Generic+Findings+Import").get("results.0.id").(float64))
	m.renew("/api/v2/development_environments/", own)
	m.get("/keys/") // there is one from then on
	m.renew("/api/v2/jira_instances/", own)
	for _, n := range noticePaths {
		m.renew("/api/v2"+n, own)
	}
	m.renew("/api/v2/connections/", own)
	m.renew("/api/v2/users/", own)
	m.renew("/api/v2/tool_types/", own)
	for i, typ := range []int64{m.types[0], m.types[0], m.types[1]} {
		m.products[i], m.engs[i], m.tests[i] = m.product(fmt.Sprintf("canary%d", i))
		m.must(200, "PATCH", fmt.Sprintf("/api/v2/products/%d/", m.products[i]), fmt.Sprintf(`{"prod_type":%d,"tags":["canary%d"]}`, typ, i))
		m.must(200, "PATCH", fmt.Sprintf("/api/v2/engagements/%d/", m.engs[i]), fmt.Sprintf(`{"name":"canary%d"}`, i))
		m.must(200, "PATCH", fmt.Sprintf("/api/v2/tests/%d/", m.tests[i]), fmt.Sprintf(`{"title":"canary%d","test_type":%d}`, i, m.generic))
		m.verdicts[i] = int64(m.must(201, "POST", "/api/v2/verdicts/", fmt.Sprintf(`{"engagement":%d}`, m.engs[i])).get("verdict_id").(float64))
		m.renew("/api/v2/trust_rules/", i)
		if err := m.pool.QueryRow(t.Context(), `insert into test_imports (product_id, filename) values ($1, $2) returning id`, m.products[i], fmt.Sprint("canary", i)).Scan(&m.imports[i]); err != nil {
			t.Fatal(err)
		}
		m.metas[i] = m.must(201, "POST", "/api/v2/metadata/", fmt.Sprintf(`{"product":%d,"name":"canary","value":"canary%d"}`, m.products[i], i)).id()
		m.findings[i] = m.finding(m.tests[i], fmt.Sprintf("canary%d", i), "High", fmt.Sprintf(`,"tags":["canary%d"]`, i))
		m.nameFinding(i)
		for kind := range folders {
			m.attach(kind, i)
		}
		m.renew("/api/v2/risk_acceptance/", i)
		m.renew("/api/v2/product_api_scan_configurations/", i)
		if a := m.upload(m.root, "/api/v2/import-languages/", form("product", strconv.FormatInt(m.products[i], 10), "file", `{"Go":{"nFiles":1}}`)); a.status != 201 {
			t.Fatal(a.body)
		}
		m.languages[i] = int64(m.get(fmt.Sprintf("/languages/?product=%d", m.products[i])).get("results.0.id").(float64))
		m.renew("/api/v2/jira_projects/", i)
		m.renew("/api/v2/jira_finding_mappings/", i)
		m.renew("/api/v2/policies/", i)
		for _, path := range membershipPaths {
			m.renew("/api/v2"+path+"/", i)
		}
		m.renew("/api/v2/backtests/", i)
		m.renew("/api/v2/waivers/", i)
		m.renew("/api/v2/vex_documents/", i)
	}
	letters := map[gate.Role]string{gate.Reader: "R", gate.Importer: "I", gate.Writer: "W", gate.Maintainer: "M", gate.Owner: "O"}
	m.add(principal{name: "anonymous"}, gate.User{}, nil)
	m.add(principal{name: "nobody"}, gate.User{Username: "nobody"}, &auth.NewToken{})
	for r, l := range letters {
		u := m.add(principal{name: string(r), roles: [3]string{l, "", ""}}, gate.User{Username: string(r)}, &auth.NewToken{})
		m.member(store.Member{UserID: &u.ID, ProductID: &m.products[own], Role: r})
	}
	u := m.add(principal{name: "sibling_owner", roles: [3]string{"", "O", ""}}, gate.User{Username: "sibling_owner"}, &auth.NewToken{})
	m.member(store.Member{UserID: &u.ID, ProductID: &m.products[sibling], Role: gate.Owner})
	u = m.add(principal{name: "type_maintainer", roles: [3]string{"M", "M", ""}, types: [2]string{"M", ""}}, gate.User{Username: "type_maintainer"}, &auth.NewToken{})
	m.member(store.Member{UserID: &u.ID, ProductTypeID: &m.types[0], Role: gate.Maintainer})
	reader := gate.Reader
	m.add(principal{name: "global_reader", roles: [3]string{"R", "R", "R"}, types: [2]string{"R", "R"}, global: "R"}, gate.User{Username: "global_reader", GlobalRole: &reader}, &auth.NewToken{})
	super := principal{name: "superuser", roles: [3]string{"S", "S", "S"}, types: [2]string{"S", "S"}, global: "S"}
	root := m.add(super, gate.User{Username: "super", IsSuperuser: true}, &auth.NewToken{})
	m.add(principal{name: "import_token", roles: [3]string{"S", "", ""}, scope: "i"}, root, &auth.NewToken{Scope: gate.ScopeImport, ProductIDs: m.products[:1]})
	m.add(principal{name: "read_token", roles: [3]string{"S", "S", "S"}, types: [2]string{"S", "S"}, global: "S", scope: "r"}, root, &auth.NewToken{Scope: gate.ScopeRead})
	m.add(principal{name: "expired", dead: true}, root, &auth.NewToken{Expires: now.Add(time.Nanosecond)})
	revoked := m.add(principal{name: "revoked", dead: true}, root, &auth.NewToken{})
	tokens, err := m.store.Tokens(t.Context(), revoked.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.auth.RevokeToken(t.Context(), revoked, tokens[0].ID); err != nil {
		t.Fatal(err)
	}
	gone := m.add(principal{name: "shut_out", dead: true}, gate.User{Username: "shut_out", IsSuperuser: true}, &auth.NewToken{})
	if err := m.store.SetUserActive(t.Context(), gone.ID, false); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *matrix) add(p principal, u gate.User, want *auth.NewToken) gate.User {
	m.t.Helper()
	if u.ID == 0 && u.Username != "" {
		u = m.user(u)
	}
	if want != nil {
		p.token = m.token(u, *want)
	}
	m.people = append(m.people, p)
	return u
}

func (m *matrix) member(v store.Member) {
	m.t.Helper()
	if _, err := m.store.AddMember(m.t.Context(), v); err != nil {
		m.t.Fatal(err)
	}
}

// may tells whether a role has a right.
func may(role string, do auth.Action) bool {
	roles, _, _ := strings.Cut(rights[do], " ")
	return role == "S" || roles == "*" || role != "" && strings.Contains(roles, role)
}

// lets tells whether a principal's token is good for an action at all.
func (p principal) lets(do auth.Action) bool {
	_, tokens, _ := strings.Cut(rights[do], " ")
	return p.scope == "" || strings.Contains(tokens, p.scope)
}

// want returns the status that a request must get: 403, 404, 400 where the place
// is named in the body, or 0 for any other.
func (p principal) want(do auth.Action, place int, ofType, inBody bool) int {
	hidden := 404
	if inBody {
		hidden = 400
	}
	switch {
	case p.token == "" || p.dead || !p.lets(do):
		return 403
	case slices.Contains(onNothing, do):
		switch {
		case !may(p.global, do) && !strings.HasPrefix(rights[do], "*"):
			return 403
		case place == absent:
			return hidden
		}
		return 0
	case place == absent:
		return hidden
	}
	role := p.roles[place]
	if ofType {
		role = p.types[place/2]
	}
	switch {
	case may(role, do):
		return 0
	case may(role, auth.View) && p.lets(auth.View):
		return 403
	}
	return hidden
}

// TestMatrix sends every principal to every route, for something in every place.
func TestMatrix(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	cells, allowed := 0, 0
	var routes []string
	for r := range api.Permissions() {
		routes = append(routes, r)
	}
	slices.Sort(routes)
	for _, route := range routes {
		method, path, _ := strings.Cut(route, " ")
		do := api.Permissions()[route]
		if do == auth.Public {
			continue
		}
		fixed := method == "GET" && !strings.Contains(path, ":id") || method == "POST" && slices.Contains(onNothing, do) || path == "/api/v2/findings/accept_risks" || path == "/api/v2/findings/generate_report"
		for place := range places {
			if fixed && place != own {
				continue
			}
			for _, p := range m.people {
				if method == "DELETE" && p.want(do, place, strings.Contains(path, "product_types"), false) == 0 &&
					(strings.Contains(path, "/products/") || strings.Contains(path, "/product_types/")) {
					continue // all else is in it: TestDeleteProduct
				}
				c := m.request(method, path, place)
				a := m.send(p.token, method, c.path, c.body, c.header...)
				want := p.want(do, place, c.ofType, c.inBody)
				if fixed && method == "GET" && p.token != "" && !p.dead && p.lets(do) && !slices.Contains(onNothing, do) {
					want = 0 // a list of what one may see
				}
				if strings.HasSuffix(path, "import-scan") && want != 403 && !p.mayAnywhere(do) {
					want = 403
				}
				if path == "/api/v2/findings/accept_risks" { // wherever they may
					want = map[bool]int{true: 0, false: 403}[p.token != "" && !p.dead && p.mayAnywhere(do)]
				}
				if path == "/api/v2/findings/generate_report" { // on what they see, if it is nothing
					want = map[bool]int{true: 0, false: 403}[p.token != "" && !p.dead && p.lets(do)]
				}
				cells++
				got := a.status
				if got != 403 && got != 404 && (got != 400 || !c.inBody) {
					got = 0
				}
				if got != want || a.status == 500 {
					t.Errorf("%s: %s %s of %s = %d %.300s, want %d", p.name, method, path, places[place], a.status, a.body, want)
				}
				if want == 0 {
					allowed++
				}
				if method == "DELETE" && a.status < 300 {
					m.renew(path, place)
				}
				for i := range m.products {
					if p.roles[i] == "" && p.token != "" && strings.Contains(a.body, fmt.Sprintf("canary%d", i)) {
						t.Errorf("%s: %s %s tells of product %d: %.300s", p.name, method, c.path, i, a.body)
					}
				}
			}
		}
	}
	t.Logf("%d cells, %d of them allowed", cells, allowed)
	if cells < 2000 || allowed < 300 {
		t.Errorf("%d cells, %d allowed: too few to mean anything", cells, allowed)
	}
}

func (p principal) mayAnywhere(do auth.Action) bool {
	for _, r := range append(p.roles[:], p.types[:]...) {
		if may(r, do) && p.lets(do) {
			return true
		}
	}
	return false
}

// TestListsAreScoped asks for every list with filters that name the foreign product.
func TestListsAreScoped(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	var reader principal
	for _, p := range m.people {
		if p.name == "reader" {
			reader = p
		}
	}
	for _, path := range []string{
		"/findings/?title=canary", "/findings/?product_name=canary2", "/findings/?tags=canary2", fmt.Sprintf("/findings/?test__engagement__product=%d", m.products[2]),
		"/findings/?prefetch=test,reporter&related_fields=true", "/findings/?o=-test__engagement__product__name&limit=100", fmt.Sprintf("/findings/?id=%d", m.findings[2]),
		fmt.Sprintf("/findings/?test=%d", m.tests[2]), "/products/?name=canary", "/products/?tag=canary", "/engagements/?name=canary2", "/engagements/?product__tags=canary2",
		fmt.Sprintf("/engagements/?product=%d", m.products[2]), "/tests/?prefetch=engagement", "/tests/?title=canary2", "/product_types/", "/verdicts/",
	} {
		a := m.send(reader.token, "GET", "/api/v2"+path, "")
		if a.status != 200 && a.status != 400 {
			t.Errorf("GET %s = %d %s", path, a.status, a.body)
		}
		for _, canary := range []string{"canary1", "canary2", "type 1"} {
			if strings.Contains(a.body, canary) {
				t.Errorf("GET %s tells of %s", path, canary)
			}
		}
		if root := m.get(path); root.status == 200 && strings.Contains(path, "canary2") && root.get("count") == 0.0 {
			t.Errorf("GET %s finds nothing for anybody: it proves nothing", path)
		}
	}
	// What is absent and what is foreign look the same.
	for _, pair := range [][2]string{
		{fmt.Sprintf("/findings/%d/", m.findings[2]), "/findings/999999/"},
		{fmt.Sprintf("/products/%d/", m.products[2]), "/products/999999/"},
		{fmt.Sprintf("/tests/?engagement=%d", m.engs[2]), "/tests/?engagement=999999"},
		{fmt.Sprintf("/product_types/%d/", m.types[1]), "/product_types/999999/"},
	} {
		a, b := m.send(reader.token, "GET", "/api/v2"+pair[0], ""), m.send(reader.token, "GET", "/api/v2"+pair[1], "")
		if a.status != b.status || a.body != b.body {
			t.Errorf("%s: %d %s, %s: %d %s", pair[0], a.status, a.body, pair[1], b.status, b.body)
		}
	}
}

// TestForeignTargetLooksAbsent imports into what the sender may not see, by names.
func TestForeignTargetLooksAbsent(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	var writer principal
	for _, p := range m.people {
		if p.name == "writer" {
			writer = p
		}
	}
	tests := []struct {
		fields []string
		status int
		body   string
	}{
		{[]string{"product_name", "canary2", "engagement_name", "canary2"}, 400, `["Product \"canary2\" does not exist"]`},
		{[]string{"product_name", "nothing", "engagement_name", "x"}, 400, `["Product \"nothing\" does not exist"]`},
		{[]string{"product_name", "canary2", "engagement_name", "x", "product_type_name", "wrong"}, 400, `["Product \"canary2\" does not exist"]`},
		{[]string{"engagement", strconv.FormatInt(m.engs[2], 10)}, 400, fmt.Sprintf(`["Engagement \"%d\" does not exist"]`, m.engs[2])},
		{[]string{"engagement", strconv.FormatInt(m.engs[2], 10), "product_name", "canary0"}, 400, fmt.Sprintf(`["Engagement \"%d\" does not exist"]`, m.engs[2])},
		{[]string{"product_name", "canary2", "engagement_name", "x", "auto_create_context", "true", "product_type_name", "type 0"}, 403, `{"detail":"You do not have permission to perform this action."}`},
		{[]string{"product_name", "new", "engagement_name", "x", "auto_create_context", "true", "product_type_name", "type 0"}, 403, `{"detail":"You do not have permission to perform this action."}`},
		{[]string{"product_name", "new", "engagement_name", "x", "auto_create_context", "true", "product_type_name", "new type"}, 403, `{"detail":"You do not have permission to perform this action."}`},
		{[]string{"product_name", "canary0", "engagement_name", "new", "auto_create_context", "true"}, 201, ``},
	}
	for _, tt := range tests {
		a := m.upload(writer.token, "/api/v2/import-scan/", form(append(tt.fields, "scan_type", scan, "file", generic("x:Low"))...))
		if a.status != tt.status || tt.body != "" && a.body != tt.body {
			t.Errorf("%v: %d %s, want %d %s", tt.fields, a.status, a.body, tt.status, tt.body)
		}
	}
}

// TestCheckedIsActedOn names one target by ID and another by name: what is
// checked is what is acted on, or nothing is.
func TestCheckedIsActedOn(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	var writer principal
	for _, p := range m.people {
		if p.name == "writer" {
			writer = p
		}
	}
	for _, fields := range [][]string{
		{"engagement", strconv.FormatInt(m.engs[0], 10), "product_name", "canary2"},
		{"engagement", strconv.FormatInt(m.engs[0], 10), "engagement_name", "canary2"},
		{"engagement", strconv.FormatInt(m.engs[0], 10), "product_name", "canary2", "engagement_name", "canary2", "auto_create_context", "true"},
	} {
		a := m.upload(writer.token, "/api/v2/import-scan/", form(append(fields, "scan_type", scan, "file", generic("intruder:Low"))...))
		if a.status == 201 && a.get("product_id") != float64(m.products[0]) || a.status != 201 && a.status != 400 {
			t.Errorf("%v: %d %s", fields, a.status, a.body)
		}
	}
	if n := m.get(fmt.Sprintf("/findings/?title=intruder&test__engagement__product=%d", m.products[2])).get("count"); n != 0.0 {
		t.Errorf("%v findings came into a product that the sender may not see", n)
	}
}
