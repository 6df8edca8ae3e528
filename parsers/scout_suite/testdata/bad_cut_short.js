scoutsuite_results =
{"account_id": "123456789012", "environment": "default",
 "last_run": {"ruleset_about": "The rules that are usual.", "ruleset_name": "default", "run_parameters": {"services": []},
  "summary": {"s3": {"checked_items": 2, "flagged_items": 2, "max_level": "danger", "resources_count": 2, "rules_count": 1}, "ec2": {"checked_items": 1, "flagged_items": 1, "max_level": "warning", "resources_count": 1, "rules_count": 1}},
  "time": "2024-05-06 04:47:09+0200", "version": "5.13.0"},
 "partition": "aws", "provider_code": "aws", "provider_name": "Amazon Web Services", "result_format": "json",
 "services": {
  "ec2": {"filters": {}, "findings": {"ec2-default-security-group-with-rules": {"checked_items": 1, "compliance": [{"name": "CIS Amazon Web Services Foundations", "reference": "4.3", "version": "1.2.0"}], "dashboard_name": "Security Groups", "description": "Non-empty Rulesets for Default Security Groups", "flagged_items": 1, "id_suffix": "default_with_rules", "items": ["ec2.regions.eu-west-1.vpcs.vpc-1.security_groups.sg-1.rules.ingress.default_with_rules"], "level": "warning", "path": "ec2.regions.id.vpcs.id.security_groups.id", "rationale": "Whoever forgets to choose a group gets this one.<br>It should allow nothing.", "references": ["https://docs.aws.amazon.com/vpc/"], "remediation": "Remove its <samp>rules</samp>", "service": "EC2"}},
   "regions": {"eu-west-1": {"id": "eu-west-1", "vpcs": {"vpc-1": {"name": "main", "security_groups": {"sg-1": {"id": "sg-1", 