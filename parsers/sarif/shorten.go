package sarif

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// shortMark ends a text that Shorten cut.
const shortMark = " [...]"

// Shorten makes text one line of at most width characters, cut between words or
// after the hyphen in one: as DefectDojo makes titles, so that ours are the same.
func Shorten(text string, width int) string {
	text = oneLine(text)
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	pieces := split([]rune(text))
	n, end := 0, 0
	for end < len(pieces) && n+len(pieces[end]) <= width {
		n += len(pieces[end])
		end++
	}
	if end < len(pieces) && len(pieces[end]) > width {
		pieces[end] = pieces[end][:width-n]
		n = width
		end++
	}
	for ; end > 0; end-- {
		last := pieces[end-1]
		if string(last) != " " && n+len(shortMark) <= width {
			var b strings.Builder
			for _, p := range pieces[:end] {
				b.WriteString(string(p))
			}
			return b.String() + shortMark
		}
		n -= len(last)
	}
	return strings.TrimSpace(shortMark)
}

// oneLine makes one space of all white space, and none at the ends.
func oneLine(text string) string {
	space := true // before the current character
	for i := range len(text) {
		c := text[i]
		if c < ' ' || c >= utf8.RuneSelf || c == ' ' && space {
			return strings.Join(strings.Fields(text), " ")
		}
		space = c == ' '
	}
	if space {
		return strings.TrimSuffix(text, " ")
	}
	return text
}

// split cuts a text into words, the spaces between them, and the parts of words
// with hyphens.
func split(text []rune) [][]rune {
	var pieces [][]rune
	from := 0
	cut := func(to int) {
		if to > from {
			pieces = append(pieces, text[from:to])
			from = to
		}
	}
	for i, r := range text {
		switch {
		case r == ' ':
			cut(i)
			cut(i + 1)
		case r == '-' && breaksAfter(text, i):
			cut(i + 1)
		}
	}
	cut(len(text))
	return pieces
}

// breaksAfter tells whether a word may be cut after its hyphen at i: letters
// stand on both sides of it.
func breaksAfter(text []rune, i int) bool {
	letter := func(i int) bool { return i >= 0 && i < len(text) && (unicode.IsLetter(text[i]) || text[i] == '_') }
	before := letter(i-1) && letter(i-2) || i >= 3 && text[i-2] == '-' && letter(i-3) && letter(i-1)
	after := letter(i+1) && (letter(i+2) || i+3 < len(text) && text[i+2] == '-' && letter(i+3))
	return before && after
}
