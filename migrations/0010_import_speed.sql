-- Notes and locations of findings are written by the ten thousand. What goes
-- with a finding is deleted by one statement for all that a statement deletes,
-- instead of a foreign key that looks each finding up.
alter table notes drop constraint notes_finding_id_fkey;
alter table location_findings drop constraint location_findings_finding_id_fkey;
create function delete_with_findings() returns trigger language plpgsql as $$
begin
    delete from notes where finding_id in (select id from gone);
    delete from location_findings where finding_id in (select id from gone);
    return null;
end $$;
create trigger delete_with_findings after delete on findings
    referencing old table as gone for each statement execute function delete_with_findings();
