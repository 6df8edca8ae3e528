package people

import (
	"context"
	"slices"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

// Give gives a user or a group a role in a product or a product type.
func (d *Desk) Give(ctx context.Context, a Actor, m store.Member) (store.Member, error) {
	if err := d.mayGive(ctx, a, m, m.Role); err != nil {
		return m, err
	}
	err := d.change(ctx, a, "add", "member", func(s *store.Store) (int64, *int64, map[string]any, error) {
		var err error
		if m, err = s.AddMember(ctx, m); gate.KindOf(err) == gate.Conflict {
			err = gate.Errorf(gate.Invalid, "There is such a member already: change the role of that one.")
		}
		return m.ID, m.ProductID, about(m, m.Role), err
	})
	return m, err
}

// Regrade gives a member another role.
func (d *Desk) Regrade(ctx context.Context, a Actor, m store.Member, role gate.Role) (store.Member, error) {
	if err := d.mayGive(ctx, a, m, m.Role, role); err != nil || m.Role == role {
		return m, err
	}
	before := m.Role
	err := d.change(ctx, a, "edit", "member", func(s *store.Store) (int64, *int64, map[string]any, error) {
		var err error
		m, err = s.SetMemberRole(ctx, m.ID, role)
		return m.ID, m.ProductID, about(m, []gate.Role{before, role}), err
	})
	return m, err
}

// Take takes a member's role away, at once.
func (d *Desk) Take(ctx context.Context, a Actor, m store.Member) error {
	if err := d.mayGive(ctx, a, m, m.Role); err != nil {
		return err
	}
	return d.change(ctx, a, "delete", "member", func(s *store.Store) (int64, *int64, map[string]any, error) {
		return m.ID, m.ProductID, about(m, m.Role), s.DeleteMember(ctx, m.ID)
	})
}

// mayGive returns nil if somebody may give and take these roles where m is. Owners
// are made and removed by owners only.
func (d *Desk) mayGive(ctx context.Context, a Actor, m store.Member, roles ...gate.Role) error {
	may := func(do auth.Action) error {
		if m.ProductTypeID != nil {
			return d.Auth.MayType(ctx, a.Who, do, *m.ProductTypeID)
		}
		return d.Auth.May(ctx, a.Who, do, *m.ProductID)
	}
	if err := may(auth.ManageMembers); err != nil {
		return err
	}
	if slices.Contains(roles, gate.Owner) {
		return may(auth.AddOwner)
	}
	return nil
}

// about tells of a member in the history.
func about(m store.Member, role any) map[string]any {
	changes := map[string]any{"role": role}
	for name, id := range map[string]*int64{"user": m.UserID, "group": m.GroupID, "product_type": m.ProductTypeID} {
		if id != nil {
			changes[name] = *id
		}
	}
	return changes
}

// AddGroup adds a group of users.
func (d *Desk) AddGroup(ctx context.Context, a Actor, g store.UserGroup) (store.UserGroup, error) {
	return d.group(ctx, a, "add", g, (*store.Store).AddUserGroup)
}

// EditGroup writes what a group is to be.
func (d *Desk) EditGroup(ctx context.Context, a Actor, g store.UserGroup) (store.UserGroup, error) {
	return d.group(ctx, a, "edit", g, (*store.Store).UpdateUserGroup)
}

// RemoveGroup removes a group, and what its members might by it.
func (d *Desk) RemoveGroup(ctx context.Context, a Actor, g store.UserGroup) error {
	_, err := d.group(ctx, a, "delete", g, func(s *store.Store, ctx context.Context, g store.UserGroup) (store.UserGroup, error) {
		return g, s.DeleteUserGroup(ctx, g.ID)
	})
	return err
}

// group changes a group. Who is in one may do what it may, in any product, so
// that only superusers do this.
func (d *Desk) group(ctx context.Context, a Actor, action string, g store.UserGroup, do func(*store.Store, context.Context, store.UserGroup) (store.UserGroup, error)) (store.UserGroup, error) {
	if err := d.Auth.MayGlobal(a.Who, auth.EditUsers); err != nil {
		return g, err
	}
	err := d.change(ctx, a, action, "group", func(s *store.Store) (int64, *int64, map[string]any, error) {
		var err error
		if g, err = do(s, ctx, g); gate.KindOf(err) == gate.Conflict {
			err = gate.FieldErrorf("name", "dojo_ group with this name already exists.")
		}
		return g.ID, nil, map[string]any{"name": g.Name}, err
	})
	return g, err
}

// Join puts a user into a group.
func (d *Desk) Join(ctx context.Context, a Actor, m store.UserGroupMember) (store.UserGroupMember, error) {
	return d.seat(ctx, a, "add", m, func(s *store.Store) (store.UserGroupMember, error) {
		added, err := s.AddUserGroupMember(ctx, m)
		if gate.KindOf(err) == gate.Conflict {
			err = gate.Errorf(gate.Invalid, "The user is in the group already.")
		}
		return added, err
	})
}

// RegradeInGroup gives a member of a group another role in it.
func (d *Desk) RegradeInGroup(ctx context.Context, a Actor, m store.UserGroupMember, role gate.Role) (store.UserGroupMember, error) {
	return d.seat(ctx, a, "edit", m, func(s *store.Store) (store.UserGroupMember, error) { return s.SetUserGroupRole(ctx, m.ID, role) })
}

// Leave takes a user out of a group.
func (d *Desk) Leave(ctx context.Context, a Actor, m store.UserGroupMember) error {
	_, err := d.seat(ctx, a, "delete", m, func(s *store.Store) (store.UserGroupMember, error) { return m, s.DeleteUserGroupMember(ctx, m.ID) })
	return err
}

func (d *Desk) seat(ctx context.Context, a Actor, action string, m store.UserGroupMember, do func(*store.Store) (store.UserGroupMember, error)) (store.UserGroupMember, error) {
	if err := d.Auth.MayGlobal(a.Who, auth.EditUsers); err != nil {
		return m, err
	}
	err := d.change(ctx, a, action, "group_member", func(s *store.Store) (int64, *int64, map[string]any, error) {
		var err error
		m, err = do(s)
		return m.ID, nil, map[string]any{"group": m.GroupID, "user": m.UserID, "role": m.Role}, err
	})
	return m, err
}
