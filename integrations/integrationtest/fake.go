// Package integrationtest makes servers that stand for foreign systems in tests.
// A fake checks every request against the vendor's own OpenAPI description, cut
// down to what is in use, and can be told to fail in all the ways that a network
// and a vendor have.
package integrationtest

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// Fake is a server that stands for a foreign system.
type Fake struct {
	*httptest.Server

	t      testing.TB
	mux    *http.ServeMux
	router routers.Router // nil: requests are not checked

	mu       sync.Mutex
	requests []Request
	faults   []*planned
	after    func(Request)
}

// Request is one that a fake was sent.
type Request struct {
	Method string
	Path   string // without the query
	Query  string
	Header http.Header
	Body   []byte
	Fault  string // what was done to it instead of answering; blank: it was answered
}

// Fault is a way to fail.
type Fault struct {
	Name     string
	Status   int           // answer with this
	Header   http.Header   // and these
	Body     string        // and this
	Reset    bool          // cut the connection
	After    bool          // only after the request had its effect
	Delay    time.Duration // wait first
	Redirect string        // send elsewhere
}

type planned struct {
	method, path string
	left         int
	fault        Fault
}

// New starts a fake. description is OpenAPI 3 in JSON or YAML; nil checks
// nothing. base is the path under which the description's paths are: "/api/v3".
// A request that does not fit fails the test and is answered 400.
func New(t testing.TB, description []byte, base string) *Fake {
	t.Helper()
	f := &Fake{t: t, mux: http.NewServeMux()}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	if description == nil {
		return f
	}
	doc, err := openapi3.NewLoader().LoadFromData(description)
	if err != nil {
		t.Fatal("the description:", err)
	}
	doc.Servers = openapi3.Servers{{URL: f.URL + base}}
	if f.router, err = gorillamux.NewRouter(doc); err != nil {
		t.Fatal("the description:", err)
	}
	return f
}

// Handle answers requests of a pattern of net/http: "GET /repos/{owner}/{repo}".
func (f *Fake) Handle(pattern string, h http.HandlerFunc) { f.mux.HandleFunc(pattern, h) }

// Fail has the next times requests with a method and a path that contains part
// meet a fault. A blank method is any.
func (f *Fake) Fail(method, part string, times int, fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = append(f.faults, &planned{method, part, times, fault})
}

// After has do called when a request has had its effect, before it is answered.
func (f *Fake) After(do func(Request)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.after = do
}

// Heal forgets all faults that are still to come.
func (f *Fake) Heal() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = nil
}

// Requests returns what the fake was sent so far.
func (f *Fake) Requests() []Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.requests)
}

// Count counts the requests with a method and a path that contains part.
func (f *Fake) Count(method, part string) int {
	n := 0
	for _, r := range f.Requests() {
		if (method == "" || r.Method == method) && strings.Contains(r.Path, part) {
			n++
		}
	}
	return n
}

// Forget empties the record of requests.
func (f *Fake) Forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests = nil
}

// ServeHTTP checks a request, meets it with its fault if it has one, and answers it.
func (f *Fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client went away
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	fault := f.meet(r)
	name := ""
	if fault != nil {
		name = fault.name()
	}
	f.mu.Lock()
	f.requests = append(f.requests, Request{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Clone(), body, name})
	after, met := f.after, f.requests[len(f.requests)-1]
	f.mu.Unlock()
	if err := f.check(r); err != nil {
		f.t.Errorf("%s %s does not fit the vendor's description: %v\n%.2000s", r.Method, r.URL, err, body)
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if fault != nil {
		f.fail(w, r, fault)
		return
	}
	if after == nil {
		f.mux.ServeHTTP(w, r)
		return
	}
	answer := httptest.NewRecorder()
	f.mux.ServeHTTP(answer, r)
	after(met)
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// meet returns the fault that is planned for a request.
func (f *Fake) meet(r *http.Request) *Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.faults {
		if p.left > 0 && (p.method == "" || p.method == r.Method) && strings.Contains(r.URL.Path, p.path) {
			p.left--
			return &p.fault
		}
	}
	return nil
}

func (f *Fake) fail(w http.ResponseWriter, r *http.Request, fault *Fault) {
	if fault.Delay > 0 {
		select {
		case <-time.After(fault.Delay):
		case <-r.Context().Done():
			return
		}
	}
	if fault.After {
		f.mux.ServeHTTP(httptest.NewRecorder(), r)
	}
	switch {
	case fault.Reset:
		panic(http.ErrAbortHandler) // the server closes the connection without an answer
	case fault.Redirect != "":
		http.Redirect(w, r, fault.Redirect, http.StatusFound)
	case fault.Status != 0:
		maps.Copy(w.Header(), fault.Header)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(fault.Status)
		_, _ = io.WriteString(w, fault.Body)
	default:
		f.mux.ServeHTTP(w, r)
	}
}

// check returns how a request does not fit the description.
func (f *Fake) check(r *http.Request) error {
	if f.router == nil {
		return nil
	}
	at := r.Clone(context.WithoutCancel(r.Context()))
	at.URL.Scheme, at.URL.Host = "http", r.Host
	route, params, err := f.router.FindRoute(at)
	if err != nil {
		return err
	}
	at.Body = r.Body
	return openapi3filter.ValidateRequest(at.Context(), &openapi3filter.RequestValidationInput{ //nolint:contextcheck // its context is the request's, though the client has gone
		Request: at, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	})
}

func (f Fault) name() string {
	switch {
	case f.Name != "":
		return f.Name
	case f.Reset:
		return "reset"
	case f.Redirect != "":
		return "redirect"
	case f.Status != 0:
		return strconv.Itoa(f.Status)
	}
	return "slow"
}
