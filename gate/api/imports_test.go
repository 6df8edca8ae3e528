package api_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"defectdojo/gate"
	"defectdojo/gate/api"
	"defectdojo/gate/auth"
)

const scan = "Generic Findings Import"

func TestImport(t *testing.T) {
	t.Parallel()
	s := newSite(t, withImporter)
	product, engagement, _ := s.product("Shop")
	a := s.upload(s.root, "/api/v2/import-scan/", form("scan_type", scan, "engagement", strconv.FormatInt(engagement, 10), "file", generic("SQL:Critical", "XSS:High"),
		"tags", "a", "tags", "B,c", "minimum_severity", "Low", "scan_date", "2026-11-21", "version", "1.2"))
	if a.status != 201 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	t.Log(a.body)
	want := map[string]any{
		"product_id": float64(product), "engagement_id": float64(engagement), "engagement": float64(engagement), "product_type_id": 1.0,
		"scan_type": scan, "minimum_severity": "Low", "active": false, "verified": false, "file": nil, "lead": nil, "endpoint_to_add": nil,
		"api_scan_configuration": nil, "close_old_findings": false, "close_old_findings_product_scope": false, "push_to_jira": false,
		"auto_create_context": false, "deduplication_on_engagement": false, "create_finding_groups_for_all_findings": true,
		"apply_tags_to_findings": false, "apply_tags_to_endpoints": false, "deduplication_complete": true, "scan_date": "2026-11-21", "version": "1.2",
		"tags": []any{"a", "b", "c"}, "statistics.after.critical.active": 1.0, "statistics.after.total.total": 2.0, "statistics.before": nil, "statistics.delta": nil,
	}
	for path, v := range want {
		if diff := cmp.Diff(v, a.get(path)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	test, ok := a.get("test").(float64)
	if !ok || a.get("test_id") != test {
		t.Errorf("test %v, test_id %v", a.get("test"), a.get("test_id"))
	}
	again := s.upload(s.root, "/api/v2/reimport-scan/", form("scan_type", scan, "test", fmt.Sprint(test), "file", generic("SQL:Critical", "New:Low")))
	if again.status != 201 {
		t.Fatalf("%d %s", again.status, again.body)
	}
	for path, v := range map[string]any{
		"close_old_findings": true, "do_not_reactivate": false, "engagement": nil, "statistics.before.total.total": 2.0,
		"statistics.delta.created.total.total": 1.0, "statistics.delta.closed.total.total": 1.0, "statistics.delta.untouched.critical.active": 1.0,
		"statistics.after.total.active": 2.0, "test": test,
	} {
		if diff := cmp.Diff(v, again.get(path)); diff != "" {
			t.Errorf("reimport: %s (-want +got):\n%s", path, diff)
		}
	}
	if n := s.get("/findings/?active=true").get("count"); n != 2.0 {
		t.Errorf("%v active findings, want 2", n)
	}
}

func TestImportByNames(t *testing.T) {
	t.Parallel()
	s := newSite(t, withImporter)
	names := []string{"scan_type", scan, "product_type_name", "Team", "product_name", "Shop", "engagement_name", "main", "file", generic("SQL:High")}
	if a := s.upload(s.root, "/api/v2/reimport-scan/", form(names...)); a.status != 400 || a.body != `["Product \"Shop\" does not exist in Product_Type \"Team\""]` {
		t.Errorf("without auto_create_context: %d %s", a.status, a.body)
	}
	created := s.upload(s.root, "/api/v2/reimport-scan/", form(append(names, "auto_create_context", "True")...))
	if created.status != 201 || created.get("statistics.before") != nil || created.get("statistics.delta") != nil {
		t.Fatalf("created: %d %s", created.status, created.body)
	}
	again := s.upload(s.root, "/api/v2/reimport-scan/", form(append(names, "auto_create_context", "on")...))
	if again.status != 201 || again.get("test") != created.get("test") || again.get("statistics.delta.untouched.total.total") != 1.0 {
		t.Errorf("again: %d %s", again.status, again.body)
	}
}

func TestImportRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t, withImporter)
	_, engagement, _ := s.product("Shop")
	id := strconv.FormatInt(engagement, 10)
	report := generic("SQL:High")
	tests := []struct {
		name, path string
		parts      []part
		status     int
		body       string // part of it
	}{
		{"no_target", "import-scan", form("scan_type", scan, "file", report), 400, `["Need engagement_id or product_name + engagement_name to perform import"]`},
		{"no_target_again", "reimport-scan", form("scan_type", scan, "file", report), 400, `["Need test_id or product_name + engagement_name + scan_type to perform reimport"]`},
		{"no_engagement", "import-scan", form("scan_type", scan, "engagement", "999", "file", report), 400, `["Engagement \"999\" does not exist"]`},
		{"no_test", "reimport-scan", form("scan_type", scan, "test", "999", "file", report), 400, `["Test \"999\" does not exist"]`},
		{"product_name_missing", "import-scan", form("scan_type", scan, "engagement_name", "x", "file", report), 400, `["product_name parameter missing"]`},
		{"engagement_name_missing", "import-scan", form("scan_type", scan, "product_name", "Shop", "file", report), 400, `["engagement_name parameter missing"]`},
		{"inconsistent", "import-scan", form("scan_type", scan, "engagement", id, "product_name", "Other", "file", report), 400, `inconsistent`},
		{
			"type_conflict", "import-scan", form("scan_type", scan, "product_name", "Shop", "engagement_name", "main", "product_type_name", "Team", "file", report), 400,
			`existing product type name - Research and Development vs supplied product type name - Team`,
		},
		{"no_scan_type", "import-scan", form("engagement", id, "file", report), 400, `"scan_type":["This field is required."]`},
		{"bad_scan_type", "import-scan", form("scan_type", "Nope", "engagement", id, "file", report), 400, `"scan_type":["\"Nope\" is not a valid choice."]`},
		{"no_file", "import-scan", form("scan_type", scan, "engagement", id), 400, `Uploading a Report File is required for Generic Findings Import`},
		{"file_as_text", "import-scan", []part{{"scan_type", scan, ""}, {"engagement", id, ""}, {"file", report, ""}}, 400, `The submitted data was not a file.`},
		{"extension", "import-scan", []part{{"scan_type", scan, ""}, {"engagement", id, ""}, {"file", report, "x.exe"}}, 400, `Unsupported extension.`},
		{"future", "import-scan", form("scan_type", scan, "engagement", id, "scan_date", "2027-01-01", "file", report), 400, `"scan_date":["The scan_date cannot be in the future!"]`},
		{"bad_date", "import-scan", form("scan_type", scan, "engagement", id, "scan_date", "yesterday", "file", report), 400, `Date has wrong format.`},
		{"bad_boolean", "import-scan", form("scan_type", scan, "engagement", id, "active", "maybe", "file", report), 400, `"active":["Must be a valid boolean."]`},
		{"bad_severity", "import-scan", form("scan_type", scan, "engagement", id, "minimum_severity", "high", "file", report), 400, `"minimum_severity":["\"high\" is not a valid choice."]`},
		{"bad_group_by", "import-scan", form("scan_type", scan, "engagement", id, "group_by", "x", "file", report), 400, `"group_by"`},
		{"bad_lead", "import-scan", form("scan_type", scan, "engagement", id, "lead", "77", "file", report), 400, `"lead":["Invalid pk \"77\" - object does not exist."]`},
		{"bad_configuration", "import-scan", form("scan_type", scan, "engagement", id, "api_scan_configuration", "7", "file", report), 400, `"api_scan_configuration"`},
		{"bad_endpoint", "import-scan", form("scan_type", scan, "engagement", id, "endpoint_to_add", "7", "file", report), 400, `"endpoint_to_add"`},
		{"bad_url", "import-scan", form("scan_type", scan, "engagement", id, "source_code_management_uri", "javascript:alert(1)", "file", report), 400, `Enter a valid URL.`},
		{"bad_tag", "import-scan", form("scan_type", scan, "engagement", id, "tags", "a b", "file", report), 400, `Invalid tag`},
		{"no_report", "import-scan", form("scan_type", scan, "engagement", id, "file", `{"findings":[{"ti`), 400, ``},
		{"bad_environment", "import-scan", form("scan_type", scan, "engagement", id, "environment", "Moon", "file", report), 400, `Moon`},
	}
	for _, tt := range tests {
		a := s.upload(s.root, "/api/v2/"+tt.path+"/", tt.parts)
		if a.status != tt.status || !strings.Contains(a.body, tt.body) {
			t.Errorf("%s: %d %s, want %d %s", tt.name, a.status, a.body, tt.status, tt.body)
		}
	}
	if n := s.get("/findings/").get("count"); n != 0.0 {
		t.Errorf("%v findings came of it", n)
	}
	if a := s.send(s.root, "POST", "/api/v2/import-scan/", `{"scan_type":"x"}`); a.status != 415 || a.body != `{"detail":"Unsupported media type \"application/json\" in request."}` {
		t.Errorf("JSON: %d %s", a.status, a.body)
	}
	if a := s.send(s.root, "POST", "/api/v2/import-scan/", "junk", "Content-Type", "multipart/form-data; boundary=x"); a.status != 400 {
		t.Errorf("junk: %d %s", a.status, a.body)
	}
	if a := s.send(s.root, "POST", "/api/v2/import-scan/", "junk", "Content-Type", "multipart/form-data"); a.status != 400 && a.status != 415 {
		t.Errorf("no boundary: %d %s", a.status, a.body)
	}
}

