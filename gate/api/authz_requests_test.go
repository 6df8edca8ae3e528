package api_test

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/store"
)

// cell is a request on something in a place.
type cell struct {
	path, body string
	header     []string
	ofType     bool
	inBody     bool
}

// at returns the ID of something in a place.
func at(ids []int64, place int) int64 {
	if place >= len(ids) {
		return 999_999
	}
	return ids[place]
}

// request returns the request to a route for something in a place.
func (m *matrix) request(method, path string, place int) cell {
	id := func(ids []int64) string {
		return strings.Replace(path, ":id", strconv.FormatInt(at(ids, place), 10), 1)
	}
	for kind, folder := range folders {
		if strings.HasPrefix(path, "/api/v2/"+folder+"/") {
			path = strings.Replace(path, ":file", strconv.FormatInt(at(m.files[kind][:], place), 10), 1)
		}
	}
	one := func(b string) string { return fmt.Sprintf(b, at(m.products[:], place)) }
	typ := 999_999
	if place != absent {
		typ = int(m.types[place/2])
	}
	c := cell{path: path}
	rest := strings.TrimPrefix(path, "/api/v2")
	switch {
	case strings.HasPrefix(rest, "/product_types/"):
		c.path, c.ofType = strings.Replace(path, ":id", strconv.Itoa(typ), 1), true
	case strings.HasPrefix(rest, "/products/"):
		c.path = id(m.products[:])
	case strings.HasPrefix(rest, "/engagements/"):
		c.path = id(m.engs[:])
	case strings.HasPrefix(rest, "/tests/"):
		c.path = id(m.tests[:])
	case strings.HasPrefix(rest, "/findings/"):
		c.path = strings.Replace(id(m.findings[:]), ":original", strconv.FormatInt(at(m.findings[:], place), 10), 1)
	case strings.HasPrefix(rest, "/risk_acceptance/"):
		c.path = id(m.accepted[:])
	case strings.HasPrefix(rest, "/languages/"):
		c.path = id(m.languages[:])
	case strings.HasPrefix(rest, "/product_api_scan_configurations/"):
		c.path = id(m.scanned[:])
	case strings.HasPrefix(rest, "/tool_types/") && place != absent:
		c.path = strings.Replace(path, ":id", strconv.FormatInt(m.tools[0], 10), 1)
	case strings.HasPrefix(rest, "/tool_configurations/") && place != absent:
		c.path = strings.Replace(path, ":id", strconv.FormatInt(m.tools[1], 10), 1)
	case strings.HasPrefix(rest, "/verdicts/"):
		c.path = id(m.verdicts[:])
	case strings.HasPrefix(rest, "/metadata/"):
		c.path = id(m.metas[:])
	case strings.HasPrefix(rest, "/test_imports/"):
		c.path = id(m.imports[:])
	case strings.HasPrefix(rest, "/connections/") && place != absent:
		c.path = strings.NewReplacer(":id", strconv.FormatInt(m.connection[0], 10), ":delivery", strconv.FormatInt(m.connection[2], 10)).Replace(path)
	case strings.HasPrefix(rest, "/repositories/") && place != absent:
		c.path = strings.Replace(path, ":id", strconv.FormatInt(m.connection[1], 10), 1)
	case strings.HasPrefix(rest, "/trust_rules/"):
		c.path = id(m.trusts[:])
	case strings.HasPrefix(rest, "/jira_projects/"), strings.HasPrefix(rest, "/jira_product_configurations/"):
		c.path = id(m.jiras[:])
	case strings.HasPrefix(rest, "/jira_finding_mappings/"):
		c.path = id(m.tickets[:])
	case (strings.HasPrefix(rest, "/jira_instances/") || strings.HasPrefix(rest, "/jira_configurations/")) && place != absent:
		c.path = strings.Replace(path, ":id", strconv.FormatInt(m.instance, 10), 1)
	case strings.HasPrefix(rest, "/policies/"):
		c.path = id(m.policies[:])
	case slices.ContainsFunc(membershipPaths, func(p string) bool { return strings.HasPrefix(rest, p+"/") }):
		i := slices.IndexFunc(membershipPaths, func(p string) bool { return strings.HasPrefix(rest, p+"/") })
		c.path, c.ofType = id(m.members[i][:]), i > 1
	case (strings.HasPrefix(rest, "/users/") || strings.HasPrefix(rest, "/global_roles/")) && place != absent:
		c.path = strings.Replace(path, ":id", strconv.FormatInt(m.account, 10), 1)
	case strings.HasPrefix(rest, "/dojo_groups/") && place != absent:
		c.path = strings.Replace(path, ":id", strconv.FormatInt(m.group, 10), 1)
	case strings.HasPrefix(rest, "/dojo_group_members/") && place != absent:
		c.path = strings.Replace(path, ":id", strconv.FormatInt(m.joined, 10), 1)
	case strings.HasPrefix(rest, "/backtests/"):
		c.path = id(m.backtests[:])
	case strings.HasPrefix(rest, "/waivers/"):
		c.path = id(m.waivers[:])
	case strings.HasPrefix(rest, "/vex_documents/"):
		c.path = id(m.vex[:])
	case slices.ContainsFunc(noticePaths, func(p string) bool { return strings.HasPrefix(rest, p) }) && place != absent:
		i := slices.IndexFunc(noticePaths, func(p string) bool { return strings.HasPrefix(rest, p) })
		c.path = strings.Replace(path, ":id", strconv.FormatInt(m.notices[i], 10), 1)
	case strings.HasPrefix(rest, "/development_environments/") && place != absent:
		c.path = strings.Replace(path, ":id", strconv.FormatInt(m.env, 10), 1)
	case strings.Contains(rest, ":id"): // on nothing of a product
		c.path = strings.Replace(path, ":id", map[bool]string{true: "999999", false: "1"}[place == absent], 1)
	}
	switch {
	case method == "GET":
	case strings.HasSuffix(rest, "/files"):
		body, content := multipartBody(m.t, form("title", "t", "file", "x"))
		c.body, c.header = body, []string{"Content-Type", content}
	case rest == "/products":
		c.body, c.ofType, c.inBody = fmt.Sprintf(`{"name":"new %d","description":"d","prod_type":%d}`, time.Now().UnixNano(), typ), true, true
	case rest == "/product_types":
		c.body = fmt.Sprintf(`{"name":"new %d"}`, time.Now().UnixNano())
	case rest == "/engagements":
		c.body, c.inBody = one(`{"product":%d,"target_start":"2026-11-01","target_end":"2026-11-02"}`), true
	case rest == "/tests":
		c.body, c.inBody = fmt.Sprintf(`{"engagement":%d,"test_type":1,"target_start":"2026-11-01","target_end":"2026-11-02"}`, at(m.engs[:], place)), true
	case rest == "/findings":
		c.body, c.inBody = fmt.Sprintf(`{"test":%d,"title":"t","severity":"Low","description":"d","active":true,"verified":false,"found_by":[1]}`, at(m.tests[:], place)), true
	case rest == "/import-languages":
		body, content := multipartBody(m.t, form("product", strconv.FormatInt(at(m.products[:], place), 10), "file", `{"Go":{"nFiles":1}}`))
		c.body, c.header, c.inBody = body, []string{"Content-Type", content}, true
	case strings.HasSuffix(rest, "import-scan"):
		field, ids := "engagement", m.engs[:]
		if strings.Contains(rest, "reimport") {
			field, ids = "test", m.tests[:]
		}
		body, content := multipartBody(m.t, form("scan_type", scan, field, strconv.FormatInt(at(ids, place), 10), "file", generic("x:Low")))
		c.body, c.header, c.inBody = body, []string{"Content-Type", content}, true
	case rest == "/trust_rules":
		c.body, c.inBody = fmt.Sprintf(`{"product":%d,"provider":"github","repository_id":"%d","owner_id":"7"}`, at(m.products[:], place), time.Now().UnixNano()), true
	case strings.HasPrefix(rest, "/dedup_settings"):
		name := map[bool]string{true: "Nothing", false: scan}[place == absent]
		c.body, c.inBody = fmt.Sprintf(`{"scan_type":%q,"deduplication_algorithm":"hash_code"}`, name), true
		if method == "DELETE" {
			c.path += "?scan_type=" + url.QueryEscape(name)
		}
	case rest == "/metadata":
		c.body, c.inBody = fmt.Sprintf(`{"product":%d,"name":"n%d","value":"v"}`, at(m.products[:], place), time.Now().UnixNano()), true
	case rest == "/jira_projects", rest == "/jira_product_configurations":
		c.body, c.inBody = one(`{"product":%d,"project_key":"X"}`), true
	case rest == "/jira_finding_mappings":
		f := int64(999_999)
		if place != absent {
			f = m.finding(m.tests[place], fmt.Sprintf("canary%d", place), "Low", "")
		}
		c.body, c.inBody = fmt.Sprintf(`{"finding":%d,"jira_id":"1","jira_key":"X-1"}`, f), true
	case rest == "/findings/:id/metadata" && method == "POST":
		c.body = fmt.Sprintf(`{"name":"n%d","value":"v"}`, time.Now().UnixNano())
	case rest == "/findings/:id/metadata":
		c.path, c.body = c.path+"?name=canary", `{"name":"canary","value":"x"}`
	case slices.Contains(membershipPaths, rest):
		i := slices.Index(membershipPaths, rest)
		in := at(m.products[:], place)
		if i > 1 {
			in = int64(typ)
		}
		c.body, c.inBody, c.ofType = m.memberBody(i, in), true, i > 1
	case rest == "/policies":
		c.body, c.inBody = one(`{"product":%d,`+strings.TrimPrefix(policyBody(), "{")), true
	case rest == "/policies/lint":
		c.body = policyBody()
	case rest == "/policies/backtest":
		c.body, c.inBody = one(`{"product":%d,`+strings.TrimPrefix(policyBody(), "{")), true
	case rest == "/waivers" || rest == "/waivers/preview":
		c.body, c.inBody = one(waiverBody), true
	case rest == "/vex_documents":
		c.path, c.body, c.inBody = one(path+"?product=%d"), openVEX(time.Now().String()), true
	case rest == "/verdicts":
		c.body = fmt.Sprintf(`{"engagement":%d}`, at(m.engs[:], place))
	case rest == "/product_api_scan_configurations":
		c.body, c.inBody = fmt.Sprintf(`{"product":%d,"tool_configuration":%d}`, at(m.products[:], place), m.tools[1]), true
	case rest == "/risk_acceptance":
		f := int64(999_999)
		if place != absent {
			f = m.finding(m.tests[place], fmt.Sprintf("canary%d", place), "Low", "")
		}
		c.body, c.inBody = fmt.Sprintf(`{"name":"canary%d","accepted_findings":[%d]}`, place, f), true
	case strings.HasSuffix(rest, "accept_risks"):
		c.body = `[]`
	case strings.HasSuffix(rest, "notes"):
		c.body = `{"entry":"x"}`
	case strings.HasSuffix(rest, "tags"):
		c.body = `{"tags":["x"]}`
	default:
		c.body = `{}`
	}
	return c
}

