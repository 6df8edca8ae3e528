package policies

import (
	"strings"
)

// glob matches names and paths: "?" is one character, "*" any within a path
// element, "**" any at all. "dir/**" also matches "dir".
type glob struct {
	text  string
	plain bool
}

func newGlob(text string) glob {
	return glob{text: text, plain: !strings.ContainsAny(text, "*?")}
}

func newGlobs(texts []string) []glob {
	gs := make([]glob, len(texts))
	for i, t := range texts {
		gs[i] = newGlob(t)
	}
	return gs
}

func (g glob) match(s string) bool {
	if g.plain {
		return g.text == s
	}
	if dir, ok := strings.CutSuffix(g.text, "/**"); ok && matchGlob(dir, s) {
		return true
	}
	return matchGlob(g.text, s)
}

// matchAny tells whether one of the globs matches.
func matchAny(gs []glob, s string) bool {
	for _, g := range gs {
		if g.match(s) {
			return true
		}
	}
	return false
}

// matchGlob walks pattern and s side by side and goes back to the last star where
// they part: at most len(pattern)·len(s) steps for each kind of star.
func matchGlob(p, s string) bool {
	i, j := 0, 0
	star, starJ := -1, 0 // the last "*"
	deep, deepJ := -1, 0 // the last "**"
	elements := false    // it was "**/": only whole path elements
	for j < len(s) {
		switch {
		case strings.HasPrefix(p[i:], "**"):
			i += 2
			if strings.HasPrefix(p[i:], "/") && (j == 0 || s[j-1] == '/') {
				i++
				deep, deepJ, elements = i, j, true
			} else {
				deep, deepJ, elements = i, j, false
			}
			star = -1
		case i < len(p) && p[i] == '*':
			i++
			star, starJ = i, j
		case i < len(p) && (p[i] == s[j] || p[i] == '?' && s[j] != '/'):
			i++
			j++
		case star >= 0 && s[starJ] != '/':
			starJ++
			i, j = star, starJ
		case deep >= 0:
			for deepJ++; elements && deepJ < len(s) && s[deepJ-1] != '/'; deepJ++ {
			}
			i, j, star = deep, deepJ, -1
		default:
			return false
		}
	}
	return strings.Trim(p[i:], "*") == ""
}