// TestReportStreams looks whether a report is on disk already while the rest of
// it is still to come: it must not be collected in memory.
func TestReportStreams(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := newSite(t, withImporter, func(d *api.Deps) { d.UploadDir = dir })
	_, e, _ := s.product("Shop")
	addr := listen(t, s.app)
	body, content := multipartBody(t, form("scan_type", scan, "engagement", strconv.FormatInt(e, 10), "file", generic("X:Low")+strings.Repeat(" ", 4<<20)))
	r, w := io.Pipe()
	go func() {
		defer w.Close()
		half := len(body) / 2
		_, _ = io.WriteString(w, body[:half])
		for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
			files, _ := os.ReadDir(dir)
			if len(files) == 1 {
				if i, err := files[0].Info(); err == nil && i.Size() > 1<<20 {
					_, _ = io.WriteString(w, body[half:])
					return
				}
			}
		}
		_ = w.CloseWithError(errors.New("half of the report was sent, and is not on disk"))
	}()
	req, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+addr+"/api/v2/import-scan/", r)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", content)
	req.Header.Set("Authorization", "Token "+s.root)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, _ := io.ReadAll(resp.Body); resp.StatusCode != 201 {
		t.Errorf("%d %s", resp.StatusCode, b)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("%d files are left behind", len(left))
	}
}

