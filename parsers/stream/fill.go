package stream

import (
	"encoding/xml"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// filler fills structs of one type from elements, by the tags of encoding/xml:
// "name", "a>b", "name,attr" and ",chardata", for fields that are strings,
// structs or slices of these, and XMLName, which has its name space in the record
// itself alone. Else it gives what encoding/xml gives, at several times its speed.
type filler struct {
	attrs    []field
	elements []field
	text     []int // fields of the element's own text
	name     int   // XMLName, or -1
}

type field struct {
	index  int
	path   string // "a/b", or an attribute's name
	filler *filler
	many   bool
}

// fillers are those that were made, by the struct's type.
var fillers sync.Map

// fillerOf returns the filler of a struct's type; it panics on a type that it
// does not know, which a parser's first report shows.
func fillerOf(t reflect.Type) *filler {
	if f, ok := fillers.Load(t); ok {
		return f.(*filler)
	}
	f := makeFiller(t, map[reflect.Type]*filler{})
	fillers.Store(t, f)
	return f
}

// makeFiller makes a filler; making are those of the types around it, which it
// may be part of.
func makeFiller(t reflect.Type, making map[reflect.Type]*filler) *filler {
	if f := making[t]; f != nil {
		return f
	}
	f := &filler{name: -1}
	making[t] = f
	for i := range t.NumField() {
		s := t.Field(i)
		tag, option, _ := strings.Cut(s.Tag.Get("xml"), ",")
		switch {
		case s.Name == "XMLName":
			f.name = i
		case !s.IsExported():
		case option == "chardata":
			f.text = append(f.text, i)
		case option == "attr" && s.Type.Kind() == reflect.String:
			f.attrs = append(f.attrs, field{index: i, path: tag})
		case option == "" && tag != "":
			f.elements = append(f.elements, elementField(i, tag, s.Type, making))
		default:
			panic(fmt.Sprintf("stream.Element: %s.%s: the tag %q is not known", t, s.Name, s.Tag))
		}
	}
	return f
}

func elementField(i int, tag string, t reflect.Type, making map[reflect.Type]*filler) field {
	f := field{index: i, path: strings.ReplaceAll(tag, ">", "/")}
	if t.Kind() == reflect.Slice {
		f.many, t = true, t.Elem()
	}
	switch t.Kind() {
	case reflect.String:
	case reflect.Struct:
		f.filler = makeFiller(t, making)
	default:
		panic(fmt.Sprintf("stream.Element: a field of type %s is not known", t))
	}
	return f
}

// fill fills v, a struct, from n. Of an element that stands several times where
// there is one field for it the last counts.
func (f *filler) fill(n *Node, v reflect.Value) {
	if f.name >= 0 {
		v.Field(f.name).Set(reflect.ValueOf(xml.Name{Space: n.space, Local: n.Name}))
	}
	for _, a := range f.attrs {
		if i := slices.IndexFunc(n.attrs, func(x nodeAttr) bool { return x.name == a.path }); i >= 0 {
			v.Field(a.index).SetString(n.attrs[i].value)
		}
	}
	for _, i := range f.text {
		v.Field(i).SetString(n.own())
	}
	for _, e := range f.elements {
		to := v.Field(e.index)
		n.each(e.path, func(c *Node) bool {
			if e.many {
				to.Grow(1)
				to.SetLen(to.Len() + 1)
				e.set(c, to.Index(to.Len()-1))
			} else {
				e.set(c, to)
			}
			return true
		})
	}
}

func (e *field) set(n *Node, to reflect.Value) {
	if e.filler != nil {
		e.filler.fill(n, to)
		return
	}
	to.SetString(n.own())
}
