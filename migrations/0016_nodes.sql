-- Nodes that work jobs, each of which says so every few seconds: what one was at
-- when it died goes to another at once.
create table nodes (
    id   text primary key,                                   -- as in river_job.attempted_by
    seen timestamptz not null
);
