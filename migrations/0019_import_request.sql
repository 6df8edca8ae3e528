-- What a failed import was asked for, so that it can be tried again with the
-- report that was kept.
alter table test_imports add column request jsonb;
alter table test_imports add column retried_by_id bigint references test_imports on delete set null;
