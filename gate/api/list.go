package api

import (
	"maps"
	"net/url"
	"strconv"

	"defectdojo/gate/store"
)

// defaultLimit is how many rows a page has when nobody says otherwise, and
// maxLimit how many it has at most.
const (
	defaultLimit = 25
	maxLimit     = 100_000
)

// page reads limit, offset and the order. Junk is ignored.
func (q *query) page() store.Page {
	p := store.Page{Limit: defaultLimit, Order: q.list("o")}
	if n, err := strconv.Atoi(q.text("limit")); err == nil && n > 0 {
		p.Limit = min(n, maxLimit)
	}
	if n, err := strconv.Atoi(q.text("offset")); err == nil && n > 0 {
		p.Offset = n
	}
	return p
}

// listing is a page of a list.
type listing struct {
	Count    int      `json:"count"`
	Next     *string  `json:"next"`
	Previous *string  `json:"previous"`
	Results  []any    `json:"results"`
	Prefetch prefetch `json:"prefetch,omitzero"`
}

// listing answers with a page. A nil prefetch is left out.
func (r *request) listing(q *query, p store.Page, count int, rows []any, pre prefetch) error {
	l := listing{Count: count, Results: rows, Prefetch: pre}
	if p.Offset+p.Limit < count {
		l.Next = r.turn(q.values, p.Limit, p.Offset+p.Limit)
	}
	if p.Offset > 0 {
		l.Previous = r.turn(q.values, p.Limit, p.Offset-p.Limit)
	}
	return r.reply(200, l)
}

// turn returns the absolute URL of another page: all parameters by name, and
// no offset for the first page.
func (r *request) turn(values url.Values, limit, offset int) *string {
	v := url.Values{}
	maps.Copy(v, values)
	v.Set("limit", strconv.Itoa(limit))
	if v.Del("offset"); offset > 0 {
		v.Set("offset", strconv.Itoa(offset))
	}
	s := r.BaseURL() + r.Path() + "?" + v.Encode()
	return &s
}
