package api

import (
	"context"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// finder tells whether there is something with an ID that may be referred to.
type finder func(ctx context.Context, id int64) (bool, error)

// reference reads the ID of something else.
func (f *form) reference(ctx context.Context, name string, into *int64, rules rule, there finder) {
	v, done := f.scalar(name, rules, func() { *into = 0 })
	if done {
		return
	}
	if id, ok := f.pk(ctx, name, v, there); ok {
		*into = id
	}
}

// maybeReference reads the ID of something else, or null.
func (f *form) maybeReference(ctx context.Context, name string, into **int64, there finder) {
	v, done := f.scalar(name, nullable, func() { *into = nil })
	if done {
		return
	}
	if id, ok := f.pk(ctx, name, v, there); ok {
		*into = &id
	}
}

func (f *form) pk(ctx context.Context, name string, v jsontext.Value, there finder) (int64, bool) {
	n, err := strconv.ParseInt(trimZeros(plain(v)), 10, 64)
	if err != nil {
		f.problems.add(name, "Incorrect type. Expected pk value, received %s.", pythonType(v))
		return 0, false
	}
	found, err := there(ctx, n)
	if err != nil {
		f.err = err
		return 0, false
	}
	if !found {
		f.problems.add(name, `Invalid pk "%d" - object does not exist.`, n)
	}
	return n, found
}

// references reads a list of IDs.
func (f *form) references(ctx context.Context, name string, into *[]int64, rules rule, there finder) {
	items, ok := f.items(name, rules)
	if !ok {
		return
	}
	ids := []int64{}
	for _, v := range items {
		id, ok := f.pk(ctx, name, v, there)
		if !ok {
			return
		}
		ids = append(ids, id)
	}
	*into = ids
}