// folders are what files can be put to.
var folders = []string{"findings", "tests", "engagements"}

// attach puts a file to the finding, the test or the engagement of a place.
func (m *matrix) attach(kind, place int) {
	m.t.Helper()
	to := [][]int64{m.findings[:], m.tests[:], m.engs[:]}[kind][place]
	a := m.upload(m.root, fmt.Sprintf("/api/v2/%s/%d/files/", folders[kind], to), form("title", fmt.Sprint("canary", place), "file", "x"))
	if a.status != 201 {
		m.t.Fatalf("attach: %d %s", a.status, a.body)
	}
	m.files[kind][place] = a.id()
}

// membershipPaths are the resources of members: of products, then of product types.
var membershipPaths = []string{"/product_members", "/product_groups", "/product_type_members", "/product_type_groups"}

// memberBody makes somebody new a reader of a product or a product type.
func (m *matrix) memberBody(i int, in int64) string {
	name := fmt.Sprint("somebody ", time.Now().UnixNano())
	if i%2 == 0 {
		u := m.user(gate.User{Username: name})
		return fmt.Sprintf(`{%q:%d,"user":%d,"role":5}`, []string{"product", "product_type"}[i/2], in, u.ID)
	}
	g, err := m.store.AddUserGroup(m.t.Context(), store.UserGroup{Name: name})
	if err != nil {
		m.t.Fatal(err)
	}
	return fmt.Sprintf(`{%q:%d,"group":%d,"role":5}`, []string{"product", "product_type"}[i/2], in, g.ID)
}