// TestIdempotencyKey sends a report twice under one key. Another user's key of
// the same name is another one.
func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	s := newSite(t, withImporter)
	_, e, _ := s.product("Shop")
	send := func(token, key, report string) answer {
		body, content := multipartBody(t, form("scan_type", scan, "engagement", strconv.FormatInt(e, 10), "file", report))
		return s.send(token, "POST", "/api/v2/import-scan/", body, "Content-Type", content, "Idempotency-Key", key)
	}
	first := send(s.root, "run 7", generic("SQL:High"))
	again := send(s.root, "run 7", generic("SQL:High"))
	if first.status != 201 || again.status != 201 || again.get("test") != first.get("test") || again.get("replayed") != true || first.get("replayed") != false {
		t.Errorf("first %d, again %d %s", first.status, again.status, again.body)
	}
	if a := send(s.root, "run 7", generic("XSS:High")); a.status != 409 {
		t.Errorf("another report under the same key: %d %s", a.status, a.body)
	}
	other := s.token(s.user(gate.User{Username: "other", IsSuperuser: true}), auth.NewToken{})
	if a := send(other, "run 7", generic("SQL:High")); a.status != 201 || a.get("test") == first.get("test") {
		t.Errorf("another user gets the answer to somebody else's upload: %d %s", a.status, a.body)
	}
	if a := send(s.root, strings.Repeat("k", 300), generic("SQL:High")); a.status != 400 {
		t.Errorf("a key of 300 characters: %d %s", a.status, a.body)
	}
}
