package policies

import (
	"slices"

	"github.com/google/cel-go/checker"
)

// Sizes that CEL's cost estimate reckons with, in bytes and entries. Values that
// are larger are unknown to an expression: it can neither be made slow by them
// nor be passed by hiding something at their end.
const (
	maxText = 4000 // what parsers cut at
	maxWord = 200  // an entry of a list
	maxList = 200
)

// sizes tells CEL's cost estimate how long the texts and lists of findings can be.
type sizes struct{}

// EstimateSize returns the size of a field, of an element of a list, or nil.
func (sizes) EstimateSize(n checker.AstNode) *checker.SizeEstimate {
	if n.Type().TypeName() == "list" {
		return &checker.SizeEstimate{Max: maxList}
	}
	if path := n.Path(); len(path) > 0 && path[len(path)-1] == "@items" {
		return &checker.SizeEstimate{Max: maxWord}
	}
	return &checker.SizeEstimate{Max: maxText}
}

// EstimateCallCost leaves the cost of functions to CEL.
func (sizes) EstimateCallCost(string, string, *checker.AstNode, []checker.AstNode) *checker.CallEstimate {
	return nil
}

// nearest returns the field whose name is most like one that is not known, if
// it is at most two letters away.
func nearest(name string) string {
	best, least := "", 3
	for i := range fields {
		if d := distance(name, fields[i].name); d < least {
			best, least = fields[i].name, d
		}
	}
	if i := slices.IndexFunc([]byte(best), func(b byte) bool { return b == '.' }); i >= 0 {
		return best[i+1:]
	}
	return best
}

// distance is the number of letters to put in, leave out or change to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			next := min(row[j], row[j+1]) + 1
			if a[i] == b[j] {
				next = min(next, diagonal)
			} else {
				next = min(next, diagonal+1)
			}
			diagonal, row[j+1] = row[j+1], next
		}
	}
	return row[len(b)]
}
