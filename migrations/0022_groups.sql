-- What DefectDojo's clients say of groups, too. A role in a group says who looks
-- after it; what its members may do, the group's own roles say.
alter table dojo_groups add column social_provider text not null default '';
alter table dojo_group_members add column role text not null default 'reader' check (role in ('reader', 'importer', 'writer', 'maintainer', 'owner'));
