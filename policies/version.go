package policies

import (
	"cmp"
	"strings"
)

// compareVersions compares by runs of digits and of letters: good enough to say
// which of two fixes of one package is the later.
func compareVersions(a, b string) int {
	for a != "" && b != "" {
		var x, y string
		x, a = cutChunk(a)
		y, b = cutChunk(b)
		if d := compareChunks(x, y); d != 0 {
			return d
		}
	}
	return cmp.Compare(len(a), len(b))
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

// cutChunk cuts the first run of digits, or of anything else, off.
func cutChunk(s string) (chunk, rest string) {
	i := 1
	for i < len(s) && isDigit(s[i]) == isDigit(s[0]) {
		i++
	}
	return s[:i], s[i:]
}

func compareChunks(x, y string) int {
	if isDigit(x[0]) && isDigit(y[0]) {
		x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
		return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y))
	}
	return cmp.Compare(x, y)
}
