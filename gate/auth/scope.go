package auth

import (
	"context"
	"slices"

	"defectdojo/gate"
)

// Scope returns the products on which a principal may do an action. Nobody's
// scope is empty, and so is that of a token that is not for it.
func (a *Auth) Scope(ctx context.Context, p gate.Principal, do Action) (gate.Scope, error) {
	if !tokenMay(p, do) {
		return gate.Scope{}, nil
	}
	s := gate.Scope{All: everywhere(p.User, do)}
	if !s.All && p.User.IsActive {
		var err error
		if s.ProductIDs, err = a.store.ProductsOf(ctx, p.User.ID, rolesFor(do)); err != nil {
			return gate.Scope{}, err
		}
	}
	return narrow(s, limit(p)), nil
}

// TypeScope is Scope for product types: the IDs in it are theirs. A token for
// some products sees their types and changes none.
func (a *Auth) TypeScope(ctx context.Context, p gate.Principal, do Action) (gate.Scope, error) {
	if !tokenMay(p, do) {
		return gate.Scope{}, nil
	}
	s := gate.Scope{All: everywhere(p.User, do)}
	if !s.All && p.User.IsActive {
		var err error
		if s.ProductIDs, err = a.store.ProductTypesOf(ctx, p.User.ID, rolesFor(do)); err != nil {
			return gate.Scope{}, err
		}
	}
	if limit(p) == nil {
		return s, nil
	}
	if do != View {
		return gate.Scope{}, nil
	}
	types, err := a.store.TypesOfProducts(ctx, limit(p))
	return narrow(s, types), err
}

// May returns nil if a principal may do an action on a product. NotFound: they
// may not even see it. Forbidden: they may see it.
func (a *Auth) May(ctx context.Context, p gate.Principal, do Action, product int64) error {
	return a.may(ctx, p, do, product, "product", a.Scope)
}

// MayType is May for a product type.
func (a *Auth) MayType(ctx context.Context, p gate.Principal, do Action, productType int64) error {
	return a.may(ctx, p, do, productType, "product type", a.TypeScope)
}

// MayGlobal returns nil if a principal may do an action that is on nothing of a product.
func (a *Auth) MayGlobal(p gate.Principal, do Action) error {
	if tokenMay(p, do) && everywhere(p.User, do) && (limit(p) == nil || table[do].roles&anybody != 0) {
		return nil
	}
	return errForbidden
}

var errForbidden = &gate.Error{Kind: gate.Forbidden, Message: "You do not have permission to perform this action."}

type scoper func(context.Context, gate.Principal, Action) (gate.Scope, error)

func (a *Auth) may(ctx context.Context, p gate.Principal, do Action, id int64, what string, scope scoper) error {
	s, err := scope(ctx, p, do)
	if err != nil || s.Allows(id) {
		return err
	}
	if s, err = scope(ctx, p, View); err != nil {
		return err
	}
	if s.Allows(id) {
		return errForbidden
	}
	return gate.Errorf(gate.NotFound, "no such %s", what)
}

// limit returns the products that a principal's token is for; nil is no limit.
func limit(p gate.Principal) []int64 {
	if p.Token == nil {
		return nil
	}
	return p.Token.ProductIDs
}

// narrow returns the part of s within ids; nil is no limit.
func narrow(s gate.Scope, ids []int64) gate.Scope {
	if ids == nil {
		return s
	}
	if s.All {
		return gate.Scope{ProductIDs: ids}
	}
	return gate.Scope{ProductIDs: slices.DeleteFunc(s.ProductIDs, func(id int64) bool { return !slices.Contains(ids, id) })}
}

// MayTry returns nil if a principal may do an action on something, as far as
// that can be told before it is known on what. What is on nothing of a product
// is decided here; what is on a product must be asked of May.
func (a *Auth) MayTry(p gate.Principal, do Action) error {
	if global[do] {
		return a.MayGlobal(p, do)
	}
	if _, known := table[do]; known && tokenMay(p, do) {
		return nil
	}
	return errForbidden
}
