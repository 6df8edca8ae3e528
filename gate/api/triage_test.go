package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"defectdojo/gate"
	"defectdojo/gate/auth"
)

// short writes a finding's status as letters.
func (s *site) short(id int64) string {
	s.t.Helper()
	a := s.get(fmt.Sprintf("/findings/%d/", id))
	out := ""
	var outSb19 strings.Builder
	for _, x := range [][2]string{{"active", "A"}, {"verified", "V"}, {"false_p", "F"}, {"out_of_scope", "O"}, {"risk_accepted", "R"}, {"is_mitigated", "M"}, {"duplicate", "D"}} {
		if a.get(x[0]) == true {
			outSb19.WriteString(x[1])
		}
	}
	out += outSb19.String()
	if (a.get("mitigated") != nil) != (a.get("is_mitigated") == true) {
		out += "!"
	}
	return out
}

func TestFindingStatus(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p, _, test := s.product("Shop")
	path := func(id int64, rest string) string { return fmt.Sprintf("/api/v2/findings/%d/%s", id, rest) }
	tests := []struct {
		name, method, rest, body, want string
	}{
		{"patch_verified", "PATCH", "", `{"verified":true}`, "AV"},
		{"patch_false_positive", "PATCH", "", `{"false_p":true}`, "FM"},
		{"patch_out_of_scope", "PATCH", "", `{"out_of_scope":"true"}`, "OM"},
		{"patch_mitigated", "PATCH", "", `{"is_mitigated":true,"active":false}`, "M"},
		{"patch_inactive", "PATCH", "", `{"active":false}`, ""},
		{"close", "POST", "close/", `{"is_mitigated":true,"note":"fixed"}`, "M"},
		{"close_blank", "POST", "close/", `{}`, "M"},
		{"close_false_positive", "POST", "close/", `{"is_mitigated":true,"false_p":true}`, "FM"},
		{"close_out_of_scope", "POST", "close/", `{"out_of_scope":true}`, "OM"},
		{"close_not_mitigated", "POST", "close/", `{"is_mitigated":false}`, ""},
		{"verify", "POST", "verify/", `{"note":"seen"}`, "AV"},
	}
	for _, tt := range tests {
		id := s.finding(test, tt.name, "High", "")
		a := s.must(200, tt.method, path(id, tt.rest), tt.body)
		if got := s.short(id); got != tt.want {
			t.Errorf("%s: %q, want %q: %s", tt.name, got, tt.want, a.body)
		}
	}
	id := s.finding(test, "again", "High", "")
	s.must(200, "POST", path(id, "close/"), `{"is_mitigated":true,"note":"fixed in 1.2"}`)
	a := s.must(200, "GET", path(id, ""), "")
	if a.get("mitigated") != "2026-11-22T12:00:00Z" || a.get("mitigated_by") != 1.0 || a.get("last_reviewed_by") != 1.0 || a.get("notes.0.entry") != "fixed in 1.2" || a.get("notes.0.author.username") != "root" {
		t.Errorf("closed: %s", a.body)
	}
	if s.must(200, "PATCH", path(id, ""), `{"active":true}`); s.short(id) != "A" {
		t.Errorf("reopened: %s", s.short(id))
	}
	s.must(400, "PATCH", path(id, ""), `{"risk_accepted":true,"active":false}`)
	s.must(200, "PATCH", fmt.Sprintf("/api/v2/products/%d/", p), `{"enable_simple_risk_acceptance":true}`)
	if s.must(200, "PATCH", path(id, ""), `{"risk_accepted":true,"active":false}`); s.short(id) != "R" {
		t.Errorf("accepted: %s", s.short(id))
	}
	if s.must(400, "PATCH", path(id, ""), `{"active":true}`); s.short(id) != "R" {
		t.Errorf("active and accepted: %s", s.short(id))
	}
	if a := s.must(400, "PATCH", path(id, ""), `{"mitigated":"2026-01-01T00:00:00Z"}`); a.get("mitigated.0") == nil {
		t.Error(a.body)
	}
}

