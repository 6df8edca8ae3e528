-- A small shop: what the pages' tests look at, and the picture in the README.
insert into users (id, username, first_name, email, is_superuser, is_staff) overriding system value values
    (1, 'ada', 'Ada', 'ada@example.org', true, true), (2, 'mika', 'Mika', 'mika@example.org', false, false), (3, 'noor', 'Noor', 'noor@example.org', false, false);
select setval('users_id_seq', 3);

insert into product_types (id, name) overriding system value values (2, 'Payments'), (3, 'Platform');
insert into products (id, name, description, prod_type_id, tags, enable_simple_risk_acceptance) overriding system value values
    (1, 'payments-api', 'Takes and refunds payments.', 2, '{pci}', true), (2, 'payments-web', 'The checkout that customers see.', 2, '{pci}', false),
    (3, 'payments-infra', 'Clusters and pipelines of the payments team.', 2, '{}', false), (4, 'search', 'Finds products.', 3, '{}', false);
insert into members (user_id, product_id, role) values (2, 1, 'writer'), (2, 2, 'reader'), (3, 4, 'reader');

insert into engagements (id, product_id, name, target_start, target_end, status, engagement_type, branch_tag, commit_hash, source_code_management_uri) overriding system value
select id, id, 'main', current_date - 90, current_date + 90, 'In Progress', 'CI/CD', 'main', '71fd0aa9c1e2f4b8a6d35c7e90f1b2a3c4d5e6f7', 'https://github.com/example/' || name from products;
insert into engagements (id, product_id, name, target_start, target_end, status, engagement_type, branch_tag, commit_hash) overriding system value
values (5, 1, 'release/2.4', current_date - 60, current_date, 'In Progress', 'CI/CD', 'release/2.4', 'b8a6d35c7e90f1b2a3c4d5e6f771fd0aa9c1e2f4');

insert into tests (id, engagement_id, product_id, test_type_id, scan_type, target_start, target_end, branch_tag, commit_hash) overriding system value
select v.id, v.product, v.product, t.id, t.name, now() - interval '60 days', now(), 'main', '71fd0aa9c1e2f4b8a6d35c7e90f1b2a3c4d5e6f7'
from (values (1, 1, 'Trivy Scan'), (2, 1, 'Semgrep JSON Report'), (3, 3, 'Gitleaks Scan'), (4, 2, 'Trivy Scan'), (5, 2, 'ZAP Scan'), (6, 3, 'Checkov Scan'), (7, 4, 'Trivy Scan')) v (id, product, type)
join test_types t on t.name = v.type;

insert into artifacts (id, sha256, size) overriding system value values (1, sha256('trivy'), 48211);
insert into test_imports (id, test_id, product_id, type, scan_type, filename, artifact_id, user_id, outcome, finding_count, branch_tag, commit_hash, build_id, created) overriding system value
select t.id * 10 + n, t.id, t.product_id, case n when 1 then 'import' else 'reimport' end, t.scan_type, lower(split_part(t.scan_type, ' ', 1)) || '.json', 1, 1,
       case when t.id = 6 and n = 3 then 'partial' else 'succeeded' end, 12 + n, 'main', t.commit_hash, (400 + n)::text, now() - (3 - n) * interval '9 days' - t.id * interval '37 minutes'
from tests t, generate_series(1, 3) n;
update test_imports set state = 'failed', error = 'Gitleaks Scan: the report is cut short' where id = 33;

insert into findings (id, test_id, engagement_id, product_id, test_type_id, severity, title, description, mitigation, impact, refs, date, created, sla_start_date, sla_expiration_date, cwe,
    vulnerability_ids, cvssv3, cvssv3_score, epss_score, epss_percentile, known_exploited, kev_date, file_path, line, snippet, component_name, component_version, purl, fix_available,
    fix_version, verified, tags, found_by, assignee_id, static_finding, dynamic_finding, param, payload, rule, service, reporter_id) overriding system value
