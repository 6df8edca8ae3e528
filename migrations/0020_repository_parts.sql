-- A repository that we may see no more stays with what was set of it: since when.
alter table repositories add column lost timestamptz;

-- Where a part of a monorepo is in it; none: everywhere.
alter table repositories add column paths text[] not null default '{}';
