package stream

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Value reads one JSON value from a decoder that stands before it. Values
// compose: Object and Array walk without holding what they walk through,
// Into and Each decode what is small enough to hold.
type Value func(d *Decoder) error

// Decoder reads JSON values one after the other.
type Decoder struct {
	*jsontext.Decoder
	depth int
}

// options make the decoder read what scanners write: a stray byte that is not
// UTF-8 becomes U+FFFD. Duplicate keys stay an error, since two readers of the
// same file could see two different severities in it.
var options = []jsontext.Options{jsontext.AllowInvalidUTF8(true)}

// newDecoder returns a decoder of in that holds no more than one value of a
// bounded length.
func newDecoder(in *Input) *Decoder {
	l := &leash{r: in, taken: func() int64 { return 0 }, limit: maxValue, what: "a value"}
	d := &Decoder{jsontext.NewDecoder(l, options...), in.limits.Depth}
	l.taken = d.InputOffset
	return d
}

// JSON reads a report that is exactly one JSON value.
func JSON(in *Input, v Value) error {
	d := newDecoder(in)
	if err := v(d); err != nil {
		return jsonError(d, err)
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		if err == nil {
			err = errors.New("there is more after the end of the report")
		}
		return jsonError(d, err)
	}
	return nil
}

// JSONs reads a report that is a sequence of JSON values (NDJSON, JSON lines,
// or several documents one after the other) and calls v for each.
func JSONs(in *Input, v Value) error {
	d := newDecoder(in)
	for {
		if k := d.PeekKind(); k == 0 {
			if _, err := d.ReadToken(); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return jsonError(d, err)
			}
		}
		if err := v(d); err != nil {
			return jsonError(d, err)
		}
	}
}

// Fields says what to do with the value of each key of an object; the values
// of other keys are skipped.
type Fields map[string]Value

// Object walks an object. A required key that is missing is an error.
func Object(fields Fields, required ...string) Value {
	return func(d *Decoder) error {
		if k := d.PeekKind(); k != '{' {
			return d.want("an object", k)
		}
		if d.StackDepth() >= d.depth {
			return fmt.Errorf("nested deeper than %d levels", d.depth)
		}
		if _, err := d.ReadToken(); err != nil {
			return err
		}
		var seen map[string]bool
		if len(required) > 0 {
			seen = make(map[string]bool, len(required))
		}
		for d.PeekKind() == '"' {
			t, err := d.ReadToken()
			if err != nil {
				return err
			}
			key := t.String()
			if seen != nil {
				seen[key] = true
			}
			if v, ok := fields[key]; ok {
				err = v(d)
			} else {
				err = d.SkipValue()
			}
			if err != nil {
				return err
			}
		}
		if _, err := d.ReadToken(); err != nil {
			return err
		}
		for _, key := range required {
			if !seen[key] {
				return fmt.Errorf("there is no %q", key)
			}
		}
		return nil
	}
}

// Entries walks an object whose keys are data and calls f for each; f must
// read the value.
func Entries(f func(key string, d *Decoder) error) Value {
	return func(d *Decoder) error {
		switch k := d.PeekKind(); k {
		case '{':
		case 'n':
			return d.SkipValue()
		default:
			return d.want("an object", k)
		}
		if _, err := d.ReadToken(); err != nil {
			return err
		}
		for d.PeekKind() == '"' {
			t, err := d.ReadToken()
			if err != nil {
				return err
			}
			if err := f(t.String(), d); err != nil {
				return err
			}
		}
		_, err := d.ReadToken()
		return err
	}
}

// Array walks an array and calls v for each element; null is an empty array.
func Array(v Value) Value {
	return func(d *Decoder) error {
		switch k := d.PeekKind(); k {
		case '[':
		case 'n':
			return d.SkipValue()
		default:
			return d.want("an array", k)
		}
		if d.StackDepth() >= d.depth {
			return fmt.Errorf("nested deeper than %d levels", d.depth)
		}
		if _, err := d.ReadToken(); err != nil {
			return err
		}
		for {
			k := d.PeekKind()
			if k == ']' || k == 0 {
				break
			}
			if err := v(d); err != nil {
				return err
			}
		}
		_, err := d.ReadToken()
		return err
	}
}

// Each walks an array, decodes each element into a T and calls f with it.
func Each[T any](f func(T) error) Value { return Array(One(f)) }

