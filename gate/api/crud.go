package api

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

// resource is what there is to know of a kind of thing to list, add, change
// and remove it.
type resource[T any] struct {
	path  string // "/products"
	model string // as the store calls it: "product"

	view, add, edit, remove auth.Action

	id func(T) int64
	// may returns nil if the sender may do to one what the route says; nil: the
	// action is on nothing, and was decided before.
	may func(r *request, v T) error
	// version tells whether one has changed meanwhile; nil: the last change wins.
	version func(T) time.Time

	// find returns one that the sender may see.
	find func(r *request, s *store.Store, id int64) (T, error)
	// page returns a page of those that the sender may see.
	page func(r *request, q *query) (store.List[T], store.Page, error)
	// fresh is one as it is when nobody says anything of it.
	fresh func(r *request) T
	// read reads the body into one. before is as it was, and its zero value for a new one.
	read func(r *request, f *form, before T, v *T)
	// mayAdd returns nil if the sender may add this one.
	mayAdd func(r *request, v T) error

	// made is the event of one that was added; nil: nobody is told.
	made func(v T) gate.Event
	// gone is the event of one that was removed, likewise: where it was.
	gone func(v T) gate.Event
	// entry is what the history says of a change beside its fields: the product
	// that one is of, and what it is called. Nil: nothing.
	entry func(v T) (product *int64, name string)
	// kept says that insert and update write the history themselves.
	kept bool
	// object is what the history calls one; blank: as the store does.
	object string

	insert, update func(ctx context.Context, s *store.Store, v T) (T, error)
	delete         func(ctx context.Context, s *store.Store, id int64) error
	// holds tells that others are in one, or may be, and go with it.
	holds bool

	// show returns what the API tells of some.
	show func(r *request, rows []T) ([]any, error)
	// refers lists what prefetch can bring along; nil: it is not offered.
	refers references[T]
}

// routes returns the resource's routes: those for which it has a function.
func (s resource[T]) routes() []route {
	all := []route{{fiber.MethodGet, s.path, s.view, s.getAll}}
	if s.insert != nil {
		all = append(all, route{fiber.MethodPost, s.path, s.add, s.post})
	}
	all = append(all, route{fiber.MethodGet, s.path + "/:id", s.view, s.getOne})
	if s.update != nil {
		all = append(all, route{fiber.MethodPut, s.path + "/:id", s.edit, s.put}, route{fiber.MethodPatch, s.path + "/:id", s.edit, s.put})
	}
	if s.delete != nil {
		all = append(all, route{fiber.MethodDelete, s.path + "/:id", s.remove, s.del})
	}
	if s.holds {
		all = append(all, route{fiber.MethodGet, s.path + "/:id/delete_preview", s.view, s.deletePreview})
	}
	return all
}

// getAll answers a page of a list.
func (s resource[T]) getAll(r *request) error {
	q := r.query()
	l, p, err := s.page(r, q)
	if err == nil {
		err = q.err()
	}
	if err != nil {
		return err
	}
	rows, err := s.show(r, l.Rows)
	if err != nil {
		return err
	}
	pre, err := s.refers.fetch(r, q, l.Rows)
	if err != nil {
		return err
	}
	return r.listing(q, p, l.Count, rows, pre)
}

// getOne answers one.
func (s resource[T]) getOne(r *request) error {
	v, err := s.one(r)
	if err != nil {
		return err
	}
	return s.reply(r, fiber.StatusOK, v)
}

// one returns the one that the path names.
func (s resource[T]) one(r *request) (T, error) {
	id, err := r.id(s.model)
	if err != nil {
		var none T
		return none, err
	}
	return s.find(r, r.Store, id)
}

// allowed returns the one that the path names, if the sender may do to it what
// the route says.
func (s resource[T]) allowed(r *request) (T, error) {
	v, err := s.one(r)
	if err == nil && s.may != nil {
		err = s.may(r, v)
	}
	return v, err
}

// reply answers one.
func (s resource[T]) reply(r *request, status int, v T) error {
	rows, err := s.show(r, []T{v})
	if err != nil {
		return err
	}
	pre, err := s.refers.fetch(r, r.query(), []T{v})
	if err != nil {
		return err
	}
	if pre != nil && r.Method() == fiber.MethodGet {
		return r.reply(status, withPrefetch{rows[0], pre})
	}
	return r.reply(status, rows[0])
}

// post adds one.
func (s resource[T]) post(r *request) error {
	f, err := r.form()
	if err != nil {
		return err
	}
	var none T
	v := s.fresh(r)
	s.read(r, f, none, &v)
	if err := f.failed(); err != nil {
		return err
	}
	if err := s.mayAdd(r, v); err != nil {
		return err
	}
	if v, err = s.addOne(r, v); err != nil {
		return s.clash(err)
	}
	return s.reply(r, fiber.StatusCreated, v)
}

