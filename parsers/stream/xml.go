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
	maxXMLDepth      = 256
	maxXMLAttributes = 256
	maxXMLText       = 16 << 20 // bytes of one text node
)

// Elements says what to do with the elements of a report, by their path of
// local names from the root: "nmaprun/host". A path that begins with "*/" is
// met at any depth: "*/issue". Elements that no path names are walked through.
type Elements map[string]Handler

// Handler handles one element. It may read on to the element's end; what it
// leaves is walked through.
type Handler func(d *XMLDecoder, start xml.StartElement) error

// XMLDecoder reads XML tokens.
type XMLDecoder struct {
	*xml.Decoder
	tokens *tokens
}

// Element decodes each such element into a T and calls f with it.
func Element[T any](f func(T) error) Handler {
	return func(d *XMLDecoder, start xml.StartElement) error {
		var v T
		if err := d.DecodeElement(&v, &start); err != nil {
			return err
		}
		return f(v)
	}
}

// Start calls f with each such element's attributes and walks on through its children.
func Start(f func(attr func(name string) string) error) Handler {
	return func(_ *XMLDecoder, start xml.StartElement) error {
		return f(func(name string) string { return Attr(start, name) })
	}
}

// CharData calls f with the text of each such element.
func CharData(f func(text string) error) Handler {
	return Element(func(v struct {
		Text string `xml:",chardata"`
	}) error {
		return f(strings.TrimSpace(v.Text))
	})
}

// Attr returns an attribute by its local name, or nothing.
func Attr(start xml.StartElement, name string) string {
	for _, a := range start.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// XML reads a report whose root element is one of roots. Documents that declare
// entities are refused; nothing outside the report is ever fetched.
func XML(in *Input, roots []string, elements Elements) error {
	t := &tokens{r: gosax.NewReaderSize(in, 64<<10)}
	d := &XMLDecoder{xml.NewTokenDecoder(t), t}
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // in is UTF-8 already
	var path []string
	rooted := false
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return t.error(err, path)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			if !rooted {
				if !slices.Contains(roots, tok.Name.Local) {
					return t.error(fmt.Errorf("want <%s>, got <%s>", strings.Join(roots, "> or <"), tok.Name.Local), nil)
				}
				rooted = true
			}
			path = append(path, tok.Name.Local)
			handler := elements[strings.Join(path, "/")]
			if handler == nil {
				handler = elements["*/"+tok.Name.Local]
			}
			if handler == nil {
				continue
			}
			open := t.depth
			if err := handler(d, tok); err != nil {
				return t.error(err, path)
			}
			if t.depth < open { // the handler read the element's end
				path = path[:len(path)-1]
			}
		case xml.EndElement:
			path = path[:len(path)-1]
		}
	}
	if !rooted {
		return t.error(errors.New("the report is empty: it has no element"), nil)
	}
	return nil
}

// tokens gives gosax's events to encoding/xml as tokens, under our limits.
type tokens struct {
	r      *gosax.Reader
	offset int64
	depth  int
}

// Token returns the next token.
func (t *tokens) Token() (xml.Token, error) {
	e, err := t.r.Event()
	if err != nil {
		return nil, err
	}
	t.offset += int64(len(e.Bytes))
	switch e.Type() {
	case gosax.EventStart:
		if t.depth++; t.depth > maxXMLDepth {
			return nil, fmt.Errorf("nested deeper than %d levels", maxXMLDepth)
		}
	case gosax.EventEnd:
		t.depth--
	case gosax.EventText, gosax.EventCData:
		if len(e.Bytes) > maxXMLText {
			return nil, fmt.Errorf("a text is longer than %d MiB", maxXMLText>>20)
		}
	case gosax.EventDocType:
		if bytes.ContainsRune(e.Bytes, '[') || bytes.Contains(e.Bytes, []byte("ENTITY")) {
			return nil, errors.New("it declares entities or a document type of its own, which is refused")
		}
	}
	tok, err := gosax.Token(e)
	if s, ok := tok.(xml.StartElement); ok && len(s.Attr) > maxXMLAttributes {
		return nil, fmt.Errorf("<%s> has more than %d attributes", s.Name.Local, maxXMLAttributes)
	}
	return tok, err
}

// error turns err into an Error with its place.
func (t *tokens) error(err error, path []string) error {
	if hasPlace(err) || gatewayError(err) {
		return err
	}
	reason := strings.TrimPrefix(err.Error(), "XML syntax error on ")
	if s, ok := errors.AsType[*xml.SyntaxError](err); ok {
		reason = s.Msg
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(reason, "unexpected EOF") {
		reason = cutShort
	}
	return &Error{Offset: t.offset, Place: strings.Join(path, "/"), Reason: reason}
}
