package github

import (
	"math"
	"slices"
	"testing"
)

func TestHunks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		patch string
		want  []Lines
	}{
		{"@@ -1,3 +1,4 @@ func main() {\n a\n+b\n c\n d", []Lines{{1, 4}}},
		{"@@ -1 +1 @@\n-a\n+b", []Lines{{1, 1}}},
		{"@@ -10,2 +12,3 @@\n a\n+@@ -1 +99 @@\n b\n@@ -40,0 +43,2 @@\n+x\n+y", []Lines{{12, 14}, {43, 44}}},
		{"@@ -5,3 +4,0 @@\n-a\n-b\n-c", []Lines{}},
		{"", []Lines{}},
		{"@@ -x +y @@\n@@ rubbish\n@@ -1,2 +3 without its end", []Lines{}},
	} {
		if got := hunks(c.patch); !slices.Equal(got, c.want) {
			t.Errorf("%q: %v, want %v", c.patch, got, c.want)
		}
	}
}

func TestDiffPlace(t *testing.T) {
	t.Parallel()
	d := Diff{Files: map[string][]Lines{"a.go": {{12, 14}, {43, 44}}, "big.bin": {{1, math.MaxInt}}, "moved.go": {}}}
	for _, c := range []struct {
		path     string
		line, at int
		ok       bool
	}{
		{"a.go", 12, 12, true},
		{"a.go", 14, 14, true},
		{"a.go", 15, 0, false},
		{"a.go", 44, 44, true},
		{"a.go", 0, 12, true},
		{"a.go", 1, 0, false},
		{"big.bin", 7000, 7000, true},
		{"big.bin", 0, 1, true},
		{"moved.go", 0, 0, false},
		{"b.go", 12, 0, false},
	} {
		if at, ok := d.Place(c.path, c.line); at != c.at || ok != c.ok {
			t.Errorf("%s:%d: %d %v", c.path, c.line, at, ok)
		}
	}
}
