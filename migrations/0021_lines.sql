-- Lines of work that share an engagement: a branch or a pull request of a
-- repository, or of a part of one. Blank: nobody said.

alter table tests
    add column repository text not null default '',
    add column component  text not null default '',
    add column ref        text not null default '';          -- "refs/heads/main", "refs/pull/7/head"

-- A verdict takes the place of those before it of its own line only.
alter table verdicts
    add column repository  text not null default '',
    add column component   text not null default '',
    add column environment text not null default '',
    add column ref         text not null default '';
update verdicts set
    repository = coalesce(document -> 'subject' ->> 'repository', ''),
    component  = coalesce(document -> 'subject' ->> 'component', ''),
    ref        = case when pull_request <> '' and event <> 'merge_group' then 'refs/pull/' || pull_request || '/head'
                      when branch <> '' then 'refs/heads/' || branch else '' end;
drop index verdicts_engagement;
create index verdicts_line on verdicts (engagement_id, ref, id desc);
