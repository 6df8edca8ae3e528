package stream

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
)

// walkAny reads a value by its kind alone.
func walkAny(c *Cursor) any {
	switch c.Kind() {
	case '{':
		m := map[string]any{}
		for key := range c.Object {
			name := string(key)
			m[name] = walkAny(c)
		}
		return m
	case '[':
		list := []any{}
		for range c.Array {
			list = append(list, walkAny(c))
		}
		return list
	case '"':
		return c.String()
	case '0':
		return c.Float().F
	case 'n':
		c.Skip()
		return nil
	}
	return string(c.Text()) == "true"
}

var cursorSeeds = []string{
	`{"a": [1, -2.5e3, "x", true, false, null, {}, [], ""], "b" : {"c":{"d":[[1],[2,[3]]]}} }`,
	"[ \"\\\"\", \"\\\\\", \"\\\\\\\"\", \"\\u00e4\\ud83d\\ude00\", \"\xff\", \"ä\", \"a\\nb\" ]", `{"\u0061":1,"b\"":2}`, ` "x" `, "0", "\t[\r\n]", `{"a":{"b":"}]{["}}`,
}

func TestCursor(t *testing.T) {
	t.Parallel()
	for _, s := range cursorSeeds {
		sameAsDecoder(t, []byte(s))
	}
}

// sameAsDecoder compares what a Cursor reads with what the JSON library does.
func sameAsDecoder(t *testing.T, b []byte) {
	t.Helper()
	var want any
	v := jsontext.Value(b)
	if !v.IsValid(jsontext.AllowInvalidUTF8(true)) || Unmarshal(v, &want) != nil {
		return
	}
	c := NewCursor(v)
	got := walkAny(c)
	if diff := cmp.Diff(want, got); diff != "" || c.bad || c.Kind() != 0 {
		t.Errorf("%q: bad %t, at %d, -decoder +cursor:\n%s", b, c.bad, c.at, diff)
	}
	if c = NewCursor(v); string(c.Raw()) != strings.Trim(string(b), " \t\r\n") {
		t.Errorf("%q: skipped to %d", b, c.at)
	}
}

func FuzzCursor(f *testing.F) {
	for _, s := range cursorSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		sameAsDecoder(t, b)
		walkAny(NewCursor(b)) // also of what is not valid it may not panic, nor go on forever
	})
}

func TestQuick(t *testing.T) {
	t.Parallel()
	type item struct {
		Name string `json:"name"`
		N    Int    `json:"n"`
		Tags []Text `json:"tags"`
	}
	read := func(c *Cursor, v *item) {
		for key := range c.Object {
			switch string(key) {
			case "name":
				v.Name = c.String()
			case "n":
				v.N = c.Int()
			case "tags":
				for range c.Array {
					v.Tags = append(v.Tags, c.Text())
				}
			}
		}
	}
	for name, c := range map[string]struct{ report, want string }{
		"whole":         {`{"items": [{"name": "a", "n": "1", "tags": ["x", 2]}, {"n": 2.9, "more": {"x": [1]}}, {"name": null, "tags": null}]}`, ""},
		"not_a_string":  {`{"items": [{"name": "a"}, {"n": 1, "name": 5}]}`, `(/items/1/name): want a string, got a number`},
		"not_an_array":  {`{"items": [{"tags": "x"}]}`, `want an array, got a string`},
		"not_an_object": {`{"items": ["x"]}`, `(/items/0): want an object, got a string`},
		"twice":         {`{"items": [{"n": 1, "n": 2}]}`, `(/items/0/n): duplicate object member name`},
		"cut_short":     {`{"items": [{"n": 1, "tags": ["x"`, cutShort},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var one, two []item
			err := readWith(t, c.report, Quick(read, func(v *item) error { one = append(one, *v); return nil }))
			err2 := readWith(t, c.report, One(func(v item) error { two = append(two, v); return nil }))
			switch {
			case c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("error %v, want %q", err, c.want)
			case fmt.Sprint(err) != fmt.Sprint(err2):
				t.Errorf("Quick: %v, One: %v", err, err2)
			}
			if diff := cmp.Diff(two, one); diff != "" {
				t.Errorf("-One +Quick:\n%s", diff)
			}
		})
	}
}

func readWith(t *testing.T, report string, v Value) error {
	t.Helper()
	in, err := NewInput(t.Context(), strings.NewReader(report), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	err = JSON(in, Object(Fields{"items": Array(v)}))
	Locate(in, err)
	return err
}
