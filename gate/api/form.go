package api

import (
	"context"
	"errors"
	"io"
	"math"
	"mime"
	"mime/multipart"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

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

// rule says what a field may be.
type rule uint8

const (
	required rule = 1 << iota // it must be there, but in a PATCH
	nullable                  // it may be null
	blank                     // it may be ""
)

// has tells whether the body has a field at all.
func (f *form) has(name string) bool {
	if f.html {
		return f.values.Has(name)
	}
	_, ok := f.fields[name]
	return ok
}

// raw returns a field as JSON. ok is false if there is nothing to read: it is
// missing, which is a problem if it is required.
func (f *form) raw(name string, rules rule) (v jsontext.Value, ok bool) {
	if f.html {
		v, ok = f.rawHTML(name, rules)
	} else {
		v, ok = f.fields[name]
	}
	if !ok && rules&required != 0 && !f.partial {
		f.problems.add(name, "This field is required.")
	}
	return v, ok
}

func (f *form) rawHTML(name string, rules rule) (jsontext.Value, bool) {
	all, ok := f.values[name]
	if !ok || len(all) == 0 {
		return nil, false
	}
	s := all[len(all)-1]
	if strings.TrimSpace(s) == "" && rules&blank == 0 {
		if rules&nullable != 0 {
			return jsontext.Value("null"), true
		}
		if rules&required == 0 {
			return nil, false
		}
	}
	v, err := jsontext.AppendQuote(nil, s)
	return v, err == nil || v != nil
}

// scalar reads a field that is one value. done is true when it is missing, null or wrong.
func (f *form) scalar(name string, rules rule, null func()) (v jsontext.Value, done bool) {
	v, ok := f.raw(name, rules)
	if !ok {
		return nil, true
	}
	if v.Kind() == 'n' {
		if rules&nullable == 0 {
			f.problems.add(name, "This field may not be null.")
		} else {
			null()
		}
		return nil, true
	}
	return v, false
}

// text reads a text of at most limit characters; 0 is no limit.
func (f *form) text(name string, into *string, limit int, rules rule) {
	v, done := f.scalar(name, rules, func() { *into = "" })
	if done {
		return
	}
	s, ok := unquote(v)
	switch {
	case !ok && v.Kind() == '0':
		s = string(v)
	case !ok:
		f.problems.add(name, "Not a valid string.")
		return
	}
	s = strings.TrimSpace(strings.ToValidUTF8(s, "�"))
	switch {
	case s == "" && rules&blank == 0:
		f.problems.add(name, "This field may not be blank.")
	case strings.ContainsRune(s, 0):
		f.problems.add(name, "Null characters are not allowed.")
	case limit > 0 && utf8.RuneCountInString(s) > limit:
		f.problems.add(name, "Ensure this field has no more than %d characters.", limit)
	default:
		*into = s
	}
}

// source reads a policy's text, whose blanks count. How long it may be, its reader says.
func (f *form) source(into *string) {
	const name = "source"
	v, done := f.scalar(name, required, func() { *into = "" })
	if done {
		return
	}
	s, ok := unquote(v)
	switch {
	case !ok:
		f.problems.add(name, "Not a valid string.")
	case strings.TrimSpace(s) == "":
		f.problems.add(name, "This field may not be blank.")
	default:
		*into = strings.ReplaceAll(s, "\r\n", "\n")
	}
}

// optional reads a text that may be null.
func (f *form) optional(name string, into **string, limit int) {
	const unread = "\x00"
	s := unread
	null := false
	if v, ok := f.fields[name]; ok && v.Kind() == 'n' {
		null = true
	}
	f.text(name, &s, limit, nullable|blank)
	switch {
	case null:
		*into = nil
	case s != unread:
		*into = &s
	}
}

var trues = []string{"t", "y", "yes", "true", "on", "1"}

var falses = []string{"f", "n", "no", "false", "off", "0"}

// flag reads a boolean in any of its spellings. In a form, one that is not
// there is false: that is how browsers send a box that is not ticked.
func (f *form) flag(name string, into *bool, rules rule) {
	if f.html && !f.partial && !f.has(name) && rules&required == 0 {
		*into = false
		return
	}
	v, done := f.scalar(name, rules, func() { *into = false })
	if done {
		return
	}
	if b, ok := parseFlag(v); ok {
		*into = b
	} else {
		f.problems.add(name, "Must be a valid boolean.")
	}
}

// maybeFlag reads a boolean that may be null or missing.
func (f *form) maybeFlag(name string, into **bool) {
	v, done := f.scalar(name, nullable, func() { *into = nil })
	if done {
		return
	}
	b, ok := parseFlag(v)
	if !ok {
		f.problems.add(name, "Must be a valid boolean.")
		return
	}
	*into = &b
}

func parseFlag(v jsontext.Value) (value, ok bool) {
	s, isText := unquote(v)
	if !isText {
		s = string(v)
	}
	s = strings.ToLower(strings.TrimSpace(s))
	if slices.Contains(trues, s) {
		return true, true
	}
	return false, slices.Contains(falses, s)
}

// whole reads an integer from low to high.
func whole[T int32 | int64](f *form, name string, into **T, low, high T) {
	v, done := f.scalar(name, nullable, func() { *into = nil })
	if done {
		return
	}
	s, isText := unquote(v)
	if !isText {
		s = string(v)
	}
	n, err := strconv.ParseInt(trimZeros(s), 10, 64)
	switch {
	case err != nil || v.Kind() == 't' || v.Kind() == 'f':
		f.problems.add(name, "A valid integer is required.")
	case n > int64(high):
		f.problems.add(name, "Ensure this value is less than or equal to %d.", high)
	case n < int64(low):
		f.problems.add(name, "Ensure this value is greater than or equal to %d.", low)
	default:
		t := T(n)
		*into = &t
	}
}

// trimZeros makes "1.0" a whole number.
func trimZeros(s string) string {
	s = strings.TrimSpace(s)
	if head, tail, ok := strings.Cut(s, "."); ok && strings.Trim(tail, "0") == "" {
		return head
	}
	return s
}

// amount reads a number from 0 to high, with a fraction.
func (f *form) amount(name string, into **float64, high float64) {
	v, done := f.scalar(name, nullable, func() { *into = nil })
	if done {
		return
	}
	s, isText := unquote(v)
	if !isText {
		s = string(v)
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	switch {
	case err != nil:
		f.problems.add(name, "A valid number is required.")
	case n > high:
		f.problems.add(name, "Ensure this value is less than or equal to %v.", high)
	case n < 0 || math.IsNaN(n):
		f.problems.add(name, "Ensure this value is greater than or equal to 0.")
	default:
		*into = &n
	}
}

var decimal = regexp.MustCompile(`^\+?\d{1,13}(\.\d{1,2}0*)?$`)

// money reads a decimal of two places, which travels as text.
func (f *form) money(name string, into **string) {
	v, done := f.scalar(name, nullable, func() { *into = nil })
	if done {
		return
	}
	s, isText := unquote(v)
	if !isText {
		s = string(v)
	}
	if s = strings.TrimSpace(s); !decimal.MatchString(s) {
		f.problems.add(name, "A valid number is required.")
		return
	}
	*into = &s
}

// choice reads one of some words. A blank one is null.
func (f *form) choice(name string, into **string, allowed ...string) {
	var s *string
	before := len(f.problems[name])
	if !f.has(name) {
		return
	}
	f.optional(name, &s, 0)
	switch {
	case len(f.problems[name]) > before:
	case s == nil || *s == "":
		*into = nil
	case !slices.Contains(allowed, *s):
		f.problems.add(name, "%q is not a valid choice.", *s)
	default:
		*into = s
	}
}

// oneOf reads one of some words that must not be blank.
func (f *form) oneOf(name string, into *string, rules rule, allowed ...string) {
	if !f.has(name) {
		f.raw(name, rules)
		return
	}
	var s *string
	f.choice(name, &s, allowed...)
	if s == nil && f.problems[name] == nil {
		f.problems.add(name, `"" is not a valid choice.`)
	}
	if s != nil {
		*into = *s
	}
}

// date reads a day.
func (f *form) date(name string, into *time.Time, rules rule) {
	v, done := f.scalar(name, rules, func() { *into = time.Time{} })
	if done {
		return
	}
	s, _ := unquote(v)
	t, err := time.Parse(time.DateOnly, strings.TrimSpace(s))
	if err != nil {
		f.problems.add(name, "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.")
		return
	}
	*into = t
}

// maybeDate reads a day that may be null.
func (f *form) maybeDate(name string, into **time.Time) {
	var t time.Time
	given := f.has(name)
	f.date(name, &t, nullable)
	switch {
	case !t.IsZero():
		*into = &t
	case given && f.problems[name] == nil:
		*into = nil
	}
}

// instant reads a date and time.
func (f *form) instant(name string, into *time.Time, rules rule) {
	v, done := f.scalar(name, rules, func() { *into = time.Time{} })
	if done {
		return
	}
	s, _ := unquote(v)
	t, ok := parseInstant(s)
	if !ok {
		f.problems.add(name, "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].")
		return
	}
	*into = t
}

// maybeInstant reads a date and time that may be null.
func (f *form) maybeInstant(name string, into **time.Time) {
	var t time.Time
	given := f.has(name)
	f.instant(name, &t, nullable)
	switch {
	case !t.IsZero():
		*into = &t
	case given && f.problems[name] == nil:
		*into = nil
	}
}

// instants are the forms of a date and time that clients send. Without a zone
// it is UTC.
var instants = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02T15:04:05.999999999Z0700",
	"2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999Z0700", "2006-01-02 15:04:05.999999999", "2006-01-02 15:04", time.DateOnly,
}

func parseInstant(s string) (time.Time, bool) {
	s = strings.TrimSpace(s)
	for _, layout := range instants {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// finder tells whether there is something with an ID that may be referred to.
type finder func(ctx context.Context, id int64) (bool, error)

// reference reads the ID of something else.
func (f *form) reference(ctx context.Context, name string, into *int64, rules rule, there finder) {
	v, done := f.scalar(name, rules, func() { *into = 0 })
	if done {
		return
	}
	if id, ok := f.pk(ctx, name, v, there); ok {
		*into = id
	}
}

// maybeReference reads the ID of something else, or null.
func (f *form) maybeReference(ctx context.Context, name string, into **int64, there finder) {
	v, done := f.scalar(name, nullable, func() { *into = nil })
	if done {
		return
	}
	if id, ok := f.pk(ctx, name, v, there); ok {
		*into = &id
	}
}

func (f *form) pk(ctx context.Context, name string, v jsontext.Value, there finder) (int64, bool) {
	s, isText := unquote(v)
	if !isText {
		s = string(v)
	}
	n, err := strconv.ParseInt(trimZeros(s), 10, 64)
	if err != nil {
		f.problems.add(name, "Incorrect type. Expected pk value, received %s.", pythonType(v))
		return 0, false
	}
	found, err := there(ctx, n)
	if err != nil {
		f.err = err
		return 0, false
	}
	if !found {
		f.problems.add(name, `Invalid pk "%d" - object does not exist.`, n)
	}
	return n, found
}

// references reads a list of IDs.
func (f *form) references(ctx context.Context, name string, into *[]int64, rules rule, there finder) {
	items, ok := f.items(name, rules)
	if !ok {
		return
	}
	ids := []int64{}
	for _, v := range items {
		id, ok := f.pk(ctx, name, v, there)
		if !ok {
			return
		}
		ids = append(ids, id)
	}
	*into = ids
}

// items reads a list: of JSON, or in a form the values of one name, or of name[0], name[1] ….
func (f *form) items(name string, rules rule) ([]jsontext.Value, bool) {
	if f.html {
		values, ok := f.htmlList(name)
		if !ok {
			f.raw(name, rules)
			return nil, false
		}
		var out []jsontext.Value
		for _, s := range values {
			if v, err := jsontext.AppendQuote(nil, s); err == nil && s != "" {
				out = append(out, v)
			}
		}
		return out, true
	}
	v, done := f.scalar(name, rules, func() {})
	if done {
		return nil, false
	}
	var out []jsontext.Value
	if v.Kind() != '[' || json.Unmarshal(v, &out) != nil {
		f.problems.add(name, "Expected a list of items but got type %q.", pythonType(v))
		return nil, false
	}
	return out, true
}

func (f *form) htmlList(name string) ([]string, bool) {
	if v, ok := f.values[name]; ok {
		return v, true
	}
	var out []string
	for i := 0; ; i++ {
		v, ok := f.values[name+"["+strconv.Itoa(i)+"]"]
		if !ok {
			return out, i > 0
		}
		out = append(out, v...)
	}
}

// quotedOrPlain are the parts of a text that holds several tags.
var quotedOrPlain = regexp.MustCompile(`"[^"]*"|[^",]+`)

// tags reads tags: a list, a text with a JSON list in it, or a text with
// commas. Tags are in lower case and have no spaces, commas or quotes.
func (f *form) tags(into *[]string, rules rule) {
	const name = "tags"
	texts, ok := f.tagTexts(name, rules)
	if !ok {
		return
	}
	tags := []string{}
	for _, text := range texts {
		for _, tag := range quotedOrPlain.FindAllString(text, -1) {
			tag = strings.ToLower(strings.TrimSpace(strings.Trim(strings.TrimSpace(tag), `"`)))
			if strings.ContainsAny(tag, " ,'\"\x00") {
				f.problems.add(name, "Invalid tag: '%s'. Tags should not contain spaces, commas, or quotes.", strings.ReplaceAll(tag, "\x00", ""))
				return
			}
			if tag != "" && !slices.Contains(tags, tag) {
				tags = append(tags, tag)
			}
		}
	}
	*into = tags
}

func (f *form) tagTexts(name string, rules rule) ([]string, bool) {
	if f.html {
		values, ok := f.htmlList(name)
		if !ok {
			f.raw(name, rules)
			return nil, false
		}
		var out []string
		for _, v := range values {
			var inner []string
			if strings.HasPrefix(strings.TrimSpace(v), "[") && json.Unmarshal([]byte(v), &inner) == nil {
				out = append(out, inner...)
			} else {
				out = append(out, v)
			}
		}
		return out, true
	}
	v, done := f.scalar(name, rules|nullable, func() {})
	if done {
		return nil, false
	}
	if s, ok := unquote(v); ok {
		var inner []string
		if json.Unmarshal([]byte(s), &inner) == nil {
			return inner, true
		}
		return []string{s}, true
	}
	items, ok := f.items(name, rules)
	if !ok {
		return nil, false
	}
	var out []string
	for _, i := range items {
		s, ok := unquote(i)
		if !ok {
			f.problems.add(name, "All list items must be of string type.")
			return nil, false
		}
		out = append(out, s)
	}
	return out, true
}

// unquote returns the text of a JSON string.
func unquote(v jsontext.Value) (string, bool) {
	if v.Kind() != '"' {
		return "", false
	}
	b, err := jsontext.AppendUnquote(nil, v)
	return string(b), err == nil || b != nil
}

// pythonType names the kind of a value as DefectDojo's messages do.
func pythonType(v jsontext.Value) string {
	switch v.Kind() {
	case '"':
		return "str"
	case '0':
		if strings.ContainsAny(string(v), ".eE") {
			return "float"
		}
		return "int"
	case 't', 'f':
		return "bool"
	case '[':
		return "list"
	case '{':
		return "dict"
	}
	return "NoneType"
}
