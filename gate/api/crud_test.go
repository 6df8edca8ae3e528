package api_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"defectdojo/gate"
	"defectdojo/gate/auth"
)

// TestValidation sends what is wrong and looks at the words: some clients match them.
func TestValidation(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p, e, test := s.product("Shop")
	tests := []struct {
		name, method, path, body, field, message string
	}{
		{"required", "POST", "/products/", `{}`, "name", "This field is required."},
		{"description", "POST", "/products/", `{"name":"x","prod_type":1}`, "description", "This field is required."}, // dd-uploader gets this
		{"blank", "POST", "/products/", `{"name":"  ","description":"d","prod_type":1}`, "name", "This field may not be blank."},
		{"null", "POST", "/products/", `{"name":null,"description":"d","prod_type":1}`, "name", "This field may not be null."},
		{"no_text", "POST", "/products/", `{"name":["x"],"description":"d","prod_type":1}`, "name", "Not a valid string."},
		{"too_long", "POST", "/products/", `{"name":"` + strings.Repeat("x", 256) + `","description":"d","prod_type":1}`, "name", "Ensure this field has no more than 255 characters."},
		{"nul", "POST", "/products/", `{"name":"a\u0000b","description":"d","prod_type":1}`, "name", "Null characters are not allowed."},
		{"no_pk", "POST", "/products/", `{"name":"x","description":"d","prod_type":9}`, "prod_type", `Invalid pk "9" - object does not exist.`},
		{"bad_pk", "POST", "/products/", `{"name":"x","description":"d","prod_type":"x"}`, "prod_type", "Incorrect type. Expected pk value, received str."},
		{"bool_pk", "POST", "/products/", `{"name":"x","description":"d","prod_type":true}`, "prod_type", "Incorrect type. Expected pk value, received bool."},
		{"taken", "POST", "/products/", `{"name":"Shop","description":"d","prod_type":1}`, "name", "product with this name already exists."},
		{"taken_type", "POST", "/product_types/", `{"name":"Research and Development"}`, "name", "product type with this name already exists."},
		{"choice", "POST", "/products/", `{"name":"x","description":"d","prod_type":1,"lifecycle":"dead"}`, "lifecycle", `"dead" is not a valid choice.`},
		{"money", "POST", "/products/", `{"name":"x","description":"d","prod_type":1,"revenue":"-1"}`, "revenue", "A valid number is required."},
		{"number", "PATCH", fmt.Sprintf("/products/%d/", p), `{"user_records":"many"}`, "user_records", "A valid integer is required."},
		{"number_range", "PATCH", fmt.Sprintf("/products/%d/", p), `{"user_records":-1}`, "user_records", "Ensure this value is greater than or equal to 0."},
		{"put_needs_all", "PUT", fmt.Sprintf("/products/%d/", p), `{"name":"Shop"}`, "description", "This field is required."},
		{"list", "PATCH", fmt.Sprintf("/products/%d/", p), `{"regulations":"x"}`, "regulations", `Expected a list of items but got type "str".`},
		{"not_a_dictionary", "POST", "/products/", `[1]`, "non_field_errors", "Invalid data. Expected a dictionary, but got list."},
		{"status", "PATCH", fmt.Sprintf("/engagements/%d/", e), `{"status":"Done"}`, "status", `"Done" is not a valid choice.`},
		{"status_blank", "PATCH", fmt.Sprintf("/engagements/%d/", e), `{"status":""}`, "status", `"" is not a valid choice.`},
		{"moves", "PATCH", fmt.Sprintf("/engagements/%d/", e), `{"product":999}`, "product", `Invalid pk "999" - object does not exist.`},
		{"uri", "PATCH", fmt.Sprintf("/engagements/%d/", e), `{"source_code_management_uri":"javascript:alert(1)"}`, "source_code_management_uri", "Enter a valid URL."},
		{
			"severity", "POST", "/findings/", fmt.Sprintf(`{"test":%d,"title":"x","severity":"high","description":"d","active":true,"verified":false,"found_by":[]}`, test), "severity",
			"Severity must be one of the following: ['Info', 'Low', 'Medium', 'High', 'Critical']",
		},
		{"found_by", "POST", "/findings/", fmt.Sprintf(`{"test":%d,"title":"x","severity":"High","description":"d","active":true,"verified":false}`, test), "found_by", "This field is required."},
		{"active", "POST", "/findings/", fmt.Sprintf(`{"test":%d,"title":"x","severity":"High","description":"d","found_by":[]}`, test), "active", "This field is required."},
		{
			"duplicate", "POST", "/findings/", fmt.Sprintf(`{"test":%d,"title":"x","severity":"High","description":"d","active":true,"verified":false,"found_by":[],"duplicate":true}`, test),
			"non_field_errors", "Duplicate findings cannot be verified or active",
		},
		{
			"false_positive", "POST", "/findings/", fmt.Sprintf(`{"test":%d,"title":"x","severity":"High","description":"d","active":false,"verified":true,"found_by":[],"false_p":true}`, test),
			"non_field_errors", "False positive findings cannot be verified.",
		},
		{
			"risk", "POST", "/findings/", fmt.Sprintf(`{"test":%d,"title":"x","severity":"High","description":"d","active":false,"verified":false,"found_by":[],"risk_accepted":true}`, test),
			"non_field_errors", "Simple risk acceptance is disabled for this product, use the UI to accept this finding.",
		},
		{
			"score", "POST", "/findings/", fmt.Sprintf(`{"test":%d,"title":"x","severity":"High","description":"d","active":true,"verified":false,"found_by":[],"cvssv3_score":11}`, test),
			"cvssv3_score", "Ensure this value is less than or equal to 10.",
		},
		{
			"cwe", "POST", "/findings/", fmt.Sprintf(`{"test":%d,"title":"x","severity":"High","description":"d","active":true,"verified":false,"found_by":[],"cwes":["x"]}`, test),
			"cwes", "Enter a CWE number, e.g. 89 or CWE-89.",
		},
		{"order", "GET", "/findings/?o=password", "", "o", "Select a valid choice. password is not one of the available choices."},
		{"span", "GET", "/findings/?date=9", "", "date", "Select a valid choice. 9 is not one of the available choices."},
		{"day", "GET", "/findings/?discovered_on=x", "", "discovered_on", "Enter a valid date."},
		{"filter_choice", "GET", "/engagements/?status=Done", "", "status", "Select a valid choice. Done is not one of the available choices."},
		{"product_choice", "GET", "/products/?lifecycle=production&lifecycle=dead", "", "lifecycle", "Select a valid choice. dead is not one of the available choices."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := s.send(s.root, tt.method, "/api/v2"+tt.path, tt.body)
			message, _ := a.get("message").(string)
			if a.status != 400 || a.get(tt.field+".0") != tt.message || message == "" {
				t.Errorf("%d %s\nwant %s: %s", a.status, a.body, tt.field, tt.message)
			}
		})
	}
	if a := s.send(s.root, "POST", "/api/v2/products/", `{"name":`); a.status != 400 || a.body != `{"message":"JSON request content is malformed"}` {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := s.send(s.root, "GET", "/api/v2/products/", "", "Accept", "text/html"); a.status != 406 || a.body != `{"detail":"Could not satisfy the request Accept header."}` {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := s.send(s.root, "POST", "/api/v2/products/", "x", "Content-Type", "text/plain"); a.status != 415 {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := s.get("/findings/999/"); a.status != 404 || a.body != `{"detail":"No Finding matches the given query."}` {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := s.get("/product_types/x/"); a.status != 404 || a.body != `{"detail":"No Product_Type matches the given query."}` {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := s.send(s.root, "POST", "/api/v2/products/", `{"name":"`+strings.Repeat("x", 2<<20)+`"}`); a.status != 413 {
		t.Errorf("two megabytes: %d", a.status)
	}
}

func TestProductLifecycle(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a := s.must(201, "POST", "/api/v2/products/", `{"name":"Shop","description":"d","prod_type":1,"tags":["Web","pci"],"platform":"web","revenue":"10.5","user_records":"1000",
		"external_audience":"True","business_criticality":"very high","enable_simple_risk_acceptance":true,"team_manager":1,"regulations":[]}`)
	path := fmt.Sprintf("/api/v2/products/%d/", a.id())
	for field, want := range map[string]any{
		"name": "Shop", "tags": []any{"web", "pci"}, "platform": "web", "revenue": "10.50", "user_records": 1000.0, "external_audience": true,
		"business_criticality": "very high", "enable_full_risk_acceptance": true, "team_manager": 1.0, "lifecycle": nil, "sla_configuration": 1.0,
	} {
		if diff := cmp.Diff(want, a.get(field)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", field, diff)
		}
	}
	if a := s.must(200, "PATCH", path, `{"lifecycle":"production","team_manager":null,"tags":"a,b"}`); a.get("lifecycle") != "production" || a.get("team_manager") != nil || a.get("tags.1") != "b" || a.get("platform") != "web" {
		t.Errorf("patch: %s", a.body)
	}
	if a := s.must(200, "PUT", path, `{"name":"Shop 2","description":"e","prod_type":1}`); a.get("name") != "Shop 2" || a.get("platform") != "web" || a.get("tags.0") != "a" {
		t.Errorf("put keeps what is not said: %s", a.body)
	}
	if a := s.must(200, "PATCH", path, `{"platform":"","tags":[]}`); a.get("platform") != nil || len(a.get("tags").([]any)) != 0 {
		t.Errorf("cleared: %s", a.body)
	}
	s.must(204, "DELETE", path, "")
	s.must(404, "GET", path, "")
}

func TestDeleteProduct(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p, e, test := s.product("Shop")
	s.finding(test, "SQL", "High", "")
	owner := s.user(gate.User{Username: "owner", GlobalRole: new(gate.Owner)})
	if a := s.send(s.token(owner, auth.NewToken{}), "DELETE", fmt.Sprintf("/api/v2/products/%d/", p), ""); a.status != 204 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	s.must(404, "GET", fmt.Sprintf("/api/v2/engagements/%d/", e), "")
	if n := s.get("/findings/").get("count"); n != 0.0 {
		t.Errorf("%v findings of no product", n)
	}
	s.must(204, "DELETE", "/api/v2/product_types/1/", "")
}

// TestForms sends what JSON carries as forms, with their own ways to write lists.
func TestForms(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const urlencoded = "application/x-www-form-urlencoded"
	for name, tt := range map[string]struct {
		body string
		want []any
	}{
		"repeated": {"tags=a&tags=b", []any{"a", "b"}},
		"indexed":  {"tags[0]=a&tags[1]=b", []any{"a", "b"}},
		"json":     {`tags=["a","b"]`, []any{"a", "b"}},
		"comma":    {"tags=a,b", []any{"a", "b"}},
		"cleared":  {"tags=", []any{}},
		"none":     {"", []any{}},
		"quoted":   {`tags="a",b`, []any{"a", "b"}},
		"twice":    {"tags=a,A,b", []any{"a", "b"}},
	} {
		a := s.must(201, "POST", "/api/v2/products/", "name="+name+"&description=d&prod_type=1&"+strings.NewReplacer("[", "%5B", "]", "%5D", `"`, "%22").Replace(tt.body), "Content-Type", urlencoded)
		if diff := cmp.Diff(tt.want, a.get("tags")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if a.get("enable_full_risk_acceptance") != false { // a box that is not ticked
			t.Errorf("%s: %s", name, a.body)
		}
	}
	if a := s.must(400, "POST", "/api/v2/products/", "name=x&description=d&prod_type=1&tags=a%20b", "Content-Type", urlencoded); !strings.Contains(a.body, "Invalid tag: 'a b'") {
		t.Error(a.body)
	}
}

func TestPrefetch(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p, e, test := s.product("Shop")
	f := s.finding(test, "SQL", "High", "")
	a := s.get("/findings/?prefetch=test,reporter,nonsense&prefetch=found_by")
	if a.get(fmt.Sprintf("prefetch.test.%d.engagement", test)) != float64(e) || a.get("prefetch.reporter.1.username") != "root" || a.get("prefetch.found_by.5.name") == nil || a.get("prefetch.nonsense") != nil {
		t.Errorf("list: %s", a.body)
	}
	if a := s.get(fmt.Sprintf("/findings/%d/?prefetch=test", f)); a.get("title") != "SQL" || a.get(fmt.Sprintf("prefetch.test.%d.id", test)) != float64(test) {
		t.Errorf("item: %s", a.body)
	}
	if a := s.get(fmt.Sprintf("/products/%d/?prefetch=prod_type", p)); a.get("prefetch.prod_type.1.name") != "Research and Development" {
		t.Errorf("product: %s", a.body)
	}
	if a := s.get("/findings/?related_fields=true"); a.get("results.0.related_fields.test.engagement.product.name") != "Shop" || a.get("results.0.related_fields.test.engagement.product.prod_type.id") != 1.0 {
		t.Errorf("related_fields: %s", a.body)
	}
	if a := s.get("/findings/?related_fields=1"); a.get("results.0.related_fields") != nil {
		t.Errorf("related_fields=1: %s", a.body)
	}
}

// TestChangesAtOnce patches one product from many sides: no change gets lost,
// and nobody waits for ever.
func TestChangesAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p, e, test := s.product("Shop")
	f := s.finding(test, "SQL", "High", "")
	addr := listen(t, newApp(s.deps))
	fields := []string{"external_audience", "internet_accessible", "enable_simple_risk_acceptance", "disable_sla_breach_notifications"}
	var wg sync.WaitGroup
	patch := func(path, body string) {
		wg.Go(func() {
			for range 20 { // 409 says: again
				status, answer := call(t, s.root, "PATCH", "http://"+addr+"/api/v2"+path, body)
				if status == 200 {
					return
				}
				if status != 409 {
					t.Errorf("PATCH %s %s = %d %s", path, body, status, answer)
					return
				}
			}
			t.Errorf("PATCH %s %s never gets through", path, body)
		})
	}
	for _, name := range fields {
		patch(fmt.Sprintf("/products/%d/", p), fmt.Sprintf(`{%q:true}`, name))
	}
	for i := range 12 { // more than there are connections to the database
		patch(fmt.Sprintf("/engagements/%d/", e), fmt.Sprintf(`{"version":"%d","lead":1}`, i))
	}
	for _, name := range []string{"impact", "mitigation", "references", "steps_to_reproduce"} {
		patch(fmt.Sprintf("/findings/%d/", f), fmt.Sprintf(`{%q:"x","reporter":1}`, name))
	}
	wg.Wait()
	a := s.get(fmt.Sprintf("/products/%d/", p))
	for _, name := range fields {
		if a.get(name) != true {
			t.Errorf("the change of %s was lost", name)
		}
	}
	a = s.get(fmt.Sprintf("/findings/%d/", f))
	for _, name := range []string{"impact", "mitigation", "references", "steps_to_reproduce"} {
		if a.get(name) != "x" {
			t.Errorf("the change of %s was lost", name)
		}
	}
}

func TestTokenAuth(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const urlencoded = "application/x-www-form-urlencoded"
	multi, content := multipartBody(t, []part{{"username", "root", ""}, {"password", password, ""}})
	for name, send := range map[string][2]string{
		"json": {fmt.Sprintf(`{"username":"root","password":%q}`, password), "application/json"},
		"form": {"username=root&password=" + strings.ReplaceAll(password, " ", "+"), urlencoded}, "multipart": {multi, content},
	} {
		a := s.send("", "POST", "/api/v2/api-token-auth/", send[0], "Content-Type", send[1])
		token, _ := a.get("token").(string)
		if a.status != 200 || len(token) != 77 {
			t.Fatalf("%s: %d %s", name, a.status, a.body)
		}
		if a := s.send(token, "GET", "/api/v2/user_profile/", ""); a.status != 200 || a.get("user.username") != "root" {
			t.Errorf("%s: the token is not good: %d %s", name, a.status, a.body)
		}
	}
	wrong := s.send("", "POST", "/api/v2/api-token-auth/", `{"username":"root","password":"wrong"}`)
	if wrong.status != 400 || wrong.get("non_field_errors.0") != "Unable to log in with provided credentials." {
		t.Errorf("%d %s", wrong.status, wrong.body)
	}
	if a := s.send("", "POST", "/api/v2/api-token-auth/", `{}`); a.status != 400 || a.get("username.0") != "This field is required." || a.get("password.0") != "This field is required." {
		t.Errorf("%d %s", a.status, a.body)
	}
	limited := 0
	for range 20 {
		if a := s.send("", "POST", "/api/v2/api-token-auth/", `{"username":"root","password":"wrong"}`); a.status == 429 && a.header.Get("Retry-After") != "" {
			limited++
		}
	}
	if limited != 16 { // one wrong one before, and five are let through
		t.Errorf("%d of 20 more guesses are refused, want 16", limited)
	}
}
