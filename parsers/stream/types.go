package stream

import (
	"context"
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"defectdojo/gate"
)

// gatewayError tells whether err is one to pass on as it is: a limit, or a context's end.
func gatewayError(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || gate.KindOf(err) != gate.Internal
}

// Text is a string that reports also write as a number, a boolean or null.
type Text string

// UnmarshalJSONFrom reads a string, number, boolean or null; anything else is
// taken as its JSON text.
func (t *Text) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	switch d.PeekKind() {
	case '{', '[':
		v, err := d.ReadValue()
		*t = Text(v)
		return err
	}
	tok, err := d.ReadToken()
	if err != nil {
		return err
	}
	if tok.Kind() == 'n' {
		*t = ""
		return nil
	}
	*t = Text(tok.String())
	return nil
}

// Unmarshal decodes a value that was read whole, as Into would.
func Unmarshal(v jsontext.Value, p any) error {
	return json.Unmarshal(v, p, json.DefaultOptionsV2(), jsontext.AllowInvalidUTF8(true))
}

// Strings returns the texts as strings.
func Strings(list []Text) []string {
	out := make([]string, len(list))
	for i, t := range list {
		out[i] = string(t)
	}
	return out
}

// Int is a whole number that reports also write as a string. What is not a
// number, or too large for one, is 0 with OK false.
type Int struct {
	N  int
	OK bool
}

// UnmarshalJSONFrom reads a number, a string of digits or null.
func (i *Int) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	var t Text
	if err := t.UnmarshalJSONFrom(d); err != nil {
		return err
	}
	*i = ParseInt(string(t))
	return nil
}

// Ptr returns the number, or nil when there is none.
func (i Int) Ptr() *int {
	if !i.OK {
		return nil
	}
	return new(i.N)
}

// String returns the number's digits, or nothing when there is none.
func (i Int) String() string {
	if !i.OK {
		return ""
	}
	return strconv.Itoa(i.N)
}

// ParseInt reads a whole number; a fraction is cut off.
func ParseInt(s string) Int {
	s = strings.TrimSpace(s)
	if s == "" {
		return Int{}
	}
	if n, err := strconv.Atoi(s); err == nil && n >= math.MinInt32 && n <= math.MaxInt32 {
		return Int{n, true}
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil && math.Abs(f) <= math.MaxInt32 {
		return Int{int(f), true}
	}
	return Int{}
}

// Float is a number that reports also write as a string. What is not a finite
// number is 0 with OK false.
type Float struct {
	F  float64
	OK bool
}

// UnmarshalJSONFrom reads a number, a string that holds one, or null.
func (f *Float) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	var t Text
	if err := t.UnmarshalJSONFrom(d); err != nil {
		return err
	}
	*f = ParseFloat(string(t))
	return nil
}

// Ptr returns the number, or nil when there is none.
func (f Float) Ptr() *float64 {
	if !f.OK {
		return nil
	}
	return new(f.F)
}

// String returns the number as short as it can be written, or nothing when there is none.
func (f Float) String() string {
	if !f.OK {
		return ""
	}
	return strconv.FormatFloat(f.F, 'f', -1, 64)
}

// ParseFloat reads a finite number.
func ParseFloat(s string) Float {
	s = strings.TrimSpace(s)
	if s == "" {
		return Float{}
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
		return Float{}
	}
	return Float{v, true}
}

// OneOrMany is an array that reports also write as its only element, or null.
type OneOrMany[T any] []T

// UnmarshalJSONFrom reads an array, one element or null.
func (o *OneOrMany[T]) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	switch d.PeekKind() {
	case '[':
		return json.UnmarshalDecode(d, (*[]T)(o))
	case 'n':
		*o = nil
		return d.SkipValue()
	}
	var v T
	if err := json.UnmarshalDecode(d, &v); err != nil {
		return err
	}
	*o = OneOrMany[T]{v}
	return nil
}

// Lenient is a T that reports also write as something of another kind, which is
// then left out: Value is zero and OK false.
type Lenient[T any] struct {
	Value T
	OK    bool
}

// UnmarshalJSONFrom reads a T, or skips what is not one.
func (l *Lenient[T]) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	v, err := d.ReadValue()
	if err != nil {
		return err
	}
	l.OK = json.Unmarshal(v, &l.Value, json.DefaultOptionsV2(), jsontext.AllowInvalidUTF8(true)) == nil
	return nil
}
