package api_test

import (
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate/api"
)

// file parts come as text/plain, octet-stream and others, with whole paths for
// names, and in report.xml there may be JSON.
func TestFileNamesAndTypes(t *testing.T) {
	t.Parallel()
	s := newSite(t, withImporter)
	_, e, _ := s.product("Shop")
	for _, name := range []string{"report.json", "REPORT.JSON", "report.xml", "/tmp/ci/out/report.json", `C:\build\report.json`, "../../etc/report.json", "-", "report", "r€port.txt"} {
		a := s.upload(s.root, "/api/v2/import-scan/", []part{{"scan_type", scan, ""}, {"engagement", strconv.FormatInt(e, 10), ""}, {"file", generic("X:Low"), name}})
		if a.status != 201 {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	var names []string
	rows, err := s.pool.Query(t.Context(), `select distinct filename from test_imports order by 1`)
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var n string
		if err := rows.Scan(&n); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(n, `/\`) {
			t.Errorf("folders are kept: %q", n)
		}
		names = append(names, n)
	}
	if len(names) == 0 {
		t.Error("no file names are kept")
	}
}

// curl sends Expect: 100-continue, others chunks without a length.
func TestExpectAndChunks(t *testing.T) {
	t.Parallel()
	s := newSite(t, withImporter)
	_, e, _ := s.product("Shop")
	addr := listen(t, s.app)
	body, content := multipartBody(t, form("scan_type", scan, "engagement", strconv.FormatInt(e, 10), "file", generic("X:Low")))
	for name, header := range map[string]string{"chunked": "", "expect": "100-continue"} {
		req, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+addr+"/api/v2/import-scan/", struct{ io.Reader }{strings.NewReader(body)})
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", content)
		req.Header.Set("Authorization", "Token "+s.root)
		if header != "" {
			req.Header.Set("Expect", header)
			req.ContentLength = int64(len(body))
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != 201 {
			t.Errorf("%s: %d %s", name, resp.StatusCode, b)
		}
	}
}

func listen(t *testing.T, app *fiber.App) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go app.Listener(l)
	t.Cleanup(func() { _ = app.Shutdown() })
	return l.Addr().String()
}

func TestReportTooLarge(t *testing.T) {
	t.Parallel()
	s := newSite(t, withImporter, func(d *api.Deps) { d.MaxReport = 1 << 20 })
	_, e, _ := s.product("Shop")
	big := strings.Repeat(" ", 3<<20)
	a := s.upload(s.root, "/api/v2/import-scan/", form("scan_type", scan, "engagement", strconv.FormatInt(e, 10), "file", big))
	if a.status != 413 || a.body != `{"message":"Report file is too large. Maximum supported size is 1 MB"}` {
		t.Errorf("%d %s", a.status, a.body)
	}
	little := strings.Repeat(" ", 3<<19)
	a = s.upload(s.root, "/api/v2/import-scan/", form("scan_type", scan, "engagement", strconv.FormatInt(e, 10), "file", little))
	if a.status != 413 {
		t.Errorf("a report over the limit in a body under it: %d %s", a.status, a.body)
	}
}