func TestFindingFields(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, _, test := s.product("Shop")
	id := s.finding(test, "SQL injection", "Critical", `,"date":"2026-11-10","cwe":"89","cwes":[{"cwe":"CWE-89"},{"cwe":"20"}],"vulnerability_ids":[{"vulnerability_id":"CVE-2026-1"},{"vulnerability_id":"CVE-2026-1"}],
		"file_path":"a/b.go","line":12,"tags":["pci"],"unique_id_from_tool":"u1","vuln_id_from_tool":"r1","impact":"much","cvssv3_score":9.8,"component_name":"lodash","component_version":"","numerical_severity":"S4"`)
	path := fmt.Sprintf("/api/v2/findings/%d/", id)
	a := s.must(200, "GET", path, "")
	for field, want := range map[string]any{
		"title": "SQL injection", "severity": "Critical", "numerical_severity": "S0", "date": "2026-11-10", "age": 12.0, "sla_expiration_date": "2026-11-17", "sla_days_remaining": -5.0,
		"cwe": 89.0, "cwes": []any{map[string]any{"cwe": "CWE-89"}, map[string]any{"cwe": "CWE-20"}}, "vulnerability_ids": []any{map[string]any{"vulnerability_id": "CVE-2026-1"}},
		"line": 12.0, "file_path": "a/b.go", "tags": []any{"pci"}, "impact": "much", "mitigation": nil, "cvssv3_score": 9.8, "component_version": nil, "found_by": []any{5.0},
		"reporter": 1.0, "display_status": "Active", "dynamic_finding": true,
	} {
		if diff := cmp.Diff(want, a.get(field)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", field, diff)
		}
	}
	a = s.must(200, "PATCH", path, `{"severity":"Low","tags":"x,y","vulnerability_ids":["GHSA-1"],"cwe":79,"found_by":[5,7],"line":null,"sla_start_date":"2026-11-20"}`)
	for field, want := range map[string]any{
		"severity": "Low", "numerical_severity": "S3", "tags": []any{"x", "y"}, "cwe": 79.0, "found_by": []any{5.0, 7.0}, "line": nil, "sla_expiration_date": "2027-03-20", "impact": "much",
	} {
		if diff := cmp.Diff(want, a.get(field)); diff != "" {
			t.Errorf("after the patch: %s (-want +got):\n%s", field, diff)
		}
	}
	events, err := s.store.AuditEvents(t.Context(), "finding", id, 10)
	if err != nil || len(events) != 2 || events[0].Action != "edit" || fmt.Sprint(events[0].Changes["severity"]) != "[Critical Low]" {
		t.Errorf("history: %+v, %v", events, err)
	}
}

func TestNotes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, e, test := s.product("Shop")
	f := s.finding(test, "SQL", "High", "")
	writer := gate.Writer
	jane, joe := s.user(gate.User{Username: "jane", GlobalRole: &writer}), s.user(gate.User{Username: "joe", GlobalRole: &writer})
	janes, joes := s.token(jane, auth.NewToken{}), s.token(joe, auth.NewToken{})
	for _, path := range []string{fmt.Sprintf("/api/v2/findings/%d/", f), fmt.Sprintf("/api/v2/engagements/%d/", e), fmt.Sprintf("/api/v2/tests/%d/", test)} {
		a := s.send(janes, "POST", path+"notes/", `{"entry":"secret plan","private":true}`)
		if a.status != 201 || a.get("author.username") != "jane" || a.get("private") != true {
			t.Fatalf("%s: %d %s", path, a.status, a.body)
		}
		s.send(janes, "POST", path+"notes/", `{"entry":"for all"}`)
		for _, view := range []string{path, path + "notes/"} {
			if a := s.send(joes, "GET", view, ""); strings.Contains(a.body, "secret plan") || !strings.Contains(a.body, "for all") {
				t.Errorf("%s shows a private note to others: %s", view, a.body)
			}
			if a := s.send(janes, "GET", view, ""); !strings.Contains(a.body, "secret plan") {
				t.Errorf("%s hides a private note from its author", view)
			}
		}
		s.must(400, "POST", path+"notes/", `{"entry":""}`)
	}
	note := s.must(200, "GET", fmt.Sprintf("/api/v2/findings/%d/notes/", f), "").get("notes.0.id")
	remove := fmt.Sprintf(`{"note_id":%v}`, note)
	path := fmt.Sprintf("/api/v2/findings/%d/remove_note/", f)
	if a := s.send(joes, "PATCH", path, remove); a.status != 400 || a.get("error") != "Delete Failed, You are not the Note's author" {
		t.Errorf("joe removes jane's note: %d %s", a.status, a.body)
	}
	other := s.finding(test, "other", "High", "")
	if a := s.send(janes, "PATCH", fmt.Sprintf("/api/v2/findings/%d/remove_note/", other), remove); a.status != 400 {
		t.Errorf("a note is removed by way of another finding: %d %s", a.status, a.body)
	}
	if a := s.send(janes, "PATCH", path, remove); a.status != 204 {
		t.Errorf("jane removes her note: %d %s", a.status, a.body)
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, _, test := s.product("Shop")
	path := fmt.Sprintf("/api/v2/findings/%d/", s.finding(test, "SQL", "High", `,"tags":["a"]`))
	if a := s.must(200, "POST", path+"tags/", `{"tags":["b","a","C"]}`); a.body != `{"tags":["a","b","c"]}` {
		t.Error(a.body)
	}
	s.must(204, "PUT", path+"remove_tags/", `{"tags":["a"]}`)
	s.must(204, "PATCH", path+"remove_tags/", `{"tags":"b"}`)
	if a := s.must(200, "GET", path+"tags/", ""); a.body != `{"tags":["c"]}` {
		t.Error(a.body)
	}
	if a := s.must(400, "PUT", path+"remove_tags/", `{"tags":["zz"]}`); a.get("error") != "'zz' is not a valid tag in list '['c']'" {
		t.Error(a.body)
	}
	s.must(400, "PUT", path+"remove_tags/", `{"tags":[]}`)
	s.must(400, "POST", path+"tags/", `{}`)
}

