package stream

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"defectdojo/gate"
	"defectdojo/parsers/stream/streamtest"
)

// item is a record of the reports in these tests.
type item struct {
	Name Text            `json:"name"`
	Line Int             `json:"line"`
	Tags OneOrMany[Text] `json:"tags"`
}

// readNames reads the names in {"items": [{"name": …}]}.
func readNames(t testing.TB, report io.ReadSeeker, limits Limits) ([]string, error) {
	in, err := NewInput(t.Context(), report, limits)
	if err != nil {
		return nil, err
	}
	var names []string
	err = JSON(in, Object(Fields{"items": Each(func(i item) error {
		names = append(names, string(i.Name))
		return nil
	})}, "items"))
	Locate(in, err)
	return names, err
}

func TestJSON(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		report string
		want   []string
	}{
		"plain":             {`{"items": [{"name": "a"}, {"name": "b"}]}`, []string{"a", "b"}},
		"other_keys":        {`{"x": [[{}]], "items": [{"y": {"name": "z"}, "name": "a"}], "z": null}`, []string{"a"}},
		"none":              {`{"items": []}`, nil},
		"null":              {`{"items": null}`, nil},
		"other_kinds":       {`{"items": [{"name": 1.50}, {"name": true}, {"name": null}, {"name": {"a": 1}}]}`, []string{"1.50", "true", "", `{"a": 1}`}},
		"byte_order_mark":   {"\xef\xbb\xbf" + `{"items": [{"name": "a"}]}`, []string{"a"}},
		"utf16_little":      {"\xff\xfe" + utf16(`{"items": [{"name": "ä"}]}`, false), []string{"ä"}},
		"utf16_big":         {"\xfe\xff" + utf16(`{"items": [{"name": "ä"}]}`, true), []string{"ä"}},
		"bytes_not_utf8":    {"{\"items\": [{\"name\": \"a\xffb\"}]}", []string{"a\ufffdb"}},
		"lone_surrogate":    {`{"items": [{"name": "\ud800"}]}`, []string{"\ufffd"}},
		"nul_escaped":       {`{"items": [{"name": "a\u0000b"}]}`, []string{"a\x00b"}},
		"space_at_the_end":  {"{\"items\": []} \r\n\t ", nil},
		"numbers_out_range": {`{"items": [{"name": 1e999, "line": 99999999999999999999}]}`, []string{"1e999"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := readNames(t, strings.NewReader(c.report), Limits{})
			if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
				t.Errorf("error %v, names (-want +got):\n%s", err, diff)
			}
		})
	}
}

// utf16 writes a text of the basic plane as UTF-16.
func utf16(s string, big bool) string {
	var b []byte
	for _, r := range s {
		hi, lo := byte(r>>8), byte(r)
		if big {
			b = append(b, hi, lo)
		} else {
			b = append(b, lo, hi)
		}
	}
	return string(b)
}

func TestJSONRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ report, want string }{
		"empty":              {"", "line 1, column 1: the report is empty"},
		"spaces":             {" \n ", "the report is empty"},
		"cut_in_a_text":      {"{\"items\": [\n  {\"name\": \"ab", "line 2"},
		"cut_after_a_record": {"{\"items\": [{\"name\": \"a\"},", "cut short"},
		"cut_after_the_list": {"{\"items\": [{\"name\": \"a\"}]", "cut short"},
		"other_kind":         {`{"items": {"name": "a"}}`, "line 1, column 11 (/items): want an array, got an object"},
		"other_root":         {`[1]`, "line 1, column 1: want an object, got an array"},
		"missing":            {`{"item": []}`, `there is no "items"`},
		"trailing_text":      {`{"items": []} x`, "line 1, column 15"},
		"trailing_value":     {`{"items": []} {}`, "more after the end of the report"},
		"trailing_nul":       {"{\"items\": []}\x00", "line 1, column 14"},
		"nul":                {"{\"items\": [{\"name\": \"a\x00b\"}]}", "line 1, column 23"},
		"duplicate_key":      {"{\"items\": [\n{\"name\": \"a\", \"name\": \"b\"}]}", "line 2, column 15 (/items/0/name): duplicate"},
		"duplicate_at_root":  {`{"items": [], "items": [{"name": "a"}]}`, "duplicate"},
		"duplicate_skipped":  {`{"x": {"severity": "low", "severity": "high"}, "items": []}`, "duplicate"},
		"deep":               {`{"x": ` + strings.Repeat("[", 20_000), "depth"},
		"deep_skipped":       {`{"x": ` + strings.Repeat(`{"a":`, 20_000), "depth"},
		"html":               {"<html>", "line 1, column 1"},
		"utf16_cut":          {"\xff\xfe" + utf16(`{"items": [`, false) + "\x5d", "invalid character"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := readNames(t, strings.NewReader(c.report), Limits{})
			wantError(t, err, gate.Internal, c.want)
		})
	}
}

// TestJSONPosition counts columns in characters, from 1.
func TestJSONPosition(t *testing.T) {
	t.Parallel()
	_, err := readNames(t, strings.NewReader("{\"ä\": 1,\r\n \"ö\": \"é\", oops}"), Limits{})
	var e *Error
	if !errors.As(err, &e) || e.Line != 2 || e.Column != 12 {
		t.Errorf("got %v", err)
	}
}

