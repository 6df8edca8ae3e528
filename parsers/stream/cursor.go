package stream

import (
	"bytes"
	"cmp"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Cursor reads a JSON value that a Decoder has found to be valid, from its start
// to its end, several times as fast as it can be decoded by its Go type. Each
// method reads one value; what a loop's body does not read is skipped.
type Cursor struct {
	b    []byte
	at   int
	bad  bool // a value was not of the kind that was asked for
	err  error
	room *strings.Builder // for short texts, several of which are one piece of memory; may be nil
}

// NewCursor returns a cursor before a value that is valid.
func NewCursor(v jsontext.Value) *Cursor { return &Cursor{b: v} }

// Quick reads a value into *T with read; where that meets a value of a kind
// that it did not ask for, as T's type says it, with the error that this gives.
// A value is held whole. It is for the records of large reports. All are read into
// the same T, which is emptied before; if it has a method Reset, by this.
func Quick[T any](read func(c *Cursor, v *T), f func(*T) error) Value {
	v := new(T)
	var room strings.Builder
	reset := func() { *v = *new(T) }
	if r, ok := any(v).(interface{ Reset() }); ok {
		reset = r.Reset
	}
	return func(d *Decoder) error {
		if k := d.PeekKind(); k != '{' {
			return One(func(v T) error { return f(&v) })(d)
		}
		reset()
		raw, err := d.ReadValue()
		if err != nil { // which begins where the value does: decoding finds its place in it
			return cmp.Or(json.UnmarshalDecode(d.Decoder, v), err)
		}
		c := Cursor{b: raw, room: &room}
		if read(&c, v); c.err != nil {
			return c.err
		}
		if c.bad {
			*v = *new(T)
			if err := Unmarshal(raw, v); err != nil {
				return d.within(raw, err)
			}
		}
		return f(v)
	}
}

// within makes the place of an error in the value that was read last one in the report.
func (d *Decoder) within(raw jsontext.Value, err error) error {
	if e, ok := err.(*json.SemanticError); ok { //nolint:errorlint // as json returns it
		e.ByteOffset += d.InputOffset() - int64(len(raw))
		e.JSONPointer = d.StackPointer() + e.JSONPointer
	}
	return err
}

// Kind returns the kind of the next value: '{', '[', '"', '0', 't', 'f' or 'n';
// 0 at the end.
func (c *Cursor) Kind() byte {
	c.space()
	if c.at >= len(c.b) {
		return 0
	}
	if k := c.b[c.at]; k != '-' && (k < '0' || k > '9') {
		return k
	}
	return '0'
}

// Object iterates over the keys of an object; null has none. The key is good
// until the next.
func (c *Cursor) Object(yield func(key []byte) bool) {
	if !c.enter('{') {
		return
	}
	for c.Kind() == '"' {
		key := c.text()
		c.space()
		c.at++ // the colon
		c.space()
		from := c.at
		if !yield(key) {
			return
		}
		if c.at == from {
			c.Skip()
		}
		c.comma()
	}
	c.at++
}

// Array iterates over the elements of an array; null has none.
func (c *Cursor) Array(yield func() bool) {
	if !c.enter('[') {
		return
	}
	for k := c.Kind(); k != ']' && k != 0; k = c.Kind() {
		from := c.at
		if !yield() {
			return
		}
		if c.at == from {
			c.Skip()
		}
		c.comma()
	}
	c.at++
}

// enter goes into an object or an array. It reads over null, and over what is
// neither, which is bad.
func (c *Cursor) enter(kind byte) bool {
	k := c.Kind()
	if k == kind {
		c.at++
		return true
	}
	c.bad = c.bad || k != 'n'
	c.Skip()
	return false
}

// Text reads a value as Text does.
func (c *Cursor) Text() Text {
	switch c.Kind() {
	case '"':
		return Text(c.string(c.text()))
	case 'n':
		c.Skip()
		return ""
	}
	return Text(c.string(c.Raw()))
}

// String reads a string; null is an empty one, and anything else bad.
func (c *Cursor) String() string {
	switch c.Kind() {
	case '"':
		return c.string(c.text())
	case 'n':
	default:
		c.bad = true
	}
	c.Skip()
	return ""
}

// Int reads a value as Int does.
func (c *Cursor) Int() Int { return ParseInt(string(c.scalar())) }

// Float reads a value as Float does.
func (c *Cursor) Float() Float { return ParseFloat(string(c.scalar())) }

// scalar returns what Text would.
func (c *Cursor) scalar() []byte {
	switch c.Kind() {
	case '"':
		return c.text()
	case 'n':
		c.Skip()
		return nil
	}
	return c.Raw()
}

// Raw reads a value and returns its JSON, which is good until the Value that
// the Cursor is in returns.
func (c *Cursor) Raw() jsontext.Value {
	c.space()
	from := min(c.at, len(c.b))
	c.Skip()
	return c.b[from:min(c.at, len(c.b))]
}

// As reads a value into *v as its Go type says it.
func (c *Cursor) As(v any) {
	if Unmarshal(c.Raw(), v) != nil {
		c.bad = true
	}
}

// Refuse says that the value is not one that can be read so: it is decoded.
func (c *Cursor) Refuse() { c.bad = true }

// Fail ends reading with an error, which Quick's Value returns.
func (c *Cursor) Fail(err error) { c.err, c.at = err, len(c.b) }

// Skip skips a value.
func (c *Cursor) Skip() {
	depth := 0
	for c.at < len(c.b) {
		switch c.b[c.at] {
		case '"':
			c.at = c.endOfString()
		case '{', '[':
			depth++
			c.at++
			continue
		case '}', ']':
			depth--
			c.at++
		case ' ', '\t', '\r', '\n', ',', ':':
			c.at++
			continue
		default:
			for c.at < len(c.b) && !endsScalar[c.b[c.at]] {
				c.at++
			}
		}
		if depth <= 0 {
			return
		}
	}
}

var endsScalar = [256]bool{' ': true, '\t': true, '\r': true, '\n': true, ',': true, ':': true, '}': true, ']': true, '{': true, '[': true, '"': true}

// text reads a string and returns its content.
func (c *Cursor) text() []byte {
	from := c.at
	c.at = c.endOfString()
	if c.at-from < 2 {
		c.bad = true
		return nil
	}
	s := c.b[from+1 : c.at-1]
	if bytes.IndexByte(s, '\\') < 0 && utf8.Valid(s) {
		return s
	}
	s, _ = jsontext.AppendUnquote(nil, c.b[from:c.at]) // with U+FFFD for what is not UTF-8
	return s
}

// Bounds of the texts that share a piece of memory: who keeps one keeps it all.
const (
	roomSize = 2 << 10
	maxShort = roomSize / 8
)

// string makes what text returned a string.
func (c *Cursor) string(b []byte) string {
	if c.room == nil || len(b) > maxShort {
		return string(b)
	}
	if c.room.Len()+len(b) > c.room.Cap() {
		*c.room = strings.Builder{}
		c.room.Grow(roomSize)
	}
	from := c.room.Len()
	c.room.Write(b)
	return c.room.String()[from:]
}

// endOfString returns where the string that begins here ends.
func (c *Cursor) endOfString() int {
	for i := c.at + 1; ; i++ {
		n := bytes.IndexByte(c.b[min(i, len(c.b)):], '"')
		if n < 0 {
			return len(c.b)
		}
		i += n
		slashes := 0
		for c.b[i-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return i + 1
		}
	}
}

func (c *Cursor) comma() {
	if c.space(); c.at < len(c.b) && c.b[c.at] == ',' {
		c.at++
	}
}

func (c *Cursor) space() {
	for c.at < len(c.b) && c.b[c.at] <= ' ' {
		c.at++
	}
}
