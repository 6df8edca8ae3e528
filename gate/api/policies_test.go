package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

// source is the text of a policy as JSON.
func source(name, spec string) string {
	return fmt.Sprintf(`{"source":%q}`, "metadata: {name: "+name+"}\nspec:\n  "+strings.ReplaceAll(spec, "\n", "\n  ")+"\n")
}

const noCritical = "rules: [{id: no-critical, select: {severity: critical}, max: 0}]"

func TestPolicies(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	made := s.must(201, "POST", "/api/v2/policies/", source("org", noCritical))
	id := made.id()
	if made.get("version") != 1.0 || made.get("name") != "org" || made.get("product") != nil || made.get("author") != "root" || made.get("enabled") != true {
		t.Errorf("%s", made.body)
	}
	path := fmt.Sprintf("/api/v2/policies/%d/", id)
	loose := strings.Replace(source("org", noCritical), "max: 0", "max: 5", 1)
	edited := s.must(200, "PUT", path, strings.Replace(loose, "{", `{"version":1,"comment":"too strict",`, 1))
	if edited.get("version") != 2.0 || edited.get("comment") != "too strict" {
		t.Errorf("%s", edited.body)
	}
	if a := s.send(s.root, "PUT", path, strings.Replace(loose, "{", `{"version":1,`, 1)); a.status != 409 || !strings.Contains(a.body, "it is at version 2, by root") {
		t.Errorf("an edit of an old version: %d %s", a.status, a.body)
	}
	if again := s.must(200, "PUT", path, loose); again.get("version") != 2.0 {
		t.Errorf("the same text is a new version: %s", again.body)
	}
	if a := s.send(s.root, "PUT", path, source("other", noCritical)); a.status != 400 || !strings.Contains(a.body, "keeps its name") {
		t.Errorf("another name: %d %s", a.status, a.body)
	}
	if a := s.send(s.root, "POST", "/api/v2/policies/", source("org", noCritical)); a.status != 409 {
		t.Errorf("a name that is taken: %d %s", a.status, a.body)
	}
	if off := s.must(200, "PATCH", path, `{"enabled":false}`); off.get("enabled") != false || off.get("version") != 2.0 {
		t.Errorf("%s", off.body)
	}
	versions := s.must(200, "GET", path+"versions/", "")
	if versions.get("count") != 2.0 || versions.get("results.0.version") != 2.0 || !strings.Contains(versions.get("results.1.source").(string), "max: 0") {
		t.Errorf("%s", versions.body)
	}
	s.must(204, "DELETE", path, "")
	s.must(404, "GET", path, "")
	if back := s.must(201, "POST", "/api/v2/policies/", source("org", noCritical)); back.get("version") != 3.0 {
		t.Errorf("a policy that was deleted comes back without its versions: %s", back.body)
	}
	events, err := s.store.AuditEvents(t.Context(), "policy", id, 20)
	if err != nil {
		t.Fatal(err)
	}
	var did []string
	for _, e := range events {
		did = append(did, e.Actor+" "+e.Action)
	}
	for i, d := range did {
		_, did[i], _ = strings.Cut(d, " ")
	}
	if diff := cmp.Diff([]string{"add", "delete", "edit", "edit", "add"}, did); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
}

