package integrationtest

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const description = `
openapi: 3.0.3
info: {title: t, version: "1"}
paths:
  /things/{id}:
    post:
      parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
      requestBody:
        required: true
        content:
          application/json:
            schema: {type: object, required: [name], properties: {name: {type: string}, state: {type: string, enum: [open, closed]}}}
      responses: {default: {description: ""}}
`

// quiet records failures instead of failing.
type quiet struct {
	testing.TB
	failed []string
}

func (q *quiet) Errorf(format string, _ ...any) { q.failed = append(q.failed, format) }

func TestFakeChecks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		path, body string
		want       int
	}{
		"fits":            {"/base/things/1", `{"name":"a","state":"open"}`, http.StatusNoContent},
		"no name":         {"/base/things/1", `{}`, http.StatusBadRequest},
		"wrong type":      {"/base/things/1", `{"name":1}`, http.StatusBadRequest},
		"wrong enum":      {"/base/things/1", `{"name":"a","state":"ajar"}`, http.StatusBadRequest},
		"wrong path":      {"/base/other", `{"name":"a"}`, http.StatusBadRequest},
		"id is no number": {"/base/things/x", `{"name":"a"}`, http.StatusBadRequest},
	} {
		q := &quiet{TB: t}
		f := New(q, []byte(description), "/base")
		f.Handle("POST /base/things/{id}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
		if got := post(t, f.URL+c.path, c.body); got != c.want || (len(q.failed) > 0) != (c.want == http.StatusBadRequest) {
			t.Errorf("%s: %d, test failures %d", name, got, len(q.failed))
		}
	}
}

func TestFakeFails(t *testing.T) {
	t.Parallel()
	f := New(t, nil, "")
	var done atomic.Int32
	f.Handle("POST /x", func(w http.ResponseWriter, _ *http.Request) { done.Add(1); w.WriteHeader(http.StatusNoContent) })
	for _, fault := range Faults(time.Now()) {
		f.Fail("POST", "/x", 1, fault.Fault)
		before := done.Load()
		got := post(t, f.URL+"/x", "{}")
		if fault.Reset && got != 0 || !fault.Reset && got != fault.Status || (done.Load() > before) != fault.After {
			t.Errorf("%s: %d, done %v", fault.Name, got, done.Load() > before)
		}
	}
	if got := post(t, f.URL+"/x", "{}"); got != http.StatusNoContent || f.Count("POST", "/x") != len(Faults(time.Now()))+1 {
		t.Errorf("healed: %d after %d requests", got, f.Count("", "/x"))
	}
}

func post(t *testing.T, url, body string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}
