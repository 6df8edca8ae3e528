package api

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

var trues = []string{"t", "y", "yes", "true", "on", "1"}

var falses = []string{"f", "n", "no", "false", "off", "0"}

// flag reads a boolean in any of its spellings. In a form, one that is not
// there is false: that is how browsers send a box that is not ticked.
func (f *form) flag(name string, into *bool, rules rule) {
	if f.html && !f.partial && !f.has(name) && rules&required == 0 {
		*into = false
		return
	}
	v, done := f.scalar(name, rules, func() { *into = false })
	if done {
		return
	}
	if b, ok := parseFlag(v); ok {
		*into = b
	} else {
		f.problems.add(name, "Must be a valid boolean.")
	}
}

// maybeFlag reads a boolean that may be null or missing.
func (f *form) maybeFlag(name string, into **bool) {
	v, done := f.scalar(name, nullable, func() { *into = nil })
	if done {
		return
	}
	b, ok := parseFlag(v)
	if !ok {
		f.problems.add(name, "Must be a valid boolean.")
		return
	}
	*into = &b
}

func parseFlag(v jsontext.Value) (value, ok bool) {
	s := strings.ToLower(strings.TrimSpace(plain(v)))
	if slices.Contains(trues, s) {
		return true, true
	}
	return false, slices.Contains(falses, s)
}

// whole reads an integer from low to high.
func whole[T int32 | int64](f *form, name string, into **T, low, high T) {
	v, done := f.scalar(name, nullable, func() { *into = nil })
	if done {
		return
	}
	n, err := strconv.ParseInt(trimZeros(plain(v)), 10, 64)
	switch {
	case err != nil || v.Kind() == 't' || v.Kind() == 'f':
		f.problems.add(name, "A valid integer is required.")
	case n > int64(high):
		f.problems.add(name, "Ensure this value is less than or equal to %d.", high)
	case n < int64(low):
		f.problems.add(name, "Ensure this value is greater than or equal to %d.", low)
	default:
		t := T(n)
		*into = &t
	}
}

// trimZeros makes "1.0" a whole number.
func trimZeros(s string) string {
	s = strings.TrimSpace(s)
	if head, tail, ok := strings.Cut(s, "."); ok && strings.Trim(tail, "0") == "" {
		return head
	}
	return s
}

// amount reads a number from 0 to high, with a fraction.
func (f *form) amount(name string, into **float64, high float64) {
	v, done := f.scalar(name, nullable, func() { *into = nil })
	if done {
		return
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(plain(v)), 64)
	switch {
	case err != nil:
		f.problems.add(name, "A valid number is required.")
	case n > high:
		f.problems.add(name, "Ensure this value is less than or equal to %v.", high)
	case n < 0 || math.IsNaN(n):
		f.problems.add(name, "Ensure this value is greater than or equal to 0.")
	default:
		*into = &n
	}
}

var decimal = regexp.MustCompile(`^\+?\d{1,13}(\.\d{1,2}0*)?$`)

// money reads a decimal of two places, which travels as text.
func (f *form) money(name string, into **string) {
	v, done := f.scalar(name, nullable, func() { *into = nil })
	if done {
		return
	}
	s := strings.TrimSpace(plain(v))
	if !decimal.MatchString(s) {
		f.problems.add(name, "A valid number is required.")
		return
	}
	*into = &s
}
