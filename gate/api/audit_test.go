package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"defectdojo/gate/api"
	"defectdojo/gate/auth"
)

// unwritten are the routes that leave no entry in the history, each with why.
var unwritten = map[string]string{
	"POST /import-scan":                       "an import is a record of its own, with its sender",
	"POST /reimport-scan":                     "likewise",
	"POST /test_imports/:id/retry":            "likewise",
	"POST /verdicts":                          "a verdict is a record of its own",
	"POST /findings/:id/notes":                "a note says who wrote it, and keeps its history",
	"POST /tests/:id/notes":                   "likewise",
	"POST /engagements/:id/notes":             "likewise",
	"POST /products/:id/generate_report":      "it changes nothing",
	"POST /product_types/:id/generate_report": "likewise",
	"POST /engagements/:id/generate_report":   "likewise",
	"POST /tests/:id/generate_report":         "likewise",
	"POST /findings/generate_report":          "likewise",
	"POST /policies/lint":                     "it changes nothing",
	"POST /waivers/preview":                   "it changes nothing",
	"POST /dedup_settings/preview":            "it changes nothing",
	"POST /notification_channels/:id/test":    "it changes nothing: the channel's health says how it went",
	"POST /notification_webhooks/:id/test":    "likewise",
	"POST /connections/:id/test":              "likewise",
	"POST /connections/:id/sync":              "it reads what there is",
	"POST /jira_instances/:id/test":           "it reads who we are",
	"POST /jira_projects/:id/test":            "it reads what is needed",
	"POST /findings/:id/duplicate/reset":      "needs a duplicate: package triage's tests",
	"POST /findings/:id/original/:original":   "likewise",
	"POST /waivers/:id/approve":               "who asked may not: package waiver's tests",
	"POST /waivers/:id/revoke":                "needs one that somebody else has approved: likewise",
}

// changing are bodies that change something, by the resource's path: beside what
// the resource tells of itself.
var changing = map[string]string{
	"/users": `{"username":"renamed%d","email":"x@example.org"}`, "/dojo_groups": `{"name":"renamed %d"}`, "/dojo_group_members": `{"role":2}`, "/global_roles": `{"role":3}`,
	"/product_members": `{"role":2}`, "/product_groups": `{"role":2}`, "/product_type_members": `{"role":2}`, "/product_type_groups": `{"role":2}`,
	"/jira_instances": `{"password":"p"}`, "/jira_configurations": `{"password":"p"}`, "/development_environments": `{"name":"renamed %d"}`, "/policies": `{"enabled":false,"comment":"c"}`,
	"/notification_webhooks": `{"url":"https://127.0.0.1:1/y"}`, "/test_types": `{"dynamic_tool":true}`,
}

// bodies are those of single routes.
var bodies = map[string]string{
	"POST /connections": `{"kind":"github","name":"another","settings":{},"secrets":{"token":"ghp_x"}}`, "POST /development_environments": `{"name":"new %d"}`,
	"POST /tool_types": `{"name":"new %d"}`, "POST /dojo_groups": `{"name":"new %d"}`, "POST /users": `{"username":"new%d","email":"n@example.org","password":"Long-enough-1!"}`, "POST /test_types": `{"name":"new %d"}`,
	"POST /notification_channels": `{"kind":"msteams","name":"new %d","secrets":{"webhook_url":"https://127.0.0.1:1/x"}}`, "POST /notification_webhooks": `{"name":"new %d","url":"https://127.0.0.1:1/x"}`,
	"PUT /findings/:id": `{"title":"t2","severity":"Low","description":"d","active":true,"verified":false}`, "POST /waivers/:id/reject": `{"reason":"no"}`, "POST /waivers/:id/revoke": `{"reason":"no"}`,
	"POST /jira_instances": jiraInstance, "POST /jira_configurations": jiraInstance, "POST /jira_instances/:id/legacy_webhook": `{"secret":"0123456789abcdef"}`,
	"POST /findings/:id/request_response": `{"req_resp":[{"request":"a","response":"b"}]}`, "PUT /dedup_settings": `{"scan_type":"` + scan + `","deduplication_algorithm":"unique_id_from_tool"}`,
}

// TestEveryChangeIsWrittenDown walks the routes: whoever adds, changes or removes
// something over the API leaves an entry in the history.
func TestEveryChangeIsWrittenDown(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	if _, err := m.pool.Exec(t.Context(), `update users set username = replace(username, ' ', '_')`); err != nil {
		t.Fatal(err)
	}
	walked := 0
	for _, route := range changes() {
		method, path, _ := strings.Cut(route, " ")
		short := strings.Replace(route, "/api/v2", "", 1)
		c := m.request(method, path, own)
		if body, ok := m.changed(method, path, c, walked); ok {
			c.body = body
		}
		if short == "DELETE /repositories/:id" { // a part alone can be removed
			part := m.must(201, "POST", fmt.Sprintf("/api/v2/connections/%d/repositories/", m.connection[0]), fmt.Sprintf(`{"repository":%d,"component":"gone","paths":["gone"]}`, m.connection[1]))
			c.path = fmt.Sprintf("/api/v2/repositories/%d", part.id())
		}
		before := m.entries()
		a := m.send(m.root, method, c.path, c.body, c.header...)
		grown := m.entries() - before
		why, exempt := unwritten[short]
		switch {
		case exempt && grown > 0:
			t.Errorf("%s leaves %d entries, though %s", short, grown, why)
		case exempt:
			continue
		case a.status >= 300:
			t.Errorf("%s is no valid request: %d %.300s", short, a.status, a.body)
		case grown == 0:
			t.Errorf("%s = %d leaves no entry in the history: %s", short, a.status, c.body)
		}
		walked++
		if method == "DELETE" && a.status < 300 && !strings.HasPrefix(path, "/api/v2/product_types/") && !strings.HasPrefix(path, "/api/v2/products/") {
			m.renew(path, own)
		}
	}
	for route := range unwritten {
		if method, path, _ := strings.Cut(route, " "); api.Permissions()[method+" "+"/api/v2"+path] == "" {
			t.Errorf("there is no route %s", route)
		}
	}
	t.Logf("%d routes that change something are written down, %d need no entry", walked, len(unwritten))
}

