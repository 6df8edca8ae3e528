-- Imports write findings by the hundred thousand, and notes by the ten thousand,
-- that all name one test or one author. A statement looks up those that it
-- names once, instead of a foreign key that does so for each row; in every other
-- respect this is what the foreign keys were: the row that is named stays while
-- the transaction lasts, findings go with their test, and a user with notes stays.
alter table findings drop constraint findings_test_id_fkey;
create function findings_have_tests() returns trigger language plpgsql as $$
declare named bigint[] := array(select distinct test_id from added);
begin
    if (select count(*) from (select from tests where id = any(named) for key share) there) < cardinality(named) then
        raise foreign_key_violation using table = 'findings', message = 'a finding names a test that is not there';
    end if;
    return null;
end $$;
create trigger findings_have_tests after insert on findings
    referencing new table as added for each statement execute function findings_have_tests();
create function findings_keep_tests() returns trigger language plpgsql as $$
begin
    raise foreign_key_violation using table = 'findings', message = 'a finding stays in its test';
end $$;
create trigger findings_keep_tests before update of test_id on findings
    for each row when (new.test_id <> old.test_id) execute function findings_keep_tests();
create function delete_with_tests() returns trigger language plpgsql as $$
begin
    delete from findings where test_id in (select id from gone);
    return null;
end $$;
create trigger delete_with_tests after delete on tests
    referencing old table as gone for each statement execute function delete_with_tests();

alter table notes drop constraint notes_author_id_fkey;
create function notes_have_authors() returns trigger language plpgsql as $$
declare named bigint[] := array(select distinct author_id from added);
begin
    if (select count(*) from (select from users where id = any(named) for key share) there) < cardinality(named) then
        raise foreign_key_violation using table = 'notes', message = 'a note names an author who is not there';
    end if;
    return null;
end $$;
create trigger notes_have_authors after insert on notes
    referencing new table as added for each statement execute function notes_have_authors();
create function authors_stay() returns trigger language plpgsql as $$
begin
    if exists (select from notes where author_id = old.id) then
        raise foreign_key_violation using table = 'notes', message = 'the user wrote notes';
    end if;
    return old;
end $$;
create trigger authors_stay before delete on users
    for each row execute function authors_stay();
