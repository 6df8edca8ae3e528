package store

import (
	"maps"
	"slices"
	"strings"
	"time"

	"defectdojo/gate"
)

// columns maps the names by which a list can be filtered to SQL expressions.
type columns map[string]string

// known returns the column of a name.
func (c columns) known(name string) (string, error) {
	if column, ok := c[name]; ok {
		return column, nil
	}
	return "", gate.FieldErrorf(name, "there is no such filter")
}

// Range is a span of time or of numbers; nil is no bound.
type Range struct {
	From *time.Time // and after
	To   *time.Time // exclusive
}

// NumberRange is a span of numbers, both bounds inclusive; nil is no bound.
type NumberRange struct{ Min, Max *float64 }

// TagFilter narrows a list by tags. Tags are in lower case.
type TagFilter struct {
	Contains    string   // one of the tags contains it
	NotContains string   // none of the tags contains it
	Any         []string // one of them is there
	All         []string // all of them are there
	None        []string // none of them is there
	Has         *bool    // there are tags at all
}

// on adds the filter's conditions on the column tags. The inside of parent,
// "… in (select … where %)", takes them when the column is another table's.
func (f TagFilter) on(w *where, parent string) {
	const column = "tags"
	add := func(condition string, args ...any) {
		if parent != "" {
			condition = strings.Replace(parent, "%", condition, 1)
		}
		w.and(condition, args...)
	}
	like := "exists (select from unnest(" + column + ") tag where tag ilike ?)"
	if f.Contains != "" {
		add(like, "%"+likeEscape.Replace(f.Contains)+"%")
	}
	if f.NotContains != "" {
		add("not "+like, "%"+likeEscape.Replace(f.NotContains)+"%")
	}
	if len(f.Any) > 0 {
		add(column+" && ?", f.Any)
	}
	if len(f.All) > 0 {
		add(column+" @> ?", f.All)
	}
	if len(f.None) > 0 {
		add("not "+column+" && ?", f.None)
	}
	if f.Has != nil {
		add("("+column+" <> '{}') = ?", *f.Has)
	}
}

// each calls add with the column and the value of every entry, in the order of names.
func each[T any](c columns, values map[string]T, add func(column string, v T)) error {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		column, err := c.known(name)
		if err != nil {
			return err
		}
		add(column, values[name])
	}
	return nil
}

func flags(w *where, c columns, values map[string]bool) error {
	return each(c, values, func(column string, v bool) {
		if v {
			w.and(column) // as it stands, so that a partial index on it serves
		} else {
			w.and("not " + column)
		}
	})
}

func texts(w *where, c columns, values map[string]string) error {
	return each(c, values, func(column, v string) { contains(w, column, v) })
}

func exactly(w *where, c columns, values map[string]string) error {
	return each(c, values, func(column, v string) { w.and("lower("+column+") = lower(?)", v) })
}

// numbers adds "one of values". A column that is itself an array shares one with them.
func numbers(w *where, c columns, values map[string][]int64) error {
	return each(c, values, func(column string, v []int64) {
		switch {
		case v == nil:
		case strings.HasPrefix(column, "array("):
			w.and(column+" && ?", v)
		default:
			w.and(column+" = any(?)", v)
		}
	})
}

func words(w *where, c columns, values map[string][]string) error {
	return each(c, values, func(column string, v []string) { oneOf(w, column, v) })
}

func times(w *where, c columns, values map[string]Range) error {
	return each(c, values, func(column string, v Range) {
		if v.From != nil {
			w.and(column+" >= ?", *v.From)
		}
		if v.To != nil {
			w.and(column+" < ?", *v.To)
		}
	})
}

func ranges(w *where, c columns, values map[string]NumberRange) error {
	return each(c, values, func(column string, v NumberRange) {
		if v.Min != nil {
			w.and(column+" >= ?", *v.Min)
		}
		if v.Max != nil {
			w.and(column+" <= ?", *v.Max)
		}
	})
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
