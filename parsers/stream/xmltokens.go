package stream

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/orisano/gosax"
)

// Limits of XML that no honest report reaches.
const (
	maxXMLAttributes = 256
	maxXMLText       = 16 << 20 // bytes of one text, or one tag
	maxXMLRecord     = 64 << 20 // bytes of one element that is read whole
	maxXMLNodes      = 250_000  // elements in it
	maxXMLNames      = 4096     // names that are remembered
)

// tokens gives gosax's events under our limits: one root, tags that match, no
// text outside of it, no declared entities.
type tokens struct {
	r      *gosax.Reader
	src    *bounded
	depth  int // the most that elements may nest
	offset int64
	open   []string // names of the open elements, with prefixes
	spaces []space  // that they declare
	rooted bool
	names  map[string]string
	last   [128]string // some of them, found without the map

	held       bool // an element is being read whole
	heldOffset int64
	heldNodes  int
}

func newTokens(in *Input) *tokens {
	src := &bounded{r: in}
	r := gosax.NewReaderSize(src, 2*in.buffer)
	r.EmitSelfClosingTag = true
	return &tokens{r: r, src: src, depth: min(in.limits.Depth, 256), names: map[string]string{}}
}

// hold begins an element that is read whole, free ends it.
func (t *tokens) hold() { t.held, t.heldOffset, t.heldNodes = true, t.offset, 0 }
func (t *tokens) free() { t.held = false }

// event returns the next start, end, text or CDATA. At the document's end the
// error is io.EOF.
func (t *tokens) event() (gosax.Event, error) {
	for {
		t.src.left = maxXMLText
		e, err := t.r.Event()
		if err != nil {
			if errors.Is(err, io.EOF) { // within markup: the end of a document is an event
				err = io.ErrUnexpectedEOF
			}
			return e, err
		}
		if e.Type() != gosax.EventEnd || !bytes.HasSuffix(e.Bytes, []byte("/>")) {
			t.offset += int64(len(e.Bytes))
		}
		if t.held && (t.heldNodes > maxXMLNodes || t.offset-t.heldOffset > maxXMLRecord) {
			return e, errors.New("one element holds more than any honest report's")
		}
		give, err := t.check(e)
		if give || err != nil {
			return e, err
		}
	}
}

// check tells whether e is to be given, or why the document is refused.
func (t *tokens) check(e gosax.Event) (bool, error) {
	switch e.Type() {
	case gosax.EventStart:
		return true, t.enter(e.Bytes)
	case gosax.EventEnd:
		return true, t.leave(e.Bytes)
	case gosax.EventCData:
		if !bytes.HasPrefix(e.Bytes, []byte("<![CDATA[")) {
			return false, errors.New("it holds a marked section that is not CDATA")
		}
		if len(t.open) == 0 {
			return false, errors.New("there is text outside of the root element")
		}
		return true, nil
	case gosax.EventText:
		if len(t.open) > 0 {
			return true, nil
		}
		if len(bytes.TrimSpace(e.Bytes)) > 0 {
			return false, errors.New("there is text outside of the root element")
		}
	case gosax.EventDocType:
		if bytes.Contains(bytes.ToUpper(e.Bytes), []byte("<!ENTITY")) || bytes.ContainsRune(e.Bytes, '%') {
			return false, errors.New("it declares entities, which is refused")
		}
	case gosax.EventEOF:
		if len(t.open) > 0 {
			return false, io.ErrUnexpectedEOF
		}
		return false, io.EOF
	}
	return false, nil
}

func (t *tokens) enter(tag []byte) error {
	name := t.intern(tagName(tag))
	switch {
	case name == "":
		return errors.New("a tag without a name")
	case len(t.open) == 0 && t.rooted:
		return fmt.Errorf("there is a second root element, <%s>", name)
	case len(t.open) >= t.depth:
		return fmt.Errorf("nested deeper than %d levels", t.depth)
	}
	t.rooted = true
	t.open = append(t.open, name)
	t.heldNodes++
	if bytes.Contains(tag, xmlns) {
		t.declare(bytes.Clone(tag)) // attributes changes it
	}
	return nil
}

// space is the name space of a prefix within an element.
type space struct {
	depth       int
	prefix, uri string
}

var xmlns = []byte("xmlns")

// declare notes the name spaces that a start tag declares. What is wrong with
// its attributes is found when these are read.
func (t *tokens) declare(tag []byte) {
	_ = attributes(tag, func(name, value []byte) {
		if prefix, ok := bytes.CutPrefix(name, xmlns); ok && (len(prefix) == 0 || prefix[0] == ':') {
			t.spaces = append(t.spaces, space{len(t.open), string(bytes.TrimPrefix(prefix, []byte{':'})), string(value)})
		}
	})
}

// spaceOf returns the name space of a name that may have a prefix: the prefix
// itself where nothing declares it.
func (t *tokens) spaceOf(name string) string {
	prefix := name[:max(strings.IndexByte(name, ':'), 0)]
	for _, s := range slices.Backward(t.spaces) {
		if s.prefix == prefix {
			return s.uri
		}
	}
	return prefix
}

