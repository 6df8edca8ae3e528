-- The ids under which advisories are known, one a row: looked up by thousands at
-- once, an array of aliases would be compared with every one of them.
create table advisory_ids (
    id       text not null,                                  -- CVE-…, GHSA-…, or the advisory's own
    advisory text not null references advisories on delete cascade,
    primary key (id, advisory)
);
create index advisory_ids_advisory on advisory_ids (advisory);
insert into advisory_ids (id, advisory) select distinct unnest(aliases || id), id from advisories on conflict do nothing;
drop index advisories_aliases;
