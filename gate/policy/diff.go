package policy

import (
	"slices"
	"strings"
)

// Line is a line of two texts: of both, or of one alone.
type Line struct {
	Op   byte // ' ' both, '-' the first, '+' the second
	Text string
}

// diffCells bounds the work of comparing two texts; those that need more are
// told as wholly different.
const diffCells = 4 << 20

// Diff compares two texts line by line.
func Diff(a, b string) []Line {
	x, y := lines(a), lines(b)
	var head, tail []Line
	for len(x) > 0 && len(y) > 0 && x[0] == y[0] {
		head = append(head, Line{' ', x[0]})
		x, y = x[1:], y[1:]
	}
	for len(x) > 0 && len(y) > 0 && x[len(x)-1] == y[len(y)-1] {
		tail = append(tail, Line{' ', x[len(x)-1]})
		x, y = x[:len(x)-1], y[:len(y)-1]
	}
	slices.Reverse(tail)
	return slices.Concat(head, middle(x, y), tail)
}

func lines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(s, "\n"), "\n")
}

// middle compares by the longest common subsequence.
func middle(x, y []string) []Line {
	var out []Line
	if len(x)*len(y) > diffCells {
		for _, l := range x {
			out = append(out, Line{'-', l})
		}
		for _, l := range y {
			out = append(out, Line{'+', l})
		}
		return out
	}
	common := make([][]int32, len(x)+1) // lines in common from there on
	for i := range common {
		common[i] = make([]int32, len(y)+1)
	}
	for i := range slices.Backward(x) {
		for j := len(y) - 1; j >= 0; j-- {
			if x[i] == y[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(x) || j < len(y) {
		switch {
		case i < len(x) && j < len(y) && x[i] == y[j]:
			out = append(out, Line{' ', x[i]})
			i++
			j++
		case j == len(y) || i < len(x) && common[i+1][j] >= common[i][j+1]:
			out = append(out, Line{'-', x[i]})
			i++
		default:
			out = append(out, Line{'+', y[j]})
			j++
		}
	}
	return out
}