func (t *tokens) leave(tag []byte) error {
	name := tagName(tag)
	last := len(t.open) - 1
	if last < 0 {
		return fmt.Errorf("</%s> closes nothing", name)
	}
	if string(name) != t.open[last] {
		return fmt.Errorf("<%s> is closed by </%s>", t.open[last], name)
	}
	t.open = t.open[:last]
	for n := len(t.spaces) - 1; n >= 0 && t.spaces[n].depth > last; n-- {
		t.spaces = t.spaces[:n]
	}
	return nil
}

// start makes the start tag of the element that was opened last a token.
func (t *tokens) start(tag []byte) (xml.StartElement, error) {
	name := t.open[len(t.open)-1]
	s := xml.StartElement{Name: xml.Name{Space: t.spaceOf(name), Local: local(name)}}
	err := attributes(tag, func(name, value []byte) {
		s.Attr = append(s.Attr, xml.Attr{Name: xml.Name{Local: local(t.intern(name))}, Value: string(value)})
	})
	return s, err
}

// opened is the local name of the element that was opened last.
func (t *tokens) opened() string { return local(t.open[len(t.open)-1]) }

// local is a name without its prefix.
func local(name string) string { return name[strings.IndexByte(name, ':')+1:] }

// intern returns b as a string, the same one for the same name.
func (t *tokens) intern(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	last := &t.last[(len(b)+int(b[0])*5+int(b[len(b)-1])*3)%len(t.last)]
	if string(b) == *last {
		return *last
	}
	s, ok := t.names[string(b)]
	if !ok {
		s = string(b)
		if len(t.names) < maxXMLNames && len(s) < 100 {
			t.names[s] = s
		}
	}
	*last = s
	return s
}

// tagName returns the name in a tag "<name …>", "</name>" or "<name …/>".
func tagName(tag []byte) []byte {
	from := 1
	if len(tag) > 1 && tag[1] == '/' {
		from = 2
	}
	to := from
	for to < len(tag) && !endsName[tag[to]] {
		to++
	}
	return tag[from:to]
}

var endsName = [256]bool{' ': true, '\t': true, '\r': true, '\n': true, '/': true, '>': true, '=': true, '"': true, '\'': true, '<': true}

// attributes calls f with the attributes of a start tag, unescaped. It changes
// tag, whose name stays as it is.
func attributes(tag []byte, f func(name, value []byte)) error {
	name := tagName(tag)
	b := bytes.TrimSuffix(bytes.TrimSuffix(tag[1+len(name):], []byte{'>'}), []byte{'/'})
	for n := 0; ; n++ {
		b = bytes.TrimLeft(b, " \t\r\n")
		if len(b) == 0 {
			return nil
		}
		if n == maxXMLAttributes {
			return fmt.Errorf("<%s> has more than %d attributes", name, maxXMLAttributes)
		}
		end := 0
		for end < len(b) && !endsName[b[end]] {
			end++
		}
		key := b[:end]
		b = bytes.TrimLeft(b[end:], " \t\r\n")
		if end == 0 || len(b) == 0 || b[0] != '=' {
			return fmt.Errorf("<%s> has an attribute without a name or a value", name)
		}
		b = bytes.TrimLeft(b[1:], " \t\r\n")
		if len(b) == 0 || b[0] != '"' && b[0] != '\'' {
			return fmt.Errorf("<%s>: the value of %s is not in quotes", name, key)
		}
		quote := bytes.IndexByte(b[1:], b[0])
		if quote < 0 {
			return fmt.Errorf("<%s>: the value of %s has no end", name, key)
		}
		value, err := gosax.Unescape(b[1 : 1+quote])
		if err != nil {
			return unescapeError(err)
		}
		f(key, value)
		b = b[quote+2:]
	}
}

// text returns the text of a text or CDATA event. It changes the event.
func (t *tokens) text(e gosax.Event) ([]byte, error) {
	if e.Type() == gosax.EventCData {
		return e.Bytes[len("<![CDATA[") : len(e.Bytes)-len("]]>")], nil
	}
	b, err := gosax.Unescape(e.Bytes)
	if err == nil {
		return b, nil
	}
	if _, next := t.event(); errors.Is(next, io.ErrUnexpectedEOF) {
		return nil, next // what is wrong is that it ends there
	}
	return nil, unescapeError(err)
}

func unescapeError(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("a character reference that is not one of XML's: %w", err)
}

// error turns err into an Error with its place.
func (t *tokens) error(err error, path []byte) error {
	if hasPlace(err) || gatewayError(err) {
		return err
	}
	reason := err.Error()
	if errors.Is(err, io.ErrUnexpectedEOF) {
		reason = cutShort
	}
	if len(path) > 200 {
		path = append(path[:200:200], "…"...)
	}
	return &Error{Offset: t.offset, Place: string(path), Reason: reason}
}

// bounded reads at most a number of bytes before more is allowed.
type bounded struct {
	r    io.Reader
	left int
}

// Read never returns nothing without an error, which gosax does not expect.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("a text or a tag is longer than %d MiB", maxXMLText>>20)
	}
	p = p[:min(len(p), b.left)]
	for range 100 {
		n, err := b.r.Read(p)
		b.left -= n
		if n > 0 {
			return n, nil
		}
		if err != nil {
			return 0, err
		}
	}
	return 0, io.ErrNoProgress
}