// policyBody is a policy of a new name.
func policyBody() string {
	return fmt.Sprintf(`{"source":"metadata: {name: p%d}\nspec: {rules: [{id: r, max: 1000}]}"}`, time.Now().UnixNano())
}

// waiverBody asks for a waiver in a product.
const waiverBody = `{"product":%d,"match":{"vulnerability":"CVE-2026-1","purl":"pkg:npm/a"},"reason":"r","days":10}`

// openVEX is a document about something.
func openVEX(about string) string {
	return fmt.Sprintf(`{"@context":"https://openvex.dev/ns/v0.2.0","@id":"x","author":"a","timestamp":"2026-11-22T00:00:00Z","version":1,
		"statements":[{"vulnerability":{"name":"CVE-2026-1"},"products":[{"@id":"pkg:npm/a"}],"status":"not_affected","justification":"component_not_present","impact_statement":%q}]}`, about)
}

// nameFinding gives the finding of a place metadata with the name canary.
func (m *matrix) nameFinding(place int) {
	m.must(200, "POST", fmt.Sprintf("/api/v2/findings/%d/metadata/", m.findings[place]), fmt.Sprintf(`{"name":"canary","value":"canary%d"}`, place))
}

// noticePaths are the resources of notifications, which only superusers may use.
var noticePaths = []string{"/notifications/", "/notification_webhooks/", "/notification_channels/"}

