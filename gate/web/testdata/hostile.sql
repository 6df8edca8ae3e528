-- Writes what would run as a script, were it not escaped, into every text of
-- the shop that a report, a client or a person can write.
create temp table payloads (n integer, text text);
insert into payloads values
    (0, '"><script>alert(1)</script>'), (1, '''><img src=x onerror=alert(1)>'), (2, 'javascript:alert(1)//'), (3, '</title></textarea></style><svg/onload=alert(1)>'),
    (4, '{{7*7}}${7*7}<%= 7*7 %>'), (5, '<a href="javascript:alert(1)">x</a> [x](javascript:alert(1)) ![x](https://evil.example/x.png)'),
    (6, '" onmouseover="alert(1)" autofocus onfocus="alert(1)'), (7, E'java\tscript:alert(1)\n\n<div hx-get="/tokens" hx-trigger="load" hx-on:click="alert(1)">x</div>'),
    (8, '<iframe srcdoc="<script>alert(1)</script>"></iframe><base href="https://evil.example/"><meta http-equiv=refresh content="0;url=https://evil.example">'),
    (9, '--><form action="https://evil.example"><button formaction="javascript:alert(1)">x</button></form>'),
    (10, E'\u202Egnp.exe <math><mi xlink:href="data:x,<script>alert(1)</script>">'), (11, '<style>@import "https://evil.example/x.css";</style><link rel=stylesheet href="//evil.example/x.css">');

-- hostile replaces every string in a document.
create function pg_temp.hostile(v jsonb, by text) returns jsonb language plpgsql as $$
begin
    return case jsonb_typeof(v)
        when 'string' then case when v #>> '{}' ~ '^(\d{4}-|introduced|existing|disclosed|Critical|High|Medium|Low)' then v else to_jsonb(by) end
        when 'array' then coalesce((select jsonb_agg(pg_temp.hostile(e, by)) from jsonb_array_elements(v) e), '[]')
        when 'object' then coalesce((select jsonb_object_agg(k, pg_temp.hostile(e, by)) from jsonb_each(v) x (k, e)), '{}')
        else v end;
end $$;

do $$
declare
    c record;
begin
    for c in
        select table_name, column_name, data_type from information_schema.columns
        where table_schema = 'public' and data_type in ('text', 'ARRAY') and (data_type = 'text' or udt_name = '_text')
          and table_name in ('products', 'product_types', 'engagements', 'tests', 'test_types', 'test_imports', 'findings', 'notes', 'locations', 'risk_acceptances', 'tokens', 'users', 'verdicts', 'sla_configurations')
          and column_name not in ('password_hash', 'scope', 'global_role', 'type', 'state', 'overall', 'endpoint_key')
    loop
        begin
            if c.data_type = 'ARRAY' then
                execute format('update %I t set %I = array[(select text from payloads where n = t.id %% 12), (select text || '' 2'' from payloads where n = (t.id + 5) %% 12)]', c.table_name, c.column_name);
            else
                execute format('update %I t set %I = (select text from payloads where n = (t.id + %s) %% 12) || case when %L in (''name'', ''username'', ''public_id'') then '' '' || t.id else '''' end',
                    c.table_name, c.column_name, length(c.column_name), c.column_name);
            end if;
        exception when check_violation or unique_violation or not_null_violation then
            null; -- a word out of a list, or one that is there once
        end;
    end loop;
end $$;
update users set username = 'ada' where id = 1;
update verdicts v set document = (
    select jsonb_object_agg(key, case when key in ('overall', 'conclusive', 'would_be', 'exit_code', 'decided_at', 'valid_until') then value else pg_temp.hostile(value, p.text) end)
    from jsonb_each(v.document)) from payloads p where p.n = v.id;
