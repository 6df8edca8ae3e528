package web

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// bring sends a form with a file.
func (b *browser) bring(address string, fields map[string]string, field, name, content string) response {
	b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	_ = w.WriteField("csrf", b.csrf)
	for k, v := range fields {
		_ = w.WriteField(k, v)
	}
	if name != "" {
		part, err := w.CreateFormFile(field, name)
		if err != nil {
			b.t.Fatal(err)
		}
		_, _ = part.Write([]byte(content))
	}
	if err := w.Close(); err != nil {
		b.t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, address, &body)
	r.Header.Set("Content-Type", w.FormDataContentType())
	return b.do(r)
}

const openVEX = `{"@context": "https://openvex.dev/ns/v0.2.0", "@id": "x", "author": "a", "timestamp": "2026-11-22T00:00:00Z", "version": 1,
	"statements": [{"vulnerability": {"name": "CVE-2026-0099"}, "products": [{"@id": "pkg:npm/a"}], "status": "not_affected", "justification": "component_not_present"}]}`

// TestVEXPages brings a document, has it back, has ours, and deletes it.
func TestVEXPages(t *testing.T) {
	t.Parallel()
	s := shop(t)
	b := s.login(t, "ada")
	if r := b.bring("/vex", map[string]string{"product": "1"}, "document", "", ""); r.code != http.StatusBadRequest || !strings.Contains(r.body, "Choose a file") {
		t.Errorf("no file: %d", r.code)
	}
	if r := b.bring("/vex", map[string]string{"product": "2", "trusted": "1"}, "document", "bad.json", `{"neither": "nor"}`); r.code != http.StatusBadRequest || !strings.Contains(r.body, `class="bad"`) || !strings.Contains(r.body, `value="2" selected`) || !strings.Contains(r.body, "checked") {
		t.Errorf("no VEX document: %d\n%s", r.code, r.body)
	}
	r := b.bring("/vex", map[string]string{"product": "1", "trusted": "1"}, "document", "ours.json", openVEX)
	at := r.header.Get("Location")
	if r.code != http.StatusSeeOther || !strings.HasPrefix(at, "/vex/") {
		t.Fatalf("kept: %d %q\n%s", r.code, at, r.body)
	}
	if r := b.get(at); !strings.Contains(r.body, "CVE-2026-0099") || !strings.Contains(r.body, "No waiver names it") || !strings.Contains(r.body, "holds by itself") {
		t.Errorf("%d\n%s", r.code, r.body)
	}
	if r := b.get(at + "/document"); r.body != openVEX || !strings.Contains(r.header.Get("Content-Disposition"), "ours.json") {
		t.Errorf("the document: %d %q", r.code, r.body)
	}
	for form, want := range map[string]string{"openvex": "openvex.dev", "cyclonedx": "CycloneDX"} {
		if r := b.get("/products/2/vex?format=" + form); r.code != 200 || !strings.Contains(r.body, want) {
			t.Errorf("ours as %s: %d\n%s", form, r.code, r.body)
		}
	}
	noor := s.login(t, "noor")
	if r := noor.bring("/vex", map[string]string{"product": "1"}, "document", "ours.json", openVEX); r.code != http.StatusNotFound {
		t.Errorf("noor brings a document of a product that she does not see: %d", r.code)
	}
	for _, address := range []string{at, at + "/document", "/products/1/vex"} {
		if r := noor.get(address); r.code != http.StatusNotFound {
			t.Errorf("noor gets %s: %d", address, r.code)
		}
	}
	if r := noor.post(at+"/delete", url.Values{}); r.code != http.StatusNotFound {
		t.Errorf("noor deletes it: %d", r.code)
	}
	if r := b.post(at+"/delete", url.Values{}); r.code != http.StatusSeeOther {
		t.Errorf("deleted: %d", r.code)
	}
	var audited int
	if err := s.db.QueryRow(t.Context(), `select count(*) from audit_events where object = 'vex_document'`).Scan(&audited); err != nil || audited != 2 {
		t.Errorf("%d entries in the history, %v", audited, err)
	}
}

// TestSigningKeyPages signs, makes a new key, and withdraws the old one.
func TestSigningKeyPages(t *testing.T) {
	t.Parallel()
	s := shop(t)
	b, noor := s.login(t, "ada"), s.login(t, "noor")
	if r := b.get("/verdicts/1/report?format=intoto"); r.code != 200 {
		t.Fatalf("the statement: %d\n%s", r.code, r.body)
	}
	if r := b.get("/signing-keys/1"); !strings.Contains(r.body, `href="/verdicts/1"`) {
		t.Errorf("what it signed is not told: %d\n%s", r.code, r.body)
	}
	if r := noor.get("/signing-keys/1"); r.code != 200 || strings.Contains(r.body, "/verdicts/1") {
		t.Errorf("noor sees what was signed of others: %d", r.code)
	}
	for _, address := range []string{"/signing-keys/rotate", "/signing-keys/1/withdraw"} {
		if r := noor.post(address, url.Values{}); r.code != http.StatusForbidden {
			t.Errorf("noor: POST %s = %d", address, r.code)
		}
	}
	if r := b.post("/signing-keys/1/withdraw", url.Values{}); r.code != http.StatusConflict {
		t.Errorf("the key that signs is withdrawn: %d", r.code)
	}
	old := b.get("/signing-keys/1/public.pem").body
	if r := b.post("/signing-keys/rotate", url.Values{}); r.code != http.StatusSeeOther {
		t.Fatalf("a new key: %d", r.code)
	}
	if r := b.get("/signing-keys.pem"); strings.Count(r.body, "BEGIN PUBLIC KEY") != 2 || !strings.Contains(r.body, old) {
		t.Errorf("the file of keys: %s", r.body)
	}
	if r := b.post("/signing-keys/1/withdraw", url.Values{}); r.code != http.StatusSeeOther {
		t.Errorf("withdrawn: %d", r.code)
	}
	if r := b.get("/signing-keys.pem"); strings.Count(r.body, "BEGIN PUBLIC KEY") != 1 || strings.Contains(r.body, old) {
		t.Errorf("a withdrawn key is still handed out: %s", r.body)
	}
	if r := b.get("/signing-keys"); !strings.Contains(r.body, "withdrawn") {
		t.Errorf("the list does not tell it:\n%s", r.body)
	}
	var audited int
	if err := s.db.QueryRow(t.Context(), `select count(*) from audit_events where object = 'signing_key'`).Scan(&audited); err != nil || audited != 2 {
		t.Errorf("%d entries in the history, %v", audited, err)
	}
}
