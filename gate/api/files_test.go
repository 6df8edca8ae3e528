package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFiles puts files to a finding, a test and an engagement, and gets them
// back: as something to keep, whatever they hold.
func TestFiles(t *testing.T) {
	t.Parallel()
	s := newSite(t, withImporter)
	_, e, test := s.product("Shop")
	f, other := s.finding(test, "SQL", "High", ""), s.finding(test, "XSS", "High", "")
	page := "<script>alert(1)</script>"
	for kind, of := range map[string]struct {
		id    int64
		field string
	}{"findings": {f, "finding_id"}, "tests": {test, "test_id"}, "engagements": {e, "engagement_id"}} {
		path := fmt.Sprintf("/api/v2/%s/%d/files/", kind, of.id)
		a := s.upload(s.root, path, []part{{"title", "proof", ""}, {"file", page, "../../é;.html"}})
		if a.status != 201 || a.get("title") != "proof" || a.id() == 0 {
			t.Fatalf("%s: %d %s", kind, a.status, a.body)
		}
		list := s.must(200, "GET", path, "")
		if list.get(of.field) != float64(of.id) || list.get("files.0.title") != "proof" || list.get("files.1") != nil {
			t.Errorf("%s: %s", kind, list.body)
		}
		if one := s.get(fmt.Sprintf("/%s/%d/", kind, of.id)); one.get("files.0.id") != float64(a.id()) {
			t.Errorf("%s: %s", kind, one.body)
		}
		down := s.must(200, "GET", fmt.Sprintf("%sdownload/%d/", path, a.id()), "", "Accept", "text/html")
		if down.body != page {
			t.Errorf("%s: %q", kind, down.body)
		}
		want := map[string]string{
			"Content-Type": "application/octet-stream", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox",
			"Content-Disposition": down.header.Get("Content-Disposition"),
		}
		got := map[string]string{}
		for name := range want {
			got[name] = down.header.Get(name)
		}
		if diff := cmp.Diff(want, got); diff != "" || !strings.HasPrefix(got["Content-Disposition"], "attachment; filename*=UTF-8''") || strings.ContainsAny(got["Content-Disposition"], "/\\\"") {
			t.Errorf("%s: %v %s", kind, got, diff)
		}
		if kind == "findings" {
			s.must(404, "GET", fmt.Sprintf("/api/v2/findings/%d/files/download/%d/", other, a.id()), "") // a file of another finding
		}
		for name, parts := range map[string][]part{"title": {{"file", "x", "x.txt"}}, "file": {{"title", "x", ""}}} {
			if a := s.upload(s.root, path, parts); a.status != 400 || a.get(name) == nil {
				t.Errorf("%s without %s: %d %s", kind, name, a.status, a.body)
			}
		}
		s.must(415, "POST", path, `{"title":"x"}`)
	}
}