// One decodes a value into a T and calls f with it. It decodes one after the
// other into the same T, emptied before, which spares an allocation for each: a
// Value that One returns is not to be used by several readers at a time.
func One[T any](f func(T) error) Value {
	v := new(T)
	return func(d *Decoder) error {
		var empty T
		*v = empty
		if err := json.UnmarshalDecode(d.Decoder, v); err != nil {
			return err
		}
		return f(*v)
	}
}

// Into decodes a value into *p.
func Into[T any](p *T) Value {
	return func(d *Decoder) error { return json.UnmarshalDecode(d.Decoder, p) }
}

// Kinds chooses by what the value is: '{' object, '[' array, '"' string, '0'
// number, 't' or 'f' boolean, 'n' null. A kind that is not listed is an error.
type Kinds map[byte]Value

// ByKind returns a Value that reads with the one for its kind.
func ByKind(kinds Kinds) Value {
	return func(d *Decoder) error {
		k := d.PeekKind()
		if v, ok := kinds[byte(k)]; ok {
			return v(d)
		}
		names := []string{}
		for _, k := range []byte("{[\"0tfn") {
			if _, ok := kinds[k]; ok {
				names = append(names, kindNames[k])
			}
		}
		return d.want(strings.Join(names, " or "), k)
	}
}

// Skip skips a value.
func Skip(d *Decoder) error { return d.SkipValue() }

var kindNames = map[byte]string{
	'{': "an object", '[': "an array", '"': "a string", '0': "a number", 't': "true", 'f': "false", 'n': "null", '}': "the end of an object", ']': "the end of an array",
}

// want explains that a value is of another kind than the format has there.
func (d *Decoder) want(want string, got jsontext.Kind) error {
	if got == 0 {
		if _, err := d.ReadToken(); err != nil {
			if errors.Is(err, io.EOF) && d.StackDepth() == 0 && d.InputOffset() == 0 {
				return errors.New("the report is empty")
			}
			return err
		}
	}
	return &kindError{want, kindNames[byte(got)]}
}

// kindError says that the next value is not of the kind that the format has there.
type kindError struct{ want, got string }

func (e *kindError) Error() string { return "want " + e.want + ", got " + e.got }

// next returns the offset of the next value, after what separates it from the last.
func (d *Decoder) next() int64 {
	b := d.UnreadBuffer()
	return d.InputOffset() + int64(len(b)-len(bytes.TrimLeft(b, " \t\r\n:,")))
}

// jsonError turns what a decoder or a Value returned into an Error with its place.
func jsonError(d *Decoder, err error) error {
	e := &Error{Offset: d.InputOffset(), Place: string(d.StackPointer())}
	var syntactic *jsontext.SyntacticError
	var semantic *json.SemanticError
	switch {
	case hasPlace(err):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		e.Reason = cutShort
	case errors.As(err, &semantic):
		e.Offset, e.Place = semantic.ByteOffset, string(semantic.JSONPointer)
		e.Reason = semanticReason(semantic)
	case errors.As(err, &syntactic):
		e.Offset, e.Place = syntactic.ByteOffset, string(syntactic.JSONPointer)
		e.Reason = strings.TrimPrefix(syntactic.Err.Error(), "jsontext: ")
	case errors.Is(err, io.EOF):
		e.Reason = cutShort
		if d.InputOffset() == 0 {
			e.Reason = "the report is empty"
		}
	default:
		if gatewayError(err) {
			return err
		}
		if _, ok := errors.AsType[*kindError](err); ok {
			e.Offset = d.next()
		}
		e.Reason = err.Error()
	}
	if len(e.Place) > 200 {
		e.Place = e.Place[:200] + "…"
	}
	return e
}

// hasPlace tells whether err says where it is. What Errorf makes while a report
// is read does not: the reader knows how far it came.
func hasPlace(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && (e.Offset >= 0 || e.Line > 0 || e.Place != "")
}

func semanticReason(e *json.SemanticError) string {
	want := "another type"
	if e.GoType != nil {
		switch e.GoType.Kind().String() {
		case "string":
			want = "a string"
		case "slice", "array":
			want = "an array"
		case "struct", "map":
			want = "an object"
		case "bool":
			want = "true or false"
		case "int", "int64", "float64", "uint", "int32":
			want = "a number"
		}
	}
	got, ok := kindNames[byte(e.JSONKind)]
	if !ok {
		got = "something else"
	}
	reason := fmt.Sprintf("want %s, got %s", want, got)
	if e.Err != nil {
		reason += ": " + e.Err.Error()
	}
	return reason
}
