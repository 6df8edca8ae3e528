package parsers

import "testing"

func TestPlace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file string
		line *int
		want string
	}{{"a.go", new(7), "a.go:7"}, {"a.go", nil, "a.go"}, {"a.go", new(0), "a.go"}, {"", new(7), ""}} {
		if got := Place(c.file, c.line); got != c.want {
			t.Errorf("Place(%q, %v) = %q, want %q", c.file, c.line, got, c.want)
		}
	}
}
