package stream

import (
	"bytes"
	"encoding/xml"
	"iter"
	"strings"

	"github.com/orisano/gosax"
)

// Node is an element that is read whole. It and its children are used again for
// the next record: keep their texts, not them.
type Node struct {
	Name string // the local name

	space    string // the name space, of the record itself alone
	attrs    []nodeAttr
	children []Node
	text     []byte // before the first child
	tail     []byte // after the element, as in Python's ElementTree
}

// maxKept is how many bytes of records are read into the same nodes before
// their room is given back.
const maxKept = 8 << 20

type nodeAttr struct{ name, value string }

// Parts are elements within a record, by their path in it ("instances/instance"),
// that are handed over one by one and not kept: for records without a bound.
type Parts map[string]func(part *Node) error

// Record reads each such element whole and calls f with it.
func Record(f func(n *Node) error) Handler { return RecordOf(nil, f) }

// RecordOf reads each such element and calls f with it at its end; its parts
// are called before that, as they come, and are not in it.
func RecordOf(parts Parts, f func(n *Node) error) Handler {
	var n Node
	var kept int64 // bytes read since n was last made anew
	return func(d *XMLDecoder, start xml.StartElement) error {
		if kept > maxKept {
			n, kept = Node{}, 0
		}
		n.reset(start.Name.Local)
		n.space = start.Name.Space
		for _, a := range start.Attr {
			n.attrs = append(n.attrs, nodeAttr{a.Name.Local, a.Value})
		}
		d.tokens.hold()
		r := nodeReader{t: d.tokens, parts: parts}
		from := d.tokens.offset
		err := r.read(&n)
		d.tokens.free()
		kept += d.tokens.offset - from
		if err != nil {
			return err
		}
		return f(&n)
	}
}

// Attr returns an attribute by its local name, or nothing.
func (n *Node) Attr(name string) string {
	for i := range n.attrs {
		if n.attrs[i].name == name {
			return n.attrs[i].value
		}
	}
	return ""
}

// Attrs calls yield with all attributes, by their local names.
func (n *Node) Attrs(yield func(name, value string) bool) {
	for _, a := range n.attrs {
		if !yield(a.name, a.value) {
			return
		}
	}
}

// Text returns the text in the element itself, without the white space around it.
func (n *Node) Text() string {
	if len(n.children) == 0 {
		return string(bytes.TrimSpace(n.text))
	}
	return strings.TrimSpace(n.own())
}

// own returns the text in the element itself.
func (n *Node) own() string {
	if len(n.children) == 0 {
		return string(n.text)
	}
	var b strings.Builder
	b.Write(n.text)
	for i := range n.children {
		b.Write(n.children[i].tail)
	}
	return b.String()
}

// Raw returns the text before the first child as it is, with its white space.
func (n *Node) Raw() string { return string(n.text) }

// Whole returns all text in the element and in what it holds.
func (n *Node) Whole() string {
	var b strings.Builder
	n.whole(&b)
	return strings.TrimSpace(b.String())
}

func (n *Node) whole(b *strings.Builder) {
	b.Write(n.text)
	for i := range n.children {
		n.children[i].whole(b)
		b.Write(n.children[i].tail)
	}
}

// Get returns the text of the first element at a path, or nothing.
func (n *Node) Get(path string) string { return n.At(path).Text() }

// Has tells whether there is an element at a path.
func (n *Node) Has(path string) bool { return n.At(path) != &none }

// At returns the first element at a path "a/b", or an empty one.
func (n *Node) At(path string) *Node {
	if c := n.first(path); c != nil {
		return c
	}
	return &none
}

// first returns the first element at a path, or nil.
func (n *Node) first(path string) *Node {
	name, rest, deeper := strings.Cut(path, "/")
	for i := range n.children {
		c := &n.children[i]
		if c.Name != name && name != "*" {
			continue
		}
		if deeper {
			c = c.first(rest)
		}
		if c != nil {
			return c
		}
	}
	return nil
}

// none is what At returns when there is no such element.
var none Node

// Each iterates over the elements at a path, "*" for any name.
func (n *Node) Each(path string) iter.Seq[*Node] {
	return func(yield func(*Node) bool) { n.each(path, yield) }
}

func (n *Node) each(path string, yield func(*Node) bool) bool {
	name, rest, deeper := strings.Cut(path, "/")
	for i := range n.children {
		c := &n.children[i]
		if c.Name != name && name != "*" {
			continue
		}
		if deeper {
			if !c.each(rest, yield) {
				return false
			}
		} else if !yield(c) {
			return false
		}
	}
	return true
}

// All iterates over the children, and the text before each and after the last.
func (n *Node) All(yield func(text string, child *Node) bool) {
	text := n.text
	for i := range n.children {
		if !yield(string(text), &n.children[i]) {
			return
		}
		text = n.children[i].tail
	}
	yield(string(text), nil)
}

func (n *Node) reset(name string) {
	n.Name, n.text, n.tail = name, n.text[:0], n.tail[:0]
	n.attrs, n.children = n.attrs[:0], n.children[:0]
}

// add returns a new last child, which has the room of one that was there before.
func (n *Node) add(name string) *Node {
	if len(n.children) < cap(n.children) {
		n.children = n.children[:len(n.children)+1]
	} else {
		n.children = append(n.children, Node{})
	}
	c := &n.children[len(n.children)-1]
	c.reset(name)
	return c
}

// addText adds text after what the element holds so far.
func (n *Node) addText(b []byte) {
	p := &n.text
	if last := len(n.children) - 1; last >= 0 {
		p = &n.children[last].tail
	}
	*p = append(*p, b...)
}

// nodeReader reads the elements of one record.
type nodeReader struct {
	t     *tokens
	parts Parts
	path  []byte // from the record to the open element, if there are parts
}

// read reads what is in n, to its end.
func (r *nodeReader) read(n *Node) error {
	for {
		e, err := r.t.event()
		if err != nil {
			return err
		}
		switch e.Type() {
		case gosax.EventEnd:
			return nil
		case gosax.EventStart:
			err = r.child(n, e.Bytes)
		default:
			err = r.text(n, e)
		}
		if err != nil {
			return err
		}
	}
}

func (r *nodeReader) text(n *Node, e gosax.Event) error {
	b, err := r.t.text(e)
	n.addText(b)
	return err
}

// child reads the element of a start tag into n, or hands it over as a part.
func (r *nodeReader) child(n *Node, tag []byte) error {
	c := n.add(r.t.opened())
	from, nodes := r.t.offset-int64(len(tag)), r.t.heldNodes-1
	err := attributes(tag, func(name, value []byte) {
		c.attrs = append(c.attrs, nodeAttr{local(r.t.intern(name)), string(value)})
	})
	if err != nil {
		return err
	}
	if r.parts == nil {
		return r.read(c)
	}
	above := len(r.path)
	if above > 0 {
		r.path = append(r.path, '/')
	}
	r.path = append(r.path, c.Name...)
	if err := r.read(c); err != nil {
		return err
	}
	f := r.parts[string(r.path)]
	r.path = r.path[:above]
	if f == nil {
		return nil
	}
	err = f(c)
	n.children = n.children[:len(n.children)-1]
	r.t.heldOffset += r.t.offset - from
	r.t.heldNodes = nodes
	return err
}
