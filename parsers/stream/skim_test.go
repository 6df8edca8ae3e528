package stream

import (
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
)

// skim reads a report without the arrays "r" in objects of lists.
func skim(t *testing.T, report string) string {
	t.Helper()
	var texts []string
	for _, r := range []func(io.Reader) io.Reader{func(r io.Reader) io.Reader { return r }, iotest.OneByteReader} {
		in := &Input{ctx: t.Context(), r: r(strings.NewReader(report)), limits: Limits{}.WithDefaults()}
		in.Skim("r", 2)
		b, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(b))
	}
	if texts[0] != texts[1] {
		t.Errorf("%q: read whole %q, by byte %q", report, texts[0], texts[1])
	}
	return texts[0]
}

func TestSkim(t *testing.T) {
	t.Parallel()
	for report, want := range map[string]string{
		`[{"r": [1, "]", {"r": [2]}, "\"]", "\\"] , "s": 1}, {"r":[]}]`: `[{"r": [] , "s": 1}, {"r":[]}]`,
		`{"r": [1], "x": {"r" : [2], "rr": [3], "s": "r", "t": [4]}}`:   `{"r": [1], "x": {"r" : [], "rr": [3], "s": "r", "t": [4]}}`,
		`[["r", [1]], {"r": {"r": [1]}}, {"\u0072": [1], "r\"": [2]}]`:  `[["r", [1]], {"r": {"r": [1]}}, {"\u0072": [1], "r\"": [2]}]`,
		`[{"r": [`:   `[{"r": [`,
		`[{"r": [1`:  `[{"r": [`,
		`]}{"r":[1]`: `]}{"r":[1]`,
	} {
		if got := skim(t, report); got != want {
			t.Errorf("%s: %s, want %s", report, got, want)
		}
	}
}

// TestSkimRandom compares with leaving out by the JSON library.
func TestSkimRandom(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		report := randomJSON(rnd, 5)
		var got, want any
		if err := Unmarshal(jsontext.Value(skim(t, report)), &got); err != nil {
			t.Fatalf("%s: %v", report, err)
		}
		if err := Unmarshal(jsontext.Value(report), &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(without(want, 0), got); diff != "" {
			t.Fatalf("%s (-library +skim):\n%s", report, diff)
		}
	}
}

// without empties the arrays that skim leaves out.
func without(v any, depth int) any {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			if _, ok := x.([]any); ok && k == "r" && depth == 1 {
				v[k] = []any{}
			} else {
				v[k] = without(x, depth+1)
			}
		}
	case []any:
		for i, x := range v {
			v[i] = without(x, depth+1)
		}
	}
	return v
}

func randomJSON(rnd *rand.Rand, depth int) string {
	var parts []string
	kind := rnd.IntN(4)
	for _, key := range []string{`"r"`, `"q"`, `"r\\"`, `"\""`}[:rnd.IntN(5)] {
		if kind == 0 {
			key += " :\n"
		} else {
			key = ""
		}
		parts = append(parts, key+randomValue(rnd, depth-1))
	}
	if kind == 0 {
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return "[ " + strings.Join(parts, ",") + "]"
}

func randomValue(rnd *rand.Rand, depth int) string {
	if depth > 0 && rnd.IntN(4) > 0 {
		return randomJSON(rnd, depth)
	}
	return []string{`"r"`, `"]"`, `"\\\\\"["`, `1`, `null`, `""`, `"\\"`}[rnd.IntN(7)]
}
