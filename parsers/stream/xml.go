package stream

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/orisano/gosax"
)

// Elements says what to do with the elements of a report, by their path of
// local names from the root: "nmaprun/host". A path that begins with "*/" is
// met at any depth: "*/issue". Elements that no path names are walked through.
type Elements map[string]Handler

// Handler handles one element. It may read on to the element's end; what it
// leaves is walked through.
type Handler func(d *XMLDecoder, start xml.StartElement) error

// XMLDecoder stands within an element: Record, Element and CharData read on with
// it to the element's end.
type XMLDecoder struct{ tokens *tokens }

// Element decodes each such element into a T, a struct with tags as those of
// encoding/xml, and calls f with it.
func Element[T any](f func(T) error) Handler {
	filler, v := fillerOf(reflect.TypeFor[T]()), new(T)
	return Record(func(n *Node) error {
		var empty T
		*v = empty
		filler.fill(n, reflect.ValueOf(v).Elem())
		return f(*v)
	})
}

// Start calls f with each such element's attributes and walks on through its children.
func Start(f func(attr func(name string) string) error) Handler {
	return func(_ *XMLDecoder, start xml.StartElement) error {
		return f(func(name string) string { return Attr(start, name) })
	}
}

// CharData calls f with the text of each such element.
func CharData(f func(text string) error) Handler {
	return Record(func(n *Node) error { return f(n.Text()) })
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
	t := newTokens(in)
	d := &XMLDecoder{t}
	w := walk{elements: elements}
	for {
		e, err := t.event()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			switch e.Type() {
			case gosax.EventStart:
				err = w.start(d, e.Bytes, roots)
			case gosax.EventEnd:
				w.leave()
			default:
				_, err = t.text(e) // which nobody wants, but it must be right
			}
		}
		if err != nil {
			return t.error(err, w.path)
		}
	}
	if !t.rooted {
		return t.error(errors.New("the report is empty: it has no element"), nil)
	}
	return nil
}

// walk knows where in the document the reader is.
type walk struct {
	elements Elements
	path     []byte // local names from the root, joined by "/"
	ends     []int  // length of path before each open element
}

// start goes into the element of a start tag and calls its handler.
func (w *walk) start(d *XMLDecoder, tag []byte, roots []string) error {
	t := d.tokens
	name, open := t.opened(), len(t.open)
	if len(w.ends) == 0 && !slices.Contains(roots, name) {
		return fmt.Errorf("want <%s>, got <%s>", strings.Join(roots, "> or <"), name)
	}
	h := w.enter(name)
	if h == nil {
		if err := attributes(tag, func(_, _ []byte) {}); err != nil {
			w.leave()
			return err
		}
		return nil
	}
	s, err := t.start(tag)
	if err != nil {
		w.leave()
		return err
	}
	if err := h(d, s); err != nil {
		return err
	}
	if len(t.open) < open { // the handler read the element's end
		w.leave()
	}
	return nil
}

// enter goes into an element and returns its handler, or nil.
func (w *walk) enter(name string) Handler {
	w.ends = append(w.ends, len(w.path))
	if len(w.path) > 0 {
		w.path = append(w.path, '/')
	}
	w.path = append(w.path, name...)
	if h := w.elements[string(w.path)]; h != nil {
		return h
	}
	return w.elements["*/"+name]
}

func (w *walk) leave() {
	last := len(w.ends) - 1
	w.path, w.ends = w.path[:w.ends[last]], w.ends[:last]
}
