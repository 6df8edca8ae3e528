package parsers

import (
	"bytes"
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Markdown returns a text that scanners write as HTML as Markdown: paragraphs,
// lists, links, emphasis, code and tables' rows. What has no tags comes back
// with its character references read and nothing else changed.
func Markdown(s string) string {
	if !strings.ContainsAny(s, "<&") {
		return strings.TrimSpace(s)
	}
	m := markdown{b: make([]byte, 0, len(s)+16)}
	if !strings.Contains(s, "<") { // no tags: one text
		m.write(html.UnescapeString(s))
		return collapse(strings.TrimSpace(string(m.b)))
	}
	m.z = html.NewTokenizer(strings.NewReader(s))
	for {
		kind := m.z.Next()
		if kind == html.ErrorToken {
			break
		}
		m.token(kind)
	}
	m.link()
	m.pre(false)
	return collapse(strings.TrimSpace(string(m.b)))
}

// collapse makes several blank lines one.
func collapse(s string) string {
	if !strings.Contains(s, "\n\n\n") && !strings.Contains(s, "\n ") {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	blank := false
	for line := range strings.Lines(s) {
		if strings.TrimSpace(line) == "" {
			blank = true
			continue
		}
		if blank {
			b.WriteByte('\n')
		}
		b.WriteString(line)
		blank = false
	}
	return b.String()
}

// markdown writes HTML's tokens as Markdown.
type markdown struct {
	z     *html.Tokenizer
	b     []byte
	lists []int  // of each open list the next number; 0 for a bulleted one
	href  string // of the open link
	text  int    // where its text begins
	inPre bool
	drop  atom.Atom // the open element whose text is not shown
}

func (m *markdown) token(kind html.TokenType) {
	switch kind {
	case html.TextToken:
		if m.drop == 0 {
			m.write(html.UnescapeString(string(m.z.Raw())))
		}
	case html.StartTagToken, html.SelfClosingTagToken:
		raw := string(m.z.Raw())
		name, more := m.z.TagName()
		tag := atom.Lookup(name)
		switch {
		case m.drop != 0:
		case tag == 0: // not a tag of HTML: the scanner quotes something
			m.write(raw)
		default:
			m.start(tag, more, kind == html.SelfClosingTagToken)
		}
	case html.EndTagToken:
		name, _ := m.z.TagName()
		if tag := atom.Lookup(name); m.drop == 0 || m.drop == tag {
			m.drop = 0
			m.end(tag)
		}
	}
}

// write adds text, whose white space counts only in a pre.
func (m *markdown) write(s string) {
	if m.inPre {
		m.b = append(m.b, s...)
		return
	}
	words := strings.TrimSpace(s)
	if words == "" {
		if s != "" && !m.fresh() {
			m.b = append(m.b, ' ')
		}
		return
	}
	if strings.TrimLeft(s, " \t\r\n") != s && !m.fresh() {
		m.b = append(m.b, ' ')
	}
	for word := range strings.FieldsSeq(words) {
		m.b = append(append(m.b, word...), ' ')
	}
	m.b = m.b[:len(m.b)-1]
	if strings.TrimRight(s, " \t\r\n") != s {
		m.b = append(m.b, ' ')
	}
}

// fresh tells whether a space would be at the start of a line or after another.
func (m *markdown) fresh() bool {
	last := len(m.b) - 1
	return last < 0 || m.b[last] == '\n' || m.b[last] == ' '
}

// line begins a new line, unless the text is at one.
func (m *markdown) line() {
	if last := len(m.b) - 1; last >= 0 && m.b[last] != '\n' {
		m.b = append(m.b, '\n')
	}
}

func (m *markdown) paragraph() {
	if len(m.b) > 0 && len(m.lists) == 0 {
		m.line()
		m.b = append(m.b, '\n')
	} else {
		m.line()
	}
}

func (m *markdown) start(tag atom.Atom, more, closed bool) {
	if m.inPre && tag != atom.Br {
		return
	}
	switch tag {
	case atom.Br:
		m.b = append(m.b, '\n')
	case atom.P, atom.Div, atom.Table, atom.Blockquote, atom.Dl, atom.Hr:
		m.blankAfterBullet()
	case atom.Tr, atom.Dt, atom.Dd:
		m.line()
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		m.paragraph()
		m.b = append(m.b, "#### "...)
	case atom.Ul:
		m.list(0)
	case atom.Ol:
		m.list(1)
	case atom.Li:
		m.item()
	case atom.B, atom.Strong:
		m.b = append(m.b, "**"...)
	case atom.Code, atom.Tt, atom.Kbd, atom.Samp:
		m.b = append(m.b, '`')
	case atom.Pre:
		m.pre(true)
	case atom.A:
		m.link()
		m.href, m.text = m.attr("href", more), len(m.b)
	case atom.Img:
		m.write(m.attr("alt", more))
	case atom.Script, atom.Style, atom.Head, atom.Title, atom.Iframe:
		if !closed {
			m.drop = tag
		}
	}
}

func (m *markdown) end(tag atom.Atom) {
	if m.inPre && tag != atom.Pre {
		return
	}
	switch tag {
	case atom.P, atom.Div, atom.Table, atom.Blockquote, atom.Dl, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		m.paragraph()
	case atom.Ul, atom.Ol:
		if len(m.lists) > 0 {
			m.lists = m.lists[:len(m.lists)-1]
		}
		m.paragraph()
	case atom.Td, atom.Th:
		m.b = append(m.b, " | "...)
	case atom.B, atom.Strong:
		m.b = append(m.b, "**"...)
	case atom.Code, atom.Tt, atom.Kbd, atom.Samp:
		m.b = append(m.b, '`')
	case atom.Pre:
		m.pre(false)
	case atom.A:
		m.link()
	}
}

// blankAfterBullet begins a paragraph, but keeps a bullet's first on its line.
func (m *markdown) blankAfterBullet() {
	if line := m.b[bytes.LastIndexByte(m.b, '\n')+1:]; len(m.lists) > 0 && len(line) < 40 && bytes.HasSuffix(line, []byte{' '}) && len(bytes.TrimLeft(line, " -.0123456789")) == 0 {
		return
	}
	m.paragraph()
}

func (m *markdown) list(first int) {
	if len(m.lists) == 0 {
		m.paragraph()
	}
	if len(m.lists) < 8 {
		m.lists = append(m.lists, first)
	}
}

func (m *markdown) item() {
	m.line()
	mark := "- "
	if n := len(m.lists); n > 0 {
		m.b = append(m.b, strings.Repeat("  ", n-1)...)
		if m.lists[n-1] > 0 {
			mark = strconv.Itoa(m.lists[n-1]) + ". "
			m.lists[n-1]++
		}
	}
	m.b = append(m.b, mark...)
}

func (m *markdown) pre(open bool) {
	if m.inPre == open {
		return
	}
	if open {
		m.paragraph()
	} else {
		m.line()
	}
	m.inPre = open
	m.b = append(m.b, "```\n"...)
	if !open {
		m.b = append(m.b, '\n')
	}
}

// link ends the open link: "[text](href)", or the address alone when that is its text.
func (m *markdown) link() {
	href := strings.TrimSpace(m.href)
	m.href = ""
	if !strings.HasPrefix(href, "http://") && !strings.HasPrefix(href, "https://") || strings.ContainsAny(href, " \n") {
		return
	}
	text := strings.TrimSpace(string(m.b[m.text:]))
	if text == href {
		return
	}
	if text != "" {
		href = "[" + text + "](" + href + ")"
	}
	m.b = append(m.b[:m.text], href...)
}

// attr returns an attribute of the tag that was read last.
func (m *markdown) attr(name string, more bool) string {
	for more {
		var key, value []byte
		key, value, more = m.z.TagAttr()
		if string(key) == name {
			return string(value)
		}
	}
	return ""
}
