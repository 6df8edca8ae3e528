-- Lists and numbers of findings are read from two indexes alone, without the
-- wide rows: one of the open findings and one of the others. A finding is in
-- one of them, so an import writes no more entries than with the first alone.
drop index findings_open;
create index findings_open on findings (product_id, severity desc, id)
    include (test_type_id, date, sla_expiration_date, epss_score, known_exploited, fix_available, verified, duplicate, assignee_id)
    where active;
create index findings_shut on findings (product_id, severity desc, id)
    include (test_type_id, date, mitigated, last_status_update, duplicate, is_mitigated, false_p, out_of_scope, risk_accepted)
    where not active;
create index findings_assignee on findings (assignee_id) where assignee_id is not null;
create index findings_tags on findings using gin (tags) where tags <> '{}';
create index findings_inherited_tags on findings using gin (inherited_tags) where inherited_tags <> '{}';
