-- A portfolio of 24 products and 100,000 findings, alike in shape to what
-- scanners report: for benchmarks of the lists, and to look at the pages with.
insert into users (id, username, first_name, last_name, email, is_superuser, global_role) overriding system value values
    (1, 'admin', 'Ada', 'Okafor', 'ada@example.org', true, 'owner'),
    (2, 'mika', 'Mika', 'Laine', 'mika@example.org', false, 'writer');
select setval('users_id_seq', 2);

insert into product_types (id, name) overriding system value values (2, 'Payments'), (3, 'Platform');
select setval('product_types_id_seq', 3);

insert into products (id, name, description, prod_type_id, tags, business_criticality, created) overriding system value
select i,
       (array['payments', 'ledger', 'checkout', 'identity', 'search', 'mobile', 'data', 'edge'])[1 + (i - 1) / 3] || '-' || (array['api', 'web', 'infra'])[1 + (i - 1) % 3],
       'The ' || (array['payments', 'ledger', 'checkout', 'identity', 'search', 'mobile', 'data', 'edge'])[1 + (i - 1) / 3] || ' service of the shop.',
       1 + i % 3, case when i <= 6 then array['pci'] else '{}' end, (array['very high', 'high', 'medium'])[1 + i % 3], now() - interval '300 days'
from generate_series(1, 24) i;
select setval('products_id_seq', 24);

insert into engagements (id, product_id, name, target_start, target_end, status, engagement_type, branch_tag, commit_hash, created, updated) overriding system value
select p * 2 + b - 2, p, (array['main', 'release/2.4'])[b], current_date - 300, current_date + 60, 'In Progress', 'CI/CD', (array['main', 'release/2.4'])[b],
       substr(encode(sha256((p * 7 + b)::text::bytea), 'hex'), 1, 40), now() - interval '300 days', now() - interval '2 hours'
from generate_series(1, 24) p, generate_series(1, 2) b;
select setval('engagements_id_seq', 48);

insert into tests (id, engagement_id, product_id, test_type_id, scan_type, target_start, target_end, environment_id, branch_tag, commit_hash, created, updated) overriding system value
select e.id * 4 + s - 4, e.id, e.product_id, t.id, t.name, now() - interval '300 days', now(), 1, e.branch_tag, e.commit_hash, now() - interval '300 days', now() - interval '2 hours'
from engagements e, (values (1, 'Trivy Scan'), (2, 'Semgrep JSON Report'), (3, 'Gitleaks Scan'), (4, 'ZAP Scan')) v (s, name) join test_types t using (name);
select setval('tests_id_seq', 192);

insert into test_imports (test_id, product_id, type, scan_type, filename, user_id, outcome, finding_count, branch_tag, commit_hash, build_id, version, created, modified)
select t.id, t.product_id, case when n = 6 then 'import' else 'reimport' end, t.scan_type, lower(split_part(t.scan_type, ' ', 1)) || '.json', 1, 'succeeded', 500 + n * 7,
       t.branch_tag, substr(encode(sha256((t.id * 31 + n)::text::bytea), 'hex'), 1, 40), (4000 - n * 13)::text, '', now() - n * interval '9 days' - t.id * interval '7 minutes', now() - n * interval '9 days'
from tests t, generate_series(6, 0, -1) n;

insert into findings (test_id, engagement_id, product_id, test_type_id, hash_code, severity, active, verified, duplicate, false_p, risk_accepted, is_mitigated, static_finding,
    dynamic_finding, reporter_id, date, created, mitigated, mitigated_by_id, sla_start_date, sla_expiration_date, last_status_update, cwe, vulnerability_ids, title, description, mitigation, impact, refs,
    vuln_id_from_tool, cvssv3, cvssv3_score, epss_score, epss_percentile, known_exploited, kev_date, file_path, line, snippet, component_name, component_version, purl,
    url, fix_available, fix_version, tags, assignee_id, found_by, param)