func TestDuplicates(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, _, test := s.product("Shop")
	_, _, elsewhere := s.product("Bank")
	a, b, c := s.finding(test, "a", "High", ""), s.finding(test, "b", "High", ""), s.finding(test, "c", "High", "")
	far := s.finding(elsewhere, "far", "High", "")
	path := func(id int64, rest string) string { return fmt.Sprintf("/api/v2/findings/%d/%s", id, rest) }
	cluster := func(id int64) string {
		var ids []string
		l := s.must(200, "GET", path(id, "duplicate/"), "")
		for i := 0; l.get(fmt.Sprintf("%d.id", i)) != nil; i++ {
			ids = append(ids, fmt.Sprint(l.get(fmt.Sprintf("%d.id", i))))
		}
		return strings.Join(ids, ",")
	}
	s.must(204, "POST", path(b, fmt.Sprintf("original/%d/", a)), "")
	s.must(204, "POST", path(c, fmt.Sprintf("original/%d/", a)), "")
	if s.short(b) != "D" || s.short(c) != "D" || s.short(a) != "A" || cluster(a) != fmt.Sprintf("%d,%d", b, c) || cluster(b) != fmt.Sprintf("%d,%d", a, c) {
		t.Errorf("a %s, b %s, c %s, cluster of a %s", s.short(a), s.short(b), s.short(c), cluster(a))
	}
	s.must(200, "PATCH", path(a, ""), `{"verified":true}`)
	s.must(204, "POST", path(c, fmt.Sprintf("original/%d/", b)), "") // b becomes the original of all
	if s.short(a) != "D" || s.short(b) != "AV" || s.short(c) != "D" || cluster(b) != fmt.Sprintf("%d,%d", a, c) {
		t.Errorf("a %s, b %s, c %s, cluster of b %s", s.short(a), s.short(b), s.short(c), cluster(b))
	}
	s.must(204, "POST", path(c, "duplicate/reset/"), "")
	s.must(400, "POST", path(c, "duplicate/reset/"), "")
	if s.short(c) != "A" || s.must(200, "GET", path(c, ""), "").get("duplicate_finding") != nil {
		t.Errorf("reset: %s", s.short(c))
	}
	s.must(400, "POST", path(a, fmt.Sprintf("original/%d/", far)), "")
	s.must(204, "DELETE", path(b, ""), "") // a is left, and takes its place
	if s.short(a) != "AV" {
		t.Errorf("the heir of a deleted original is %s", s.short(a))
	}
}

func TestRequestResponse(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, _, test := s.product("Shop")
	path := fmt.Sprintf("/api/v2/findings/%d/request_response/", s.finding(test, "SQL", "High", ""))
	a := s.must(200, "POST", path, `{"req_resp":[{"request":"GET /","response":"200 \u00e9"}]}`)
	if a.get("req_resp.0.request") != "GET /" || a.get("req_resp.0.response") != "200 é" {
		t.Error(a.body)
	}
	s.must(400, "POST", path, `{"req_resp":[{"request":"GET /"}]}`)
	s.must(400, "POST", path, `{}`)
}
