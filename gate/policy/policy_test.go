package policy

import (
	"strings"
	"testing"
)

// TestDiff: what is common stays, what differs is told on both sides, and each
// side can be read back.
func TestDiff(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string][3]string{
		"same":     {"a\nb\n", "a\nb\n", " a b"},
		"changed":  {"a\nb\nc\n", "a\nx\nc\n", " a-b+x c"},
		"added":    {"a\nc\n", "a\nb\nc\n", " a+b c"},
		"removed":  {"a\nb\nc\n", "c\n", "-a-b c"},
		"from_nil": {"", "a\n", "+a"},
		"moved":    {"a\nb\nc\nd\n", "c\na\nb\nd\n", "+c a b-c d"},
	} {
		var got, a, b strings.Builder
		for _, l := range Diff(tt[0], tt[1]) {
			got.WriteString(string(l.Op) + l.Text)
			if l.Op != '+' {
				a.WriteString(l.Text + "\n")
			}
			if l.Op != '-' {
				b.WriteString(l.Text + "\n")
			}
		}
		if got.String() != tt[2] || a.String() != tt[0] || b.String() != tt[1] {
			t.Errorf("%s: %q, want %q", name, got.String(), tt[2])
		}
	}
	if d := Diff(strings.Repeat("a\n", 5000), strings.Repeat("b\n", 5000)); len(d) != 10_000 {
		t.Errorf("%d lines", len(d))
	}
}

// TestPresets: each is one that lint has nothing against.
func TestPresets(t *testing.T) {
	t.Parallel()
	for _, p := range Presets() {
		if r := Lint(p.Name, p.Source, nil); len(r.Errors)+len(r.Warnings) > 0 || p.Description == "" {
			t.Errorf("%s: %v %v", p.Name, r.Errors, r.Warnings)
		}
	}
}
