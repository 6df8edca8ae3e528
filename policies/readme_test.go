package policies

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

// TestREADME: the README tells of every field of expressions, every key of the
// language and every preset, and its sample is right.
func TestREADME(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	if table := fieldTable(); !strings.Contains(text, table) {
		if *update {
			head, tail, _ := strings.Cut(text, "<!-- fields -->\n")
			_, tail, _ = strings.Cut(tail, "\n\n")
			text = head + "<!-- fields -->\n" + table + "\n" + tail
			if err := os.WriteFile("README.md", []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		} else {
			t.Errorf("the table of fields must be (go test -update writes it):\n%s", table)
		}
	}
	_, sample, _ := strings.Cut(text, "```yaml\n")
	sample, _, _ = strings.Cut(sample, "```")
	p, err := Parse("README.md", FromServer, []byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range Lint([]*Policy{p}, Known{}) {
		t.Error(problem)
	}
	for _, key := range yamlKeys(reflect.TypeFor[Spec](), map[reflect.Type]bool{}) {
		if !strings.Contains(text, key) {
			t.Errorf("nothing about %s", key)
		}
	}
	for name, p := range Builtin() {
		if !strings.Contains(text, "| `"+name+"` | "+p.Description+" |") {
			t.Errorf("nothing about the preset %s: %s", name, p.Description)
		}
	}
}

func fieldTable() string {
	var b strings.Builder
	b.WriteString("| field | type | may be unknown | |\n|---|---|---|---|\n")
	for _, f := range Fields() {
		unknown := ""
		if f.Optional {
			unknown = "yes"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.Name, f.Type, unknown, f.Doc)
	}
	return b.String()
}

// yamlKeys lists the keys of a type and of those within it.
func yamlKeys(t reflect.Type, seen map[reflect.Type]bool) []string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || seen[t] {
		return nil
	}
	seen[t] = true
	var out []string
	for f := range t.Fields() {
		if key := f.Tag.Get("yaml"); key != "" {
			out = append(out, key)
			out = append(out, yamlKeys(f.Type, seen)...)
		}
	}
	return out
}
