package generic

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"defectdojo/parsers/stream"
)

// TestReadAsUnmarshal compares reading a finding by hand with decoding it by its
// type, with each key of the format and each kind of value.
func TestReadAsUnmarshal(t *testing.T) {
	t.Parallel()
	values := []string{`null`, `1`, `-2.5`, `"1"`, `"a, b"`, `"true"`, `true`, `false`, `""`, `["x", 2, null]`, `[]`, `{}`, `{"host": "example.org"}`, `[{"title": "a.txt", "data": "eA=="}]`, "\"\\u00e4 \xff\""}
	keys := []string{"not_of_the_format"}
	for field := range reflect.TypeFor[finding]().Fields() {
		if key := field.Tag.Get("json"); !strings.HasPrefix(key, ",") {
			keys = append(keys, key)
		}
	}
	for _, key := range keys {
		for _, value := range values {
			report := fmt.Sprintf(`[{"more": 1, %q: %s}]`, key, value)
			if key != "not_of_the_format" {
				report = fmt.Sprintf(`[{%q: %s}]`, key, value)
			}
			var got, want finding
			err := readWith(t, report, stream.Quick(func(c *stream.Cursor, f *finding) { f.read(c) }, func(f *finding) error { got = *f; return nil }))
			wantErr := readWith(t, report, stream.One(func(f finding) error { want = f; return nil }))
			if fmt.Sprint(err) != fmt.Sprint(wantErr) {
				t.Errorf("%s: error %v, want %v", report, err, wantErr)
			}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(flag{})); diff != "" {
				t.Errorf("%s (-decoded +read):\n%s", report, diff)
			}
		}
	}
}

func readWith(t *testing.T, report string, v stream.Value) error {
	t.Helper()
	in, err := stream.NewInput(t.Context(), strings.NewReader(report), stream.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return stream.JSON(in, stream.Array(v))
}
