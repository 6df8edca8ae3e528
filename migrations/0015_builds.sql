-- Builds of code hosts that were looked at, so that the reconciler finds those
-- that no delivery told of.
create table builds (
    connection_id bigint not null references connections on delete cascade,
    build         text not null,                             -- the host's number with its attempt
    seen          timestamptz not null default now(),
    primary key (connection_id, build)
);
create index builds_seen on builds (seen);

alter table connections add column reconciled timestamptz;   -- up to when its deliveries were looked through
