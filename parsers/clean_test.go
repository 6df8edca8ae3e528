package parsers

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"defectdojo/gate"
	"defectdojo/parsers/stream"
)

// TestNeedsCare compares needsCare, which looks at eight bytes at a time, with
// the rule it stands for, on texts of every length and offset.
func TestNeedsCare(t *testing.T) {
	t.Parallel()
	parts := []string{"a", "~", " ", "\n", "\t", "\r", "\x00", "\x1f", "\x7f", "\x80", "\xff", "ä", "€", "\u202e", "\u2066", "\u2065", "\U0001f600", "plain text "}
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		s := ""
		for range r.IntN(12) {
			i := r.IntN(len(parts))
			if r.IntN(2) == 0 {
				i = len(parts) - 1 // most texts are plain
			}
			s += parts[i]
		}
		want := !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool {
			return r < 0x20 && r != '\n' && r != '\t' || r == 0x7f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
		})
		if needsCare(s) != want {
			t.Fatalf("needsCare(%q) = %t", s, !want)
		}
	}
}

func TestCleanList(t *testing.T) {
	t.Parallel()
	long := make([]string, 40)
	for i := range long {
		long[i] = strings.Repeat("x", i+1)
	}
	for name, c := range map[string]struct{ list, want []string }{
		"none":     {nil, nil},
		"empty":    {[]string{}, nil},
		"clean":    {[]string{"b", "a"}, []string{"b", "a"}},
		"blank":    {[]string{"a", "", " "}, []string{"a"}},
		"repeated": {[]string{"a", "b", "a "}, []string{"a", "b"}},
		"controls": {[]string{"a\x00", "a"}, []string{"a"}},
		"long":     {slices.Concat(long, long), long},
	} {
		if diff := cmp.Diff(c.want, cleanList(c.list)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestEmitGivesListsOfItsOwn fails when two observations share a list: who
// takes one may sort it.
func TestEmitGivesListsOfItsOwn(t *testing.T) {
	t.Parallel()
	p := Parser{ScanType: "Test Scan", Parse: func(_ *stream.Input, out *Report) error {
		tags := []string{"b", "a"}
		for range 2 {
			out.Emit(gate.Observation{Title: "t", Tags: tags})
		}
		return nil
	}}
	var got []gate.Observation
	_, err := Read(t.Context(), p, strings.NewReader(""), Options{Emit: func(o gate.Observation) { got = append(got, o) }})
	if err != nil || len(got) != 2 {
		t.Fatalf("%d observations, error %v", len(got), err)
	}
	slices.Sort(got[0].Tags)
	if diff := cmp.Diff([]string{"b", "a"}, got[1].Tags); diff != "" {
		t.Error(diff)
	}
}