select t.id, t.engagement_id, t.product_id, t.test_type_id, sha256(g.i::text::bytea), sev.s,
    state < 58, state < 12, state between 58 and 63, state between 64 and 66, state between 67 and 69, state >= 70, scanner < 4, scanner = 4, 1, d.day, d.day + time '09:14',
    case when state >= 70 or state between 64 and 66 then d.day + (current_date - d.day) * (g.i * 13 % 97 / 97.0) * interval '1 day' end,
    case when state >= 70 then 1 end, d.day, case when sev.s > 0 then d.day + (array[120, 90, 30, 7])[sev.s] end, d.day + (current_date - d.day) * (g.i * 13 % 97 / 97.0) * interval '1 day',
    case scanner when 1 then 502 when 2 then 89 when 3 then 798 else 693 end,
    case when scanner = 1 then array['CVE-' || 2015 + g.i % 12 || '-' || 10000 + g.i % 30000] else '{}' end,
    case scanner
        when 1 then (array['Deserialization of untrusted data in ', 'Prototype pollution in ', 'Denial of service in ', 'Path traversal in ', 'Out-of-bounds read in '])[1 + g.i % 5] || c.name
        when 2 then (array['SQL query built from request input', 'Command built from request input', 'Weak hash for a password', 'Template renders unescaped input', 'Error is ignored after a write'])[1 + g.i % 5]
        when 3 then (array['AWS access key in repository', 'Private key in repository', 'Slack token in repository'])[1 + g.i % 3]
        else (array['Missing X-Content-Type-Options header', 'Cookie without SameSite attribute', 'Reflected cross-site scripting', 'Server leaks its version'])[1 + g.i % 4] end,
    'The **' || c.name || '** component handles input that an attacker controls.' || repeat(E'\n\nMore detail that scanners write at length, so that a row has the width of real ones.', 6),
    'Upgrade or escape the input.', 'An attacker may read or change data.', E'https://example.org/advisory/' || g.i,
    'rule-' || g.i % 97, case when scanner = 1 then 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' end, case when scanner = 1 then (array[0.0, 3.1, 5.4, 7.5, 9.8])[sev.s + 1] end,
    case when scanner = 1 then (g.i * 7919 % 10000) / 10000.0 * (g.i * 104729 % 10000) / 10000.0 end, case when scanner = 1 then (g.i % 100) / 100.0 end,
    scanner = 1 and sev.s >= 3 and g.i % 17 = 0, case when scanner = 1 and sev.s >= 3 and g.i % 17 = 0 then d.day end,
    case when scanner in (2, 3) then 'services/' || (array['pay', 'user', 'cart', 'mail'])[1 + g.i % 4] || '/' || (array['refund', 'session', 'handler', 'store'])[1 + g.i / 4 % 4] || '.go' end,
    case when scanner in (2, 3) then 1 + g.i % 400 end, case when scanner = 2 then E'\trows, err := db.Query("select * from refunds where id = " + id)' else '' end,
    case when scanner = 1 then c.name end, case when scanner = 1 then '2.' || g.i % 20 || '.1' end, case when scanner = 1 then 'pkg:npm/' || c.name || '@2.' || g.i % 20 || '.1' else '' end,
    case when scanner = 4 then 'https://shop.example.org/' || (array['login', 'cart', 'search', 'account'])[1 + g.i % 4] end,
    case when scanner = 1 then g.i % 3 > 0 end, case when scanner = 1 and g.i % 3 > 0 then '2.' || g.i % 20 + 2 || '.0' end,
    case when g.i % 11 = 0 then array['internet'] else '{}' end, case when g.i % 23 = 0 then 2 end, case when g.i % 31 = 0 then array[119] else '{}' end::integer[],
    case when scanner = 4 then 'q' end
from generate_series(1::bigint, 100000) g(i)
cross join lateral (select g.i * 48271 % 1000 as r, g.i * 69621 % 100 as state, 1 + (g.i * 16807 / 7 % 10) as k) x
cross join lateral (select case when k <= 5 then 1 when k <= 8 then 2 when k = 9 then 3 else 4 end as scanner) sc
cross join lateral (select case when r < 12 then 4 when r < 130 then 3 when r < 520 then 2 when r < 860 then 1 else 0 end as s) sev
cross join lateral (select current_date - (g.i * 7919 % 211 * (50 + g.i * 31 % 50) / 100)::int as day) d
cross join lateral (select (array['log4j-core', 'lodash', 'openssl', 'jackson-databind', 'minimist', 'golang.org/x/net', 'spring-web', 'libxml2'])[1 + g.i % 8] as name) c
join tests t on t.id = (1 + g.i * 40503::bigint % 48) * 4 + scanner - 4;

insert into locations (id, location_value, identity_hash, protocol, host, path) overriding system value
select i, 'https://shop.example.org/' || p, sha256(p::bytea), 'https', 'shop.example.org', p
from unnest(array['login', 'cart', 'search', 'account']) with ordinality u (p, i);
select setval('locations_id_seq', 4);
insert into location_findings (location_id, finding_id, status)
select l.id, f.id, 'Active' from findings f join locations l on l.location_value = f.url;

update findings f set duplicate_finding_id = (select min(o.id) from findings o where o.test_id = f.test_id and not o.duplicate)
where f.duplicate and f.id % 20 = 0;

analyze;
