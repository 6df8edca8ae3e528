package store

import (
	"context"
	"strconv"
	"strings"

	"defectdojo/gate"
)

// Page is the part of a list that a caller wants, and its order. Order holds
// names that the list knows, "-" before one for descending. A Limit of 0 is no limit.
type Page struct {
	Limit, Offset int
	Order         []string
}

// List is one page and how many rows there are on all pages.
type List[T any] struct {
	Count int
	Rows  []T
}

// where collects the conditions of a query and their arguments.
type where struct {
	sql  strings.Builder
	args []any
}

// and adds a condition; each ? in it is the next argument.
func (w *where) and(condition string, args ...any) {
	if w.sql.Len() == 0 {
		w.sql.WriteString(" where ")
	} else {
		w.sql.WriteString(" and ")
	}
	for {
		before, after, found := strings.Cut(condition, "?")
		w.sql.WriteString(before)
		if !found {
			return
		}
		w.args = append(w.args, args[0])
		w.sql.WriteString("$" + strconv.Itoa(len(w.args)))
		condition, args = after, args[1:]
	}
}

// scope lets only rows pass whose column is a product of s.
func (w *where) scope(column string, s gate.Scope) {
	if !s.All {
		w.and(column+" = any(?)", orEmpty(s.ProductIDs))
	}
}

// optional adds "column = value" if there is a value.
func optional[T any](w *where, column string, value *T) {
	if value != nil {
		w.and(column+" = ?", *value)
	}
}

// oneOf adds "column is one of values" if values is not nil; an empty one lets nothing pass.
func oneOf[T any](w *where, column string, values []T) {
	if values != nil {
		w.and(column+" = any(?)", values)
	}
}

// contains adds "column contains text", in any letter case, if there is a text.
func contains(w *where, column, text string) {
	if text != "" {
		w.and(column+" ilike ?", "%"+likeEscape.Replace(text)+"%")
	}
}

var likeEscape = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// orders maps the names by which a list can be sorted to what SQL sorts by; "-"
// before it turns the order round.
type orders map[string]string

// by returns the order clause for names, or for fallback when there are none.
// The key of the table comes last, so that pages do not overlap.
func (o orders) by(names []string, fallback, key string) (string, error) {
	var terms []string
	for _, n := range names {
		name, desc := strings.CutPrefix(n, "-")
		column, ok := o[name]
		if !ok {
			return "", gate.FieldErrorf("o", "Select a valid choice. %s is not one of the available choices.", n)
		}
		if reversed, is := strings.CutPrefix(column, "-"); is {
			column, desc = reversed, !desc
		}
		if desc {
			column += " desc"
		}
		terms = append(terms, column)
	}
	if len(terms) == 0 {
		terms = []string{fallback}
	}
	return " order by " + strings.Join(append(terms, key), ", "), nil
}

// window returns the clause for the page's rows.
func (p Page) window() string {
	s := ""
	if p.Limit > 0 {
		s = " limit " + strconv.Itoa(p.Limit)
	}
	if p.Offset > 0 {
		s += " offset " + strconv.Itoa(p.Offset)
	}
	return s
}

// list counts the rows of from under w and reads one page of them.
func list[T any](ctx context.Context, db DB, columns, from string, w *where, order string, p Page) (List[T], error) {
	var l List[T]
	var err error
	if l.Count, err = scalar[int](ctx, db, "select count(*) from "+from+w.sql.String(), w.args...); err != nil {
		return l, err
	}
	l.Rows, err = many[T](ctx, db, "select "+columns+" from "+from+w.sql.String()+order+p.window(), w.args...)
	return l, err
}

// exec runs a statement that must touch a row; what names the thing if it does not.
func exec(ctx context.Context, db DB, what, sql string, args ...any) error {
	tag, err := db.Exec(ctx, sql, args...)
	if err != nil {
		return conflict(err)
	}
	if tag.RowsAffected() == 0 {
		return gate.Errorf(gate.NotFound, "no such %s", what)
	}
	return nil
}

// orEmpty returns a slice that PostgreSQL takes for an empty array, not for null.
func orEmpty[T any](v []T) []T {
	if v == nil {
		return []T{}
	}
	return v
}