// changes are the routes that may change something: what holds others is removed last.
func changes() []string {
	var routes []string
	for r, do := range api.Permissions() {
		if method, _, _ := strings.Cut(r, " "); method != "GET" && do != auth.Public {
			routes = append(routes, r)
		}
	}
	late := func(r string) int {
		return slices.IndexFunc([]string{"", "DELETE /api/v2/products/", "DELETE /api/v2/product_types/"}, func(p string) bool { return p != "" && strings.HasPrefix(r, p) }) +
			map[bool]int{true: 1}[strings.HasPrefix(r, "DELETE")]
	}
	slices.SortFunc(routes, func(a, b string) int {
		if x, y := late(a), late(b); x != y {
			return x - y
		}
		return strings.Compare(a, b)
	})
	return routes
}

func (m *matrix) entries() (n int) {
	m.t.Helper()
	if err := m.pool.QueryRow(m.t.Context(), `select count(*) from audit_events`).Scan(&n); err != nil {
		m.t.Fatal(err)
	}
	return n
}

// changed returns a body with which a route changes something: of its own, or
// what there is with something changed.
func (m *matrix) changed(method, path string, c cell, n int) (string, bool) {
	m.t.Helper()
	fill := func(s string) string {
		if strings.Contains(s, "%d") {
			return fmt.Sprintf(s, time.Now().UnixNano()%1_000_000_000+int64(n))
		}
		return s
	}
	rest := strings.TrimPrefix(path, "/api/v2")
	resource, tail, _ := strings.Cut(strings.TrimPrefix(rest, "/"), "/")
	switch {
	case method == "POST" && rest == "/notifications":
		return fmt.Sprintf(`{"user":%d,"product":%d}`, m.account, m.products[own]), true
	case method == "POST" && (rest == "/dojo_group_members" || rest == "/global_roles"):
		g := m.must(201, "POST", "/api/v2/dojo_groups/", fill(`{"name":"fresh %d"}`)).id()
		u := m.must(201, "POST", "/api/v2/users/", fill(`{"username":"fresh%d","email":"f@example.org"}`)).id()
		return fmt.Sprintf(map[bool]string{true: `{"user":%[1]d,"role":5}`, false: `{"user":%[1]d,"group":%[2]d,"role":5}`}[rest == "/global_roles"], u, g), true
	case strings.HasSuffix(rest, "/accept_risks"):
		m.finding(m.tests[own], "accepted", "Low", `,"vulnerability_ids":[{"vulnerability_id":"CVE-2026-77"}]`)
		return `[{"vulnerability_id":"CVE-2026-77","justification":"j","accepted_by":"a"}]`, true
	case rest == "/connections/:id/repositories":
		return fmt.Sprintf(`{"repository":%d,"component":"part%d","paths":["part%[2]d"]}`, m.connection[1], n), true
	case rest == "/keys/:id/withdraw":
		m.send(m.root, "POST", "/api/v2/keys/rotate/", "") // the one that signs is not withdrawn
		return "", false
	case rest == "/tool_configurations":
		return fmt.Sprintf(`{"name":"t","tool_type":%d}`, m.tools[0]), true
	case bodies[method+" "+rest] != "":
		return fill(bodies[method+" "+rest]), true
	case strings.HasSuffix(rest, "/remove_note"):
		note := m.must(201, "POST", strings.Replace(c.path, "remove_note", "notes", 1)+"/", `{"entry":"x"}`).id()
		return fmt.Sprintf(`{"note_id":%d}`, note), true
	case strings.HasSuffix(rest, "/remove_tags"):
		m.must(200, "POST", strings.Replace(c.path, "remove_tags", "tags", 1)+"/", `{"tags":["x"]}`)
		return `{"tags":["x"]}`, true
	case tail != ":id" || method != "PUT" && method != "PATCH":
		return "", false
	}
	what := map[string]any{}
	if a := m.send(m.root, "GET", c.path+"/", ""); method == "PUT" {
		if err := json.Unmarshal([]byte(a.body), &what); err != nil {
			m.t.Fatalf("GET %s: %d %s", c.path, a.status, a.body)
		}
	}
	more := map[string]any{}
	if text := changing["/"+resource]; text != "" {
		if method == "PUT" { // other than what PATCH has made of it
			text = strings.NewReplacer(`"role":2`, `"role":4`, `"role":3`, `"role":4`, `"enabled":false`, `"enabled":true`).Replace(text)
		}
		if err := json.Unmarshal([]byte(fill(text)), &more); err != nil {
			m.t.Fatal(err)
		}
	}
	maps.Copy(what, more)
	body, err := json.Marshal(what)
	if err != nil {
		m.t.Fatal(err)
	}
	return string(body), true
}