// TestJSONDepth refuses what a Value walks deeper than the limit.
func TestJSONDepth(t *testing.T) {
	t.Parallel()
	var walk Value
	walk = func(d *Decoder) error {
		return ByKind(Kinds{'[': Array(func(d *Decoder) error { return walk(d) }), '0': Skip})(d)
	}
	in, err := NewInput(t.Context(), strings.NewReader(strings.Repeat("[", 600)+"1"+strings.Repeat("]", 600)), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, JSON(in, walk), gate.Internal, "nested deeper than 512 levels")
}

// TestJSONOneLine reads 128 MiB of records on one line.
func TestJSONOneLine(t *testing.T) {
	unit := `{"name": "` + strings.Repeat("x", 8000) + `"},`
	report := &streamtest.Repeated{Before: `{"items": [`, Unit: unit, Times: 128 << 20 / len(unit), After: `{"name": "last"}]}`}
	cheaply(t, func() {
		in, err := NewInput(t.Context(), report, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		err = JSON(in, Object(Fields{"items": Each(func(item) error { n++; return nil })}))
		if err != nil || n != report.Times+1 {
			t.Errorf("%d records, error %v", n, err)
		}
	})
}

// TestJSONLongValue gives one text of 128 MiB, read or skipped.
func TestJSONLongValue(t *testing.T) {
	for _, key := range []string{"items", "skipped"} {
		report := &streamtest.Repeated{Before: `{"` + key + `": [{"name": "`, Unit: strings.Repeat("x", 1024), Times: 128 << 10, After: `"}]}`}
		in, err := NewInput(t.Context(), report, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		err = JSON(in, Object(Fields{"items": Each(func(item) error { return nil })}))
		wantError(t, err, gate.Internal, "a value is longer than 32 MiB")
	}
}

func TestJSONTooLarge(t *testing.T) {
	t.Parallel()
	_, err := readNames(t, strings.NewReader(`{"items": [`+strings.Repeat(`{"name": "a"},`, 1000)+`{}]}`), Limits{Bytes: 1000})
	wantError(t, err, gate.TooLarge, "larger than 0 MiB")
}

func TestJSONs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		report, errorHas string
		want             int
	}{
		"lines":      {"{\"name\": \"a\"}\n{\"name\": \"b\"}\n", "", 2},
		"no_breaks":  {`{"name": "a"}{"name": "b"}`, "", 2},
		"pretty":     {"{\n  \"name\": \"a\"\n}\r\n\r\n{\n  \"name\": \"b\"\n}", "", 2},
		"empty":      {"", "", 0},
		"cut":        {"{\"name\": \"a\"}\n{\"name\": \"b", "cut short", 1},
		"other_kind": {"{\"name\": \"a\"}\n7", "want an object", 1},
		"rubbish":    {"{\"name\": \"a\"}\nlog line\n", "invalid character", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, err := NewInput(t.Context(), strings.NewReader(c.report), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			err = JSONs(in, One(func(item) error { n++; return nil }))
			if n != c.want || (err != nil) != (c.errorHas != "") || err != nil && !strings.Contains(err.Error(), c.errorHas) {
				t.Errorf("%d values, error %v", n, err)
			}
		})
	}
}

// TestEntriesDuplicate refuses a key that is data and stands twice.
func TestEntriesDuplicate(t *testing.T) {
	t.Parallel()
	in, err := NewInput(t.Context(), strings.NewReader(`{"a": 1, "a": 2}`), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, JSON(in, Entries(func(_ string, d *Decoder) error { return Skip(d) })), gate.Internal, "duplicate")
}

func TestJSONCanceled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	report := &streamtest.Repeated{Before: `[`, Unit: "1,", Times: 1 << 20, After: "1]"}
	in, err := NewInput(ctx, report, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	err = JSON(in, Each(func(Int) error {
		if n++; n == 10 {
			cancel()
		}
		return nil
	}))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v after %d", err, n)
	}
}

func TestTypes(t *testing.T) {
	t.Parallel()
	var got struct {
		I []Int             `json:"i"`
		F []Float           `json:"f"`
		M []OneOrMany[Text] `json:"m"`
		L []Lenient[item]   `json:"l"`
	}
	report := `{"i": [1, "2", 3.9, "x", null, 1e99, [1], -4], "f": [1.5, "2.5", "NaN", 1e999, null], "m": ["a", ["b", 1], null], "l": [{"name": "n"}, "text", null, [1]]}`
	in, err := NewInput(t.Context(), strings.NewReader(report), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if err := JSON(in, Into(&got)); err != nil {
		t.Fatal(err)
	}
	want := got
	want.I = []Int{{1, true}, {2, true}, {3, true}, {}, {}, {}, {}, {-4, true}}
	want.F = []Float{{1.5, true}, {2.5, true}, {}, {}, {}}
	want.M = []OneOrMany[Text]{{"a"}, {"b", "1"}, nil}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if l := got.L; len(l) != 4 || !l[0].OK || l[0].Value.Name != "n" || l[1].OK || l[3].OK {
		t.Errorf("lenient: %+v", l)
	}
}

func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"items": [{"name": "a", "line": "1", "tags": ["x"]}]}`, `{"items": null}`, `[`, "\xff\xfe{\x00", `{"items": [{"name": 1e999}]}`, "{}\n{}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		limits := Limits{Bytes: 1 << 20}
		names, err := readNames(t, bytes.NewReader(b), limits)
		if err != nil && err.Error() == "" {
			t.Error("an error without words")
		}
		for _, n := range names {
			if !utf8.ValidString(n) && utf8.Valid(b) {
				t.Errorf("%q", n)
			}
		}
		in, err := NewInput(t.Context(), bytes.NewReader(b), limits)
		if err == nil {
			_ = JSONs(in, Skip)
		}
	})
}