// renew makes again what a principal has just removed.
func (m *matrix) renew(path string, place int) {
	switch rest := strings.TrimPrefix(path, "/api/v2"); {
	case strings.HasPrefix(rest, "/development_environments/"):
		m.env = m.must(201, "POST", "/api/v2/development_environments/", fmt.Sprintf(`{"name":"env %d"}`, time.Now().UnixNano())).id()
	case strings.HasPrefix(rest, "/notifications/"):
		m.notices[0] = m.must(201, "POST", "/api/v2/notifications/", `{"template":true}`).id()
	case strings.HasPrefix(rest, "/notification_webhooks/"):
		m.notices[1] = m.must(201, "POST", "/api/v2/notification_webhooks/", `{"name":"canary","url":"https://127.0.0.1:1/x"}`).id()
	case strings.HasPrefix(rest, "/notification_channels/"):
		m.notices[2] = m.must(201, "POST", "/api/v2/notification_channels/", `{"kind":"msteams","name":"canary","secrets":{"webhook_url":"https://127.0.0.1:1/x"}}`).id()
	case strings.HasPrefix(rest, "/connections/"):
		m.connection = m.connect()
	case strings.HasPrefix(rest, "/users/"), strings.HasPrefix(rest, "/global_roles/"):
		role := gate.Reader
		m.account = m.user(gate.User{Username: fmt.Sprint("account ", time.Now().UnixNano()), GlobalRole: &role}).ID
		m.renew("/api/v2/dojo_groups/", own) // with them in it
	case strings.HasPrefix(rest, "/dojo_groups/"), strings.HasPrefix(rest, "/dojo_group_members/"):
		m.group = m.must(201, "POST", "/api/v2/dojo_groups/", fmt.Sprintf(`{"name":"group %d"}`, time.Now().UnixNano())).id()
		m.joined = m.must(201, "POST", "/api/v2/dojo_group_members/", fmt.Sprintf(`{"group":%d,"user":%d,"role":5}`, m.group, m.account)).id()
	case slices.ContainsFunc(membershipPaths, func(p string) bool { return strings.HasPrefix(rest, p+"/") }):
		i := slices.IndexFunc(membershipPaths, func(p string) bool { return strings.HasPrefix(rest, p+"/") })
		in := m.products[place]
		if i > 1 {
			in = m.types[place/2]
		}
		m.members[i][place] = m.must(201, "POST", "/api/v2"+membershipPaths[i]+"/", m.memberBody(i, in)).id()
	case strings.HasPrefix(rest, "/trust_rules/"):
		m.trusts[place] = m.must(201, "POST", "/api/v2/trust_rules/", fmt.Sprintf(`{"product":%d,"provider":"github","repository_id":"%d","owner_id":"7","repository":"canary%d"}`, m.products[place], time.Now().UnixNano(), place)).id()
	case strings.HasPrefix(rest, "/risk_acceptance/"):
		f := m.finding(m.tests[place], fmt.Sprintf("canary%d", place), "Low", "")
		m.accepted[place] = m.must(201, "POST", "/api/v2/risk_acceptance/", fmt.Sprintf(`{"name":"canary%d","accepted_findings":[%d]}`, place, f)).id()
	case strings.HasPrefix(rest, "/tool_types/"), strings.HasPrefix(rest, "/tool_configurations/"):
		used := m.must(201, "POST", "/api/v2/tool_types/", `{"name":"Sonar"}`).id()
		m.tools[0] = m.must(201, "POST", "/api/v2/tool_types/", `{"name":"of which there is none"}`).id()
		m.tools[1] = m.must(201, "POST", "/api/v2/tool_configurations/", fmt.Sprintf(`{"name":"sonar","tool_type":%d}`, used)).id()
		if m.products[2] != 0 { // what products said of the tool went with it
			for i := range m.products {
				m.renew("/api/v2/product_api_scan_configurations/", i)
			}
		}
	case strings.HasPrefix(rest, "/product_api_scan_configurations/"):
		m.scanned[place] = m.must(201, "POST", "/api/v2/product_api_scan_configurations/", fmt.Sprintf(`{"product":%d,"tool_configuration":%d,"service_key_1":"canary%d"}`, m.products[place], m.tools[1], place)).id()
	case strings.HasPrefix(rest, "/jira_instances/"), strings.HasPrefix(rest, "/jira_configurations/"):
		m.instance = m.must(201, "POST", "/api/v2/jira_instances/", jiraInstance).id()
	case strings.HasPrefix(rest, "/jira_projects/"), strings.HasPrefix(rest, "/jira_product_configurations/"):
		m.jiras[place] = m.must(201, "POST", "/api/v2/jira_projects/", fmt.Sprintf(`{"product":%d,"project_key":"canary%d"}`, m.products[place], place)).id()
	case strings.HasPrefix(rest, "/jira_finding_mappings/"):
		f := m.finding(m.tests[place], fmt.Sprintf("canary%d", place), "Low", "")
		m.tickets[place] = m.must(201, "POST", "/api/v2/jira_finding_mappings/", fmt.Sprintf(`{"finding":%d,"jira_id":"1","jira_key":"canary%d"}`, f, place)).id()
	case strings.HasPrefix(rest, "/metadata/"):
		m.metas[place] = m.must(201, "POST", "/api/v2/metadata/", fmt.Sprintf(`{"product":%d,"name":"canary","value":"canary%d"}`, m.products[place], place)).id()
	case rest == "/findings/:id/metadata":
		m.nameFinding(place)
	case strings.HasPrefix(rest, "/policies/"):
		m.policies[place] = m.must(201, "POST", "/api/v2/policies/", fmt.Sprintf(`{"product":%d,"comment":"canary%d",`, m.products[place], place)+strings.TrimPrefix(policyBody(), "{")).id()
	case strings.HasPrefix(rest, "/backtests/"):
		m.backtests[place] = m.must(202, "POST", "/api/v2/policies/backtest/", fmt.Sprintf(`{"product":%d,`, m.products[place])+strings.TrimPrefix(policyBody(), "{")).id()
	case strings.HasPrefix(rest, "/waivers/"):
		m.waivers[place] = m.must(201, "POST", "/api/v2/waivers/", fmt.Sprintf(waiverBody, m.products[place])).id()
	case strings.HasPrefix(rest, "/vex_documents/"):
		m.vex[place] = m.must(201, "POST", fmt.Sprintf("/api/v2/vex_documents/?product=%d&filename=canary%d", m.products[place], place), openVEX(fmt.Sprint("canary", place))).id()
	case strings.HasPrefix(rest, "/findings/"):
		m.findings[place] = m.finding(m.tests[place], fmt.Sprintf("canary%d", place), "High", "")
		m.nameFinding(place)
		m.attach(0, place)
	case strings.HasPrefix(rest, "/tests/"):
		m.tests[place] = m.must(201, "POST", "/api/v2/tests/", fmt.Sprintf(`{"engagement":%d,"test_type":%d,"target_start":"2026-11-22","target_end":"2026-11-22"}`, m.engs[place], m.generic)).id()
		m.attach(1, place)
		m.renew("/api/v2/risk_acceptance/", place)
		m.renew("/api/v2/findings/", place)
		m.renew("/api/v2/jira_finding_mappings/", place)
	case strings.HasPrefix(rest, "/engagements/"):
		m.engs[place] = m.must(201, "POST", "/api/v2/engagements/", fmt.Sprintf(`{"name":"canary%d","product":%d,"target_start":"2026-11-01","target_end":"2026-11-30"}`, place, m.products[place])).id()
		m.attach(2, place)
		m.renew("/api/v2/tests/", place)
		m.verdicts[place] = int64(m.must(201, "POST", "/api/v2/verdicts/", fmt.Sprintf(`{"engagement":%d}`, m.engs[place])).get("verdict_id").(float64))
	}
}
