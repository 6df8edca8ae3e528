package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
)

// Grant is a role that a user has in a product or in a product type, by
// themselves or through a group. Exactly one of the two IDs is set.
type Grant struct {
	ProductID     *int64
	ProductTypeID *int64
	Role          gate.Role
}

// Member is a role of a user or a group in a product or a product type.
type Member struct {
	ID            int64
	UserID        *int64
	GroupID       *int64
	ProductID     *int64
	ProductTypeID *int64
	Role          gate.Role
}

const memberColumns = `id, user_id, group_id, product_id, product_type_id, role`

// grants of one user ($1), by themselves and through groups.
const grants = `
	select product_id, product_type_id, role from members
	where user_id = $1 or group_id in (select group_id from dojo_group_members where user_id = $1)`

// Grants returns what roles a user was given.
func (s *Store) Grants(ctx context.Context, user int64) ([]Grant, error) {
	return many[Grant](ctx, s.db, grants, user)
}

// ProductsOf returns the products in which a user has one of the roles, by
// membership in the product or in its type.
func (s *Store) ProductsOf(ctx context.Context, user int64, roles []gate.Role) ([]int64, error) {
	return scalars[int64](ctx, s.db, `
		with granted as (`+grants+`)
		select product_id from granted where product_id is not null and role = any($2)
		union
		select p.id from products p join granted g on g.product_type_id = p.prod_type_id where g.role = any($2)
		order by 1`, user, roles)
}

// Holders returns the active users who have one of the roles in a product: by
// membership in it or its type, by themselves or through a group, or everywhere.
func (s *Store) Holders(ctx context.Context, product int64, roles []gate.Role, staff bool) ([]gate.User, error) {
	return many[gate.User](ctx, s.db, `
		select `+userColumns+` from users
		where is_active and (is_superuser or global_role = any(@roles) or @staff and is_staff or id in (
			select coalesce(m.user_id, g.user_id)
			from members m left join dojo_group_members g on g.group_id = m.group_id
			where m.role = any(@roles) and (m.product_id = @product or m.product_type_id = (select prod_type_id from products where id = @product))))
		order by username`, pgx.NamedArgs{"roles": roles, "staff": staff, "product": product})
}

// ProductTypesOf returns the product types in which a user has one of the roles.
func (s *Store) ProductTypesOf(ctx context.Context, user int64, roles []gate.Role) ([]int64, error) {
	return scalars[int64](ctx, s.db, `
		with granted as (`+grants+`)
		select distinct product_type_id from granted where product_type_id is not null and role = any($2) order by 1`, user, roles)
}

// TypesOfProducts returns the product types of products.
func (s *Store) TypesOfProducts(ctx context.Context, products []int64) ([]int64, error) {
	return scalars[int64](ctx, s.db, `select distinct prod_type_id from products where id = any($1) order by 1`, orEmpty(products))
}

// AddMember gives a role.
func (s *Store) AddMember(ctx context.Context, m Member) (Member, error) {
	return one[Member](ctx, s.db, "member", `
		insert into members (user_id, group_id, product_id, product_type_id, role)
		values ($1, $2, $3, $4, $5) returning `+memberColumns, m.UserID, m.GroupID, m.ProductID, m.ProductTypeID, m.Role)
}

// Seat is a role that a user has somewhere, with the names of where and by what.
type Seat struct {
	ProductID *int64
	Name      string // of the product, or of the product type
	Role      gate.Role
	Group     string // by which they have it; blank: by themselves
}

// Seats returns the roles of a user in products and product types.
func (s *Store) Seats(ctx context.Context, user int64) ([]Seat, error) {
	return many[Seat](ctx, s.db, `
		select m.product_id, coalesce(p.name, t.name) as name, m.role, coalesce(g.name, '') as "group"
		from members m left join products p on p.id = m.product_id left join product_types t on t.id = m.product_type_id left join dojo_groups g on g.id = m.group_id
		where m.user_id = $1 or m.group_id in (select group_id from dojo_group_members where user_id = $1) order by 2, 4`, user)
}

// AddMemberOnce gives a user a role in a product, unless they have it.
func (s *Store) AddMemberOnce(ctx context.Context, m Member) error {
	_, err := s.db.Exec(ctx, `
		insert into members (user_id, product_id, role) values ($1, $2, $3) on conflict do nothing`, m.UserID, m.ProductID, m.Role)
	return conflict(err)
}

// MemberFilter narrows a list of members: those of products or of product types,
// that are users or groups.
type MemberFilter struct {
	Types  bool       // of product types, not of products
	Groups bool       // that are groups, not users
	Scope  gate.Scope // whose IDs are those of products, or of types
	IDs    []int64
	In     []int64 // products, or types
	Who    []int64 // users, or groups
	Page
}

// Members returns the members of f, by ID.
func (s *Store) Members(ctx context.Context, f MemberFilter) (List[Member], error) {
	where, who := "product_id", "user_id"
	if f.Types {
		where = "product_type_id"
	}
	if f.Groups {
		who = "group_id"
	}
	w := f.where(where, who)
	return list[Member](ctx, s.db, memberColumns, "members", &w, " order by id", f.Page)
}

func (f MemberFilter) where(in, who string) (w where) {
	w.and(in + " is not null and " + who + " is not null")
	w.scope(in, f.Scope)
	oneOf(&w, "id", f.IDs)
	oneOf(&w, in, f.In)
	oneOf(&w, who, f.Who)
	return w
}

// SetMemberRole gives a member another role.
func (s *Store) SetMemberRole(ctx context.Context, id int64, role gate.Role) (Member, error) {
	return one[Member](ctx, s.db, "member", `update members set role = $2 where id = $1 returning `+memberColumns, id, role)
}

// DeleteMember takes a role away, at once.
func (s *Store) DeleteMember(ctx context.Context, id int64) error {
	return exec(ctx, s.db, "member", `delete from members where id = $1`, id)
}

// MemberIDs are the users and groups that have a role in something.
type MemberIDs struct {
	ID     int64
	Users  []int64
	Groups []int64
}

// TypeMembers returns the members of product types, by the type's ID.
func (s *Store) TypeMembers(ctx context.Context, types []int64) (map[int64]MemberIDs, error) {
	return byID(many[MemberIDs](ctx, s.db, `
		select product_type_id as id, `+memberIDs+` from members where product_type_id = any($1) group by 1`, orEmpty(types)))
}

// ProductMembers returns the members of products, by the product's ID.
func (s *Store) ProductMembers(ctx context.Context, products []int64) (map[int64]MemberIDs, error) {
	return byID(many[MemberIDs](ctx, s.db, `
		select product_id as id, `+memberIDs+` from members where product_id = any($1) group by 1`, orEmpty(products)))
}

const memberIDs = `
	coalesce(array_agg(user_id order by user_id) filter (where user_id is not null), '{}') as users,
	coalesce(array_agg(group_id order by group_id) filter (where group_id is not null), '{}') as groups`

func byID(rows []MemberIDs, err error) (map[int64]MemberIDs, error) {
	m := make(map[int64]MemberIDs, len(rows))
	for _, r := range rows {
		m[r.ID] = r
	}
	return m, err
}