select v.id, t.id, t.engagement_id, t.product_id, t.test_type_id, v.severity, v.title, v.description, v.mitigation, v.impact, v.refs, current_date - v.age, now() - v.age * interval '1 day', current_date - v.age,
    current_date + v.due, nullif(v.cwe, 0), v.ids, v.cvss, v.score, v.epss, v.epss * 0.9 + 0.1, v.kev, case when v.kev then current_date - 5 end, v.path, v.line, v.snippet, v.component, v.version,
    case when v.component is null then '' else 'pkg:maven/' || v.component || '@' || v.version end, v.fix is not null, v.fix, v.verified, v.tags, v.found_by, v.assignee, v.path is not null, v.path is null, v.param, v.payload, v.rule, v.service, 1
from (values
    (1, 1, 4, 'Remote code execution in log4j-core', E'Apache Log4j2 **JNDI features** do not protect against attacker-controlled LDAP and other JNDI endpoints.\n\nAn attacker who can control log messages or their parameters can execute arbitrary code loaded from LDAP servers when message lookup substitution is enabled:\n\n```\nlog.info("user agent: {}", request.getHeader("User-Agent"));\n```', 'Raise `log4j-core` to 2.17.1 or newer. Until then set `log4j2.formatMsgNoLookups=true`.', 'The host is under the attacker''s control.', E'https://logging.apache.org/log4j/2.x/security.html\nhttps://nvd.nist.gov/vuln/detail/CVE-2021-44228', 10, -3, 502,
        '{CVE-2021-44228,GHSA-jfh8-c2jp-5v3q}'::text[], 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H', 10.0::float8, 0.974::float8, true, 'services/pay/pom.xml', 44, '', 'log4j-core', '2.14.1', '2.17.1', true, '{internet}'::text[], '{119}'::int[], 1::bigint, null, null, '', null),
    (2, 2, 4, 'SQL query built from request input', 'User input reaches a query without being a parameter of it.', 'Pass the value as a parameter: `db.Query(q, id)`.', 'An attacker reads or changes any refund.', 'https://cwe.mitre.org/data/definitions/89.html', 3, 4, 89,
        '{}', null, null, null, false, 'services/pay/refund.go', 118, E'\trows, err := db.Query("select * from refunds where id = " + r.FormValue("id"))', null, null, null, true, '{}', '{}', 2, null, null, 'go.lang.security.audit.sqli', null),
    (3, 3, 3, 'AWS access key in repository', 'An AWS access key id and its secret are committed.', 'Revoke the key, then remove it from the history.', '', '', 19, 11, 798, '{}', null, null, null, false, 'deploy/prod.env', 7, 'AWS_ACCESS_KEY_ID=AKIA****************', null, null, null, true, '{}', '{}', null, null, null, 'aws-access-token', null),
    (4, 4, 3, 'Prototype pollution in lodash', 'Versions before 4.17.19 let an attacker change the prototype of objects.', '', '', '', 8, 22, 1321, '{CVE-2020-8203}', 'CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:H/A:H', 7.4, 0.042, false, null, null, '', 'lodash', '4.17.15', '4.17.19', false, '{}', '{100,101}', null, null, null, '', null),
    (5, 6, 2, 'Container runs as root', 'The pod does not set `runAsNonRoot`.', 'Set `securityContext.runAsNonRoot: true`.', '', '', 19, 71, 250, '{}', null, null, null, false, 'k8s/payments.yaml', 31, E'      containers:\n      - name: payments\n        image: payments:2.4', null, null, null, false, '{}', '{}', null, null, null, 'CKV_K8S_6', null),
    (6, 5, 1, 'Missing X-Content-Type-Options header', 'The response does not forbid to guess its type.', 'Send `X-Content-Type-Options: nosniff`.', '', '', 40, 80, 693, '{}', null, null, null, false, null, null, '', null, null, null, false, '{}', '{}', null, null, null, '10021', null),
    (7, 5, 3, 'Reflected cross-site scripting in the search field', 'The value of *q* comes back unescaped.', 'Escape the value for HTML.', 'An attacker runs a script as the visitor.', '', 6, 24, 79, '{}', null, null, null, false, null, null, '', null, null, null, true, '{internet}', '{}', 2, 'q', '<script>alert(1)</script>', '40012', null),
    (8, 1, 3, 'Denial of service in jackson-databind', 'Deeply nested input exhausts the stack.', '', '', '', 33, -3, 400, '{CVE-2022-42003}', 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H', 7.5, 0.012, false, null, null, '', 'jackson-databind', '2.13.2', '2.13.4.1', false, '{}', '{}', null, null, null, '', null),
    (9, 7, 4, 'Heap overflow in libwebp', 'A crafted image writes out of bounds.', '', '', '', 5, 2, 787, '{CVE-2023-4863}', 'CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H', 8.8, 0.941, true, null, null, '', 'libwebp', '1.3.0', '1.3.2', true, '{}', '{}', null, null, null, '', null),
    (10, 2, 2, 'Weak hash for a password', 'MD5 is used for a password.', 'Use argon2id.', '', '', 60, 30, 327, '{}', null, null, null, false, 'services/user/session.go', 61, E'\tsum := md5.Sum([]byte(password))', null, null, null, false, '{}', '{}', null, null, null, 'go.lang.security.audit.crypto.md5', null),
    (11, 6, 1, 'Image tag is not pinned', '', '', '', '', 19, 101, 0, '{}', null, null, null, false, 'k8s/payments.yaml', 33, '', null, null, null, false, '{}', '{}', null, null, null, 'CKV_K8S_14', null),
    (12, 4, 0, 'Package is three major versions behind', '', '', '', '', 12, 0, 0, '{}', null, null, null, false, null, null, '', 'react-scripts', '2.1.0', null, false, '{}', '{}', null, null, null, '', null),
    (13, 1, 2, 'Information exposure in gson', '', '', '', '', 25, 65, 502, '{CVE-2022-25647}', null, 5.9, 0.004, false, null, null, '', 'gson', '2.8.6', '2.8.9', false, '{}', '{}', null, null, null, '', null),
    (14, 7, 3, 'Remote code execution in log4j-core', 'As elsewhere.', '', '', '', 9, 21, 502, '{CVE-2021-44228}', null, 10.0, 0.974, true, null, null, '', 'log4j-core', '2.13.0', '2.17.1', false, '{}', '{}', null, null, null, '', null)
) v (id, test, severity, title, description, mitigation, impact, refs, age, due, cwe, ids, cvss, score, epss, kev, path, line, snippet, component, version, fix, verified, tags, found_by, assignee, param, payload, rule, service)
join tests t on t.id = v.test;
update findings set sla_expiration_date = null where severity = 0;
insert into findings (id, test_id, engagement_id, product_id, test_type_id, severity, title, date, created, active, duplicate, duplicate_finding_id, is_mitigated, mitigated, mitigated_by_id, false_p, risk_accepted, last_status_update, reporter_id) overriding system value
select 100 + i, t.id, t.engagement_id, t.product_id, t.test_type_id, i % 4 + 1, 'Old finding ' || i, current_date - 80 + i, now() - (80 - i) * interval '1 day', false, i = 1, case when i = 1 then 1 end,
       i > 3, case when i > 3 then now() - (60 - i) * interval '1 day' end, case when i > 3 then 1 end, i = 2, i = 3, now() - (60 - i) * interval '1 day', 1
from generate_series(1, 55) i join tests t on t.id = 1 + i % 2;
select setval('findings_id_seq', 1000);

insert into test_import_actions values (11, 'N', '{1,8,13}'), (12, 'C', '{110}'), (13, 'R', '{1}');
insert into locations (id, location_value, identity_hash, protocol, host, path) overriding system value values
    (1, 'https://pay.example.org/login', sha256('1'), 'https', 'pay.example.org', 'login'), (2, 'https://pay.example.org/search?q=', sha256('2'), 'https', 'pay.example.org', 'search');
insert into location_findings (location_id, finding_id) values (1, 6), (2, 6), (2, 7);
insert into request_response_pairs (finding_id, request, response) values
    (7, convert_to(E'GET /search?q=%3Cscript%3Ealert(1)%3C/script%3E HTTP/1.1\r\nHost: pay.example.org\r\n\r\n', 'UTF8'),
        convert_to(E'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>No result for <script>alert(1)</script></p>', 'UTF8')),
    (7, '\xff00ff'::bytea, '\xfe'::bytea);
insert into notes (finding_id, entry, author_id, private, date) values (1, 'The fix is in the branch **fix/log4j**.', 1, false, now() - interval '2 days'), (1, 'Ask the platform team first.', 2, true, now() - interval '1 day');
insert into risk_acceptances (id, engagement_id, name, owner_id, expiration_date) overriding system value values (1, 1, 'Until the new gateway is live', 1, now() + interval '30 days');
insert into risk_acceptance_findings values (1, 103);

insert into verdict_inputs values (sha256('inputs'), '');
insert into verdicts (id, product_id, engagement_id, overall, conclusive, exit_code, branch, commit_hash, pull_request, build_id, event, inputs_digest, document, test_import_ids, decided_at, valid_until) overriding system value
select 1, 1, 1, 'fail', true, 1, 'feature/refunds', '9c1e2f4b8a6d35c7e90f1b2a3c4d5e6f771fd0aa', '318', '412', 'pull_request', sha256('inputs'), d.document::jsonb, '{13,23}', now() - interval '40 minutes', now() + interval '3 days'
from (values ($json$ {
    "id": "v-4be1", "overall": "fail", "conclusive": true, "would_be": "fail", "mode": "enforce", "exit_code": 1, "decided_at": "2026-11-22T08:14:00Z", "valid_until": "2026-11-25T08:14:00Z", "valid_until_why": "the grace of CVE-2020-8203 ends",
    "subject": {"product": "payments-api", "commit": "9c1e2f4b8a6d35c7e90f1b2a3c4d5e6f771fd0aa", "branch": "feature/refunds", "target_branch": "main", "pull_request": 318, "event": "pull_request"},
    "inputs": {"all": "sha256:4be1"},
    "why": ["new-critical: 1 > 0: CVE-2021-44228 in log4j-core 2.14.1, introduced by this change through services/pay/pom.xml.", "fixable-high-sla: 1 > 0: AWS access key in deploy/prod.env:7, due since 3 days."],
    "shortest_way_to_green": {"why": "Both are needed; either alone is not enough.", "steps": [
        {"kind": "upgrade", "text": "Raise log4j-core from 2.14.1 to 2.17.1 in services/pay/pom.xml", "findings": [1]},
        {"kind": "revoke", "text": "Revoke the key and remove it from deploy/prod.env", "findings": [3], "command": "defectdojo-upload waiver request --finding 3 --reason '…' --days 14"}]},
    "policies": [{"name": "org-baseline", "origin": "server", "digest": "sha256:4be1f2a90c", "mode": "enforce", "overall": "fail", "would_be": "fail", "conclusive": true, "rules": [
        {"id": "new-critical", "description": "No new critical finding", "level": "fail", "outcome": "violated", "decision": "fail", "observed": 1, "max": 0, "per": "finding", "why": "1 > 0: CVE-2021-44228 in log4j-core 2.14.1", "findings": [1]},
        {"id": "fixable-high-sla", "level": "fail", "outcome": "violated", "decision": "fail", "observed": 1, "max": 0, "per": "finding", "why": "1 > 0: AWS access key, due since 3 days", "findings": [3]},
        {"id": "new-high-exploitable", "level": "fail", "outcome": "inconclusive", "decision": "fail", "observed": 0, "unknown": 1, "max": 0, "per": "finding", "why": "0, and 1 of which the EPSS is not known", "findings": []},
        {"id": "medium-budget", "description": "Few medium ones", "level": "warn", "outcome": "satisfied", "decision": "pass", "observed": 1, "max": 25, "per": "vulnerability", "why": "1 of 25", "findings": []}]}],
    "missing": [{"policy": "org-baseline", "id": "secrets", "on": "head", "why": "stale", "scanners": ["gitleaks"], "need": 1, "detail": "its last report is 31 hours old; 24 are allowed"}],
    "baseline": {"kind": "merge_base", "commit": "71fd0aa9c1e2f4b8a6d35c7e90f1b2a3c4d5e6f7", "branch": "main", "scanners": ["trivy", "semgrep"]},
    "deltas": {"introduced": 1, "existing": 2, "disclosed": 1},
    "dispositions": [{"code": "counted", "policy": "org-baseline", "rule": "new-critical", "findings": [1]}, {"code": "counted", "policy": "org-baseline", "rule": "fixable-high-sla", "findings": [3]}, {"code": "in_grace", "due": "2026-11-25T08:14:00Z", "findings": [4]}, {"code": "waived", "detail": "W-2026-0042", "findings": [5]}, {"code": "not_selected", "detail": "severity", "findings": [6, 10, 11]}],
    "findings": [
        {"id": 1, "fingerprint": "a", "title": "Remote code execution in log4j-core", "severity": "Critical", "vulnerability_ids": ["CVE-2021-44228"], "component": "log4j-core", "version": "2.14.1", "fix_version": "2.17.1", "delta": "introduced", "code": "counted", "policy": "org-baseline", "gate_rule": "new-critical"},
        {"id": 3, "fingerprint": "b", "title": "AWS access key in repository", "severity": "High", "path": "deploy/prod.env", "line": 7, "delta": "existing", "code": "counted", "detail": "due since 3 days", "policy": "org-baseline", "gate_rule": "fixable-high-sla"},
        {"id": 4, "fingerprint": "c", "title": "Prototype pollution in lodash", "severity": "High", "vulnerability_ids": ["CVE-2020-8203"], "component": "lodash", "version": "4.17.15", "fix_version": "4.17.19", "delta": "disclosed", "code": "in_grace", "due": "2026-11-25T08:14:00Z", "gate_rule": "new-high"},
        {"id": 5, "fingerprint": "d", "title": "Container runs as root", "severity": "Medium", "path": "k8s/payments.yaml", "line": 31, "delta": "existing", "code": "waived", "waiver": "W-2026-0042", "gate_rule": "medium-budget"},
        {"id": -1, "fingerprint": "e", "title": "Not stored yet", "severity": "Low", "path": "main.go", "delta": "rule_drift", "code": "not_selected", "detail": "severity"}],
    "findings_omitted": 3,
    "waivers": [{"id": "W-2026-0042", "state": "active", "matches": 1, "covered": 1, "expires": "2026-12-20T00:00:00Z"}],
    "intel": [{"name": "epss", "id": "2026-11-21", "date": "2026-11-21"}, {"name": "kev", "id": "2026.11.20", "date": "2026-11-20", "stale": true}],
    "notes": ["The report of gitleaks was too old to count."]
} $json$)) d (document);
insert into verdicts (id, product_id, engagement_id, overall, conclusive, exit_code, branch, commit_hash, inputs_digest, document, decided_at, valid_until, superseded_by) overriding system value values
    (2, 2, 2, 'pass', true, 0, 'main', '4c5d6e7f8', sha256('inputs'), '{"id": "v-2", "overall": "pass", "conclusive": true, "would_be": "pass", "mode": "enforce", "why": ["Every rule holds."], "policies": [], "missing": [], "findings": [], "dispositions": [], "notes": []}', now() - interval '3 hours', null, null),
    (3, 3, 3, 'warn', true, 0, 'main', '0aa1bb2cc', sha256('inputs'), '{"id": "v-3", "overall": "warn", "conclusive": true, "would_be": "fail", "mode": "warn", "why": ["medium-budget: 31 > 25."], "policies": [], "missing": [], "findings": [], "dispositions": [], "notes": []}', now() - interval '26 hours', now() - interval '1 hour', null),
    (4, 4, 4, 'fail', false, 3, 'main', '77aa88bb9', sha256('inputs'), '{"id": "v-4", "overall": "fail", "conclusive": false, "would_be": "fail", "mode": "enforce", "why": ["sast: no report of semgrep or codeql for this commit."], "policies": [], "missing": [], "findings": [], "dispositions": [], "notes": []}', now() - interval '2 days', null, null);
select setval('verdicts_id_seq', 10);
insert into tokens (public_id, secret_hash, user_id, name, scope, product_ids, created, expires, last_used, revoked) values
    ('gate_8fK2', sha256('t1'), 1, 'payments pipeline', 'import', '{1}', now() - interval '20 days', now() + interval '70 days', now() - interval '4 minutes', null),
    ('gate_Zp91', sha256('t2'), 1, 'laptop', 'all', null, now() - interval '80 days', now() + interval '10 days', null, now() - interval '8 days');

insert into intel_snapshots (id, source, digest, version, published, url, records, bytes, fetched) values
	(1, 'epss', '\xaabbccddee', 'v2025.03.14 of 2026-11-21', now() - interval '1 day', 'https://epss.example/', 312408, 9000000, now() - interval '20 hours'),
	(2, 'kev', '\xbbccddeeff', '2026.10.01', now() - interval '52 days', 'https://kev.example/', 1500, 900000, now() - interval '51 days');
insert into intel_sources (source, snapshot_id, url, checked, succeeded, error) values
	('epss', 1, 'https://epss.example/', now() - interval '1 hour', now() - interval '1 hour', ''),
	('kev', 2, 'https://kev.example/', now() - interval '1 hour', now() - interval '51 days', 'kev.example does not answer');

-- A JIRA that does not answer, and where payments-infra's tickets go.
insert into connections (id, public_id, kind, name) values (901, '00112233445566778899aabbccddeeff', 'jira', 'JIRA ours');
insert into jira_instances (id, configuration_name, url, username, connection_id) values (1, 'our JIRA', 'https://jira.example.org', 'gate', 901);
insert into jira_projects (id, jira_instance_id, product_id, project_key) values (1, 1, 3, 'INFRA');
insert into jira_issues (jira_id, jira_key, jira_project_id, finding_id, state, jira_status, claim, jira_creation)
	select '10001', 'INFRA-7', 1, min(id), 'linked', 'Done', 'claimed_fixed', now() from findings where product_id = 3;
insert into channel_health (channel, target, failures, last_error_at, last_error) values ('jira', 1, 3, now(), 'jira: get issue: 503 Service Unavailable');
select setval(pg_get_serial_sequence('jira_instances', 'id'), 900), setval(pg_get_serial_sequence('jira_projects', 'id'), 900);
insert into policies (id, name, product_id, enabled) overriding system value values (1, 'org-baseline', null, true), (2, 'payments-extra', 1, false);
select setval('policies_id_seq', 10);
insert into policy_versions (policy_id, version, source, digest, author_id, comment, created) values
    (1, 1, E'metadata: {name: org-baseline}\nspec:\n  rules:\n    - {id: new-critical, select: {severity: critical}, max: 3}\n', sha256('1'), 1, '', now() - interval '9 days'),
    (1, 2, E'metadata: {name: org-baseline}\nspec:\n  waivers: {approvals: {critical: 2}}\n  rules:\n    - {id: new-critical, description: No new critical, select: {severity: critical}, max: 0}\n    - {id: likely, when: f.epss > 0.5}\n', sha256('2'), 1, 'none at all', now() - interval '2 days'),
    (2, 1, E'metadata: {name: payments-extra}\nspec: {rules: [{id: all, max: 0}]}\n', sha256('3'), 2, '', now() - interval '1 day');
insert into waivers (id, product_id, name, state, document, requested_by_id, needed, finding_id, created, valid_from, expires) overriding system value values
    (1, 1, 'W-2026-0001', 'requested', '{"id": "", "match": {"vulnerability": "CVE-2021-44228", "purl": "pkg:maven/log4j-core"}, "reason": "Not reachable from outside", "requested_by": "mika", "approved_by": [], "expires": "2030-01-01T00:00:00Z"}', 2, 2, 1, now() - interval '1 day', now() - interval '1 day', now() + interval '9 days'),
    (2, 2, 'W-2026-0002', 'approved', '{"id": "", "match": {"fingerprint": "hash:00"}, "reason": "A test key", "requested_by": "mika", "approved_by": [], "expires": "2030-01-01T00:00:00Z"}', 2, 1, null, now() - interval '5 days', now() - interval '5 days', now() + interval '60 days');
select setval('waivers_id_seq', 10);

-- ---------------------------------------------------------------- notifications
insert into alerts (id, user_id, event, title, description, url, created, read) overriding system value values
    (1, 1, 'scan_added', 'Created/Updated 3 findings for payments-api: main: Trivy Scan', '3 new', '/findings?test=1', now() - interval '3 hours', now()),
    (2, 1, 'verdict_changed', 'The gate says fail for payments-api', 'new-critical: 1 > 0', '/verdicts/1', now() - interval '40 minutes', null),
    (3, null, 'upcoming_engagement', 'Upcoming engagement: payments-web: main', '', '', now() - interval '1 hour', null);
select setval('alerts_id_seq', 10);
insert into connections (id, public_id, kind, name, settings) overriding system value values (41, 'slack-41', 'slack', 'our Slack', '{"address": "#security", "min_severity": "High"}');
insert into connection_products (connection_id, product_id, address) values (41, 2, '#payments');
insert into channel_health (channel, target, failures, last_error_at, last_error) values ('slack', 41, 5, now(), 'slack: chat.postMessage: 503 Service Unavailable');
insert into notification_webhooks (id, name, url, status, note) overriding system value values (1, 'the SIEM', 'https://siem.example.org/…', 'inactive_permanent', 'webhook: post: 410 Gone');
select setval('notification_webhooks_id_seq', 10);
insert into notices (id, key, event, at, product_id, document) overriding system value values (1, 'import:13', 'scan_added', now(), 1, '{}');
insert into notice_deliveries (public_id, notice_id, channel, target, state, attempts, status, last_error, finished) values ('d1', 1, 'webhooks', 1, 'failed', 1, 410, 'webhook: post: 410 Gone', now());

insert into backtests (id, name, source, days, since, requested_by_id, state, total, done, before_id, result, created, started, finished) overriding system value values
    (1, 'strict-next', E'metadata: {name: strict-next}\nspec: {rules: [{id: new-high, select: {severity: high, delta: new}}]}\n', 30, now() - interval '30 days', 1, 'running', 5, 2, 3,
     '{"verdicts": 2, "before": {"pass": 2}, "after": {"pass": 1, "fail": 1}, "newly_blocked": [{"verdict": "1", "product": "payments-api", "before": "pass", "after": "fail", "why": ["new-high: 1 > 0"]}], "no_longer_blocked": [], "inconclusive": 0, "by_rule": [{"name": "strict-next/new-high", "blocked": 1, "newly": 1, "no_longer": 0}], "by_product": [{"name": "payments-api", "blocked": 1, "newly": 1, "no_longer": 0}]}',
     now() - interval '5 minutes', now() - interval '4 minutes', null),
    (2, 'org-baseline', E'metadata: {name: org-baseline}\nspec: {rules: [{id: none, max: 1}]}\n', 7, now() - interval '7 days', 2, 'done', 0, 0, 1, '{}', now() - interval '1 day', now() - interval '1 day', now() - interval '1 day');
select setval('backtests_id_seq', 10);

insert into vex_documents (id, product_id, digest, filename, format, trusted, content, statements, added_by_id, created) overriding system value values
    (1, 1, 'vex1', 'supplier.openvex.json', 'openvex', true, '\x1f8b08000000000000ffabae0500b8ab12a203000000', '[{"document": "sha256:76657831", "vulnerability": "CVE-2021-44228", "products": ["pkg:maven/log4j-core"], "status": "not_affected", "justification": "component_not_present"}]', 2, now() - interval '3 days');
select setval('vex_documents_id_seq', 10);
update waivers set document = jsonb_set(document, '{evidence}', '["sha256:76657831"]') where id = 1;
