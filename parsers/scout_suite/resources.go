package scout_suite

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"defectdojo/parsers/stream"
)

// Bounds of what is kept of resources.
const (
	maxResources = 100_000
	maxFacts     = 4 << 10  // bytes of one resource
	maxAllFacts  = 16 << 20 // of them all
)

// readResources returns a list of what the report says of each wanted resource.
func readResources(in *stream.Input, wanted map[string]bool) (map[string]string, error) {
	w := walker{wanted: wanted, inner: map[string]bool{}, facts: map[string]*strings.Builder{}}
	for path := range wanted {
		for i := range len(path) {
			if path[i] == '.' {
				w.inner[path[:i]] = true
			}
		}
	}
	err := read(in, stream.Fields{"services": stream.Entries(func(name string, d *stream.Decoder) error {
		return w.walk(d, name, "", "")
	})})
	facts := map[string]string{}
	for path, b := range w.facts {
		facts[path] = b.String()
	}
	return facts, err
}

// walker goes through services and notes the values of wanted resources.
type walker struct {
	wanted map[string]bool
	inner  map[string]bool // the paths on the way to them
	facts  map[string]*strings.Builder
	size   int
}

// walk reads the value at path. If it belongs to a wanted resource, owner is
// that one's path and name what to call the value there.
func (w *walker) walk(d *stream.Decoder, path, owner, name string) error {
	if w.wanted[path] {
		owner, name = path, ""
	}
	switch d.PeekKind() {
	case '{':
		if owner == "" && !w.inner[path] {
			return d.SkipValue()
		}
		return stream.Entries(func(key string, d *stream.Decoder) error {
			if owner == "" && key == "findings" && !strings.Contains(path, ".") {
				return d.SkipValue()
			}
			return w.walk(d, path+"."+key, owner, join(name, key))
		})(d)
	case '[':
		if owner == "" {
			return d.SkipValue()
		}
		return stream.Array(func(d *stream.Decoder) error { return w.walk(d, path+"[]", owner, name) })(d)
	}
	t, err := d.ReadToken()
	if err == nil && owner != "" && t.Kind() != jsontext.KindNull {
		w.note(owner, name, t.String())
	}
	return err
}

func join(name, key string) string {
	if name == "" {
		return key
	}
	return name + "." + key
}

func (w *walker) note(owner, name, value string) {
	b := w.facts[owner]
	if b == nil {
		b = &strings.Builder{}
		w.facts[owner] = b
	}
	line := "- " + strings.TrimPrefix(name+": ", ": ") + strings.Join(strings.Fields(value), " ") + "\n"
	if b.Len()+len(line) > maxFacts || w.size+len(line) > maxAllFacts {
		return
	}
	b.WriteString(line)
	w.size += len(line)
}
