package api

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
)

// maxBody is the largest body of a request that uploads no report.
const maxBody = 1 << 20

// form reads the fields of a request's body, which is JSON, a form or a
// multipart form. Each method reads one field into a variable that holds what
// the field is if nobody says it, and notes what is wrong with it.
//
// In a form, a blank value of a field that need not be there is as good as none.
type form struct {
	partial  bool // PATCH: nothing has to be there
	html     bool // a form, not JSON
	fields   map[string]jsontext.Value
	values   url.Values
	problems problems
	err      error // of the database
}

// form reads the request's body.
func (r *request) form() (*form, error) {
	body, err := r.limitedBody(maxBody)
	if err != nil {
		return nil, err
	}
	f := &form{partial: r.Method() == fiber.MethodPatch, problems: problems{}}
	kind, params, err := mime.ParseMediaType(r.Get(fiber.HeaderContentType))
	switch {
	case len(body) == 0:
		f.fields = map[string]jsontext.Value{}
		return f, nil
	case err != nil && r.Get(fiber.HeaderContentType) != "":
		return nil, unsupported(r.Get(fiber.HeaderContentType))
	case kind == fiber.MIMEApplicationJSON || kind == "":
		return f, f.readJSON(body)
	case kind == fiber.MIMEApplicationForm:
		f.html = true
		f.values, err = url.ParseQuery(string(body))
	case kind == fiber.MIMEMultipartForm:
		f.html = true
		f.values, err = readMultipart(body, params["boundary"])
	default:
		return nil, unsupported(kind)
	}
	if err != nil {
		return nil, fail{fiber.StatusBadRequest, detail("Multipart form parse error - " + err.Error())}
	}
	return f, nil
}

func unsupported(kind string) error {
	return fail{fiber.StatusUnsupportedMediaType, detail("Unsupported media type " + strconv.Quote(kind) + " in request.")}
}

// limitedBody returns the body, or TooLarge.
func (r *request) limitedBody(limit int) ([]byte, error) {
	tooLarge := gate.Errorf(gate.TooLarge, "The body is larger than %d bytes.", limit)
	if n := r.Request().Header.ContentLength(); n > limit {
		r.Context().SetConnectionClose() // what is left of the body would be taken for the next request
		return nil, tooLarge
	}
	stream := r.Context().RequestBodyStream()
	if stream == nil {
		if len(r.Body()) > limit {
			return nil, tooLarge
		}
		return slices.Clone(r.Body()), nil
	}
	b, err := io.ReadAll(io.LimitReader(stream, int64(limit)+1))
	if err != nil {
		return nil, fail{fiber.StatusBadRequest, detail("The body ends before its time.")}
	}
	if len(b) > limit {
		r.Context().SetConnectionClose()
		return nil, tooLarge
	}
	return b, nil
}

func (f *form) readJSON(body []byte) error {
	var v jsontext.Value
	if err := json.Unmarshal(body, &v, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil {
		return fail{fiber.StatusBadRequest, map[string]string{"message": "JSON request content is malformed"}}
	}
	if v.Kind() != '{' {
		return problems{"non_field_errors": {"Invalid data. Expected a dictionary, but got " + pythonType(v) + "."}}
	}
	return json.Unmarshal(v, &f.fields, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// readMultipart reads the fields of a multipart form. Field names are trimmed:
// some clients send a space before them.
func readMultipart(body []byte, boundary string) (url.Values, error) {
	values := url.Values{}
	m := multipart.NewReader(strings.NewReader(string(body)), boundary)
	for {
		part, err := m.NextPart()
		if errors.Is(err, io.EOF) {
			return values, nil
		}
		if err != nil {
			return nil, err
		}
		b, err := io.ReadAll(part)
		if err != nil {
			return nil, err
		}
		values.Add(strings.TrimSpace(part.FormName()), string(b))
	}
}

// failed returns what is wrong with the body.
func (f *form) failed() error {
	if f.err != nil {
		return f.err
	}
	if len(f.problems) > 0 {
		return f.problems
	}
	return nil
}
