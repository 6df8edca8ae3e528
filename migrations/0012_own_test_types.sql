-- Test types for formats that DefectDojo has no parser for. Somebody may have
-- made one of the name already.
insert into test_types (name, static_tool, dynamic_tool) values
    ('Checkstyle XML Scan', true, false),
    ('GitHub Dependabot Alerts Scan', true, false),
    ('JUnit XML Scan', true, false),
    ('OSV Records Scan', true, false)
on conflict (name) do nothing;
