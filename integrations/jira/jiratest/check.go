package jiratest

import (
	"bytes"
	_ "embed"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// openapi.json is Atlassian's description of Cloud's REST API v2 (December
// 2025), cut down to the requests that we make.
//
//go:embed openapi.json
var description []byte

var router = sync.OnceValues(func() (routers.Router, error) {
	doc, err := openapi3.NewLoader().LoadFromData(description)
	if err != nil {
		return nil, err
	}
	doc.Servers = nil
	return gorillamux.NewRouter(doc)
})

// check tells what is wrong with a request.
func check(r *http.Request, body []byte) string {
	routes, err := router()
	if err != nil {
		return err.Error()
	}
	asked := r.Clone(r.Context())
	asked.Body = io.NopCloser(bytes.NewReader(body))
	route, params, err := routes.FindRoute(asked)
	if err != nil {
		return err.Error()
	}
	in := &openapi3filter.RequestValidationInput{Request: asked, PathParams: params, Route: route, Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		in.Options.ExcludeRequestBody = true // it describes a Java class
	}
	if err := openapi3filter.ValidateRequest(r.Context(), in); err != nil {
		return err.Error()
	}
	return ""
}
