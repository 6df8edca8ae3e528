-- Who somebody is in Slack, as they say themselves: good for what they are sent,
-- and no proof of who clicks there.
alter table user_contact_infos add column slack_declared boolean not null default false;
