package store

import (
	"context"

	"defectdojo/gate"
)

// UserGroup is a group of users. What it may, its members may.
type UserGroup struct {
	ID             int64
	Name           string
	Description    string
	Email          string
	SocialProvider string
}

const groupColumns = `id, name, description, email, social_provider`

// UserGroupFilter narrows a list of groups.
type UserGroupFilter struct {
	IDs            []int64
	Name           *string
	SocialProvider *string
	Page
}

// UserGroup returns a group.
func (s *Store) UserGroup(ctx context.Context, id int64) (UserGroup, error) {
	return one[UserGroup](ctx, s.db, "group", `select `+groupColumns+` from dojo_groups where id = $1`, id)
}

// UserGroups returns the groups of f, by name.
func (s *Store) UserGroups(ctx context.Context, f UserGroupFilter) (List[UserGroup], error) {
	var w where
	oneOf(&w, "id", f.IDs)
	optional(&w, "name", f.Name)
	optional(&w, "social_provider", f.SocialProvider)
	return list[UserGroup](ctx, s.db, groupColumns, "dojo_groups", &w, " order by name, id", f.Page)
}

// AddUserGroup adds a group and returns it with its ID.
func (s *Store) AddUserGroup(ctx context.Context, g UserGroup) (UserGroup, error) {
	return one[UserGroup](ctx, s.db, "group", `
		insert into dojo_groups (name, description, email, social_provider) values ($1, $2, $3, $4) returning `+groupColumns,
		g.Name, g.Description, g.Email, g.SocialProvider)
}

// UpdateUserGroup writes what a group is now.
func (s *Store) UpdateUserGroup(ctx context.Context, g UserGroup) (UserGroup, error) {
	return one[UserGroup](ctx, s.db, "group", `
		update dojo_groups set name = $2, description = $3, email = $4, social_provider = $5 where id = $1 returning `+groupColumns,
		g.ID, g.Name, g.Description, g.Email, g.SocialProvider)
}

// DeleteUserGroup removes a group, and with it what its members may by it.
func (s *Store) DeleteUserGroup(ctx context.Context, id int64) error {
	return exec(ctx, s.db, "group", `delete from dojo_groups where id = $1`, id)
}

// UserGroupMember is a user in a group. Their role says whether they look after it.
type UserGroupMember struct {
	ID      int64
	GroupID int64
	UserID  int64
	Role    gate.Role
}

const groupMemberColumns = `id, group_id, user_id, role`

// UserGroupMemberFilter narrows a list of members of groups.
type UserGroupMemberFilter struct {
	IDs    []int64
	Groups []int64
	Users  []int64
	Page
}

// UserGroupMembers returns the members of f, by ID.
func (s *Store) UserGroupMembers(ctx context.Context, f UserGroupMemberFilter) (List[UserGroupMember], error) {
	var w where
	oneOf(&w, "id", f.IDs)
	oneOf(&w, "group_id", f.Groups)
	oneOf(&w, "user_id", f.Users)
	return list[UserGroupMember](ctx, s.db, groupMemberColumns, "dojo_group_members", &w, " order by id", f.Page)
}

// UserGroupMember returns a member of a group.
func (s *Store) UserGroupMember(ctx context.Context, id int64) (UserGroupMember, error) {
	return one[UserGroupMember](ctx, s.db, "group member", `select `+groupMemberColumns+` from dojo_group_members where id = $1`, id)
}

// AddUserGroupMember puts a user into a group.
func (s *Store) AddUserGroupMember(ctx context.Context, m UserGroupMember) (UserGroupMember, error) {
	return one[UserGroupMember](ctx, s.db, "group member", `
		insert into dojo_group_members (group_id, user_id, role) values ($1, $2, $3) returning `+groupMemberColumns, m.GroupID, m.UserID, m.Role)
}

// SetUserGroupRole gives a member of a group another role.
func (s *Store) SetUserGroupRole(ctx context.Context, id int64, role gate.Role) (UserGroupMember, error) {
	return one[UserGroupMember](ctx, s.db, "group member", `update dojo_group_members set role = $2 where id = $1 returning `+groupMemberColumns, id, role)
}

// DeleteUserGroupMember takes a user out of a group, at once.
func (s *Store) DeleteUserGroupMember(ctx context.Context, id int64) error {
	return exec(ctx, s.db, "group member", `delete from dojo_group_members where id = $1`, id)
}
