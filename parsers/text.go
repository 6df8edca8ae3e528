package parsers

import (
	"strconv"
	"strings"
)

// Text builds the Markdown of a finding's description: a few paragraphs first,
// then named facts, then code. Blank parts are left out.
type Text struct{ b strings.Builder }

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
		if t.b.Len() > 0 {
			if strings.HasSuffix(t.b.String(), "\n") {
				t.b.WriteString("\n")
			} else {
				t.b.WriteString("\n\n")
			}
		}
		t.write("**", name, ":** ", v)
	}
	return t
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
	items = cleanList(items)
	if len(items) == 0 {
		return t
	}
	t.gap()
	t.b.WriteString("- " + strings.Join(items, "\n- "))
	return t
}

// write adds the parts, with room for a few more the first time.
func (t *Text) write(parts ...string) {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	if t.b.Len() == 0 {
		n += roomForMore
	}
	t.b.Grow(n)
	for _, p := range parts {
		t.b.WriteString(p)
	}
}

// roomForMore is how much the first part leaves for those that follow, so that
// most texts are not moved while they grow.
const roomForMore = 96

func (t *Text) gap() {
	if t.b.Len() > 0 {
		t.b.WriteString("\n\n")
	}
}

// String returns the Markdown.
func (t *Text) String() string { return t.b.String() }

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