// TestPolicyProblems: what is wrong with a policy is told with its place.
func TestPolicyProblems(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	bad := `{"source":"rules:\n  - {id: a, select: {severty: critical}}\n"}`
	for _, path := range []string{"/api/v2/policies/", "/api/v2/policies/backtest/"} {
		if a := s.send(s.root, "POST", path, bad); a.status != 400 || a.get("problems.0.line") != 2.0 || !strings.Contains(a.body, "severty") {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	lint := s.must(200, "POST", "/api/v2/policies/lint/", bad)
	if lint.get("valid") != false || lint.get("errors.0.line") != 2.0 || lint.get("errors.0.column") == 1.0 {
		t.Errorf("%s", lint.body)
	}
	lint = s.must(200, "POST", "/api/v2/policies/lint/", `{"source":"require: [{id: a, any_of: [semgrap]}]\nrules:\n  - {id: a, when: f.epss > 0.5}\n"}`)
	if lint.get("valid") != true || !strings.Contains(lint.body, `did you mean \"semgrep\"`) || !strings.Contains(lint.body, "does not say what happens where") {
		t.Errorf("%s", lint.body)
	}
	for _, body := range []string{`{}`, `{"source":""}`, `{"source":"metadata: {name: \"../x\"}\nspec: {rules: [{id: a}]}"}`, `{"source":"` + strings.Repeat("#", 300<<10) + `"}`} {
		if a := s.send(s.root, "POST", "/api/v2/policies/", body); a.status != 400 {
			t.Errorf("%.80s: %d %s", body, a.status, a.body)
		}
	}
	presets := s.must(200, "GET", "/api/v2/policies/presets/", "")
	if presets.get("results.0.name") != "default" || presets.get("count").(float64) < 6 {
		t.Errorf("%.200s", presets.body)
	}
	for i := range int(presets.get("count").(float64)) {
		text := presets.get(fmt.Sprintf("results.%d.source", i)).(string)
		if l := s.must(200, "POST", "/api/v2/policies/lint/", fmt.Sprintf(`{"source":%q}`, text)); l.get("valid") != true {
			t.Errorf("%s", l.body)
		}
	}
}

// TestGlobalPolicies: policies for every product are those of who may write
// policies everywhere; all see them.
func TestGlobalPolicies(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	product, _, _ := s.product("Shop")
	maintainer, owner := gate.Maintainer, gate.Owner
	local := s.user(gate.User{Username: "local"})
	if _, err := s.store.AddMember(t.Context(), store.Member{UserID: &local.ID, ProductID: &product, Role: owner}); err != nil {
		t.Fatal(err)
	}
	global := s.token(s.user(gate.User{Username: "global", GlobalRole: &maintainer}), auth.NewToken{})
	limited := s.token(s.user(gate.User{Username: "limited", GlobalRole: &maintainer}), auth.NewToken{ProductIDs: []int64{product}})
	localToken := s.token(local, auth.NewToken{})
	if a := s.send(localToken, "POST", "/api/v2/policies/", source("mine", noCritical)); a.status != 403 {
		t.Errorf("an owner of one product makes a policy for all: %d %s", a.status, a.body)
	}
	if a := s.send(limited, "POST", "/api/v2/policies/", source("mine", noCritical)); a.status != 403 {
		t.Errorf("a token for one product makes a policy for all: %d %s", a.status, a.body)
	}
	a := s.send(global, "POST", "/api/v2/policies/", source("org", noCritical))
	if a.status != 201 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	path := fmt.Sprintf("/api/v2/policies/%d/", a.id())
	for _, method := range []string{"PUT", "PATCH", "DELETE"} {
		if a := s.send(localToken, method, path, source("org", noCritical)); a.status != 403 {
			t.Errorf("%s by an owner of one product: %d %s", method, a.status, a.body)
		}
	}
	if a := s.send(localToken, "GET", path, ""); a.status != 200 {
		t.Errorf("who is judged by a policy may not read it: %d", a.status)
	}
}

// TestPolicyJudges: what is on the server judges, from the moment it is there.
func TestPolicyJudges(t *testing.T) {
	t.Parallel()
	s := newSite(t, withImporter)
	product, engagement, test := s.product("Shop")
	other, _, _ := s.product("Other")
	s.finding(test, "Old", "High", "")
	judge := func(more string) (string, string) {
		t.Helper()
		a := s.must(201, "POST", "/api/v2/verdicts/", fmt.Sprintf(`{"engagement":%d%s}`, engagement, more))
		names := ""
		for i := 0; a.get(fmt.Sprintf("verdict.policies.%d.name", i)) != nil; i++ {
			names += fmt.Sprint(a.get(fmt.Sprintf("verdict.policies.%d.name", i)), " ")
		}
		return a.get("verdict.overall").(string), strings.TrimSpace(names)
	}
	expect := func(what, more, overall, names string) {
		t.Helper()
		if o, n := judge(more); o != overall || n != names {
			t.Errorf("%s: %s by %q, want %s by %q", what, o, n, overall, names)
		}
	}
	expect("without a policy", "", "pass", "default")
	s.must(201, "POST", "/api/v2/policies/", strings.Replace(source("elsewhere", "rules: [{id: none, max: 0}]"), "{", fmt.Sprintf(`{"product":%d,`, other), 1))
	expect("another product's policy", "", "pass", "default")
	org := s.must(201, "POST", "/api/v2/policies/", source("org", noCritical)).id()
	expect("the organisation's", "", "pass", "org")
	expect("a repository tightens", `,"policies":[{"name":"gate.yaml","text":"rules: [{id: no-high, select: {severity: high}, max: 0}]"}]`, "fail", "org gate")
	own := s.must(201, "POST", "/api/v2/policies/", strings.Replace(source("own", "rules: [{id: no-high, select: {severity: high}, max: 0}]"), "{", fmt.Sprintf(`{"product":%d,`, product), 1)).id()
	expect("the product's own", "", "fail", "org own")
	expect("a repository cannot loosen", `,"policies":[{"name":"gate.yaml","text":"rules: [{id: anything, max: 100000}]"}]`, "fail", "org own gate")
	s.must(200, "PATCH", fmt.Sprintf("/api/v2/policies/%d/", own), `{"enabled":false}`)
	expect("switched off", "", "pass", "org")
	s.must(204, "DELETE", fmt.Sprintf("/api/v2/policies/%d/", org), "")
	expect("deleted", "", "pass", "default")
}
