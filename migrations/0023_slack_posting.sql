-- What Slack was asked to post and has not answered yet: whether it is there is
-- looked up before it is asked again.
alter table notice_deliveries add column posting timestamptz;
alter table slack_threads
    add column posting timestamptz,
    add column intent  text not null default '';              -- by which the parent message is known again
