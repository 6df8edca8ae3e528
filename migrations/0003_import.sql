-- What imports need beside the domain.

-- A digest of what a reimport may refresh (ids, CWEs, endpoints, fix): equal
-- means that a matched finding need not be read or written. 0: not known.
alter table findings add column refresh_key bigint not null default 0;

-- The digest of the inventory that a test's newest report lists.
alter table tests add column components_digest bytea;
