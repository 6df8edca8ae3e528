package api

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"defectdojo/gate/store"
)

// query reads the parameters of a list. A name that is given twice counts
// once, the last time; a blank value is none. What it does not know it ignores.
type query struct {
	values   url.Values
	problems problems
	now      time.Time
}

// query returns the request's parameters.
func (r *request) query() *query {
	v := url.Values{}
	for key, value := range r.Context().QueryArgs().All() {
		v.Add(string(key), string(value))
	}
	return &query{values: v, problems: problems{}, now: r.now}
}

// err returns what is wrong with the parameters.
func (q *query) err() error {
	if len(q.problems) > 0 {
		return q.problems
	}
	return nil
}

// text returns a parameter, or "".
func (q *query) text(name string) string {
	v := q.values[name]
	if len(v) == 0 {
		return ""
	}
	return strings.TrimSpace(v[len(v)-1])
}

// maybe returns a parameter, or nil.
func (q *query) maybe(name string) *string { return orNil(q.text(name)) }

// flag reads a boolean as Django's filter forms do: what is no boolean is no filter.
func (q *query) flag(name string) *bool {
	t, f := true, false
	switch q.text(name) {
	case "true", "True", "2":
		return &t
	case "false", "False", "3":
		return &f
	}
	return nil
}

// plainFlag reads a boolean of a resource without a filter form of its own.
func (q *query) plainFlag(name string) *bool {
	t, f := true, false
	switch strings.ToLower(q.text(name)) {
	case "true", "1":
		return &t
	case "false", "0":
		return &f
	}
	return nil
}

// flags collects the booleans that are given.
func (q *query) flags(names ...string) map[string]bool {
	out := map[string]bool{}
	for _, n := range names {
		if v := q.flag(n); v != nil {
			out[n] = *v
		}
	}
	return out
}

// texts collects the texts that are given.
func (q *query) texts(names ...string) map[string]string {
	out := map[string]string{}
	for _, n := range names {
		if v := q.text(n); v != "" {
			out[n] = v
		}
	}
	return out
}

// exactly collects the texts that are given, each as the only one allowed.
func (q *query) exactly(names ...string) map[string][]string {
	out := map[string][]string{}
	for n, v := range q.texts(names...) {
		out[n] = []string{v}
	}
	return out
}

// list reads a comma list of texts, or nil.
func (q *query) list(name string) []string {
	var out []string
	for v := range strings.SplitSeq(q.text(name), ",") {
		if v = strings.TrimSpace(v); v != "" {
			out = append(out, v)
		}
	}
	return out
}

// numbers collects the comma lists of numbers that are given.
func (q *query) numbers(names ...string) map[string][]int64 {
	out := map[string][]int64{}
	for _, n := range names {
		if v := q.number(n); v != nil {
			out[n] = v
		}
	}
	return out
}

func (q *query) number(name string) []int64 {
	var out []int64
	for _, v := range q.list(name) {
		n, err := strconv.ParseFloat(v, 64)
		if err != nil || n != float64(int64(n)) {
			q.problems.add(name, "Enter a number.")
			return nil
		}
		out = append(out, int64(n))
	}
	return out
}

// reference reads the ID of something that must be there and be seen.
func (q *query) reference(ctx context.Context, name string, seen func(context.Context, int64) (bool, error)) ([]int64, error) {
	v := q.text(name)
	if v == "" {
		return nil, nil
	}
	if id, ok := parseID(v); ok {
		there, err := seen(ctx, id)
		if err != nil {
			return nil, err
		}
		if there {
			return []int64{id}, nil
		}
	}
	q.problems.add(name, "Select a valid choice. That choice is not one of the available choices.")
	return nil, nil
}

// choices reads one or more of some values, each given by its own parameter of the same name.
func (q *query) choices(name string, allowed ...string) []string {
	var out []string
	for _, v := range q.values[name] {
		if v == "" {
			continue
		}
		if !slices.Contains(allowed, v) {
			q.problems.add(name, "Select a valid choice. %s is not one of the available choices.", v)
			return nil
		}
		out = append(out, v)
	}
	return out
}

// choice reads one of some values.
func (q *query) choice(name string, allowed ...string) []string {
	v := q.text(name)
	if v == "" {
		return nil
	}
	if !slices.Contains(allowed, v) {
		q.problems.add(name, "Select a valid choice. %s is not one of the available choices.", v)
		return nil
	}
	return []string{v}
}

// span reads one of DefectDojo's numbered spans of time: 1 is today, 2 the past
// 7 days, 3 the past 30, 4 the past 90, 5 this month, 6 this year, 7 the past year.
func (q *query) span(name string) (store.Range, bool) {
	y, m, d := q.now.UTC().Date()
	today := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	tomorrow := today.AddDate(0, 0, 1)
	since := func(t time.Time) (store.Range, bool) { return store.Range{From: &t, To: &tomorrow}, true }
	switch v := q.text(name); v {
	case "":
		return store.Range{}, false
	case "1":
		return since(today)
	case "2":
		return since(today.AddDate(0, 0, -7))
	case "3":
		return since(today.AddDate(0, 0, -30))
	case "4":
		return since(today.AddDate(0, 0, -90))
	case "5":
		return since(time.Date(y, m, 1, 0, 0, 0, 0, time.UTC))
	case "6":
		return since(time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC))
	case "7":
		return since(today.AddDate(0, 0, -365))
	default:
		q.problems.add(name, "Select a valid choice. %s is not one of the available choices.", v)
		return store.Range{}, false
	}
}

// spans collects the spans of time that are given.
func (q *query) spans(names ...string) map[string]store.Range {
	out := map[string]store.Range{}
	for _, n := range names {
		if r, ok := q.span(n); ok {
			out[n] = r
		}
	}
	return out
}

// date reads a day.
func (q *query) date(name string) *time.Time {
	v := q.text(name)
	if v == "" {
		return nil
	}
	t, err := time.Parse(time.DateOnly, v)
	if err != nil {
		q.problems.add(name, "Enter a valid date.")
		return nil
	}
	return &t
}

// instant reads a date and time; a day is its first instant.
func (q *query) instant(name string) *time.Time {
	v := q.text(name)
	if v == "" {
		return nil
	}
	t, ok := parseInstant(v)
	if !ok {
		q.problems.add(name, "Enter a valid date/time.")
		return nil
	}
	return &t
}

// onDay adds to times the day that a parameter names.
func (q *query) onDay(times map[string]store.Range, column, name string) {
	if d := q.date(name); d != nil {
		next := d.AddDate(0, 0, 1)
		times[column] = store.Range{From: d, To: &next}
	}
}

// amount reads a number with a fraction.
func (q *query) amount(name string) *float64 {
	v := q.text(name)
	if v == "" {
		return nil
	}
	f, err := strconv.ParseFloat(v, 64)
	if err != nil {
		q.problems.add(name, "Enter a number.")
		return nil
	}
	return &f
}

// tags reads the parameters about tags whose names have a prefix: "", "test__" ….
func (q *query) tags(prefix string) store.TagFilter {
	lower := func(v []string) []string {
		for i := range v {
			v[i] = strings.ToLower(v[i])
		}
		return v
	}
	return store.TagFilter{
		Contains:    q.text(prefix + "tag"),
		NotContains: q.text("not_" + prefix + "tag"),
		Any:         lower(q.list(prefix + "tags")),
		All:         lower(q.list(prefix + "tags__and")),
		None:        lower(q.list("not_" + prefix + "tags")),
		Has:         q.flag("has_" + prefix + "tags"),
	}
}
