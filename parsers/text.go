package parsers

import (
	"strconv"
	"strings"
)

// Text builds the Markdown of a finding's description: a few paragraphs first,
// then named facts, then code. Blank parts are left out.
type Text struct {
	b     strings.Builder  // what did not fit into parts
	parts [maxParts]string // what comes after it
	n     int              // of them
	size  int              // of all of it
}

// maxParts is how many pieces a Text holds before it joins them: most are that
// short, and are then made in one piece of the right size.
const maxParts = 40

// Add adds a paragraph.
func (t *Text) Add(paragraph string) *Text {
	if p := strings.TrimSpace(paragraph); p != "" {
		t.gap()
		t.write(p)
	}
	return t
}

// Fact adds a line "**name:** value".
func (t *Text) Fact(name, value string) *Text {
	if v := strings.TrimSpace(value); v != "" {
		t.write(t.beforeFact(), name, ":** ", v)
	}
	return t
}

// beforeFact is what stands before a fact's name.
func (t *Text) beforeFact() string {
	switch {
	case t.size == 0:
		return "**"
	case strings.HasSuffix(t.last(), "\n"):
		return "\n**"
	}
	return "\n\n**"
}

// Facts adds a line "**name:** a, b, c".
func (t *Text) Facts(name string, values []string) *Text {
	return t.Fact(name, strings.Join(cleanList(values), ", "))
}

// Section adds a heading with a text under it.
func (t *Text) Section(heading, text string) *Text {
	if s := strings.TrimSpace(text); s != "" {
		t.gap()
		t.write("### ", heading, "\n\n", s)
	}
	return t
}

// Code adds a fenced block. The fence is longer than any in the code.
func (t *Text) Code(language, code string) *Text {
	if strings.TrimSpace(code) == "" {
		return t
	}
	fence := "```"
	for strings.Contains(code, fence) {
		fence += "`"
	}
	t.gap()
	t.write(fence, language, "\n", strings.Trim(code, "\r\n"), "\n", fence)
	return t
}

// List adds a bulleted list.
func (t *Text) List(items []string) *Text {
	for i, item := range cleanList(items) {
		if i == 0 {
			t.gap()
			t.write("- ", item)
		} else {
			t.write("\n- ", item)
		}
	}
	return t
}

func (t *Text) gap() {
	if t.size > 0 {
		t.write("\n\n")
	}
}

func (t *Text) write(parts ...string) {
	if t.n+len(parts) > maxParts {
		t.join(t.size / 2)
	}
	for _, p := range parts {
		t.parts[t.n] = p
		t.n++
		t.size += len(p)
	}
}

// join makes one piece of all, with room for more.
func (t *Text) join(more int) {
	t.b.Grow(t.size - t.b.Len() + more)
	for _, p := range t.parts[:t.n] {
		t.b.WriteString(p)
	}
	t.n = 0
}

// last returns the end of the text.
func (t *Text) last() string {
	if t.n > 0 {
		return t.parts[t.n-1]
	}
	return t.b.String()
}

// String returns the Markdown.
func (t *Text) String() string {
	if t.n > 0 {
		t.join(0)
	}
	return t.b.String()
}

// Lines joins the parts that are not blank, one a line: for references.
func Lines(parts ...string) string { return strings.Join(cleanList(parts), "\n") }

// First returns the first of the parts that is not blank.
func First(parts ...string) string {
	for _, p := range parts {
		if p = strings.TrimSpace(p); p != "" {
			return p
		}
	}
	return ""
}

// Place names a line of a file, "file:7", or the file alone.
func Place(file string, line *int) string {
	if file == "" || line == nil || *line <= 0 {
		return file
	}
	return file + ":" + strconv.Itoa(*line)
}
