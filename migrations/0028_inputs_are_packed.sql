-- The inputs of verdicts are compressed before they come here: PostgreSQL need
-- not try again.
alter table verdict_inputs alter column content set storage external;