// addOne stores a new one, with its history, and tells of it in the same transaction.
func (s resource[T]) addOne(r *request, v T) (added T, err error) {
	err = r.Store.Tx(r.ctx, func(st *store.Store, tx pgx.Tx) error {
		if added, err = s.insert(r.ctx, st, v); err != nil {
			return err
		}
		if err := s.audit(r, st, "add", added); err != nil || s.made == nil || r.Tell == nil {
			return err
		}
		e := s.made(added)
		e.Kind, e.At, e.ActorID = gate.EventCreated, r.now, r.who.User.ID
		return r.Tell(r.ctx, tx, e)
	})
	return added, err
}

// audit writes down that one was added, changed or removed.
func (s resource[T]) audit(r *request, st *store.Store, action string, v T) error {
	if s.kept && action != "delete" {
		return nil
	}
	var product *int64
	changes := map[string]any{}
	if s.entry != nil {
		var name string
		if product, name = s.entry(v); name != "" {
			changes["name"] = name
		}
	}
	object := s.object
	if object == "" {
		object = strings.ToLower(strings.ReplaceAll(s.model, " ", "_"))
	}
	return r.audit(st, action, object, s.id(v), product, changes)
}

// maxTries bounds how often a change is tried that others were quicker than.
const maxTries = 5

// put changes one: all of it, or with PATCH what the body says.
func (s resource[T]) put(r *request) error {
	f, err := r.form()
	if err != nil {
		return err
	}
	for try := 1; ; try++ {
		before, err := s.allowed(r)
		if err != nil {
			return err
		}
		v := before
		s.read(r, f, before, &v)
		if err := f.failed(); err != nil {
			return err
		}
		after, err := s.save(r, before, v)
		switch {
		case err == nil:
			return s.reply(r, fiber.StatusOK, after)
		case !errors.Is(err, errMeanwhile):
			return s.clash(err)
		case try == maxTries:
			return gate.Errorf(gate.Conflict, "Others change the same thing again and again: try later.")
		}
	}
}

// errMeanwhile says that something was changed since it was read.
var errMeanwhile = errors.New("changed meanwhile")

// save writes what one is now, unless somebody else has changed what it was.
// All that needs looking up has been by now: a transaction that waits for a
// second connection can wait for ever.
func (s resource[T]) save(r *request, before, v T) (after T, err error) {
	err = r.Store.Tx(r.ctx, func(tx *store.Store, _ pgx.Tx) error {
		if err := tx.Lock(r.ctx, s.model, s.id(before)); err != nil {
			return err
		}
		if s.version != nil {
			now, err := s.find(r, tx, s.id(before))
			if err != nil {
				return err
			}
			if !s.version(now).Equal(s.version(before)) {
				return errMeanwhile
			}
		}
		if after, err = s.update(r.ctx, tx, v); err != nil {
			return err
		}
		return s.audit(r, tx, "edit", after)
	})
	return after, err
}

// del removes one.
func (s resource[T]) del(r *request) error {
	v, err := s.allowed(r)
	if err != nil {
		return err
	}
	if err := r.Store.Tx(r.ctx, func(st *store.Store, tx pgx.Tx) error {
		if err := s.delete(r.ctx, st, s.id(v)); err != nil {
			return err
		}
		if err := s.audit(r, st, "delete", v); err != nil || s.gone == nil || r.Tell == nil {
			return err
		}
		e := s.gone(v)
		e.Kind, e.At, e.ActorID = gate.EventDeleted, r.now, r.who.User.ID
		return r.Tell(r.ctx, tx, e)
	}); err != nil {
		return err
	}
	return r.nothing()
}

// goner is something that goes when something else is removed.
type goner struct {
	Model string `json:"model"`
	ID    int64  `json:"id"`
	Name  string `json:"name"`
}

// deletePreview answers a page of what would go with one.
func (s resource[T]) deletePreview(r *request) error {
	v, err := s.one(r)
	if err != nil {
		return err
	}
	q := r.query()
	p := q.page()
	l, err := r.Store.DeletePreview(r.ctx, s.model, s.id(v), p)
	if err != nil {
		return err
	}
	rows := []any{}
	for _, g := range l.Rows {
		rows = append(rows, goner(g))
	}
	return r.listing(q, p, l.Count, rows, nil)
}

// clash tells that a name is taken as a problem of the field name.
func (s resource[T]) clash(err error) error {
	if gate.KindOf(err) == gate.Conflict {
		return problems{"name": {s.model + " with this name already exists."}}
	}
	return err
}
